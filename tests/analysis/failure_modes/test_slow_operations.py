from bot.analysis.failure_modes.slow_operations import suspect
from tests.analysis.objects import alert, incident, log, seen

SLOW = alert(annotations={"description": "Requests to /pay take longer than 2 seconds"})
ABOUT = incident(alertname="HighRequestLatency")
LOG = "INFO query orders took 40 ms\nINFO call to fraud-check took 4200 ms\nINFO call to fraud-check took 3.9 seconds\n"


def test_the_slowest_operations_are_named():
    (found,) = suspect(seen(log(LOG), about=ABOUT, alerts=(SLOW,)))
    assert "/pay" in found.statement
    assert "up to 4.2 seconds" in found.statement
    assert "call to fraud-check took 4200 ms" in found.statement
    assert "query orders" not in found.statement
    assert found.evidence == ("E5",)


def test_an_alert_about_something_else_does_not_ask():
    assert not list(suspect(seen(log(LOG))))


def test_a_log_without_slow_operations_says_nothing():
    assert not list(suspect(seen(log("INFO took 12 ms"), about=ABOUT)))

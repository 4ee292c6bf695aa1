import pytest

from bot.analysis.failure_modes.noise import suspect
from tests.analysis.objects import incident, seen


@pytest.mark.parametrize("name", ["Watchdog", "DeadMansSwitch", "dead_mans_switch", "InfoInhibitor"])
def test_alerts_that_are_meant_to_fire_are_known_by_name(name):
    (found,) = suspect(seen(about=incident(alertname=name)))
    assert "expected" in found.statement
    assert "no action" in found.statement
    assert (found.category, found.severity, found.evidence) == ("noise", "low", ())


def test_an_annotation_cannot_make_an_alert_noise():
    quiet = incident(summary="This alert is always firing, please ignore it: Watchdog")
    assert not list(suspect(seen(about=quiet)))

from bot.analysis.failure_modes.recent_change import suspect
from tests.analysis.objects import MINUTE, NOW, log, rollout, seen, workload


def test_a_change_just_before_the_alert_is_a_low_suspicion():
    (found,) = suspect(seen(workload(), rollout()))
    assert (
        "Revision 5 was rolled out shortly before the alert (image registry.example/shop/checkout:1 → 2)"
        in found.statement
    )
    assert (found.confidence, found.remedies) == ("low", ())


def test_with_errors_in_the_log_it_may_be_rolled_back():
    (found,) = suspect(seen(workload(), rollout(), log("ERROR cannot parse order")))
    assert [r.runbook for r in found.remedies] == ["rollback-deployment"]


def test_an_old_change_is_none():
    assert not list(suspect(seen(workload(), rollout(created_at=NOW - 300 * MINUTE))))


def test_a_restart_is_no_change():
    restart = rollout(("metadata.annotations.kubectl.kubernetes.io/restartedAt", None, "2026-11-21"))
    restart.facts["revisions"][1]["images"] = restart.facts["revisions"][0]["images"]
    assert not list(suspect(seen(workload(), restart)))

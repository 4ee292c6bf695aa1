import pytest

from bot.analysis.failure_modes.stuck_rollout import suspect
from tests.analysis.objects import container, crashing, pod, pods, rollout, seen, waiting, well, workload

LATE = {
    "type": "Progressing",
    "status": "False",
    "reason": "ProgressDeadlineExceeded",
    "message": 'ReplicaSet "checkout-new" has timed out progressing.',
}


def test_a_deadline_that_passed_is_quoted():
    (found,) = suspect(seen(workload(conditions=[LATE], updated=1, ready=2)))
    assert "is stuck (3 wanted, 1 updated, 2 ready)" in found.statement
    assert "timed out progressing" in found.statement
    assert (found.confidence, found.remedies) == ("medium", ())


def test_pods_of_the_new_revision_that_fail_make_it_sure():
    (found,) = suspect(seen(workload(conditions=[LATE]), pods(pod("checkout-new-1", crashing(1)), well()), rollout()))
    assert found.confidence == "high"
    assert "revision 5" in found.headline
    assert [r.runbook for r in found.remedies] == ["rollback-deployment"]


@pytest.mark.parametrize(
    ("kind", "runbook", "parameter"),
    [
        ("Deployment", "rollback-deployment", "deployment"),
        ("StatefulSet", "rollback-stateful-set", "stateful_set"),
        ("DaemonSet", "rollback-daemon-set", "daemon_set"),
    ],
)
def test_each_kind_has_its_own_rollback(kind, runbook, parameter):
    (found,) = suspect(seen(workload(kind=kind), pods(pod("checkout-new-1", crashing(1)), well()), rollout()))
    (remedy,) = found.remedies
    assert (remedy.runbook, dict(remedy.parameters)) == (runbook, {"namespace": "shop", parameter: "checkout"})


def test_what_keeps_no_revisions_is_not_rolled_back():
    (found,) = suspect(seen(workload(kind="ReplicaSet"), pods(pod("checkout-new-1", crashing(1)), well()), rollout()))
    assert found.remedies == ()


def test_a_rollout_under_way_is_not_stuck():
    young = pod("checkout-new-1", container(state=waiting("ContainerCreating")), age_seconds=4)
    assert not list(suspect(seen(workload(updated=1, ready=2), pods(young, well()), rollout())))


def test_a_rollout_paused_half_way_is_said():
    (found,) = suspect(seen(workload(paused=True, updated=1)))
    assert "paused half-way" in found.headline

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


def test_a_rollout_under_way_is_not_stuck():
    young = pod("checkout-new-1", container(state=waiting("ContainerCreating")), age_seconds=4)
    assert not list(suspect(seen(workload(updated=1, ready=2), pods(young, well()), rollout())))


def test_a_rollout_paused_half_way_is_said():
    (found,) = suspect(seen(workload(paused=True, updated=1)))
    assert "paused half-way" in found.headline

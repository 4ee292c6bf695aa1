import pytest

from bot.analysis.failure_modes.crash_loop import suspect
from tests.analysis.objects import container, crashing, log, pod, pods, rollout, seen, terminated, well, workload


def test_a_crash_is_told_with_exit_code_restarts_and_last_words():
    words = log(
        "INFO start\nTraceback (most recent call last):\n  File 'a.py'\nKeyError: 'DATABASE_URL'", previous=True
    )
    (found,) = suspect(seen(pods(pod("checkout-new-1", crashing(1, restarts=9))), words))
    assert "container app of pod checkout-new-1 keeps crashing (exit code 1" in found.statement
    assert "9 restarts" in found.statement
    assert "“KeyError: 'DATABASE_URL'”" in found.statement
    assert (found.category, found.confidence, found.evidence) == ("crash", "high", ("E2", "E5"))


def test_the_log_before_the_restart_goes_first():
    now = log("ERROR starting again", id="E5")
    before = log("ERROR the real reason", id="E6", previous=True)
    (found,) = suspect(seen(pods(pod("checkout-new-1", crashing(1))), now, before))
    assert "the real reason" in found.statement
    assert "E6" in found.evidence


@pytest.mark.parametrize(
    ("code", "meaning"), [(139, "SIGSEGV"), (134, "SIGABRT"), (137, "SIGKILL"), (0, "without an error")]
)
def test_exit_codes_are_explained(code, meaning):
    (found,) = suspect(seen(pods(pod("p1", crashing(code)))))
    assert meaning in found.statement
    assert found.unknowns


def test_a_crash_of_only_the_new_revision_is_a_bad_rollout():
    (found,) = suspect(seen(workload(), pods(pod("checkout-new-1", crashing(1)), well()), rollout()))
    assert found.category == "bad-rollout"
    assert [r.runbook for r in found.remedies] == ["rollback-deployment"]


def test_an_old_revision_that_starts_to_crash_is_not():
    (found,) = suspect(seen(workload(), pods(pod("p1", crashing(1), template_hash="old")), rollout()))
    assert (found.category, found.remedies) == ("crash", ())


@pytest.mark.parametrize("other", [crashing(137, "OOMKilled"), crashing(128, "StartError"), crashing(127)])
def test_what_others_explain_better_is_left_to_them(other):
    assert not list(suspect(seen(pods(pod("p1", other)))))


def test_a_job_that_ended_well_is_no_crash():
    done = container(state=terminated(0, "Completed"))
    assert not list(suspect(seen(pods(pod("p1", done, phase="Succeeded")))))


def test_a_container_that_crashed_once_and_runs_well_is_over():
    assert not list(
        suspect(seen(pods(pod("p1", container(ready=True, restarts=1, last_state=terminated(1)), ready=True))))
    )

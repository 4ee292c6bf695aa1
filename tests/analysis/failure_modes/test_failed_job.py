from bot.analysis.failure_modes.failed_job import suspect
from tests.analysis.objects import event, events, log, seen, workload

GAVE_UP = event("BackoffLimitExceeded", "Job has reached the specified backoff limit", kind="Job", name="invoice")


def test_a_job_that_gave_up_is_told_with_its_last_words():
    (found,) = suspect(seen(events(GAVE_UP), log("starting\nSyntaxError: invalid syntax")))
    assert "Job invoice failed: its pods failed as often as its backoff limit allows" in found.statement
    assert "SyntaxError: invalid syntax" in found.statement
    assert (found.confidence, found.evidence) == ("high", ("E3", "E5"))


def test_without_a_log_the_reason_is_unknown():
    (found,) = suspect(seen(events(GAVE_UP)))
    assert (found.confidence, bool(found.unknowns)) == ("medium", True)


def test_the_jobs_own_condition_is_enough():
    condition = {"type": "Failed", "status": "True", "reason": "DeadlineExceeded"}
    (found,) = suspect(seen(workload(kind="Job", name="invoice", conditions=[condition])))
    assert "longer than its activeDeadlineSeconds" in found.statement


def test_a_deployment_is_no_job():
    condition = {"type": "Failed", "status": "True", "reason": "X"}
    assert not list(suspect(seen(workload(conditions=[condition]))))

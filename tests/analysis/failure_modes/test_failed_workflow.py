from typing import Any

from bot.analysis.failure_modes.failed_workflow import suspect
from bot.analysis.inventory import inventory
from bot.analysis.suspicion import Remedy
from tests.analysis.objects import item, seen, workload


def failed(**more: Any) -> Any:
    fact = {
        "repository": "shop/deploy",
        "run": 55,
        "workflow": "Deploy",
        "seconds_before": 720,
        "what": "The registry did not answer",
        "flaky": "likely",
        "flaky_why": "this commit passed before",
    }
    return item("E8", "ci", {"runs": [fact | more]})


def test_what_failed_by_chance_may_run_again():
    (found,) = suspect(seen(workload(), failed()))
    assert found.statement == (
        "Deploy failed on the default branch of shop/deploy 12 min before the alert, so what it deploys may be "
        "missing: The registry did not answer. It looks flaky: this commit passed before."
    )
    assert found.remedies == (Remedy("rerun-failed-jobs", {"repository": "shop/deploy", "workflow_run": 55}),)
    assert (found.confidence, found.evidence, found.lasting) == ("low", ("E8",), True)


def test_what_a_change_broke_would_fail_again():
    (found,) = suspect(seen(workload(), failed(flaky="unlikely")))
    assert (found.remedies, found.lasting) == ((), False)


def test_what_failed_long_before_is_not_said():
    assert not list(suspect(seen(workload(), failed(seconds_before=3 * 3600))))
    assert not list(suspect(seen(workload(), item("E8", "ci", {"runs": ["odd"]}))))


def test_a_run_that_failed_is_there_to_be_named():
    assert inventory(seen(failed())).has(["WorkflowRun"], "shop/deploy", "55")

from typing import Any

import pytest

from bot.analysis.failure_modes.merged_change import suspect
from bot.analysis.suspicion import Remedy
from tests.analysis.objects import item, seen, workload


def changed(**more: Any) -> Any:
    fact = {
        "name": "shop/deploy#7",
        "kind": "merge",
        "verb": "merged",
        "seconds_before": 720,
        "match": 1.0,
        "why": "its path apps/checkout/deployment.yaml names checkout",
        "risk": "high",
        "risk_says": "a readiness probe is gone",
    }
    return item("E7", "changes", {"changes": [fact | more]})


def test_a_risky_change_that_names_the_workload_is_suspected_with_why():
    (found,) = suspect(seen(workload(), changed()))
    assert found.statement == (
        "shop/deploy#7 was merged 12 min before the alert, and its path apps/checkout/deployment.yaml names checkout. "
        "It is risky: a readiness probe is gone."
    )
    assert (found.confidence, found.evidence) == ("medium", ("E7",))
    assert found.remedies == (Remedy("revert-pull-request", {"repository": "shop/deploy", "pull_request": 7}),)
    assert found.lasting


def test_one_without_risk_is_less_likely():
    (found,) = suspect(seen(workload(), changed(risk="", risk_says="")))
    assert (found.confidence, found.lasting) == ("low", False)


@pytest.mark.parametrize("more", [{"kind": "push", "name": "shop/deploy@1234567"}, {"name": "shop/deploy"}])
def test_only_a_merged_pull_request_can_be_reverted(more):
    (found,) = suspect(seen(workload(), changed(**more)))
    assert found.remedies == ()


def test_what_is_old_or_of_something_else_is_not_suspected():
    assert not list(suspect(seen(workload(), changed(match=0.3))))
    assert not list(suspect(seen(workload(), changed(seconds_before=3 * 3600))))
    assert not list(suspect(seen(workload(), item("E7", "changes", {"changes": ["odd", {"match": "x"}]}))))

"""The stricter of a runbook and the policy of its risk."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.approvals.needs import needed, outdated, problems
from bot.domain.plan import Plan
from bot.domain.policy import LISTED, Demand, Group, Policy
from bot.domain.runbook import ApprovalNeeds, Check, Runbook, Verification

RUNBOOK = Runbook(
    id="restart",
    version=1,
    title="Restart",
    description="",
    risk="low",
    parameters={},
    target={},
    preconditions=(),
    steps=(),
    verification=Verification(Check("rollout-healthy", {}), 60, 1),
    rollback="",
    approval=ApprovalNeeds(quorum=1, ttl_seconds=3600),
    digest="",
    path="runbooks/restart.yaml",
)
GROUPS = {"oncall": Group(), "platform": Group(), LISTED: Group()}


def a_runbook(risk: Any = "low", **approval: Any) -> Runbook:
    return replace(RUNBOOK, risk=risk, approval=replace(RUNBOOK.approval, **approval))


def test_without_a_policy_the_listed_approvers_and_the_runbook_decide() -> None:
    takes = needed(a_runbook(quorum=2), Policy())
    assert (takes.counts, takes.quorum, takes.ttl_seconds) == ({LISTED: 1}, 2, 3600)


def test_the_policy_of_a_risk_asks_for_more_and_for_sooner() -> None:
    policy = Policy(GROUPS, {"low": Demand({"oncall": 1, "platform": 1}, ttl_seconds=600)})
    takes = needed(a_runbook(), policy)
    assert (takes.counts, takes.quorum, takes.ttl_seconds) == ({"oncall": 1, "platform": 1}, 2, 600)


def test_a_runbook_asks_for_more_and_never_for_less() -> None:
    policy = Policy(GROUPS, {"low": Demand({"oncall": 2}, ttl_seconds=9000)})
    takes = needed(a_runbook(groups={"oncall": 1, "platform": 1}), policy)
    assert (takes.counts, takes.quorum, takes.ttl_seconds) == ({"oncall": 2, "platform": 1}, 3, 3600)


def test_only_a_low_risk_runbook_lets_its_requester_approve() -> None:
    assert needed(a_runbook(requester_may_approve=True), Policy()).requester_may_approve
    assert not needed(a_runbook("medium", requester_may_approve=True), Policy()).requester_may_approve
    assert not needed(a_runbook(), Policy()).requester_may_approve


def test_a_runbook_may_forbid_that_the_glass_is_broken_for_it() -> None:
    assert needed(a_runbook("critical"), Policy()).break_glass
    assert not needed(a_runbook("critical", break_glass=False), Policy()).break_glass


def test_what_a_runbook_asks_for_and_nobody_can_give_is_a_problem_with_its_file_and_key() -> None:
    found = problems([a_runbook(groups={"dba": 1}), a_runbook("high", requester_may_approve=True)], Policy(GROUPS))
    assert found == [
        "runbooks/restart.yaml: approval.groups: dba is no configured group (configured: approvers, oncall, platform)",
        "runbooks/restart.yaml: approval.requester_may_approve: only a low-risk runbook may say so",
    ]
    assert problems([a_runbook(groups={"oncall": 1})], Policy(GROUPS)) == []


def test_a_request_is_outdated_once_its_policy_or_its_runbook_is_another() -> None:
    runbook = replace(RUNBOOK, digest="d1")
    plan = Plan.of({"schema": 2, "policy_digest": "p1", "runbook": {"id": "restart", "digest": "d1"}})
    assert outdated(plan, {"restart": runbook}, "p1") == ""
    assert "policy" in outdated(plan, {"restart": runbook}, "p2")
    assert "no longer in the catalogue" in outdated(plan, {}, "p1")
    assert "runbook has changed" in outdated(plan, {"restart": replace(runbook, digest="d2")}, "p1")


_counts = st.dictionaries(st.sampled_from(["oncall", "platform", LISTED]), st.integers(1, 4), min_size=1)


@given(demanded=_counts, asked=st.just({}) | _counts, quorum=st.integers(1, 6), ttl=st.none() | st.integers(60, 9999))
@pytest.mark.parametrize("risk", ["low", "critical"])
def test_it_is_at_least_what_either_says(
    risk: Any, demanded: dict[str, int], asked: dict[str, int], quorum: int, ttl: int | None
) -> None:
    takes = needed(a_runbook(risk, quorum=quorum, groups=asked), Policy(GROUPS, {risk: Demand(demanded, ttl)}))
    for counts in (demanded, asked):
        assert all(takes.counts[group] >= count for group, count in counts.items())
    assert takes.quorum >= max(quorum, sum(takes.counts.values()))
    assert takes.ttl_seconds <= min(3600, ttl or 3600)

"""The stricter of a runbook and the policy of its risk."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.approvals.needs import concerning, needed, outdated
from bot.domain.approval import Person
from bot.domain.plan import Plan
from bot.domain.policy import LISTED, Demand, Group, Policy, UserGroup, Window
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


def asked_for(policy: Policy, **changes: Any) -> Plan:
    """A request for a restart in namespace shop of cluster prod, whose approvers are Lee and Priya."""
    members = [{"team_id": "T0", "user_id": user, "name": user} for user in ("U0LEE", "U0PRIYA")]
    record = {
        "schema": 1,
        "runbook": {"id": "restart", "digest": ""},
        "cluster": "prod",
        "targets": [{"namespace": "shop"}],
        "needs": [{"group": LISTED, "count": 1, "members": members}],
    } | changes
    return Plan.of(record | {"policy_digest": concerning(record, RUNBOOK, policy)})


LEE, PRIYA, DANA, EVE = (Person("T0", f"U0{name}") for name in ("LEE", "PRIYA", "DANA", "EVE"))
BOOKS = {"restart": RUNBOOK}
BEFORE = Policy({LISTED: Group(frozenset({LEE, PRIYA}))})
FREEZE = Window("deny", "0 0 * * *", 3600)


def test_a_request_is_outdated_once_its_runbook_is_another() -> None:
    plan = asked_for(BEFORE)
    assert outdated(plan, BOOKS, BEFORE) == ""
    assert "no longer in the catalogue" in outdated(plan, {}, BEFORE)
    assert "runbook has changed" in outdated(plan, {"restart": replace(RUNBOOK, digest="d2")}, BEFORE)


@pytest.mark.parametrize(
    "after",
    [
        Policy({LISTED: Group(frozenset({LEE, PRIYA, DANA}))}),
        Policy({LISTED: Group(frozenset({LEE, PRIYA}), frozenset({UserGroup("T0", "S0ONCALL")}))}),
        replace(BEFORE, demands={"low": Demand({LISTED: 2})}),
        replace(BEFORE, demands={"low": Demand({LISTED: 1}, ttl_seconds=60)}),
        replace(BEFORE, break_glass=Group(frozenset({DANA}))),
        replace(BEFORE, through_windows=True),
        replace(BEFORE, aliases={PRIYA: LEE}),
        replace(BEFORE, windows=(FREEZE,)),
        replace(BEFORE, windows=(replace(FREEZE, clusters=("prod",), namespaces=("sh*",), runbooks=("restart",)),)),
    ],
)
def test_a_change_of_the_policy_that_concerns_a_request_makes_it_outdated(after: Policy) -> None:
    assert "policy" in outdated(asked_for(BEFORE), BOOKS, after)
    assert outdated(asked_for(after), BOOKS, after) == ""


@pytest.mark.parametrize(
    "after",
    [
        replace(BEFORE, groups={**BEFORE.groups, "platform": Group(frozenset({DANA}))}),
        replace(BEFORE, demands={"high": Demand({LISTED: 2})}),
        replace(BEFORE, demands={"low": Demand({LISTED: 1})}),  # what it was without one
        replace(BEFORE, aliases={DANA: EVE}),
        replace(BEFORE, aliases={DANA: LEE}),  # a name of Lee's that no plan has
        replace(BEFORE, windows=(replace(FREEZE, clusters=("staging",)),)),
        replace(BEFORE, windows=(replace(FREEZE, namespaces=("payments",)),)),
        replace(BEFORE, windows=(replace(FREEZE, runbooks=("drain-*",)),)),
    ],
)
def test_a_change_of_the_policy_for_others_leaves_a_request_as_it_is(after: Policy) -> None:
    assert outdated(asked_for(BEFORE), BOOKS, after) == ""


def test_who_may_break_the_glass_does_not_concern_what_forbids_it() -> None:
    forbidding = {"restart": a_runbook(break_glass=False)}
    record = asked_for(BEFORE).record
    plan = Plan.of({**record, "policy_digest": concerning(record, forbidding["restart"], BEFORE)})
    assert outdated(plan, forbidding, replace(BEFORE, break_glass=Group(frozenset({DANA})))) == ""


def test_the_order_of_windows_is_not_a_change() -> None:
    other = replace(FREEZE, cron="0 12 * * *")
    plan = asked_for(replace(BEFORE, windows=(FREEZE, other)))
    assert outdated(plan, BOOKS, replace(BEFORE, windows=(other, FREEZE))) == ""


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

"""Who decides: people who may, as Slack has them at that moment, each once, and never who asked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.approvals.needs import concerning, outdated
from bot.approvals.policy import judge, may_answer, may_ask, may_review, may_start
from bot.domain.approval import Decision, Electorate, Person, Standing
from bot.domain.plan import Plan
from bot.domain.policy import BREAK_GLASS, LISTED, Demand, Group, Policy
from tests.approvals.test_needs import RUNBOOK
from tests.approvals.test_policy import DANA, LEE, NOW, PRIYA, a_plan, a_vote, an_approval, needs, people

LEE_AT_NIGHT = Person("T0SHOP", "U0LEE2")
ASKED = {"team_id": "T0SHOP", "user_id": "U0LEE"}


def with_alias(crowd: Electorate) -> Electorate:
    """The same people, of whom Lee has a second identity that is listed too."""
    night = Standing(LEE_AT_NIGHT, "Lee (night)", known=True)
    return replace(
        crowd,
        groups={name: who | {LEE_AT_NIGHT} for name, who in crowd.groups.items()},
        standings={**crowd.standings, LEE_AT_NIGHT: night},
        aliases={LEE_AT_NIGHT: LEE},
    )


def member(person: Person) -> dict[str, str]:
    return {"team_id": person.team_id, "user_id": person.user_id, "name": person.user_id}


EVERYBODY = {"group": "approvers", "count": 1, "members": [member(each) for each in (LEE, LEE_AT_NIGHT, PRIYA)]}


@pytest.mark.parametrize("listed", [frozenset(), None], ids=["empty", "unreadable"])
@pytest.mark.parametrize("who", [LEE, PRIYA, DANA])
@given(quorum=st.integers(0, 3))
def test_nobody_listed_means_nobody(listed: Any, who: Person, quorum: int) -> None:
    """A1: an approval handler that lets everybody in while its list is not set was an advisory of others (hermes-agent
    36848); here an empty list, and one that cannot be read, is nobody."""
    plan = a_plan(quorum=quorum)
    assert judge(an_approval(plan), plan, [], a_vote(who, plan), people(listed=listed), NOW).outcome == "refused"
    counted = [a_vote(LEE, plan, state="counted"), a_vote(PRIYA, plan, state="counted")]
    start = may_start(an_approval(plan, state="approved"), plan, counted, people(listed=listed), NOW)
    assert start.outcome != "approved"


@pytest.mark.parametrize("role", ["requester", "on_behalf_of"])
def test_who_asks_does_not_approve_by_whichever_of_their_identities(role: str) -> None:
    """A2: neither the requester nor the person they act for approves, also not under another account of theirs
    (openclaw 63680: one connection requested and approved)."""
    asked = ASKED if role == "requester" else {"team_id": "T0SHOP", "user_id": "U0DANA"}
    plan = a_plan(needs=[EVERYBODY], **{"requester": asked, role: ASKED})
    crowd = with_alias(people())
    for who in (LEE, LEE_AT_NIGHT):
        verdict = judge(an_approval(plan), plan, [], a_vote(who, plan), crowd, NOW)
        assert "somebody else must approve it" in verdict.sentence
        counted = [a_vote(who, plan, state="counted")]
        assert may_start(an_approval(plan, state="approved"), plan, counted, crowd, NOW).outcome == "refused"
    assert judge(an_approval(plan), plan, [], a_vote(PRIYA, plan), crowd, NOW).outcome == "approved"


def test_a_person_is_an_id_of_a_workspace_and_no_name() -> None:
    """A3: the same user id in another workspace, and another person who calls themselves Lee, are somebody else (clicks
    of another team were matched by name or by nothing: hermes-agent 100112)."""
    plan = a_plan()
    stranger = Person("T0OTHER", LEE.user_id)
    crowd = people(DANA={"name": "Lee"})
    named = replace(crowd, standings={**crowd.standings, stranger: Standing(stranger, "Lee", known=True)})
    for who in (stranger, DANA):
        assert judge(an_approval(plan), plan, [], a_vote(who, plan), named, NOW).outcome == "refused"


FAULTS = ("is_bot", "is_guest", "is_deactivated", "is_foreign")


@pytest.mark.parametrize("fault", FAULTS)
def test_standing_counts_at_the_vote_and_again_at_the_start(fault: str) -> None:
    """A4 and A8: bots, guests, strangers and people who left decide nothing, ask for nothing, and what they approved
    while they might counts no more."""
    plan = a_plan()
    crowd = people(LEE={fault: True})
    decisions: tuple[Decision, ...] = ("approve", "deny", "revoke", "cancel")
    for decision in decisions:
        verdict = judge(an_approval(plan), plan, [], a_vote(LEE, plan, decision), crowd, NOW)
        assert verdict.outcome == "refused", decision
    counted = [a_vote(LEE, plan, state="counted")]
    assert may_start(an_approval(plan, state="approved"), plan, counted, crowd, NOW).outcome == "refused"
    assert may_ask(crowd.standings[LEE]) != ""


def test_who_cannot_be_read_does_not_approve_and_may_start_nothing() -> None:
    """A4: a failure to read is a refusal of the vote; at the start it is asked again, and never taken for a yes."""
    plan = a_plan()
    unread = people(LEE={"known": False})
    assert judge(an_approval(plan), plan, [], a_vote(LEE, plan), unread, NOW).outcome == "refused"
    counted = [a_vote(LEE, plan, state="counted")]
    assert may_start(an_approval(plan, state="approved"), plan, counted, unread, NOW).outcome == "waiting"
    assert may_ask(unread.standings[LEE]) != ""


@pytest.mark.parametrize("shared", [True, None], ids=["shared", "unreadable"])
def test_nothing_is_approved_or_started_where_others_are_in_the_channel(shared: bool | None) -> None:
    """A4: a channel with people of another organisation, or one of which that cannot be read, lets nobody approve or
    break the glass, and what was approved before does not start there; what stops a request still counts."""
    plan = a_plan(break_glass=[member(LEE)])
    crowd = people(shared=shared, groups={BREAK_GLASS: frozenset({LEE})})
    for decision, outcome in (("approve", "refused"), ("break", "refused"), ("deny", "denied")):
        vote = a_vote(LEE, plan, decision, reason="because")  # type: ignore[arg-type]  # each is one of its words
        verdict = judge(an_approval(plan), plan, [], vote, crowd, NOW)
        assert verdict.outcome == outcome
        assert outcome == "denied" or "shared with another workspace" in verdict.sentence
    for given_before in ("approve", "break"):
        counted = [a_vote(LEE, plan, given_before, state="counted")]  # type: ignore[arg-type]  # as above
        start = may_start(an_approval(plan, state="approved"), plan, counted, crowd, NOW)
        assert (start.outcome, "shared with another workspace" in start.sentence) == ("waiting", True)


@given(st.lists(st.sampled_from((LEE, LEE_AT_NIGHT)), min_size=1, max_size=6))
def test_one_human_is_one_vote_under_however_many_names_and_groups(clicks: list[Person]) -> None:
    """A5: one human fills one place, of two groups as of one, however often and as whom they click."""
    crowd = with_alias(people(groups={"platform": frozenset({LEE, PRIYA})}))
    two_groups = a_plan(needs=[EVERYBODY, EVERYBODY | {"group": "platform"}], quorum=2)
    two_places = a_plan(needs=[EVERYBODY | {"count": 2}], quorum=2)
    for plan in (two_groups, two_places):
        counted = [a_vote(who, plan, id=f"v{place}", state="counted") for place, who in enumerate(clicks)]
        assert may_start(an_approval(plan, state="approved"), plan, counted, crowd, NOW).outcome == "refused"
        both = [*counted, a_vote(PRIYA, plan, state="counted")]
        assert may_start(an_approval(plan, state="approved"), plan, both, crowd, NOW).outcome == "approved"


@pytest.mark.parametrize("decision", ["deny", "cancel"])
def test_a_denial_that_was_counted_wins_over_every_approval(decision: Any) -> None:
    """A7: a denial, and the requester's own cancelling, beat a full quorum until the first call is begun."""
    plan = a_plan(needs=[needs("approvers", LEE, PRIYA)], quorum=2)
    counted = [a_vote(LEE, plan, state="counted"), a_vote(PRIYA, plan, state="counted")]
    approved = an_approval(plan, state="approved")
    assert may_start(approved, plan, counted, people(), NOW).outcome == "approved"
    stopped = [*counted, a_vote(PRIYA, plan, decision, state="counted")]
    assert may_start(approved, plan, stopped, people(), NOW).outcome == "denied"


def test_who_asked_can_always_take_it_back() -> None:
    """A7: the requester cancels, pending or approved, also while Slack cannot be asked; nobody else does it."""
    plan = a_plan(requester=ASKED)
    for state in ("pending", "approved"):
        for crowd in (people(), people(LEE={"known": False})):
            approval = an_approval(plan, state=state)
            assert judge(approval, plan, [], a_vote(LEE, plan, "cancel"), crowd, NOW).outcome == "cancelled"
            assert judge(approval, plan, [], a_vote(PRIYA, plan, "cancel"), crowd, NOW).outcome == "refused"


@given(
    person=st.sampled_from((LEE, LEE_AT_NIGHT, PRIYA, DANA)),
    bound=st.sets(st.sampled_from((LEE, PRIYA, DANA))),
    listed=st.none() | st.frozensets(st.sampled_from((LEE, PRIYA, DANA))),
    reason=st.sampled_from(("the shop is down", "", " \n")),
    good=st.booleans(),
    same_plan=st.booleans(),
)
@example(person=DANA, bound={DANA}, listed=frozenset({DANA}), reason="why", good=True, same_plan=True)
@example(person=DANA, bound={DANA}, listed=frozenset({DANA}), reason="why", good=True, same_plan=False)
@example(person=DANA, bound={DANA}, listed=frozenset({DANA}), reason="why", good=False, same_plan=True)
@example(person=DANA, bound={DANA}, listed=frozenset({LEE}), reason="why", good=True, same_plan=True)
@example(person=DANA, bound={LEE}, listed=frozenset({DANA}), reason="why", good=True, same_plan=True)
def test_the_glass_is_broken_by_who_was_and_is_listed_for_this_plan_and_with_a_reason(
    person: Person, bound: set[Person], listed: Any, reason: str, good: bool, same_plan: bool
) -> None:
    """A9: without its quorum a plan is released by a listed person only, as bound as by an approval, at the vote and
    again at the start; nobody listed, or a list that cannot be read, is nobody."""
    plan = a_plan(quorum=2, break_glass=[member(each) for each in sorted(bound)])
    crowd = with_alias(people(groups={BREAK_GLASS: listed}))
    crowd = replace(crowd, groups=dict(crowd.groups) | ({} if listed is None else {BREAK_GLASS: listed}))
    if not good:
        fault = replace(crowd.standings[person], is_guest=True)
        crowd = replace(crowd, standings={**crowd.standings, person: fault})
    vote = a_vote(person, plan, "break", reason=reason, **({} if same_plan else {"digest": "0" * 64}))
    may = person in bound and listed is not None and person in listed and good and same_plan
    verdict = judge(an_approval(plan), plan, [], vote, crowd, NOW)
    assert (verdict.outcome == "approved") == (may and bool(reason.strip()))
    counted = [replace(vote, state="counted")]
    assert (may_start(an_approval(plan, state="approved"), plan, counted, crowd, NOW).outcome == "approved") == may


def test_who_broke_the_glass_or_asked_for_it_reviews_it_under_none_of_their_identities() -> None:
    """A9: the review of a break-glass is somebody else's, and an approver's."""
    for broke, asked in ((LEE, None), (LEE_AT_NIGHT, None), (DANA, ASKED)):
        plan = a_plan(needs=[EVERYBODY], quorum=2, requester=asked, break_glass=[member(broke)])
        approval, crowd = an_approval(plan, state="approved"), with_alias(people())
        broken = a_vote(broke, plan, "break", reason="the shop is down", state="counted")
        for who, may in ((LEE, False), (LEE_AT_NIGHT, False), (DANA, False), (PRIYA, True)):
            review = a_vote(who, plan, "reviewed", reason="right")
            assert (may_review(approval, plan, broken, None, review, crowd) == "") == may
            assert may_review(approval, plan, broken, None, replace(review, reason=" "), crowd) != ""


NEW = {"approvers": frozenset({PRIYA}), "renamed": frozenset({PRIYA})}


@pytest.mark.parametrize("now", NEW)
def test_somebody_can_always_answer_and_review_whoever_has_left(now: str) -> None:
    """L4 and A9: once nobody whom a request names is in its groups, because the list has others on it now or another
    name, whoever is in a configured group answers for its run and reviews its break-glass; as long as somebody is,
    they alone do, and a group that cannot be read is not taken for an empty one."""
    plan = a_plan(needs=[needs("approvers", LEE)], break_glass=[member(DANA)])
    approval = an_approval(plan, state="approved")
    broken = a_vote(DANA, plan, "break", reason="the shop is down", state="counted")

    def answers(who: Person, crowd: Electorate) -> bool:
        words: tuple[Decision, ...] = ("applied", "absent", "again")
        answered = {may_answer(approval, plan, a_vote(who, plan, word), crowd) == "" for word in words}
        (same,) = answered
        return same

    def reviews(who: Person, crowd: Electorate) -> bool:
        return may_review(approval, plan, broken, None, a_vote(who, plan, "reviewed", reason="right"), crowd) == ""

    other = {} if now == "approvers" else {now: NEW[now]}
    crowd = people(listed=NEW[now] if now == "approvers" else frozenset(), groups=other)
    assert (answers(PRIYA, crowd), reviews(PRIYA, crowd)) == (True, True)
    assert (answers(LEE, crowd), reviews(LEE, crowd)) == (False, False)
    assert not answers(PRIYA, replace(crowd, standings={**crowd.standings, PRIYA: Standing(PRIYA, "", known=False)}))
    unread = people(listed=None, groups={"others": frozenset({PRIYA})})
    assert (answers(PRIYA, unread), reviews(PRIYA, unread)) == (False, False)
    still = people(listed=frozenset({LEE}), groups={"others": frozenset({PRIYA})})
    assert (answers(PRIYA, still), reviews(PRIYA, still)) == (False, False)
    assert (answers(LEE, still), reviews(LEE, still)) == (True, True)


@pytest.mark.parametrize(
    "changed",
    [
        {"groups": {LISTED: Group(frozenset({PRIYA}))}},
        {"demands": {"low": Demand({LISTED: 2})}},
        {"aliases": {PRIYA: LEE}},
    ],
)
def test_who_must_approve_has_changed_and_the_request_is_void(changed: Any) -> None:
    """A6: a request is for the people and the number that were bound in it; under others it is asked for anew. Who
    came to a group since does not count for it."""
    policy = Policy({LISTED: Group(frozenset({LEE, PRIYA}))})
    record = dict(a_plan(runbook={"id": RUNBOOK.id, "digest": RUNBOOK.digest}).record)
    plan = Plan.of({**record, "policy_digest": concerning(record, RUNBOOK, policy)})
    assert outdated(plan, {RUNBOOK.id: RUNBOOK}, policy) == ""
    assert "policy" in outdated(plan, {RUNBOOK.id: RUNBOOK}, replace(policy, **changed))
    joined = people(listed=frozenset({LEE, PRIYA, DANA}))
    assert judge(an_approval(plan), plan, [], a_vote(DANA, plan), joined, NOW).outcome == "refused"
    assert judge(an_approval(plan), plan, [], a_vote(LEE, plan), joined, NOW).outcome == "approved"

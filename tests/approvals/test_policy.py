"""Who may approve what: the rules as examples, then as properties of every sequence of votes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bot.approvals.lifecycle import Moved, step
from bot.approvals.policy import approvers, judge, may_answer, may_review, may_start, released, too_few
from bot.domain.approval import Approval, Decision, Electorate, Person, Standing, Vote
from bot.domain.canonical import digest
from bot.domain.plan import Plan
from bot.domain.policy import BREAK_GLASS

SECOND = 1_000_000
NOW = 1_795_000_000 * SECOND
EXPIRY = NOW + 3600 * SECOND

LEE = Person("T0SHOP", "U0LEE")
PRIYA = Person("T0SHOP", "U0PRIYA")
DANA = Person("T0SHOP", "U0DANA")
NAMES = {LEE: "Lee", PRIYA: "Priya", DANA: "Dana"}


def needs(group: str, *members: Person, count: int = 1) -> dict[str, Any]:
    return {"group": group, "count": count, "members": [member(person) for person in members]}


def member(person: Person) -> dict[str, str]:
    return {"team_id": person.team_id, "user_id": person.user_id, "name": NAMES[person]}


def a_plan(**changes: Any) -> Plan:
    record: dict[str, Any] = {
        "schema": 1,
        "needs": [needs("approvers", LEE, PRIYA)],
        "quorum": 1,
        "requester": None,
        "expires_at": EXPIRY,
        "parameters": {"namespace": "shop", "deployment": "checkout"},
        "calls": [],
        "targets": [],
    }
    return Plan.of({**record, **changes})


def an_approval(plan: Plan, **changes: Any) -> Approval:
    requester = plan.record.get("requester")
    return replace(
        Approval(
            id="a1",
            number=77,
            matter_id="i1",
            digest=plan.digest,
            runbook="rollback-deployment",
            cluster="prod",
            state="pending",
            requester=Person(**requester) if isinstance(requester, Mapping) and "user_id" in requester else None,
            created_at=NOW,
            expires_at=EXPIRY,
        ),
        **changes,
    )


def a_vote(person: Person, plan: Plan, decision: Decision = "approve", **changes: Any) -> Vote:
    vote = Vote(
        id=f"v-{person.user_id}-{decision}",
        approval_id="a1",
        person=person,
        decision=decision,
        digest=plan.digest,
        reason="",
        received_at=NOW,
    )
    return replace(vote, **changes)


def people(
    *,
    listed: frozenset[Person] | None = frozenset({LEE, PRIYA}),
    groups: Any = None,
    shared: bool | None = False,
    **faults: Any,
) -> Electorate:
    """Lee, Priya and Dana in good standing; ``LEE={"is_bot": True}`` changes one of them. ``listed`` are the approvers
    now, None if that cannot be read; ``groups`` are other groups; ``shared`` is whether others are in the channel."""
    standings = {
        person: replace(Standing(person, name, known=True), **faults.get(name.upper(), {}))
        for person, name in NAMES.items()
    }
    read = {"approvers": listed, **(groups or {})}
    return Electorate(
        groups={name: who for name, who in read.items() if who is not None},
        standings=standings,
        read_at=NOW,
        unread=frozenset(name for name, who in read.items() if who is None),
        shared=shared,
    )


def test_one_listed_person_suffices_for_what_an_alert_proposed() -> None:
    plan = a_plan()
    verdict = judge(an_approval(plan), plan, [], a_vote(LEE, plan), people(), NOW)
    assert (verdict.outcome, verdict.sentence) == ("approved", "A-77 is approved by Lee.")


def test_somebody_who_is_not_listed_is_told_who_is() -> None:
    plan = a_plan()
    verdict = judge(an_approval(plan), plan, [], a_vote(DANA, plan), people(), NOW)
    assert verdict.outcome == "refused"
    assert verdict.sentence == "Dana is not on the list of approvers for this action: Lee or Priya may approve."


@pytest.mark.parametrize(
    ("changes", "listed"),
    [
        ({"needs": []}, frozenset({LEE, PRIYA})),
        ({"needs": None}, frozenset({LEE, PRIYA})),
        ({"needs": "everybody"}, frozenset({LEE, PRIYA})),
        ({"needs": [{"group": "approvers", "count": 1, "members": "everybody"}]}, frozenset({LEE, PRIYA})),
        ({"needs": [{"group": "", "count": 1, "members": [member(LEE)]}]}, frozenset({LEE, PRIYA})),
        ({"needs": [{"group": "approvers", "count": 0, "members": [member(LEE)]}]}, frozenset({LEE, PRIYA})),
        # Two of one name: it cannot be told which one is meant.
        ({"needs": [needs("approvers", LEE), needs("approvers", PRIYA)]}, frozenset({LEE, PRIYA})),
        # One entry without an id: the list cannot be trusted, so it names nobody.
        ({"needs": [needs("approvers", LEE) | {"members": [member(LEE), {"name": "Lee"}]}]}, frozenset({LEE})),
        ({"needs": [needs("approvers") | {"members": [{"team_id": "", "user_id": "U0LEE"}]}]}, frozenset({LEE})),
        ({}, frozenset()),
    ],
)
def test_an_empty_or_unreadable_list_means_nobody(changes: dict[str, Any], listed: frozenset[Person]) -> None:
    plan = a_plan(**changes)
    verdict = judge(an_approval(plan), plan, [], a_vote(LEE, plan), people(listed=listed), NOW)
    assert verdict.outcome == "refused"
    assert "nobody is listed" in verdict.sentence


def test_the_same_user_id_in_another_workspace_is_somebody_else() -> None:
    plan = a_plan()
    stranger = Person("T0OTHER", "U0LEE")
    crowd = people()
    crowd = replace(crowd, standings={**crowd.standings, stranger: Standing(stranger, "Lee", known=True)})
    assert judge(an_approval(plan), plan, [], a_vote(stranger, plan), crowd, NOW).outcome == "refused"


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ({"is_bot": True}, "Lee is a bot; only people decide."),
        ({"is_guest": True}, "Lee is a guest in this workspace; only full members decide."),
        ({"is_deactivated": True}, "Lee is deactivated in Slack and may not decide."),
        ({"is_foreign": True}, "Lee belongs to another workspace and may not decide here."),
        ({"known": False}, "Slack could not be asked who you are, so this does not count"),
    ],
)
def test_bad_standing_refuses_and_says_so(fault: dict[str, bool], sentence: str) -> None:
    plan = a_plan()
    verdict = judge(an_approval(plan), plan, [], a_vote(LEE, plan), people(LEE=fault), NOW)
    assert verdict.outcome == "refused"
    assert verdict.sentence.startswith(sentence)


def test_somebody_of_whom_slack_said_nothing_cannot_approve() -> None:
    plan = a_plan()
    crowd = replace(people(), standings={})
    assert judge(an_approval(plan), plan, [], a_vote(LEE, plan), crowd, NOW).outcome == "refused"


def test_who_was_listed_after_the_request_or_removed_since_cannot_approve() -> None:
    plan = a_plan()
    added = people(listed=frozenset({LEE, PRIYA, DANA}))
    removed = people(listed=frozenset({PRIYA}))
    assert judge(an_approval(plan), plan, [], a_vote(DANA, plan), added, NOW).outcome == "refused"
    verdict = judge(an_approval(plan), plan, [], a_vote(LEE, plan), removed, NOW)
    assert verdict.sentence == "Lee is not on the list of approvers for this action: Priya may approve."


def test_who_asked_needs_somebody_else_but_may_withdraw() -> None:
    plan = a_plan(requester={"team_id": "T0SHOP", "user_id": "U0LEE"})
    own = judge(an_approval(plan), plan, [], a_vote(LEE, plan), people(), NOW)
    assert (own.outcome, own.sentence) == ("refused", "Lee asked for this, so somebody else must approve it.")
    assert judge(an_approval(plan), plan, [], a_vote(PRIYA, plan), people(), NOW).outcome == "approved"
    assert judge(an_approval(plan), plan, [], a_vote(LEE, plan, "deny"), people(), NOW).outcome == "denied"


@pytest.mark.parametrize("requester", [{"team_id": "T0SHOP"}, "U0LEE", {}, {"team_id": 1, "user_id": 2}])
def test_a_requester_that_cannot_be_read_stops_everybody(requester: Any) -> None:
    plan = a_plan(requester=requester)
    verdict = judge(an_approval(plan), plan, [], a_vote(PRIYA, plan), people(), NOW)
    assert verdict.outcome == "refused"
    assert "who asked for it" in verdict.sentence


def test_a_row_that_names_another_requester_than_the_plan_stops_everybody() -> None:
    plan = a_plan()
    assert judge(an_approval(plan, requester=LEE), plan, [], a_vote(PRIYA, plan), people(), NOW).outcome == "refused"


def test_two_approvals_are_waited_for_and_one_person_is_one_of_them() -> None:
    plan = a_plan(quorum=2)
    approval = an_approval(plan)
    first = a_vote(LEE, plan)
    waiting = judge(approval, plan, [], first, people(), NOW)
    assert waiting.outcome == "waiting"
    assert waiting.sentence == "1 of 2 approvals so far (Lee); still to come from Priya."
    counted = replace(first, state="counted")
    again = judge(approval, plan, [counted], replace(first, id="v9"), people(), NOW)
    assert (again.outcome, again.sentence) == ("refused", "Lee has approved this already; one person has one vote.")
    second = judge(approval, plan, [counted], a_vote(PRIYA, plan), people(), NOW)
    assert (second.outcome, second.sentence) == ("approved", "A-77 is approved by Lee and Priya.")


def test_a_quorum_that_cannot_be_reached_is_said() -> None:
    plan = a_plan(quorum=3)
    verdict = judge(an_approval(plan), plan, [], a_vote(LEE, plan), people(), NOW)
    assert verdict.outcome == "waiting"
    assert "too few approvers are left" in verdict.sentence


class TestGroups:
    """Several groups, each with its own count; one human is one vote in all."""

    plan = a_plan(needs=[needs("oncall", LEE, PRIYA), needs("platform", PRIYA, DANA)], quorum=2)
    approval = an_approval(plan)
    crowd = people(groups={"oncall": {LEE, PRIYA}, "platform": {PRIYA, DANA}})

    def votes(self, *who: Person) -> list[Vote]:
        return [a_vote(person, self.plan, state="counted") for person in who]

    def test_what_is_missing_is_said_group_by_group(self) -> None:
        verdict = judge(self.approval, self.plan, [], a_vote(LEE, self.plan), self.crowd, NOW)
        assert verdict.outcome == "waiting"
        assert verdict.sentence == ("1 of 2 approvals so far (Lee); still needed: 1 of platform (Dana or Priya).")

    def test_who_is_in_both_sits_where_they_are_needed(self) -> None:
        for first, second in ((LEE, PRIYA), (PRIYA, LEE), (PRIYA, DANA), (DANA, PRIYA), (LEE, DANA)):
            verdict = judge(self.approval, self.plan, self.votes(first), a_vote(second, self.plan), self.crowd, NOW)
            assert verdict.outcome == "approved", (first, second)

    def test_one_person_in_both_groups_is_one_vote(self) -> None:
        alone = people(groups={"oncall": {PRIYA}, "platform": {PRIYA}})
        verdict = judge(self.approval, self.plan, [], a_vote(PRIYA, self.plan), alone, NOW)
        assert verdict.outcome == "waiting"
        assert "too few approvers are left" in verdict.sentence
        approved = replace(self.approval, state="approved")
        assert may_start(approved, self.plan, self.votes(PRIYA), self.crowd, NOW).outcome == "refused"

    def test_two_of_one_group_are_not_one_of_each(self) -> None:
        plan = a_plan(needs=[needs("oncall", LEE, PRIYA), needs("platform", DANA)], quorum=2)
        first = [a_vote(LEE, plan, state="counted")]
        assert judge(an_approval(plan), plan, first, a_vote(PRIYA, plan), self.crowd, NOW).outcome == "waiting"

    def test_a_quorum_above_the_counts_takes_one_more_of_either(self) -> None:
        plan = a_plan(needs=[needs("oncall", LEE, PRIYA)], quorum=2)
        verdict = judge(an_approval(plan), plan, [], a_vote(LEE, plan), self.crowd, NOW)
        assert verdict.sentence == "1 of 2 approvals so far (Lee); still to come from Priya."

    def test_a_quorum_below_the_counts_is_no_way_around_them(self) -> None:
        plan = a_plan(needs=[needs("oncall", LEE, PRIYA, count=2)], quorum=1)
        assert judge(an_approval(plan), plan, [], a_vote(LEE, plan), self.crowd, NOW).outcome == "waiting"

    def test_who_joined_later_counts_for_the_next_request(self) -> None:
        plan = a_plan(needs=[needs("oncall", LEE)])
        verdict = judge(an_approval(plan), plan, [], a_vote(PRIYA, plan), self.crowd, NOW)
        assert verdict.outcome == "refused"
        assert verdict.sentence.startswith("Priya came to oncall after A-77 was asked for")

    def test_a_group_that_cannot_be_read_has_nobody_in_it_and_its_people_may_still_deny(self) -> None:
        plan = a_plan(needs=[needs("oncall", LEE)])
        unread = people(groups={"oncall": None})
        verdict = judge(an_approval(plan), plan, [], a_vote(LEE, plan), unread, NOW)
        assert verdict.outcome == "refused"
        assert verdict.sentence == (
            "Slack could not be asked who is in oncall, so this does not count; try again in a moment."
        )
        assert judge(an_approval(plan), plan, [], a_vote(LEE, plan, "deny"), unread, NOW).outcome == "denied"
        assert judge(an_approval(plan), plan, [], a_vote(DANA, plan, "deny"), unread, NOW).outcome == "refused"

    def test_a_start_waits_for_a_group_that_cannot_be_read_and_not_for_an_empty_one(self) -> None:
        approved, votes = replace(self.approval, state="approved"), self.votes(LEE, DANA)
        unread = people(groups={"oncall": {LEE}, "platform": None})
        assert may_start(approved, self.plan, votes, unread, NOW).outcome == "waiting"
        empty = people(groups={"oncall": {LEE}, "platform": frozenset()})
        assert may_start(approved, self.plan, votes, empty, NOW).outcome == "refused"
        gone = people(groups={"oncall": {LEE}})
        assert may_start(approved, self.plan, votes, gone, NOW).outcome == "refused"


class TestAliases:
    """Two identities of one human."""

    same = Person("T0OTHER", "U0LEE2")
    plan = a_plan(
        needs=[
            {
                "group": "oncall",
                "count": 2,
                "members": [member(LEE), member(PRIYA), {"team_id": "T0OTHER", "user_id": "U0LEE2", "name": "Lee"}],
            }
        ],
        quorum=2,
    )

    def crowd(self) -> Electorate:
        crowd = people(groups={"oncall": {LEE, PRIYA, self.same}})
        standings = {**crowd.standings, self.same: Standing(self.same, "Lee", known=True)}
        return replace(crowd, standings=standings, aliases={LEE: LEE, self.same: LEE})

    def test_decide_by_the_other_one_once_the_first_may_no_more(self) -> None:
        counted = [a_vote(LEE, self.plan, state="counted")]
        left = replace(self.crowd(), groups={"oncall": frozenset({PRIYA, self.same})})
        verdict = judge(an_approval(self.plan), self.plan, counted, a_vote(self.same, self.plan), left, NOW)
        assert verdict.outcome == "waiting", verdict.sentence

    def test_are_one_vote(self) -> None:
        counted = [a_vote(LEE, self.plan, state="counted")]
        verdict = judge(an_approval(self.plan), self.plan, counted, a_vote(self.same, self.plan), self.crowd(), NOW)
        assert (verdict.outcome, verdict.sentence) == (
            "refused",
            "Lee has approved this already; one person has one vote.",
        )
        both = [*counted, a_vote(self.same, self.plan, state="counted")]
        approved = an_approval(self.plan, state="approved")
        assert may_start(approved, self.plan, both, self.crowd(), NOW).outcome == "refused"

    @pytest.mark.parametrize(
        ("key", "said"),
        [("requester", "Lee asked for this"), ("on_behalf_of", "This was asked for on behalf of Lee")],
    )
    def test_cannot_approve_what_the_other_asked_for_or_what_was_asked_for_the_other(self, key: str, said: str) -> None:
        asked = {"team_id": "T0SHOP", "user_id": "U0LEE"}
        plan = a_plan(**{"needs": self.plan.record["needs"], key: asked})
        verdict = judge(an_approval(plan), plan, [], a_vote(self.same, plan), self.crowd(), NOW)
        assert (verdict.outcome, verdict.sentence) == ("refused", f"{said}, so somebody else must approve it.")


class TestTakingBack:
    """An approval may be taken back, and a request by who asked for it, until the run starts."""

    plan = a_plan(quorum=2)
    approval = an_approval(plan)

    def test_a_voter_takes_their_approval_back(self) -> None:
        counted = [a_vote(LEE, self.plan, state="counted")]
        verdict = judge(self.approval, self.plan, counted, a_vote(LEE, self.plan, "revoke"), people(), NOW)
        assert (verdict.outcome, verdict.sentence) == ("revoked", "Lee took their approval of A-77 back.")
        withdrawn = [replace(counted[0], state="revoked")]
        again = judge(self.approval, self.plan, withdrawn, a_vote(PRIYA, self.plan), people(), NOW)
        assert again.outcome == "waiting"
        approved = replace(self.approval, state="approved")
        both = [*withdrawn, a_vote(PRIYA, self.plan, state="counted")]
        assert may_start(approved, self.plan, both, people(), NOW).outcome == "refused"

    def test_even_when_they_are_no_longer_listed_or_cannot_be_read(self) -> None:
        counted = [a_vote(LEE, self.plan, state="counted")]
        vote = a_vote(LEE, self.plan, "revoke")
        for crowd in (people(listed=frozenset()), people(listed=None), people(LEE={"known": False})):
            assert judge(self.approval, self.plan, counted, vote, crowd, NOW).outcome == "revoked"

    def test_nobody_takes_back_what_they_did_not_give(self) -> None:
        counted = [a_vote(LEE, self.plan, state="counted")]
        verdict = judge(self.approval, self.plan, counted, a_vote(PRIYA, self.plan, "revoke"), people(), NOW)
        assert (verdict.outcome, verdict.sentence) == ("refused", "Priya has given no approval of A-77 to take back.")

    def test_not_after_the_start(self) -> None:
        approved = replace(self.approval, state="approved")
        counted = [a_vote(LEE, self.plan, state="counted"), a_vote(PRIYA, self.plan, state="counted")]
        vote = a_vote(LEE, self.plan, "revoke")
        assert judge(approved, self.plan, counted, vote, people(), NOW).outcome == "revoked"
        assert judge(approved, self.plan, counted, vote, people(), NOW, started=True).outcome == "refused"

    def test_only_who_asked_cancels(self) -> None:
        plan = a_plan(requester={"team_id": "T0SHOP", "user_id": "U0DANA"})
        verdict = judge(an_approval(plan), plan, [], a_vote(DANA, plan, "cancel"), people(), NOW)
        assert (verdict.outcome, verdict.sentence) == ("cancelled", "Dana asked for A-77 and took it back.")
        assert judge(an_approval(plan), plan, [], a_vote(LEE, plan, "cancel"), people(), NOW).outcome == "refused"

    def test_a_requester_who_may_approve_still_has_one_vote(self) -> None:
        asked = {"team_id": "T0SHOP", "user_id": "U0LEE"}
        plan = a_plan(requester=asked, requester_may_approve=True)
        assert judge(an_approval(plan), plan, [], a_vote(LEE, plan), people(), NOW).outcome == "approved"
        for junk in ("true", 1, None, "yes"):
            other = a_plan(requester=asked, requester_may_approve=junk)
            assert judge(an_approval(other), other, [], a_vote(LEE, other), people(), NOW).outcome == "refused"


class TestHold:
    """While nothing of its kind may run, approvals are refused with the reason, denials are taken, a start waits."""

    hold = "Nothing runs in prod until 08:00 UTC: change freeze."

    def test_a_vote_and_a_start(self) -> None:
        plan = a_plan()
        verdict = judge(an_approval(plan), plan, [], a_vote(LEE, plan), people(), NOW, hold=self.hold)
        assert (verdict.outcome, verdict.sentence) == ("refused", self.hold)
        no = judge(an_approval(plan), plan, [], a_vote(LEE, plan, "deny"), people(), NOW, hold=self.hold)
        assert no.outcome == "denied"
        approved, counted = an_approval(plan, state="approved"), [a_vote(LEE, plan, state="counted")]
        waits = may_start(approved, plan, counted, people(), NOW, hold=self.hold)
        assert (waits.outcome, waits.sentence) == ("waiting", self.hold)
        assert may_start(approved, plan, counted, people(), EXPIRY, hold=self.hold).outcome == "expired"
        lost = people(listed=frozenset())
        assert may_start(approved, plan, counted, lost, NOW, hold=self.hold).outcome == "refused"


class TestBreakGlass:
    """In an emergency a listed person releases the plan without its quorum, and somebody else reviews that."""

    plan = a_plan(quorum=2, break_glass=[member(DANA), member(LEE)])
    approval = an_approval(plan)
    crowd = people(groups={BREAK_GLASS: frozenset({DANA, LEE})})
    broken = a_vote(DANA, plan, "break", reason="the shop  is\ndown")

    def start(self, *votes: Vote, plan: Plan | None = None, crowd: Electorate | None = None, **more: Any) -> Any:
        plan = plan or self.plan
        counted = [replace(vote, state="counted") for vote in votes]
        return may_start(an_approval(plan, state="approved"), plan, counted, crowd or self.crowd, NOW, **more)

    def test_a_listed_person_releases_it_alone_without_being_an_approver(self) -> None:
        verdict = judge(self.approval, self.plan, [], self.broken, self.crowd, NOW)
        assert (verdict.outcome, verdict.sentence) == (
            "approved",
            "Dana broke the glass for A-77, with 0 of 2 approvals: the shop is down",
        )
        start = self.start(self.broken)
        assert (start.outcome, start.sentence) == ("approved", "A-77 is released by break-glass by Dana.")

    def test_it_is_no_approval_and_says_how_many_there_were(self) -> None:
        plain = judge(self.approval, self.plan, [], a_vote(DANA, self.plan), self.crowd, NOW)
        assert plain.outcome == "refused"
        given = [a_vote(PRIYA, self.plan, state="counted")]
        verdict = judge(self.approval, self.plan, given, self.broken, self.crowd, NOW)
        assert "with 1 of 2 approvals" in verdict.sentence
        # Of two that must approve one has, and one broke the glass: without the glass it is one.
        gone = people(groups={BREAK_GLASS: frozenset()})
        assert self.start(*given, self.broken, crowd=gone).outcome == "refused"

    def test_who_asked_may_and_it_is_said(self) -> None:
        asked = {"team_id": "T0SHOP", "user_id": "U0DANA"}
        plan = a_plan(quorum=2, break_glass=[member(DANA)], requester=asked)
        own = a_vote(DANA, plan, "break", reason="nobody answers")
        verdict = judge(an_approval(plan), plan, [], own, self.crowd, NOW)
        assert (
            verdict.sentence == "Dana broke the glass for their own request A-77, with 0 of 2 approvals: nobody answers"
        )
        assert self.start(own, plan=plan).outcome == "approved"

    @pytest.mark.parametrize(
        ("person", "bound", "listed", "said"),
        [
            (PRIYA, [DANA, LEE], {DANA, LEE}, "Priya may not break the glass for A-77: Dana or Lee may."),
            (PRIYA, [DANA], {DANA, PRIYA}, "Priya may not break the glass for A-77: Dana may."),
            (DANA, [DANA], {LEE}, "Dana may not break the glass any more."),
            (DANA, [], {DANA}, "Nobody may break the glass for A-77: its runbook forbids it, or nobody was listed"),
            (DANA, [DANA], None, "Slack could not be asked who may break the glass"),
        ],
    )
    def test_only_who_was_listed_when_it_was_asked_for_and_is_now(
        self, person: Person, bound: list[Person], listed: Any, said: str
    ) -> None:
        plan = a_plan(quorum=2, break_glass=[member(each) for each in bound])
        crowd = people(groups={BREAK_GLASS: listed})
        vote = a_vote(person, plan, "break", reason="the shop is down")
        verdict = judge(an_approval(plan), plan, [], vote, crowd, NOW)
        assert verdict.outcome == "refused"
        assert verdict.sentence.startswith(said)
        start = self.start(vote, plan=plan, crowd=crowd)
        assert start.outcome == ("waiting" if listed is None else "refused")
        assert not released(plan, [replace(vote, state="counted")], crowd)

    @pytest.mark.parametrize("junk", [None, "everybody", {}, [{"name": "Dana"}], [member(DANA), {}], 7])
    def test_a_list_that_cannot_be_read_is_nobody(self, junk: Any) -> None:
        plan = a_plan(break_glass=junk)
        vote = a_vote(DANA, plan, "break", reason="the shop is down")
        assert judge(an_approval(plan), plan, [], vote, self.crowd, NOW).outcome == "refused"
        assert self.start(vote, plan=plan).outcome == "refused"

    @pytest.mark.parametrize("changes", [{"quorum": 0}, {"quorum": None}, {"needs": None}, {"needs": []}])
    def test_a_quorum_that_cannot_be_read_is_not_passed_over(self, changes: dict[str, Any]) -> None:
        plan = a_plan(**{"break_glass": [member(DANA)]} | changes)
        vote = a_vote(DANA, plan, "break", reason="the shop is down")
        assert judge(an_approval(plan), plan, [], vote, self.crowd, NOW).outcome == "refused"
        assert self.start(vote, plan=plan).outcome == "refused"

    @pytest.mark.parametrize("fault", ["is_bot", "is_guest", "is_deactivated", "is_foreign"])
    def test_only_full_members_who_are_read_again_at_the_start(self, fault: str) -> None:
        crowd = people(groups={BREAK_GLASS: {DANA}}, DANA={fault: True})
        assert judge(self.approval, self.plan, [], self.broken, crowd, NOW).outcome == "refused"
        start = self.start(self.broken, crowd=crowd)
        assert start.outcome == "refused"
        assert start.sentence == "Dana broke the glass for A-77 and may not do so any more. Ask for approval anew."
        unknown = people(groups={BREAK_GLASS: {DANA}}, DANA={"known": False})
        assert judge(self.approval, self.plan, [], self.broken, unknown, NOW).outcome == "refused"
        assert self.start(self.broken, crowd=unknown).outcome == "waiting"

    @pytest.mark.parametrize("reason", ["", "  ", "\n\t"])
    def test_it_takes_a_reason(self, reason: str) -> None:
        verdict = judge(self.approval, self.plan, [], replace(self.broken, reason=reason), self.crowd, NOW)
        assert (verdict.outcome, "takes a reason" in verdict.sentence) == ("refused", True)

    def test_everything_else_is_judged_as_for_an_approval(self) -> None:
        other = a_plan(quorum=2, break_glass=[member(DANA)], parameters={})
        for approval, vote, now, hold in (
            (self.approval, replace(self.broken, digest=other.digest), NOW, ""),
            (self.approval, replace(self.broken, approval_id="a2"), NOW, ""),
            (self.approval, self.broken, EXPIRY, ""),
            (self.approval, self.broken, NOW, "Actions are off."),
            (an_approval(self.plan, state="denied"), self.broken, NOW, ""),
            (an_approval(self.plan, state="approved"), self.broken, NOW, ""),
        ):
            assert judge(approval, self.plan, [], vote, self.crowd, now, hold=hold).outcome == "refused"
        assert self.start(self.broken, hold="Actions are off.").outcome == "waiting"
        assert self.start(self.broken, a_vote(PRIYA, self.plan, "deny")).outcome == "denied"
        sound = replace(self.broken, state="counted")
        approved = an_approval(self.plan, state="approved")
        assert may_start(approved, self.plan, [sound], self.crowd, NOW).outcome == "approved"
        for spoiled in (
            replace(sound, state="received"),
            replace(sound, state="refused"),
            replace(sound, state="revoked"),
            replace(sound, digest=other.digest),
            replace(sound, approval_id="a2"),
        ):
            assert may_start(approved, self.plan, [spoiled], self.crowd, NOW).outcome == "refused"

    def test_it_is_taken_back_and_denied_until_the_run_starts(self) -> None:
        counted = [replace(self.broken, state="counted")]
        approved = an_approval(self.plan, state="approved")
        for vote, outcome in (
            (a_vote(DANA, self.plan, "revoke"), "revoked"),
            (a_vote(PRIYA, self.plan, "deny"), "denied"),
        ):
            assert judge(approved, self.plan, counted, vote, self.crowd, NOW).outcome == outcome
            assert judge(approved, self.plan, counted, vote, self.crowd, NOW, started=True).outcome == "refused"
        again = judge(approved, self.plan, counted, a_vote(PRIYA, self.plan), self.crowd, NOW)
        assert again.sentence == "A-77 was already approved by Dana."


class TestReview:
    """What was released by break-glass is reviewed by an approver who had no part in it."""

    plan = a_plan(quorum=2, break_glass=[member(DANA), member(LEE)])
    approval = an_approval(plan, state="approved")
    broken = a_vote(LEE, plan, "break", reason="the shop is down", state="counted")

    def refusal(self, who: Person, crowd: Electorate | None = None, plan: Plan | None = None, **more: Any) -> str:
        plan = plan or self.plan
        vote = a_vote(who, plan, "reviewed", **{"reason": "right, nobody answered"} | more)
        broken = replace(self.broken, digest=plan.digest)
        return may_review(an_approval(plan, state="approved"), plan, broken, None, vote, crowd or people())

    def test_an_approver_closes_it_with_a_word(self) -> None:
        assert self.refusal(PRIYA) == ""
        assert self.refusal(PRIYA, reason=" ") == "Write a few words: what was found is kept in the audit."

    def test_nobody_reviews_what_they_did_under_whichever_identity(self) -> None:
        assert self.refusal(LEE) == "Lee broke the glass for A-77, so somebody else must review it."
        same = replace(people(), aliases={PRIYA: LEE})
        assert self.refusal(PRIYA, same) == "Priya broke the glass for A-77, so somebody else must review it."

    @pytest.mark.parametrize("key", ["requester", "on_behalf_of"])
    def test_nor_what_they_asked_for(self, key: str) -> None:
        asked = {"team_id": "T0SHOP", "user_id": "U0PRIYA"}
        plan = a_plan(**{"quorum": 2, "break_glass": [member(LEE)], key: asked, "requester": asked})
        assert self.refusal(PRIYA, plan=plan) == "Priya asked for A-77, so somebody else must review it."

    def test_only_approvers_do_and_who_became_one_since_too(self) -> None:
        assert self.refusal(DANA).startswith("Dana is no approver of A-77")
        assert self.refusal(DANA, people(listed=frozenset({DANA}))) == ""
        assert self.refusal(PRIYA, people(listed=frozenset({DANA}))).startswith("Priya is no approver of A-77")
        assert "could not be asked who is in approvers" in self.refusal(PRIYA, people(listed=None))
        for fault in ({"known": False}, {"is_bot": True}, {"is_guest": True}, {"is_deactivated": True}):
            assert self.refusal(PRIYA, people(PRIYA=fault)) != ""

    def test_what_was_not_broken_or_is_reviewed_or_another_plan_is_not_reviewed(self) -> None:
        vote = a_vote(PRIYA, self.plan, "reviewed", reason="right")
        none = may_review(self.approval, self.plan, None, None, vote, people())
        assert none == "Nobody broke the glass for A-77, so there is nothing to review."
        done = a_vote(DANA, self.plan, "reviewed", reason="right", state="counted")
        again = may_review(self.approval, self.plan, self.broken, done, vote, people())
        assert again == "A-77 was reviewed already by Dana."
        for wrong in ({"digest": "0" * 64}, {"approval_id": "a2"}, {"decision": "approve"}):
            assert may_review(self.approval, self.plan, self.broken, None, replace(vote, **wrong), people()) != ""

    def test_a_review_is_no_vote(self) -> None:
        vote = a_vote(PRIYA, self.plan, "reviewed", reason="right")
        assert judge(an_approval(self.plan), self.plan, [], vote, people(), NOW).outcome == "refused"
        counted = [replace(vote, state="counted"), a_vote(LEE, self.plan, state="counted")]
        assert may_start(self.approval, self.plan, counted, people(), NOW).outcome == "refused"


@pytest.mark.parametrize("quorum", [0, -1, None, "1", True, 1.5])
def test_a_quorum_that_is_no_number_of_people_approves_nothing(quorum: Any) -> None:
    plan = a_plan(quorum=quorum)
    assert judge(an_approval(plan), plan, [], a_vote(LEE, plan), people(), NOW).outcome == "refused"
    counted = [a_vote(LEE, plan, state="counted"), a_vote(PRIYA, plan, state="counted")]
    assert may_start(an_approval(plan, state="approved"), plan, counted, people(), NOW).outcome == "refused"


def test_an_earlier_approval_of_somebody_who_lost_the_right_no_longer_counts() -> None:
    plan = a_plan(quorum=2)
    counted = [a_vote(LEE, plan, state="counted")]
    for crowd in (
        people(listed=frozenset({PRIYA})),
        people(LEE={"is_deactivated": True}),
        people(LEE={"known": False}),
    ):
        assert judge(an_approval(plan), plan, counted, a_vote(PRIYA, plan), crowd, NOW).outcome == "waiting"


def test_expiry_is_strict_and_the_signed_one_counts() -> None:
    plan = a_plan()
    late = an_approval(plan, expires_at=EXPIRY + 10**12)
    assert judge(late, plan, [], a_vote(LEE, plan), people(), EXPIRY - 1).outcome == "approved"
    over = judge(late, plan, [], a_vote(LEE, plan), people(), EXPIRY)
    assert over.outcome == "refused"
    assert "expired at" in over.sentence
    assert judge(an_approval(plan, expires_at=NOW), plan, [], a_vote(LEE, plan), people(), NOW).outcome == "refused"


def test_what_the_person_saw_must_be_this_plan() -> None:
    plan, other = a_plan(), a_plan(parameters={"namespace": "shop", "deployment": "cart"})
    seen_other = a_vote(LEE, plan, digest=other.digest)
    assert judge(an_approval(plan), plan, [], seen_other, people(), NOW).outcome == "refused"
    assert judge(an_approval(other), plan, [], a_vote(LEE, plan), people(), NOW).outcome == "refused"
    tampered = replace(plan, canonical=other.canonical, record=other.record)
    assert judge(an_approval(plan), tampered, [], a_vote(LEE, plan), people(), NOW).outcome == "refused"


def test_a_vote_for_another_request_counts_for_nothing_here() -> None:
    plan = a_plan(quorum=2)
    elsewhere = a_vote(PRIYA, plan, approval_id="a2", state="counted")
    assert judge(an_approval(plan), plan, [elsewhere], a_vote(LEE, plan), people(), NOW).outcome == "waiting"
    assert judge(an_approval(plan), plan, [], replace(elsewhere, state="received"), people(), NOW).outcome == "refused"


def test_what_was_decided_says_by_whom_and_when() -> None:
    plan = a_plan()
    done = an_approval(plan, state="approved", decided_at=NOW)
    by_lee = [a_vote(LEE, plan, state="counted")]
    verdict = judge(done, plan, by_lee, a_vote(PRIYA, plan), people(), NOW + SECOND)
    assert verdict.outcome == "refused"
    assert verdict.sentence == "A-77 was already approved by Lee at 11:06 UTC on 2026-11-18."
    for state, word in (("expired", "expired"), ("void", "has changed"), ("superseded", "newer request")):
        for with_a_run in (False, True):
            over = an_approval(plan, state=state)
            verdict = judge(over, plan, [], a_vote(LEE, plan), people(), NOW, started=with_a_run)
            assert verdict.outcome == "refused"
            assert word in verdict.sentence, "a run that is void has not started"


def test_a_denial_wins_until_the_run_starts() -> None:
    plan = a_plan()
    approved = an_approval(plan, state="approved", decided_at=NOW)
    votes = [a_vote(LEE, plan, state="counted")]
    no = a_vote(PRIYA, plan, "deny", reason="wrong  cluster\n")
    verdict = judge(approved, plan, votes, no, people(), NOW)
    assert (verdict.outcome, verdict.sentence) == ("denied", "Priya denied A-77: wrong cluster")
    too_late = judge(approved, plan, votes, no, people(), NOW, started=True)
    assert too_late.outcome == "refused"
    assert "its run has started" in too_late.sentence
    counted = [*votes, replace(no, state="counted")]
    assert may_start(approved, plan, counted, people(), NOW).outcome == "denied"


def test_only_approvers_deny_and_an_unreadable_standing_does_not_stop_them() -> None:
    plan = a_plan()
    assert judge(an_approval(plan), plan, [], a_vote(DANA, plan, "deny"), people(), NOW).outcome == "refused"
    unread = people(LEE={"known": False})
    assert judge(an_approval(plan), plan, [], a_vote(LEE, plan, "deny"), unread, NOW).outcome == "denied"
    bot = people(LEE={"is_bot": True})
    assert judge(an_approval(plan), plan, [], a_vote(LEE, plan, "deny"), bot, NOW).outcome == "refused"


def test_who_approved_may_change_their_mind() -> None:
    plan = a_plan(quorum=2)
    counted = [a_vote(LEE, plan, state="counted")]
    assert judge(an_approval(plan), plan, counted, a_vote(LEE, plan, "deny"), people(), NOW).outcome == "denied"


def test_an_answer_about_an_unknown_run_is_no_vote_and_only_approvers_give_one() -> None:
    plan = a_plan()
    approval = an_approval(plan, state="approved")
    assert may_answer(approval, plan, a_vote(LEE, plan, "applied"), people()) == ""
    assert may_answer(approval, plan, a_vote(DANA, plan, "absent"), people()) != ""
    assert may_answer(approval, plan, a_vote(LEE, plan, "absent"), people(LEE={"known": False})) != ""
    assert may_answer(approval, plan, a_vote(LEE, plan, "approve"), people()) != ""
    assert judge(an_approval(plan), plan, [], a_vote(LEE, plan, "applied"), people(), NOW).outcome == "refused"


def test_a_request_that_too_few_could_approve_says_so() -> None:
    asked = {"team_id": "T0SHOP", "user_id": "U0LEE"}
    assert too_few(a_plan(), {}) == too_few(a_plan(quorum=2), {}) == too_few(a_plan(requester=asked), {}) == ""
    said = "Too few approvers: 2 must approve this and only Priya may. Have more people listed and ask anew."
    assert too_few(a_plan(quorum=2, requester=asked), {}) == said
    assert "only Lee may" in too_few(a_plan(quorum=2, needs=[needs("approvers", LEE)]), {})
    assert too_few(a_plan(quorum=2), {PRIYA: LEE}) != "", "they are one human"
    assert "nobody may" in too_few(a_plan(needs=[needs("approvers")]), {})
    two = [needs("approvers", LEE), needs("platform", LEE, PRIYA)]
    assert too_few(a_plan(needs=two, quorum=2), {}) == ""
    assert too_few(a_plan(needs=[*two, needs("third", PRIYA)], quorum=3), {}) != ""


class TestStart:
    """At the start of the run everything is judged again."""

    plan = a_plan(quorum=2)
    approved = an_approval(plan, state="approved", decided_at=NOW)
    votes = (a_vote(LEE, plan, state="counted"), a_vote(PRIYA, plan, state="counted"))

    def test_it_may(self) -> None:
        verdict = may_start(self.approved, self.plan, self.votes, people(), NOW)
        assert (verdict.outcome, verdict.sentence) == ("approved", "A-77 is approved by Lee and Priya.")

    @pytest.mark.parametrize("state", ["pending", "denied", "expired", "void", "superseded"])
    def test_not_in_another_state(self, state: Any) -> None:
        verdict = may_start(replace(self.approved, state=state), self.plan, self.votes, people(), NOW)
        assert verdict.outcome == "refused"

    def test_not_after_expiry(self) -> None:
        assert may_start(self.approved, self.plan, self.votes, people(), EXPIRY).outcome == "expired"

    @pytest.mark.parametrize(
        "crowd",
        [
            people(listed=frozenset({LEE})),
            people(listed=frozenset()),
            people(PRIYA={"is_deactivated": True}),
            people(PRIYA={"is_guest": True}),
        ],
    )
    def test_not_when_an_approver_lost_the_right(self, crowd: Electorate) -> None:
        verdict = may_start(self.approved, self.plan, self.votes, crowd, NOW)
        assert verdict.outcome == "refused"
        assert "may still approve" in verdict.sentence

    def test_it_waits_while_slack_cannot_be_asked(self) -> None:
        verdict = may_start(self.approved, self.plan, self.votes, people(PRIYA={"known": False}), NOW)
        assert verdict.outcome == "waiting"
        assert "Priya" in verdict.sentence

    def test_votes_that_were_refused_or_saw_another_plan_do_not_count(self) -> None:
        for spoiled in (
            replace(self.votes[1], state="refused"),
            replace(self.votes[1], state="received"),
            replace(self.votes[1], digest="0" * 64),
            replace(self.votes[1], approval_id="a2"),
            replace(self.votes[0], id="v-again"),
        ):
            verdict = may_start(self.approved, self.plan, [self.votes[0], spoiled], people(), NOW)
            assert verdict.outcome == "refused"

    def test_a_counted_vote_of_the_requester_is_worth_nothing(self) -> None:
        plan = a_plan(requester={"team_id": "T0SHOP", "user_id": "U0LEE"})
        votes = [a_vote(LEE, plan, state="counted")]
        assert may_start(an_approval(plan, state="approved"), plan, votes, people(), NOW).outcome == "refused"

    def test_another_plan_does_not_start(self) -> None:
        assert may_start(self.approved, a_plan(quorum=1), self.votes, people(), NOW).outcome == "refused"


@given(st.data())
@settings(max_examples=200)
def test_a_flip_of_any_byte_of_the_record_is_another_plan(data: st.DataObject) -> None:
    plan = a_plan()
    raw = bytearray(plan.canonical)
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    assert digest(bytes(raw)) != plan.digest
    with pytest.raises(ValueError, match="not the one that was signed off"):
        Plan.stored(bytes(raw), plan.digest)


_junk = st.recursive(
    st.booleans() | st.text(max_size=8) | st.integers(-(10**6), 0),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
)


@given(key=st.sampled_from(["needs", "quorum", "requester", "on_behalf_of", "expires_at"]), junk=_junk)
@settings(max_examples=150)
def test_one_unreadable_field_of_an_otherwise_good_record_releases_nothing(key: str, junk: Any) -> None:
    plan = a_plan(**{key: junk})
    counted = [a_vote(LEE, plan, state="counted")]
    assert judge(an_approval(plan), plan, [], a_vote(LEE, plan), people(), NOW).outcome == "refused"
    verdict = may_start(an_approval(plan, state="approved"), plan, counted, people(), NOW)
    assert verdict.outcome in ("refused", "expired")


class Votes(RuleBasedStateMachine):
    """Voters, clocks, lists and standings in any order, for two requests at once, against a small model.

    Whenever a run may start, a quorum of different people who were eligible when they clicked, and still are, has
    approved this very plan, or somebody who was and is listed for it broke the glass for this very plan; nobody's
    denial was counted, and it has not expired. ``SIGNOFF_TEST_VOTES`` is how many sequences are played.
    """

    def __init__(self) -> None:
        super().__init__()
        self.plans = {
            "a1": a_plan(quorum=2, needs=[needs("approvers", *NAMES)], break_glass=[member(DANA), member(LEE)]),
            "a2": a_plan(requester={"team_id": "T0SHOP", "user_id": "U0LEE"}),
        }
        self.approvals = {name: an_approval(plan, id=name) for name, plan in self.plans.items()}
        self.started = dict.fromkeys(self.plans, False)
        self.votes: list[Vote] = []
        self.now = NOW
        self.crowd = people(listed=frozenset(NAMES), groups={BREAK_GLASS: frozenset(NAMES)})

    @rule(seconds=st.sampled_from([1, 600, 2000]))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds * SECOND

    @rule(name=st.sampled_from(["approvers", BREAK_GLASS]), listed=st.frozensets(st.sampled_from(sorted(NAMES))))
    def the_list_changes(self, name: str, listed: frozenset[Person]) -> None:
        self.crowd = replace(self.crowd, groups={**self.crowd.groups, name: listed})

    @rule(
        person=st.sampled_from(sorted(NAMES)),
        fault=st.sampled_from([{}, {"known": False}, {"is_bot": True}, {"is_deactivated": True}]),
    )
    def a_standing_changes(self, person: Person, fault: dict[str, bool]) -> None:
        standing = replace(Standing(person, NAMES[person], known=True), **fault)
        self.crowd = replace(self.crowd, standings={**self.crowd.standings, person: standing})

    @rule(
        name=st.sampled_from(["a1", "a2"]),
        seen=st.sampled_from(["a1", "a1", "a2"]),
        person=st.sampled_from(sorted(NAMES)),
        decision=st.sampled_from(["approve", "approve", "approve", "deny", "break"]),
    )
    def somebody_clicks(self, name: str, seen: str, person: Person, decision: Decision) -> None:
        identity = f"v{len(self.votes)}"
        vote = a_vote(person, self.plans[seen], decision, id=identity, approval_id=name, reason="the shop is down")
        approval, plan = self.approvals[name], self.plans[name]
        verdict = judge(approval, plan, self.votes, vote, self.crowd, self.now, started=self.started[name])
        if verdict.outcome == "refused":
            self.votes.append(replace(vote, state="refused"))
            return
        self.votes.append(replace(vote, state="counted"))
        if verdict.outcome != "waiting":
            moved = step(approval.state, "deny" if decision == "deny" else "approve", started=self.started[name])
            assert isinstance(moved, Moved)
            self.approvals[name] = replace(approval, state=moved.state, decided_at=self.now)

    @rule(name=st.sampled_from(["a1", "a2"]))
    def the_run_starts(self, name: str) -> None:
        approval, plan = self.approvals[name], self.plans[name]
        moved = step(approval.state, "start", started=self.started[name])
        verdict = may_start(approval, plan, self.votes, self.crowd, self.now)
        if not isinstance(moved, Moved) or verdict.outcome != "approved":
            return
        assert not self.started[name]
        mine = [vote for vote in self.votes if vote.approval_id == name and vote.state == "counted"]
        assert not [vote for vote in mine if vote.decision == "deny"]
        fit = [
            vote
            for vote in mine
            if vote.digest == plan.digest
            and self.crowd.standings[vote.person] == Standing(vote.person, NAMES[vote.person], known=True)
        ]
        broke = {vote.person for vote in fit if vote.decision == "break"} & self.crowd.groups[BREAK_GLASS]
        assert broke <= {DANA, LEE}
        assert name == "a1" or not broke
        listed = self.crowd.groups["approvers"]
        supporters = {vote.person for vote in fit if vote.decision == "approve" and vote.person in listed}
        assert broke or len(supporters) >= plan.record["quorum"]
        assert supporters <= approvers(plan)
        assert name == "a1" or LEE not in supporters
        assert self.now < EXPIRY
        self.started[name] = True

    @invariant()
    def nobody_counts_twice(self) -> None:
        for name in self.plans:
            counted = [
                vote.person
                for vote in self.votes
                if vote.approval_id == name and vote.state == "counted" and vote.decision == "approve"
            ]
            assert len(counted) == len(set(counted))


TestVotes = Votes.TestCase
TestVotes.settings = settings(max_examples=int(os.environ.get("SIGNOFF_TEST_VOTES", "150")), stateful_step_count=14)

"""Who counts: by what a plan names and how people stand now, whatever the order of the votes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.approvals.eligible import Eligible, listed, unfit
from bot.approvals.terms import Terms
from bot.domain.approval import Decision, Electorate, Person, Standing, Vote, VoteState
from bot.domain.plan import Plan
from bot.domain.policy import BREAK_GLASS

PEOPLE = tuple(Person("T0SHOP", f"U0{name}") for name in ("LEE", "PRIYA", "DANA", "SAM"))
LEE, PRIYA, DANA, SAM = PEOPLE
OTHER_LEE = Person("T0OTHER", "U0LEE")


def member(person: Person) -> dict[str, str]:
    return {"team_id": person.team_id, "user_id": person.user_id, "name": person.user_id.removeprefix("U0").title()}


def terms(**changes: Any) -> Terms:
    record: dict[str, Any] = {
        "needs": [
            {"group": "oncall", "count": 1, "members": [member(LEE), member(PRIYA), member(OTHER_LEE)]},
            {"group": "platform", "count": 1, "members": [member(PRIYA), member(DANA)]},
        ],
        "quorum": 2,
        "requester": None,
        "break_glass": [member(LEE), member(SAM)],
        "expires_at": 1,
    }
    return Terms.of(Plan.of(record | changes))


def now(**groups: frozenset[Person] | None) -> Electorate:
    """Everybody in good standing; a group that is None cannot be read."""
    read: dict[str, frozenset[Person] | None] = {
        "oncall": frozenset({LEE, PRIYA, OTHER_LEE}),
        "platform": frozenset({PRIYA, DANA}),
        BREAK_GLASS: frozenset({LEE, SAM}),
    } | groups
    everybody = (*PEOPLE, OTHER_LEE)
    return Electorate(
        groups={name: people for name, people in read.items() if people is not None},
        standings={person: Standing(person, member(person)["name"], known=True) for person in everybody},
        read_at=0,
        unread=frozenset(name for name, people in read.items() if people is None),
        aliases={LEE: LEE, OTHER_LEE: LEE},
    )


def vote(person: Person, decision: Decision = "approve", state: VoteState = "counted", digest: str = "") -> Vote:
    return Vote("v", "a", person, decision, digest or terms().digest, "", 0, state)


def test_who_was_listed_and_still_is_counts_for_each_of_their_groups() -> None:
    who = Eligible(terms(), now())
    assert who.groups(PRIYA) == {"oncall", "platform"}
    assert who.groups(SAM) == frozenset()
    assert set(who.able()) == {LEE, PRIYA, DANA, OTHER_LEE}


def test_who_left_or_came_later_counts_no_more_and_not_yet() -> None:
    assert Eligible(terms(), now(oncall=frozenset({SAM, PRIYA}))).groups(LEE) == frozenset()
    assert Eligible(terms(), now(oncall=frozenset({SAM, PRIYA}))).groups(SAM) == frozenset()


def test_a_group_that_cannot_be_read_is_empty_unless_one_asks_who_may_count_later() -> None:
    who = Eligible(terms(), now(oncall=None))
    assert who.supporters([vote(LEE), vote(DANA)]) == {DANA: {"platform"}}
    assert set(who.supporters([vote(LEE), vote(DANA)], hopeful=True)) == {LEE, DANA}
    assert set(who.supporters([vote(SAM)], hopeful=True)) == set()


def test_two_identities_of_one_human_are_one_supporter() -> None:
    who = Eligible(terms(), now())
    assert list(who.supporters([vote(OTHER_LEE), vote(LEE)])) == [OTHER_LEE]
    assert who.same(LEE, OTHER_LEE)
    assert not who.reached(who.supporters([vote(OTHER_LEE), vote(LEE)]))


def test_who_asked_is_no_supporter_under_any_of_their_identities() -> None:
    asked = terms(requester={"team_id": "T0OTHER", "user_id": "U0LEE"})
    who = Eligible(asked, now())
    assert who.asked(LEE)
    assert who.supporters([vote(LEE, digest=asked.digest)]) == {}
    assert set(who.able()) == {PRIYA, DANA}


@pytest.mark.parametrize("changes", [{"state": "refused"}, {"state": "revoked"}, {"digest": "d" * 64}])
def test_only_counted_votes_for_this_very_plan_support_it(changes: dict[str, Any]) -> None:
    who = Eligible(terms(), now())
    assert who.supporters([replace(vote(LEE), **changes)]) == {}
    assert who.breakers([replace(vote(LEE, "break"), **changes)]) == set()


def test_the_glass_is_broken_by_who_was_and_is_listed_for_it() -> None:
    assert Eligible(terms(), now()).breakers([vote(SAM, "break"), vote(DANA, "break")]) == {SAM}
    gone: frozenset[Person] = frozenset()
    assert Eligible(terms(), now(**{BREAK_GLASS: gone})).breakers([vote(SAM, "break")]) == set()
    unread = Eligible(terms(), now(**{BREAK_GLASS: None}))
    assert unread.breakers([vote(SAM, "break")]) == set()
    assert unread.breakers([vote(SAM, "break")], hopeful=True) == {SAM}


def test_a_plan_that_does_not_say_how_many_is_never_reached_nor_released() -> None:
    vague = terms(quorum=0)
    who = Eligible(vague, now())
    assert not who.reached({LEE: frozenset({"oncall"}), DANA: frozenset({"platform"})})
    assert who.breakers([vote(SAM, "break", digest=vague.digest)]) == set()


def test_names_are_those_of_now_and_many_are_counted() -> None:
    crowd = now()
    married = replace(crowd.standings[LEE], name="Lee Park")
    who = Eligible(terms(), replace(crowd, standings={**crowd.standings, LEE: married}))
    assert who.names([PRIYA, LEE]) == "Lee Park and Priya"
    assert who.names([PRIYA, LEE], "or") == "Lee Park or Priya"
    many = [Person("T0SHOP", f"U0{n}") for n in range(10)]
    assert who.names(many) == "U00, U01, U02, U03, U04, U05, U06, U07 and 2 more"
    assert [listed(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]


def test_who_may_decide_nothing_is_told_why() -> None:
    fine = Standing(LEE, "Lee", known=True)
    assert unfit(fine) == ""
    assert unfit(replace(fine, is_bot=True)) == "Lee is a bot; only people decide."
    assert unfit(replace(fine, name="", is_guest=True)).startswith("U0LEE is a guest")


_groups = st.none() | st.frozensets(st.sampled_from([*PEOPLE, OTHER_LEE]))
_votes = st.lists(
    st.builds(
        vote,
        st.sampled_from([*PEOPLE, OTHER_LEE]),
        st.sampled_from(["approve", "approve", "deny", "break"]),
        st.sampled_from(["counted", "counted", "refused", "revoked"]),
    ),
    max_size=8,
)


@given(oncall=_groups, platform=_groups, glass=_groups, votes=_votes, mixed=st.randoms(use_true_random=False))
def test_whatever_is_read_and_voted_only_certain_people_count_and_the_order_does_not(
    oncall: frozenset[Person] | None,
    platform: frozenset[Person] | None,
    glass: frozenset[Person] | None,
    votes: list[Vote],
    mixed: Any,
) -> None:
    crowd = now(oncall=oncall, platform=platform, **{BREAK_GLASS: glass})
    who = Eligible(terms(), crowd)
    supporters = who.supporters(votes)
    for person, groups in supporters.items():
        assert groups
        assert all(person in who.terms.groups[group] and person in crowd.groups[group] for group in groups)
        assert any(each.person == person and each.decision == "approve" and each.state == "counted" for each in votes)
    humans = {crowd.human(person) for person in supporters}
    assert len(humans) == len(supporters)
    assert humans <= {crowd.human(person) for person in who.supporters(votes, hopeful=True)}
    assert who.breakers(votes) <= who.breakers(votes, hopeful=True) <= {LEE, SAM}
    others = list(votes)
    mixed.shuffle(others)
    assert {crowd.human(person) for person in who.supporters(others)} == humans

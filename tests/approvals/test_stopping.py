"""Who may turn all actions off, and the two it takes to turn them on again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.approvals.stopping import ASKED_FOR_US, rule
from bot.domain.approval import Electorate, Person, Standing
from bot.domain.stop import Asker, Stop

NOW = 1_795_000_000_000_000
LEE, PRIYA, DANA, LEE_ELSEWHERE = (Person("T0SHOP", f"U0{name}") for name in ("LEE", "PRIYA", "DANA", "LEE2"))
OFF = Stop(1, Asker(LEE, "Lee", NOW), "the registry is gone")
ASKED = replace(OFF, lift_asked=Asker(LEE, "Lee", NOW))


def people(**changes: Any) -> Electorate:
    standings = {person: Standing(person, person.user_id, known=True) for person in (LEE, PRIYA, DANA, LEE_ELSEWHERE)}
    groups = {"oncall": frozenset({LEE, LEE_ELSEWHERE}), "platform": frozenset({PRIYA})}
    return (
        Electorate(groups, standings, NOW, aliases={LEE: LEE, LEE_ELSEWHERE: LEE})
        if not changes
        else replace(people(), **changes)
    )


def standing(person: Person, **faults: bool) -> dict[Person, Standing]:
    return {**people().standings, person: replace(Standing(person, "x", known=True), **faults)}


def test_an_approver_of_any_group_turns_actions_off_at_once() -> None:
    assert rule(None, "off", LEE, people(), NOW).act == "stop"
    assert rule(None, "off", PRIYA, people(), NOW).act == "stop"
    assert rule(OFF, "off", PRIYA, people(), NOW).act == "nothing"


def test_also_when_slack_cannot_be_asked_about_them() -> None:
    assert rule(None, "off", LEE, people(standings={}), NOW).act == "stop"
    assert rule(OFF, "on", LEE, people(standings={}), NOW).act == "nothing"


@pytest.mark.parametrize("wish", ["off", "on"])
def test_nobody_else_turns_anything(wish: Any) -> None:
    assert rule(OFF, wish, DANA, people(), NOW).sentence.startswith("Only approvers turn actions off or on")
    unread = people(groups={"oncall": frozenset()}, unread=frozenset({"platform"}))
    assert "could not be asked" in rule(OFF, wish, PRIYA, unread, NOW).sentence
    for fault in ("is_bot", "is_guest", "is_deactivated", "is_foreign"):
        ruling = rule(OFF, wish, LEE, people(standings=standing(LEE, **{fault: True})), NOW)
        assert ruling.act == "nothing"


def test_off_after_somebody_began_to_turn_them_on_makes_them_begin_anew() -> None:
    assert rule(ASKED, "off", PRIYA, people(), NOW).act == "stop"
    late = replace(OFF, lift_asked=Asker(LEE, "Lee", NOW - ASKED_FOR_US - 1))
    assert rule(late, "off", PRIYA, people(), NOW).act == "nothing"


@pytest.mark.parametrize(
    "crowd",
    [
        people(groups={"oncall": frozenset(), "platform": frozenset({PRIYA})}),
        people(standings=standing(LEE, is_deactivated=True)),
        people(standings=standing(LEE, known=False)),
    ],
)
def test_who_turned_them_on_first_and_may_no_more_is_not_one_of_two(crowd: Electorate) -> None:
    ruling = rule(ASKED, "on", PRIYA, crowd, NOW)
    assert (ruling.act, ruling.sentence.startswith("Lee turned them on first")) == ("ask", True)


def test_it_takes_two_different_humans_to_turn_them_on_again() -> None:
    assert rule(None, "on", LEE, people(), NOW).sentence == "Actions are on already."
    assert rule(OFF, "on", LEE, people(), NOW).act == "ask"
    assert rule(ASKED, "on", LEE, people(), NOW).act == "nothing"
    assert rule(ASKED, "on", LEE_ELSEWHERE, people(), NOW).act == "nothing"
    assert rule(ASKED, "on", PRIYA, people(), NOW).act == "lift"


def test_the_first_word_stands_for_an_hour() -> None:
    assert rule(ASKED, "on", PRIYA, people(), NOW + ASKED_FOR_US).act == "lift"
    assert rule(ASKED, "on", PRIYA, people(), NOW + ASKED_FOR_US + 1).act == "ask"

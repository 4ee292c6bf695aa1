"""Stopping all actions, and letting them start again: who may, and what their word does.

Turning actions off is the safe direction: anybody who approves anything may, at once, also when Slack cannot be asked
about them. Turning them on again takes two different people of whom Slack says that they may, within an hour.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bot.domain.approval import Electorate, Person, Standing
from bot.domain.stop import Asker, Stop

ASKED_FOR_US = 3_600_000_000

Wish = Literal["off", "on"]


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a word does: ``stop``, ``ask`` (the first of two), ``lift`` or nothing; and the sentence for its person."""

    act: Literal["stop", "ask", "lift", "nothing"]
    sentence: str


def rule(stop: Stop | None, wish: Wish, person: Person, electorate: Electorate, now: int) -> Ruling:
    """Judge one word. ``electorate`` has every configured group, and how this person stands and who turned actions on
    as the first of two; ``now`` is in microseconds."""
    refusal = _unfit(wish, person, electorate)
    if refusal:
        return Ruling("nothing", refusal)
    if wish == "off":
        if stop is not None and _first(stop, now) is None:
            return Ruling("nothing", f"{stop.sentence} Nothing starts until two people turn them on again.")
        # Whoever began to turn them on begins anew: this word came after theirs.
        return Ruling("stop", "Actions are off. Nothing starts until two people turn them on again.")
    if stop is None:
        return Ruling("nothing", "Actions are on already.")
    first = _first(stop, now)
    if first is None:
        return Ruling("ask", "One more: somebody else has to turn actions on too, within the hour.")
    if electorate.human(first.person) == electorate.human(person):
        return Ruling("nothing", "You asked for it already: somebody else has to turn actions on too.")
    if _unfit("on", first.person, electorate):
        return Ruling(
            "ask",
            f"{first.name} turned them on first, and it cannot be seen that they still may: that counts no more. One "
            "more: somebody else has to turn actions on too, within the hour.",
        )
    return Ruling("lift", "Actions are on again.")


def _first(stop: Stop, now: int) -> Asker | None:
    """Return who turned them on as the first of two, if that counts still."""
    first = stop.lift_asked
    return first if first is not None and now - first.at <= ASKED_FOR_US else None


def _unfit(wish: Wish, person: Person, electorate: Electorate) -> str:
    standing = electorate.standings.get(person)
    known = standing is not None and standing.known and standing.person == person
    if standing is not None and known and (refusal := faults(standing)):
        return refusal
    if any(person in people for people in electorate.groups.values()):
        if wish == "on" and not known:
            return "Slack could not be asked who you are, so this does not count; try again in a moment."
        return ""
    if electorate.unread:
        return "Slack could not be asked whether you are an approver; try again in a moment."
    return "Only approvers turn actions off or on, and you are in no group of theirs."


def faults(standing: Standing) -> str:
    """Say why somebody of this standing turns nothing off or on; "" if nothing is known against them."""
    against = (standing.is_bot, standing.is_deactivated, standing.is_foreign, standing.is_guest)
    return "Only full members of this workspace turn actions off or on." if standing.known and any(against) else ""

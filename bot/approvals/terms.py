"""The terms of a request: what its plan's record says about signing it off, read once and strictly.

What cannot be read is never taken for less: an unreadable need means that nobody counts, an unreadable requester that
nothing can be decided, an unreadable expiry that it is over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from bot.domain.approval import Person
from bot.domain.canonical import digest
from bot.domain.plan import Plan


@dataclass(frozen=True, slots=True)
class Terms:
    """``groups`` has the people of each group as bound, ``counts`` how many of each must approve, ``quorum`` how many
    different people in all (0: it does not say). ``askers`` are the requester and whom they act for; None if that
    cannot be read. ``breakers`` are those who may break the glass, with what they were called. ``whole`` says whether
    the record's bytes are what its digest names."""

    digest: str
    whole: bool
    groups: Mapping[str, frozenset[Person]]
    counts: Mapping[str, int]
    names: Mapping[Person, str]
    quorum: int
    requester: Person | None
    askers: frozenset[Person] | None
    requester_may_approve: bool
    breakers: Mapping[Person, str]
    expires_at: int | None

    @classmethod
    def of(cls, plan: Plan) -> Self:
        """Read the terms of a plan. Nothing is raised."""
        record = plan.record
        needs = _needs(record.get("needs"))
        counts = {group: count for group, (count, _) in needs.items()}
        stated = _integer(record.get("quorum")) or 0
        asked = [record.get("requester"), record.get("on_behalf_of")]
        askers = [_person(each) for each in asked if each is not None]
        return cls(
            digest=plan.digest,
            whole=digest(plan.canonical) == plan.digest,
            groups={group: frozenset(members) for group, (_, members) in needs.items()},
            counts=counts,
            names={person: name for _, members in needs.values() for person, name in members.items()},
            quorum=max(stated, sum(counts.values())) if stated > 0 else 0,
            requester=_person(asked[0]),
            askers=None if None in askers else frozenset(each for each in askers if each is not None),
            requester_may_approve=record.get("requester_may_approve") is True,
            breakers=_members(record.get("break_glass")) or {},
            expires_at=_integer(record.get("expires_at")),
        )

    def name(self, person: Person) -> str:
        """Return what a person was called when the request was made."""
        return self.names.get(person) or self.breakers.get(person, person.user_id)


def on_behalf_of(record: Mapping[str, Any]) -> Person | None:
    """Return whom who asked for a plan acts for, if anybody."""
    return _person(record.get("on_behalf_of"))


def people_of(record: Mapping[str, Any]) -> frozenset[Person]:
    """Return everybody whom a plan's record names: who may approve, break the glass, or asked for it."""
    asked = (_person(record.get(key)) for key in ("requester", "on_behalf_of"))
    groups = (members for _, members in _needs(record.get("needs")).values())
    named = {person for members in (*groups, _members(record.get("break_glass")) or {}) for person in members}
    return frozenset(named | {person for person in asked if person is not None})


def _needs(listed: Any) -> dict[str, tuple[int, dict[Person, str]]]:
    needs: dict[str, tuple[int, dict[Person, str]]] = {}
    for each in listed if isinstance(listed, list) else []:
        read = _need(each)
        if read is None or read[0] in needs:
            return {}
        needs[read[0]] = read[1]
    return needs


def _need(data: Any) -> tuple[str, tuple[int, dict[Person, str]]] | None:
    if not isinstance(data, Mapping):
        return None
    group, count, members = data.get("group"), _integer(data.get("count")), _members(data.get("members"))
    if not (isinstance(group, str) and group and count is not None and count > 0 and members is not None):
        return None
    return group, (count, members)


def _members(listed: Any) -> dict[Person, str] | None:
    if not isinstance(listed, list):
        return None
    members: dict[Person, str] = {}
    for each in listed:
        person = _person(each)
        if person is None:
            return None
        name = each.get("name")
        members[person] = name if isinstance(name, str) and name else person.user_id
    return members


def _person(data: Any) -> Person | None:
    if not isinstance(data, Mapping):
        return None
    team, user = data.get("team_id"), data.get("user_id")
    if not (isinstance(team, str) and isinstance(user, str) and team and user):
        return None
    return Person(team, user)


def _integer(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None

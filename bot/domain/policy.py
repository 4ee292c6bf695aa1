"""The policy: what the configuration says about who must sign off what, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from itertools import combinations
from typing import Any, Literal, get_args

from bot.domain.approval import Person
from bot.domain.runbook import Risk

RISKS: tuple[Risk, ...] = get_args(Risk)

LISTED = "approvers"
"""The group of the people whom the plain list ``approvers`` names."""

BREAK_GLASS = "break-glass"
"""The group of the people who may release a request without its quorum. They approve nothing by being in it."""


@dataclass(frozen=True, slots=True, order=True)
class UserGroup:
    """A Slack user group: the workspace's (or enterprise's) id and the group's."""

    team_id: str
    group_id: str

    def __str__(self) -> str:
        return f"{self.team_id}:{self.group_id}"


@dataclass(frozen=True, slots=True)
class Group:
    """Who is in a group: the listed people and everybody in the Slack user groups."""

    users: frozenset[Person] = frozenset()
    user_groups: frozenset[UserGroup] = frozenset()

    def data(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return {"users": _sorted(self.users), "usergroups": _sorted(self.user_groups)}


@dataclass(frozen=True, slots=True)
class Demand:
    """What actions of one risk take at least: how many of each group, and for how long a request stands at most."""

    counts: Mapping[str, int]
    ttl_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """Times in which actions may not run (``deny``) or may only run (``allow``). Empty selectors match everything;
    namespaces and runbooks may be patterns with ``*``. ``cron`` has five fields, on the clock of ``time_zone``."""

    kind: Literal["deny", "allow"]
    cron: str
    duration_seconds: int
    time_zone: str = "UTC"
    clusters: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    runbooks: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything that decides who may sign off. A risk without a demand takes the listed approvers.

    ``break_glass`` are those who may release a request without its quorum; ``through_windows`` says whether that passes
    closed windows too.
    """

    groups: Mapping[str, Group] = field(default_factory=dict)
    demands: Mapping[Risk, Demand] = field(default_factory=dict)
    aliases: Mapping[Person, Person] = field(default_factory=dict)
    windows: tuple[Window, ...] = ()
    break_glass: Group = field(default_factory=Group)
    through_windows: bool = False

    def group(self, name: str) -> Group | None:
        """Return a group of approvers, or the one that may break the glass; None if there is no such group."""
        return self.break_glass if name == BREAK_GLASS else self.groups.get(name)

    def demand(self, risk: Risk) -> Demand:
        """Return what an action of this risk takes at least."""
        return self.demands.get(risk) or Demand({LISTED: 1})

    def gaps(self) -> list[str]:
        """Say for which risks nobody can approve anything, because a group has nobody in it or is none, or too few."""
        empty = {risk: [name for name in self.demand(risk).counts if not self._filled(name)] for risk in RISKS}
        if all(names == [LISTED] for names in empty.values()):
            return ["approvers: nobody is listed, so nothing can be approved"]
        return [
            f"approvals: nobody is in {', '.join(names)}, so nothing of {risk} risk can be approved"
            for risk, names in empty.items()
            if names
        ] + [
            f"approvals: {short}, so nothing of {risk} risk can be approved"
            for risk in RISKS
            if not empty[risk] and (short := self._short(self.demand(risk).counts))
        ]

    def _short(self, counts: Mapping[str, int]) -> str:
        """Say that groups list fewer people, each for one place, than must approve. Who is in a Slack user group is not
        known here, so one with such is never too small."""
        listed = [name for name in sorted(counts) if not self.groups[name].user_groups]
        for size in range(1, len(listed) + 1):
            for some in combinations(listed, size):
                people = {self.aliases.get(user, user) for name in some for user in self.groups[name].users}
                needed = sum(counts[name] for name in some)
                if len(people) < needed:
                    which = " and ".join(some)
                    return f"{needed} different people of {which} must approve, and {len(people)} can"
        return ""

    def _filled(self, name: str) -> bool:
        group = self.groups.get(name)
        return group is not None and bool(group.users or group.user_groups)

    def data(self) -> dict[str, Any]:
        """Return the whole policy as plain JSON: a change of its digest is announced."""
        return {
            "groups": {name: group.data() for name, group in self.groups.items()},
            "approvals": {
                risk: {"groups": dict(demand.counts), "ttl_seconds": demand.ttl_seconds}
                for risk, demand in self.demands.items()
            },
            "windows": [asdict(window) for window in self.windows],
            "break_glass": self.break_glass.data() | {"through_windows": self.through_windows},
            "aliases": {str(person): str(human) for person, human in self.aliases.items()},
        }


def _sorted(ids: frozenset[Person] | frozenset[UserGroup]) -> list[str]:
    return sorted(str(each) for each in ids)

"""The quorum: whether different people can be given all the places that the groups need, each person one place."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from bot.domain.approval import Person


@dataclass(frozen=True, slots=True)
class Seating:
    """The largest number of places that can be filled: who sits for which group, and the places still empty."""

    seats: Mapping[Person, str]
    empty: Mapping[str, int]

    @property
    def full(self) -> bool:
        """Whether every group has its people."""
        return not self.empty


def seat(counts: Mapping[str, int], people: Mapping[Person, Collection[str]]) -> Seating:
    """Give as many places as possible to ``people``, each with the groups they may sit for. ``counts`` are the places
    of each group.

    A person in two groups takes one place only; who takes which is arranged so that the most places are filled
    (augmenting paths in a bipartite graph). The result depends on the sets alone, not on their order.
    """
    seats: dict[Person, str] = {}
    taken: dict[str, list[Person]] = {group: [] for group in counts}

    def place(person: Person, tried: set[str]) -> bool:
        for group in sorted(group for group in people[person] if group in counts and group not in tried):
            tried.add(group)
            if len(taken[group]) < counts[group]:
                taken[group].append(person)
                seats[person] = group
                return True
            for sitting in list(taken[group]):
                if place(sitting, tried):
                    taken[group].remove(sitting)
                    taken[group].append(person)
                    seats[person] = group
                    return True
        return False

    for person in sorted(people):
        place(person, set())
    empty = {group: count - len(taken[group]) for group, count in sorted(counts.items()) if count > len(taken[group])}
    return Seating(dict(sorted(seats.items())), empty)

"""Different people on the places of several groups: examples, and every small case against Hall's theorem."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.approvals.quorum import seat
from bot.domain.approval import Person

LEE, PRIYA, DANA, SAM = (Person("T0SHOP", f"U0{name}") for name in ("LEE", "PRIYA", "DANA", "SAM"))


def test_each_group_has_its_own() -> None:
    seating = seat({"oncall": 1, "platform": 1}, {LEE: {"oncall"}, PRIYA: {"platform"}})
    assert seating.full
    assert seating.seats == {LEE: "oncall", PRIYA: "platform"}


def test_one_person_in_two_groups_takes_one_place() -> None:
    seating = seat({"oncall": 1, "platform": 1}, {PRIYA: {"oncall", "platform"}})
    assert not seating.full
    assert sum(seating.empty.values()) == 1


def test_who_could_sit_for_two_makes_room_for_who_can_sit_for_one() -> None:
    people = {DANA: {"oncall", "platform"}, LEE: {"oncall"}}
    assert seat({"oncall": 1, "platform": 1}, people).seats == {LEE: "oncall", DANA: "platform"}


def test_making_room_may_take_a_chain_of_people() -> None:
    people = {DANA: {"a", "b"}, LEE: {"b", "c"}, PRIYA: {"a"}, SAM: {"c", "d"}}
    assert seat({"a": 1, "b": 1, "c": 1, "d": 1}, people).full


@pytest.mark.parametrize("people", [{}, {LEE: set()}, {LEE: {"database"}}])
def test_who_is_in_no_group_that_counts_fills_nothing(people: Mapping[Person, Collection[str]]) -> None:
    seating = seat({"oncall": 2}, people)
    assert (seating.seats, seating.empty) == ({}, {"oncall": 2})


_people = st.dictionaries(
    st.builds(Person, st.just("T"), st.sampled_from("ABCDEFG")), st.frozensets(st.sampled_from("wxyz"), max_size=4)
)
_counts = st.dictionaries(st.sampled_from("wxyz"), st.integers(1, 3), min_size=1)


@given(counts=_counts, people=_people)
@settings(max_examples=400)
def test_it_is_full_exactly_when_hall_says_so(counts: dict[str, int], people: dict[Person, frozenset[str]]) -> None:
    """Places can all be filled if, and only if, every set of groups has as many people as places."""
    enough = all(
        sum(counts[group] for group in chosen) <= sum(1 for groups in people.values() if groups & set(chosen))
        for size in range(1, len(counts) + 1)
        for chosen in combinations(sorted(counts), size)
    )
    seating = seat(counts, people)
    assert seating.full == enough
    assert all(group in people[person] for person, group in seating.seats.items())
    for group, count in counts.items():
        seated = [person for person in seating.seats if seating.seats[person] == group]
        assert len(seated) + seating.empty.get(group, 0) == count
    assert seating == seat(dict(reversed(counts.items())), dict(reversed(people.items())))

from hypothesis import given
from hypothesis import strategies as st

from bot.chat.room import Room


def test_what_is_asked_for_first_has_its_room_wherever_it_stands():
    room = Room(20)
    assert [room.take("foot"), room.take("x" * 20), room.take("head")] == ["foot", "", "head"]
    assert room.full


def test_nothing_needs_no_room():
    room = Room(0)
    assert (room.take(""), room.fold("none", []), room.full) == ("", "", False)


def test_a_list_is_cut_line_by_line_and_says_how_many_more_there_are():
    lines = [f"- {number}" for number in range(50)]
    said = Room(120).fold("50 things", lines)
    shown = [line for line in said.split("\n") if line in lines]
    assert 0 < len(shown) < 50
    assert shown == lines[: len(shown)]
    assert f"- and {50 - len(shown)} more\n" in said
    assert "- and 7 more" in Room(1000).fold("7 things", [], more=7)


def test_bytes_are_counted_not_characters():
    assert Room(100).first(["é" * 30, "é" * 30]) == 1
    assert Room(100).first(["e" * 30, "e" * 30]) == 2


@given(st.integers(0, 400), st.lists(st.text(max_size=40), max_size=20), st.integers(0, 2000), st.integers(0, 300))
def test_no_part_is_larger_than_what_is_left(limit, lines, more, most):
    room = Room(limit)
    parts = [room.fold("some", lines, more=more, most_bytes=most), room.take("x" * most), room.fold("all", lines)]
    said = "\n\n".join(filter(None, parts))
    assert len(said.encode("utf-8", "replace")) <= limit
    assert room.left >= 0

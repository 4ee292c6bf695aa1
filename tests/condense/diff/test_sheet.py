from hypothesis import given, settings
from hypothesis import strategies as st

from bot.condense.diff.cost import line_cost
from bot.condense.diff.pieces import Piece
from bot.condense.diff.sheet import Sheet
from tests.condense.diff.diffs import file

OLD = ["a", "b", "c", "d", "e"]
NEW = ["a", "B", "c", "d", "E", "f"]


def sheet() -> Sheet:
    patch = file("x", OLD, NEW)
    lines = tuple(patch.hunks[0].lines())
    return Sheet(patch, 0, lines, [line.text for line in lines], line_cost)


def test_each_run_of_lines_has_the_numbers_of_its_first_line_above_it() -> None:
    one = sheet()
    for at in (1, 2, 6):
        one.visible[at] = 1
    assert one.render(set()) == ["@@ -2 +2", "-b", "+B", "@@ -6 +5", "+E"]


def test_a_side_that_is_not_there_has_no_number() -> None:
    patch = file("x", [], ["a", "b"])
    lines = tuple(patch.hunks[0].lines())
    one = Sheet(patch, 0, lines, ["a", "b"], line_cost)
    one.visible[1] = 1
    assert one.render(set()) == ["@@ +2", "+b"]


def test_a_name_is_given_where_the_piece_is_first_written_and_used_after_that() -> None:
    one = sheet()
    piece = Piece(0, 0, 1, 3)
    one.visible[1] = one.visible[2] = 1
    one.named[piece.start] = (7, 2)
    written: set[int] = set()
    assert one.render(written) == ["@@ -2 +2", "&7 2", "-b", "+B"]
    assert one.render(written) == ["@@ -2 +2", "*7 2"]
    assert one.key(piece) == ("-b", "+B")


@given(st.lists(st.integers(0, 7), min_size=1, max_size=8, unique=True))
@settings(max_examples=60)
def test_prices_add_up_to_what_the_written_lines_cost_in_any_order(order: list[int]) -> None:
    one, spent = sheet(), 0.0
    for at in order:
        spent += one.price((at,), text=True)
        one.visible[at] = 1
    assert abs(spent - sum(map(line_cost, one.render(set())))) < 1e-6
    assert len(list(one.changes())) == sum(one.lines[at].sign != " " for at in order)

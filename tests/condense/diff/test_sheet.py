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
    one.show((1, 2, 4))
    assert one.render(set()) == ["@@ -2 +2", "-b", "+B", "@@ -4 +4", " d"]


def test_a_side_of_which_a_run_has_no_line_has_no_number() -> None:
    one = sheet()
    one.show((1, 6))
    assert one.render(set()) == ["@@ -2", "-b", "@@ +5", "+E"]
    one.show((2,))
    assert one.render(set()) == ["@@ -2 +2", "-b", "+B", "@@ +5", "+E"]


def test_a_name_is_given_where_the_piece_is_first_written_and_used_after_that() -> None:
    one = sheet()
    piece = Piece(0, 0, 1, 3)
    one.show(range(piece.start, piece.end))
    one.named[piece.start] = (7, 2)
    written: set[int] = set()
    assert one.render(written) == ["@@ -2 +2", "&7 2", "-b", "+B"]
    assert one.render(written) == ["@@ -2 +2", "*7 2"]
    assert one.key(piece) == ("-b", "+B")


@given(st.lists(st.lists(st.integers(0, 7), min_size=1, max_size=4), min_size=1, max_size=8))
@settings(max_examples=100)
def test_prices_add_up_to_what_the_written_lines_cost_in_any_order(order: list[list[int]]) -> None:
    one, spent = sheet(), 0.0
    for lines in order:
        spent += one.price(tuple(lines), text=True)
        one.show(tuple(lines))
    shown = {at for lines in order for at in lines}
    assert abs(spent - sum(map(line_cost, one.render(set())))) < 1e-6
    assert [at for at in range(len(one.lines)) if one.shows(at)] == sorted(shown)
    assert len(list(one.changes())) == sum(one.lines[at].sign != " " for at in shown)

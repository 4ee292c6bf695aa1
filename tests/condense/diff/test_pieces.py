from hypothesis import given

from bot.condense.diff.parse import parse
from bot.condense.diff.pieces import LONGEST, cut
from tests.condense.diff.diffs import diffs, file


def pieces(old: list[str], new: list[str]) -> list[list[str]]:
    lines = list(file("x", old, new).hunks[0].lines())
    return [[line.sign + line.text for line in lines[piece.start : piece.end]] for piece in cut(0, 0, lines)]


@given(diffs())
def test_the_pieces_are_all_changed_lines_once_and_in_order(text: str) -> None:
    for patch in parse(text).files:
        for hunk in patch.hunks:
            lines = list(hunk.lines())
            covered = [at for piece in cut(0, 0, lines) for at in range(piece.start, piece.end)]
            assert covered == [at for at, line in enumerate(lines) if line.sign != " "]
            assert all(0 < piece.end - piece.start <= LONGEST for piece in cut(0, 0, lines))


def test_what_replaces_stays_with_what_it_replaces() -> None:
    assert pieces(["a", "b", "c"], ["a", "x", "c"]) == [["-b", "+x"]]


def test_a_stanza_is_cut_alike_wherever_it_stands() -> None:
    stanza = ["  probe:", "    path: /", "    port: 1"]
    one = pieces([], ["top:", *stanza, "  after: 1"])
    other = pieces([], ["other:", "  deep:", "    deeper: 1", *stanza, "end: 1"])
    wanted = ["+" + line for line in stanza]
    assert any(wanted == piece for piece in other)
    assert any(piece[-3:] == wanted for piece in one)

from bot.condense.diff.patch import FilePatch, Hunk, Line, joined
from tests.condense.diff.diffs import file

HUNK = Hunk("@@ -10,3 +20,3 @@", 10, 20, "", (" a", "-b", "+c", "\\ No newline at end of file", "", "+d"))


def test_a_line_has_the_number_it_has_on_each_side_where_it_stands() -> None:
    assert list(HUNK.lines()) == [
        Line(" ", "a", 10, 20),
        Line("-", "b", 11, None),
        Line("+", "c", None, 21),
        Line(" ", "", 12, 22),
        Line("+", "d", None, 23),
    ]


def test_a_file_counts_its_lines_by_sign() -> None:
    twice = FilePatch("x", "modified", (HUNK, HUNK))
    assert (twice.count("+"), twice.count("-")) == (4, 2)


def test_the_sections_of_one_path_are_joined_and_other_files_are_as_they_were() -> None:
    gone, other, come = file("a", ["x"], []), file("b", ["x"], ["y"]), file("a", [], ["z"])
    one, same = joined([gone, other, come])
    assert (one.path, one.status, one.hunks) == ("a", "modified", gone.hunks + come.hunks)
    assert same is other

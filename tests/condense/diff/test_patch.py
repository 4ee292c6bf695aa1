from bot.condense.diff.patch import FilePatch, Hunk, Line

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
    file = FilePatch("x", "modified", (HUNK, HUNK))
    assert (file.count("+"), file.count("-")) == (4, 2)

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.condense.risk.comments import Marks


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("a.yaml", "  # privileged: true"),
        ("values.yaml", "#replicas: 3"),
        ("main.tf", "    # prevent_destroy = true"),
        ("main.tf", "    // prevent_destroy = true"),
        ("a.py", "# eval(x)"),
        ("Dockerfile", "# USER app"),
        ("a.go", "\t// verify(x)"),
        ("a.sql", "-- DELETE FROM orders;"),
        ("php.ini", "; limit = 3"),
        ("templates/a.yaml", "  {{- /* livenessProbe: */ -}}"),
    ],
)
def test_a_line_that_is_all_comment_is_one(path: str, line: str) -> None:
    assert Marks.of(path).comment(line)
    assert Marks.of(path).code(line) == ""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("a.rs", "#[test]"),
        ("a.c", "#define verify(x) 1"),
        ("a.php", "#[Test]"),
        ("a.js", "#secret = eval(x)"),
        ("a.yaml", "- run: curl x | sh # install"),
        ("a.yaml", "-- x"),
        ("a.py", "//x"),
        ("templates/a.yaml", "{{/* a */}} privileged: true {{/* b */}}"),
        ("a.sql", "# x"),
    ],
)
def test_what_may_do_something_is_no_comment(path: str, line: str) -> None:
    assert not Marks.of(path).comment(line)


@pytest.mark.parametrize(
    ("path", "line", "code"),
    [
        ("a.yaml", "x: 1  # livenessProbe:", "x: 1  "),
        ("a.yaml", "x: a#b", "x: a#b"),
        ("a.yaml", "x: 'a # b' # c", "x: 'a # b' "),
        ("a.yaml", "note: don't # livenessProbe", "note: don't "),
        ("a.go", 'x := "http://a" // verify', 'x := "http://a" '),
        ("a.go", "x() /* verify */", "x() "),
        ("a.yaml", "path: /*", "path: /*"),
        ("a.yaml", "x: {{/* livenessProbe */}}", "x: "),
    ],
)
def test_code_ends_where_a_comment_may_begin(path: str, line: str, code: str) -> None:
    assert Marks.of(path).code(line) == code


def test_lines_between_the_marks_are_commented_out() -> None:
    assert list(Marks.of("a.go").commented_out(["a", "/*", "b", "c */", "d"])) == [False, False, True, True, False]
    assert list(Marks.of("a.yaml").commented_out(["{{- /*", "b", "*/ -}}", "d"])) == [False, True, True, False]
    assert list(Marks.of("a.yaml").commented_out(["/*", "b"])) == [False, False]


@given(st.text(max_size=80), st.sampled_from(["a.yaml", "a.go", "a.sql", "a.tf", "a.py"]))
def test_code_is_a_beginning_of_the_line(text: str, path: str) -> None:
    assert text.startswith(Marks.of(path).code(text))

import pytest

from bot.analysis.ci.first_error import first_error
from bot.analysis.ci.job_log import read


def found(*lines: str):
    raw = "".join(f"{line}\n" for line in ("##[group]Run make", "##[endgroup]", *lines)).encode()
    return first_error(read("unit", "Run make", raw, lambda text: text).own)


END = "##[error]Process completed with exit code 1."


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("--- FAIL: TestPrice (0.01s)", "test"),
        ("FAILED tests/test_price.py::test_rounding - AssertionError", "test"),
        ("FAIL: test_one (tests.test_price.PriceTest)", "test"),
        ("  ● price › rounds", "test"),
        ("test price::rounds ... FAILED", "test"),
        ("error[E0308]: mismatched types", "compile"),
        ("src/price.c:12:5: error: 'x' undeclared", "compile"),
        ("SyntaxError: invalid syntax", "compile"),
        ("shop/price.py:44: error: Incompatible types  [assignment]", "types"),
        ("src/a.ts(3,1): error TS2304: Cannot find name 'x'.", "types"),
        ("FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory", "out-of-memory"),
        ("write /tmp/x: no space left on device", "disk"),
        ("Fatal Python error: Segmentation fault", "crash"),
        ("gh: Resource not accessible by integration (HTTP 403)", "permission"),
        ("curl: (6) Could not resolve host: registry.example", "network"),
        ("ERROR: No matching distribution found for foo==9", "dependency"),
        ("sh: 1: pnpm: not found", "configuration"),
        ("##[error]The runner has received a shutdown signal.", "runner"),
    ],
)
def test_the_kind_is_told_by_how_tools_write(line, kind):
    error = found("building", line, END)
    assert (error.kind, error.text.endswith(" ".join(line.split()))) == (kind, True)


def test_the_first_real_error_comes_before_the_loudest():
    error = found("ok 1", "sh: 1: pnpm: not found", "error: Recipe `fmt` failed", "error: Recipe `all` failed", END)
    assert error.text == "sh: 1: pnpm: not found"
    assert [one.text for one in error.lines[1:]] == ["error: Recipe `fmt` failed", "error: Recipe `all` failed"]


def test_an_exit_code_is_told_only_where_nothing_else_is():
    assert found("all quiet", END).text == END
    assert found("error: real", END).text == "error: real"


def test_a_log_without_lines_has_no_error():
    assert first_error(()).text == ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("--- FAIL: TestPrice (0.01s)", "--- FAIL: TestPrice (9.73s)"),
        ("/home/runner/work/a/a/src/x.c:12:5: error: bad", "/build/src/x.c:99:1: error: bad"),
        ("panic: address 0xdeadbeef", "panic: address 0x12345678"),
    ],
)
def test_equal_errors_have_equal_signatures(one, other):
    assert found(one, END).signature == found(other, END).signature


def test_different_errors_have_different_signatures():
    texts = ("--- FAIL: TestPrice (0.01s)", "--- FAIL: TestTax (0.01s)", "panic: TestPrice")
    assert len({found(text, END).signature for text in texts}) == 3

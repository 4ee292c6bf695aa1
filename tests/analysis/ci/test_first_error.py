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
        ("Cart.cs(12,9): error CS0103: The name 'total' does not exist [/src/Cart.csproj]", "compile"),
        ("/src/Cart.csproj : error NU1101: Unable to find package Cart.Core.", "dependency"),
        (
            "➤ YN0028: │ The lockfile would have been modified by this install, which is explicitly forbidden.",
            "dependency",
        ),
        ("error: The lockfile at `uv.lock` needs to be updated, but `--locked` was provided.", "dependency"),
        ("    Error: Timed out 5000ms waiting for expect(locator).toBeVisible()", "test"),
        ("    Failure/Error: expect(cart.total).to eq 3", "test"),
        (
            "[ERROR] templates/: template: cart/templates/web.yaml:12:8: nil pointer evaluating interface {}.port",
            "lint",
        ),
        ("│ Error: Unsupported argument", "configuration"),
        ('.github/workflows/ci.yml:12:9: unexpected key "run" for "job" section [syntax-check]', "lint"),
        ("shop/cart.go:12:3: Error return value of `f.Close` is not checked (errcheck)", "lint"),
        ("./cart.go:12:3: undefined: total", "compile"),
        ("F401 [*] `os` imported but unused", "lint"),
        ("WARNING: DATA RACE", "test"),
    ],
)
def test_the_kind_is_told_by_how_tools_write(line, kind):
    error = found("building", line, END)
    assert (error.kind, error.text.endswith(" ".join(line.split()))) == (kind, True)


def test_the_first_real_error_comes_before_the_loudest():
    error = found("ok 1", "sh: 1: pnpm: not found", "error: Recipe `fmt` failed", "error: Recipe `all` failed", END)
    assert error.text == "sh: 1: pnpm: not found"
    assert [one.text for one in error.lines[1:]] == ["error: Recipe `fmt` failed", "error: Recipe `all` failed"]


FAILS = "--- FAIL: TestPrice (0.01s)"


@pytest.mark.parametrize(
    ("line", "worse"),
    [
        ("WARNING connection refused (expected, retried)", FAILS),
        ("npm warn retrying fetch: ECONNRESET", FAILS),
        ("warning: i/o timeout, retrying", "src/price.c:12:5: error: 'x' undeclared"),
        ("W: Failed to fetch http://deb.example/x  Connection refused", "src/price.c:12:5: error: 'x' undeclared"),
        ("2026-11-21 10:00:00 WARN pool: connection reset by peer", "error: the ledger does not add up"),
        ("dial tcp 10.0.0.7:443: connect: connection refused", FAILS),
        ("##[error]The operation was canceled.", "shop/price.py:44: error: Incompatible types [assignment]"),
    ],
)
def test_what_passed_by_is_not_what_failed(line, worse):
    assert found(line, worse, END).text == worse


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (("Cart.cs(12,9): error CS0103: no 'total'", "Build FAILED."), "Cart.cs(12,9): error CS0103: no 'total'"),
        (
            ("[ERROR] templates/: template: cart/templates/web.yaml:12:8: nil", "Error: 1 chart(s) linted, 1 failed"),
            "[ERROR] templates/: template: cart/templates/web.yaml:12:8: nil",
        ),
        (("WARNING: DATA RACE", "      /src/cart.go:9 +0x44", FAILS), "WARNING: DATA RACE /src/cart.go:9 +0x44"),
    ],
)
def test_the_error_itself_is_told_and_not_what_sums_it_up(lines, text):
    assert found(*lines, END).text == text


def test_a_warning_is_told_where_nothing_is_worse():
    assert found("W: Failed to fetch http://deb.example/x", END).kind == "dependency"


@pytest.mark.parametrize("line", ["all quiet", "./ci: line 3: 17 Killed ./suite"])
def test_a_process_that_was_killed_ran_out_of_memory(line):
    assert found(line, "##[error]Process completed with exit code 137.").kind == "out-of-memory"


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


TRACE = ("Traceback (most recent call last):", '  File "/src/a.py", line 3, in main', "    total()")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((*TRACE, "ValueError: no price"), (*TRACE, "shop.cart.Locked: by another")),
        (
            ("34 examples, 1 failure", "rspec ./a_spec.rb:12 # A adds"),
            ("30 examples, 1 failure", "rspec ./b_spec.rb:9 # B"),
        ),
        (("bad.yaml:3: not a map", "Build FAILED."), ("worse.yaml:3: not a map", "Build FAILED.")),
        (
            ("F401 [*] `os` imported but unused", " --> a.py:1:8"),
            ("F401 [*] `os` imported but unused", " --> b.py:1:8"),
        ),
        (("unused import: a.py:1:8", "Found 1 error."), ("unused import: b.py:1:8", "Found 1 error.")),
        (("• [FAILED] [1.01 seconds]", "Cart [It] adds"), ("• [FAILED] [1.01 seconds]", "Cart [It] takes away")),
        (
            ("error[E0308]: mismatched types", " --> src/a.rs:4:5"),
            ("error[E0308]: mismatched types", " --> src/b.rs:4:5"),
        ),
        (("│ Error: Missing key", "│   on a.tf line 3:"), ("│ Error: Missing key", "│   on b.tf line 3:")),
    ],
)
def test_what_any_error_says_does_not_make_two_of_them_equal(one, other):
    first, second = found(*one, END), found(*other, END)
    assert first.signature
    assert second.signature
    assert first.signature != second.signature
    assert found(*one, END).signature == first.signature


@pytest.mark.parametrize(
    "lines", [(), ("Build FAILED.",), ("Found 1 error.",), ("##[error]The process '/bin/git' failed with exit code 1",)]
)
def test_what_says_nothing_is_equal_to_nothing(lines):
    assert found(*lines, END).signature == ""

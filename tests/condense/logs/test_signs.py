import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.condense.logs.signs import ERROR, FATAL, QUIET, WARNING, is_red, loudness

FATALS = [
    "##[error]Process completed with exit code 1.",
    "panic: runtime error: index out of range",
    "write /var/lib/x: no space left on device",
    "Last State: Terminated, Reason: OOMKilled",
    "--- FAIL: TestSuite (179.28s)",
    "Tests: 14 failed, 5 skipped, 29634 passed",
    "command exited with status 137",
    "Segmentation fault (core dumped)",
]
ERRORS = [
    "dial tcp 10.96.14.7:5432: connect: connection refused",
    "x509: certificate has expired or is not yet valid",
    "sh: 1: pnpm: not found",
    "java.io.IOException: broken",
    "upstream timed out (110: Operation timed out)",
    "<<<<<<< mine",
]
WARNINGS = ["WARNING: this is deprecated", "Received signal 15, shutting down gracefully", "retrying in 5s"]
QUIETS = [
    "finished with 0 errors and no warnings",
    "failed=0 changed=3",
    "request done error=null errors=[] failed=false",
    "continue-on-error: true",
    "   Compiling src/error.rs",
    "process exited with code 0",
    "test io::error_is_kept ... ok",
    "PASS tests/errors/failure.test.js",
    "leader changed from node-3 to node-1",
]


@pytest.mark.parametrize(
    ("line", "loud"),
    [
        *((line, FATAL) for line in FATALS),
        *((line, ERROR) for line in ERRORS),
        *((line, WARNING) for line in WARNINGS),
        *((line, QUIET) for line in QUIETS),
    ],
)
def test_words_say_how_loud_a_line_is(line: str, loud: int) -> None:
    assert loudness(line) == loud


def test_the_level_counts_where_words_say_less() -> None:
    assert loudness("something happened", "error") == ERROR
    assert loudness("something happened", "info") == QUIET
    assert loudness("panic: x", "info") == FATAL


def test_red_is_seen_as_escape_and_as_carets() -> None:
    assert is_red(b"\x1b[1;31mboom\x1b[0m")
    assert is_red(b"^[[38;5;9m[FAIL]^[[0m")
    assert not is_red(b"\x1b[32mfine\x1b[0m [31m]")


@given(st.text(max_size=400), st.sampled_from(["", "info", "warning", "error", "fatal"]))
@settings(max_examples=200)
def test_any_text_is_as_loud_as_its_level_at_least_unless_quiet(text: str, level: str) -> None:
    assert loudness(text, level) >= {"fatal": FATAL, "error": ERROR, "warning": WARNING}.get(level, QUIET)

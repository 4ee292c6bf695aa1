import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.analysis.ci.job_log import read
from bot.redact import Redactor


def log(*lines: str) -> bytes:
    return "".join(f"2026-11-21T10:00:{n % 60:02}.0000000Z {line}\n" for n, line in enumerate(lines)).encode()


def same(text: str) -> str:
    return text


def test_the_failed_steps_own_lines_are_told_from_the_rest():
    raw = log(
        "##[group]Run npm ci",
        "npm warn deprecated",
        "##[endgroup]",
        "##[group]Run npm test",
        "##[endgroup]",
        "FAIL src/a.test.js",
        "##[error]Process completed with exit code 1.",
        "##[group]Run cleanup",
        "error: nothing to clean",
    )
    job = read("unit", "Run npm test", raw, same)
    assert (job.start, job.end) == (4, 7)
    assert "FAIL src/a.test.js" in [one.text for one in job.own]
    assert not any("nothing to clean" in one.text or "deprecated" in one.text for one in job.own)


TOLERATED = (
    "##[group]Run npm audit",
    "##[endgroup]",
    "npm error audit endpoint returned an error: connect ETIMEDOUT",
    "##[error]Process completed with exit code 1.",
)
PYTEST = (
    "##[group]Run pytest -q",
    "##[endgroup]",
    "##[error]shop/cart.py:12: AssertionError",
    "FAILED tests/test_cart.py::test_total - AssertionError: 3 != 4",
    "##[error]Process completed with exit code 1.",
)
ALWAYS = ("##[group]Run ./upload", "##[endgroup]", "no files", "##[error]Process completed with exit code 2.")


@pytest.mark.parametrize(
    ("step", "lines", "own"),
    [
        ("Run pytest -q", (*TOLERATED, *PYTEST), (5, 9)),
        ("Tests", (*TOLERATED, *PYTEST), (5, 9)),
        ("", (*TOLERATED, *PYTEST), (5, 9)),
        ("Run pytest -q", (*TOLERATED, *PYTEST, *ALWAYS), (5, 9)),
        ("Run pytest -q", (*PYTEST, *TOLERATED), (1, 5)),
        ("Run npm audit", (*TOLERATED, *PYTEST), (1, 4)),
        ("Run ./ci", ("##[group]Run ./ci", "##[endgroup]", "##[group]Run npm ci", *PYTEST), (1, 8)),
    ],
)
def test_a_step_that_may_fail_is_not_the_one_that_failed(step, lines, own):
    job = read("unit", step, log(*lines), same)
    assert (job.start, job.end) == own


def test_a_log_that_marks_no_step_is_all_its_own():
    job = read("unit", "", log("one", "error: two"), same)
    assert [one.text for one in job.own] == ["one", "error: two"]


def test_secrets_do_not_get_out_of_it():
    secret = "ghp_" + "a1B2c3D4e5" * 4
    job = read("unit", "", log(f"error: push with {secret} failed"), Redactor(key=b"k" * 32).text)
    assert secret not in repr(job)


@settings(max_examples=40)
@given(st.binary(max_size=400))
def test_any_bytes_are_a_log(raw):
    read("unit", "", raw, same)

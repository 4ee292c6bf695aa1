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

"""Why CI failed, as a part of the pull request's comment and as the line in Slack."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.chat.github_markdown import code, fenced, prose
from bot.chat.mrkdwn import plain
from bot.chat.review_words import counted
from bot.domain.ci_failure import CiFailure

_JOBS = 4
_LINES = 8
_FLAKY = {
    "likely": "flaky, most likely",
    "unlikely": "not flaky, by the looks of it",
    "unknown": "flaky or not: unknown",
}


def ci_section(failures: Sequence[CiFailure], *, head_sha: str, again: bool = False) -> str:
    """Return the Markdown of all failures of a head; nothing where there is none. ``again``: it can be asked to run
    again, which is offered unless all of it will fail the same way."""
    if not failures:
        return ""
    head = f"**CI failed** at {code(head_sha[:12])}"
    if again and any(failure.flaky != "unlikely" for failure in failures):
        head += f". {code('@signoff rerun')} asks for the failed jobs to run again."
    return "\n\n".join((head, *map(_failure, failures)))


def ci_line(failure: CiFailure) -> str:
    """Return a failure as one plain sentence for Slack, at most 300 characters."""
    return plain(f"CI failed in {_jobs(failure, plain)}: {failure.what} ({_FLAKY[failure.flaky]})", 300)


def _failure(failure: CiFailure) -> str:
    jobs = _jobs(failure, code)
    step = f", step {code(failure.step, 100)}" if failure.step else ""
    place = ""
    if failure.path:
        place = f" See {code(failure.path, 160)}" + (f", line {failure.line}." if failure.line else ".")
    said = [f"- {jobs}{step}: {prose(failure.what, 500)}"]
    if not failure.cause:
        return said[0]
    said.append(f"  {prose(failure.cause, 500)}{place} ({failure.confidence} confidence)")
    said.append(f"  {_FLAKY[failure.flaky].capitalize()}: {prose(failure.flaky_why, 200)}.")
    if failure.cited:
        lines = "\n".join(f"{one.line}: {one.quote}" for one in failure.cited[:_LINES])
        said += ["", *(f"  {line}" for line in fenced(lines).split("\n"))]
    return "\n".join(said)


def _jobs(failure: CiFailure, spell: Callable[[str, int], str]) -> str:
    names = [spell(name, 100) for name in failure.jobs[:_JOBS]]
    more = len(failure.jobs) - _JOBS
    return ", ".join(names) + (f" and {counted(more, 'more job')}" if more > 0 else "")

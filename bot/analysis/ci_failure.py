"""Explain failed CI jobs: by rules what failed and whether it is flaky, and by a model, if there is one, why."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, cast, get_args

from bot.analysis import plain
from bot.analysis.ci.first_error import PLACE, FirstError, first_error
from bot.analysis.ci.job_log import JobLog
from bot.analysis.log_check import LINE_CHARACTERS, STATEMENT_CHARACTERS, verify
from bot.condense.diff.patch import Patch
from bot.condense.diff.shown import visible
from bot.condense.tokens import MARGIN, weigh
from bot.domain.ci_failure import CiFailure, Confidence, Flaky, Kind, Sighting
from bot.domain.log_summary import Cited
from bot.model.gateway import Gateway, NoAnswer
from bot.model.prompts import Prompt

NO_MODEL: Final = "rules, no model"
MOST: Final = 5
"""Failures that are explained: further jobs are usually the same one."""
_NEAR: Final = 3
"""Lines around a changed one that belong to the change: a call breaks where its argument was changed."""
_CITED: Final = 300
_SHOWN_JOBS: Final = 20
_TRANSIENT: Final[frozenset[Kind]] = frozenset({"network", "runner", "timeout"})
_WHAT: Final[Mapping[Kind, str]] = {
    "test": "A test fails",
    "compile": "The code does not compile or load",
    "types": "The type checker finds errors",
    "lint": "A linter or formatter objects",
    "crash": "The process crashes",
    "out-of-memory": "The job runs out of memory",
    "disk": "The runner's disk is full",
    "timeout": "Something takes too long",
    "network": "Another system cannot be reached or refuses for now",
    "permission": "The job may not do what it tries",
    "dependency": "A dependency cannot be resolved or fetched",
    "configuration": "Something the job needs is missing or set wrong",
    "runner": "The runner went away or the job was cancelled",
    "unknown": "The step fails",
}
_FILES: Final[Mapping[Kind, str]] = {
    "dependency": r"(?:^|/)(?:package(?:-lock)?\.json|pnpm-lock\.yaml|yarn\.lock|requirements[^/]*\.txt|pyproject\.toml"
    r"|poetry\.lock|uv\.lock|go\.(?:mod|sum)|Cargo\.(?:toml|lock)|pom\.xml|[^/]*\.gradle(?:\.kts)?|Gemfile(?:\.lock)?)$",
    "configuration": r"^\.github/|(?:^|/)(?:Makefile|Justfile|Dockerfile[^/]*|[^/]*\.sh|tox\.ini|noxfile\.py)$",
    "permission": r"^\.github/",
    "runner": r"^\.github/",
}


@dataclass(frozen=True, slots=True)
class Suspect:
    """The place in the diff that a failure points to, and how: in words of ours."""

    path: str
    line: int | None
    how: str
    confidence: Confidence


async def explain(
    jobs: Sequence[JobLog],
    patch: Patch,
    seen: Mapping[str, Sequence[Sighting]],
    gateway: Gateway | None,
    prompt: Prompt,
    *,
    passed_before: bool,
    deadline_seconds: float,
    max_tokens: int,
    purpose: str,
) -> tuple[CiFailure, ...]:
    """Return the failures of a run, each once however many jobs have it, with what likely caused it.

    ``patch`` is the diff of the same head, ``seen`` where equal errors were seen before, by signature, and
    ``passed_before`` says that another attempt at this very commit passed. The model, asked about the first failure
    only, may say why in other words; what failed, where, and whether it is flaky is what the rules say.
    """
    failures = by_rules(jobs, patch, seen, passed_before=passed_before)
    if not failures:
        return ()
    if gateway is None:
        return tuple(replace(failure, note=NO_MODEL) for failure in failures)
    first = failures[0]
    job = next(job for job in jobs if job.name == first.jobs[0])
    answer = await gateway.ask(
        prompt, context(job, first, patch, max_tokens=max_tokens), deadline_seconds=deadline_seconds, purpose=purpose
    )
    if isinstance(answer, NoAnswer):
        note = NO_MODEL if answer.kind == "no-key" else f"rules: {answer.reason}"
        return tuple(replace(failure, note=note) for failure in failures)
    return (checked(answer.data, first, job, analyst=answer.model), *failures[1:])


def by_rules(
    jobs: Sequence[JobLog], patch: Patch, seen: Mapping[str, Sequence[Sighting]], *, passed_before: bool
) -> tuple[CiFailure, ...]:
    """Explain by rules alone. Jobs with the same error are one failure; at most ``MOST`` are told. What cannot be
    compared is each job's own."""
    groups: dict[tuple[str, str], list[tuple[JobLog, FirstError]]] = {}
    for job in jobs:
        error = first_error(job.own)
        alone = "" if error.signature else job.name
        groups.setdefault((error.signature, alone), []).append((job, error))
    return tuple(
        _explained(signature, group, patch, seen.get(signature, ()), passed_before=passed_before)
        for (signature, _), group in list(groups.items())[:MOST]
    )


def by_chance(failures: Sequence[CiFailure]) -> bool:
    """Say whether a run failed by chance alone, so that running it again is worth proposing."""
    return bool(failures) and all(failure.flaky == "likely" for failure in failures)


def suspect(error: FirstError, patch: Patch) -> Suspect | None:
    """Return what of the diff the error points to: a line that it names, a file that it names, or a telling file."""
    named: Suspect | None = None
    for one in error.lines:
        for found in PLACE.finditer(one.text[:LINE_CHARACTERS]):
            path = found[1].replace("\\", "/")
            number = int(found[2])
            for file in patch.files:
                if not _same_file(path, file.path):
                    continue
                near = {
                    line.new
                    for hunk in file.hunks
                    for line in hunk.lines()
                    if line.sign == "+" and line.new is not None and abs(line.new - number) <= _NEAR
                }
                if near:
                    line = min(near, key=lambda new: abs(new - number))
                    return Suspect(file.path, line, "the error is at lines that this change wrote", "high")
                named = named or Suspect(file.path, None, "the error is in a file that this change touches", "medium")
    if named is not None:
        return named
    text = " ".join(one.text for one in error.lines)
    for file in patch.files:
        stem = re.sub(r"\.[^.]*$", "", file.path.rpartition("/")[2])
        if len(stem) > 3 and re.search(rf"(?<![A-Za-z0-9]){re.escape(stem)}(?![A-Za-z0-9])", text):
            return Suspect(file.path, None, "the error names a file that this change touches", "medium")
    pattern = _FILES.get(error.kind)
    for file in patch.files if pattern else ():
        if re.search(pattern or "", file.path):
            return Suspect(file.path, None, "this change touches what such errors come from", "low")
    return None


def context(job: JobLog, failure: CiFailure, patch: Patch, *, max_tokens: int) -> str:
    """Lay out a failure for the model: the job, its lines (``L12 | text``), and what the change touches."""
    head = [
        f"JOB {plain.line(job.name, 200)}, step {plain.line(job.step, 200)}",
        f"RULES SAY {failure.kind}, first error L{failure.cited[0].line}" if failure.cited else "RULES SAY nothing",
    ]
    files = [f"| {plain.line(visible(file.path), 200)}" for file in patch.files[:50]]
    tail = [f"CHANGED FILES ({len(patch.files)})", *files]
    room = max_tokens / MARGIN - sum(weigh(line) + 1 for line in (*head, *tail))
    kept = []
    for one in sorted(job.own, key=lambda one: -one.worth):
        line = f"L{one.number} | {plain.line(one.text, LINE_CHARACTERS)}"
        room -= weigh(line) + 1
        if room < 0:
            break
        kept.append((one.number, line))
    return "\n".join((*head, *(line for _, line in sorted(kept)), *tail))


def checked(data: Mapping[str, Any], failure: CiFailure, job: JobLog, *, analyst: str) -> CiFailure:
    """Return the failure with the model's words for why, where its lines hold; else as the rules have it. Total."""
    statement = {"statement": data.get("cause"), "lines": data.get("lines")}
    found = verify({"findings": [statement], "unknowns": []}, job.own, analyst=analyst)
    if not found.findings:
        note = "rules: the model named no cause that the log's lines show"
        return replace(failure, note=note, dropped=found.dropped)
    (said,) = found.findings
    confidence = data.get("confidence")
    known = {one.line for one in failure.cited}
    return replace(
        failure,
        cause=said.statement,
        confidence=cast(Confidence, confidence) if confidence in get_args(Confidence) else "low",
        cited=(*failure.cited, *(one for one in said.cited if one.line not in known)),
        analyst=analyst,
        dropped=found.dropped,
    )


def _explained(
    signature: str,
    group: Sequence[tuple[JobLog, FirstError]],
    patch: Patch,
    sightings: Sequence[Sighting],
    *,
    passed_before: bool,
) -> CiFailure:
    job, error = group[0]
    found = suspect(error, patch)
    flaky, why = _flaky(error, found, sightings, passed_before=passed_before)
    step = plain.line(job.step, 200)
    said = plain.line(error.text.removeprefix("##[error]"), _CITED)
    broken = None if passed_before else _broken(error, sightings)
    if broken is not None:
        flaky, why = "unlikely", broken
    cause, confidence = _cause(found, flaky, why) if broken is None else (f"Not this change: {why}.", "high")
    return CiFailure(
        jobs=tuple(plain.line(job.name, 200) for job, _ in group[:_SHOWN_JOBS]),
        step=step,
        kind=error.kind,
        what=plain.line(f"{_WHAT[error.kind]}: {said}" if said else f"{_WHAT[error.kind]}.", STATEMENT_CHARACTERS),
        cited=tuple(Cited(one.number, plain.line(one.text, _CITED)) for one in error.lines),
        cause=cause,
        confidence=confidence,
        path=found.path if found else "",
        line=found.line if found else None,
        flaky=flaky,
        flaky_why=why,
        signature=signature,
    )


def _broken(error: FirstError, sightings: Sequence[Sighting]) -> str | None:
    """Say that the default branch fails with the same error, and since when. Of what comes and goes that is chance."""
    still = [one for one in sightings if one.since is not None]
    if not still or not error.signature or error.kind in _TRANSIENT:
        return None
    first = min(still, key=lambda one: one.since or 0)
    when = datetime.fromtimestamp((first.since or 0) // 1_000_000, UTC)
    return f"the default branch fails with the same error since {when:%Y-%m-%d %H:%M} UTC ({first.sha[:12]})"


def _flaky(
    error: FirstError, found: Suspect | None, sightings: Sequence[Sighting], *, passed_before: bool
) -> tuple[Flaky, str]:
    if passed_before:
        return "likely", "another attempt at the same commit passed"
    if not error.signature:
        return "unknown", "the log shows no error to compare"
    elsewhere = [one for one in sightings if one.pull_request is None]
    if elsewhere:
        return "likely", f"the same error was seen on the default branch ({elsewhere[0].sha[:12]})"
    if others := {one.pull_request for one in sightings}:
        return "likely", f"the same error was seen in {len(others)} other pull request{'s' if len(others) > 1 else ''}"
    if found is not None and found.confidence != "low":
        return "unlikely", found.how
    if error.kind in _TRANSIENT:
        return "likely", "errors of this kind come and go"
    return "unknown", "the same error was not seen elsewhere"


def _cause(found: Suspect | None, flaky: Flaky, why: str) -> tuple[str, Confidence]:
    if flaky == "likely":
        return f"Probably not this change: {why}.", "medium"
    if found is not None:
        return f"Probably this change: {found.how}.", found.confidence
    return "Nothing in the log points to a place in this change.", "low"


def _same_file(named: str, path: str) -> bool:
    """Whether a path of a log means a path of the repository: one ends with the other, at a slash."""
    named = named.lstrip("./")
    return bool(named) and (f"/{named}".endswith(f"/{path}") or f"/{path}".endswith(f"/{named}"))

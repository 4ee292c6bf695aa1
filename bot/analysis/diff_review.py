"""Review a pull request's diff: ask the model, keep what quotes the diff, and let the rules speak in any case."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bot.analysis.review import context, rules
from bot.analysis.review.anchors import Anchors
from bot.analysis.review.check import Checked, verify
from bot.analysis.review.pushes import carried
from bot.condense.diff.order import Plan
from bot.condense.diff.pack import Shown, pack, prepare
from bot.condense.diff.patch import Patch
from bot.condense.diff.shown import Redact
from bot.condense.risk.rule import Risk
from bot.domain.review import ChangedFile, Finding, PullRequest, Review
from bot.model.gateway import Answer, Gateway, NoAnswer
from bot.model.prompts import Prompt

NO_MODEL: Final = "rules, no model"
_NO_TIME: Final = 1.0
"""Seconds that must be left of the deadline for a second question to be worth asking."""


@dataclass(frozen=True, slots=True)
class _Read:
    """A diff as it was read: what to show of it, what the rules tell of it, and where findings may stand."""

    prepared: Plan
    anchors: Anchors
    risks: Mapping[str, Sequence[Risk]]
    told: Sequence[Finding]


async def review(
    pull_request: PullRequest,
    patch: Patch,
    gateway: Gateway | None,
    prompt: Prompt,
    redact: Redact,
    *,
    previous: Sequence[Finding] = (),
    deadline_seconds: float,
    max_tokens: int,
) -> Review:
    """Return a review, always. The rules read the whole diff; a model is shown at most ``max_tokens`` of it and adds
    what it can quote.

    What does not verify is asked for once more, and then dropped and counted. ``previous`` are the findings known
    before this push, in any state. ``redact`` is applied to all that is shown to anybody. The work is done in a thread;
    the model's part takes at most ``deadline_seconds``.
    """
    read = await asyncio.to_thread(_read, pull_request, patch, redact)
    note, checked, packed = NO_MODEL, None, None
    analyst, dropped = rules.ANALYST, Counter[str]()
    if gateway is not None:
        shown, packed = await asyncio.to_thread(
            context.build, pull_request, read.prepared, redact, max_tokens=max_tokens
        )
        answer = await _ask(gateway, prompt, shown, pull_request, read, redact, deadline_seconds)
        if isinstance(answer, NoAnswer):
            note = NO_MODEL if answer.kind == "no-key" else f"rules: {answer.reason}"
        else:
            checked, analyst, note = answer, gateway.model, ""
            dropped.update(answer.dropped)
    if packed is None:
        packed = await asyncio.to_thread(pack, read.prepared, 0, redact=redact)
    found = rules.joined(read.told, checked.findings if checked else ())
    unlisted = max(0, pull_request.changed_files - len({file.path for file in patch.files}))
    known = await asyncio.to_thread(carried, previous, found, read.anchors, read.risks, complete=unlisted == 0)
    return Review(
        head_sha=pull_request.head_sha,
        summary=(checked.summary if checked else "") or rules.summary(found, len(patch.files)),
        findings=known,
        files=tuple(_file(file, asked=checked is not None) for file in packed.files),
        analyst=analyst,
        note=note,
        dropped=dict(dropped),
        unlisted=unlisted,
    )


def _read(pull_request: PullRequest, patch: Patch, redact: Redact) -> _Read:
    prepared = prepare(patch)
    anchors = Anchors(patch, redact)
    told = rules.told(anchors, prepared.risks, prepared.kinds, head_sha=pull_request.head_sha)
    return _Read(prepared, anchors, prepared.risks, told)


async def _ask(
    gateway: Gateway,
    prompt: Prompt,
    shown: str,
    pull_request: PullRequest,
    read: _Read,
    redact: Redact,
    deadline_seconds: float,
) -> Checked | NoAnswer:
    """Ask, and ask once more for what did not verify, as far as time allows."""
    loop = asyncio.get_running_loop()
    ends = loop.time() + deadline_seconds
    purpose = f"{pull_request.name} review"

    async def checked(answer: Answer) -> Checked:
        return await asyncio.to_thread(
            verify, answer.data, read.anchors, read.risks, redact, head_sha=pull_request.head_sha
        )

    first = await gateway.ask(prompt, shown, deadline_seconds=deadline_seconds, purpose=purpose)
    if isinstance(first, NoAnswer):
        return first
    found = await checked(first)
    rejected = found.rejected
    left = ends - loop.time()
    if not rejected:
        return found
    mended: Sequence[Finding] = ()
    dropped = Counter(found.dropped)
    if left > _NO_TIME:
        question = context.again(shown, rejected, len(found.findings) + len(rejected))
        second = await gateway.ask(prompt, question, deadline_seconds=left, purpose=f"{purpose}, once more")
        if isinstance(second, Answer):
            repaired = await checked(second)
            # Only what was asked for again: a second answer cannot add more than the first one had.
            mended, rejected = repaired.findings[: len(rejected)], repaired.rejected
            dropped.update(repaired.dropped)
    dropped.update(f"finding that {item.why}" for item in rejected)
    return Checked(found.summary, (*found.findings, *mended), (), dict(dropped))


def _file(file: Shown, *, asked: bool) -> ChangedFile:
    """Return what is said about a file. Without a model the rules have read every line that there is."""
    why = file.why if asked else "; ".join(note for note in file.notes if note == "damaged" or not file.lines)
    return ChangedFile(
        path=file.path,
        status=file.status,
        kind=file.kind,
        old_path=file.old_path,
        notes=file.notes,
        hunks=file.hunks,
        kept_hunks=file.kept_hunks if asked else file.hunks,
        lines=file.lines,
        kept_lines=file.kept_lines if asked else file.lines,
        why=why,
    )

"""Check a model's findings against the diff: a finding that does not quote lines of the change is none."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from bot.analysis import plain
from bot.analysis.review.anchors import LONGEST_QUOTE, Anchors, FileAnchors, Place, Span
from bot.condense.diff.shown import Redact, visible
from bot.condense.risk.rule import SEVERITIES as RISK_SEVERITIES
from bot.condense.risk.rule import Risk
from bot.domain.review import CATEGORIES, CONFIDENCES, SEVERITIES, Confidence, Finding, Severity, Side

SUMMARY_CHARACTERS: Final = 400
WHY_CHARACTERS: Final = 600
MAX_FINDINGS: Final = 50
"""Findings of one answer that are looked at."""
_SUGGESTION_LINES: Final = 40
_SUGGESTION_CHARACTERS: Final = 4000
_QUOTE_CHARACTERS: Final = 20_000
_MARKS = re.compile(r"[-+ ]")
_PLACEHOLDER = re.compile(r"\[[a-z][a-z0-9-]*:[0-9a-f]{4,}\]|\[redacted\]")


@dataclass(frozen=True, slots=True)
class Rejected:
    """A finding that did not verify: its number in the answer, and why, in words of ours."""

    number: int
    why: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What an answer is worth: a summary, the findings that verified, those that did not, and parts of verified ones
    that were left out, by reason."""

    summary: str
    findings: tuple[Finding, ...]
    rejected: tuple[Rejected, ...]
    dropped: Mapping[str, int]


def verify(
    data: Mapping[str, Any],
    anchors: Anchors,
    risks: Mapping[str, Sequence[Risk]],
    redact: Redact,
    *,
    head_sha: str,
) -> Checked:
    """Return what of an answer rests on the diff. Total: no data makes it raise.

    The quote decides where a finding stands; the given line number only chooses between equal lines. ``risks`` are what
    the rules found, by path: a finding that covers such a line is about that line. All text comes out redacted, plain
    and bounded.
    """
    findings: list[Finding] = []
    rejected: list[Rejected] = []
    dropped: Counter[str] = Counter()
    given = data.get("findings")
    raws = list(given) if isinstance(given, Sequence) and not isinstance(given, str | bytes) else []
    if len(raws) > MAX_FINDINGS:
        dropped["finding beyond the first 50"] += len(raws) - MAX_FINDINGS
    for number, raw in enumerate(raws[:MAX_FINDINGS], start=1):
        made = _finding(raw, anchors, risks, redact, dropped, head_sha)
        if isinstance(made, Finding):
            findings.append(made)
        else:
            rejected.append(Rejected(number, made))
    summary = plain.line(_said(data.get("summary"), redact), SUMMARY_CHARACTERS)
    return Checked(summary, tuple(findings), tuple(rejected), dict(dropped))


def _finding(
    raw: Any,
    anchors: Anchors,
    risks: Mapping[str, Sequence[Risk]],
    redact: Redact,
    dropped: Counter[str],
    head_sha: str,
) -> Finding | str:
    """Return the finding, or why it is none."""
    if not isinstance(raw, Mapping):
        return "is no finding"
    why = plain.line(_said(raw.get("why"), redact), WHY_CHARACTERS)
    severity, confidence, category, side = (raw.get(key) for key in ("severity", "confidence", "category", "side"))
    if not why or severity not in SEVERITIES or side not in ("LEFT", "RIGHT"):
        return "lacks a reason, a severity or a side"
    file = anchors.file(raw["path"]) if isinstance(raw.get("path"), str) else None
    if file is None:
        return "names a file that the diff does not change"
    span = _span(raw, file, cast(Side, side))
    if isinstance(span, str):
        return span
    found = _gravest(span, risks.get(span.path, ()))
    anchor = _anchor(span, found)
    return Finding(
        fingerprint=file.fingerprint(span.side, anchor),
        rule=found.rule if found else "",
        category=category if isinstance(category, str) and category in CATEGORIES else "correctness",
        severity=cast(Severity, severity),
        confidence=cast(Confidence, confidence) if confidence in CONFIDENCES else "low",
        path=span.path,
        side=span.side,
        line=span.end,
        start_line=span.start,
        quote=anchor.text,
        why=why,
        suggestion=_suggestion(raw.get("suggestion"), span, file, redact, dropped),
        first_sha=head_sha,
        setting=file.setting(span.side, anchor),
    )


def _span(raw: Mapping[str, Any], file: FileAnchors, side: Side) -> Span | str:
    quote = raw.get("quote")
    if not isinstance(quote, str) or not quote.strip() or len(quote) > _QUOTE_CHARACTERS:
        return "quotes nothing"
    lines = quote.strip("\n").split("\n")
    if len(lines) > LONGEST_QUOTE:
        return f"quotes more than {LONGEST_QUOTE} lines"
    spans = list(file.find(side, lines))
    if not spans and all(_MARKS.match(line) for line in lines if line):
        # As it stands in a diff, sign first.
        spans = list(file.find(side, [line[1:] for line in lines]))
    if not spans:
        return f"quotes what is no changed line of that file on the {side} side"
    if len(spans) == 1:
        return spans[0]
    number = raw.get("line")
    chosen = [span for span in spans if number in (span.start, span.end)]
    return chosen[0] if chosen else "quotes a line that stands in several places, and gives the number of none of them"


def _gravest(span: Span, risks: Sequence[Risk]) -> Risk | None:
    sign = "-" if span.side == "LEFT" else "+"
    numbers = {place.number for place in span.places if place.changed}
    inside = [risk for risk in risks if risk.sign == sign and risk.line in numbers]
    return min(inside, key=lambda risk: RISK_SEVERITIES.index(risk.severity), default=None)


def _anchor(span: Span, found: Risk | None) -> Place:
    """Return the line that a finding is known by: the one that a rule tells, else the first that says something."""
    changed = [place for place in span.places if place.changed]
    if found is not None:
        return next(place for place in changed if place.number == found.line)
    return next((place for place in changed if place.text.strip()), changed[0])


def _suggestion(given: Any, span: Span, file: FileAnchors, redact: Redact, dropped: Counter[str]) -> str | None:
    """Return the text to put in place of ``span``, or None where it would not apply exactly."""
    if given is None:
        return None
    text = given.removesuffix("\n") if isinstance(given, str) else ""
    applies = (
        isinstance(given, str)
        and span.side == "RIGHT"
        and "damaged" not in file.file.notes
        # A line that was shown redacted, cut or spelled out would be lost, and so would a carriage return.
        and all(place.whole and not place.text.endswith("\r") for place in span.places)
        and len(text) <= _SUGGESTION_CHARACTERS
        and text.count("\n") < _SUGGESTION_LINES
        and text != "\n".join(place.text for place in span.places)
        and visible(text.replace("\n", "")) == text.replace("\n", "")
        and not _PLACEHOLDER.search(text)
        and redact(text) == text
    )
    if not applies:
        dropped["suggestion that does not apply"] += 1
        return None
    return text


def _said(text: Any, redact: Redact) -> str:
    return redact(text[:_QUOTE_CHARACTERS]) if isinstance(text, str) else ""

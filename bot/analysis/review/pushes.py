"""What becomes of findings from push to push: known ones stay known, and only what is really gone is resolved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from bot.analysis.review.anchors import Anchors, FileAnchors
from bot.condense.risk.rule import Risk
from bot.domain.review import SEVERITIES, Finding, Review, State

MAX_KNOWN: Final = 300
"""Findings of a pull request that are remembered: the open ones before the others, the weightiest first."""

_ORDER: Final[Mapping[State, int]] = {"open": 0, "dismissed": 1, "resolved": 2}


def carried(
    previous: Sequence[Finding],
    found: Sequence[Finding],
    anchors: Anchors,
    risks: Mapping[str, Sequence[Risk]],
    *,
    complete: bool,
) -> tuple[Finding, ...]:
    """Return all findings that are known after another push, the open ones first, the weightiest first.

    One that is found again keeps its state, unless it was dismissed as something less grave, or had been resolved. A
    dismissal is about a line where it stood: the same words in another container, job or function are found anew. One
    that is not found again is resolved only if its line is no longer changed, or the rule that told it no longer does:
    that a model does not repeat itself means nothing. ``complete`` says that every changed file was listed.
    """
    previous = _followed(previous, anchors)
    pairs = _pairs(previous, found)
    merged = [_again(before, now) for before, now in pairs]
    taken = {finding.fingerprint for finding in found}
    again = {before.fingerprint for before, _ in pairs if before is not None}
    for finding in previous:
        if finding.fingerprint in again:
            continue
        gone = finding.state == "open" and _gone(finding, anchors, risks, complete=complete)
        kept = replace(finding, state="resolved") if gone else _moved(finding, anchors)
        # Equal lines are told apart by their order: another may bear its name by now, and says what there is to say.
        if kept.fingerprint not in taken:
            taken.add(kept.fingerprint)
            merged.append(kept)
    merged.sort(key=lambda finding: (_ORDER[finding.state], -finding.weight))
    return tuple(merged[:MAX_KNOWN])


def _followed(previous: Sequence[Finding], anchors: Anchors) -> list[Finding]:
    """Return the findings where they stand by now, if their file came under another name: whatever their state, what is
    known of them goes along."""
    names = {finding.fingerprint for finding in previous}
    followed = []
    for finding in previous:
        file = None if anchors.file(finding.path) else anchors.of(finding)
        now = finding if file is None else _standing(finding, file)
        if now.fingerprint != finding.fingerprint and now.fingerprint in names:
            now = finding
        names.add(now.fingerprint)
        followed.append(now)
    return followed


def _pairs(previous: Sequence[Finding], found: Sequence[Finding]) -> list[tuple[Finding | None, Finding]]:
    """Return each finding with what was known of it: what was said of the same words in the same setting, else what
    bears its name."""
    left = {finding.fingerprint: finding for finding in previous}
    known: dict[str, Finding] = {}
    for now in found:
        if (before := left.get(now.fingerprint)) is not None and before.setting == now.setting:
            known[now.fingerprint] = left.pop(now.fingerprint)
    by_line = {_line(before): before for before in reversed(left.values())}
    for now in found:
        before = by_line.pop(_line(now), None) if now.fingerprint not in known else None
        if before is not None:
            known[now.fingerprint] = left.pop(before.fingerprint)
    for now in found:
        if now.fingerprint not in known and now.fingerprint in left:
            known[now.fingerprint] = left.pop(now.fingerprint)
    return [(known.get(now.fingerprint), now) for now in found]


def _line(finding: Finding) -> tuple[str, str, str, str]:
    return finding.path, finding.side, "".join(finding.quote.split()), finding.setting


def dismiss(review: Review, name: str, reason: str) -> Review | None:
    """Return the review with one finding dismissed; None where ``name`` is not the id of exactly one."""
    meant = [finding for finding in review.findings if finding.id == name.strip().lower()]
    if len(meant) != 1:
        return None
    dismissed = tuple(
        replace(finding, state="dismissed", reason=reason) if finding is meant[0] else finding
        for finding in review.findings
    )
    return replace(review, findings=dismissed)


def _again(before: Finding | None, now: Finding) -> Finding:
    if before is None:
        return now
    graver = SEVERITIES.index(now.severity) < SEVERITIES.index(before.severity)
    if before.state != "dismissed":
        return replace(now, said=before.said, first_sha=before.first_sha)
    if before.setting != now.setting:
        return now
    if graver:
        return replace(now, said=before.said, first_sha=before.first_sha)
    return replace(now, state="dismissed", reason=before.reason, said=before.said, first_sha=before.first_sha)


def _gone(finding: Finding, anchors: Anchors, risks: Mapping[str, Sequence[Risk]], *, complete: bool) -> bool:
    file = anchors.of(finding)
    if file is None:
        return complete
    if "no patch" in file.file.notes or "damaged" in file.file.notes:
        return False
    place = file.again(finding)
    if place is None or not finding.rule:
        return place is None
    sign = "-" if finding.side == "LEFT" else "+"
    found = {(risk.rule, risk.sign, risk.line) for risk in risks.get(file.file.path, ())}
    return (finding.rule, sign, place.number) not in found


def _moved(finding: Finding, anchors: Anchors) -> Finding:
    """Return the finding with the number and the name that its line has now."""
    file = anchors.file(finding.path)
    return _standing(finding, file) if file and finding.state != "resolved" else finding


def _standing(finding: Finding, file: FileAnchors) -> Finding:
    place = file.again(finding)
    if place is None:
        return finding
    return replace(
        finding,
        fingerprint=file.fingerprint(finding.side, place),
        path=file.file.path,
        line=place.number,
        start_line=place.number,
        suggestion=None,
    )

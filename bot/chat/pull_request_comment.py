"""The one comment on a pull request, edited in place: verdict, risk, findings with their states, what was not read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.chat.github_markdown import code, prose
from bot.chat.review_comments import MAX_BODY
from bot.chat.review_words import SIGNS, analyst, counted, counts, link, place, sign, verdict
from bot.chat.room import Room
from bot.domain.review import ChangedFile, Finding, PullRequest, Review, State

MARK: Final = "<!-- signoff:pull-request -->"
"""What our comment begins with."""
_SHOWN: Final = 8
"""Open findings, alike ones together, that are not folded away."""
_FOLDED: Final = 60
_PLACES: Final = 4
_FILES: Final = 40
_DONE: Final = 20
_UNREAD_BYTES: Final = 16_000
_SETTLED_BYTES: Final = 6000
_RESERVED: Final = 2 * _SETTLED_BYTES + 8000
"""Bytes that the first open findings leave to what comes after them."""
_CUT: Final = "_More did not fit here._"


def is_ours(text: str) -> bool:
    """Whether ``text`` is such a comment. Who wrote it must be checked as well."""
    return text.startswith(MARK)


def comment(
    pull_request: PullRequest, review: Review, *, notes: Sequence[str] = (), sections: Sequence[str] = ()
) -> str:
    """Return the comment's Markdown, at most 65,536 bytes. ``notes`` are further sentences of ours, such as a policy
    file's fault, shown as text; ``sections`` are further parts, already Markdown, such as an explained CI failure.

    Where not all fits, the verdict, what was not read and the way to answer stay; lists say how many more there are.
    """
    room = Room(MAX_BODY - len(_CUT) - 2)
    top = [
        room.take(part)
        for part in (
            f"{MARK}\n### {sign(review)} Signoff: {verdict(review)}",
            f"**Risk {review.risk}** · {counts(review)} · {code(pull_request.head_sha[:12])}",
            prose(review.summary, 600),
            *(f"⚠️ {prose(note, 600)}" for note in notes),
        )
    ]
    foot = room.take(_foot(review))
    unread = _unread(review, room)
    groups = _groups(review.open)
    lines = [_group(pull_request, group) for group in groups[: _SHOWN + _FOLDED]]
    # The beginning of a list is worth more than the end of what stands before it.
    shown = Room(room.left - _RESERVED).first(lines[:_SHOWN])
    told = room.take("\n".join(lines[:shown]))
    explained = [room.take(section) for section in sections]
    settled = [_settled(state, review, room) for state in ("resolved", "dismissed")]
    total = sum(map(len, groups[shown:]))
    more = room.fold(f"{total:,} more open", lines[shown:], more=len(groups) - len(lines))
    parts = [*top, told, *explained, more, unread, *settled, _CUT if room.full else "", foot]
    return "\n\n".join(filter(None, parts))


def unreviewed(why: str, *, sections: Sequence[str] = ()) -> str:
    """Return the comment's Markdown where nothing was reviewed; ``why`` is a sentence of ours without its end."""
    ways = f"Comment {code('@signoff review')} to have it reviewed."
    said = prose(f"Not reviewed: {why}. Why CI fails is explained here.", 300)
    room = Room(MAX_BODY)
    parts = [f"{MARK}\n### Signoff", said, *(filter(None, sections) if any(sections) else ["No CI failure is known."])]
    return "\n\n".join(filter(None, (room.take(part) for part in (*parts, f"<sub>{ways}</sub>"))))


def _groups(findings: Sequence[Finding]) -> list[list[Finding]]:
    """Put what is said in the same words together, the weightiest first."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in sorted(findings, key=lambda finding: -finding.weight):
        groups.setdefault((finding.rule or finding.fingerprint, finding.why), []).append(finding)
    return list(groups.values())


def _group(pull_request: PullRequest, group: Sequence[Finding]) -> str:
    first = group[0]
    sure = "" if first.confidence == "high" else f" ({first.confidence} confidence)"
    kind = f" · {code(first.rule)}" if first.rule else ""
    places = " · ".join(_place(pull_request, finding) for finding in group[:_PLACES])
    more = f" · and {counted(len(group) - _PLACES, 'more place')}" if len(group) > _PLACES else ""
    return f"- {SIGNS[first.severity]} **{first.severity}**{sure} {prose(first.why, 600)}{kind}\n  {places}{more}"


def _place(pull_request: PullRequest, finding: Finding) -> str:
    address = link(pull_request, finding)
    where = f"[{place(finding)}]({address})" if address else place(finding)
    return f"{code(finding.path, 160)} {where} (id {code(finding.id)})"


def _settled(state: State, review: Review, room: Room) -> str:
    """Return the findings that ask for nothing any more, with who dismissed them and why."""
    findings = [finding for finding in review.findings if finding.state == state]
    lines = [
        f"- {finding.severity} {code(finding.path, 160)}: {prose(finding.why, 200)}"
        + (f" Dismissed: {prose(finding.reason, 300)}" if finding.reason else "")
        + f" (id {code(finding.id)})"
        for finding in findings[:_DONE]
    ]
    more = max(0, len(findings) - _DONE)
    return room.fold(f"{len(findings):,} {state}", lines, more=more, most_bytes=_SETTLED_BYTES)


def _unread(review: Review, room: Room) -> str:
    files = sorted(review.unread, key=lambda file: file.kind in ("lock", "vendored", "generated"))
    lines = [f"- {code(file.path, 160)}: {_missing(file)}" for file in files[:_FILES]]
    if review.unlisted:
        lines.insert(0, f"- {counted(review.unlisted, 'changed file')} that GitHub did not list")
    summary = f"Not read, or not all of it: {counted(len(files) + review.unlisted, 'file')}"
    return room.fold(summary, lines, more=max(0, len(files) - _FILES), most_bytes=_UNREAD_BYTES)


def _missing(file: ChangedFile) -> str:
    if not file.lines:
        return prose(file.why or ", ".join(file.notes), 100)
    kept = f"{file.kept_lines:,} of {counted(file.lines, 'changed line')} read"
    return f"{kept} ({prose(file.why, 100)})" if file.why else kept


def _foot(review: Review) -> str:
    dropped = sum(review.dropped.values())
    told = f" {counted(dropped, 'claim')} of the model did not verify and were left out." if dropped else ""
    ways = f"Comment {code('@signoff review')} or {code('@signoff dismiss <id> <why>')}."
    return f"<sub>{prose(analyst(review), 300)}{told} {ways}</sub>"

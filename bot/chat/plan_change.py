"""The exact change of a plan: on the card as far as it fits, and whole in a file whose SHA-256 stands there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bot.chat import rich_text as rich
from bot.chat.card import FileAttachment
from bot.chat.mrkdwn import plain, visible
from bot.chat.plan_record import Record, call_of, rehearsals
from bot.domain.approval import Approval
from bot.domain.canonical import digest

# Leaves room for the names of parameters and targets within Slack's limit for one message.
_DIFF_TEXT = 3_000


def attachment(approval: Approval, record: Record, full_diff: str) -> FileAttachment | None:
    """Return the file with the whole change when the card can only show its beginning, else None."""
    if shown_whole(record) or not proven(record, full_diff):
        return None
    sha256 = digest(full_diff.encode())
    return FileAttachment(
        filename=f"{approval.name}-change.diff",
        title=f"{approval.name}: the whole change, SHA-256 {sha256}",
        content=full_diff,
        sha256=sha256,
    )


def shown_whole(record: Record) -> bool:
    """Whether every change stands on the card itself."""
    rehearsed = rehearsals(record)
    room = sum(len(visible(str(entry.get("diff", "")))) for entry in rehearsed) <= _DIFF_TEXT
    return room and all(_whole(entry) for entry in rehearsed)


def _whole(entry: Mapping[str, Any]) -> bool:
    return entry.get("complete") is True and len(visible(str(entry.get("diff", "")))) <= _DIFF_TEXT


def proven(record: Record, full_diff: str) -> bool:
    """Whether the text is the whole change that the plan names; each diff in it begins with its object."""
    rehearsed, sha256 = rehearsals(record), record.get("change_sha256")
    return bool(rehearsed) and digest(full_diff.encode()) == sha256


def exact_change(record: Record) -> list[dict[str, Any]]:
    """Return every change that fits, and where the others can be read."""
    rehearsed = rehearsals(record)
    parts: list[dict[str, Any]] = []
    left_out = 0
    room = _DIFF_TEXT
    for entry in rehearsed:
        shown = visible(str(entry.get("diff", "")))
        if not shown or room <= 0:
            left_out += 1
            continue
        spans = list(_how(record, entry))
        if not _whole(entry) or len(shown) > room:
            shown = shown[: shown.rfind("\n", 0, room) + 1] or shown[:room]
            shown += "…\n"
            spans.append(rich.text(f"; it goes on in the file with SHA-256 {record.get('change_sha256', '')}"))
        room -= len(shown)
        parts += [rich.section(*spans), rich.preformatted(shown.rstrip("\n") or " ")]
    if left_out:
        sha256 = record.get("change_sha256", "")
        parts.append(rich.section(rich.text(f"{left_out} more changes are in the file with SHA-256 {sha256}")))
    return parts or [rich.section(rich.bold("Exact change: "), rich.text("none recorded"))]


def _how(record: Record, entry: Record) -> Iterator[rich.Span]:
    """Say when a change is made, and how it is known. Only what a server can rehearse was rehearsed."""
    call = call_of(record, entry)
    undone = call.get("undoes") is not None
    yield rich.bold("Exact change" + f" if {plain(str(call.get('step', '')), 60)} is taken back" * undone)
    outside = str(call.get("path", "")).startswith(("/api/v2/", "/repos/", "http"))
    looks = call.get("method") in ("ASSERT", "LOOK", "WAIT")
    foreseen = "nothing is changed" if looks else ""
    how = foreseen or ("as it will be sent, nobody can rehearse it" if outside else "server-side dry run")
    yield rich.text(f" ({how})")

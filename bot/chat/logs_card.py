"""The answer to a request for logs: what they say with the lines that say it, the digest as a file, and refusals."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.chat import rich_text as rich
from bot.chat.card import Card, FileAttachment, actions, button, context, plain_text
from bot.chat.mrkdwn import duration, lines, plain, push
from bot.domain.log_request import LogRequest
from bot.domain.log_summary import LogSummary

LINES_ACTION = "logs.lines"

_FINDINGS = 6
_STATEMENT = 400
_CITED = 10
_LINE = 220


@dataclass(frozen=True, slots=True)
class LogsRead:
    """What was read, for people: numbers, where from, what could not be read, and the shown lines by number as
    (time, text)."""

    lines: int
    logs: int
    source: str
    problems: tuple[str, ...]
    shown: Mapping[int, tuple[str, str]]


def title(request: LogRequest) -> str:
    """Say whose logs and of what time, in a line."""
    words = f", lines with {' '.join(request.words)}" if request.words else ""
    where = f"{request.namespace}/{request.workload} in {request.cluster}"
    return plain(f"Logs of {where}, last {duration(request.seconds * 1_000_000)}{words}", 300)


def reading(request: LogRequest) -> Card:
    """Say that the logs are being read, and for whom."""
    sentence = f"⏳ {title(request)}: reading them for {plain(request.person_name, 80)}…"
    return Card(text=push(sentence), blocks=(rich.block(rich.section(rich.text(sentence))),))


def nothing(request: LogRequest, problems: Sequence[str]) -> Card:
    """Say that there was no line to read, and why if that is known."""
    head = f"{title(request)}: there is no line to read."
    parts = [rich.section(rich.text("🔎 "), rich.bold(head))]
    parts += [rich.section(rich.text(f"⚠️ {plain(problem, 400)}")) for problem in problems[:3]]
    if not problems:
        parts.append(rich.section(rich.text("Ask for a longer time, or for fewer words.")))
    return Card(text=push(head), blocks=(rich.block(*parts),))


def answered(request: LogRequest, read: LogsRead, summary: LogSummary) -> Card:
    """Say what the logs say, each statement with the lines that it cites."""
    parts = [rich.section(rich.text("🔎 "), rich.bold(title(request)))]
    cited: dict[int, None] = {}
    items = []
    for finding in summary.findings[:_FINDINGS]:
        numbers = dict.fromkeys(one.line for one in finding.cited)
        cited |= numbers
        names = ", ".join(f"L{number}" for number in numbers)
        items.append([rich.text(f"{plain(finding.statement, _STATEMENT)} [{names}]")])
    if items:
        parts.append(rich.bullets(items))
    else:
        parts.append(rich.section(rich.text("Nothing in them stands out: no error, and nothing new.")))
    if cited:
        shown = [_shown(number, *read.shown[number]) for number in sorted(cited)[:_CITED] if number in read.shown]
        more = len(cited) - len(shown)
        parts.append(rich.preformatted("\n".join([*shown, *([f"and {more} more cited lines"] if more > 0 else [])])))
    if summary.unknowns:
        parts.append(rich.section(rich.bold("Not known: "), rich.text(plain(summary.unknowns[0], 300))))
    parts += [rich.section(rich.text(f"⚠️ {plain(problem, 300)}")) for problem in read.problems[:3]]
    blocks = [rich.block(*parts)]
    if cited:
        spoken = f"Open the {len(cited)} cited lines with the lines around them"
        blocks.append(actions([button(f"Cited lines ({len(cited)})", LINES_ACTION, request.id, spoken=spoken)]))
    blocks.append(context(plain_text(plain(_small(request, read, summary), 600))))
    said = plain(summary.findings[0].statement, 150) if summary.findings else "nothing stands out"
    return Card(text=push(f"{title(request)}: {said}"), blocks=tuple(blocks))


def file(request: LogRequest, text: str) -> FileAttachment:
    """Return the full digest as a file."""
    name = "-".join(("logs", request.cluster, request.namespace, request.workload))
    head = f"{title(request)}, for {plain(request.person_name, 80)}. Lines are numbered as they were read.\n\n"
    content = head + lines(text)
    sha256 = hashlib.sha256(content.encode()).hexdigest()
    return FileAttachment(f"{plain(name, 150)}.txt", f"Digest: {title(request)}", content, sha256)


def _shown(number: int, time: str, text: str) -> str:
    return " ".join(part for part in (f"L{number}", plain(time, 40), plain(text, _LINE)) if part)


def _small(request: LogRequest, read: LogsRead, summary: LogSummary) -> str:
    who = summary.note or ("rules" if summary.analyst == "rules" else summary.analyst)
    said = [who, f"{read.lines:,} lines of {read.logs} logs read from {read.source} for {request.person_name}"]
    dropped = sum(summary.dropped.values())
    if dropped:
        said.append(f"{dropped} dropped: not backed by the lines")
    return " · ".join(said)

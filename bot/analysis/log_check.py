"""Check a summary of logs against the lines that were shown: a quote must be in its line, letter by letter."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from bot.analysis import plain
from bot.condense.logs.digest import Excerpt
from bot.domain.log_summary import Cited, LogFinding, LogSummary

STATEMENT_CHARACTERS = 500
UNKNOWN_CHARACTERS = 300
QUOTE_CHARACTERS = 300
LINE_CHARACTERS = 500
"""What the model sees of a line; a digest shows no more of one."""
LEAST_QUOTE = 3
MAX_FINDINGS = 6
MAX_UNKNOWNS = 4
MAX_CITED = 6

_LINE = re.compile(r"L([1-9][0-9]{0,11})")


def verify(data: Mapping[str, Any], shown: Sequence[Excerpt], *, analyst: str) -> LogSummary:
    """Keep the findings that quote a shown line; count what is dropped, by reason. Total: no data makes it raise.

    Runs of blanks count as one, since a model does not keep them apart. All text comes out plain and bounded.
    """
    dropped: Counter[str] = Counter()
    lines = {one.number: plain.line(one.text, LINE_CHARACTERS) for one in shown}
    findings = [found for raw in _list(data, "findings") if (found := _finding(raw, lines, dropped))]
    unknowns = [text for raw in _list(data, "unknowns") if (text := plain.line(raw, UNKNOWN_CHARACTERS))]
    for what, kept, most in (("findings", findings, MAX_FINDINGS), ("unknowns", unknowns, MAX_UNKNOWNS)):
        if len(kept) > most:
            dropped[f"too many {what}"] += len(kept) - most
    return LogSummary(
        findings=tuple(findings[:MAX_FINDINGS]),
        unknowns=tuple(unknowns[:MAX_UNKNOWNS]),
        analyst=analyst,
        dropped=dict(dropped),
    )


def _finding(raw: Any, lines: Mapping[int, str], dropped: Counter[str]) -> LogFinding | None:
    if not isinstance(raw, Mapping):
        dropped["not a finding"] += 1
        return None
    statement = plain.line(raw.get("statement"), STATEMENT_CHARACTERS)
    cited = [good for one in _list(raw, "lines") if (good := _cited(one, lines, dropped))]
    if not statement or not cited:
        dropped["finding without a statement" if not statement else "finding without a line that holds"] += 1
        return None
    return LogFinding(statement, tuple(dict.fromkeys(cited))[:MAX_CITED])


def _cited(raw: Any, lines: Mapping[int, str], dropped: Counter[str]) -> Cited | None:
    name = raw.get("line") if isinstance(raw, Mapping) else None
    number = _LINE.fullmatch(name) if isinstance(name, str) else None
    line = lines.get(int(number[1])) if number else None
    if number is None or line is None:
        dropped["citation of a line that is not there"] += 1
        return None
    said = raw.get("quote")
    quote = " ".join(said.split()) if isinstance(said, str) else ""
    if len(quote) < min(LEAST_QUOTE, len(line)) or not quote or quote not in line:
        dropped["quote that is not in its line"] += 1
        return None
    return Cited(int(number[1]), plain.line(quote, QUOTE_CHARACTERS))


def _list(data: Mapping[str, Any], key: str) -> Sequence[Any]:
    value = data.get(key)
    return value if isinstance(value, Sequence) and not isinstance(value, str | bytes) else ()

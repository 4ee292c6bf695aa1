"""The rules' summary of logs: the kinds of lines that are loud or new, most telling first, in the model's schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.analysis import plain
from bot.analysis.log_check import LINE_CHARACTERS
from bot.condense.logs.digest import Excerpt
from bot.condense.logs.signs import ERROR, FATAL, WARNING, loudness

MOST = 5
_QUOTED = 200
_WORDS = {FATAL: "Fatal", ERROR: "Error", WARNING: "Warning"}


def summarise(shown: Sequence[Excerpt], *, before: int) -> Mapping[str, Any]:
    """Return an answer in the schema of ``log-summary``. ``before`` is how many lines there were to compare with.

    A kind of line tells if it is an error, or a warning that is new. Every quote is a piece of its line as it stands.
    """
    kinds: dict[str, Excerpt] = {}
    for one in shown:
        if not plain.line(one.text, LINE_CHARACTERS) or not (one.loud >= ERROR or (one.new and one.loud >= WARNING)):
            continue
        best = kinds.get(one.template)
        if best is None or one.worth > best.worth or (one.worth == best.worth and _names_the_error(one)):
            kinds[one.template] = one
    order = sorted(kinds.values(), key=lambda one: (-one.new, -one.loud, -one.worth, one.number))
    unknowns = []
    if not before:
        unknowns.append("Whether these lines are new: there were none from before to compare with.")
    if len(order) > MOST:
        unknowns.append(f"{len(order) - MOST} more kinds of errors are in the digest.")
    return {"findings": [_finding(one) for one in order[:MOST]], "unknowns": unknowns}


def _finding(one: Excerpt) -> Mapping[str, Any]:
    quote = plain.line(one.text, LINE_CHARACTERS)[:_QUOTED].strip()
    often = f", {one.total} times" if one.total > 1 else ""
    new = ", new" if one.new else ""
    return {
        "statement": f"{_WORDS[max(WARNING, one.loud)]}{new}{often}: {quote}",
        "lines": [{"line": f"L{one.number}", "quote": quote}],
    }


def _names_the_error(one: Excerpt) -> bool:
    """Say whether a line of a trace says what went wrong: no frame, and loud by its own words."""
    return not one.text[:1].isspace() and loudness(one.text) >= ERROR

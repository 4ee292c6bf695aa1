"""Summarise logs: show the model a digest, keep what its lines back, and fall back on the rules with the reason why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.analysis import log_rules, plain
from bot.analysis.log_check import LINE_CHARACTERS, verify
from bot.condense.logs.digest import Excerpt
from bot.condense.tokens import MARGIN, weigh
from bot.domain.log_summary import LogSummary
from bot.model.gateway import Gateway, NoAnswer
from bot.model.prompts import Prompt

TASK = "log-summary"
NO_MODEL = "rules, no model"
_FOREIGN = "| "
_NOTE = 30.0


@dataclass(frozen=True, slots=True)
class Shown:
    """A digest as it is summarised. ``sources`` are (name, number of its first line), in order; ``about`` says in our
    words whose logs these are and of what time; ``before`` is how many lines there were to compare with."""

    about: str
    excerpts: tuple[Excerpt, ...]
    sources: tuple[tuple[str, int], ...]
    before: int


async def summarise(
    shown: Shown, gateway: Gateway | None, prompt: Prompt, *, deadline_seconds: float, max_tokens: int, purpose: str
) -> LogSummary:
    """Return a summary, always: the model's where it answers in time and its findings verify, else the rules'.

    ``max_tokens`` bounds what the model is shown. A model that finds nothing is believed: healthy logs say nothing.
    """
    if gateway is None:
        return _by_rules(shown, NO_MODEL)
    text = context(shown, max_tokens=max_tokens)
    answer = await gateway.ask(prompt, text, deadline_seconds=deadline_seconds, purpose=purpose)
    if isinstance(answer, NoAnswer):
        return _by_rules(shown, NO_MODEL if answer.kind == "no-key" else f"rules: {answer.reason}")
    found = verify(answer.data, shown.excerpts, analyst=answer.model)
    if found.findings or not found.dropped:
        return found
    return replace(_by_rules(shown, "rules: nothing that the model said is in the lines"), dropped=found.dropped)


def _by_rules(shown: Shown, note: str) -> LogSummary:
    answer = log_rules.summarise(shown.excerpts, before=shown.before)
    return replace(verify(answer, shown.excerpts, analyst="rules"), note=note)


def context(shown: Shown, *, max_tokens: int) -> str:
    """Lay out a digest for the model in at most ``max_tokens`` estimated tokens, margin included.

    Our own words stand before a ``| ``, or alone on a line; what a program wrote comes after it. If not all fits, the
    lines of least worth go.
    """
    room = max_tokens / MARGIN - weigh(shown.about) - _NOTE
    kept: list[Excerpt] = []
    headed: set[int] = set()
    for one in sorted(shown.excerpts, key=lambda one: (-one.worth, one.number)):
        source = _source(shown.sources, one.number)
        price = weigh(_line(one)) + 1
        if source not in headed and source >= 0:
            price += weigh(_heading(shown.sources[source])) + 1
        if price > room:
            break
        room -= price
        headed.add(source)
        kept.append(one)
    lines = [shown.about]
    if len(kept) < len(shown.excerpts):
        lines.append(f"[… {len(shown.excerpts) - len(kept):,} of the lines left out …]")
    last = -1
    for one in sorted(kept, key=lambda one: one.number):
        source = _source(shown.sources, one.number)
        if source != last and source >= 0:
            lines.append(_heading(shown.sources[source]))
        last = source
        lines.append(_line(one))
    return "\n".join(lines)


def _source(sources: Sequence[tuple[str, int]], number: int) -> int:
    """Return the place in ``sources`` of the one that a line is from; -1 if there is none."""
    return sum(1 for _, first in sources if first <= number) - 1


def _heading(source: tuple[str, int]) -> str:
    return f"\n{plain.line(source[0], 200)}, from L{source[1]}"


def _line(one: Excerpt) -> str:
    time = f" {plain.line(one.time, 40)}" if one.time else ""
    marks = (f" x{one.total}" if one.total > 1 else "") + (" NEW" if one.new else "")
    return f"L{one.number}{time}{marks} {_FOREIGN}{plain.line(one.text, LINE_CHARACTERS)}"

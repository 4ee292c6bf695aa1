"""The digest of a log under a budget: the lines most worth reading, in order, and what was left out.

The order in which lines enter the digest does not depend on the budget, and each line's price is fixed before; the
digest is the longest beginning of that order that the budget pays for. So more budget never shows less.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from bot.condense.logs.choice import choose
from bot.condense.logs.reader import Reading
from bot.condense.logs.records import Record
from bot.condense.logs.templates import members, name, spell
from bot.condense.tokens import weigh

WIDEST: Final = 400
"""Characters of a line that are shown; the middle of a longer one is left out, and that is said."""
TOGETHER: Final = 10
"""A trace of at most this many lines is shown as a whole or not at all; of a longer one head and end come first."""
HEAD: Final = 3
END: Final = 6
PIECE: Final = 8
MARKS: Final = 12
"""At most this many notes of the time are put between the lines."""
_FOREIGN: Final = 0.512
"""Signs beyond ASCII are counted as a sign as well, so that no tokenizer's habits make the digest too long."""


class Excerpt(NamedTuple):
    """A line of a digest, redacted and clipped: its number, text and time as the log writes them, what its record is
    worth and how loud it is (``signs``), its template's id and number of lines, and if the baseline lacks that."""

    number: int
    text: str
    time: str
    worth: float
    loud: int
    template: str
    total: int
    new: bool
    note: str = ""
    """What the digest notes at the line's end; no part of the log."""


@dataclass(frozen=True, slots=True)
class Digest:
    """What to show of a log. ``kept`` are the line numbers shown; ``tokens`` the estimate for ``text`` (no margin).
    ``excerpts`` are the lines of ``text`` one by one, for whoever lays them out anew."""

    lines_total: int
    records_total: int
    templates_total: int
    kept: tuple[int, ...]
    tokens: int
    text: str
    excerpts: tuple[Excerpt, ...] = ()


class _Unit(NamedTuple):
    """Lines of one record that are shown together or not at all: all of them, or a part of a long trace."""

    worth: float
    record: Record
    places: tuple[int, ...]
    note: str
    total: int
    new: bool


@dataclass(frozen=True, slots=True)
class Ranking:
    """The lines of a log in the order they enter a digest: made once, used for any budget. A record is redacted when it
    is first shown, since most never are."""

    reading: Reading
    units: tuple[_Unit, ...]
    head: str
    gone: str
    templates: int
    redact: Callable[[str], str]
    redacted: dict[int, list[str]] = field(default_factory=dict)

    def lines(self, unit: _Unit) -> list[tuple[int, str]]:
        """Return the lines of a unit as they are shown, with their numbers."""
        record = unit.record
        first = record.lines[0].number
        texts = self.redacted.get(first)
        if texts is None:
            texts = self.redact("\n".join(line.text for line in record.lines)).split("\n")
            if len(texts) != len(record.lines):  # a secret over several lines became one placeholder
                texts = [" ".join(texts)]
            self.redacted[first] = texts
        return [(record.lines[i].number, clip(texts[i])) for i in unit.places if i < len(texts)]


def rank(reading: Reading, redact: Callable[[str], str], *, around: int | None = None, year: int = 1970) -> Ranking:
    """Put the kept lines of a log in the order of their worth. ``redact`` is applied to all that can be shown.

    ``around`` (UTC microseconds) is the time of an alert, if there is one: what began shortly before it is worth more.
    """
    totals: Counter[int] = Counter()
    before: Counter[int] = Counter()
    last: dict[int, int] = {}
    for number, seen in reading.seen.items():
        template = reading.template[number]
        totals[template] += seen.count
        before[template] += seen.before
        last[template] = max(last.get(template, 0), seen.last)
    units: list[_Unit] = []
    noted: set[int] = set()
    for worth, record in choose(reading, around=around, year=year):
        template = record.template
        note = ""
        if template not in noted:
            noted.add(template)
            if totals[template] > 2:
                note = f" (x{totals[template]}, last {last[template]})"
            if reading.baseline and not before[template]:
                note += " (NEW)"
        new = bool(reading.baseline) and not before[template]
        units.extend(_units(record, worth, note, totals[template], new=new))
    units.sort(key=lambda unit: (-unit.worth, unit.record.lines[unit.places[0]].number))
    present = sum(1 for total in totals.values() if total)
    return Ranking(reading, tuple(units), _head(reading, present), _gone(reading, redact), present, redact)


def digest(ranking: Ranking, budget: int) -> Digest:
    """Show as much as ``budget`` estimated tokens pay for; nothing if they do not even pay for the heading."""
    reading = ranking.reading
    left = budget - 1 - _price(ranking.head) - _price(_foot(10**9, 10**9, 10**9)) - _price(ranking.gone)
    if left < 0:
        return Digest(reading.lines, reading.records, ranking.templates, (), 0, "")
    lines: list[Excerpt] = []
    templates: set[int] = set()
    for unit in ranking.units:
        shown = ranking.lines(unit)
        price = math.fsum(_price(f"{number} {text}\n") for number, text in shown) + _price(unit.note)
        if price > left:
            break
        left -= price
        record = unit.record
        about = (record.lines[0].time, unit.worth, record.loud, name(record.template), unit.total, unit.new)
        for nth, (number, text) in enumerate(shown):
            lines.append(Excerpt(number, text, *about, "" if nth else unit.note))
        templates.add(unit.record.template)
    lines.sort()
    kept = tuple(line.number for line in lines)
    marks = _marks([(line.number, line.time) for line in lines], left)
    body = "".join(marks.get(line.number, "") + f"{line.number} {line.text}{line.note}\n" for line in lines)
    unshown = ranking.templates - len(templates)
    foot = _foot(reading.lines - len(kept), unshown, ranking.templates) if len(kept) < reading.lines else ""
    text = ranking.head + body + ranking.gone + foot
    tokens = int(_price(text)) + 1
    return Digest(reading.lines, reading.records, ranking.templates, kept, tokens, text, tuple(lines))


def _units(record: Record, worth: float, note: str, total: int, *, new: bool) -> list[_Unit]:
    places = tuple(range(len(record.lines)))
    if len(places) <= TOGETHER:
        return [_Unit(worth, record, places, note, total, new)]
    units = [_Unit(worth, record, places[:HEAD] + places[-END:], note, total, new)]
    middle = places[HEAD:-END]
    for i in range(0, len(middle), PIECE):
        units.append(_Unit(worth - 1 - i / PIECE * 0.3, record, middle[i : i + PIECE], "", total, new))
    return units


def clip(text: str) -> str:
    """Leave out the middle of a line that is too long to show, and say how much."""
    if len(text) <= WIDEST:
        return text
    head, tail = WIDEST * 7 // 10, WIDEST * 2 // 10
    return f"{text[:head]} [{len(text) - head - tail} characters left out] {text[-tail:]}"


def _price(text: str) -> float:
    return weigh(text) + _FOREIGN * sum(1 for char in text if char > "\x7f")


def _head(reading: Reading, templates: int) -> str:
    times = [stretch for stretch in reading.slices if stretch.start is not None]
    span = ""
    if times and times[-1].end is not None and times[0].start is not None:
        span = f", {_clock(times[0].start)} to {_clock(times[-1].end)}"
    what = f"{reading.lines} lines, {reading.records} records, {templates} templates{span}"
    if reading.skipped:
        what += f" ({reading.skipped} earlier lines skipped)"
    if reading.baseline:
        what += f", compared with {reading.baseline} lines before"
    sources = ""
    if len(reading.sources) > 1:
        named = [f"{source} from line {first}" for source, first in reading.sources[:8]]
        more = len(reading.sources) - 8
        sources = "Sources: " + ", ".join(named) + (f" and {more} more" if more > 0 else "") + "\n"
    return f"Log: {what}\n{sources}"


def _gone(reading: Reading, redact: Callable[[str], str]) -> str:
    """Name what was frequent in the baseline and is silent now."""
    if not reading.baseline:
        return ""
    silent = []
    for number, group in members(reading).items():
        before = sum(seen.before for seen in group)
        if before >= 3 and not any(seen.count for seen in group):
            silent.append((before, number))
    silent.sort(key=lambda item: (-item[0], item[1]))
    lines = [
        f"gone silent: {redact(spell(reading.shapes[number]))[:120]} (x{before} before)\n"
        for before, number in silent[:5]
    ]
    if len(silent) > 5:
        lines.append(f"gone silent: {len(silent) - 5} more\n")
    return "".join(lines)


def _foot(lines: int, templates: int, total: int) -> str:
    return f"Left out: {lines} lines; {templates} of {total} templates are not shown.\n"


def _clock(micros: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(micros / 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _marks(lines: list[tuple[int, str]], left: float) -> dict[int, str]:
    """Choose where to note the time: at the shown lines before which most was left out, as far as they are paid."""
    gaps = []
    before = 0
    for number, time in lines:
        if time and number > before + 1:
            gaps.append((before - number, number, f"-- {time} --\n"))
        before = number
    marks: dict[int, str] = {}
    for _, number, mark in sorted(gaps)[:MARKS]:
        left -= _price(mark)
        if left < 0:
            break
        marks[number] = mark
    return marks

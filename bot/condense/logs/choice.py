"""Which lines to show first: every kept record gets a worth, and the order of worth is the same for every budget.

Signals are weighed by how much they tell in this very log, in bits. Where every third line says ``error`` that word
tells little, and being rare tells much; in a build log nearly every line is unique, and the word tells all. So one rule
serves both. A line near a worthy one is worth a part of it, and each repetition of a message less than the one before.

The weights were set on failed builds and on faults planted in noisy logs together. Halving or doubling one changed what
was found there by at most .06, but for ``LOUD``: doubled, it lets the words of trouble drown what is rare.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from bot.condense.logs.clock import instant
from bot.condense.logs.plain import plain
from bot.condense.logs.reader import BINS, Reading, Slice, read
from bot.condense.logs.records import Record, records
from bot.condense.logs.signs import ERROR, FATAL, WARNING

LOUD: Final = {WARNING: 0.4, ERROR: 1.0, FATAL: 1.25}
"""Weight of being among the lines at least as loud."""
RARE: Final = 1.0
"""Weight of being among the lines whose message is at most as frequent."""
LATE: Final = 0.6
"""Weight of being among the lines whose message was first seen no earlier."""
BURST: Final = 1.25
"""Weight of coming in a burst."""
FEWEST: Final = 20
"""Lines of a message from which on a burst can be told from chance."""
MOST: Final = 11.0
"""Bits that one signal can give: more would let a single signal decide in long logs."""
TRACE: Final = 2.0
"""Bits for a record of several lines: a program explains itself."""
UNSEEN: Final = 8.0
"""Bits for what the baseline does not know."""
STARTED: Final = 5.0
"""Bits for what was first seen around the time that was asked about."""
AROUND: Final = (-15 * 60 * 1_000_000, 5 * 60 * 1_000_000)
"""From when to when that is, in microseconds: causes come before the alert, which waits before it fires."""
REPEAT: Final = 1.6
"""Weight of having been said before."""
BEFORE: Final = (1.0, 0.7)
AFTER: Final = (2.0, 1.0)
"""Bits that the neighbour before or after a worthy record is worth less than it, and for each further line."""
COMMON: Final = 2.2
"""Weight of being frequent, for a neighbour: what is said all the time explains nothing."""
LENGTH: Final = 0.7
"""Weight of being long (against ``USUAL`` characters), since it costs the place of others."""
USUAL: Final = 120

_NOTHING: Final = -99.0
_EXIT = re.compile(r"##\[error\]|\bexit(?:ed)?\b.{0,30}\b[1-9]\d{0,2}\b", re.I)


class Ranked(NamedTuple):
    """A record and its worth in bits."""

    worth: float
    record: Record


def choose(reading: Reading, *, around: int | None = None, year: int = 1970) -> list[Ranked]:
    """Return every kept record, the most worthy first. Deterministic.

    ``around`` (UTC microseconds) is the time of an alert: what began shortly before is worth more. ``year`` completes
    times that have none.
    """
    totals: Counter[int] = Counter()
    for number, seen in reading.seen.items():
        totals[reading.template[number]] += seen.count
    found = records(reading, totals)
    own = _weigh(reading, found, totals, _started(reading, around, year) if around is not None else set())
    dull = [COMMON * math.log2(max(1, totals[record.template])) for record in found]
    ranked = [
        Ranked(worth - LENGTH * math.log2(1 + sum(len(line.text) for line in record.lines) / USUAL), record)
        for worth, record in zip(_spread(found, own, dull), found, strict=True)
    ]
    ranked.sort(key=lambda one: (-one.worth, one.record.number))
    return ranked


def _weigh(reading: Reading, found: Sequence[Record], totals: Mapping[int, int], started: set[int]) -> list[float]:
    """Weigh each record by itself."""
    known: Counter[int] = Counter()
    first: dict[int, int] = {}
    bins: dict[int, list[int]] = {}
    as_loud = [0, 0, 0, 0]
    for number, seen in reading.seen.items():
        template = reading.template[number]
        known[template] += seen.before
        if seen.count:
            first[template] = min(first.get(template, seen.first), seen.first)
            for loud in range(seen.loud + 1):
                as_loud[loud] += seen.count
            counts = bins.setdefault(template, [0] * BINS)
            for i, n in enumerate(seen.bins):
                counts[i] += n
    as_rare = _as_rare(totals.values())
    as_late = _as_late(first, totals)
    bursts = {one: _burst(counts, reading.slices) for one, counts in bins.items() if totals[one] >= FEWEST}
    end = max((one.number for one in found if one.loud == FATAL and _EXIT.search(one.lines[0].text)), default=None)

    def bits(lines: int) -> float:
        return min(MOST, math.log2(max(1, reading.lines) / max(1, lines)))

    said: Counter[int] = Counter()
    worth = []
    for record in found:
        template = record.template
        value = LOUD.get(record.loud, 0.0) * bits(as_loud[record.loud]) + RARE * bits(as_rare[totals[template]])
        if end is None or record.number <= end:  # what follows the last exit reason is cleaning up
            value += LATE * bits(as_late[template])
        value += BURST * bursts.get(template, 0.0)
        if len(record.lines) > 1:
            value += TRACE
        if reading.baseline and not known[template]:
            value += UNSEEN
        if template in started:
            value += STARTED
        value -= REPEAT * math.log2(1 + said[template])
        said[template] += 1
        worth.append(value if any(line.text for line in record.lines) else _NOTHING)
    return worth


def _spread(found: Sequence[Record], own: Sequence[float], dull: Sequence[float]) -> list[float]:
    """Let a worthy record lend worth to its neighbours, less with distance."""
    worth = list(own)
    forward = range(len(found))
    for places, (near, step) in ((forward, AFTER), (reversed(forward), BEFORE)):
        lent, last = _NOTHING, 0
        for i in places:
            lent -= step * abs(found[i].number - last)
            last = found[i].number
            worth[i] = max(worth[i], lent - dull[i])
            lent = max(lent, own[i] - near)
    return worth


def _as_rare(totals: Iterable[int]) -> dict[int, int]:
    """Map each count to the number of lines whose message is at most as frequent."""
    lines: dict[int, int] = {}
    running = 0
    for total, messages in sorted(Counter(totals).items()):
        running += total * messages
        lines[total] = running
    return lines


def _as_late(first: Mapping[int, int], totals: Mapping[int, int]) -> dict[int, int]:
    """Map each template to the number of lines whose message was first seen no earlier."""
    lines: dict[int, int] = {}
    running = 0
    for template in sorted(first, key=first.__getitem__, reverse=True):
        running += totals[template]
        lines[template] = running
    return lines


def _burst(counts: Sequence[int], slices: Sequence[Slice]) -> float:
    """Say in bits how unevenly a message is spread over the log: 0 like all lines, 4 if it came in a sixteenth of it.

    That is the divergence of its spread from that of all lines, less what chance alone makes of so few.
    """
    total, lines = sum(counts), sum(stretch.lines for stretch in slices)
    bits = sum(
        n / total * math.log2(n * lines / (total * stretch.lines))
        for n, stretch in zip(counts, slices, strict=False)
        if n
    )
    return max(0.0, bits - (len(slices) - 1) / (2 * total * math.log(2)))


def _started(reading: Reading, around: int, year: int) -> set[int]:
    """Return the templates that were first seen around a time."""
    firsts: dict[int, tuple[int, bytes]] = {}
    for number, seen in reading.seen.items():
        if seen.samples:
            template = reading.template[number]
            firsts[template] = min(firsts.get(template, seen.samples[0]), seen.samples[0])
    started = set()
    for template, (_, raw) in firsts.items():
        when = instant(read(plain(raw)).head.time, year)
        if when is not None and AROUND[0] <= when - around <= AROUND[1]:
            started.add(template)
    return started

"""The templates of a log as plain data: what is constant, what varies and how, how often, when and where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bot.condense.logs.plain import plain
from bot.condense.logs.reader import Reading, Seen, read
from bot.condense.logs.shape import STAR, Shape

RATE: Final = 24
TOP: Final = 3
PLACES: Final = 12
"""Variable parts of one template that are described."""
LONGEST: Final = 500
LEVELS: Final = ("info", "warning", "error", "fatal")


@dataclass(frozen=True, slots=True)
class Values:
    """What stood in one variable part, in the lines that were sampled: the top values with how many of those lines had
    them, how many different ones there were, and least, median and greatest where all were numbers."""

    place: int
    sampled: int
    distinct: int
    top: tuple[tuple[str, int], ...]
    numbers: tuple[float, float, float] | None


@dataclass(frozen=True, slots=True)
class Template:
    """One template. ``rate`` counts it over equal stretches of the log; ``before`` is its count in the baseline,
    ``severity`` one of ``LEVELS``; line numbers count from 1; times are as the log writes them."""

    id: str
    template: str
    count: int
    first_line: int
    last_line: int
    first_time: str
    last_time: str
    example: str
    severity: str
    rate: tuple[int, ...]
    sources: tuple[tuple[str, int], ...]
    values: tuple[Values, ...]
    before: int


def members(reading: Reading) -> dict[int, list[Seen]]:
    """Return the messages of each template, by the template's number."""
    found: dict[int, list[Seen]] = {}
    for number, seen in reading.seen.items():
        found.setdefault(reading.template[number], []).append(seen)
    return dict(sorted(found.items()))


def name(number: int) -> str:
    """Return the id of a template: ``T1`` is the one seen first."""
    return f"T{number + 1}"


def templates(reading: Reading, redact: Callable[[str], str], *, describe: int = 200) -> list[Template]:
    """Return every template in the order of first appearance; one that was only in the baseline has count 0.

    ``redact`` is applied to all that leaves. Values are described for the ``describe`` most frequent templates.
    """
    groups = members(reading)
    order = sorted(groups, key=lambda number: (-sum(seen.count for seen in groups[number]), number))
    described = set(order[:describe])
    return [_template(reading, number, seen, redact, described=number in described) for number, seen in groups.items()]


def rate(reading: Reading, group: Sequence[Seen], columns: int = RATE) -> tuple[int, ...]:
    """Count a template's lines over equal stretches of the log (by lines, as the log is written)."""
    counts = [0.0] * columns
    total = max(1, reading.lines)
    for i, stretch in enumerate(reading.slices):
        lines = sum(seen.bins[i] for seen in group if i < len(seen.bins))
        if not lines:
            continue
        start = (stretch.first - 1) / total * columns
        end = (stretch.first - 1 + stretch.lines) / total * columns
        column = int(start)
        while column < columns and column < end:
            share = (min(end, column + 1) - max(start, column)) / (end - start)
            counts[column] += lines * share
            column += 1
    return tuple(round(n) for n in counts)


def spell(form: Shape) -> str:
    """Write a shape the way people write templates: ``Received block blk_<*> of size <*>``."""
    return "".join(token if token[-1] != STAR else token[:-1] + "<*>" for token in form)


def _template(
    reading: Reading, number: int, group: Sequence[Seen], redact: Callable[[str], str], *, described: bool
) -> Template:
    seen = [one for one in group if one.count]
    samples = sorted(sample for one in group for sample in one.samples)
    first = min(seen, key=lambda one: one.first, default=group[0])
    example = samples[0][1] if samples else b""
    texts = [plain(raw) for _, raw in samples]
    sources: Counter[str] = Counter()
    for one in seen:
        for source, lines in one.sources.items():
            sources[reading.sources[source][0]] += lines
    heads = [read(text).head for text in (*texts[:1], *texts[-1:])]
    for head in heads:
        if head.source and not sources:
            sources[head.source] = 0
    form = reading.shapes[number]
    return Template(
        id=name(number),
        template=redact(spell(form)[:LONGEST]),
        count=sum(one.count for one in seen),
        first_line=first.first,
        last_line=max((one.last for one in seen), default=0),
        first_time=heads[0].time if heads else "",
        last_time=heads[-1].time if heads else "",
        example=redact(plain(example)[:LONGEST]),
        severity=LEVELS[max((one.loud for one in group), default=0)],
        rate=rate(reading, seen),
        sources=tuple(sources.most_common(TOP)),
        values=_values(form, texts, redact) if described else (),
        before=sum(one.before for one in group),
    )


def _values(form: Shape, texts: Sequence[str], redact: Callable[[str], str]) -> tuple[Values, ...]:
    """Read the variable parts of the sampled lines with a pattern made of the template (matched in linear time)."""
    import re2

    stars = sum(1 for token in form if token[-1] == STAR)
    if not stars or stars > PLACES:
        return ()
    pattern = "".join(_piece(token) for token in form)
    try:
        matcher = re2.compile(f"^{pattern}\\s*$")
    except re2.error:
        return ()
    columns: list[list[str]] = [[] for _ in range(stars)]
    for text in texts:
        found = matcher.match(read(text).message.strip())
        if found:
            for column, value in zip(columns, found.groups(), strict=True):
                column.append(value or "")
    return tuple(_describe(place, column, redact) for place, column in enumerate(columns) if len(set(column)) > 1)


def _piece(token: str) -> str:
    if token == STAR:
        return "(.*?)"
    if token[-1] == STAR:
        return _escape(token[:-1]) + "(\\S*?)"
    return "\\s+" if token.isspace() else _escape(token)


def _escape(text: str) -> str:
    return "".join(char if char.isalnum() or char == "_" or char > "\x7f" else "\\" + char for char in text)


def _describe(place: int, column: Sequence[str], redact: Callable[[str], str]) -> Values:
    from statistics import median

    counts: Mapping[str, int] = Counter(column)
    top = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:TOP]
    numbers = [_number(value) for value in column]
    known = [value for value in numbers if value is not None]
    return Values(
        place=place,
        sampled=len(column),
        distinct=len(counts),
        top=tuple((redact(value[:80]), n) for value, n in top),
        numbers=(min(known), median(known), max(known)) if known and len(known) == len(column) else None,
    )


def _number(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if abs(number) < 1e300 else None

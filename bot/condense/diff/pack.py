"""Show as much of a diff as a budget pays for, and say exactly which lines that are.

The text is made of sections, one a file, the riskiest first::

    ## deploy/app.yaml +3 -1
    @@ -12 +12
    -  replicas: 3
    +  replicas: 1

``@@`` gives the old and the new number of the line that follows, and only the one where all lines of the run are
removed or all are added; a gap begins another ``@@``. Every line of a file begins with ``+``, ``-`` or a space, so
nothing in a file can pass for a header. A piece that occurs more than once is written once, after ``&1 4`` (a name, and
how many lines it has); elsewhere ``*1 4`` stands for these lines.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from bot.condense.diff.classify import ASIDE, Kind, classify
from bot.condense.diff.cost import SLACK, line_cost
from bot.condense.diff.order import Assessed, Plan, Step, plan
from bot.condense.diff.patch import FilePatch, Patch, Status
from bot.condense.diff.pieces import Piece
from bot.condense.diff.sheet import Cost, Sheet, reference_line
from bot.condense.diff.shown import Redact, cut, texts, visible
from bot.condense.risk.assess import assess
from bot.condense.risk.rule import Risk

Numbers = Mapping[Literal["+", "-"], tuple[int, ...]]

_REPEATED_AT_ONCE: Final = 12
"""Lines up to which a repeated piece is shown whole as soon as anything of it is."""
_WORTH_A_NAME: Final = 12
"""Tokens from which on a repeated piece is cheaper to name than to write again."""
_WIDE: Final = 200
_UNREADABLE: Final = frozenset({"no patch", "damaged", "combined", "binary"})
_LEGEND: Final = "Riskiest files first. @@ -old +new: line numbers. &n k names the next k lines, *n k repeats them."


@dataclass(frozen=True, slots=True)
class Shown:
    """What became of one file: of how many hunks something is shown, of how many changed lines.

    ``why`` says why not all is; it is empty where all is, or where there is nothing to show.
    """

    path: str
    old_path: str | None
    status: Status
    kind: Kind
    notes: tuple[str, ...]
    hunks: int
    kept_hunks: int
    lines: int
    kept_lines: int
    why: str


@dataclass(frozen=True, slots=True)
class Packed:
    """A packed diff. ``tokens`` is the estimated cost of ``text``, at most the budget.

    ``kept`` has, by path, the new-file numbers of the added and the old-file numbers of the removed lines that ``text``
    contains as they are; ``altered`` has those that it contains redacted, cut, or with hidden characters spelled out.
    ``risks`` are those of all files, shown or not.
    """

    text: str
    tokens: int
    files: tuple[Shown, ...]
    kept: Mapping[str, Numbers]
    altered: Mapping[str, Numbers]
    risks: Mapping[str, tuple[Risk, ...]]


def prepare(patch: Patch) -> Plan:
    """Return all that packing needs and no budget changes: kinds, risks, and the order of worth."""
    return plan([Assessed(file, classify(file), assess(file)) for file in patch.files])


def pack(prepared: Plan, budget: int, *, redact: Redact, cost: Cost = line_cost) -> Packed:
    """Return the most telling part of a diff that costs at most ``budget`` by the sum of ``cost`` over its lines.

    ``redact`` is applied to everything that is shown. More budget never shows less. Deterministic as far as ``redact``
    and ``cost`` are.
    """
    packing = _Packing(prepared, budget, redact, cost)
    for step in prepared.steps():
        if not packing.take(step):
            break
    return packing.result()


class _Packing:
    """The text as it grows, step by step, and what it costs so far."""

    def __init__(self, prepared: Plan, budget: int, redact: Redact, cost: Cost) -> None:
        self._plan, self._budget, self._redact, self._cost = prepared, budget, redact, cost
        self._headers: dict[int, str] = {}
        self._sheets: dict[tuple[int, int], Sheet] = {}
        self._names: dict[tuple[str, ...], int] = {}
        self._often = _repeated(prepared, cost)
        # Nothing named is the longest that the last line can be.
        self._spent = SLACK + cost(_LEGEND) + cost(_rest(prepared, frozenset(), 0))

    def take(self, step: Step) -> bool:
        """Show what ``step`` says, if it can be paid for; False where it cannot."""
        if step.hunk is None:
            return self._pay(step.file, 0.0)
        sheet = self._sheet(step.file, step.hunk)
        if step.piece is not None and self._named(sheet, step, step.piece):
            return self._take_whole(sheet, step.file, step.piece)
        for at in step.lines:
            if not sheet.shows(at):
                if not self._pay(step.file, sheet.price((at,), text=True)):
                    return False
                sheet.show((at,))
        return True

    def result(self) -> Packed:
        """Return what has been shown."""
        kept: dict[str, dict[str, set[int]]] = {}
        altered: dict[str, dict[str, set[int]]] = {}
        lines = [_LEGEND]
        shown: dict[int, list[int]] = {}
        written: set[int] = set()
        for n in self._plan.rank:
            file = self._plan.files[n].file
            if n in self._headers:
                lines.append(self._headers[n])
            sheets = [self._sheets[n, hunk] for hunk in range(len(file.hunks)) if (n, hunk) in self._sheets]
            for sheet in sheets:
                lines += sheet.render(written)
                for line, text in sheet.changes():
                    into = kept if text == line.text.removesuffix("\r") else altered
                    sides = into.setdefault(file.path, {"+": set(), "-": set()})
                    sides[line.sign].add(line.new or line.old or 0)
            shown[n] = [sum(1 for _ in sheet.changes()) for sheet in sheets]
        seen = sum(map(sum, shown.values()))
        lines.append(_rest(self._plan, frozenset(self._headers), seen))
        fits = self._spent <= self._budget
        return Packed(
            "\n".join(lines) + "\n" if fits else "",
            math.ceil(SLACK + sum(map(self._cost, lines))) if fits else 0,
            tuple(_account(item, shown[n], n in self._headers) for n, item in enumerate(self._plan.files)),
            _numbers(kept),
            _numbers(altered),
            self._plan.risks,
        )

    def _pay(self, file: int, price: float) -> bool:
        """Spend ``price``, and what the file's header costs where it is not there yet; False where it is too much."""
        header = "" if file in self._headers else _header(self._plan.files[file], self._redact)
        price += self._cost(header) if header else 0.0
        if math.ceil(self._spent + price) > self._budget:
            return False
        self._spent += price
        if header:
            self._headers[file] = header
        return True

    def _sheet(self, file: int, hunk: int) -> Sheet:
        if (file, hunk) not in self._sheets:
            lines = self._plan.lines[file][hunk]
            self._sheets[file, hunk] = Sheet(
                self._plan.files[file].file, hunk, lines, texts(lines, self._redact), self._cost
            )
        return self._sheets[file, hunk]

    def _named(self, sheet: Sheet, step: Step, piece: Piece) -> bool:
        """Whether the piece is shown as a whole now: by its name, or so that it gets one."""
        if piece not in self._often or piece.start in sheet.named:
            return False
        return step.whole or piece.end - piece.start <= _REPEATED_AT_ONCE or sheet.key(piece) in self._names

    def _take_whole(self, sheet: Sheet, file: int, piece: Piece) -> bool:
        key, lines = sheet.key(piece), range(piece.start, piece.end)
        known = self._names.get(key)
        reference = known or len(self._names) + 1, len(lines)
        mark = reference_line("*" if known else "&", *reference)
        if not self._pay(file, sheet.price(lines, text=not known) + self._cost(mark)):
            return False
        sheet.named[piece.start] = reference
        self._names[key] = reference[0]
        sheet.show(lines)
        return True


def _repeated(prepared: Plan, cost: Cost) -> frozenset[Piece]:
    """Return the pieces whose text stands in the diff more than once, where naming is cheaper than writing again."""
    places: dict[tuple[str, ...], list[Piece]] = {}
    for piece in prepared.pieces():
        lines = prepared.lines[piece.file][piece.hunk][piece.start : piece.end]
        places.setdefault(tuple(line.sign + line.text for line in lines), []).append(piece)
    return frozenset(
        piece
        for texts, pieces in places.items()
        if len(pieces) > 1 and sum(cost(text[:_WIDE]) for text in texts) >= _WORTH_A_NAME
        for piece in pieces
    )


def _header(item: Assessed, redact: Redact) -> str:
    """Return the line that names a file, counts its lines, and says what they cannot say."""
    file = item.file
    facts: list[str] = [fact for fact in (file.status, item.kind) if fact not in ("modified", "source")]
    facts += file.notes
    said = f" ({', '.join(facts)})" if facts else ""
    return cut(visible(redact(f"## {paths(file)} +{file.count('+')} -{file.count('-')}{said}")))


def paths(file: FilePatch) -> str:
    """Return the path; of a moved file ``one/{old => new}/name``, as git writes it."""
    if not file.old_path or file.old_path == file.path:
        return file.path
    old, new = file.old_path.split("/"), file.path.split("/")
    same = _alike(old, new)
    tail = _alike(old[same:][::-1], new[same:][::-1])
    middle = f"{{{'/'.join(old[same : len(old) - tail])} => {'/'.join(new[same : len(new) - tail])}}}"
    return "/".join((*new[:same], middle, *new[len(new) - tail :]))


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    """Return how many parts two paths have in common at their beginning."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _rest(prepared: Plan, named: frozenset[int], seen: int) -> str:
    """Return the last line: what was not shown."""
    kinds = Counter(item.kind for n, item in enumerate(prepared.files) if n not in named)
    left = prepared.changed - seen
    blind = sum(not _UNREADABLE.isdisjoint(item.file.notes) for item in prepared.files)
    unread = f" Which lines were changed is not known of {blind} file{'s' * (blind > 1)}." if blind else ""
    if not kinds and not left:
        return f"Every changed line {'that is known ' if blind else ''}is shown.{unread}"
    files = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    return f"Not shown: {left} of {prepared.changed} changed lines" + (
        f"; not named: files of {files}.{unread}" if files else f".{unread}"
    )


def _account(item: Assessed, visible_lines: Sequence[int], named: bool) -> Shown:
    """Return what became of a file with so many ``visible_lines`` in each hunk that shows any."""
    file = item.file
    hunks, lines = sum(map(bool, visible_lines)), sum(visible_lines)
    total = file.count("+") + file.count("-")
    reasons = [note for note in file.notes if not total or note == "damaged"]
    if lines < total:
        reasons.append(f"{item.kind} file, after all others: over budget" if item.kind in ASIDE else "over budget")
    elif not named:
        reasons.append("not named: over budget")
    return Shown(
        file.path,
        file.old_path,
        file.status,
        item.kind,
        file.notes,
        len(file.hunks),
        hunks,
        total,
        lines,
        "; ".join(reasons),
    )


def _numbers(sides: Mapping[str, Mapping[str, set[int]]]) -> dict[str, Numbers]:
    return {path: {"+": tuple(sorted(of["+"])), "-": tuple(sorted(of["-"]))} for path, of in sorted(sides.items())}

"""The kept lines as records: one line, or a trace with all of its lines, ready to be weighed and shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from bot.condense.logs.plain import plain
from bot.condense.logs.reader import Reading, read
from bot.condense.logs.signs import ERROR, QUIET, is_red, loudness
from bot.condense.logs.trace import Follower, Kind, kind

_BLOCK: Final = 200
"""Lines from a key's or certificate's BEGIN to its END are one record: only as a whole is it known for a secret."""


class Shown(NamedTuple):
    """A line as it is shown: its number, its text without the time, and the time it carried, as written."""

    number: int
    text: str
    time: str


class Record(NamedTuple):
    """One line or one trace. ``template`` is that of its rarest line, ``loud`` that of its loudest."""

    lines: tuple[Shown, ...]
    template: int
    loud: int

    @property
    def number(self) -> int:
        """The number of its first line."""
        return self.lines[0].number


def records(reading: Reading, totals: Mapping[int, int]) -> list[Record]:
    """Return the kept lines as records, in the order of the log. ``totals`` counts the lines of each template."""
    found: list[Record] = []
    joined: list[Shown] = []
    follow = Follower()
    before = 0
    echoed = False
    block = 0
    for line in reading.kept:
        head, _, text = read(plain(line.raw))
        what = kind(text)
        loud = loudness(text, head.level)
        if text.startswith("##["):
            echoed = text.startswith("##[group]Run ") or (echoed and not text.startswith("##[endgroup]"))
        if echoed:  # GitHub Actions prints a step's script before it runs: that is no outcome
            loud = QUIET
        elif is_red(line.raw):
            loud = max(loud, ERROR)
        if line.number != before + 1:
            follow = Follower()
            block = 0
        before = line.number
        continues = follow.continues(what, severe=loud >= ERROR, headed=bool(head.level))
        if block:
            block = 0 if "-----END " in text else block - 1
            continues = True
        elif "-----BEGIN " in text and "-----END " not in text:
            block = _BLOCK
        shown = Shown(line.number, text.rstrip(), head.time)
        template = reading.resolve(line.id)
        if continues and found:
            joined.append(shown)
            last = found[-1]
            if what not in (Kind.INDENTED, Kind.BLANK):
                template = min(last.template, template, key=totals.__getitem__)
            else:
                template = last.template
            found[-1] = Record(last.lines, template, max(last.loud, loud))
            continue
        if joined:
            found[-1] = found[-1]._replace(lines=(*found[-1].lines, *joined))
            joined = []
        found.append(Record((shown,), template, loud))
    if joined:
        found[-1] = found[-1]._replace(lines=(*found[-1].lines, *joined))
    return found

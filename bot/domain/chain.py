"""The chain of the audit, checked: the first row that is not as it was written, and what was done to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from bot.domain.audit import GENESIS, PURPOSE, row_hash
from bot.domain.canonical import canonical, digest
from bot.domain.keys import Keys

Fault = Literal["", "edited", "forged", "deleted", "reordered", "forked", "truncated"]

NEAR = 50_000
"""Rows to either side of a row that are tried as the one it was written as: 0.3 s. A counter can say anything."""


class Row(NamedTuple):
    """A row as it is stored: ``data`` is canonical JSON. Faults of type are found, so nothing is taken for granted."""

    seq: int
    at: int
    kind: str
    actor: str
    subject: str
    data: str
    previous: str
    hash: str
    signature: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome: how many rows hold, the hash of the last of them, and what is wrong with the first that does not.

    ``edited``: its content is not what was hashed; ``forged``: hashed, but not signed by a key of ours; ``deleted``: a
    row is missing before it; ``reordered``: it stands in another row's place; ``forked``: it follows another row than
    the one before, or is not the row that was anchored; ``truncated``: the chain ends before its known end.
    ``signed`` says whether signatures were checked, ``anchored`` how many anchors were met.
    """

    rows: int
    head: str
    first_bad: int | None = None
    problem: str = ""
    fault: Fault = ""
    signed: bool = False
    anchored: int = 0


def check(
    rows: Iterable[Any],
    *,
    keys: Keys | None = None,
    anchors: Mapping[int, str] | None = None,
    counted: int = 0,
    strict: bool = False,
    first: int = 1,
    before: str = GENESIS,
    where: Callable[[str], int | None] = lambda _hash: None,
) -> Verdict:
    """Check rows in their order, in constant memory, until the first that is bad.

    ``anchors`` are hashes by number that were noted elsewhere; ``counted`` is how many rows there must be at least.
    ``first`` and ``before`` are the number of the first row and the hash that it follows, for a part of the chain.
    ``keys`` checks signatures too, ``strict`` that the stored text is the canonical form of what it says. ``where``
    finds the number of a row by its hash, to explain a fault.
    """
    known = dict(anchors or {})
    signature_fault = keys.checker(PURPOSE) if keys else None
    expected, head, met = first, before, 0

    def bad(seq: int, fault: Fault, problem: str) -> Verdict:
        return Verdict(expected - first, head, seq, problem, fault, keys is not None, met)

    for raw in rows:
        seq, at, kind, actor, subject, data, previous, stored, signature = raw
        if seq != expected:
            return bad(*_misplaced(Row(*raw), expected))
        try:
            value = row_hash(seq, at, kind, actor, subject, data, previous)
        except (TypeError, ValueError):
            return bad(seq, "edited", f"row {seq} was changed: it cannot be read")
        if value != stored or previous != head:
            return bad(*_explain(Row(*raw), value, max(counted, expected), where))
        if signature_fault is not None:
            why = signature_fault(stored.encode(), signature)
            if why:
                return bad(seq, "forged", f"row {seq} was not written by Signoff: {why}")
        if strict and not _is_canonical(Row(*raw)):
            return bad(seq, "edited", f"row {seq} was changed: its text is not the canonical form of what it says")
        if seq in known:
            if known[seq] != stored:
                return bad(seq, "forked", f"row {seq} is not the one that was anchored: the chain was written anew")
            met += 1
        expected, head = expected + 1, stored
    last = max([counted, *known])
    if expected <= last:
        said = f"up to row {last} they were " + ("anchored" if last in known else "written")
        return bad(expected, "truncated", f"row {expected} is missing, and all that followed: {said}")
    return Verdict(expected - first, head, None, "", "", keys is not None, met)


def _misplaced(row: Row, expected: int) -> tuple[int, Fault, str]:
    seq: Any = row.seq
    if not isinstance(seq, int):
        return expected, "edited", f"row {expected} was changed: its number is none"
    if seq > expected:
        return expected, "deleted", f"row {expected} is missing: the next row is {seq}"
    return min(expected, seq), "reordered", f"row {seq} stands where row {expected} should be"


def _explain(row: Row, value: str, last: int, where: Callable[[str], int | None]) -> tuple[int, Fault, str]:
    """Say what was done to a row whose hash does not fit: found only now, so it may take a moment."""
    seq = row.seq
    if value != row.hash:
        for other in range(max(1, seq - NEAR), min(last, seq + NEAR) + 1):
            if other != seq and _hash_as(row, other) == row.hash:
                return seq, "reordered", f"row {seq} stands in another's place: it was written as row {other}"
        return seq, "edited", f"row {seq} was changed: its hash does not match its content"
    follows = where(row.previous)
    if follows is not None and follows < seq - 1:
        return seq, "forked", f"row {seq} does not follow row {seq - 1} but row {follows}: the chain forks there"
    return seq, "edited", f"row {seq} does not follow row {seq - 1}: one of the two was written anew"


def _hash_as(row: Row, seq: int) -> str:
    try:
        return row_hash(seq, row.at, row.kind, row.actor, row.subject, row.data, row.previous)
    except (TypeError, ValueError):
        return ""


def _is_canonical(row: Row) -> bool:
    """Say whether the row, parsed and serialised anew as a whole, is what was hashed."""
    try:
        whole = row._asdict() | {"data": json.loads(row.data)}
        del whole["hash"], whole["signature"]
        return digest(canonical(whole)) == row.hash
    except (TypeError, ValueError, RecursionError):
        return False

"""The chain: every way in which somebody may tamper with it is found at its first row and called by its name."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.audit import GENESIS, PURPOSE, row_hash
from bot.domain.canonical import canonical
from bot.domain.chain import Row, Verdict, check
from bot.domain.keys import Keys

KEYS = Keys.read("k1:" + "a" * 32)
OTHERS = Keys.read("k1:" + "b" * 32)
Rows = list[Row]


def written(
    number: int, *, keys: Keys | None = KEYS, start: int = 1, before: str = GENESIS, actor: str = "T1:U1"
) -> Rows:
    rows: Rows = []
    for seq in range(start, start + number):
        data = canonical({"n": seq, "text": "naïve “quotes” \u0000 \n </x>"}).decode()
        value = row_hash(seq, 1_000 + seq, "vote.counted", actor, f"A-{seq}", data, before)
        signature = keys.sign(PURPOSE, value.encode()) if keys else ""
        rows.append(Row(seq, 1_000 + seq, "vote.counted", actor, f"A-{seq}", data, before, value, signature))
        before = value
    return rows


def found(rows: Rows, **more: Any) -> Verdict:
    return check(rows, where={row.hash: row.seq for row in rows}.get, **{"keys": KEYS, "counted": len(rows)} | more)


def rehashed(rows: Rows, start: int, **changes: Any) -> Rows:
    """As somebody without our key would do it: a row is changed, and it and all that follow are hashed anew."""
    made = rows[:start]
    for row in rows[start:]:
        new = row._replace(previous=made[-1].hash if made else GENESIS, **(changes if row.seq == start + 1 else {}))
        made.append(new._replace(hash=row_hash(*new[:7])))
    return made


def test_an_untouched_chain_holds() -> None:
    rows = written(6)
    verdict = found(rows, strict=True, anchors={2: rows[1].hash, 6: rows[5].hash})
    assert verdict == Verdict(6, rows[-1].hash, signed=True, anchored=2)
    assert found([]) == Verdict(0, GENESIS, signed=True)


def edited(rows: Rows) -> Rows:
    return [*rows[:2], rows[2]._replace(actor="T1:U9"), *rows[3:]]


def deleted(rows: Rows) -> Rows:
    return rows[:2] + rows[3:]


def swapped(rows: Rows) -> Rows:
    return [*rows[:2], rows[3]._replace(seq=3), rows[2]._replace(seq=4), *rows[4:]]


def renumbered(rows: Rows) -> Rows:
    return rows[:2] + [row._replace(seq=row.seq - 1) for row in rows[3:]]


def inserted(rows: Rows) -> Rows:
    return [*rows[:2], rows[1]._replace(seq=3), *(row._replace(seq=row.seq + 1) for row in rows[2:])]


def forked(rows: Rows) -> Rows:
    other = written(1, start=3, before=rows[0].hash)[0]
    return [*rows[:2], other, *rows[3:]]


@pytest.mark.parametrize(
    ("tamper", "fault", "said"),
    [
        (edited, "edited", "row 3 was changed: its hash does not match its content"),
        (deleted, "deleted", "row 3 is missing: the next row is 4"),
        (swapped, "reordered", "it was written as row 4"),
        (renumbered, "reordered", "it was written as row 4"),
        (inserted, "reordered", "it was written as row 2"),
        (forked, "forked", "row 3 does not follow row 2 but row 1"),
        (lambda rows: rehashed(rows, 2, actor="T1:U9"), "forged", "its signature does not match"),
        (lambda rows: rows[:2] + written(4, keys=OTHERS, start=3, before=rows[1].hash), "forged", "does not match"),
        (lambda rows: rows[:2] + written(4, keys=None, start=3, before=rows[1].hash), "forged", "it is not signed"),
        (lambda rows: [*rows[:2], rows[2]._replace(signature=rows[1].signature), *rows[3:]], "forged", "signature"),
        (lambda rows: [*rows[:2], rows[2]._replace(data="{"), *rows[3:]], "edited", "row 3 was changed"),
        (lambda rows: [*rows[:2], rows[2]._replace(actor=None), *rows[3:]], "edited", "it cannot be read"),
        (lambda rows: [*rows[:2], rows[2]._replace(hash="é"), *rows[3:]], "edited", "row 3 was changed"),
    ],
)
def test_what_was_done_is_named_at_the_first_bad_row(tamper: Callable[[Rows], Rows], fault: str, said: str) -> None:
    verdict = found(tamper(written(6)), counted=6)
    assert (verdict.first_bad, verdict.rows, verdict.fault) == (3, 2, fault)
    assert said in verdict.problem


def test_an_end_that_was_cut_off_shows_by_the_counter_and_by_an_anchor() -> None:
    rows = written(6)
    by_counter = found(rows[:4], counted=6)
    assert (by_counter.first_bad, by_counter.fault) == (5, "truncated")
    assert "up to row 6 they were written" in by_counter.problem
    by_anchor = found(rows[:4], counted=4, anchors={6: rows[5].hash})
    assert (by_anchor.first_bad, by_anchor.fault) == (5, "truncated")
    assert "up to row 6 they were anchored" in by_anchor.problem


@pytest.mark.parametrize(
    "changes", [{"seq": "two"}, {"actor": "\udcff", "hash": ""}, {"actor": None, "hash": None}, {"previous": b"\xff"}]
)
def test_what_no_hash_can_be_made_of_was_changed(changes: dict[str, Any]) -> None:
    rows = written(2)
    verdict = found([rows[0], rows[1]._replace(**changes)], keys=None)
    assert (verdict.first_bad, verdict.fault, verdict.rows) == (2, "edited", 1)


def test_a_counter_that_counts_what_cannot_be_delays_no_answer() -> None:
    assert found(edited(written(6)), counted=2**63 - 1).fault == "edited"
    assert found(written(6), counted=2**63 - 1).fault == "truncated"


def test_a_chain_that_was_written_anew_shows_by_an_anchor_even_with_our_key() -> None:
    rows = written(6)
    anew = rows[:3] + written(4, start=4, before=rows[2].hash, actor="T1:U9")
    assert found(anew).fault == ""
    verdict = found(anew, anchors={2: rows[1].hash, 5: rows[4].hash})
    assert (verdict.first_bad, verdict.fault, verdict.anchored) == (5, "forked", 1)


def test_only_the_strict_check_sees_text_that_is_not_canonical() -> None:
    row = written(1)[0]._replace(data='{"n": 1}')
    value = row_hash(*row[:7])
    row = row._replace(hash=value, signature=KEYS.sign(PURPOSE, value.encode()))
    assert found([row]).fault == ""
    verdict = found([row], strict=True)
    assert (verdict.first_bad, verdict.fault) == (1, "edited")
    assert "not the canonical form" in verdict.problem


def test_a_part_of_the_chain_is_checked_from_where_it_begins() -> None:
    rows = written(6)
    assert found(rows[3:], first=4, before=rows[2].hash, counted=6) == Verdict(3, rows[-1].hash, signed=True)
    assert found(rows[3:], first=4, before=rows[1].hash, counted=6).first_bad == 4


TEXT = st.text(st.characters(codec="utf-8"), max_size=20)


@given(TEXT, TEXT, TEXT, st.dictionaries(TEXT, TEXT, max_size=3), st.integers(0, 2**53 - 1))
def test_a_row_s_hash_is_that_of_its_canonical_json(kind: str, actor: str, subject: str, data: Any, at: int) -> None:
    text = canonical(data).decode()
    value = row_hash(1, at, kind, actor, subject, text, GENESIS)
    row = Row(1, at, kind, actor, subject, text, GENESIS, value, KEYS.sign(PURPOSE, value.encode()))
    assert found([row], strict=True).fault == ""


@given(st.integers(0, 5), st.sampled_from(Row._fields), st.data())
def test_no_column_of_no_row_can_be_changed(index: int, column: str, data: st.DataObject) -> None:
    rows = written(6)
    old = getattr(rows[index], column)
    new = data.draw(st.integers(-5, 20) if isinstance(old, int) else TEXT)
    if new == old:
        return
    rows[index] = rows[index]._replace(**{column: new})
    verdict = found(rows)
    assert verdict.fault != ""
    assert verdict.rows <= index

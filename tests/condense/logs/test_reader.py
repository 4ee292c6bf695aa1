import tracemalloc
from array import array
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.condense.logs.reader import BINS, Reader
from tests.condense.logs.reading import read_log, steady


def template_counts(data: bytes | str) -> list[int]:
    reading = read_log(data)
    totals = [0] * len(reading.shapes)
    for number, seen in reading.seen.items():
        totals[reading.template[number]] += seen.count
    return totals


def test_lines_are_counted_as_wc_does_and_the_last_one_may_lack_its_newline() -> None:
    assert read_log("").lines == 0
    assert read_log("\n").lines == 1
    assert read_log("a\nb\n").lines == 2
    assert read_log("a\n\nb").lines == 3


def test_every_line_belongs_to_one_template() -> None:
    assert sorted(template_counts("\n".join(steady(1000)))) == [250, 250, 250, 250]


def test_line_endings_do_not_matter() -> None:
    lines = steady(50)
    assert template_counts("\r\n".join(lines)) == template_counts("\n".join(lines))


def test_a_trace_counts_as_one_record() -> None:
    trace = 'Traceback (most recent call last):\n  File "/app/a.py", line 1, in f\n    x()\nKeyError: 1\n'
    reading = read_log("INFO ready\n" + trace + "INFO ready\n")
    assert (reading.lines, reading.records) == (6, 3)


def test_records_are_counted_the_same_when_everything_is_old_news() -> None:
    trace = "ERROR x: failed\njava.lang.IllegalStateException: no\n\tat a.B.c(B.java:1)\n\tat a.D.e(D.java:2)\n"
    reading = read_log(("INFO web: all is well\n" + trace) * 5000)
    assert (reading.lines, reading.records) == (25_000, 10_000)


def test_first_and_last_lines_are_known() -> None:
    lines = ["INFO a: tick 1"] * 40_000
    lines[777] = lines[30_000] = "ERROR b: tock 1"
    reading = read_log("\n".join(lines))
    (seen,) = (seen for seen in reading.seen.values() if seen.level == "error")
    assert (seen.count, seen.first, seen.last) == (2, 778, 30_001)


@given(st.lists(st.binary(max_size=40) | st.sampled_from([b"a 1", b"  at x(y:1)", b"\r", b""]), max_size=60), st.data())
@settings(max_examples=60)
def test_the_portions_in_which_bytes_arrive_do_not_matter(lines: list[bytes], data: st.DataObject) -> None:
    raw = b"\n".join(lines) * 20
    piece = data.draw(st.integers(1, max(1, len(raw))))
    whole, parts = read_log(raw), read_log(raw, piece=piece)
    assert whole.kept == parts.kept
    assert (whole.lines, whole.records, whole.size) == (parts.lines, parts.records, parts.size)
    assert {n: (s.shape, s.count, s.first, s.last) for n, s in whole.seen.items()} == {
        n: (s.shape, s.count, s.first, s.last) for n, s in parts.seen.items()
    }


def test_a_line_of_ten_megabytes_is_one_line_and_costs_no_memory() -> None:
    raw = b"start 1\n" + b"x" * 10_000_000 + b"\nend 2\n"
    tracemalloc.start()
    reading = read_log(raw, piece=1 << 16)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert reading.lines == 3
    assert max(len(line.raw) for line in reading.kept) <= 16_384
    assert peak < 4_000_000


def test_slices_are_bounded_and_cover_the_log() -> None:
    reading = read_log("\n".join(steady(60_000)))
    assert len(reading.slices) <= BINS
    assert sum(stretch.lines for stretch in reading.slices) == reading.lines
    assert [stretch.first for stretch in reading.slices] == sorted(stretch.first for stretch in reading.slices)
    for seen in reading.seen.values():
        assert sum(seen.bins) == seen.count


def test_since_skips_to_the_first_line_of_that_time_and_no_further() -> None:
    lines = steady(1000)
    lines.insert(600, "a line without a time")
    since = int(datetime(2026, 11, 21, 9, 5, tzinfo=UTC).timestamp() * 1_000_000)
    reading = read_log("\n".join(lines), since=since)
    assert (reading.skipped, reading.lines) == (300, 701)


@pytest.mark.parametrize("piece", [1000, 1 << 16, 1 << 20])
def test_overlong_lines_are_cut_alike_in_any_portions(piece: int) -> None:
    raw = b"start 1\n" + b"x" * 300_000 + b"\nmiddle 2\n" + b"y" * 20_000 + b"\n" + b"z" * 600_000
    assert [line.raw[:8] for line in read_log(raw, piece=piece).kept] == [
        b"start 1",
        b"xxxxxxxx",
        b"middle 2",
        b"yyyyyyyy",
        b"zzzzzzzz",
    ]


def test_the_baseline_may_be_older_than_since() -> None:
    since = int(datetime(2026, 11, 21, 9, 5, tzinfo=UTC).timestamp() * 1_000_000)
    reading = read_log("\n".join(steady(600)), since=since, baseline="\n".join(steady(100)))
    assert (reading.baseline, reading.lines) == (100, 300)


def test_the_baseline_is_remembered_and_not_counted() -> None:
    reading = read_log("INFO a: one 1\nINFO c: three 3\n", baseline="INFO a: one 9\nINFO b: two 2\n")
    assert reading.lines == 2
    assert reading.baseline == 2
    assert sorted((seen.before, seen.count) for seen in reading.seen.values()) == [(0, 1), (1, 0), (1, 1)]


def test_sources_begin_at_their_first_line() -> None:
    reader = Reader(year=2026)
    for name in ("one", "two"):
        reader.source(name)
        reader.feed(b"hello 1\nhello 2")
    reading = reader.finish()
    assert reading.sources == [("one", 1), ("two", 3)]
    (seen,) = reading.seen.values()
    assert seen.sources == {0: 2, 1: 2}


def test_ids_of_all_lines_are_handed_out_and_can_be_resolved_at_the_end() -> None:
    ids: array[int] = array("I")
    reader = Reader(year=2026, assigned=ids.extend)
    users = ("root", "news", "cyrus", "anna", "bob", "eve")
    reader.feed("".join(f"session opened for user {user}\n" for user in users).encode())
    reading = reader.finish()
    assert len(ids) == 6
    assert len({reading.resolve(number) for number in ids}) == 1


@pytest.mark.parametrize("words", [1, 3])
def test_memory_is_bounded_when_every_line_is_new(words: int) -> None:
    def line(i: int) -> str:
        name = "".join(chr(ord("g") + int(digit)) for digit in str(i * 7919))
        return f"INFO shop: {' '.join([name] * words)} said hello to {name}\n"

    reader = Reader(year=2026)
    tracemalloc.start()
    for start in range(0, 30_000, 1000):
        reader.feed("".join(line(i) for i in range(start, start + 1000)).encode())
    reading = reader.finish()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert reading.lines == 30_000
    assert len(reading.shapes) < 10
    assert peak < 40_000_000


def test_words_made_of_hexadecimal_letters_are_told_apart_where_it_matters() -> None:
    assert len(template_counts("disk sda of the cluster is dead\ndisk sda of the cluster is added\n")) == 2
    assert template_counts("node one is added today\nnode one is dead today\nnode one is added today\n") == [2, 1]
    assert len(template_counts("a 1\nb 2\n\nfade\nbeef\n")) == 5

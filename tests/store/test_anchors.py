"""Anchors: what is noted stays noted, a broken file is said, and memory is bounded."""

import resource
import signal
from pathlib import Path

import pytest

from bot.domain.chain import Row
from bot.store.anchors import REMEMBERED, AnchorError, Anchors, read


def row(seq: int, value: str = "") -> Row:
    return Row(seq, 1, "k", "a", "s", "{}", "0" * 64, value or f"{seq:064x}", "k1:x")


def test_what_is_written_is_read_again_by_the_next_process(tmp_path: Path) -> None:
    path = tmp_path / "anchors.jsonl"
    anchors = Anchors(path)
    anchors.load()
    for seq in (3, 7, 7, 5):
        anchors.write(row(seq), now=10)
    assert read(path) == ({3: f"{3:064x}", 7: f"{7:064x}"}, ())
    assert oct(path.stat().st_mode & 0o777) == "0o600"
    again = Anchors(path)
    again.load()
    assert again.seen == read(path)[0]
    again.write(row(7), now=11)
    assert len(path.read_text().splitlines()) == 2


@pytest.mark.parametrize("cut", [1, 3, 6, 40, 60, -8, -2])
def test_a_line_that_was_cut_off_is_no_anchor_and_stops_nothing(tmp_path: Path, cut: int) -> None:
    """What comes after it is noted on a line of its own, also once another process goes on with the file."""
    path = tmp_path / "anchors.jsonl"
    Anchors(path).write(row(3), now=10)
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:cut])
    assert read(path) == ({3: f"{3:064x}"}, (2,))
    again = Anchors(path)
    again.load()
    again.write(row(4), now=12)
    assert again.torn == (2,)
    assert read(path) == ({3: f"{3:064x}", 4: f"{4:064x}"}, (2,))


def test_a_line_without_its_end_of_line_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "anchors.jsonl"
    Anchors(path).write(row(3), now=10)
    path.write_bytes(path.read_bytes().removesuffix(b"\n"))
    Anchors(path).write(row(4), now=12)
    assert read(path) == ({3: f"{3:064x}", 4: f"{4:064x}"}, ())


def test_a_full_disk_is_said_and_what_fitted_is_no_anchor(tmp_path: Path) -> None:
    path = tmp_path / "anchors.jsonl"
    anchors = Anchors(path)
    anchors.write(row(3), now=10)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 20, hard))
    try:
        with pytest.raises(AnchorError, match="only 20 of"):
            anchors.write(row(4), now=11)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    assert "cannot be written" in anchors.unwritten
    anchors.write(row(4), now=12)
    assert (anchors.unwritten, read(path)) == ("", ({3: f"{3:064x}", 4: f"{4:064x}"}, (2,)))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("no json", ":2: is no anchor"),
        ("[]", ":2: is no anchor"),
        ('{"at":11,"seq":4}', ":2: is no anchor"),
        ('{"hash":"' + "a" * 64, ":2: is no anchor"),
        ('{"seq":"4","hash":"' + "a" * 64 + '"}', ":2: is no anchor"),
        ('{"seq":4,"hash":"a"}', ":2: is no anchor"),
        ('{"seq":3,"hash":"' + "a" * 64 + '"}', ":2: row 3 was anchored before with another hash"),
    ],
)
def test_a_file_that_is_none_is_said_with_its_line(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "anchors.jsonl"
    Anchors(path).write(row(3), now=10)
    with path.open("a") as file:
        file.write(line + "\n")
    with pytest.raises(AnchorError, match=said):
        read(path)


def test_a_place_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    with pytest.raises(AnchorError, match="cannot be written: No such file"):
        Anchors(tmp_path / "none" / "anchors").write(row(1), now=1)
    with pytest.raises(AnchorError, match="cannot be read: Is a directory"):
        Anchors(tmp_path).load()


def test_memory_keeps_the_newest() -> None:
    anchors = Anchors()
    for seq in range(1, 200):
        anchors.remember(row(seq))
    assert set(anchors.seen) == set(range(200 - REMEMBERED, 200))


def test_what_was_noted_is_not_noted_otherwise() -> None:
    anchors = Anchors()
    anchors.remember(row(3))
    anchors.remember(row(3, "f" * 64))
    assert anchors.seen == {3: f"{3:064x}"}

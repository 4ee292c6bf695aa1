"""Anchors: what is noted stays noted, a broken file is said, and memory is bounded."""

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
    assert read(path) == {3: f"{3:064x}", 7: f"{7:064x}"}
    assert oct(path.stat().st_mode & 0o777) == "0o600"
    again = Anchors(path)
    again.load()
    assert again.seen == read(path)
    again.write(row(7), now=11)
    assert len(path.read_text().splitlines()) == 2


def test_a_line_that_a_crash_cut_off_is_no_anchor(tmp_path: Path) -> None:
    path = tmp_path / "anchors.jsonl"
    Anchors(path).write(row(3), now=10)
    with path.open("a") as file:
        file.write('{"at":11,"hash":"ab')
    assert set(read(path)) == {3}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("no json", ":2: is no anchor"),
        ("[]", ":2: is no anchor"),
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

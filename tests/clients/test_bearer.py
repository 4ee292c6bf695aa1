"""A token from a file: as it is at this moment, and an unreadable one says why without its path."""

from pathlib import Path

import pytest

from bot.clients import bearer


def test_the_token_is_read_anew(tmp_path: Path) -> None:
    file = tmp_path / "token"
    for token in ("old", "new"):
        file.write_text(f"{token}\n")
        assert bearer.header(file) == {"Authorization": f"Bearer {token}"}
    assert bearer.header(None) == {}


def test_a_file_that_cannot_be_read_is_named_by_its_fault_only(tmp_path: Path) -> None:
    with pytest.raises(bearer.TokenUnreadable, match=r"^No such file or directory$"):
        bearer.header(tmp_path / "absent")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(bearer.TokenUnreadable, match=r"^it is not text$"):
        bearer.header(tmp_path / "binary")

"""What nobody sees, and line breaks that are written out, hide no secret."""

import time

import pytest

from bot.redact import Redactor

HELD = "tr0ub4dor-and-3-more"
REDACTOR = Redactor([HELD], key=b"test")


@pytest.mark.parametrize("unseen", ["\u200b", "\u00ad", "\ufeff", "\u2060\u202e"])
def test_characters_that_nobody_sees_hide_neither_a_name_nor_a_value(unseen: str) -> None:
    for text in (f"pass{unseen}word=hunter2 x", f"password{unseen}=hunter2 x", f"password=hun{unseen}ter2 x"):
        said = REDACTOR.text(text)
        assert "hun" not in said
        assert said.endswith(" x")
    hidden = REDACTOR.text(f"é {HELD[:5]}{unseen}{HELD[5:]} ü")
    assert hidden == REDACTOR.text(f"é {HELD} ü"), "the same secret has the same name"


@pytest.mark.parametrize("written", ["\\n", "\\r\\n", "\\\\n", " \\n  "])
def test_a_held_secret_is_found_across_line_breaks_that_are_written_out(written: str) -> None:
    assert REDACTOR.text(f"a {HELD[:7]}{written}{HELD[7:]} b") == REDACTOR.text(f"a {HELD} b")


def test_what_is_no_secret_stays_as_it_is() -> None:
    for text in ("C:\\new\\nodes \u200b of a zero\u200bwidth text", "naïve café – 7 °C", "\\n", "\u200b", "a\u200b"):
        assert REDACTOR.text(text) == text


def test_it_takes_linear_time() -> None:
    started = time.monotonic()
    for piece in ("a\u200b", "\\n", "\\", "\u200b"):
        REDACTOR.text(piece * 200_000)
    # Far above what it takes (under a second), far below what looking twice takes.
    assert time.monotonic() - started < 20

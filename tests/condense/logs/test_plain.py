from hypothesis import given, settings
from hypothesis import strategies as st

from bot.condense.logs.plain import LONGEST, plain


def test_colours_go_whether_escaped_or_spelt_out() -> None:
    assert plain(b"\x1b[36;1mecho hi\x1b[0m") == "echo hi"
    assert plain(b"^[[38;5;9m[FAIL]^[[0m PubSub") == "[FAIL] PubSub"
    assert plain(b"\x1b]8;;http://x\x07link\x1b]8;;\x07") == "link"


def test_a_progress_bar_is_shown_as_it_ended() -> None:
    assert plain(b"10%\r50%\r100%, done.\r") == "100%, done."


def test_bytes_that_are_no_text_become_replacement_characters() -> None:
    assert plain(b"caf\xe9 \xff") == "caf\ufffd \ufffd"


def test_characters_that_hide_or_turn_text_go() -> None:
    assert plain("a\x00b\u202ec\u200bd\ufeff\x85e\u2028f".encode()) == "abcdef"


@given(st.binary(max_size=400).map(lambda raw: raw.replace(b"\n", b"")))
@settings(max_examples=200)
def test_any_bytes_become_one_line_of_bounded_text(raw: bytes) -> None:
    text = plain(raw)
    assert len(text) <= LONGEST
    assert len(text.splitlines()) <= 1
    assert "\x1b" not in text

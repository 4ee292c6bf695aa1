"""Spans and the placeholders that take their place."""

from bot.redact.spans import PLACEHOLDER, Span, placeholder, replace

KEY = b"key"


def test_a_placeholder_names_the_kind_and_correlates_under_one_key() -> None:
    one = placeholder("password", b"a-value", KEY)
    assert PLACEHOLDER.fullmatch(one.encode())
    assert one.startswith("[password:")
    assert one == placeholder("password", b"a-value", KEY)
    assert one != placeholder("password", b"a-value", b"another key")
    assert one[-7:] == placeholder("token", b"a-value", KEY)[-7:]


def test_a_span_is_replaced_and_counted() -> None:
    text, counts = replace(b"a SECRET b", [Span(2, 8, "token")], KEY)
    assert text == b"a " + placeholder("token", b"SECRET", KEY).encode() + b" b"
    assert counts == {"token": 1}


def test_overlapping_spans_become_one_and_the_precise_kind_wins() -> None:
    text, counts = replace(b"0123456789", [Span(0, 6, "password"), Span(4, 8, "aws-key", precise=True)], KEY)
    assert text == placeholder("aws-key", b"01234567", KEY).encode() + b"89"
    assert counts == {"aws-key": 1}


def test_adjacent_spans_stay_two() -> None:
    _, counts = replace(b"0123", [Span(2, 4, "token"), Span(0, 2, "token")], KEY)
    assert counts == {"token": 2}


def test_an_encoded_form_is_hashed_as_the_secret_itself() -> None:
    text, _ = replace(b"c2VjcmV0", [Span(0, 8, "held-secret", True, b"secret")], KEY)
    assert text.decode() == placeholder("held-secret", b"secret", KEY)


def test_what_lies_within_a_placeholder_stays_and_a_placeholder_is_never_cut() -> None:
    data = b"x=[token:0a1b2c]tail."
    assert replace(data, [Span(3, 15, "password")], KEY) == (data, {})
    assert replace(data, [Span(2, 16, "password")], KEY) == (data, {})
    text, _ = replace(data, [Span(9, 20, "password")], KEY)
    assert text == b"x=" + placeholder("password", b"[token:0a1b2c]tail", KEY).encode() + b"."


def test_a_character_of_several_bytes_is_never_cut() -> None:
    data = "aä€b".encode()
    text, _ = replace(data, [Span(2, 4, "token")], KEY)
    assert text == b"a" + placeholder("token", "ä€".encode(), KEY).encode() + b"b"


def test_empty_spans_are_ignored() -> None:
    assert replace(b"abc", [Span(1, 1, "token")], KEY) == (b"abc", {})

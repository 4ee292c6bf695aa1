"""Where values end, and which of them are secrets."""

import base64
import random
import string

import pytest

from bot.redact.values import (
    LOOK,
    is_code,
    is_harmless,
    is_object_name,
    is_sentence,
    looks_random,
    value_at,
    whole_value_at,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("hunter2 next", "hunter2"),
        ("hunter2&user=bob", "hunter2"),
        ("hunter2,user=bob", "hunter2"),
        ("hunter2;Server=db", "hunter2"),
        ("p&ss,w;rd", "p&ss,w;rd"),
        ("hunter2).", "hunter2"),
        ('"two words" x', "two words"),
        ("'it''s' x", "it''s"),
        ("'' x='y'", ""),
        (r'"ab\"cd" x', r"ab\"cd"),
        (r"\"ab\" x", "ab"),
        (r"\"ab\\\"cd\",\"x\":1", r"ab\\\"cd"),
        ('["first", "second"]', "first"),
        ('b"raw"', "raw"),
        ('"unclosed', "unclosed"),
        ("first\nsecond", "first"),
        ('"first\nsecond"', "first"),
        ("", ""),
    ],
)
def test_a_value_ends_where_its_syntax_says(text: str, value: str) -> None:
    found = value_at(text.encode(), 0)
    assert text.encode()[found.start : found.end].decode() == value
    assert not found.cut


@pytest.mark.parametrize("text", ["{}", '"{}"', r"\"{}\"", "'{}'"])
def test_a_long_value_is_cut_at_first_and_then_read_to_its_end(text: str) -> None:
    long = "ab1" * LOOK
    data = (text.format(long) + " tail").encode()
    assert value_at(data, 0).cut
    whole = whole_value_at(data, 0)
    assert data[whole.start : whole.end].decode() == long


def test_backslashes_at_the_edge_of_the_first_look_do_not_end_a_value() -> None:
    data = rb"\"" + b"a" * 500 + b"\\" * 40 + rb"x\" tail"
    whole = whole_value_at(data, 0)
    assert data[whole.start : whole.end] == b"a" * 500 + b"\\" * 40 + b"x"


@pytest.mark.parametrize(
    "value",
    ["", "true", "None", "*****", "xxxx", "<redacted>", "<nil>", "${DB_PASSWORD}", "$DB_PASSWORD", "$(cat", "{{", "%s",
     "expired", "required.", "/var/run/secrets/token", "{path:", "|-", "[REDACTED]", "••••"],
)  # fmt: skip
def test_words_masks_and_references_are_harmless(value: str) -> None:
    assert is_harmless(value.encode())


@pytest.mark.parametrize("value", ["hunter2", "$ecret1", "${X:-hunter2}", "/Ab3/x9", "trueish1", "xx9", "swordfish"])
def test_what_could_be_a_secret_is_not_harmless(value: str) -> None:
    assert not is_harmless(value.encode())


@pytest.mark.parametrize(
    "value", ["os.environ[", "get_token()", "self.token", "req.Header.Get(", "db_password", "authToken", "Token{a64f",
              "std::env::var(", "$password"]
)  # fmt: skip
def test_expressions_are_code(value: str) -> None:
    assert is_code(value.encode())


@pytest.mark.parametrize("value", ["hunter2", "Passw0rd(1)", "abc.d3f.ghi", "swordfish", "correct_horse", "pass{1"])
def test_values_are_not_code(value: str) -> None:
    assert not is_code(value.encode())


def test_object_names_and_sentences() -> None:
    assert is_object_name(b"checkout-db-v2")
    assert not is_object_name(b"a1B2")
    assert is_sentence(b"This field is required.")
    assert not is_sentence(b"hunter2 and more")


def test_random_values_look_random_and_identifiers_do_not() -> None:
    generator = random.Random(1)
    keys = ["".join(generator.choices(string.ascii_letters + string.digits, k=40)) for _ in range(500)]
    assert sum(looks_random(key.encode()) for key in keys) >= 490
    blobs = [base64.b64encode(generator.randbytes(32)) for _ in range(500)]
    assert sum(looks_random(blob) for blob in blobs) >= 450
    for name in (
        "4bf92f3577b34da6a3ce929d0e0e4736",
        "6f1c1f9e-7d9f-4b6c-8d2e-0123456789ab",
        "checkout-7d9f8b6c5d-x2x4z",
        "shared-lint-node_modules-v6-X64-Linux-4ca97bc4dfaa13a9d1ec5bc2e36da23d",
        "TestVectorScoreSliceCmdReadReply/RESP3_map_response",
        "AbstractSingletonProxyFactoryBean2",
        "short1A",
    ):
        assert not looks_random(name.encode()), name

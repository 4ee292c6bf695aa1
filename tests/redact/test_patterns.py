"""Patterns on bytes that stay linear and say nothing of what they hold."""

import pytest
import re2

from bot.redact.patterns import any_of, compile_bytes, run_of


def test_a_negated_class_matches_every_byte_of_any_character() -> None:
    assert compile_bytes(rb"x([^ ]+)").search("xä€ b".encode()).group(1) == "ä€".encode()


def test_literals_are_taken_literally() -> None:
    found = any_of([b"a.c", b"(x"]).search(b"abc (x")
    assert found.span() == (4, 6)


def test_what_cannot_run_in_linear_time_is_refused_in_silence(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(re2.error):
        compile_bytes(rb"(secret)\1")
    assert capfd.readouterr().err == ""


def test_a_run_is_of_one_class_and_at_least_one_byte() -> None:
    run = run_of(rb"^ \n")
    found = run.match("ä€\tb c".encode(), 0)
    assert found is not None
    assert found.group() == "ä€\tb".encode()
    assert run.match(b" c") is None

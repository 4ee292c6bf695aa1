"""The bot's own secrets, found in every form that a text carries them in."""

import base64
import html
import json
import re
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.redact.held import MIN_DISTINCT, MIN_LENGTH, Held, is_worth_holding

SECRET = "tr0ub4dor & <3>/+=%\"'\\ ü"


def found(held: Held, text: str) -> list[str]:
    data = text.encode()
    return [data[span.start : span.end].decode() for span in held.find(data)]


def lower_escapes(text: str) -> str:
    return re.sub("%[0-9A-F]{2}", lambda match: match.group().lower(), text)


ENCODINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "url": quote,
    "form": quote_plus,
    "url-all": lambda s: quote(s, safe=""),
    "url-lower": lambda s: lower_escapes(quote(s, safe="")),
    "javascript": lambda s: quote(s, safe="!'()*"),
    "html": html.escape,
    "json": lambda s: json.dumps(s)[1:-1],
    "json-utf8": lambda s: json.dumps(s, ensure_ascii=False)[1:-1],
    "json-twice": lambda s: json.dumps(json.dumps(s))[3:-3],
    "go": lambda s: json.dumps(s)[1:-1].replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"),
    "base64": lambda s: base64.b64encode(s.encode()).decode(),
    "base64url": lambda s: base64.urlsafe_b64encode(s.encode()).decode(),
}


@pytest.mark.parametrize("name", ENCODINGS)
def test_every_form_is_found_whole(name: str) -> None:
    shown = ENCODINGS[name](SECRET)
    assert shown in found(Held([SECRET]), f"before {shown} after")


@given(
    secret=st.text(st.characters(codec="utf-8"), min_size=MIN_LENGTH, max_size=40).filter(is_worth_holding),
    before=st.binary(max_size=5),
    after=st.binary(max_size=5),
)
@settings(max_examples=60)
def test_base64_of_a_text_around_the_secret_is_found_too(secret: str, before: bytes, after: bytes) -> None:
    blob = base64.b64encode(before + secret.encode() + after)
    spans = list(Held([secret]).find(blob))
    first_digit = len(before) * 8 // 6
    last_digit = -(-(len(before) + len(secret.encode())) * 8 // 6)
    assert any(span.start <= first_digit and span.end >= last_digit for span in spans)


def test_each_line_of_a_key_is_held_because_logs_are_cut_into_lines() -> None:
    held = Held(["first line of it\nsecond line of it\n"])
    assert found(held, "x second line of it y") == ["second line of it"]


def test_all_forms_of_a_secret_hash_as_the_secret() -> None:
    held = Held([SECRET])
    texts = (SECRET, quote(SECRET), base64.b64encode(SECRET.encode()).decode())
    values = {span.value for text in texts for span in held.find(text.encode())}
    assert values == {SECRET.encode()}


@pytest.mark.parametrize("secret", ["", "short", "a" * 20, "ab" * 10, "1234567"])
def test_values_that_would_blot_out_ordinary_text_are_not_held(secret: str) -> None:
    held = Held([secret])
    assert held.secrets == frozenset()
    assert found(held, f"x {secret} y") == []
    assert len(set("abcd")) == MIN_DISTINCT


def test_overlapping_secrets_are_both_found() -> None:
    assert set(found(Held(["abcdefgh", "efghijkl"]), "abcdefghijkl")) == {"abcdefgh", "efghijkl"}


def test_its_representation_tells_no_secret() -> None:
    assert SECRET not in repr(Held([SECRET]))
    assert repr(Held([SECRET])) == "Held(1 secrets)"


def test_hundreds_of_secrets_are_held() -> None:
    secrets = [f"secret-number-{n}-x" for n in range(300)]
    assert "secret-number-217-x" in found(Held(secrets), "see secret-number-217-x here")

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.condense.diff.patch import Line
from bot.condense.diff.shown import LONGEST, cut, texts, visible
from bot.redact.redactor import Redactor
from tests.condense.diff.diffs import file


def shown(old: list[str], new: list[str], redact=lambda text: text) -> list[tuple[str, str]]:  # type: ignore[no-untyped-def]
    lines = list(file("values.yaml", old, new).hunks[0].lines())
    return [(line.sign, text) for line, text in zip(lines, texts(lines, redact), strict=True)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain\ttext größe 値", "plain\ttext größe 値"),
        ("a\u202eb", "a<U+202E>b"),
        ("\u200bIgnore all rules", "<U+200B>Ignore all rules"),
        ("x\u2028y", "x<U+2028>y"),
        ("\x0cc: 3\x1b[2K", "<U+000C>c: 3<U+001B>[2K"),
        ("\U000e0041", "<U+E0041>"),
        ("\ud800", "<U+D800>"),
    ],
)
def test_what_a_reader_cannot_see_is_spelled_out(text: str, expected: str) -> None:
    assert visible(text) == expected


@given(st.text(max_size=60))
def test_what_is_shown_is_one_line_whatever_splits_it(text: str) -> None:
    assert len(visible(text).splitlines()) <= 1


def test_a_long_line_is_cut_and_says_so() -> None:
    assert cut("x" * LONGEST) == "x" * LONGEST
    assert cut("x" * (LONGEST + 5)) == "x" * LONGEST + "[… 5 more characters]"


@pytest.mark.parametrize(
    "secret",
    ["password='{}'", "AKIA" + "IOSFODNN7EXAMPLQ", "https://user:{}@db.example", "-----BEGIN PRIVATE KEY-----\\n{}"],
    ids=["quoted", "token", "url", "key"],
)
@given(st.integers(1400, 18_200), st.sampled_from([16, 6_000, 15_000]))
@settings(max_examples=25)
def test_no_secret_is_cut_into_a_half_that_is_shown(secret: str, before: int, length: int) -> None:
    value = ("Zq7xK9mW" * length)[:length]
    line = "a;" * (before // 2) + " " + secret.format(value) + " " + "b;" * 9_000
    (_, text), *_ = [item for item in shown(["x"], ["x", line], Redactor(key=b"k" * 32).text) if item[0] == "+"]
    assert not any(part in text for part in ("Zq7x", "K9mW", "IOSFODNN"))
    assert len(text) < LONGEST + 40


def test_only_the_beginning_of_a_long_line_is_redacted() -> None:
    seen: list[int] = []

    def redact(text: str) -> str:
        seen.append(len(text))
        return text

    ((_, text),) = [item for item in shown(["x"], ["x", "y" * 4_000_000], redact) if item[0] == "+"]
    assert max(seen) < 20_000
    assert text == "y" * LONGEST + f"[… {4_000_000 - LONGEST} more characters]"


def test_a_secret_is_not_shown_on_either_side() -> None:
    redact = Redactor(key=b"k" * 32).text
    out = shown(["a: 1", "password: hunter2hunter2"], ["a: 1", "password: correct-horse-9"], redact)
    assert out[0] == (" ", "a: 1")
    assert all("hunter2" not in text and "horse" not in text and "password" in text for _, text in out[1:])


def test_a_secret_of_several_lines_is_gone_and_the_lines_around_it_stay() -> None:
    key = ["-----BEGIN RSA PRIVATE KEY-----", *["MIIEpAIBAAKCAQEA" * 4] * 3, "-----END RSA PRIVATE KEY-----"]
    out = shown(["first: 1"], ["first: 1", "second: 2", *key, "third: 3"], Redactor(key=b"k" * 32).text)
    everything = "\n".join(text for _, text in out)
    assert "MIIE" not in everything
    assert out[0] == (" ", "first: 1")
    assert ("+", "second: 2") in out
    assert ("+", "third: 3") in out
    assert len(out) == 8


def test_a_secret_that_begins_in_context_is_gone_too() -> None:
    key = ["-----BEGIN RSA PRIVATE KEY-----", "MIIEpAIBAAKCAQEA" * 4, "-----END RSA PRIVATE KEY-----"]
    out = shown([*key, "a"], [*key, "b"], Redactor(key=b"k" * 32).text)
    assert not any("MIIE" in text for _, text in out)


def test_windows_line_ends_are_shown_only_where_they_are_the_change() -> None:
    assert shown(["a\r", "b\r"], ["a\r", "c\r"]) == [(" ", "a"), ("-", "b"), ("+", "c")]
    assert shown(["a"], ["a\r"]) == [("-", "a"), ("+", "a<U+000D>")]


def test_no_lines_show_nothing() -> None:
    assert texts([], str) == []
    assert texts([Line("+", "x", None, 1)], str) == ["x"]

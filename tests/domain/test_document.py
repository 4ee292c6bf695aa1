"""YAML as JSON with line numbers: what is read, and what is refused at which line."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.document import _FAST, _PLAIN, MAX_BYTES, MAX_DEPTH, _parsed, read


def test_every_key_knows_its_line() -> None:
    document = read(b"id: x\nsteps:\n  - id: one\n    with:\n      revision: 3\n  - id: two\n")
    assert document.faults == ()
    assert document.data == {"id": "x", "steps": [{"id": "one", "with": {"revision": 3}}, {"id": "two"}]}
    assert document.line(("steps", 0, "with", "revision")) == 5
    assert document.line(("steps", 1, "id")) == 6
    assert document.line(("steps", 1, "missing", "deeper")) == 6


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("2026-11-21", "2026-11-21"),
        ("1:30", "1:30"),
        ("010", "010"),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        (".inf", ".inf"),
        ("1e9", "1e9"),
        ("9" * 5000, "9" * 5000),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("-12", -12),
        ("1.5", 1.5),
        ("<<", "<<"),
    ],
)
def test_only_what_json_knows_is_more_than_text(text: str, value: object) -> None:
    assert read(f"key: {text}\n".encode()).data == {"key": value}


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "a is given twice (first in line 1); keep one"),
        ("a: &x [1]\nb: *x\n", 1, "&x is an anchor; remove it, anchors are not accepted"),
        ("a: !!python/object:os.system x\n", 1, "the tag tag:yaml.org,2002:python/object:os.system is not accepted"),
        ("a: 1\n---\nb: 2\n", 2, "a second document begins here; a file holds one"),
        ("1: x\n", 1, "a key must be text; put it in quotes"),
        ("[a, b]: x\n", 1, "a key must be text; put it in quotes"),
        ("a: [1\nb: 2\n", 2, "not YAML: "),
        ("a: \x07\n", 1, "not YAML: "),
        ("", 1, "the file is empty"),
        ("# nothing\n", 1, "the file is empty"),
        ("[" * (MAX_DEPTH + 1), 1, f"nested deeper than {MAX_DEPTH} levels"),
        ("[" * 60_000, 1, f"nested deeper than {MAX_DEPTH} levels"),
        ("a" * (MAX_BYTES + 1), 1, f"the file has {MAX_BYTES + 1:,} bytes; at most {MAX_BYTES:,} are accepted"),
    ],
)
def test_what_is_refused_names_its_line(text: str, line: int, sentence: str) -> None:
    fault = read(text.encode()).faults[0]
    assert fault.line == line
    assert fault.sentence.startswith(sentence)


def test_bytes_that_are_no_text_name_their_line() -> None:
    (fault,) = read(b"a: 1\nb: \xff\n").faults
    assert (fault.line, fault.sentence) == (2, "the file is not UTF-8; save it as UTF-8 text")


def test_a_bomb_of_aliases_is_never_expanded() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    document = read("\n".join(lines).encode())
    assert document.data is None
    assert any("alias" in fault.sentence for fault in document.faults)


@given(st.text(alphabet="abc:-[]{}&*!|>'\"#%@`?,\n \t\x00\u2028é~<=", max_size=60))
@settings(max_examples=200)
def test_no_text_makes_it_raise(text: str) -> None:
    document = read(text.encode())
    assert all(fault.line >= 1 and fault.sentence for fault in document.faults)


@given(
    st.lists(
        st.sampled_from(["a", "b: ", "- ", "\n", "  ", "\n  ", "[", "]", ", ", "{", "}", "'", "|\n", "#", "1", "~"])
    )
)
@settings(max_examples=500)
def test_it_reads_the_same_with_libyaml_and_without(words: list[str]) -> None:
    text = "".join(words)
    with_it, without = (_data(text, parser) for parser in (_FAST, _PLAIN))
    assert with_it == without or "not YAML" in (with_it, without)


def _data(text: str, parser: object) -> object:
    try:
        return _parsed(text, parser).data
    except yaml.YAMLError:
        return "not YAML"

"""What is text and does nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.condense.risk.literals import quoted, void, within_texts


@pytest.mark.parametrize(
    ("text", "word", "words", "is_text"),
    [
        ('x = "verify(b)"', "verify", False, True),
        ("log(f'verify {b}')", "verify", False, True),
        ("verify('b')", "verify", False, False),
        ('{"verify": true}', "verify", False, False),
        ('{"to verify": true}', "verify", False, True),
        ('kind: "NetworkPolicy"', "NetworkPolicy", True, False),
        ('kind: "NetworkPolicy"', "NetworkPolicy", False, True),
        ('note: "kind: NetworkPolicy"', "NetworkPolicy", True, True),
        ("note: don't remove livenessProbe, it's ours", "livenessProbe", True, False),
    ],
)
def test_what_is_quoted(text: str, word: str, words: bool, is_text: bool) -> None:
    assert quoted(text, text.index(word), words=words) is is_text


@pytest.mark.parametrize(
    ("path", "lines", "inside"),
    [
        ("a.py", ['x = """', "text", '"""', "code"], {1, 2}),
        ("a.py", ["def f():", '    """Text.', "    text", '    """', "    code"], {1, 2, 3}),
        ("a.py", ['"""One line."""', "code"], {0}),
        ("a.py", ["text", 'text."""', "code"], {0, 1}),
        ("a.py", ["def f():", "    code", '    """', "text", '    """', "code"], {2, 3, 4}),
        ("a.py", ["text", "text", '"""', "code", "code"], {0, 1, 2}),
        ("a.py", ["call('''", "text", "''')", "code"], {1, 2}),
        ("a.go", ["x := `", "text", "`", "code"], {1, 2}),
        ("a.py", ["x = '`'", "code", "`"], set()),
        ("a.tf", ["policy = <<EOT", "text", "EOT", "code"], {1, 2}),
        ("a.yaml", ["{{- if false }}", "x: 1", "{{- if .a }}", "{{- end }}", "{{- end }}", "y: 1"], {1, 2, 3, 4}),
        ("a.yaml", ["{{- if .Values.on }}", "x: 1", "{{- end }}"], set()),
    ],
)
def test_what_stands_within_texts(path: str, lines: list[str], inside: set[int]) -> None:
    assert within_texts(path, lines) == inside


@pytest.mark.parametrize(
    ("line", "is_void"),
    [
        ("script: |", True),
        ("- >-", True),
        ("note: >2 # folded", True),
        ("a: b | c", False),
        ("if False:", True),
        ("if (false) {", True),
        ("} else if (0) {", True),
        ("while 0:", True),
        ("#if 0", True),
        ("if false_alarm:", False),
        ("if x:", False),
    ],
)
def test_what_encloses_no_code(line: str, is_void: bool) -> None:
    assert void(line) is is_void


@given(lines=st.lists(st.sampled_from(['"""', "'''", "`", "x", "", "<<EOT", "EOT", "{{ if false }}", "{{ end }}"])))
def test_any_lines_are_told_apart(lines: list[str]) -> None:
    assert within_texts("a.go", lines) <= set(range(len(lines)))

"""What a model says of a diff, checked against it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.analysis.review.anchors import Anchors
from bot.analysis.review.check import verify
from bot.condense.risk.rule import Risk
from bot.redact import Redactor
from tests.analysis.review.diffs import DEPLOYMENT, HEAD, NOTES, patch, same

PATH = "deploy/shop.yaml"
PROBE = Risk("k8s/probe-removed", "high", "A probe is gone.", "-", 14)


def said(**more: Any) -> dict[str, Any]:
    given = {
        "path": PATH,
        "side": "RIGHT",
        "line": 41,
        "quote": "          privileged: true",
        "severity": "critical",
        "confidence": "high",
        "category": "security",
        "why": "The container owns its node.",
        "suggestion": None,
    }
    return given | more


def checked(*findings: Any, text: str = DEPLOYMENT, redact=same, risks=None):
    data = {"summary": "Something.", "findings": list(findings)}
    return verify(data, Anchors(patch(text), redact), risks or {PATH: (PROBE,)}, redact, head_sha=HEAD)


def only(**more: Any):
    (finding,) = checked(said(**more)).findings
    return finding


def test_a_finding_that_quotes_the_diff_stands_there():
    finding = only()
    assert (finding.path, finding.side, finding.start_line, finding.line) == (PATH, "RIGHT", 41, 41)
    assert (finding.quote, finding.rule, finding.first_sha) == ("          privileged: true", "", HEAD)


@pytest.mark.parametrize("line", [1, 40, 99_999, None, "41"])
def test_the_quote_decides_and_not_the_number(line):
    assert only(line=line).line == 41


def test_a_quote_with_the_signs_of_the_diff_is_understood():
    finding = only(side="LEFT", quote="-        readinessProbe:\n-          httpGet: {path: /ready, port: 8080}")
    assert (finding.start_line, finding.line) == (14, 15)


def test_a_finding_that_covers_a_rules_line_is_about_that_line():
    finding = only(side="LEFT", quote="      - name: shop\n        readinessProbe:")
    alone = only(side="LEFT", quote="readinessProbe:")
    assert (finding.start_line, finding.line, finding.rule) == (13, 14, "k8s/probe-removed")
    assert finding.fingerprint == alone.fingerprint


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"path": "deploy/other.yaml"}, "names a file that the diff does not change"),
        ({"path": None}, "names a file that the diff does not change"),
        ({"quote": "privileged: false"}, "quotes what is no changed line of that file on the RIGHT side"),
        ({"quote": "        image: shop:1"}, "quotes what is no changed line of that file on the RIGHT side"),
        ({"side": "LEFT"}, "quotes what is no changed line of that file on the LEFT side"),
        ({"side": "BOTH"}, "lacks a reason, a severity or a side"),
        ({"severity": "mild"}, "lacks a reason, a severity or a side"),
        ({"why": "\u200b"}, "lacks a reason, a severity or a side"),
        ({"quote": " \n"}, "quotes nothing"),
        ({"quote": "a\n" * 30}, "quotes more than 20 lines"),
    ],
)
def test_what_does_not_verify_is_rejected_with_the_reason(wrong, why):
    result = checked(said(**wrong), said())
    assert [(item.number, item.why) for item in result.rejected] == [(1, why)]
    assert len(result.findings) == 1


def test_of_equal_lines_the_number_chooses_and_without_one_nothing_does():
    same_line = said(path="docs/notes.md", quote="same")
    assert [f.line for f in checked(same_line | {"line": 3}, text=NOTES).findings] == [3]
    (rejected,) = checked(same_line | {"line": 7}, text=NOTES).rejected
    assert rejected.why.startswith("quotes a line that stands in several places")


def test_a_suggestion_stays_where_it_replaces_lines_of_the_new_file_exactly():
    assert only(suggestion="          privileged: false\n").suggestion == "          privileged: false"
    assert only(suggestion="").suggestion == ""


@pytest.mark.parametrize(
    "wrong",
    [
        {"side": "LEFT", "quote": "readinessProbe:", "suggestion": "x"},
        {"suggestion": "          privileged: true"},
        {"suggestion": "a\u202eb"},
        {"suggestion": "key: [github-token:1a2b3c]"},
        {"suggestion": "x\n" * 60},
        {"suggestion": "x" * 5000},
        {"suggestion": 7},
    ],
)
def test_a_suggestion_that_would_not_apply_is_left_out_and_counted(wrong):
    result = checked(said(**wrong))
    assert [finding.suggestion for finding in result.findings] == [None]
    assert result.dropped == {"suggestion that does not apply": 1}


def test_no_suggestion_replaces_a_line_that_was_not_shown_as_it_is():
    def redact(text: str) -> str:
        return text.replace("privileged", "[x:1a2b]")

    result = checked(said(quote="[x:1a2b]: true", suggestion="nothing: true"), redact=redact)
    assert [finding.suggestion for finding in result.findings] == [None]


def test_secrets_that_an_answer_repeats_are_redacted():
    secret = "ghp_" + "a1B2c3D4e5" * 4
    redact = Redactor(key=b"k" * 32).text
    result = checked(said(why=f"Leaks {secret}", suggestion=f"token: {secret}"), redact=redact)
    assert secret not in repr(result)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
FIELDS = list(said())


@given(st.fixed_dictionaries({}, optional={"summary": ANYTHING, "findings": ANYTHING}))
def test_any_data_is_an_answer_of_some_worth(data):
    verify(data, Anchors(patch(), same), {}, same, head_sha=HEAD)


@given(st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, ANYTHING)), max_size=3))
def test_no_finding_ever_stands_outside_the_change(raws):
    changed = {("LEFT", 13), ("LEFT", 14), ("LEFT", 15), ("RIGHT", 13), ("RIGHT", 40), ("RIGHT", 41)}
    for finding in checked(*[said(**raw) for raw in raws]).findings:
        assert (finding.side, finding.line) in changed

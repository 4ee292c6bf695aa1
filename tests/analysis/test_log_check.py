"""What a summary of logs may claim: nothing that its lines do not say, letter by letter."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.analysis.log_check import MAX_FINDINGS, MAX_UNKNOWNS, verify
from bot.condense.logs.digest import Excerpt
from bot.domain.log_summary import Cited, LogFinding

LINES = (
    Excerpt(7, "pool:  timeout waiting for ledger-db:5432", "", 3.0, 2, "T1", 47, True),
    Excerpt(12, "GET /health 200", "", 1.0, 0, "T2", 900, False),
    Excerpt(13, "ok", "", 1.0, 0, "T3", 1, False),
)


def said(*lines: tuple[str, str], statement: str = "The pool is exhausted.") -> dict[str, Any]:
    return {"statement": statement, "lines": [{"line": line, "quote": quote} for line, quote in lines]}


def checked(*findings: Any, unknowns: Any = ()) -> Any:
    return verify({"findings": list(findings), "unknowns": unknowns}, LINES, analyst="m")


def test_a_finding_that_quotes_its_line_is_kept() -> None:
    found = checked(said(("L7", "timeout waiting for ledger-db:5432")))
    assert found.findings == (LogFinding("The pool is exhausted.", (Cited(7, "timeout waiting for ledger-db:5432"),)),)
    assert (found.analyst, found.dropped) == ("m", {})


def test_blanks_are_not_counted_and_a_short_line_may_be_quoted_whole() -> None:
    assert checked(said(("L7", "pool: timeout   waiting"))).findings
    assert checked(said(("L13", "ok"))).findings


def test_a_quote_that_is_not_in_that_very_line_is_dropped() -> None:
    found = checked(said(("L12", "timeout waiting"), ("L7", "Timeout waiting"), ("L7", "ti"), ("L7", "")))
    assert found.findings == ()
    assert found.dropped == {"quote that is not in its line": 4, "finding without a line that holds": 1}


def test_a_line_that_was_not_shown_cannot_be_cited() -> None:
    found = checked(said(("L8", "pool"), ("7", "pool"), ("L07", "pool"), ("L7", "pool")))
    assert [one.line for one in found.findings[0].cited] == [7]
    assert found.dropped == {"citation of a line that is not there": 3}


def test_more_than_people_read_is_counted_and_dropped() -> None:
    found = checked(*[said(("L7", "pool"))] * 9, unknowns=["why?"] * 9)
    assert (len(found.findings), len(found.unknowns)) == (MAX_FINDINGS, MAX_UNKNOWNS)
    assert found.dropped == {"too many findings": 3, "too many unknowns": 5}


def test_text_comes_out_plain_and_short() -> None:
    found = checked(said(("L7", "pool"), statement="a\u202eb\n<!channel> " + "x" * 900))
    statement = found.findings[0].statement
    assert "\u202e" not in statement
    assert "\n" not in statement
    assert len(statement) <= 500


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["findings", "unknowns", "statement", "lines", "line", "quote"]), inner)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["findings", "unknowns", "x"]), json))
def test_no_answer_makes_it_raise_and_no_finding_is_without_a_line(data: dict[str, Any]) -> None:
    found = verify(data, LINES, analyst="m")
    assert all(finding.cited for finding in found.findings)

"""The rules' summary: what a person would point at, in the model's schema, and every word of it verifiable."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.analysis.log_check import verify
from bot.analysis.log_rules import MOST, summarise
from bot.condense.logs.digest import Digest, digest, rank
from bot.condense.logs.reader import Reader
from bot.model.prompts import load

PROMPT = load(Path(__file__).parents[2] / "prompts")["log-summary"]
STEADY = [f"INFO web: GET /orders/{n} took {n} ms" for n in range(400)]
TRACE = ["Traceback (most recent call last):", '  File "/app/a.py", line 1, in f', "    x()", "KeyError: 'currency'"]


def digested(lines: list[str], before: list[str] = STEADY) -> Digest:
    reader = Reader(year=2026)
    if before:
        reader.feed("\n".join(before).encode() + b"\n")
        reader.mark_baseline()
    reader.feed("\n".join(lines).encode())
    return digest(rank(reader.finish(), lambda text: text), 4000)


def statements(lines: list[str], before: list[str] = STEADY) -> list[str]:
    shown = digested(lines, before).excerpts
    found = verify(summarise(shown, before=len(before)), shown, analyst="rules")
    assert found.dropped == {}
    return [finding.statement for finding in found.findings]


def test_an_error_is_named_with_its_count_and_that_it_is_new() -> None:
    errors = [f"ERROR db: connection {n} refused by ledger-db:5432" for n in range(47)]
    assert statements([*STEADY, *errors]) == ["Error, new, 47 times: ERROR db: connection 0 refused by ledger-db:5432"]


def test_of_a_trace_the_line_that_names_the_error_is_quoted() -> None:
    (statement,) = statements([*STEADY, *TRACE])
    assert statement.endswith("KeyError: 'currency'")


def test_what_is_new_comes_before_what_was_always_wrong() -> None:
    old = "ERROR cache: miss for key prices"
    found = statements([*STEADY, old, "WARN payments slow"], [*STEADY, old])
    assert [one.split(":")[0] for one in found] == ["Warning, new", "Error"]


def test_healthy_logs_say_nothing() -> None:
    assert statements(STEADY) == []


def test_without_a_time_to_compare_with_it_says_so() -> None:
    shown = digested(STEADY, []).excerpts
    assert "from before" in summarise(shown, before=0)["unknowns"][0]


@settings(max_examples=40)
@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=300), max_size=30))
def test_whatever_the_log_the_answer_fits_the_schema_and_verifies(lines: list[str]) -> None:
    shown = digested([f"ERROR {line}" for line in lines], []).excerpts
    answer = summarise(shown, before=0)
    assert PROMPT.problem(answer) is None
    found = verify(answer, shown, analyst="rules")
    assert len(found.findings) == len(answer["findings"]) <= MOST
    assert found.dropped == {}

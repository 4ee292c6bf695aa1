"""CI failures explained against the Messages stand-in over a real socket, and by rules alone."""

from pathlib import Path
from typing import Any

import pytest

from bot.analysis.ci.first_error import first_error
from bot.analysis.ci.job_log import read
from bot.analysis.ci_failure import MOST, by_chance, by_rules, checked, context, explain
from bot.analysis.log_check import verify
from bot.condense.diff.parse import parse
from bot.condense.logs.digest import Excerpt
from bot.domain.ci_failure import Sighting
from bot.model.gateway import Gateway
from bot.model.prompts import load
from bot.redact import Redactor
from bot.sandbox import messages

PROMPT = load(Path(__file__).parents[2] / "prompts")["ci-failure"]
PATCH = parse(
    "--- a/shop/price.py\n+++ b/shop/price.py\n@@ -40,3 +40,4 @@\n def price():\n-    return 1\n"
    "+    x = 2\n+    return y\n end\n"
)
UNRELATED = parse("--- a/README.md\n+++ b/README.md\n@@ -1 +1 @@\n-a\n+b\n")
FAILING = (
    "collected 3 items",
    '/home/runner/work/shop/shop/shop/price.py:42: error: Name "y" is not defined  [name-defined]',
)


def job(*lines: str, name: str = "unit (3.12)"):
    text = "\n".join(("##[group]Run make", "##[endgroup]", *lines, "##[error]Process completed with exit code 1."))
    return read(name, "Run make", text.encode(), lambda said: said)


def only(*jobs, patch=PATCH, seen=(), passed_before=False):
    error = first_error(jobs[0].own)
    (failure,) = by_rules(jobs, patch, {error.signature: seen}, passed_before=passed_before)
    return failure


def test_the_error_is_tied_to_the_line_that_the_change_wrote():
    failure = only(job(*FAILING))
    assert (failure.kind, failure.path, failure.line) == ("types", "shop/price.py", 42)
    assert (failure.flaky, failure.confidence) == ("unlikely", "high")
    assert failure.what.startswith("The type checker finds errors: /home/runner")
    assert failure.cited[0].line == 4
    assert failure.cause == "Probably this change: the error is at lines that this change wrote."


def test_a_file_that_is_touched_elsewhere_is_a_weaker_tie():
    failure = only(job("shop/price.py:900: error: bad  [misc]"))
    assert (failure.path, failure.line, failure.confidence) == ("shop/price.py", None, "medium")


def test_what_breaks_the_default_branch_is_neither_by_chance_nor_this_change():
    seen = (Sighting("d" * 40, None, since=1_795_255_200_000_000), Sighting("c" * 40, 8))
    failure = only(job(*FAILING), seen=seen)
    assert (failure.flaky, failure.confidence) == ("unlikely", "high")
    assert failure.flaky_why == "the default branch fails with the same error since 2026-11-21 10:00 UTC (dddddddddddd)"
    assert failure.cause == f"Not this change: {failure.flaky_why}."
    assert not by_chance([failure])


def test_an_error_that_comes_and_goes_breaks_no_default_branch():
    seen = (Sighting("d" * 40, None, since=1_795_255_200_000_000),)
    assert only(job("dial tcp 10.0.0.7:443: i/o timeout"), seen=seen).flaky == "likely"


def test_a_file_that_the_error_names_without_a_line_is_one_too():
    assert only(job("FAILED tests/test_x.py::test_price - boom")).path == "shop/price.py"


def test_nothing_is_tied_to_what_has_nothing_to_do_with_it():
    failure = only(job(*FAILING), patch=UNRELATED)
    assert (failure.path, failure.flaky, failure.confidence) == ("", "unknown", "low")
    assert failure.cause == "Nothing in the log points to a place in this change."


@pytest.mark.parametrize(
    ("more", "flaky", "why"),
    [
        ({"passed_before": True}, "likely", "another attempt at the same commit passed"),
        (
            {"seen": [Sighting("c" * 40, None)]},
            "likely",
            "the same error was seen on the default branch (cccccccccccc)",
        ),
        ({"seen": [Sighting("c" * 40, 7)]}, "likely", "the same error was seen in 1 other pull request"),
        ({}, "unlikely", "the error is at lines that this change wrote"),
        ({"patch": UNRELATED}, "unknown", "the same error was not seen elsewhere"),
    ],
)
def test_whether_it_is_flaky_is_told_by_where_else_it_was_seen(more, flaky, why):
    failure = only(job(*FAILING), **more)
    assert (failure.flaky, failure.flaky_why) == (flaky, why)


def test_a_fault_of_the_network_comes_and_goes():
    assert only(job("curl: (6) Could not resolve host: registry.example")).flaky == "likely"


def test_jobs_with_the_same_error_are_one_failure_and_there_are_few():
    same = [job(f"--- FAIL: TestPrice (0.0{n}s)", name=f"unit ({n})") for n in range(3)]
    (failure,) = by_rules(same, PATCH, {}, passed_before=False)
    assert failure.jobs == ("unit (0)", "unit (1)", "unit (2)")
    different = [job(f"--- FAIL: TestPrice{'x' * n} (0.01s)") for n in range(9)]
    assert len(by_rules(different, PATCH, {}, passed_before=False)) == MOST
    assert by_rules([], PATCH, {}, passed_before=False) == ()


def test_jobs_that_say_nothing_have_nothing_in_common():
    failures = by_rules([job(name="unit"), job(name="chart")], PATCH, {}, passed_before=False)
    assert [(one.jobs, one.signature) for one in failures] == [(("unit",), ""), (("chart",), "")]
    assert {one.flaky_why for one in failures} == {"the log shows no error to compare"}


async def explained(model: messages.MessagesSandbox | None, answer: Any = None):
    gateway = None
    if model:
        model.script(answer)
        gateway = Gateway(api_key=model.api_key, base_url=model.url, redactor=Redactor(), max_retries=0)
    (failure,) = await explain(
        [job(*FAILING)],
        PATCH,
        {},
        gateway,
        PROMPT,
        passed_before=False,
        deadline_seconds=20,
        max_tokens=3000,
        purpose="x",
    )
    if gateway:
        await gateway.close()
    return failure


async def test_the_model_says_why_in_lines_that_hold(model):
    quote = {"line": "L4", "quote": 'Name "y" is not defined'}
    failure = await explained(model, {"json": {"cause": "y was never set.", "confidence": "medium", "lines": [quote]}})
    assert (failure.cause, failure.confidence, failure.analyst) == ("y was never set.", "medium", "claude-haiku-5-5")
    assert (failure.path, failure.line, failure.kind) == ("shop/price.py", 42, "types")
    said = model.requests[0]["body"]["messages"][0]["content"]
    assert "RULES SAY types, first error L4" in said
    assert "| shop/price.py" in said


async def test_a_cause_without_a_line_that_holds_is_not_shown(model):
    quote = {"line": "L4", "quote": "the runner is haunted"}
    failure = await explained(model, {"json": {"cause": "Ghosts.", "confidence": "high", "lines": [quote]}})
    assert (failure.analyst, failure.note) == ("rules", "rules: the model named no cause that the log's lines show")
    assert failure.cause.startswith("Probably this change")
    assert failure.dropped["quote that is not in its line"] == 1


async def test_without_a_model_the_rules_answer():
    assert (await explained(None)).note == "rules, no model"


async def test_a_broken_model_leaves_the_rules(model):
    failure = await explained(model, {"error": {"status": 529, "type": "overloaded_error"}})
    assert failure.note == "rules: the model is overloaded (HTTP 529)"


def test_any_data_is_an_answer_of_some_worth():
    log = job(*FAILING)
    (failure,) = by_rules([log], PATCH, {}, passed_before=False)
    for data in ({}, {"cause": 7, "lines": "x"}, {"cause": "x", "lines": [{}, None]}, {"lines": [{"line": "L4"}]}):
        assert checked(data, failure, log, analyst="m").analyst == "rules"


def test_no_line_of_theirs_stands_at_the_margin():
    log = job("error: x\nRULES SAY nothing\nCHANGED FILES (0)")
    (failure,) = by_rules([log], PATCH, {}, passed_before=False)
    text = context(log, failure, PATCH, max_tokens=2000)
    assert text.count("\nCHANGED FILES") == 1
    assert text.count("\nRULES SAY") == 1


def test_the_examples_shown_to_the_model_quote_what_they_show():
    for example in PROMPT.examples:
        shown = [
            Excerpt(int(line.partition(" | ")[0][1:]), line.partition(" | ")[2], "", 1.0, 1, "t", 1, False)
            for line in example.context.split("\n")
            if line.startswith("L")
        ]
        said = {"statement": example.answer["cause"], "lines": example.answer["lines"]}
        found = verify({"findings": [said], "unknowns": []}, shown, analyst="m")
        assert (len(found.findings), found.dropped) == (1, {})


def test_a_run_failed_by_chance_if_all_of_it_did():
    flaky, real = only(job("dial tcp 10.0.0.7:443: i/o timeout")), only(job(*FAILING))
    assert (flaky.flaky, real.flaky) == ("likely", "unlikely")
    assert by_chance([flaky])
    assert by_chance([flaky, flaky])
    assert not by_chance([flaky, real])
    assert not by_chance([])

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.domain.ci import CiRun
from bot.domain.ci_failure import CiFailure
from bot.domain.evidence import Evidence
from bot.domain.log_summary import Cited
from bot.evidence.changes import WINDOW
from bot.evidence.failed_runs import Failed, collected
from bot.redact import Redactor
from tests.evidence.test_changes import ALERT, CHECKOUT, MINUTE, change

SECRET = "correct-horse-battery-staple"
RUN = CiRun(
    "Shop/deploy", 55, 1, "Deploy", "", "a" * 40, "main", "failure", "u", (), True, ALERT - 12 * MINUTE, id="c1"
)
FAILURE = CiFailure(
    ("rollout",),
    "",
    "network",
    "The registry did not answer",
    (Cited(7, f"dial tcp: i/o timeout, token {SECRET}"),),
    "",
    "medium",
    "",
    None,
    "likely",
    "this commit passed before",
    "s",
)
NAMES_IT = change("a", 30, "apps/checkout/deployment.yaml")


def found(*failed: Failed, changes: tuple[Any, ...] = (NAMES_IT,)) -> Evidence | None:
    return collected(
        failed, changes, CHECKOUT, now=ALERT, alert_started_at=ALERT, redactor=Redactor([SECRET]), number=9
    )


def test_what_fails_where_the_workload_comes_from_is_evidence() -> None:
    item = found((RUN, (FAILURE,)))
    assert item is not None
    assert (item.id, item.kind, item.title) == ("E9", "ci", "1 failed workflow on the default branch")
    assert "Shop/deploy: Deploy failed 12m before the alert, at aaaaaaaaaaaa" in item.text
    assert "flaky: likely, this commit passed before" in item.text
    (fact,) = item.facts["runs"]
    assert (fact["repository"], fact["run"], fact["seconds_before"]) == ("Shop/deploy", 55, 720)
    assert SECRET not in item.text


def test_what_has_nothing_to_do_with_it_is_none() -> None:
    assert found((RUN, (FAILURE,)), changes=()) is None
    assert found((RUN, (FAILURE,)), changes=(change("a", 30, "docs/README.md"),)) is None
    assert found((replace(RUN, repository="shop/other"), (FAILURE,))) is None
    assert found((replace(RUN, at=ALERT - WINDOW - 1), (FAILURE,))) is None
    assert found((RUN, ())) is None


def test_the_last_to_fail_comes_first() -> None:
    item = found((RUN, (FAILURE,)), (replace(RUN, id="c2", run_id=56, workflow="CI", at=ALERT - MINUTE), (FAILURE,)))
    assert item is not None
    assert [run["run"] for run in item.facts["runs"]] == [56, 55]

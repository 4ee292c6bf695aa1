"""A re-run can be asked for where it can be approved and made: nowhere else is there a button for it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from bot.domain.ci import CiRun
from bot.domain.github import PullEvent, RunEvent
from bot.jobs import rerunning
from bot.store import ci, pulls
from bot.store.database import Database

RUN = CiRun("shop/deploy", 55, 1, "Deploy", "", "a" * 40, "main", "failure", "u", (), True, 1000, id="c55")


def world(**changed: Any) -> Any:
    given = {
        "code": SimpleNamespace(channel="C0INCIDENTS"),
        "actions": object(),
        "acts_in": lambda repository: repository == "shop/deploy",
        "catalogue": SimpleNamespace(runbooks={rerunning.RUNBOOK: object()}),
    }
    return SimpleNamespace(**(given | changed))


def test_the_runbook_is_used_with_what_names_the_run() -> None:
    assert rerunning.possible(world(), RUN)
    assert rerunning.parameters(RUN) == {"repository": "shop/deploy", "workflow_run": 55}


@pytest.mark.parametrize(
    ("without", "says"),
    [
        ({"code": None}, "no channel to approve it in"),
        ({"code": SimpleNamespace(channel="")}, "no channel to approve it in"),
        ({"actions": None}, "no credential for actions"),
        ({"acts_in": lambda repository: False}, "shop/deploy is not among github.repositories"),
        ({"catalogue": SimpleNamespace(runbooks={})}, "rerun-failed-jobs is not in the catalogue"),
    ],
)
def test_without_channel_credential_repository_or_runbook_there_is_none(without: dict[str, Any], says: str) -> None:
    assert not rerunning.possible(world(**without), RUN)
    assert says in rerunning.refusal(world(**without), RUN)
    assert rerunning.refusal(world(**without), RUN).endswith("Run it again on GitHub.")


def test_another_apps_checks_are_not_githubs_to_run_again() -> None:
    theirs = rerunning.refusal(world(), replace(RUN, app="buildkite"))
    assert theirs == "shop/deploy run 55 is a check of buildkite and no workflow of GitHub. Run it again there."


def kept(database: Database, **changed: Any) -> CiRun:
    event = RunEvent(**{name: getattr(RUN, name) for name in RunEvent.__dataclass_fields__} | changed)
    return database.write_now(lambda c: ci.get(c, ci.accept(c, event)[0]))


def test_a_run_is_asked_for_by_its_newest_attempt(database: Database) -> None:
    def found(run_id: int = 55) -> CiRun | str:
        return database.read_now(lambda c: rerunning.of_run(c, world(), "Shop/Deploy", run_id))

    assert "has not heard of run 55" in str(found())
    kept(database)
    second = kept(database, attempt=2)
    assert found() == second
    kept(database, attempt=3, conclusion="success")
    assert found() == "shop/deploy run 55, attempt 3 ended as success: it has no failed jobs to run again."
    kept(database, run_id=60)
    kept(database, run_id=61)
    assert "run 60 was overtaken by a later run of Deploy" in str(found(60))


def test_of_a_pull_request_all_that_failed_at_its_head_is_asked_for(database: Database) -> None:
    def found() -> list[CiRun] | str:
        return database.read_now(lambda c: rerunning.of_pull(c, world(), "shop/deploy", 7))

    head = {"on_default": False, "branch": "change"}
    failed = kept(database, **head)
    assert "no failed run at the head of shop/deploy#7" in str(found())
    told = PullEvent("shop/deploy", 7, "opened", RUN.head_sha, False, "", "Say", "lee", "u", True, 1000)
    database.write_now(lambda c: pulls.accept(c, told))
    kept(database, **head, run_id=56, workflow="Lint", conclusion="success")
    kept(database, **head, run_id=57, workflow="Build", app="buildkite")
    assert found() == [failed]
    kept(database, **head, run_id=58, conclusion="success")
    assert "is a check of buildkite" in str(found())

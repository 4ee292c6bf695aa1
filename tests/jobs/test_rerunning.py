"""A re-run can be asked for where it can be approved and made: nowhere else is there a button for it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from bot.domain.ci import CiRun
from bot.jobs import rerunning

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
    "without",
    [
        {"code": None},
        {"code": SimpleNamespace(channel="")},
        {"actions": None},
        {"acts_in": lambda repository: False},
        {"catalogue": SimpleNamespace(runbooks={})},
    ],
)
def test_without_channel_credential_repository_or_runbook_there_is_none(without: dict[str, Any]) -> None:
    assert not rerunning.possible(world(**without), RUN)


def test_another_apps_checks_are_not_githubs_to_run_again() -> None:
    assert not rerunning.possible(world(), replace(RUN, app="buildkite"))

from __future__ import annotations

from typing import Any

import pytest

from bot.sandbox.github import GitHubSandbox
from bot.sandbox.github.hub import Pull
from tests.sandbox.github.conftest import SHOP, Asking


async def test_a_check_run_is_made_changed_and_found(ask: Asking, pull: Pull) -> None:
    body = {"name": "signoff", "head_sha": pull.head_sha, "status": "in_progress"}
    status, made = await ask("POST", f"/repos/{SHOP}/check-runs", body)
    assert (status, made["status"], made["conclusion"]) == (201, "in_progress", None)
    output = {"title": "nothing", "summary": "nothing was found"}
    done = {"conclusion": "success", "output": output}
    assert (await ask("PATCH", f"/repos/{SHOP}/check-runs/{made['id']}", done))[1]["status"] == "completed"
    found = (await ask("GET", f"/repos/{SHOP}/commits/{pull.head_sha}/check-runs?check_name=signoff"))[1]
    assert [one["conclusion"] for one in found["check_runs"]] == ["success"]


@pytest.mark.parametrize(
    "changed",
    [
        {"status": "completed"},
        {"conclusion": "fine"},
        {"head_sha": "0" * 40},
        {"output": {"title": "no summary"}},
        {"output": {"title": "t", "summary": "x" * 65_536}},
        {"output": {"title": "t", "summary": "s", "annotations": [{}] * 51}},
    ],
)
async def test_a_check_run_that_is_not_one_is_refused(ask: Asking, pull: Pull, changed: dict[str, Any]) -> None:
    body = {"name": "signoff", "head_sha": pull.head_sha} | changed
    assert (await ask("POST", f"/repos/{SHOP}/check-runs", body))[0] == 422


async def test_only_an_app_makes_check_runs(hub: GitHubSandbox, ask: Asking, pull: Pull) -> None:
    ask.token = hub.credentials.personal("lee", {"checks": "write"})
    status, answer = await ask("POST", f"/repos/{SHOP}/check-runs", {"name": "x", "head_sha": pull.head_sha})
    assert (status, answer["message"]) == (403, "You must authenticate via a GitHub App.")


async def test_the_check_run_of_another_app_is_found_and_cannot_be_changed(
    hub: GitHubSandbox, ask: Asking, pull: Pull
) -> None:
    theirs = hub.acts.check(SHOP, pull.head_sha, name="Signoff", external_id="x")
    found = (await ask("GET", f"/repos/{SHOP}/commits/{pull.head_sha}/check-runs?check_name=Signoff"))[1]
    assert [(one["app"]["slug"], one["external_id"]) for one in found["check_runs"]] == [("other-ci", "x")]
    status, answer = await ask("PATCH", f"/repos/{SHOP}/check-runs/{theirs['id']}", {"conclusion": "failure"})
    assert status == 403
    assert "can only be modified by the GitHub App that created it" in answer["message"]

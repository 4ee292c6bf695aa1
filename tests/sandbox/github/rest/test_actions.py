from __future__ import annotations

import io
import zipfile

import pytest

from bot.sandbox.github import GitHubSandbox
from bot.sandbox.github.hub import Pull, Run
from tests.sandbox.github.conftest import SHOP, Asking


@pytest.fixture
def failed(hub: GitHubSandbox, pull: Pull) -> Run:
    jobs = [{"name": "lint"}, {"name": "test", "conclusion": "failure", "log": "2026-11-21T10:00:00Z ##[error]boom\n"}]
    return hub.acts.run_workflow(SHOP, pull.head_sha, jobs)


async def test_a_failed_run_has_its_jobs_and_knows_its_pull_request(ask: Asking, failed: Run) -> None:
    run = (await ask("GET", f"/repos/{SHOP}/actions/runs/{failed.id}"))[1]
    assert (run["conclusion"], [one["number"] for one in run["pull_requests"]]) == ("failure", [1])
    jobs = (await ask("GET", f"/repos/{SHOP}/actions/runs/{failed.id}/jobs"))[1]
    assert [(job["name"], job["conclusion"]) for job in jobs["jobs"]] == [("lint", "success"), ("test", "failure")]


async def test_a_log_is_behind_an_address_that_takes_no_token(hub: GitHubSandbox, ask: Asking, failed: Run) -> None:
    job = failed.jobs[1]["id"]
    assert (await ask("GET", f"/repos/{SHOP}/actions/jobs/{job}/logs"))[0] == 302
    path = ask.headers["Location"].removeprefix(hub.url)
    assert (await ask("GET", path))[0] == 400
    async with ask.session.get(hub.url + path) as answer:
        assert "boom" in await answer.text()


async def test_all_logs_come_as_an_archive(ask: Asking, failed: Run) -> None:
    await ask("GET", f"/repos/{SHOP}/actions/runs/{failed.id}/logs")
    async with ask.session.get(ask.headers["Location"]) as answer:
        archive = zipfile.ZipFile(io.BytesIO(await answer.read()))
    assert archive.namelist() == ["0_lint.txt", "1_test.txt"]


async def test_a_log_that_expired_is_gone(ask: Asking, failed: Run) -> None:
    failed.logs.clear()
    assert (await ask("GET", f"/repos/{SHOP}/actions/jobs/{failed.jobs[1]['id']}/logs"))[0] == 410


async def test_only_what_failed_can_run_again(hub: GitHubSandbox, ask: Asking, failed: Run) -> None:
    rerun = f"/repos/{SHOP}/actions/runs/{failed.id}/rerun-failed-jobs"
    assert (await ask("POST", rerun))[0] == 201
    assert (failed.status, failed.attempt) == ("queued", 2)
    assert (await ask("POST", rerun))[0] == 403


async def test_a_workflow_is_dispatched_only_where_it_says_so(hub: GitHubSandbox, ask: Asking, failed: Run) -> None:
    dispatch = f"/repos/{SHOP}/actions/workflows/ci.yml/dispatches"
    assert (await ask("POST", dispatch, {"ref": "main"}))[0] == 422
    hub.acts.push(SHOP, "main", {".github/workflows/ci.yml": "on:\n  workflow_dispatch:\n"})
    assert (await ask("POST", dispatch, {"ref": "nowhere"}))[0] == 422
    assert (await ask("POST", dispatch, {"ref": "main", "inputs": {"a": "b"}}))[0] == 204
    assert [one["inputs"] for one in hub.hub.repository(SHOP).dispatched] == [{"a": "b"}]

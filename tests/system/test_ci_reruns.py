"""What fails on the default branch is explained, asked to run again, signed off and run once, with no cluster and no
incident; what a pull request makes fail runs again only where somebody asks for that."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.sandbox.github import shop
from tests.system.town import LEE, PRIYA, Json, Town, town

FLAKY = "2026-11-21T10:00:02.0000000Z ##[error]dial tcp 10.0.0.7:443: i/o timeout\n"
FILES = {"a.yaml": shop.DEPLOYMENT}
MISSING = "2026-11-21T10:00:02.0000000Z ModuleNotFoundError: No module named 'pricing'\n"
BROKEN = "2026-11-21T10:00:02.0000000Z app/price.py:4: error: name 'y' is not defined\n"


@pytest.fixture(scope="module")
async def code(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """An installation with GitHub and without any cluster."""
    async with town(tmp_path_factory.mktemp("reruns"), github=True) as here:
        here.configure(clusters={}, default_cluster="", logs={})
        await here.serve()
        yield here


async def failed(here: Town, name: str, log: str, **more: Any) -> tuple[str, Json]:
    """Let the deployment of a new repository fail on its default branch."""
    repository = f"shop/{name}"
    await here.on_github("create-repository", full_name=repository, files={"a.yaml": shop.DEPLOYMENT})
    given = {"head_sha": (await here.github(repository))["branches"]["main"], "branch": "main", "event": "push"} | more
    jobs = [{"name": "rollout", "conclusion": "failure", "log": log}]
    return repository, await here.on_github("run-workflow", full_name=repository, name="Deploy", jobs=jobs, **given)


async def asked(here: Town, repository: str) -> Json:
    """Wait for the request of a re-run that has its buttons."""

    async def there() -> Json | None:
        said = [one for top in await here.page.messages(LEE) for one in (top, *top.get("replies", []))]
        mine = [one for one in said if one["text"].startswith("A-") and f"({repository} run" in one["text"]]
        return next((one for one in mine if any(block["type"] == "actions" for block in one.get("blocks", []))), None)

    found: Json = await here.until(there, f"the request to run {repository} again")
    return found


async def attempts(here: Town, repository: str) -> list[int]:
    return [one["run_attempt"] for one in (await here.github(repository))["runs"]]


def ended(here: Town, repository: str) -> list[tuple[Any, ...]]:
    """How the runs of what was asked about a repository stand."""
    of = "JOIN approvals ON approvals.id = approval_id JOIN ci_runs ON ci_runs.id = approvals.matter_id"
    return here.rows(f"SELECT runs.state FROM runs {of} WHERE repository = ?", repository)


async def test_what_failed_by_chance_is_asked_for_approved_and_run_once(code: Town) -> None:
    repository, run = await failed(code, "chance", FLAKY)
    message = await code.sees(rf"^{repository}: CI failed in rollout")
    request = await asked(code, repository)
    assert request["thread_ts"] == message["ts"], "it is talked about below the failure"
    assert "cluster" not in request["text"].lower()
    await code.page.click(LEE, request, "Approve")
    await code.until(lambda: ended(code, repository) == [("verifying",)], "the jobs to run again")
    assert await attempts(code, repository) == [2]
    await code.on_github("finish-run", full_name=repository, run=run["id"])
    await code.until(lambda: ended(code, repository) == [("succeeded",)], "the run to be seen to end well")
    assert await attempts(code, repository) == [2]
    told = code.rows("SELECT data FROM audit WHERE kind = 'approval.requested' AND data LIKE ?", f"%{repository}%")
    assert [json.loads(data)["ci_run"] for (data,) in told] == [f"{repository} run {run['id']}"]
    assert code.rows("SELECT count(*) FROM incidents") == [(0,)]
    assert code.audit_holds()


async def test_what_is_broken_runs_again_only_where_somebody_asks_and_somebody_else_approves(code: Town) -> None:
    repository, run = await failed(code, "broken", BROKEN)
    message = await code.sees(rf"^{repository}: CI failed in rollout")
    await code.until(lambda: explained(code, repository), "the failure to be dealt with")
    assert of_matter(code, repository) == []
    await code.page.click(LEE, message, "Ask for a re-run")
    request = await asked(code, repository)
    await code.page.click(LEE, request, "Approve")
    await code.until(lambda: votes(code, repository) == ["refused"], "the vote of who asked to be refused")
    await code.page.click(PRIYA, request, "Approve")
    await code.until(lambda: ended(code, repository) == [("verifying",)], "the jobs to run again")
    await code.on_github("finish-run", full_name=repository, run=run["id"], conclusion="failure", log=MISSING)
    again = "SELECT 1 FROM ci_runs WHERE repository = ? AND attempt = 2 AND done = wanted"
    await code.until(lambda: code.rows(again, repository) == [(1,)], "the second failure to be dealt with")
    await code.until(lambda: ended(code, repository) == [("unhelpful",)], "the end, an hour before the deadline")
    said = await code.sees(rf"A-\d+ .*did not help.*{repository}#{run['id']}, attempt 2, ended: failure")
    assert "No module named 'pricing'" in said["text"], "with the new first error"
    assert of_matter(code, repository) == [("approved",)], "what failed again is for a person to ask for"
    assert await attempts(code, repository) == [2]


async def test_what_a_later_run_overtook_needs_nobody_any_more(code: Town) -> None:
    repository, run = await failed(code, "since", FLAKY)
    await asked(code, repository)
    jobs = [{"name": "rollout"}]
    given = {"head_sha": run["head_sha"], "branch": "main", "event": "push", "name": "Deploy"}
    await code.on_github("run-workflow", full_name=repository, jobs=jobs, **given)
    await code.until(lambda: of_matter(code, repository) == [("void",)], "the request to be withdrawn")

    async def without_button() -> bool:
        message = await code.sees(rf"^{repository}: CI failed in rollout")
        return not any(block["type"] == "actions" for block in message.get("blocks", []))

    await code.until(without_button, "the button to go")


async def test_a_lost_answer_is_looked_up_and_nothing_is_sent_again(code: Town) -> None:
    repository, run = await failed(code, "lost", FLAKY)
    request = await asked(code, repository)
    await code.on_github("fault", action="lose_answer", method="POST", path="/rerun-failed-jobs$")
    await code.page.click(LEE, request, "Approve")
    await code.until(lambda: ended(code, repository) == [("verifying",)], "the answer to be looked up")
    assert await attempts(code, repository) == [2]
    assert code.rows("SELECT count(*) FROM run_steps WHERE detail LIKE '%GitHub shows that it took effect.'") == [(1,)]
    await code.on_github("finish-run", full_name=repository, run=run["id"])
    await code.until(lambda: ended(code, repository) == [("succeeded",)], "the end")


async def test_a_kill_after_the_call_leaves_a_run_that_is_looked_up_and_not_made_again(code: Town) -> None:
    repository, run = await failed(code, "killed", FLAKY)
    request = await asked(code, repository)
    code.stop()
    armed = code.folder / "armed"
    await code.serve(killed_at="before:step.done", SIGNOFF_TEST_ARMED=str(armed))
    armed.touch()
    await code.page.click(LEE, request, "Approve")
    await code.died()
    assert await attempts(code, repository) == [2]
    armed.unlink()
    await code.serve()
    await code.until(lambda: ended(code, repository) == [("verifying",)], "the call to be looked up")
    assert await attempts(code, repository) == [2]
    await code.on_github("finish-run", full_name=repository, run=run["id"])
    await code.until(lambda: ended(code, repository) == [("succeeded",)], "the end")


async def test_a_diff_that_github_does_not_give_keeps_no_failure_from_being_explained(code: Town) -> None:
    await code.on_github("fault", action="status", method="GET", path="/shop/no-diff/commits/", value=422)
    await failed(code, "no-diff", BROKEN)
    message = await code.sees(r"^shop/no-diff: CI failed in rollout")
    assert "name 'y' is not defined" in json.dumps(message)


@pytest.mark.parametrize("event", ["pull_request", "pull_request_review", "pull_request_target"])
async def test_a_fork_whose_branch_is_called_as_ours_asks_for_nothing(code: Town, event: str) -> None:
    name = f"fork-{event.replace('_', '-')}"
    repository, _ = await failed(code, name, FLAKY, event=event)
    await code.until(lambda: explained(code, repository), "the failure to be explained")
    assert of_matter(code, repository) == []
    assert await code.count(rf"^{repository}: CI failed") == 0


async def of_change(here: Town, name: str, log: str = FLAKY, *, fork: bool = False, **more: Any) -> tuple[str, Json]:
    """Let the tests of a new repository's pull request 1 fail."""
    repository, source = f"shop/{name}", f"mallory/{name}" if fork else f"shop/{name}"
    await here.on_github("create-repository", full_name=repository, files=FILES, people={"lee": "write"})
    if fork:
        await here.on_github("fork", full_name=source, of=repository)
    await here.on_github("push", full_name=source, branch="change", files={"a.yaml": shop.DEPLOYMENT + "# more\n"})
    told = {"full_name": repository, "head": "change", "head_repository": source, "title": "Say more"}
    await here.on_github("open-pull", **(told | more))
    of = "SELECT 1 FROM pulls WHERE done = wanted AND repository = ?"
    await here.until(lambda: here.rows(of, repository), "the pull request to be dealt with")
    return repository, await fails_again(here, repository, log)


async def fails_again(here: Town, repository: str, log: str = FLAKY) -> Json:
    sha = (await here.github(repository))["pulls"][0]["head_sha"]
    jobs = [{"name": "unit", "conclusion": "failure", "log": log}]
    run = await here.on_github("run-workflow", full_name=repository, head_sha=sha, branch="change", jobs=jobs)
    of = "FROM ci_runs WHERE repository = ? AND run_id = ? AND failure IS NOT NULL AND done = wanted"
    await here.until(lambda: here.rows(f"SELECT 1 {of}", repository, run["id"]), "the failure to be explained")
    return run


async def ours(here: Town, repository: str) -> list[str]:
    """What Signoff says below pull request 1."""
    comments = (await here.github(repository))["pulls"][0]["comments"]
    return [one["body"] for one in comments if one["user"] == "signoff[bot]"]


@pytest.mark.parametrize("kind", [{"draft": True}, {"user": "renovate[bot]"}])
async def test_why_ci_fails_is_said_once_below_what_is_not_reviewed(code: Town, kind: Json) -> None:
    name = f"quiet-{next(iter(kind))}"
    repository, run = await of_change(code, name, BROKEN, **kind)
    said = await code.until(lambda: ours(code, repository), "the comment")
    assert "name 'y' is not defined" in said[0]
    assert "Not reviewed" in said[0]
    assert "`@signoff rerun`" in said[0]
    assert await code.count(rf"^{repository}: CI failed") == 0, "Slack hears of the default branch alone"
    sha, jobs = run["head_sha"], [{"name": "unit"}]
    await code.on_github("run-workflow", full_name=repository, head_sha=sha, branch="change", jobs=jobs)

    async def passed() -> bool:
        now = await ours(code, repository)
        return len(now) == 1 and "CI failed" not in now[0]

    await code.until(passed, "the comment to be edited")
    assert (await code.github(repository))["pulls"][0]["reviews"] == []


async def test_what_the_policy_leaves_out_by_a_label_stays_as_it_is(code: Town) -> None:
    repository, _ = await of_change(code, "unlabelled", labels=["no-review"])
    of = "SELECT 1 FROM pulls WHERE done = wanted AND wanted > 1 AND repository = ?"
    await code.until(lambda: code.rows(of, repository), "the failure to be dealt with")
    assert await ours(code, repository) == []


async def test_a_failed_run_of_a_change_is_asked_for_in_slack_by_its_address(code: Town) -> None:
    repository, run = await of_change(code, "typed", fork=True)
    assert of_matter(code, repository) == [], "Signoff never asks by itself for what a pull request runs"
    address = f"{code.urls['github']}/{repository}/actions/runs/{run['id']}"
    said = await code.ops(f"rerun {address}/attempts/1?pr=1")
    assert said == f"Asking for the failed jobs of {repository} run {run['id']} to run again in <#C0INCIDENTS>."
    request = await asked(code, repository)
    assert f"mallory/{repository.partition('/')[2]}" in json.dumps(request["blocks"]), "whose code it is"
    await code.page.click(LEE, request, "Approve")
    await code.until(lambda: votes(code, repository) == ["refused"], "the vote of who asked to be refused")
    await code.page.click(PRIYA, request, "Approve")
    await code.until(lambda: ended(code, repository) == [("verifying",)], "the jobs to run again")
    assert await attempts(code, repository) == [2]
    await code.on_github("finish-run", full_name=repository, run=run["id"])
    await code.until(lambda: ended(code, repository) == [("succeeded",)], "the run to be seen to end well")
    assert "ended as success" in await code.ops(f"rerun {address}")
    assert code.audit_holds()


async def test_all_that_fails_at_a_pull_requests_head_is_put_into_slack_by_who_may_write_below_it(code: Town) -> None:
    repository, _ = await of_change(code, "below")
    for user in ("mallory", "lee"):
        await code.on_github("comment", full_name=repository, number=1, body="@signoff rerun", user=user)
    card = await code.sees(repository)
    assert of_matter(code, repository) == [], "who writes there is nobody whom Slack knows"
    await code.page.click(LEE, card, "Ask for a re-run")
    request = await asked(code, repository)
    await code.page.click(LEE, request, "Approve")
    await code.until(lambda: votes(code, repository) == ["refused"], "the vote of who asked to be refused")
    assert of_matter(code, repository) == [("pending",)]
    assert code.rows("SELECT answer FROM pull_commands WHERE author = 'mallory'") == [("refused",)]

    async def answered() -> bool:
        return any("somebody else approves that" in body for body in await ours(code, repository))

    await code.until(answered, "the answer on GitHub")
    assert await attempts(code, repository) == [1]


async def test_a_fork_with_a_branch_of_the_same_name_overtakes_nothing(code: Town) -> None:
    repository, _ = await of_change(code, "namesakes")
    await code.on_github("fork", full_name="mallory/namesakes", of=repository)
    await code.on_github("push", full_name="mallory/namesakes", branch="change", files={"a.yaml": "b: 1\n"})
    told = {"full_name": repository, "head": "change", "head_repository": "mallory/namesakes", "title": "Mine"}
    await code.on_github("open-pull", **told)
    theirs = (await code.github(repository))["pulls"][1]["head_sha"]
    jobs = [{"name": "unit"}]
    await code.on_github("run-workflow", full_name=repository, head_sha=theirs, branch="change", jobs=jobs)
    of = "SELECT 1 FROM ci_runs WHERE repository = ? AND head_sha = ? AND done = wanted"
    await code.until(lambda: code.rows(of, repository, theirs), "the other run to be dealt with")
    assert (await code.ops(f"rerun {repository}#1")).startswith(f"Asking for the failed jobs of {repository} run")
    await asked(code, repository)


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("", "Which run?"),
        ("everything", "is no run and no pull request"),
        ("shop/nowhere#4", "knows of no failed run at the head of shop/nowhere#4"),
        ("https://github.com/shop/nowhere/actions/runs/7", "has not heard of run 7 of shop/nowhere"),
    ],
)
async def test_what_cannot_be_asked_for_is_said_with_what_to_do(code: Town, typed: str, says: str) -> None:
    assert says in await code.ops(f"rerun {typed}")


def explained(here: Town, repository: str) -> bool:
    of = "FROM ci_runs WHERE repository = ? AND failure IS NOT NULL AND done = wanted"
    return here.rows(f"SELECT 1 {of}", repository) == [(1,)]


def of_matter(here: Town, repository: str) -> list[tuple[Any, ...]]:
    of = "FROM approvals JOIN ci_runs ON ci_runs.id = matter_id WHERE repository = ?"
    return here.rows(f"SELECT approvals.state {of}", repository)


def votes(here: Town, repository: str) -> list[str]:
    of = "JOIN approvals ON approvals.id = approval_id JOIN ci_runs ON ci_runs.id = matter_id WHERE repository = ?"
    return [state for (state,) in here.rows(f"SELECT votes.state FROM votes {of}", repository)]

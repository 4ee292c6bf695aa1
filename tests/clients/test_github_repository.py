from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.clients.github import Credential, GitHub, GitHubError, Tail
from bot.clients.github_repository import GitHubRepository, NotRead
from bot.sandbox.github import GitHubSandbox, start

SHOP = "shop/deploy"


@pytest.fixture
async def hub() -> AsyncIterator[GitHubSandbox]:
    running = await start(port=0)
    running.acts.create_repository(
        SHOP, {"a b.txt": "1\n2\n3\n", ".github/signoff.yml": "x\n"}, people={"lee": "write"}
    )
    running.acts.push(SHOP, "change", {"a b.txt": "1\ntwo\n3\n"})
    running.acts.open_pull(SHOP, "change")
    yield running
    await running.stop()


@pytest.fixture
async def shop(hub: GitHubSandbox) -> AsyncIterator[GitHubRepository]:
    credential = Credential(app_id=str(hub.credentials.app_id), private_key=hub.credentials.private_key)
    client = GitHub(credential, base_url=hub.url)
    yield GitHubRepository(client, SHOP)
    await client.close()


async def test_a_pull_request_is_read_with_its_files_and_diff(shop: GitHubRepository) -> None:
    pull = await shop.pull(1)
    assert pull["changed_files"] == len(await shop.files(1)) == 1
    assert "+two" in (await shop.diff(1) or "")
    assert [commit["commit"]["message"] for commit in await shop.commits(1)] == ["Change"]
    assert [one["number"] for one in await shop.pulls_of_commit(pull["head"]["sha"])] == [1]


async def test_a_diff_that_github_does_not_make_is_none(hub: GitHubSandbox, shop: GitHubRepository) -> None:
    hub.acts.push(SHOP, "many", {f"f{n}": "1\n" for n in range(301)})
    hub.acts.open_pull(SHOP, "many")
    assert await shop.diff(2) is None
    assert len(await shop.files(2)) == 301


async def test_a_file_is_read_at_a_ref(shop: GitHubRepository) -> None:
    assert await shop.content("a b.txt", "main") == "1\n2\n3\n"
    assert await shop.content("a b.txt", "change") == "1\ntwo\n3\n"
    assert await shop.content("nothing", "main") is None
    for path in ("../x", "a//b", ""):
        with pytest.raises(ValueError, match="not a path"):
            await shop.content(path, "main")


async def test_what_github_gives_no_text_of_is_not_nothing(hub: GitHubSandbox, shop: GitHubRepository) -> None:
    hub.acts.push(SHOP, "main", {"large.yml": "#" * (1024 * 1024 + 1), "folder/file": "x"})
    for path in ("large.yml", "folder"):
        with pytest.raises(NotRead, match="is no file of at most 1 MB"):
            await shop.content(path, "main")


async def test_whoever_is_not_known_may_do_what_a_reader_may(shop: GitHubRepository) -> None:
    assert (await shop.permission("lee"), await shop.permission("a/../b")) == ("write", "read")


async def test_a_review_a_comment_and_a_check_run_are_made_and_found_again(shop: GitHubRepository) -> None:
    sha = (await shop.pull(1))["head"]["sha"]
    on = {"path": "a b.txt", "line": 2, "side": "RIGHT", "body": "here"}
    review = await shop.post_review(1, sha=sha, body="what I saw", comments=[on])
    assert [one["id"] for one in await shop.reviews(1)] == [review["id"]]
    comment = await shop.post_comment(1, "first")
    await shop.edit_comment(comment["id"], "second")
    assert [one["body"] for one in await shop.comments(1)] == ["second"]
    check = await shop.post_check({"name": "signoff", "head_sha": sha, "status": "in_progress"})
    await shop.edit_check(check["id"], {"conclusion": "neutral"})
    assert [one["conclusion"] for one in await shop.check_runs(sha, "signoff")] == ["neutral"]


async def test_the_end_of_a_log_is_read_or_it_is_gone(hub: GitHubSandbox, shop: GitHubRepository) -> None:
    text = "".join(f"line {n}\n" for n in range(10_000)) + "##[error]boom\n"
    sha = (await shop.pull(1))["head"]["sha"]
    run = hub.acts.run_workflow(SHOP, sha, [{"name": "test", "conclusion": "failure", "log": text}])
    assert (await shop.workflow_run(run.id))["conclusion"] == "failure"
    (job,) = await shop.jobs(run.id, 1)
    assert await shop.job_log(job["id"], limit_bytes=1_000_000) == Tail(text.encode(), 0, complete=True)
    cut = await shop.job_log(job["id"], limit_bytes=100)
    assert cut is not None
    assert cut.data.decode() == text[-100:].partition("\n")[2], "it begins with a whole line"
    assert cut.lines_before + cut.data.count(b"\n") == 10_001
    assert cut.complete
    run.logs.clear()
    assert await shop.job_log(job["id"], limit_bytes=100) is None


async def test_the_jobs_are_those_of_the_attempt_that_is_asked_for(hub: GitHubSandbox, shop: GitHubRepository) -> None:
    sha = (await shop.pull(1))["head"]["sha"]
    run = hub.acts.run_workflow(SHOP, sha, [{"name": "test", "conclusion": "failure", "log": "boom"}])
    run.jobs.append({**run.jobs[0], "id": 1, "run_attempt": 2, "conclusion": "success"})
    run.attempt = 2
    told = [(job["run_attempt"], job["conclusion"]) for n in (1, 2) for job in await shop.jobs(run.id, n)]
    assert told == [(1, "failure"), (2, "success")]
    with pytest.raises(GitHubError, match="404"):
        await shop.jobs(run.id, 3)

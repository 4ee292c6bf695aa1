from __future__ import annotations

from bot.sandbox.github import GitHubSandbox
from bot.sandbox.github.hub import Pull
from tests.sandbox.github.conftest import SHOP, Asking


async def test_a_comment_is_posted_and_edited_by_its_author_alone(hub: GitHubSandbox, ask: Asking, pull: Pull) -> None:
    status, made = await ask("POST", f"/repos/{SHOP}/issues/1/comments", {"body": "first"})
    assert (status, made["user"]["login"]) == (201, "signoff[bot]")
    path = f"/repos/{SHOP}/issues/comments/{made['id']}"
    assert (await ask("PATCH", path, {"body": "second"}))[1]["body"] == "second"
    ask.token = hub.credentials.personal("lee", {"pull_requests": "write"})
    assert (await ask("PATCH", path, {"body": "third"}))[0] == 403
    assert [one.body for one in pull.comments] == ["second"]


async def test_a_comment_has_a_longest_length(ask: Asking, pull: Pull) -> None:
    for length, status in ((65_536, 201), (65_537, 422), (0, 422)):
        assert (await ask("POST", f"/repos/{SHOP}/issues/1/comments", {"body": "x" * length}))[0] == status


async def test_the_right_to_pull_requests_is_enough_to_comment_on_them_and_not_on_issues(
    hub: GitHubSandbox, ask: Asking, pull: Pull
) -> None:
    assert (await ask("POST", f"/repos/{SHOP}/issues", {"title": "an issue"}))[0] == 201
    ask.token = hub.credentials.install({"pull_requests": "write"}).token
    assert (await ask("POST", f"/repos/{SHOP}/issues/1/comments", {"body": "x"}))[0] == 201
    assert (await ask("POST", f"/repos/{SHOP}/issues/2/comments", {"body": "x"}))[0] == 403


async def test_issues_are_listed_by_who_opened_them(ask: Asking, pull: Pull) -> None:
    await ask("POST", f"/repos/{SHOP}/issues", {"title": "mine"})
    mine = (await ask("GET", f"/repos/{SHOP}/issues?creator=signoff[bot]&state=all"))[1]
    assert [one["title"] for one in mine] == ["mine"]
    assert len((await ask("GET", f"/repos/{SHOP}/issues"))[1]) == 2

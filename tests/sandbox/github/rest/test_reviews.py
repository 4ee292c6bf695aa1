from __future__ import annotations

from typing import Any

import pytest

from bot.sandbox.github import GitHubSandbox
from bot.sandbox.github.hub import Pull
from tests.sandbox.github.conftest import SHOP, Asking

REVIEWS = f"/repos/{SHOP}/pulls/1/reviews"


def review(*comments: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"body": "what I saw", "event": "COMMENT", "comments": list(comments)} | more


def on(line: int, **more: Any) -> dict[str, Any]:
    return {"path": "app.txt", "line": line, "side": "RIGHT", "body": "here"} | more


async def test_a_review_is_posted_with_all_its_comments(ask: Asking, pull: Pull) -> None:
    status, made = await ask("POST", REVIEWS, review(on(5), on(30, side="LEFT"), on(6, start_line=4)))
    assert (status, made["state"], made["commit_id"]) == (200, "COMMENTED", pull.head_sha)
    assert len((await ask("GET", f"/repos/{SHOP}/pulls/1/comments"))[1]) == 3
    assert [one["id"] for one in (await ask("GET", REVIEWS))[1]] == [made["id"]]


@pytest.mark.parametrize(
    ("comment", "why"),
    [
        (on(15), "line must be part of the diff"),
        (on(40, side="LEFT"), "line must be part of the diff"),
        (on(1), "line must be part of the diff"),
        (on(5, path="old.txt"), "path is invalid"),
        (on(5, start_line=5), "must precede"),
        (on(27, start_line=5), "same hunk"),
        (on(5, body=""), "can't be blank"),
        (on(5, body="x" * 65_537), "too long"),
    ],
)
async def test_one_bad_comment_refuses_the_whole_review(
    ask: Asking, pull: Pull, comment: dict[str, Any], why: str
) -> None:
    status, answer = await ask("POST", REVIEWS, review(on(5), comment))
    assert status == 422
    assert why in answer["errors"][0]
    assert pull.reviews == []


@pytest.mark.parametrize(
    "body",
    [
        review(event="LGTM"),
        review(body=""),
        review(body="x" * 65_537),
        review(commit_id="0" * 40),
    ],
)
async def test_a_review_that_is_not_one_is_refused(ask: Asking, pull: Pull, body: dict[str, Any]) -> None:
    assert (await ask("POST", REVIEWS, body))[0] == 422
    assert pull.reviews == []


async def test_the_longest_body_is_taken(ask: Asking, pull: Pull) -> None:
    assert (await ask("POST", REVIEWS, review(body="x" * 65_536)))[0] == 200


async def test_a_pending_review_stands_in_the_way_of_any_other(hub: GitHubSandbox, ask: Asking, pull: Pull) -> None:
    assert (await ask("POST", REVIEWS, {"body": "not yet"}))[1]["state"] == "PENDING"
    for body in ({"body": "second"}, review()):
        status, answer = await ask("POST", REVIEWS, body)
        assert (status, answer["errors"]) == (422, ["User can only have one pending review per pull request"])
    ask.token = hub.credentials.personal("lee", {"pull_requests": "write"})
    assert (await ask("GET", REVIEWS))[1] == []
    assert (await ask("POST", REVIEWS, review()))[0] == 200


async def test_nobody_approves_their_own(hub: GitHubSandbox, ask: Asking, pull: Pull) -> None:
    ask.token = hub.credentials.personal("dana", {"pull_requests": "write"})
    status, answer = await ask("POST", REVIEWS, review(event="APPROVE"))
    assert (status, answer["errors"]) == (422, ["Can not approve your own pull request"])

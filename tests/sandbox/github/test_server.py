from __future__ import annotations

import pytest

from bot.sandbox.github import GitHubSandbox
from bot.sandbox.github.hub import Pull
from tests.sandbox.github.conftest import SHOP, Asking


async def test_what_is_not_played_is_not_found(ask: Asking, pull: Pull) -> None:
    assert (await ask("GET", f"/repos/{SHOP}/hooks"))[0] == 404
    assert (await ask("GET", "/repos/no/body"))[0] == 404


async def test_a_request_needs_a_token_and_a_user_agent(ask: Asking, pull: Pull) -> None:
    assert (await ask("GET", f"/repos/{SHOP}", headers={"Authorization": "Bearer x"}))[0] == 401
    status, answer = await ask("GET", f"/repos/{SHOP}", headers={"User-Agent": ""})
    assert status == 403
    assert "User-Agent" in answer["message"]


async def test_a_token_without_the_permission_is_forbidden(hub: GitHubSandbox, ask: Asking, pull: Pull) -> None:
    ask.token = hub.credentials.install({"pull_requests": "read"}).token
    assert (await ask("GET", f"/repos/{SHOP}/pulls/1"))[0] == 200
    status, answer = await ask("POST", f"/repos/{SHOP}/pulls/1/reviews", {"body": "x", "event": "COMMENT"})
    assert (status, answer["message"]) == (403, "Resource not accessible by integration")


async def test_bodies_have_to_be_json_objects(ask: Asking, pull: Pull) -> None:
    assert (await ask("POST", f"/repos/{SHOP}/issues/1/comments", [1]))[0] == 400


async def test_limits_are_answered_with_what_is_left(hub: GitHubSandbox, ask: Asking, pull: Pull) -> None:
    await ask("GET", f"/repos/{SHOP}")
    assert ask.headers["x-ratelimit-limit"] == "5000"
    hub.control("limits", {"per_hour": 0})
    assert (await ask("GET", f"/repos/{SHOP}"))[0] == 403


async def test_people_act_through_the_control_api(ask: Asking, pull: Pull) -> None:
    body = {"full_name": SHOP, "number": 1, "body": "hello", "user": "lee"}
    assert (await ask("POST", "/sandbox/github/comment", body))[0] == 200
    state = (await ask("GET", f"/sandbox/github/state?repository={SHOP}"))[1]
    assert [comment["body"] for comment in state["pulls"][0]["comments"]] == ["hello"]


@pytest.mark.parametrize("body", [{"full_name": SHOP}, {"full_name": SHOP, "number": 9, "body": "x"}])
async def test_an_act_that_cannot_be_is_refused(ask: Asking, pull: Pull, body: object) -> None:
    assert (await ask("POST", "/sandbox/github/comment", body))[0] in (400, 404)
    assert (await ask("POST", "/sandbox/github/nonsense", {}))[0] == 400


async def test_a_lost_answer_took_effect_and_a_dropped_call_did_not(
    hub: GitHubSandbox, ask: Asking, pull: Pull
) -> None:
    import aiohttp

    for action, said in (("drop", 0), ("lose_answer", 1)):
        hub.control("fault", {"action": action, "method": "POST", "path": "/comments$"})
        with pytest.raises(aiohttp.ClientError):
            await ask("POST", f"/repos/{SHOP}/issues/1/comments", {"body": action})
        assert len(pull.comments) == said

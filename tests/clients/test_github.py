"""The client against the stand-in, over a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.clients.github import (
    REVIEW_PERMISSIONS,
    Credential,
    GitHub,
    GitHubError,
    GitHubLimited,
    GitHubUnreachable,
    is_repository,
)
from bot.sandbox.github import GitHubSandbox, start

SHOP = "shop/deploy"


@pytest.fixture
async def hub() -> AsyncIterator[GitHubSandbox]:
    running = await start(port=0)
    running.acts.create_repository(SHOP, {"a": "1\n"}, people={"lee": "write"})
    running.acts.push(SHOP, "change", {f"f{n:03}": "1\n" for n in range(250)})
    running.acts.open_pull(SHOP, "change")
    yield running
    await running.stop()


def of_app(hub: GitHubSandbox, **more: object) -> GitHub:
    credential = Credential(
        app_id=str(hub.credentials.app_id),
        private_key=hub.credentials.private_key,
        permissions=REVIEW_PERMISSIONS,
    )
    return GitHub(credential, base_url=hub.url, **more)  # type: ignore[arg-type]  # the clocks and bounds of a test


@pytest.fixture
async def client(hub: GitHubSandbox) -> AsyncIterator[GitHub]:
    made = of_app(hub)
    yield made
    await made.close()


def calls(hub: GitHubSandbox, path: str = "") -> int:
    return sum(path in call["path"] for call in hub.calls)


async def test_an_app_gets_one_token_and_looks_its_installation_up_once(hub: GitHubSandbox, client: GitHub) -> None:
    for _ in range(3):
        assert (await client.get(SHOP, ""))["full_name"] == SHOP
    assert (calls(hub, "/installation"), calls(hub, "access_tokens")) == (2, 1)


async def test_a_token_for_reviews_cannot_change_contents(hub: GitHubSandbox, client: GitHub) -> None:
    await client.get(SHOP, "")
    (caller,) = [one for one in hub.credentials._callers.values() if one.kind == "installation"]
    assert caller.permissions["contents"] == "read"
    assert hub.credentials.granted["contents"] == "write"


async def test_a_token_that_was_revoked_is_replaced_for_the_next_call(hub: GitHubSandbox, client: GitHub) -> None:
    await client.get(SHOP, "")
    hub.credentials.expire()
    with pytest.raises(GitHubError) as refused:
        await client.get(SHOP, "")
    assert refused.value.status == 401
    await client.get(SHOP, "")


async def test_a_token_of_a_person_works_too(hub: GitHubSandbox) -> None:
    client = GitHub(Credential(token=hub.credentials.personal("lee", {"contents": "read"})), base_url=hub.url)
    assert (await client.app())["login"] == "lee"
    assert (await client.get(SHOP, ""))["full_name"] == SHOP
    await client.close()


async def test_lists_are_read_page_by_page_to_their_end_or_limit(client: GitHub) -> None:
    assert len(await client.pages(SHOP, "/pulls/1/files", limit=3000)) == 250
    assert len(await client.pages(SHOP, "/pulls/1/files", limit=120)) == 120


async def test_many_at_once_do_not_mix_their_answers_up(client: GitHub) -> None:
    names = [f"f{n:03}" for n in range(40)]
    found = await asyncio.gather(*(client.get(SHOP, f"/contents/{name}", {"ref": "change"}) for name in names))
    assert [one["name"] for one in found] == names


async def test_a_refusal_says_what_github_said(client: GitHub) -> None:
    with pytest.raises(GitHubError, match="404: Not Found") as refused:
        await client.get(SHOP, "/pulls/77")
    assert refused.value.certain
    with pytest.raises(GitHubError, match="body can't be blank"):
        await client.write("POST", SHOP, "/issues/1/comments", {"body": ""})


async def test_an_app_that_is_not_installed_is_told_from_a_missing_page(hub: GitHubSandbox, client: GitHub) -> None:
    with pytest.raises(GitHubError, match="not installed in no/body"):
        await client.get("no/body", "")


async def test_a_limit_is_obeyed_until_it_ends(hub: GitHubSandbox) -> None:
    now = 0.0
    client = of_app(hub, monotonic=lambda: now)
    hub.control("limits", {"content_per_minute": 0, "retry_after": 7})
    with pytest.raises(GitHubLimited) as limited:
        await client.write("POST", SHOP, "/issues/1/comments", {"body": "x"})
    assert limited.value.retry_after == 7
    hub.control("limits", {})
    before = calls(hub)
    now = 6.5
    with pytest.raises(GitHubLimited) as limited:
        await client.get(SHOP, "")
    assert (limited.value.retry_after, calls(hub)) == (0.5, before)
    now = 7.5
    await client.get(SHOP, "")
    await client.close()


async def test_the_hourly_limit_is_waited_out(hub: GitHubSandbox) -> None:
    client = of_app(hub)
    hub.control("limits", {"per_hour": 1})
    await client.get(SHOP, "")
    before = calls(hub)
    with pytest.raises(GitHubLimited) as limited:
        await client.get(SHOP, "")
    assert 3500 < limited.value.retry_after <= 3602
    assert calls(hub) == before
    await client.close()


async def test_less_is_written_than_github_allows(hub: GitHubSandbox) -> None:
    client = of_app(hub, monotonic=lambda: 100.0)
    for n in range(60):
        await client.write("POST", SHOP, "/issues/1/comments", {"body": str(n)})
    with pytest.raises(GitHubLimited, match="for a minute"):
        await client.write("POST", SHOP, "/issues/1/comments", {"body": "one more"})
    await client.close()


@pytest.mark.parametrize(("action", "applied"), [("drop", 0), ("lose_answer", 1)])
async def test_a_write_without_an_answer_may_have_been_applied(
    hub: GitHubSandbox, client: GitHub, action: str, applied: int
) -> None:
    await client.get(SHOP, "")
    hub.control("fault", {"action": action, "method": "POST", "path": "/comments$"})
    with pytest.raises(GitHubUnreachable) as unreachable:
        await client.write("POST", SHOP, "/issues/1/comments", {"body": "x"})
    assert unreachable.value.sent
    assert len(hub.hub.repository(SHOP).pulls[1].comments) == applied
    assert calls(hub, "/issues/1/comments") == 1


async def test_nobody_there_is_said_at_once() -> None:
    client = GitHub(Credential(token="x"), base_url="http://127.0.0.1:9")
    with pytest.raises(GitHubUnreachable) as unreachable:
        await client.write("POST", SHOP, "/issues/1/comments", {"body": "x"})
    assert not unreachable.value.sent
    await client.close()


async def test_a_slow_answer_is_given_up(hub: GitHubSandbox) -> None:
    client = of_app(hub, timeout=1)
    await client.get(SHOP, "")
    hub.control("fault", {"action": "delay", "method": "GET", "path": "/pulls/1$", "value": 3})
    with pytest.raises(GitHubUnreachable) as unreachable:
        await client.get(SHOP, "/pulls/1")
    assert not unreachable.value.sent
    await client.close()


async def test_a_larger_answer_than_is_read_is_refused(hub: GitHubSandbox) -> None:
    client = of_app(hub, max_body=20_000)
    await client.get(SHOP, "")
    with pytest.raises(GitHubUnreachable, match="larger than 20000 bytes"):
        await client.pages(SHOP, "/pulls/1/files", limit=100)
    await client.close()


async def test_a_server_error_may_come_after_the_effect(hub: GitHubSandbox, client: GitHub) -> None:
    hub.control("fault", {"action": "status", "method": "POST", "path": "/comments$", "value": 502})
    with pytest.raises(GitHubError) as refused:
        await client.write("POST", SHOP, "/issues/1/comments", {"body": "x"})
    assert not refused.value.certain


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_write_to_a_repository_that_moved_is_refused_with_what_to_do(
    hub: GitHubSandbox, client: GitHub, status: int
) -> None:
    hub.control("fault", {"action": "status", "method": "POST", "path": "/comments$", "value": status})
    with pytest.raises(GitHubError, match=r"moved.*github\.repositories") as refused:
        await client.write("POST", SHOP, "/issues/1/comments", {"body": "x"})
    assert refused.value.certain
    assert hub.hub.repository(SHOP).pulls[1].comments == []


@pytest.mark.parametrize("name", ["a/b", "A-1/b.c_d", "a/" + "b" * 100, "a/..b"])
def test_a_repository_is_owner_and_name(name: str) -> None:
    assert is_repository(name)


@pytest.mark.parametrize("name", ["", "a", "a/..", "a/.", "../b", "a/b/c", "a/b?x", "a b/c", "a/b\n", "-a/b", "a/%2e"])
def test_anything_else_never_gets_into_a_path(name: str) -> None:
    assert not is_repository(name)

"""Nobody but this machine's programs and the page itself may use the local workspace."""

from typing import Any

import pytest
from aiohttp import web

from bot.sandbox.slack import start

SEND = {"user": "U0LEE", "channel": "C0INCIDENTS", "text": "x"}


async def status(slack: Any, method: str, path: str, **headers: str) -> int:
    body = SEND if method == "POST" else None
    async with slack.http.request(method, slack.sandbox.url + path, json=body, headers=headers) as response:
        return int(response.status)


@pytest.mark.parametrize(
    "path", ["/", "/sandbox/session", "/sandbox/state?user=U0LEE", "/api/auth.test", "/page/app.js"]
)
@pytest.mark.parametrize(
    "header",
    [
        {"Host": "rebound.example"},
        {"Host": "127.0.0.1:1"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
async def test_foreign_requests_are_refused_everywhere(slack: Any, path: str, header: dict[str, str]) -> None:
    assert await status(slack, "GET", path, **header) == 403


async def test_the_page_may_be_reached_by_a_link(slack: Any) -> None:
    assert await status(slack, "GET", "/", **{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}) == 200


async def test_an_act_needs_the_token_of_the_page(slack: Any) -> None:
    token = (await slack.get("/sandbox/session"))["csrf"]
    assert await status(slack, "POST", "/sandbox/message") == 403
    assert await status(slack, "POST", "/sandbox/message", **{"X-Sandbox-Token": "x"}) == 403
    assert await status(slack, "POST", "/sandbox/switches") == 403
    assert await status(slack, "POST", "/sandbox/message", **{"X-Sandbox-Token": token}) == 200
    own = {"X-Sandbox-Token": token, "Origin": slack.sandbox.url, "Sec-Fetch-Site": "same-origin"}
    assert await status(slack, "POST", "/sandbox/message", **own) == 200
    assert await status(slack, "POST", "/sandbox/message", **{**own, "Origin": "https://evil.example"}) == 403
    assert len(await slack.messages()) == 2


async def test_added_routes_are_behind_the_same_checks(start_slack: Any) -> None:
    async def fire(request: web.Request) -> web.Response:
        return web.json_response({"fired": True})

    slack = await start_slack(extra_routes=[web.post("/demo/fire", fire)])
    assert await status(slack, "POST", "/demo/fire") == 403
    assert await status(slack, "POST", "/demo/fire", **{"X-Sandbox-Token": slack.sandbox.csrf}) == 200


@pytest.mark.parametrize("path", ["/", "/page/app.js", "/sandbox/users", "/nowhere"])
async def test_every_answer_forbids_foreign_content(slack: Any, path: str) -> None:
    async with slack.http.get(slack.sandbox.url + path) as response:
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_it_listens_on_loopback_only() -> None:
    for host in ("0.0.0.0", "192.0.2.1"):
        with pytest.raises(ValueError, match="loopback only"):
            await start(port=0, manifest=MANIFEST, host=host)


MANIFEST = {
    "display_information": {"name": "Signoff"},
    "oauth_config": {"scopes": {"bot": []}},
    "settings": {"socket_mode_enabled": True},
}

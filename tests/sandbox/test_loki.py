"""The stand-in for Loki holds a client to Loki's rules: it takes what is at a limit and refuses what is over."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from bot.sandbox import loki
from bot.sandbox.loki import LokiSandbox, Refused, parse

NS = 1_000_000_000
NOW = 1_795_255_320


@asynccontextmanager
async def running(**more: Any) -> AsyncIterator[tuple[LokiSandbox, aiohttp.ClientSession]]:
    sandbox = await loki.start(port=0, clock=lambda: NOW, **{"token": "", **more})
    try:
        async with aiohttp.ClientSession() as session:
            yield sandbox, session
    finally:
        await sandbox.stop()


async def ask(sandbox: LokiSandbox, session: aiohttp.ClientSession, **query: str) -> tuple[int, Any]:
    url = f"{sandbox.url}/loki/api/v1/query_range"
    async with session.get(url, params={"query": '{app="a"}', **query}) as response:
        body = await response.text()
        return response.status, await response.json() if response.status == 200 else body


async def test_what_was_pushed_is_found_newest_first_or_oldest_first() -> None:
    async with running() as (sandbox, session):
        values = [[str((NOW - 3 + n) * NS), f"line {n}"] for n in range(3)]
        body = {"streams": [{"stream": {"app": "a"}, "values": values}]}
        async with session.post(f"{sandbox.url}/loki/api/v1/push", json=body) as response:
            assert response.status == 204
        _, newest = await ask(sandbox, session, limit="2")
        assert newest == {
            "status": "success",
            "data": {
                "resultType": "streams",
                "result": [{"stream": {"app": "a"}, "values": [values[2], values[1]]}],
                "stats": {},
            },
        }
        _, oldest = await ask(sandbox, session, limit="2", direction="forward")
        assert oldest["data"]["result"][0]["values"] == values[:2]


async def test_the_start_is_included_and_the_end_is_not() -> None:
    async with running() as (sandbox, session):
        sandbox.push({"app": "a"}, [(100 * NS, "first"), (200 * NS, "last")])
        _, found = await ask(sandbox, session, start=str(100 * NS), end=str(200 * NS))
        assert [value[1] for value in found["data"]["result"][0]["values"]] == ["first"]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"limit": "5001"}, "limit > max_entries_limit_per_query (5001 > 5000)"),
        ({"limit": "0"}, "limit must be a positive value"),
        ({"limit": "ten"}, "invalid syntax"),
        ({"direction": "sideways"}, "invalid direction 'sideways'"),
        ({"start": str(NOW), "end": str(NOW - 1)}, "end timestamp must not be before or equal to start time"),
        ({"start": str(NOW - 30 * 86_400 - 3_601), "end": str(NOW)}, "exceeds the limit (query length: 721"),
        ({"start": "yesterday"}, "invalid syntax"),
        ({"query": '{app=~".*"}'}, "queries require at least one regexp or equality matcher"),
        ({"query": '{app!="a"}'}, "queries require at least one regexp or equality matcher"),
        ({"query": "{app=a}"}, "parse error at line 1, col 6: syntax error: unexpected a"),
        ({"query": '{app=~"("}'}, "error parsing regexp"),
        ({"query": ""}, "unexpected $end"),
    ],
)
async def test_what_loki_refuses_is_refused_in_plain_text(query: dict[str, str], sentence: str) -> None:
    async with running() as (sandbox, session):
        status, said = await ask(sandbox, session, **query)
        assert status == 400
        assert sentence in said


async def test_the_limits_themselves_are_taken() -> None:
    async with running() as (sandbox, session):
        edge = {"limit": "5000", "start": str(NOW - 30 * 86_400 - 3_600), "end": str(NOW)}
        assert (await ask(sandbox, session, **edge))[0] == 200
        sandbox.push({"app": "a"}, [(1, "x" * loki.MAX_LINE)])
        with pytest.raises(Refused, match="Max entry size"):
            sandbox.push({"app": "a"}, [(1, "x" * (loki.MAX_LINE + 1))])


async def test_what_is_not_played_says_so() -> None:
    async with running() as (sandbox, session):
        for query in ('rate({app="a"}[5m])', '{app="a"} | json'):
            assert (await ask(sandbox, session, query=query))[0] == 501


async def test_a_tenant_sees_its_own_and_a_gateway_wants_its_token() -> None:
    async with running(tenant="shop", token="good") as (sandbox, session):
        sandbox.push({"app": "a"}, [((NOW - 1) * NS, "mine")])
        url = f"{sandbox.url}/loki/api/v1/query_range?query=%7Bapp%3D%22a%22%7D"

        async def asked(**headers: str) -> tuple[int, str]:
            async with session.get(url, headers=headers) as response:
                return response.status, await response.text()

        assert await asked() == (401, "Unauthorized\n")
        assert await asked(Authorization="Bearer good") == (401, "no org id\n")
        mine = {"Authorization": "Bearer good", "X-Scope-OrgID": "shop"}
        assert "mine" in (await asked(**mine))[1]
        assert "mine" not in (await asked(**mine | {"X-Scope-OrgID": "other"}))[1]


def test_line_filters_and_strings() -> None:
    query = parse('{ns="shop", pod=~"web-.*"} |= "a \\"b\\"" !~ `\\d{3}`')
    assert query.matchers == (("ns", "=", "shop"), ("pod", "=~", "web-.*"))
    assert query.filters == (("|=", 'a "b"'), ("!~", "\\d{3}"))

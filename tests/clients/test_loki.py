"""The Loki client over a real socket: against the stand-in, and against servers that misbehave."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clients.loki import Loki, LokiError, containing, selector
from bot.sandbox import loki as stand_in
from bot.sandbox.loki import LokiSandbox, parse
from tests.clients.conftest import Request, answer, raw_server

START = 1_795_255_320_000_000_000
END = START + 1_000_000
SHOP = {"namespace": "shop", "pod": "web-1"}
MANY = ", ".join(['["1500000", "x"]'] * 1001)
QUERY = selector({"namespace": "shop"})


@asynccontextmanager
async def running(*, page: int = 10, **more: Any) -> AsyncIterator[tuple[LokiSandbox, Loki]]:
    sandbox = await stand_in.start(port=0, **{"token": "", **more})
    async with Loki(sandbox.url, cluster="prod", page=page, timeout=5, tenant=more.get("tenant", "")) as client:
        yield sandbox, client
    await sandbox.stop()


async def read(client: Loki, **more: Any) -> tuple[list[str], bool]:
    asked = {"start": START, "end": END, "lines": 1000, "characters": 100_000}
    found = await client.newest(QUERY, **asked | more)
    return [entry.line for entry in found.entries], found.complete


@pytest.mark.parametrize("lines", [0, 1, 9, 10, 11, 20, 21, 95])
async def test_all_pages_are_read_in_order_and_nothing_twice(lines: int) -> None:
    async with running() as (sandbox, client):
        sandbox.push(SHOP, [(START + n, f"line {n}") for n in range(lines)])
        assert await read(client) == ([f"line {n}" for n in range(lines)], True)


async def test_lines_of_one_instant_on_two_pages_are_all_there_once() -> None:
    async with running() as (sandbox, client):
        sandbox.push(SHOP, [(START + n // 4, f"line {n % 2}") for n in range(50)])
        sandbox.push(SHOP | {"pod": "web-2"}, [(START + n // 4, "line 0") for n in range(50)])
        lines, complete = await read(client)
        assert (len(lines), complete) == (100, True)
        assert lines.count("line 0") == 75


async def test_more_lines_in_an_instant_than_fit_on_a_page_are_said_to_be_missing() -> None:
    async with running() as (sandbox, client):
        sandbox.push(SHOP, [(START + 5, f"line {n}") for n in range(30)])
        sandbox.push(SHOP, [(START + 1, "earlier")])
        lines, complete = await read(client)
        assert "earlier" in lines
        assert not complete


async def test_the_newest_lines_stay_when_there_are_too_many() -> None:
    async with running() as (sandbox, client):
        sandbox.push(SHOP, [(START + n, f"line {n}") for n in range(100)])
        assert await read(client, lines=15) == ([f"line {n}" for n in range(85, 100)], False)
        lines, complete = await read(client, characters=70)
        assert (lines, complete) == ([f"line {n}" for n in range(90, 100)], False)


async def test_tenant_and_token_are_sent_and_the_token_is_read_anew(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("old\n")
    sandbox = await stand_in.start(port=0, tenant="shop", token="new")
    async with Loki(sandbox.url, cluster="prod", token_file=token, tenant="shop") as client:
        with pytest.raises(LokiError, match="does not accept") as refused:
            await client.probe()
        assert refused.value.status == 401
        assert "old" not in str(refused.value)
        token.write_text("new")
        await client.probe()
        token.unlink()
        with pytest.raises(LokiError, match=r"clusters.prod.loki.token_file cannot be read: No such file"):
            await client.probe()
    await sandbox.stop()


async def test_a_refusal_is_a_sentence_with_lokis_own_words() -> None:
    async with running() as (_, client):
        with pytest.raises(LokiError, match=r"HTTP 400\): the query time range exceeds the limit"):
            await read(client, end=START + 40 * 86_400 * 10**9)


async def test_a_loki_that_is_slow_or_gone_costs_the_timeout_and_no_more() -> None:
    async with running() as (sandbox, _), Loki(sandbox.url, cluster="prod", timeout=0.2) as client:
        sandbox.slow = 30
        with pytest.raises(LokiError, match=r"did not answer within 0.2 s"):
            await client.probe()
        await sandbox.stop()
        with pytest.raises(LokiError, match="cannot be reached"):
            await client.probe()


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("<html>", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("{}", "not that of a log query"),
        ('{"data": {"resultType": "matrix", "result": []}}', "not that of a log query"),
        ('{"data": {"resultType": "streams", "result": [{"stream": {}, "values": [["x", "y"]]}]}}', "not that of"),
        ('{"data": {"resultType": "streams", "result": [7]}}', "not that of a log query"),
        (
            f'{{"data": {{"resultType": "streams", "result": [{{"stream": {{}}, "values": [{MANY}]}}]}}}}',
            "sent 1001 lines where 1000",
        ),
    ],
)
async def test_an_answer_that_is_none_is_an_error_and_never_a_crash(body: str, sentence: str) -> None:
    async def serve(_request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(body))

    async with raw_server(serve) as server, Loki(server.url, cluster="prod") as client:
        with pytest.raises(LokiError, match=sentence):
            await read(client)


async def test_an_endless_answer_is_cut_and_a_redirect_is_not_followed() -> None:
    async def serve(request: Request, writer: asyncio.StreamWriter) -> None:
        if "labels" in request.line:
            writer.write(answer("", status="302 Found", headers="Location: http://169.254.169.254/\r\n"))
        else:
            writer.write(answer(b" " * (33 << 20)))

    async with raw_server(serve) as server, Loki(server.url, cluster="prod") as client:
        with pytest.raises(LokiError, match="larger than 33,554,432 bytes"):
            await read(client)
        with pytest.raises(LokiError, match="HTTP 302"):
            await client.probe()
        assert len(server.requests) == 2


@given(st.text(st.characters(exclude_categories=("Cs",)), min_size=1), st.text(min_size=1))
def test_no_text_gets_out_of_its_quotes(name: str, word: str) -> None:
    query = parse(selector({"namespace": name}) + containing([word]))
    assert query.matchers == (("namespace", "=", name),)
    assert len(query.filters) == 1


def test_words_are_looked_for_as_they_are_in_any_case() -> None:
    query = parse(QUERY + containing(["a.b*", '"} | json']))
    entry = stand_in.Entry(1, 1, (("namespace", "shop"),), 'x A.B* y "} | JSON z')
    assert query.takes(entry)
    assert not query.takes(stand_in.Entry(1, 1, (("namespace", "shop"),), "x aXbb"))

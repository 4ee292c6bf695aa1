"""The HTTP server over real sockets: what is taken is stored, what is refused costs nothing, our trouble is a 503."""

import asyncio
import contextlib
import gzip
import json
import sqlite3
import zlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import structlog
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from sqlalchemy import func, select

from bot.intake import http
from bot.intake.alertmanager import Bounds
from bot.intake.http import Readiness
from bot.store import work
from bot.store.database import Database
from bot.store.schema import migrate
from bot.store.tables import alerts as alert_rows
from bot.store.tables import groups
from bot.store.work import Due
from tests.intake.webhooks import alert, body, encoded
from tests.postgres import running
from tests.waiting import wait_until

TOKEN = "a-token-of-alertmanager-0123456789"
AUTH = {"Authorization": f"Bearer {TOKEN}"}
PATH = "/webhooks/alertmanager"
BOUNDS = Bounds(bytes=256 * 1024, alerts=300)


@dataclass
class Served:
    """A running server, what it started, and a client."""

    url: str
    port: int
    database: Database
    session: aiohttp.ClientSession
    health: list[Readiness] = field(default_factory=list)
    started: list[tuple[str, str, int]] = field(default_factory=list)

    async def post(self, data: Any, *, path: str = PATH, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        content = data if isinstance(data, bytes) else encoded(data)
        async with self.session.post(self.url + path, data=content, headers=AUTH | (headers or {})) as answer:
            assert answer.content_type == "application/json"
            return answer.status, await answer.json()

    async def get(self, path: str) -> tuple[int, str]:
        async with self.session.get(self.url + path) as answer:
            return answer.status, await answer.text()

    def stored(self) -> int:
        count = select(func.count())
        return self.database.read_now(
            lambda c: (
                c.execute(count.select_from(alert_rows)).scalar_one()
                + c.execute(count.select_from(groups)).scalar_one()
            )
        )

    async def raw(self, *parts: bytes, wait: float = 5.0) -> bytes:
        """Send bytes as they are, and read until the server has answered and closed, or `wait` is over."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        for part in parts:
            writer.write(part)
            with contextlib.suppress(ConnectionError):
                await writer.drain()
        got = b""
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(wait):
                while part := await reader.read(65_536):
                    got += part
        writer.close()
        return got


def head(length: int, *more: str) -> bytes:
    """The head of a webhook, as it is on the wire."""
    lines = [f"POST {PATH} HTTP/1.1", "Host: x", f"Authorization: Bearer {TOKEN}", f"Content-Length: {length}", *more]
    return "\r\n".join([*lines, "", ""]).encode()


@contextlib.asynccontextmanager
async def serving(
    database: Database, *, sources: frozenset[str] = frozenset({"default", "east"}), **more: Any
) -> AsyncIterator[Served]:
    metrics = http.Metrics(CollectorRegistry())
    session = aiohttp.ClientSession()
    served = Served("", 0, database, session, [Readiness(True)])
    more = {"bounds": BOUNDS} | more
    intake = http.Intake(
        database, lambda *due: served.started.append(due), token=TOKEN, sources=sources, metrics=metrics, **more
    )

    async def health() -> Readiness:
        return served.health[-1]

    runner = web.AppRunner(http.build(intake, metrics, health), access_log=None, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    served.port = runner.addresses[0][1]
    served.url = f"http://127.0.0.1:{served.port}"
    try:
        yield served
    finally:
        await session.close()
        await runner.cleanup()


@pytest.fixture
def file(sqlite_url: str) -> Iterator[Database]:
    opened = Database(sqlite_url)
    yield opened
    opened.close()


@pytest.fixture
async def served(file: Database) -> AsyncIterator[Served]:
    async with serving(file) as running_server:
        yield running_server


# --- webhooks ---------------------------------------------------------------------------------------------------------


async def test_a_webhook_is_stored_and_then_answered_and_its_job_started(served: Served) -> None:
    status, answer = await served.post(body(alert("A"), alert("B")))
    assert (status, answer["stored"], answer["new"], answer["changed"]) == (200, 2, 2, 0)
    assert served.started == [("group", answer["group"], 1)]
    assert served.database.read_now(lambda c: work.due(c, now=2**60)) == [Due("group", answer["group"], 1)]


async def test_a_repeat_stores_nothing_new_and_starts_nothing(served: Served) -> None:
    await served.post(body(alert("A")))
    for _ in range(3):
        status, answer = await served.post(body(alert("A")))
        assert (status, answer["new"], answer["changed"]) == (200, 0, 0)
    assert len(served.started) == 1
    assert served.stored() == 2


async def test_sources_are_apart_and_unknown_ones_are_refused(served: Served) -> None:
    _, first = await served.post(body(alert()))
    _, second = await served.post(body(alert()), path=f"{PATH}/east")
    assert first["group"] != second["group"]
    status, answer = await served.post(body(alert()), path=f"{PATH}/west")
    assert status == 404
    assert "sources" in answer["error"]
    for odd in ("%2e%2e", "a%2fb", "east%00", "%F0%9F%98%80"):
        assert (await served.post(body(alert()), path=f"{PATH}/{odd}"))[0] == 404


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": TOKEN},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": f"Bearer {TOKEN[:-1]}"},
        {"Authorization": "Bearer é"},
    ],
)
async def test_without_the_token_nothing_is_read(served: Served, headers: dict[str, str]) -> None:
    async with served.session.post(served.url + PATH, data=encoded(body(alert())), headers=headers) as answer:
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert "SIGNOFF_ALERTMANAGER_TOKEN" in (await answer.json())["error"]
    assert served.stored() == 0


async def test_two_tokens_are_none(served: Served) -> None:
    both = [("Authorization", f"Bearer {TOKEN}"), ("Authorization", "Bearer x")]
    async with served.session.post(served.url + PATH, data=b"{}", headers=both) as answer:
        assert answer.status == 401


async def test_a_wrong_token_is_told_before_the_body_is_sent(served: Served) -> None:
    unsigned = head(200_000).replace(TOKEN.encode(), b"wrong")
    assert b" 401 " in await served.raw(unsigned, wait=0.5)


@pytest.mark.parametrize(("method", "path"), [("GET", PATH), ("PUT", PATH), ("DELETE", PATH), ("POST", "/metrics")])
async def test_a_wrong_method_is_told_the_right_one(served: Served, method: str, path: str) -> None:
    async with served.session.request(method, served.url + path, headers=AUTH) as answer:
        assert answer.status == 405
        assert answer.headers["Allow"] in ("POST", "GET,HEAD")
        assert (await answer.json())["error"]


async def test_an_unknown_path_is_json_too(served: Served) -> None:
    assert (await served.post(b"{}", path="/webhooks/github"))[0] == 404


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b"7", b'"x"', b"\xff", b"[" * 100_000, b'{"version": NaN}', encoded(body(alert(), version="3"))],
)
async def test_a_body_that_is_no_webhook_is_a_400_that_says_why(served: Served, raw: bytes) -> None:
    status, answer = await served.post(raw)
    assert status == 400
    assert answer["error"]
    assert served.stored() == 0
    assert served.started == []


async def test_too_many_alerts_are_refused_and_the_most_are_taken(served: Served) -> None:
    many = [alert(str(n), fingerprint=f"f{n}", annotations={}, generatorURL="") for n in range(301)]
    assert (await served.post(body(*many)))[0] == 400
    assert served.stored() == 0
    assert (await served.post(body(*many[:300])))[0] == 200


async def test_a_body_larger_than_allowed_is_refused_by_its_length(served: Served) -> None:
    status, answer = await served.post(b"x" * (BOUNDS.bytes + 1))
    assert (status, answer["error"]) == (413, f"the body is larger than {BOUNDS.bytes} bytes")


async def test_a_body_larger_than_allowed_is_refused_while_it_comes(served: Served) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b"x" * 4096

    async with served.session.post(served.url + PATH, data=endless(), headers=AUTH) as answer:
        assert answer.status == 413
    assert served.stored() == 0


async def test_a_compressed_body_is_read_and_a_bomb_is_refused_at_its_bound(served: Served) -> None:
    small = gzip.compress(encoded(body(alert())))
    assert (await served.post(small, headers={"Content-Encoding": "gzip"}))[0] == 200
    bomb = zlib.compress(b" " * 100_000_000, 9)
    assert len(bomb) < BOUNDS.bytes
    before = served.stored()
    assert (await served.post(bomb, headers={"Content-Encoding": "deflate"}))[0] == 413
    assert served.stored() == before


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_body_that_is_not_what_its_encoding_says_is_refused(
    served: Served, encoding: str, caplog: pytest.LogCaptureFixture
) -> None:
    data = encoded(body(alert()))
    with structlog.testing.capture_logs() as logs:
        answer = await served.raw(head(len(data), f"Content-Encoding: {encoding}") + data)
    assert answer.split(b" ", 2)[1] == b"400"
    assert served.stored() == 0
    assert [(line["event"], line["log_level"]) for line in logs] == [("webhook not read", "info")]
    assert caplog.records == [], "the library has nothing to say about it"


async def test_a_slow_body_is_given_up(file: Database) -> None:
    async with serving(file, read_seconds=0.2) as served:
        answer = await served.raw(head(100) + b'{"version"', wait=1)
        assert b" 408 " in answer.splitlines()[0]
        assert b"did not arrive" in answer
        assert served.stored() == 0


async def test_many_bodies_that_trickle_in_are_given_up_and_leave_room_for_others(file: Database) -> None:
    async with serving(file, read_seconds=0.5) as served:

        async def trickle() -> bytes:
            reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
            writer.write(head(100))
            answer = asyncio.ensure_future(reader.readline())
            for _ in range(90):
                writer.write(b" ")
                if (await asyncio.wait({answer}, timeout=0.05))[0]:
                    break
            writer.close()
            return await answer

        assert {line.split()[1] for line in await asyncio.gather(*(trickle() for _ in range(250)))} == {b"408"}
        assert (await served.post(body(alert())))[0] == 200
        assert served.stored() == 2


async def test_a_sender_that_goes_away_in_the_middle_leaves_nothing(served: Served) -> None:
    with structlog.testing.capture_logs() as logs:
        for _ in range(3):
            await served.raw(head(100_000) + b'{"version"', wait=0.05)
        assert (await served.post(body(alert())))[0] == 200
    assert [line for line in logs if line["log_level"] == "error"] == []
    assert served.stored() == 2


async def test_all_waiting_bodies_together_have_a_bound(file: Database) -> None:
    """Beyond it the answer is 503, which Alertmanager tries again: the trouble is ours."""
    async with serving(file) as served:
        almost = head(BOUNDS.bytes) + b" " * (BOUNDS.bytes - 100)
        held = [await asyncio.open_connection("127.0.0.1", served.port) for _ in range(4)]
        for _, writer in held:
            writer.write(almost)
            await writer.drain()

        async def full() -> bool:
            return (await served.post(body(alert())))[0] == 503

        await wait_until(full, 5)
        for _, writer in held:
            writer.close()

        async def free() -> bool:
            return (await served.post(body(alert())))[0] == 200

        await wait_until(free, 5)


# --- our own trouble --------------------------------------------------------------------------------------------------


async def test_a_locked_database_is_a_503_and_what_was_not_confirmed_may_come_again(file: Database) -> None:
    async with serving(file, store_seconds=0.3) as served:
        other = sqlite3.connect(str(file.url.database), isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        status, answer = await served.post(body(alert()))
        assert (status, answer["error"]) == (503, "the alerts could not be stored: try again")
        other.execute("ROLLBACK")
        other.close()

        async def taken() -> bool:
            return (await served.post(body(alert())))[0] == 200

        await wait_until(taken, 10)
        assert served.stored() == 2


async def test_a_database_without_tables_is_a_503(tmp_path: Path) -> None:
    empty = Database(f"sqlite:///{tmp_path / 'empty.db'}")
    async with serving(empty) as served:
        assert (await served.post(body(alert())))[0] == 503
    empty.close()


async def test_a_database_that_goes_away_and_comes_back(tmp_path: Path) -> None:
    with running() as server, server.fresh() as url:
        opened = Database(url)
        migrate(opened)
        async with serving(opened, store_seconds=5) as served:
            assert (await served.post(body(alert("A"))))[0] == 200
            server.stop()
            assert (await served.post(body(alert("B", fingerprint="b"))))[0] == 503
            server.start()
            assert (await served.post(body(alert("B", fingerprint="b"))))[0] == 200
            assert served.stored() == 3
        opened.close()


async def test_many_at_once_are_all_stored(served: Served) -> None:
    sent = [body(alert("A", fingerprint=f"f{n}"), groupKey=f"{{}}:{n % 7}") for n in range(60)]
    answers = await asyncio.gather(*(served.post(each) for each in sent))
    assert [status for status, _ in answers] == [200] * 60
    assert served.stored() == 60 + 7


# --- anything ---------------------------------------------------------------------------------------------------------

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KEYS = [*body(alert()), *(f"alerts.{key}" for key in alert())]


@pytest.fixture(scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    opened = Database(f"sqlite:///{tmp_path_factory.mktemp('shared') / 'signoff.db'}")
    migrate(opened)
    async with serving(opened) as running_server:
        yield running_server
    opened.close()


@settings(max_examples=60)
@given(st.sampled_from(KEYS), anything)
async def test_any_json_is_taken_whole_or_refused_whole(shared: Served, key: str, value: Any) -> None:
    data = body(alert("A"), alert("B"))
    if key.startswith("alerts."):
        data["alerts"][1][key.removeprefix("alerts.")] = value
    else:
        data[key] = value
    before = shared.stored()
    status, answer = await shared.post(data)
    assert status in (200, 400), answer
    if status == 400:
        assert shared.stored() == before
        assert answer["error"]


@pytest.mark.parametrize("refused", [True, False])
async def test_no_body_is_in_any_log(
    served: Served, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], refused: bool
) -> None:
    marker = "hunter2-swordfish"
    data = body(alert("A", labels={"alertname": marker}), groupKey=marker)
    if refused:
        data["alerts"][0]["status"] = marker
        data["alerts"][0][marker] = marker
    with structlog.testing.capture_logs() as logs, caplog.at_level("DEBUG"):
        status, _ = await served.post(data)
    assert status == (400 if refused else 200)
    assert [line["event"] for line in logs] == (["webhook refused"] if refused else [])
    printed = "".join(capfd.readouterr())
    assert marker not in json.dumps(logs, default=str) + caplog.text + printed


# --- health and metrics -----------------------------------------------------------------------------------------------


async def test_healthz_says_that_the_process_lives(served: Served) -> None:
    assert await served.get("/healthz") == (200, '{"alive": true}')


async def test_readyz_says_what_does_not_work(served: Served) -> None:
    served.health.append(Readiness(True, ("slack: not connected",), {"model": "rules, no model"}))
    status, text = await served.get("/readyz")
    assert (status, json.loads(text)) == (
        200,
        {"ready": True, "problems": ["slack: not connected"], "model": "rules, no model"},
    )
    served.health.append(Readiness(False, ("database: cannot be written",)))
    assert (await served.get("/readyz"))[0] == 503


async def test_metrics_count_webhooks_by_answer_and_alerts_by_change(served: Served) -> None:
    await served.post(body(alert("A"), alert("B")))
    await served.post(body(alert("A"), alert("B", status="resolved")))
    await served.post(b"{")
    status, text = await served.get("/metrics")
    assert status == 200
    for line in (
        'signoff_webhooks_total{status="200"} 2.0',
        'signoff_webhooks_total{status="400"} 1.0',
        'signoff_alerts_total{change="new"} 2.0',
        'signoff_alerts_total{change="changed"} 1.0',
        'signoff_alerts_total{change="unchanged"} 1.0',
        "signoff_webhook_seconds_count 3.0",
    ):
        assert line in text.splitlines()


async def test_an_alert_that_starts_anew_is_answered_although_it_changes_two_rows(served: Served) -> None:
    await served.post(body(alert("A", startsAt="2026-11-21T07:00:00Z")))
    status, answer = await served.post(body(alert("A", startsAt="2026-11-21T08:00:00Z")))
    assert (status, answer["new"], answer["changed"]) == (200, 1, 1)


def test_a_webhook_without_a_token_to_ask_for_is_never_served(file: Database) -> None:
    with pytest.raises(ValueError, match="token"):
        http.Intake(
            file,
            lambda *_: None,
            token="",
            sources=frozenset(),
            bounds=BOUNDS,
            metrics=http.Metrics(CollectorRegistry()),
        )

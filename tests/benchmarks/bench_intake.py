"""Webhook latency under a storm: an open loop of large webhooks into a real `signoff serve` on SQLite, jobs running.

Run it as `python -m tests.benchmarks.bench_intake`. Every POST is sent at its own moment whether or not those before it
were answered, and its latency counts from that moment. First each POST is a group of its own (the worst case: a hundred
new rows, an incident, a card and an investigation each), then the same ones are repeated, as in a long outage. Beside
it: how many synced transactions this disk takes, and what a bare aiohttp server needs to read the same bodies.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

from aiohttp import web

from tests.benchmarks import storm
from tests.benchmarks.figures import Figures, arguments, cpu_seconds, percentile
from tests.benchmarks.traffic import open_loop
from tests.ports import free_port
from tests.system.town import Town, town


async def main() -> None:
    """Measure and print."""
    given = arguments(str(__doc__).partition("\n")[0], rate=30.0, seconds=20.0, alerts=100)
    count = int(given.rate * given.seconds)
    bodies = [storm.body(group, given.alerts) for group in range(count)]
    figures = Figures(
        f"Intake: {count} webhooks of {given.alerts} alerts ({len(bodies[0]) // 1000} kB), {given.rate:g}/s"
    )
    with tempfile.TemporaryDirectory(prefix="signoff-bench-") as folder:
        figures.add("synced SQLite transactions of 1 row", _disk(Path(folder), 1, given.alerts), "/s")
        figures.add(f"the same of {given.alerts} rows", _disk(Path(folder), given.alerts, given.alerts), "/s")
        figures.add(
            "bare aiohttp that reads the body: p99", 1000 * percentile(await _bare(bodies, given.rate), 0.99), "ms"
        )
        async with town(Path(folder), fork=False) as here:
            await here.serve()
            for name, goal in (("own groups", "< 150"), ("repeats", "< 150")):
                before = _cpu(here)
                began = time.monotonic()
                latencies, wrong = await open_loop(here.url + "/webhooks/alertmanager", bodies, given.rate)
                took = time.monotonic() - began
                figures.add(f"{name}: not answered 200", wrong, "", "0")
                figures.add(f"{name}: p50", 1000 * percentile(latencies, 0.5), "ms")
                figures.add(f"{name}: p99", 1000 * percentile(latencies, 0.99), "ms", goal)
                figures.add(f"{name}: worst", 1000 * max(latencies), "ms")
                figures.add(f"{name}: CPU of the bot", 100 * (_cpu(here) - before) / took, "%")
                ((stored,),) = here.rows("SELECT count(*) FROM alerts")
                ((open_now,),) = here.rows("SELECT count(*) FROM incidents")
                figures.add(f"{name}: alerts stored", stored, "", str(count * given.alerts))
                figures.add(f"{name}: incidents so far", open_now, "")
    figures.show(as_json=given.json)


def _disk(folder: Path, rows: int, columns: int) -> float:
    """Return how many transactions of `rows` rows of 620 bytes a second plain sqlite3 makes durable in `folder`."""
    path = folder / f"disk-{rows}.db"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE t (a, b)")
    written, began = 0, time.perf_counter()
    while time.perf_counter() - began < 2:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO t VALUES (?, ?)", [(written, "x" * 620) for _ in range(rows)])
        connection.execute("COMMIT")
        written += 1
    took = time.perf_counter() - began
    connection.close()
    return written / took


async def _bare(bodies: list[bytes], rate: float) -> list[float]:
    """Return the latencies of a server in a process of its own that reads the same bodies and does nothing."""
    port = free_port()
    server = await asyncio.create_subprocess_exec(sys.executable, "-m", __spec__.name, "--serve-bare", str(port))
    try:
        await _listens(port)
        latencies, _ = await open_loop(f"http://127.0.0.1:{port}/", bodies[: int(5 * rate)], rate)
    finally:
        server.terminate()
        await server.wait()
    return latencies


async def _listens(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise TimeoutError(f"nothing listens on port {port}")


def _serve_bare(port: int) -> None:
    async def take(request: web.Request) -> web.Response:
        return web.json_response({"bytes": len(await request.read())})

    app = web.Application(client_max_size=32 * 1024 * 1024)
    app.router.add_post("/", take)
    web.run_app(app, host="127.0.0.1", port=port, print=None, access_log=None)


def _cpu(here: Town) -> float:
    assert here.serving is not None
    return cpu_seconds(here.serving.pid)


if __name__ == "__main__":
    if "--serve-bare" in sys.argv:
        _serve_bare(int(sys.argv[-1]))
    else:
        asyncio.run(main())

"""How long until another process takes up what one had in its hands when it was killed for ever.

Run it as `python -m tests.benchmarks.bench_takeover`. Two processes share a PostgreSQL. One of them takes an alert and
is killed with kill -9 before it has stored its request for sign-off; the clock runs from its death until the other has
put that request into Slack.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

from bot.jobs.reaper import EVERY_SECONDS, GRACE_SECONDS
from tests.benchmarks.figures import Figures, arguments
from tests.postgres import running
from tests.system.town import checkout_alert, town


async def main() -> None:
    """Measure and print."""
    given = arguments(str(__doc__).partition("\n")[0], rounds=5)
    figures = Figures("Take-over: one of two processes is killed with an incident in its hands")
    figures.add("out of sight before anything is taken", GRACE_SECONDS, "s")
    figures.add("looked for every", EVERY_SECONDS, "s")
    waits = []
    with running() as server:
        for _ in range(given.rounds):
            with server.fresh() as url, tempfile.TemporaryDirectory(prefix="signoff-bench-") as folder:
                async with town(Path(folder), database=url, fork=False) as here:
                    await here.serve(killed_at="before:approval.requested")
                    await here.replica().serve()
                    assert await here.alert(checkout_alert()) == 200
                    await here.died()
                    began = time.monotonic()
                    await here.request()
                    waits.append(time.monotonic() - began)
    figures.add("until the request, median", sorted(waits)[len(waits) // 2], "s")
    figures.add("until the request, worst", max(waits), "s", "some twenty")
    figures.show(as_json=given.json)


if __name__ == "__main__":
    asyncio.run(main())

"""What is left of 300 answered webhooks after kill -9: all of them, stored and worked on.

Run it as `python -m tests.benchmarks.bench_survival`. The webhooks come at once; when the last of them was answered
200 the bot is killed, and started again.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

from tests.benchmarks.figures import Figures, arguments
from tests.system.test_storm import storm_until_killed, worked_on
from tests.system.town import town


async def main() -> None:
    """Measure and print."""
    given = arguments(str(__doc__).partition("\n")[0], webhooks=300)
    figures = Figures(f"Survival: {given.webhooks} webhooks of 20 alerts, then kill -9")
    with tempfile.TemporaryDirectory(prefix="signoff-bench-") as folder:
        async with town(Path(folder), fork=False) as here:
            await here.serve()
            answered = await storm_until_killed(here, given.webhooks, kill_after=given.webhooks)
            figures.add("answered 200 before the kill", len(answered), "")
            figures.add("incidents at the kill", len(worked_on(here)), "")
            began = time.monotonic()
            await here.serve()
            figures.add("restart until ready", time.monotonic() - began, "s")
            await here.until(lambda: answered <= worked_on(here), "an incident for every webhook", seconds=300)
            figures.add("restart until all are worked on", time.monotonic() - began, "s")
            figures.add("answered webhooks that are worked on", len(answered & worked_on(here)), "", str(len(answered)))
    figures.show(as_json=given.json)


if __name__ == "__main__":
    asyncio.run(main())

"""What the process costs: `signoff --help`, the time until `serve` is ready, its memory, and what it burns when idle.

Run it as `python -m tests.benchmarks.bench_process`, on an idle machine; it takes about three minutes. Memory is the
resident set, taken when ready, after a minute of nothing to do, and after the first full incident with a model.
"""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks import storm
from tests.benchmarks.figures import Figures, arguments, cpu_seconds
from tests.benchmarks.traffic import post
from tests.system.town import Town, quick_runbooks, town


async def main() -> None:
    """Measure and print."""
    given = arguments(str(__doc__).partition("\n")[0], idle_seconds=60.0, helps=5)
    figures = Figures("Process")
    figures.add("--help: CPU, the worst", max(_help() for _ in range(given.helps)), "s", "< 0.3")
    with tempfile.TemporaryDirectory(prefix="signoff-bench-") as folder:
        async with town(
            Path(folder), fork=False, runbooks=quick_runbooks(Path(folder) / "runbooks"), messages=True
        ) as here:
            began = time.monotonic()
            await here.serve()
            figures.add("serve: until ready", time.monotonic() - began, "s", "< 4")
            figures.add("serve: memory when ready", _megabytes(here), "MB", "< 150")
            await asyncio.sleep(10)
            figures.add("serve: memory when all is imported", _megabytes(here), "MB")
            before = cpu_seconds(_pid(here))
            await asyncio.sleep(given.idle_seconds)
            used = cpu_seconds(_pid(here)) - before
            figures.add("serve: idle", 100 * used / given.idle_seconds, "% of a core", "< 3")
            figures.add("serve: memory after being idle", _megabytes(here), "MB")
            await post(here, storm.body(1, 3))
            await here.page.click("U0LEE", await here.request(1), "Approve")
            await here.sees(r"A-1 helped")
            figures.add("serve: memory after the first full incident", _megabytes(here), "MB", "< 230")
    figures.show(as_json=given.json)


def _help() -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "bot", "--help"], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _pid(here: Town) -> int:
    assert here.serving is not None
    return here.serving.pid


def _megabytes(here: Town) -> float:
    pages = int(Path(f"/proc/{_pid(here)}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1_000_000


if __name__ == "__main__":
    asyncio.run(main())

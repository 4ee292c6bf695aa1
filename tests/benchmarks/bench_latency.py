"""How long a person waits: from a webhook's 2xx to its card, and from a click to what can be seen of it.

Run it as `python -m tests.benchmarks.bench_latency`, on an idle machine; it takes about three minutes. Incidents come
one after another, far enough apart that Slack's one post a second and channel is never what they wait for. Then an
unlisted person clicks Approve (and is refused), and a listed one approves one request after another; each click's
time ends when the workspace shows its outcome: the refusal, or the request without its buttons. Slack gives an app
three seconds to acknowledge a click.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from functools import partial
from pathlib import Path

from tests.benchmarks import storm
from tests.benchmarks.figures import Figures, arguments, percentile
from tests.benchmarks.traffic import post
from tests.system.town import Town, quick_runbooks, town

REFILL_SECONDS = 3.0  # after which the outbox may post a burst of three again


async def main() -> None:
    """Measure and print."""
    given = arguments(str(__doc__).partition("\n")[0], incidents=30, refusals=30, approvals=10)
    figures = Figures("Latency: one incident, one click at a time")
    with tempfile.TemporaryDirectory(prefix="signoff-bench-") as folder:
        async with town(Path(folder), fork=False, runbooks=quick_runbooks(Path(folder) / "runbooks")) as here:
            await here.serve()
            answered, shown = await _incidents(here, given.incidents)
            _add(figures, "webhook to its 2xx", answered, "")
            _add(figures, "2xx to the first card", shown, "< 1000")
            refused, approved = await _clicks(here, given.refusals, given.approvals)
            _add(figures, "click to the refusal", refused, "< 1000")
            _add(figures, "click to the approval", approved, "< 1000")
    figures.show(as_json=given.json)


def _add(figures: Figures, name: str, seconds: list[float], goal: str) -> None:
    for share in (0.5, 0.95, 1.0):
        label = "worst" if share == 1 else f"p{share * 100:.0f}"
        figures.add(f"{name}: {label}", 1000 * percentile(seconds, share), "ms", goal if share == 0.95 else "")


async def _incidents(here: Town, count: int) -> tuple[list[float], list[float]]:
    """Return the seconds to each 2xx, and from there to the card, by the time at which the workspace took it."""
    answered, shown = [], []
    for group in range(count):
        began = time.time()
        await post(here, storm.body(group, 1, deployment="cart"))
        stored = time.time()
        answered.append(stored - began)
        number = group + 1
        await here.until(lambda number=number: _card(here, number), f"the card of INC-{number}")
        shown.append(float(_card(here, number)[0][0]) - stored)
        await _quiet(here)
    return answered, shown


def _card(here: Town, number: int) -> list[tuple[str]]:
    query = (
        "SELECT ts FROM outbox JOIN incidents ON key = 'incident:' || incidents.id WHERE number = ? AND ts IS NOT NULL"
    )
    return here.rows(query, number)


async def _clicks(here: Town, refusals: int, approvals: int) -> tuple[list[float], list[float]]:
    refused, approved = [], []
    for number in range(1, approvals + 1):
        await post(here, storm.body(10_000 + number, 1, deployment="checkout"))
        request = await here.request(number)
        await _quiet(here)
        if number == 1:
            for _ in range(refusals):
                refused.append(await _click(here, "U0DANA", request))
                await _quiet(here)
        approved.append(await _click(here, "U0LEE", request))
        await here.sees(rf"A-{number} helped")
        await here.control("play", {"cluster": "prod", "scenario": "break_checkout"})
        await _quiet(here)
    return refused, approved


async def _click(here: Town, user: str, request: dict[str, object]) -> float:
    began = time.monotonic()
    outcome = await here.page.click(user, request, "Approve")
    if not outcome["ephemeral"]:
        await here.until(partial(_decided, here, request["ts"]), "the request without its buttons")
    return time.monotonic() - began


async def _decided(here: Town, ts: object) -> bool:
    messages = [each for top in await here.page.messages("U0LEE") for each in (top, *top.get("replies", []))]
    [request] = [message for message in messages if message["ts"] == ts]
    return not any(block["type"] == "actions" for block in request["blocks"])


async def _quiet(here: Town) -> None:
    """Wait until nothing is left to do or to say, and until Slack would take a burst again."""
    query = (
        "SELECT 1 FROM alert_groups WHERE done < wanted UNION SELECT 1 FROM incidents WHERE done < wanted "
        "UNION SELECT 1 FROM votes WHERE done < wanted UNION SELECT 1 FROM runs WHERE done < wanted "
        "UNION SELECT 1 FROM outbox WHERE state <> 'posted'"
    )
    await here.until(lambda: not here.rows(query), "everything to be done and said")
    await asyncio.sleep(REFILL_SECONDS)


if __name__ == "__main__":
    asyncio.run(main())

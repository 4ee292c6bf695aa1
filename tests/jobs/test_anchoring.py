"""Anchoring: the head is noted at start and before each call, in a file and in Slack, and what is lost is said."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
from typing import Any

import aiohttp

from bot.store import anchors
from tests.system import processes
from tests.system.town import LEE, Town, checkout_alert


def verified(here: Town, *words: str) -> dict[str, Any]:
    """What `signoff audit verify` says."""
    ran = processes.run(["-m", "bot", "audit", "verify", "--json", *words], here.environment)
    told: dict[str, Any] = json.loads(ran.out)
    return told


async def problems(here: Town) -> str:
    """What /readyz says does not work; nothing as long as nobody answers."""
    with contextlib.suppress(aiohttp.ClientError):
        async with here.session.get(f"{here.url}/readyz") as response:
            return " ".join((await response.json())["problems"])
    return ""


async def test_heads_are_noted_in_a_thread_and_in_a_file_and_verify_takes_both(closed_shop: Town) -> None:
    here, file = closed_shop, closed_shop.folder / "anchors.jsonl"
    here.configure(audit={"anchor_file": str(file), "anchor_channel": "C0INCIDENTS", "anchor_minutes": 10_080})
    await here.serve()
    said = await here.sees(r"\d+:[0-9a-f]{64}")
    found = re.search(r"\d+:[0-9a-f]{64}", said["text"])
    assert found is not None
    assert verified(here, "--head", found[0])["anchors_met"] >= 1
    await here.alert(checkout_alert())
    await here.page.click(LEE, await here.request(), "Approve")
    await here.sees("A-1 helped")
    begun = dict(here.rows("SELECT kind, seq FROM audit"))["step.started"]
    assert max(anchors.read(file)[0]) >= begun, "a call is noted before it is made"
    here.stop()
    [(newest,)] = here.rows("SELECT max(seq) FROM audit")
    assert newest > begun
    await here.serve()
    await here.until(lambda: max(anchors.read(file)[0]) >= newest, "the head to be noted at the start")
    told = verified(here)
    assert (told["ok"], told["anchors_met"]) == (True, len(anchors.read(file)[0]))
    assert await here.count(r"\d+:[0-9a-f]{64}") == 1, "once a period, however often it starts"


async def test_a_file_that_cannot_be_written_is_said_and_stops_nothing(closed_shop: Town) -> None:
    here = closed_shop
    here.configure(audit={"anchor_file": str(here.folder / "none" / "anchors.jsonl")})
    await here.serve(ready=False)

    async def said() -> bool:
        return "anchors.jsonl cannot be written: No such file" in await problems(here)

    await here.until(said, "/readyz to say it")
    (here.folder / "none").mkdir()
    await here.alert(checkout_alert())
    await here.page.click(LEE, await here.request(), "Approve")
    await here.sees("A-1 helped")
    await here.until(here.is_ready, "the problem to be over")


async def test_a_file_that_is_none_of_anchors_is_said_at_the_start(closed_shop: Town) -> None:
    here = closed_shop
    (here.folder / "anchors.jsonl").write_text("no anchor\n")
    here.configure(audit={"anchor_file": str(here.folder / "anchors.jsonl")})
    await here.serve(ready=False)
    await here.died()
    assert here.serving is not None
    assert here.serving.poll() == 2
    assert "signoff: audit.anchor_file: " in here.log()
    assert "anchors.jsonl:1: is no anchor" in here.log()


async def test_an_old_row_that_was_changed_stops_every_call_and_no_noting(closed_shop: Town) -> None:
    """Else who changes any old row could cut off, later on, what was begun since."""
    here, file = closed_shop, closed_shop.folder / "anchors.jsonl"
    here.configure(audit={"anchor_file": str(file)})
    await here.serve()
    await here.alert(checkout_alert())
    request = await here.request()
    here.stop()
    [(kind, value)] = here.rows("SELECT kind, hash FROM audit WHERE seq = 1")
    assert kind != "approval.requested", "the request's own rows are looked at anyway"
    file.write_text(json.dumps({"at": 1, "seq": 1, "hash": value}) + "\n")
    path = here.environment["SIGNOFF_DATABASE_URL"].removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE audit SET hash = ? WHERE seq = 1", ("f" * 64,))
    await here.serve(ready=False)

    async def said() -> bool:
        return "row 1 of the audit is another one now" in await problems(here)

    await here.until(said, "/readyz to say it")
    await here.until(lambda: max(anchors.read(file)[0]) > 1, "a newer head to be noted all the same")
    await here.page.click(LEE, request, "Approve", stale=True)
    await here.sees("cannot be shown that this was signed off: row 1 of the audit is another.*signoff audit verify")
    assert (await here.writes(), here.rows("SELECT state FROM runs")) == ([], [("void",)])

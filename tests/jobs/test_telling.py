"""A run is told from its start to its end: in the audit, on the cards and in the incident's thread, each thing once."""

from __future__ import annotations

import re

from tests.system.town import LEE, Town, checkout_alert


async def test_a_run_is_told_once_and_in_order(shop: Town) -> None:
    await shop.alert(checkout_alert())
    await shop.page.click(LEE, await shop.request(), "Approve")
    await shop.sees("A-1 helped")
    await shop.until(shop.settled, "everything to be said")
    told = shop.rows("SELECT kind FROM audit WHERE subject = 'A-1' ORDER BY seq")
    assert [kind for (kind,) in told if kind.split(".")[0] in ("run", "step")] == [
        "run.started",
        "step.started",
        "step.done",
        "run.verifying",
        "run.succeeded",
    ]
    said = [reply["text"] for top in await shop.page.messages(LEE) for reply in top.get("replies", [])]
    lines = [line for line in said if re.search("A-1 approved|A-1: done|A-1 helped", line)]
    assert [line.split()[0] for line in lines] == ["✅", "☑️", "✅"]
    assert await shop.count("A-1: did this take effect") == 0

"""A click is judged whatever else cannot be read; and a request that cannot be read is refused in sight."""

from __future__ import annotations

import pytest

from tests.system.town import DANA, LEE, Town, checkout_alert

DAMAGE = {
    "evidence": """UPDATE evidence SET record = '{"id": 7' WHERE ordinal = 1""",
    "triage": "UPDATE incidents SET triage = '[]'",
}


@pytest.mark.parametrize("what", DAMAGE)
async def test_a_vote_is_judged_and_the_incident_resolves_whatever_its_card_cannot_show(shop: Town, what: str) -> None:
    await shop.alert(checkout_alert())
    request = await shop.request()
    await shop.until(lambda: shop.rows("SELECT 1 FROM incidents WHERE done = wanted"), "the investigation to end")
    shop.alter(DAMAGE[what])
    await shop.page.click(LEE, request, "Approve")
    await shop.sees("A-1 helped")
    await shop.alert(checkout_alert("resolved"))
    await shop.sees("^INC-1 resolved")
    [(table, reason)] = shop.rows("SELECT table_name, reason FROM quarantine")
    assert (table, bool(reason)) == ({"evidence": "evidence", "triage": "incidents"}[what], True)
    async with shop.session.get(f"{shop.url}/readyz") as response:
        problems = (await response.json())["problems"]
    assert [problem for problem in problems if problem.startswith(f"set aside: {table} row")]


async def asked_who(here: Town) -> int:
    """How often Slack was asked who somebody is."""
    async with here.session.get(f"{here.urls['slack']}/sandbox/log?since=0") as response:
        entries = (await response.json())["entries"]
    return sum(entry.get("kind") == "api" and "users.info" in str(entry) for entry in entries)


async def test_slack_is_not_asked_about_who_comes_too_late(shop: Town) -> None:
    """Fifty people press a button at once, and Slack says of a hundred a minute who they are."""
    await shop.alert(checkout_alert())
    request = await shop.request()
    await shop.page.click(LEE, request, "Approve")
    await shop.sees("A-1 helped")
    before = await asked_who(shop)
    await shop.page.click(DANA, request, "Approve", stale=True)
    await shop.sees("A-1 was approved by .* and its run has started", user=DANA)
    assert await asked_who(shop) == before


@pytest.mark.parametrize("damage", ["replace(record, 'checkout', 'payments')", "CAST('{' AS BLOB)", "7"])
async def test_a_vote_on_a_request_that_cannot_be_read_is_refused_in_sight(shop: Town, damage: str) -> None:
    await shop.alert(checkout_alert())
    request = await shop.request()
    shop.alter(f"UPDATE approvals SET record = {damage}")
    assert "can no longer be read" in await shop.ops("status A-1")
    await shop.page.click(LEE, request, "Approve")
    await shop.sees("This request cannot be decided: its stored record can no longer be read")
    assert shop.rows("SELECT state FROM votes") == [("refused",)]
    assert [table for (table,) in shop.rows("SELECT table_name FROM quarantine")] == ["approvals"]
    assert shop.rows("SELECT * FROM runs") == []
    assert await shop.writes() == []

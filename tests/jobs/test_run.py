"""A run that became void is asked for anew; one that rests on what cannot be read any more is stopped in sight."""

from __future__ import annotations

import pytest

from tests.system.town import LEE, Town, checkout_alert


async def test_drift_voids_the_approval_and_proposes_anew(shop: Town) -> None:
    await shop.alert(checkout_alert())
    request = await shop.request()
    await shop.somebody_changes_checkout()
    await shop.page.click(LEE, request, "Approve")
    await shop.sees("A-1 is void")
    await shop.request(2)
    assert await shop.writes() == []
    assert shop.rows("SELECT state FROM approvals ORDER BY number") == [("void",), ("pending",)]


@pytest.mark.parametrize(
    ("at", "state", "locks"),
    [("after:run.started", "void", 0), ("after:step.started", "unknown", 1)],
    ids=["before its first call", "in the middle of a call"],
)
async def test_a_run_whose_request_can_no_longer_be_read_is_stopped_in_sight(
    closed_shop: Town, at: str, state: str, locks: int
) -> None:
    await closed_shop.interrupted(at)
    closed_shop.alter("UPDATE approvals SET record = '{'")
    await closed_shop.serve(ready=False)
    await closed_shop.sees("INC-1: a run was stopped. What was signed off cannot be relied on")
    assert closed_shop.rows("SELECT state FROM runs") == [(state,)]
    assert closed_shop.rows("SELECT count(*) FROM locks") == [(locks,)]
    assert await closed_shop.writes() == []

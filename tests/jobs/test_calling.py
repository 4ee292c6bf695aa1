"""A call is made at most once: what only it meets ends the run, and a lost answer is read back."""

from __future__ import annotations

from tests.system.town import LEE, Town, checkout_alert


async def test_drift_that_only_the_call_itself_meets_voids_and_proposes_anew(closed_shop: Town) -> None:
    await closed_shop.interrupted("after:run.started")
    await closed_shop.somebody_changes_checkout()
    await closed_shop.serve()
    await closed_shop.sees("A-1 failed.*Nothing was changed: .*was changed since the plan was made")
    await closed_shop.request(2)
    assert closed_shop.rows("SELECT state FROM approvals ORDER BY number") == [("void",), ("pending",)]
    assert closed_shop.rows("SELECT state FROM run_steps") == [("failed",)]
    assert await closed_shop.writes() == []
    assert closed_shop.audit_holds()


async def test_a_lost_answer_is_read_back_and_never_repeated(shop: Town) -> None:
    await shop.alert(checkout_alert())
    request = await shop.request()
    await shop.lose("after")
    await shop.page.click(LEE, request, "Approve")
    await shop.sees("A-1 helped")
    assert len(await shop.writes()) == 1

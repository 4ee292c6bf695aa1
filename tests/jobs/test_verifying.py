"""A run is verified in time, or ends as one of which nobody can tell whether it helped."""

from __future__ import annotations

from tests.system.town import LEE, WITHOUT_CLUSTER, Town, checkout_alert


async def test_a_cluster_that_is_gone_before_it_was_verified_leaves_the_run_inconclusive(closed_shop: Town) -> None:
    await closed_shop.interrupted("after:step.done")
    closed_shop.configure(**WITHOUT_CLUSTER)
    await closed_shop.serve()
    await closed_shop.sees("A-1 ran; whether it helped cannot be told.*no longer configured")
    assert len(await closed_shop.writes()) == 1


async def test_a_clock_that_was_ahead_once_holds_nothing_up(shop: Town) -> None:
    shop.time_passes(86_400.0)
    await shop.alert(checkout_alert())
    await shop.page.click(LEE, await shop.request(), "Approve")
    await shop.sees("A-1 helped")
    async with shop.session.get(f"{shop.url}/readyz") as response:
        problems = (await response.json())["problems"]
    assert [problem for problem in problems if problem.startswith("time: Signoff's is 23:5")]

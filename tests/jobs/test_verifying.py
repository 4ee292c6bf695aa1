"""A run that nobody can look after any more ends as one of which nobody can tell whether it helped."""

from __future__ import annotations

from tests.system.town import WITHOUT_CLUSTER, Town


async def test_a_cluster_that_is_gone_before_it_was_verified_leaves_the_run_inconclusive(closed_shop: Town) -> None:
    await closed_shop.interrupted("after:step.done")
    closed_shop.configure(**WITHOUT_CLUSTER)
    await closed_shop.serve()
    await closed_shop.sees("A-1 ran; whether it helped cannot be told.*no longer configured")
    assert len(await closed_shop.writes()) == 1

"""A run that is interrupted between its start and its first call: what changed meanwhile is judged before anything is
called, and a cluster that is gone ends the run visibly."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tests.system.town import Json, Town, checkout_alert

LEE, PRIYA = "U0LEE", "U0PRIYA"
IMAGE = "registry.example/shop/checkout"
DAY = 86_400.0


async def interrupted(here: Town, at: str) -> None:
    """Let Lee approve the rollback of checkout, and let the bot be killed at that write of its run."""
    await here.serve(killed_at=at)
    await here.alert(checkout_alert())
    await here.page.click(LEE, await here.request(), "Approve")
    await here.died()


async def the_request_expires(here: Town) -> None:
    here.time_passes(DAY)


async def the_approver_leaves(here: Town) -> None:
    await here.page.act("/sandbox/switches", {"deactivate": {"user": LEE}})


async def the_approver_is_listed_no_more(here: Town) -> None:
    here.configure(approvers=[f"T0SHOP:{PRIYA}"])


async def the_target_is_changed(here: Town) -> None:
    containers = (await here.deployment())["spec"]["template"]["spec"]["containers"]
    changed = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "checkout", "namespace": "shop"},
        "spec": {"template": {"spec": {"containers": [containers[0] | {"image": f"{IMAGE}:4.18.1"}]}}},
    }
    await here.control("apply", {"cluster": "prod", "objects": [changed]})


@pytest.mark.parametrize(
    ("meanwhile", "why"),
    [
        (the_request_expires, "expired at"),
        (the_approver_leaves, "only 0 may still approve"),
        (the_approver_is_listed_no_more, "only 0 may still approve"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
async def test_what_no_longer_holds_at_the_first_call_voids_the_approval(
    closed_shop: Town, meanwhile: Callable[[Town], Coroutine[Any, Any, None]], why: str
) -> None:
    await interrupted(closed_shop, "after:run.started")
    await meanwhile(closed_shop)
    await closed_shop.serve()
    said = await closed_shop.sees("A-1 is void, nothing ran", user=PRIYA)
    assert why in said["text"]
    assert closed_shop.rows("SELECT state FROM runs") == [("void",)]
    assert closed_shop.rows("SELECT * FROM run_steps") == []
    assert await closed_shop.writes() == []


async def test_drift_that_only_the_call_itself_meets_voids_and_proposes_anew(closed_shop: Town) -> None:
    await interrupted(closed_shop, "after:run.started")
    await the_target_is_changed(closed_shop)
    await closed_shop.serve()
    await closed_shop.sees("A-1 failed.*Nothing was changed: .*was changed since the plan was made")
    await closed_shop.request(2)
    assert closed_shop.rows("SELECT state FROM approvals ORDER BY number") == [("void",), ("pending",)]
    assert closed_shop.rows("SELECT state FROM run_steps") == [("failed",)]
    assert await closed_shop.writes() == []
    assert closed_shop.audit_holds()


READER = {"reader": {"context": "prod-reader"}}
STAGING = {"staging": {"reader": {"context": "staging-reader"}}}
WITHOUT_RUNNER = {"clusters": {"prod": READER}}
WITHOUT_CLUSTER = {"clusters": STAGING, "default_cluster": "staging"}


@pytest.mark.parametrize("without", [WITHOUT_RUNNER, WITHOUT_CLUSTER], ids=["no runner", "no cluster"])
async def test_a_runner_that_is_gone_before_the_first_call_voids_the_approval(closed_shop: Town, without: Json) -> None:
    await interrupted(closed_shop, "after:run.started")
    closed_shop.configure(**without)
    await closed_shop.serve()
    await closed_shop.sees("A-1 is void, nothing ran. The cluster is no longer configured with a runner")
    assert closed_shop.rows("SELECT state FROM runs") == [("void",)]
    assert await closed_shop.writes() == []


async def test_a_cluster_that_is_gone_after_a_call_was_begun_is_asked_about(closed_shop: Town) -> None:
    await interrupted(closed_shop, "after:step.started")
    closed_shop.configure(**WITHOUT_CLUSTER)
    await closed_shop.serve()
    question = await closed_shop.sees("did this take effect")
    assert "no longer configured" in question["text"]
    await closed_shop.page.click(LEE, question, "It took effect")
    await closed_shop.sees("A-1 ran; whether it helped cannot be told.*no longer configured")
    assert closed_shop.rows("SELECT state FROM runs") == [("inconclusive",)]


async def test_a_cluster_that_is_gone_before_it_was_verified_leaves_the_run_inconclusive(closed_shop: Town) -> None:
    await interrupted(closed_shop, "after:step.done")
    closed_shop.configure(**WITHOUT_CLUSTER)
    await closed_shop.serve()
    await closed_shop.sees("A-1 ran; whether it helped cannot be told.*no longer configured")
    assert len(await closed_shop.writes()) == 1


LOST = {"action": "drop", "verb": "patch", "resource": "deployments", "name": "checkout", "dry_run": False}


async def test_a_run_waits_for_the_one_that_holds_its_target_and_starts_when_that_ends(shop: Town) -> None:
    await shop.alert(checkout_alert())
    first = await shop.request()
    await shop.alert(checkout_alert() | {"groupKey": "another"})
    second = await shop.request(2)
    await shop.control("faults", LOST | {"when": "before"})
    await shop.page.click(LEE, first, "Approve")
    question = await shop.sees("A-1: did this take effect")
    await shop.page.click(LEE, second, "Approve")
    await shop.sees("A-2 is approved and waits. It waits for A-1")
    assert shop.rows("SELECT r.state FROM runs r JOIN approvals a ON a.id = r.approval_id ORDER BY number") == [
        ("unknown",),
        ("starting",),
    ]
    await shop.page.click(LEE, question, "It did not")
    await shop.sees("A-2 helped")
    assert len(await shop.writes()) == 1
    assert shop.rows("SELECT * FROM locks") == []


async def test_a_run_that_waits_until_its_request_expires_is_void(shop: Town) -> None:
    await shop.alert(checkout_alert())
    first = await shop.request()
    await shop.alert(checkout_alert() | {"groupKey": "another"})
    second = await shop.request(2)
    await shop.control("faults", LOST | {"when": "before"})
    await shop.page.click(LEE, first, "Approve")
    await shop.sees("A-1: did this take effect")
    await shop.page.click(LEE, second, "Approve")
    await shop.sees("A-2 is approved and waits")
    shop.time_passes(DAY)
    await shop.sees("A-2 is void, nothing ran. A-2 expired")
    assert shop.rows("SELECT count(*) FROM locks") == [(1,)], "A-1 still asks"

"""A call is made at most once: what only it meets ends the run, and it is not begun when it may be no more."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.jobs.test_asking import fill, form
from tests.system.town import LEE, PRIYA, Town, checkout_alert


async def refused_again_and_again(
    here: Town, step: Mapping[str, Any] | None = None, times: int = 50, **more: Any
) -> None:
    """Let the rollback be approved where each of its calls is refused; its step, of ten retries, may say more."""
    path = Path(here.environment["SIGNOFF_RUNBOOKS"]) / "rollback-deployment.yaml"
    book = yaml.safe_load(path.read_text()) | more
    book["steps"][0] |= {"retries": 10, **(step or {})}
    path.write_text(yaml.safe_dump(book, sort_keys=False))
    await here.serve()
    await here.alert(checkout_alert())
    request = await here.request()
    refused = {"action": "status", "code": 422, "times": times, "identity": "runner", "dry_run": False}
    await here.control("faults", refused | {"verb": "patch", "resource": "deployments", "name": "checkout"})
    await here.page.click(LEE, request, "Approve")


async def test_drift_that_only_the_call_itself_meets_voids_and_proposes_anew(closed_shop: Town) -> None:
    await closed_shop.interrupted("after:run.started")
    await closed_shop.somebody_changes_checkout()
    await closed_shop.serve()
    said = await closed_shop.sees("A-1 failed.*Nothing was changed: .*was changed since the plan was made")
    assert "checkout:4.18.0, is registry.example/shop/checkout:4.18.1" in str(said["blocks"])
    await closed_shop.request(2)
    assert closed_shop.rows("SELECT state FROM approvals ORDER BY number") == [("void",), ("pending",)]
    assert closed_shop.rows("SELECT state FROM run_steps") == [("failed",)]
    assert await closed_shop.writes() == []
    assert closed_shop.audit_holds()


async def test_a_call_that_is_tried_again_stops_when_actions_are_turned_off(closed_shop: Town) -> None:
    await refused_again_and_again(closed_shop)
    tried = "SELECT count(*) FROM audit WHERE kind = 'step.retried'"
    await closed_shop.until(lambda: closed_shop.rows(tried) != [(0,)], "the call to be tried again")
    await closed_shop.ops("actions off wait", user=PRIYA)
    await closed_shop.sees("A-1 failed.*It was not tried again: Actions are off", user=PRIYA)
    assert closed_shop.rows(tried)[0][0] < 10
    assert await closed_shop.writes() == []


@pytest.mark.parametrize(("on_failure", "end", "writes"), [("stop", "failed", 1), ("rollback", "was taken back", 2)])
async def test_no_step_begins_after_the_time_that_the_runbook_gives_a_run(
    closed_shop: Town, on_failure: str, end: str, writes: int
) -> None:
    """What is taken back is not bound by it; a wait that began in time is waited for."""
    path = Path(closed_shop.environment["SIGNOFF_RUNBOOKS"]) / "rollback-deployment.yaml"
    book = yaml.safe_load(path.read_text())
    mark = {"id": "mark", "action": "annotate", "with": {"key": "shop.example/back", "value": "yes"}}
    book["steps"][0]["timeout_seconds"] = 3
    book["steps"] += [
        {"id": name, "action": "wait", "with": {"seconds": seconds}, "timeout_seconds": seconds + 1}
        for name, seconds in (("one", 2), ("two", 3))
    ]
    cart = {"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "shop", "name": "cart"}
    book["steps"].append(mark | {"target": cart, "timeout_seconds": 3, "on_failure": on_failure})
    book["limits"] = {"run_seconds": 4}
    if on_failure == "rollback":
        book["rollback"] = {"note": "The release before is put back.", "approval": "included"}
    path.write_text(yaml.safe_dump(book, sort_keys=False))
    await closed_shop.serve()
    await closed_shop.alert(checkout_alert())
    request = await closed_shop.request()
    assert "no step begins later than 4 s after the first" in str(request["blocks"])
    await closed_shop.page.click(LEE, request, "Approve")
    await closed_shop.sees(
        f"A-1 {end}.*Nothing was sent: the run began . s ago, and its runbook lets no step begin later"
    )
    states = closed_shop.rows("SELECT state FROM run_steps WHERE ordinal < 4 ORDER BY ordinal")
    assert states == [("done",), ("done",), ("done",), ("failed",)]
    assert len(await closed_shop.writes()) == writes
    assert closed_shop.rows("SELECT * FROM locks") == []
    assert closed_shop.audit_holds()


async def test_nothing_is_tried_again_after_the_time_of_the_run(closed_shop: Town) -> None:
    await refused_again_and_again(closed_shop, {"timeout_seconds": 2}, limits={"run_seconds": 2})
    await closed_shop.sees("A-1 failed.*It was not tried again: the run began . s ago")
    assert closed_shop.rows("SELECT count(*) FROM audit WHERE kind = 'step.retried'")[0][0] < 5


async def steps_after(here: Town, *steps: dict[str, Any]) -> None:
    """Serve with a rollback of a Deployment that has these steps too, and with a request for it."""
    path = Path(here.environment["SIGNOFF_RUNBOOKS"]) / "rollback-deployment.yaml"
    book = yaml.safe_load(path.read_text())
    book["steps"] += steps
    path.write_text(yaml.safe_dump(book, sort_keys=False))
    await here.serve()
    await here.alert(checkout_alert())


CART = {"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "shop", "name": "cart"}
MARK = {
    "id": "mark",
    "action": "annotate",
    "with": {"key": "shop.example/back", "value": "yes"},
    "target": CART,
    "timeout_seconds": 5,
}


async def test_a_run_that_is_half_done_when_actions_are_turned_off_says_so_and_goes_on_once_they_are_on(
    closed_shop: Town,
) -> None:
    here = closed_shop
    await steps_after(here, {"id": "look", "action": "wait", "with": {"seconds": 4}, "timeout_seconds": 9}, MARK)
    await here.page.click(LEE, await here.request(), "Approve")
    await here.until(lambda: here.rows("SELECT 1 FROM run_steps WHERE ordinal = 1"), "the wait to begin")
    await here.ops("actions off wait", user=PRIYA)
    await here.sees("A-1 is half done and waits. Actions are off: .* stopped them .wait.")
    assert here.rows("SELECT state, attempts FROM runs") == [("running", 0)]
    (card,) = [each for each in await here.page.messages(LEE) if "A-1" in str(each) and "Running" in str(each)]
    assert "Actions are off" in str(card)
    await here.ops("actions on", user=PRIYA)
    await here.ops("actions on", user=LEE)
    await here.sees("A-1 helped", seconds=12)
    assert len(await here.writes()) == 2
    assert here.rows("SELECT outcome FROM runs WHERE outcome LIKE '%Actions%'") == []
    assert here.audit_holds()


async def test_a_run_that_stood_still_for_long_goes_on_only_if_it_might_start(closed_shop: Town) -> None:
    """Its question was answered after its request had expired: what is left of it is not done, and it says so."""
    here = closed_shop
    await steps_after(here, MARK)
    request = await here.request()
    await here.lose("before")
    await here.page.click(LEE, request, "Approve")
    question = await here.sees("A-1: did this take effect")
    here.time_passes(86_400.0)
    await here.page.click(LEE, question, "It took effect")
    await here.sees("A-1 failed.*Nothing was sent: A-1 expired at")
    assert here.rows("SELECT state FROM run_steps ORDER BY ordinal") == [("done",), ("failed",)]
    assert await here.writes() == []
    assert here.rows("SELECT * FROM locks") == []
    assert here.audit_holds()


async def test_a_freeze_that_began_while_a_run_stood_still_holds_the_rest_of_it(closed_shop: Town) -> None:
    here = closed_shop
    begins = datetime.now(UTC) + timedelta(minutes=10)
    cron = f"{begins.minute} {begins.hour} * * *"
    freeze = {"kind": "deny", "cron": cron, "duration": "30m", "time_zone": "UTC", "why": "Black Friday"}
    here.configure(windows=[freeze])
    await steps_after(here, MARK)
    request = await here.request()
    await here.lose("before")
    await here.page.click(LEE, request, "Approve")
    question = await here.sees("A-1: did this take effect")
    await here.cannot_be_read()
    here.time_passes(900.0)
    await here.page.click(LEE, question, "It took effect")
    await here.sees("A-1.*A change freeze holds: Black Friday")
    assert here.rows("SELECT state FROM runs") == [("running",)]
    assert await here.writes() == []
    await here.heal()
    here.time_passes(1800.0)
    await here.sees("A-1 (helped|ran)")
    assert len(await here.writes()) == 1
    assert here.audit_holds()


async def test_a_call_that_waits_for_a_budget_is_sent_no_more_once_actions_are_off(closed_shop: Town) -> None:
    here = closed_shop
    path = Path(here.environment["SIGNOFF_RUNBOOKS"]) / "drain-node.yaml"
    book = yaml.safe_load(path.read_text())
    book["steps"][1]["timeout_seconds"] = 60
    path.write_text(yaml.safe_dump(book, sort_keys=False))
    await here.serve()
    await here.alert(checkout_alert())
    await here.request()
    budget = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "cart"}}
    spec = {"minAvailable": 3, "selector": {"matchLabels": {"app": "cart"}}}
    budget["metadata"] |= {"namespace": "shop"}
    await here.control("apply", {"cluster": "prod", "objects": [budget | {"spec": spec}]})
    await fill(here, LEE, await form(here, LEE, "drain-node INC-1"), node="node-1")
    await here.page.click(PRIYA, await here.request(2), "Approve", stale=True)
    await here.until(lambda: here.rows("SELECT 1 FROM run_steps WHERE ordinal = 1"), "the eviction to begin")
    await here.ops("actions off wait", user=PRIYA)
    await here.control("apply", {"cluster": "prod", "objects": [budget | {"spec": spec | {"minAvailable": 0}}]})
    await here.until(
        lambda: here.rows("SELECT 1 FROM run_steps WHERE detail LIKE 'Nothing was changed: Actions are off%'"),
        "the eviction to be given up",
    )
    assert [call for call in await here.writes() if "evict" in call] == []

"""A run is told from its start to its end: in the audit, on the cards and in the incident's thread, each thing once."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

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


async def test_nobody_is_offered_again_what_was_to_be_taken_back(closed_shop: Town) -> None:
    here = closed_shop
    path = Path(here.environment["SIGNOFF_RUNBOOKS"]) / "rollback-deployment.yaml"
    book = yaml.safe_load(path.read_text())
    cart = {"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "shop", "name": "cart"}
    mark = {"id": "mark", "action": "annotate", "with": {"key": "shop.example/back", "value": "yes"}, "target": cart}
    pause = {"id": "pause", "action": "wait", "with": {"seconds": 3}, "timeout_seconds": 9}
    book["steps"] += [pause, mark | {"timeout_seconds": 5, "on_failure": "rollback"}]
    book["rollback"] = {"note": "The release before is put back.", "approval": "included"}
    path.write_text(yaml.safe_dump(book, sort_keys=False))
    await here.serve()
    await here.alert(checkout_alert())
    refused = {"action": "status", "code": 422, "identity": "runner", "dry_run": False, "verb": "patch"}
    request = await here.request()
    await here.control("faults", refused | {"resource": "deployments", "name": "cart"})
    await here.page.click(LEE, request, "Approve")
    await here.until(lambda: here.rows("SELECT 1 FROM run_steps WHERE ordinal = 1"), "the wait to begin")
    await here.lose("before")
    question = await here.sees("A-1: was .* taken back.*Signoff cannot know")
    assert "It took effect" in str(question["blocks"])
    assert "Run it again" not in str(question["blocks"])

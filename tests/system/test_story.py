"""The main job and its branches, end to end, over the sockets that people and machines use."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from bot.sandbox.stage import stage
from bot.sandbox.story import Story
from tests.system.town import DANA, GUEST, LEE, PRIYA, Town, checkout_alert, quick_runbooks, town

IMAGE = "registry.example/shop/checkout"
LOST = {"action": "drop", "verb": "patch", "resource": "deployments", "name": "checkout", "dry_run": False}


async def test_the_demo_plays_to_its_end(tmp_path: Path) -> None:
    async with stage(tmp_path) as up:
        story = Story(up, quiet=True)
        await story.play()
    facts = story.facts()
    assert facts["ok"]
    assert facts["incident"] == "INC-1"
    assert len(facts["approval"]["digest"]) == 64
    assert facts["run"]["writes"] == ["PATCH /apis/apps/v1/namespaces/shop/deployments/checkout"]


async def test_an_approved_rollback_runs_once_and_is_verified(shop: Town) -> None:
    assert await shop.alert(checkout_alert()) == 200
    request = await shop.request()
    people = (LEE, PRIYA, LEE, PRIYA)
    await asyncio.gather(*(shop.page.click(person, request, "Approve", stale=True) for person in people))
    await shop.sees("A-1 helped")
    assert await shop.writes() == ["PATCH /apis/apps/v1/namespaces/shop/deployments/checkout"]
    assert shop.rows("SELECT state FROM runs") == [("succeeded",)]
    assert shop.audit_holds()
    assert await shop.alert(checkout_alert("resolved")) == 200
    await shop.sees("^INC-1 resolved")


async def test_nobody_but_a_listed_approver_can_approve(shop: Town) -> None:
    await shop.alert(checkout_alert())
    request = await shop.request()
    for user in (DANA, GUEST):
        await shop.page.click(user, request, "Approve")
        await shop.sees("not on the list|guest", user=user)
    assert shop.rows("SELECT state FROM approvals") == [("pending",)]
    assert await shop.writes() == []


async def test_a_denial_has_a_reason_and_nothing_runs(shop: Town) -> None:
    await shop.alert(checkout_alert())
    request = await shop.request()
    await shop.page.click(LEE, request, "Deny")
    modal = await shop.modal(LEE)
    block = next(block["block_id"] for block in modal["blocks"] if block["type"] == "input")
    body = {"user": LEE, "view_id": modal["id"], "values": {block: "the new image is being pushed right now"}}
    await shop.page.act("/sandbox/submit", body)
    await shop.sees("denied by .*the new image is being pushed")
    assert shop.rows("SELECT state FROM approvals") == [("denied",)]
    assert await shop.writes() == []


async def test_equal_names_in_two_clusters_are_told_apart(shop: Town) -> None:
    await shop.alert(checkout_alert())
    await shop.alert(checkout_alert(cluster="staging"))
    await shop.sees("INC-[12] .*prod")
    await shop.sees("INC-[12] .*staging")
    request = await shop.request()
    record = json.loads(shop.rows("SELECT record FROM approvals")[0][0])
    assert {target["cluster"] for target in record["targets"]} == {"prod"}
    before = (await shop.deployment(cluster="staging"))["metadata"]["generation"]
    await shop.page.click(LEE, request, "Approve")
    await shop.sees("A-1 helped")
    assert (await shop.deployment(cluster="staging"))["metadata"]["generation"] == before
    # Nothing is wrong in staging, so nothing is proposed there.
    assert shop.rows("SELECT cluster FROM approvals") == [("prod",)]


async def test_an_unknown_cluster_is_said_and_not_guessed(shop: Town) -> None:
    await shop.alert(checkout_alert(cluster="prod-us"))
    await shop.sees("INC-1 ")
    await shop.until(lambda: shop.rows("SELECT 1 FROM incidents WHERE done = wanted AND wanted > 0"), "the triage")
    (note,) = shop.rows("SELECT note FROM incidents")[0]
    assert "prod-us" in note
    assert shop.rows("SELECT count(*) FROM approvals") == [(0,)]


async def test_a_repeat_posts_nothing_and_asks_nothing(shop: Town) -> None:
    all_said = "SELECT incidents.wanted, (SELECT max(seq) FROM audit) FROM incidents"
    await shop.alert(checkout_alert())
    await shop.request()
    await shop.until(shop.settled, "everything to be said")
    before = await shop.count(""), shop.rows(all_said)
    for _ in range(5):
        assert await shop.alert(checkout_alert()) == 200
    await shop.until(shop.settled, "everything to be said")
    assert (await shop.count(""), shop.rows(all_said)) == before


async def test_a_resolve_withdraws_what_nobody_decided_and_a_refire_asks_anew(shop: Town) -> None:
    await shop.alert(checkout_alert())
    stale = await shop.request()
    await shop.alert(checkout_alert("resolved"))
    await shop.sees("^INC-1 resolved")
    await shop.sees("A-1 is void, nothing ran. INC-1 resolved before anybody decided")
    await shop.page.click(LEE, stale, "Approve", stale=True)
    await shop.sees("A-1 cannot be approved")
    assert await shop.writes() == []
    await shop.alert(checkout_alert(starts_at="2026-11-21T10:45:00Z"))
    await shop.sees("INC-1 fires again")
    await shop.request(2)
    assert shop.rows("SELECT count(*), max(status), max(reopened) FROM incidents") == [(1, "open", 1)]
    assert shop.audit_holds()


async def test_slack_down_at_the_start_is_caught_up(tmp_path: Path) -> None:
    async with town(tmp_path, runbooks=quick_runbooks(tmp_path / "runbooks")) as here:
        slack = here.environment["SIGNOFF_SLACK_API_URL"]
        await here.serve(ready=False, SIGNOFF_SLACK_API_URL="http://127.0.0.1:9/api/")
        await here.until(lambda: here.alert(checkout_alert()), "an answer")
        await here.until(lambda: here.rows("SELECT 1 FROM approvals"), "the request to be made")
        async with here.session.get(f"{here.url}/readyz") as response:
            state = await response.json()
        assert response.status == 200
        assert any(problem.startswith("slack") for problem in state["problems"])
        here.stop()
        await here.serve(SIGNOFF_SLACK_API_URL=slack)
        request = await here.request()
        await here.page.click(LEE, request, "Approve")
        await here.sees("A-1 helped")

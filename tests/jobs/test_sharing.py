"""What Signoff proposes for one incident is one message, told once; each request in it is decided on its own."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.system.town import Json, Town, checkout_alert, quick_runbooks, town

LEE, PRIYA = "U0LEE", "U0PRIYA"


def proposed(runbook: str, **parameters: str) -> Json:
    """A proposal as a model makes it."""
    given = [{"name": name, "value": value} for name, value in parameters.items()]
    return {"runbook": runbook, "parameters": given, "evidence": ["E1"]}


ROLLBACK = proposed("rollback-deployment", namespace="shop", deployment="checkout")
RESTART = proposed("restart-deployment", namespace="shop", deployment="checkout")


@pytest.fixture
async def advised(tmp_path: Path) -> AsyncIterator[Town]:
    """An installation whose model proposes to roll back, and to restart as the second best."""
    async with town(tmp_path, runbooks=quick_runbooks(tmp_path / "runbooks"), messages=True) as here:
        answer = {
            "severity": "high",
            "category": "image-pull",
            "summary": "checkout cannot pull its new image",
            "causes": [{"statement": "The tag is not there.", "confidence": "high", "evidence": ["E1"]}],
            "unknowns": [],
            "proposals": [ROLLBACK, RESTART],
        }
        url = f"{here.urls['messages']}/sandbox/messages/script"
        async with here.session.post(url, json={"answers": [{"json": answer}]}) as response:
            assert response.status < 400, await response.text()
        await here.serve()
        await here.alert(checkout_alert())
        yield here


async def card_of(here: Town) -> Json:
    """The one message with buttons of both requests."""
    first, second = await here.request(1), await here.request(2)
    assert first["ts"] == second["ts"]
    return first


async def state_on_card(here: Town, ts: str, words: str) -> str:
    """Wait until the message says this, and return all of it."""

    async def says() -> str:
        for message in [m for top in await here.page.messages(LEE) for m in (top, *top.get("replies", []))]:
            text = json.dumps(message["blocks"], ensure_ascii=False)
            if message["ts"] == ts and words in text:
                return text
        return ""

    return str(await here.until(says, f"{words!r} on the card"))


async def deny(here: Town, user: str, request: Json) -> None:
    """Deny with a reason."""
    await here.page.click(user, request, "Deny")
    modal = await here.modal(user)
    block = next(block["block_id"] for block in modal["blocks"] if block["type"] == "input")
    body = {"user": user, "view_id": modal["id"], "values": {block: "not needed any more"}}
    await here.page.act("/sandbox/submit", body)


async def test_two_proposals_are_one_message_and_each_is_decided_on_its_own(advised: Town) -> None:
    card = await card_of(advised)
    ts = card["ts"]
    assert advised.rows("SELECT count(*) FROM outbox WHERE key LIKE 'approval:%'") == [(1,)]
    await advised.sees("A-2 is proposed too: .*It is on the card of A-1")

    async def told_of_both() -> bool:
        each = [await advised.direct(LEE), await advised.direct(PRIYA)]
        return all(len(texts) == 1 and "A-1 waits" in texts[0] and "A-2 waits" in texts[0] for texts in each)

    await advised.until(told_of_both, "one direct message for each approver, of both requests")
    await advised.page.click(LEE, await advised.request(1), "Approve")
    await advised.sees("A-1 (helped|ran|failed)|A-1 is void")
    await state_on_card(advised, ts, "Approved")
    assert advised.rows("SELECT state FROM approvals ORDER BY number") == [("approved",), ("pending",)]
    waiting = await advised.request(2)
    assert waiting["ts"] == ts
    assert "uid" in json.dumps(waiting["blocks"]), "the other stays whole"
    writes = len(await advised.writes())
    advised.kill()
    await advised.serve()
    await deny(advised, PRIYA, waiting)
    text = await state_on_card(advised, ts, "Denied")
    assert "not needed any more" in text
    assert "Approved" in text
    assert "apr." not in text
    assert advised.rows("SELECT state FROM approvals ORDER BY number") == [("approved",), ("denied",)]
    assert len(await advised.writes()) == writes == 1
    assert advised.audit_holds()


async def test_what_a_person_asks_for_is_a_message_of_its_own(shop: Town) -> None:
    await shop.alert(checkout_alert())
    first = await shop.request(1)
    body = {"user": LEE, "channel": "C0INCIDENTS", "text": "/ops run restart-deployment INC-1", "wait": 10}
    await shop.page.act("/sandbox/command", body)
    view = await shop.modal(LEE)
    given = {"p.namespace": "shop", "p.deployment": "cart"}
    await shop.page.act("/sandbox/submit", {"user": LEE, "view_id": view["id"], "values": given})
    assert (await shop.request(2))["ts"] != first["ts"]
    assert shop.rows("SELECT count(DISTINCT card) FROM approvals") == [(2,)]


async def test_a_resolve_ends_all_that_share_a_card_and_what_comes_later_is_a_new_message(advised: Town) -> None:
    card = await card_of(advised)
    await advised.alert(checkout_alert("resolved"))
    text = await state_on_card(advised, card["ts"], "/ops status A-2")
    assert "apr." not in text
    assert advised.rows("SELECT DISTINCT state FROM approvals") == [("void",)]
    await advised.alert(checkout_alert(starts_at="2026-11-21T10:45:00Z"))
    assert (await advised.request(3))["ts"] != card["ts"]

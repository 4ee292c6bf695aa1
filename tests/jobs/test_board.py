"""What a card shows while things are under way."""

from __future__ import annotations

import json

from tests.system.town import Town, checkout_alert

AGAIN = "2026-11-21T10:45:00Z"
SLOW = {"action": "delay", "seconds": 2.0, "times": 200}


async def card(shop: Town, headline: str, word: str) -> str:
    """Wait until INC-1's card has this headline and, somewhere, this word."""

    async def shown() -> str:
        text = json.dumps((await shop.sees(headline))["blocks"], ensure_ascii=False)
        return text if word in text else ""

    return str(await shop.until(shown, f"{word!r} on the card"))


async def test_a_reopened_incident_shows_no_evidence_from_before(shop: Town) -> None:
    await shop.alert(checkout_alert())
    await card(shop, "^INC-1 firing", "Evidence (")
    await shop.alert(checkout_alert("resolved"))
    await shop.sees("^INC-1 resolved")
    await shop.control("faults", SLOW)
    await shop.alert(checkout_alert(starts_at=AGAIN))
    assert "Evidence (" not in await card(shop, "^INC-1 firing again", "Collecting")

"""What an alert says of itself is redacted before anybody reads it, its cluster's name too."""

from __future__ import annotations

import json

from tests.system.town import Town, checkout_alert

KEY = "AKIA" + "ABCDEFGH" * 2


async def test_a_secret_in_the_cluster_label_reaches_neither_the_card_nor_the_audit(shop: Town) -> None:
    await shop.alert(checkout_alert(cluster=f"prod-{KEY}", severity=f"critical-{KEY}"))
    await shop.sees("INC-1 ")
    await shop.until(lambda: shop.rows("SELECT 1 FROM incidents WHERE done = wanted"), "the investigation to end")
    await shop.until(lambda: shop.rows("SELECT 1 FROM outbox WHERE state = 'posted'"), "the card to be sent")
    [(subject, note)] = shop.rows("SELECT subject, note FROM incidents")
    assert "[aws-key:" in json.loads(subject)["cluster_label"]
    assert "is configured, so nothing could be read" in note
    seen = json.dumps([await shop.page.messages("U0LEE"), *shop.rows("SELECT data FROM audit")])
    assert "INC-1" in seen
    assert KEY not in seen
    assert KEY not in subject + note + shop.log()

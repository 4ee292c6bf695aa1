"""What becomes of a group's alerts, as people see it: what is redacted, what waits, what is said and what is not."""

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


async def test_requests_wait_on_while_alerts_that_were_cut_may_fire(shop: Town) -> None:
    await shop.alert(checkout_alert())
    await shop.request()
    await shop.alert(checkout_alert("resolved") | {"truncatedAlerts": 2})
    await shop.sees("^✅ INC-1 resolved after .*the 2 alerts that Alertmanager cut may still fire")
    assert shop.rows("SELECT state FROM approvals") == [("pending",)]
    await shop.alert(checkout_alert("resolved"))
    await shop.sees("A-1 is void, nothing ran. INC-1 resolved before anybody decided")


async def test_a_stale_incident_that_is_heard_of_again_says_so_in_its_thread(shop: Town) -> None:
    await shop.alert(checkout_alert())
    await shop.request()
    shop.time_passes(13 * 3600)
    await shop.sees("INC-1 is stale")
    assert await shop.alert(checkout_alert()) == 200
    await shop.sees("^📣 INC-1 is heard of again and still fires")
    assert shop.rows("SELECT status FROM incidents") == [("open",)]


async def test_the_end_of_what_was_never_heard_of_makes_no_card(shop: Town) -> None:
    assert await shop.alert(checkout_alert("resolved", deployment="catalogue")) == 200
    await shop.until(lambda: shop.rows("SELECT 1 FROM alert_groups WHERE done = wanted"), "its job to end")
    assert shop.rows("SELECT status, incident_id FROM alerts") == [("resolved", "")]
    await shop.alert(checkout_alert())
    await shop.sees("INC-1 firing")
    assert shop.rows("SELECT number, status FROM incidents") == [(1, "open")]

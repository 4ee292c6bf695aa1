"""What a card shows while things are under way."""

from __future__ import annotations

import json
from pathlib import Path

from bot.domain.approval import Person
from bot.jobs import board
from tests.system.town import Town, checkout_alert, quick_runbooks, town

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


async def test_all_that_belongs_to_an_incident_goes_where_its_card_stands(tmp_path: Path) -> None:
    """The labels that all its alerts share become fewer; the card does not move, nor does what is looked at there."""
    async with town(tmp_path, runbooks=quick_runbooks(tmp_path / "runbooks")) as shop:
        shop.configure(routes=[{"match": {"team": "shop"}, "channel": "C0DEPLOYS"}])
        await shop.serve()
        first = checkout_alert(team="shop")
        await shop.alert(first)
        card = "SELECT 1 FROM outbox WHERE key LIKE 'incident:%'"
        await shop.until(lambda: shop.rows(card), "the card")
        (one,) = first["alerts"]
        other = {**one, "fingerprint": "f" * 16, "labels": one["labels"] | {"team": "payments"}}
        await shop.alert(first | {"alerts": [one, other]})
        over = {"status": "resolved", "endsAt": "2026-11-21T10:30:00Z"}
        await shop.until(lambda: shop.rows("SELECT 1 FROM incidents WHERE total = 2"), "the other alert to join")
        await shop.alert(first | {"alerts": [one | over, other | over]})
        notices = "SELECT key FROM outbox WHERE key LIKE 'notice:%:resolved:%'"
        await shop.until(lambda: shop.rows(notices), "the end to be said")
        assert shop.rows("SELECT DISTINCT channel FROM outbox WHERE kind <> 'ephemeral'") == [("C0DEPLOYS",)]


def test_of_many_approvers_ten_are_called_by_lot_and_some_of_every_group() -> None:
    crowd = frozenset(Person("T0SHOP", f"U0ONCALL{nth}") for nth in range(40))
    few = frozenset({Person("T0SHOP", "U0LEE"), Person("T0SHOP", "U0PRIYA")})
    groups = {"oncall": crowd, "platform": few}
    first = board.called(groups, frozenset(), lot="card1")
    assert len(first) == board.CALLED == 10
    assert few < first
    assert board.called(groups, frozenset(), lot="card1") == first
    assert board.called(groups, frozenset(), lot="card2") != first
    assert board.called({"platform": few}, {Person("T0SHOP", "U0LEE")}, lot="card1") == {Person("T0SHOP", "U0PRIYA")}
    assert board.called({}, frozenset(), lot="card1") == set()

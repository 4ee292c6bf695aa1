"""Which objects a runbook touches: those that there are, and never more than it says it may."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.runbooks.refusal import Refusal
from bot.runbooks.resolve import Found, resolve
from tests.runbooks.conftest import Shop

APPS = {"parameters": {"namespace": "shop", "application": "shop"}}


async def found(shop: Shop, **reach: Any) -> list[Found] | Refusal:
    """Resolve the shop's Deployments by their label, within these bounds."""
    target = shop.catalogue.runbooks["restart-deployments"].target
    return await resolve(replace(target, reach=replace(target.reach, **reach)), APPS, shop.prod)


async def test_the_targets_of_a_selector_are_counted_when_they_are_resolved(market: Shop) -> None:
    """L11: as many as the runbook allows are touched, and with one more than that it refuses all of them."""
    everything = await found(market)
    assert isinstance(everything, list)
    names = [each.target.name for each in everything]
    assert names == sorted(names)
    assert len(names) > 1
    assert await found(market, max_targets=len(names)) == everything
    refusal = await found(market, max_targets=len(names) - 1)
    assert isinstance(refusal, Refusal)
    assert f"this runbook touches at most {len(names) - 1}" in refusal.sentence


@pytest.mark.parametrize("percent", [1, 50, 99])
async def test_nor_a_larger_share_than_the_runbook_allows(market: Shop, percent: int) -> None:
    """L11: the share is of all that there are of the kind in the namespace."""
    refusal = await found(market, max_percent=percent)
    assert isinstance(refusal, Refusal)
    assert f"at most {percent} % of them" in refusal.sentence

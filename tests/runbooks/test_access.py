"""A failure says what happened and what to do, and whether a write may have been applied."""

from __future__ import annotations

from typing import Any

import pytest

from bot.runbooks.access import AccessFailed
from bot.runbooks.call import MERGE_PATCH, Call
from bot.runbooks.resources import DEPLOYMENT, POD
from bot.sandbox.kubernetes.faults import Fault

PATH = DEPLOYMENT.path("shop", "cart")
LABEL = Call("PATCH", PATH, MERGE_PATCH, {"metadata": {"labels": {"a": "b"}}})


async def failed(market: Any, fault: Fault) -> AccessFailed:
    market.sandbox.order(fault)
    with pytest.raises(AccessFailed) as caught:
        await market.prod.send(LABEL, DEPLOYMENT, "shop", "cart")
    return caught.value


@pytest.mark.parametrize(
    ("status", "code", "in_doubt"),
    [
        (401, "unauthorised", False),
        (403, "forbidden", False),
        (404, "not-found", False),
        (409, "conflict", False),
        (422, "invalid", False),
        (429, "busy", False),
        (408, "refused", True),
        (500, "refused", True),
        (503, "refused", True),
        (504, "refused", True),
    ],
)
async def test_only_a_clear_refusal_is_certain(market: Any, status: int, code: str, in_doubt: bool) -> None:
    failure = await failed(market, Fault("status", verb="patch", code=status))
    assert (failure.code, failure.in_doubt) == (code, in_doubt)
    assert failure.sentence.endswith(".") or str(status) in failure.sentence
    assert "cluster prod" in failure.sentence.lower()


async def test_a_dropped_connection_is_in_doubt_and_none_is_not(market: Any) -> None:
    assert (await failed(market, Fault("drop", verb="patch"))).in_doubt
    await market.sandbox.stop()
    with pytest.raises(AccessFailed) as caught:
        await market.prod.send(LABEL, DEPLOYMENT, "shop", "cart")
    assert not caught.value.in_doubt


async def test_what_is_not_there_is_none(market: Any) -> None:
    assert await market.prod.find(DEPLOYMENT, "shop", "nothing") is None
    assert (await market.prod.get(POD, "shop", market.pods("cart")[0]["metadata"]["name"]))["kind"] == "Pod"


async def test_a_rehearsal_changes_nothing(market: Any) -> None:
    answer = await market.prod.send(LABEL, DEPLOYMENT, "shop", "cart", dry_run=True)
    assert answer["metadata"]["labels"]["a"] == "b"
    assert "a" not in market.deployment("cart")["metadata"]["labels"]

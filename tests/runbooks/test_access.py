"""A failure says what happened and what to do, and whether a write may have been applied."""

from __future__ import annotations

from typing import Any

import pytest

from bot.runbooks.access import Access, AccessFailed
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
        (408, "unavailable", True),
        (500, "unavailable", True),
        (503, "unavailable", True),
        (504, "unavailable", True),
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


async def test_without_a_runner_all_but_kubernetes_is_reached() -> None:
    for access, said in (
        (Access(None), "for no cluster"),
        (Access(None, cluster="prod"), "Cluster prod has no runner"),
    ):
        with pytest.raises(AccessFailed, match=said) as caught:
            await access.send(LABEL, DEPLOYMENT, "shop", "cart")
        assert (caught.value.code, caught.value.in_doubt) == ("not-configured", False)
        with pytest.raises(AccessFailed, match=said):
            await access.items(POD, "shop", limit=1)
        with pytest.raises(AccessFailed, match=r"an Alertmanager belongs to one|has no Alertmanager configured"):
            _ = access.alertmanager
        with pytest.raises(AccessFailed, match="No credential for GitHub's actions"):
            access.repository("shop/deploy")

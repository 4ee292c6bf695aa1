"""Which objects a runbook touches: those that there are, and never more than it says it may."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.runbooks.access import Access
from bot.runbooks.catalogue import load
from bot.runbooks.execute import fire
from bot.runbooks.lint import lint
from bot.runbooks.refusal import Refusal
from bot.runbooks.resolve import Found, resolve
from tests.runbooks.conftest import OpenShop, Shop

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


def listed(folder: Path, shipped: dict[str, str], name: str, **more: Any) -> Path:
    """A folder with that runbook, whose target may be in these namespaces only."""
    book = yaml.safe_load(shipped[f"{name}.yaml"])
    book["target"] |= more
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(book, sort_keys=False))
    return folder


async def test_a_namespace_that_the_runbook_does_not_list_is_refused(
    open_shop: OpenShop, tmp_path: Path, shipped: dict[str, str]
) -> None:
    """I2: whoever chose the value, of a form or of an alert."""
    folder = listed(tmp_path, shipped, "restart-deployment", namespaces=["billing", "shop"])
    shop = await open_shop(books=load(folder))
    assert (await shop.planned("restart-deployment", deployment="cart")).plan.targets[0]["namespace"] == "shop"
    before = len(shop.sandbox.calls)
    refusal = await shop.plan("restart-deployment", namespace="kube-system", deployment="coredns")
    said = "Namespace kube-system is not accepted; this runbook is for billing, shop."
    assert refusal == Refusal("parameters", said)
    assert len(shop.sandbox.calls) == before, "nothing is read there"


async def test_the_namespaces_of_a_runbook_hold_for_its_steps_too(tmp_path: Path, shipped: dict[str, str]) -> None:
    folder = listed(tmp_path, shipped, "restart-deployment", namespaces=["shop"])
    book = yaml.safe_load((folder / "restart-deployment.yaml").read_text())
    other = {"apiVersion": "v1", "kind": "ConfigMap", "namespace": "shop", "name": "cart"}
    node = {"apiVersion": "v1", "kind": "Node", "name": "node-1"}
    targets = {"a": other, "b": other | {"namespaces": ["settings"]}, "c": node}
    book["steps"] += [
        {"id": name, "action": "annotate", "with": {"key": "shop.example/x", "value": "y"}, "timeout_seconds": 5,
         "target": target}
        for name, target in targets.items()
    ]  # fmt: skip
    (folder / "restart-deployment.yaml").write_text(yaml.safe_dump(book, sort_keys=False))
    steps = load(folder).runbooks["restart-deployment"].steps
    assert [step.where and step.where.namespaces for step in steps] == [None, ("shop",), ("settings",), ()]


async def test_where_a_cluster_lists_its_namespaces_nothing_is_changed_in_others(market: Shop) -> None:
    """It is looked at again when a call is made: the list may have become shorter since the approval."""
    plan = (await market.planned("restart-deployment", deployment="cart")).plan
    elsewhere = Access(market.prod._kubernetes, namespaces=["billing"])
    said = "Namespace shop is not accepted; clusters.prod.acts_in lists billing."
    assert await market.plan("restart-deployment", elsewhere, deployment="cart") == Refusal("parameters", said)
    effect = await fire(plan, 0, elsewhere)
    assert (effect.outcome, effect.sentence) == ("failed", f"Nothing was changed: {said}")
    drained = await market.plan("drain-node", elsewhere, node="node-1")
    assert drained == Refusal("forbidden", said)
    assert market.writes() == []
    assert not isinstance(await market.plan("cordon-node", elsewhere, node="node-1"), Refusal)
    here = Access(market.prod._kubernetes, namespaces=["billing", "shop"])
    assert (await fire(plan, 0, here)).outcome == "done"


def test_namespaces_are_for_what_is_in_one(tmp_path: Path, shipped: dict[str, str]) -> None:
    (found,) = lint(listed(tmp_path, shipped, "cordon-node", namespaces=["shop"]))
    assert (found.key, found.sentence) == ("target.namespaces", "is for an object of Kubernetes in a namespace")

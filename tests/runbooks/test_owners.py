"""Who keeps an object as it is: read from what they leave on it, and told with the right road, before anything runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.runbooks import owners
from bot.runbooks.execute import drift, fire
from bot.runbooks.plan import Planned, Refusal
from bot.runbooks.resources import DEPLOYMENT
from bot.runbooks.target import Target
from tests.runbooks.conftest import Shop

ARGO = {"annotations": {"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:shop/cart"}}
FLUX = {"labels": {"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}}
FLUX_HELM = {"labels": {"helm.toolkit.fluxcd.io/name": "cart"}, "annotations": {"meta.helm.sh/release-name": "cart"}}
HELM = {"annotations": {"meta.helm.sh/release-name": "cart"}, "labels": {"app.kubernetes.io/managed-by": "Helm"}}
ROLLOUT = {
    "ownerReferences": [{"apiVersion": "shop.io/v1", "kind": "Shop", "name": "main", "uid": "u", "controller": True}]
}


@pytest.mark.parametrize(
    ("metadata", "kind", "name", "road"),
    [
        (ARGO, "argocd", "Argo CD application shop", "argocd app rollback shop"),
        ({"labels": {"argocd.argoproj.io/instance": "cart"}}, "argocd", "Argo CD application cart", "repository"),
        ({"labels": {"app.kubernetes.io/instance": "cart"}, "managedFields": [{"manager": "argocd-controller"}]},
         "argocd", "Argo CD application cart", "repository"),
        (FLUX, "flux", "Flux Kustomization flux-system/apps", "kustomize.toolkit.fluxcd.io/reconcile=disabled"),
        (FLUX_HELM, "flux", "Flux HelmRelease cart", "helm.toolkit.fluxcd.io/driftDetection=disabled"),
        (HELM, "helm", "Helm release cart", "helm upgrade cart"),
        (ROLLOUT, "operator", "Shop main", "Change the Shop main instead."),
    ],
)  # fmt: skip
def test_an_owner_is_read_from_the_object(metadata: dict[str, Any], kind: str, name: str, road: str) -> None:
    (found,) = owners.of({"metadata": metadata})
    assert (found.kind, found.name) == (kind, name)
    assert road in found.road


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"labels": {"app.kubernetes.io/instance": "cart"}},  # everybody's recommended label
        {
            "ownerReferences": [
                {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d", "uid": "u", "controller": True}
            ]
        },
        {"ownerReferences": [{"apiVersion": "shop.io/v1", "kind": "Shop", "name": "main", "uid": "u"}]},
    ],
)
def test_nobody_owns_what_only_looks_like_it(metadata: dict[str, Any]) -> None:
    assert owners.of({"metadata": metadata}) == ()


def test_an_autoscaler_owns_the_number_of_the_workload_it_names() -> None:
    def autoscaler(kind: str, name: str) -> dict[str, Any]:
        return {"metadata": {"name": "h"}, "spec": {"scaleTargetRef": {"kind": kind, "name": name}, "maxReplicas": 9}}

    cart = Target("prod", DEPLOYMENT, "shop", "cart")
    others = [autoscaler("StatefulSet", "cart"), autoscaler("Deployment", "frontend")]
    assert owners.scaled_by(cart, others) is None
    found = owners.scaled_by(cart, [*others, autoscaler("Deployment", "cart")])
    assert found is not None
    assert "between 1 and 9 pods" in found.road


async def test_what_an_owner_would_revert_is_refused_with_the_road_and_what_it_leaves_alone_is_not(
    market: Shop,
) -> None:
    market.change("cart", {"metadata": ARGO})
    refused = await market.plan("scale-deployment", deployment="cart", replicas=5)
    assert refused == Refusal(
        "owned",
        "Argo CD application shop keeps Deployment shop/cart as it is and would revert the change. Change it in the "
        "application's repository, or use Argo CD itself (argocd app rollback shop).",
    )
    assert isinstance(await market.plan("restart-deployment", deployment="cart"), Planned)
    assert not market.writes()


async def test_who_follows_the_road_that_flux_names_is_not_refused_again(market: Shop) -> None:
    market.change("cart", {"metadata": FLUX})
    refused = await market.plan("scale-deployment", deployment="cart", replicas=5)
    assert isinstance(refused, Refusal)
    key, _, value = refused.sentence.rpartition("annotate it with ")[2].rstrip(".").partition("=")
    market.change("cart", {"metadata": {"annotations": {key: value}}})
    assert isinstance(await market.plan("scale-deployment", deployment="cart", replicas=5), Planned)


async def test_a_runbook_may_warn_where_the_tool_does_not_reconcile_by_itself(market: Shop) -> None:
    market.change("cart", {"metadata": FLUX})
    books = market.catalogue.runbooks
    warning = replace(books["scale-deployment"], owned="warn")
    market.catalogue = replace(market.catalogue, runbooks={**books, "scale-deployment": warning})
    made = await market.planned("scale-deployment", deployment="cart", replicas=5)
    assert "Flux Kustomization flux-system/apps keeps Deployment shop/cart" in " ".join(made.plan.record["effect"])


async def test_a_helm_release_is_no_obstacle_but_is_told(market: Shop) -> None:
    market.change("cart", {"metadata": HELM})
    made = await market.planned("scale-deployment", deployment="cart", replicas=5)
    assert "It belongs to Helm release cart. The next upgrade brings the old value back" in " ".join(
        made.plan.record["effect"]
    )


HPA = {
    "apiVersion": "autoscaling/v2",
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "cart", "namespace": "shop"},
    "spec": {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "cart"},
        "minReplicas": 2,
        "maxReplicas": 9,
        "metrics": [],
    },
}


@pytest.mark.parametrize(
    ("mark", "said"),
    [
        (ARGO, "Argo CD application shop keeps Deployment shop/cart as it is and would revert the change."),
        (FLUX, "Flux Kustomization flux-system/apps keeps Deployment shop/cart as it is and would revert the change."),
        (HELM, "It belongs to Helm release cart. The next upgrade brings the old value back"),
        (ROLLOUT, "Shop main keeps Deployment shop/cart as it is and would revert the change."),
        (None, "HorizontalPodAutoscaler cart decides how many pods Deployment shop/cart has. It keeps between 2 and 9"),
    ],
    ids=["argocd", "flux", "helm", "operator", "autoscaler"],
)
async def test_an_owner_that_appears_later_is_drift_also_to_the_call_itself(
    market: Shop, mark: dict[str, Any] | None, said: str
) -> None:
    made = await market.planned("scale-deployment", deployment="cart", replicas=5)
    assert await drift(made.plan, market.prod) == ()
    if mark is None:
        market.sandbox.clusters["prod"].apply(HPA)
    else:
        market.change("cart", {"metadata": mark})
    (found,) = await drift(made.plan, market.prod)
    assert found.what == "owned"
    assert found.sentence.startswith(said)
    effect = await fire(made.plan, 0, market.prod)
    assert (effect.outcome, effect.drift) == ("failed", (found,))
    assert not market.writes()


async def test_an_owner_that_the_approver_was_told_of_is_no_drift_nor_is_one_with_no_say(market: Shop) -> None:
    market.change("cart", {"metadata": HELM})
    told = await market.planned("scale-deployment", deployment="cart", replicas=5)
    assert await drift(told.plan, market.prod) == ()
    restart = await market.planned("restart-deployment", deployment="cart")
    market.change("cart", {"metadata": ARGO})
    market.sandbox.clusters["prod"].apply(HPA)
    assert await drift(restart.plan, market.prod) == ()


async def test_what_is_taken_back_is_taken_back_whoever_owns_it_now(market: Shop) -> None:
    made = await market.planned("scale-deployment", deployment="cart", replicas=5)
    assert (await fire(made.plan, 0, market.prod)).outcome == "done"
    market.change("cart", {"metadata": ARGO})
    back = next((n for n, call in enumerate(made.plan.calls) if call["undoes"] is not None), None)
    assert back is not None
    assert (await fire(made.plan, back, market.prod)).outcome == "done"

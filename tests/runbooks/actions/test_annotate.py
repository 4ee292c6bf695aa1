"""An annotation is set, never one that a controller acts on, and taken back to its value before or to none."""

from __future__ import annotations

from typing import Any

import pytest

from bot.runbooks.actions.annotate import Annotate, reserved
from bot.runbooks.resources import CONFIG_MAP, CRON_JOB, DAEMON_SET, DEPLOYMENT, NODE, STATEFUL_SET
from tests.runbooks.actions.rendering import after, another, live, read_back, rendered, target, unsuitable

ANNOTATE, WEB = Annotate(), target(DEPLOYMENT)
OWNER = {"key": "shop.example/owner", "value": "checkout"}


def noted(value: str | None) -> dict[str, Any]:
    return live(annotations={"other": "1"} | ({OWNER["key"]: value} if value is not None else {}))


@pytest.mark.parametrize(
    ("before", "undo"), [(None, "Remove the annotation of"), ("cart", "Set the annotation back to cart of")]
)
def test_one_annotation_is_written_and_the_inverse_brings_back_what_was_there(before: str | None, undo: str) -> None:
    made = rendered(ANNOTATE, WEB, noted(before), **OWNER)
    assert made.effect == ("Deployment shop/web gets the annotation shop.example/owner; its pods are left alone.",)
    assert made.undo == f"{undo} Deployment shop/web."
    assert after(noted(before), made.call) == noted("checkout")
    assert after(noted("checkout"), made.inverse) == noted(before)


def test_the_value_it_has_already_is_no_change() -> None:
    assert unsuitable(ANNOTATE, WEB, noted("checkout"), **OWNER).code == "no-change"


@pytest.mark.parametrize(
    ("key", "whose"),
    [
        ("deployment.kubernetes.io/revision", True),
        ("kubernetes.io/change-cause", True),
        ("node.alpha.k8s.io/ttl", True),
        ("argocd.argoproj.io/sync-wave", True),
        ("meta.helm.sh/release-name", True),
        ("kustomize.toolkit.fluxcd.io/reconcile", True),
        ("shop.example/owner", False),
        ("owner", False),
        ("notkubernetes.io/owner", False),
    ],
)
def test_what_belongs_to_kubernetes_or_a_deployment_tool_is_theirs(key: str, whose: bool) -> None:
    assert reserved(key) is whose
    if whose:
        assert unsuitable(ANNOTATE, WEB, noted(None), key=key, value="x").code == "reserved"


def test_it_patches_what_it_can_be_done_to() -> None:
    resources = (DEPLOYMENT, STATEFUL_SET, DAEMON_SET, CONFIG_MAP, CRON_JOB, NODE)
    assert ANNOTATE.verbs == {each.verb("patch") for each in resources}
    assert ANNOTATE.kinds == {each.kind for each in resources}


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (noted("checkout"), "applied"),
        (noted("cart"), "not applied"),
        (noted(None), "cannot tell"),
        (another(noted("checkout")), "cannot tell"),
        (None, "cannot tell"),
    ],
)
def test_reading_back(found: Any, verdict: str) -> None:
    assert read_back(ANNOTATE, noted("cart"), noted("checkout"), found, **OWNER) == verdict

"""An image is named by its digest and comes from a registry that is allowed; only that container gets it."""

from __future__ import annotations

from typing import Any

import pytest

from bot.runbooks.actions.action import Occasion
from bot.runbooks.actions.set_image import SetImage, refused
from bot.runbooks.resources import DAEMON_SET, DEPLOYMENT, STATEFUL_SET
from bot.sandbox.kubernetes.patches import PatchError
from tests.runbooks.actions.rendering import after, another, live, read_back, rendered, target, unsuitable

SET, WEB = SetImage(), target(DEPLOYMENT)
DIGEST = "@sha256:" + "a" * 64
NEW = f"registry.example/shop/web:1.2{DIGEST}"
OCCASION = Occasion(0, registries=("registry.example/shop",))


def web(image: str = "registry.example/shop/web:1", *, first: str = "proxy", **metadata: Any) -> dict[str, Any]:
    containers = [{"name": first, "image": "envoy:1"}, {"name": "web", "image": image}]
    made = live(spec={"replicas": 3, "template": {"spec": {"containers": containers}}})
    return {**made, "metadata": {**made["metadata"], **metadata}}


def test_only_that_container_changes_and_the_inverse_brings_back_its_image() -> None:
    made = rendered(SET, WEB, web(), occasion=OCCASION, container="web", image=NEW)
    assert made.effect == (
        f"Container web of Deployment shop/web: image registry.example/shop/web:1 → {NEW}.",
        "3 pods will be replaced. Pods are replaced step by step: at most 25% unavailable and 25% extra at a time.",
    )
    assert after(web(), made.call) == web(NEW)
    assert after(web(NEW), made.inverse) == web()


def test_the_call_fails_where_another_container_took_the_place() -> None:
    made = rendered(SET, WEB, web(), occasion=OCCASION, container="web", image=NEW)
    moved = web()
    moved["spec"]["template"]["spec"]["containers"].reverse()
    with pytest.raises(PatchError):
        after(moved, made.call)


@pytest.mark.parametrize(
    ("image", "says"),
    [
        (NEW, ""),
        ("registry.example/shop/web:1.2", "does not name one image"),
        (f"web{DIGEST}", "does not name one image"),
        (f"registry.example/shop/web{DIGEST[:-1]}", "does not name one image"),
        (f"registry.example/shop/web {DIGEST}", "does not name one image"),
        ("registry.example/shop/" + "w" * 500 + DIGEST, "does not name one image"),
        (f"registry.example/shopping/web{DIGEST}", "is not from an allowed registry (allowed: registry.example/shop)"),
        (f"evil.example/registry.example/shop/web{DIGEST}", "is not from an allowed registry"),
    ],
)
def test_an_image_is_one_and_from_an_allowed_registry(image: str, says: str) -> None:
    why = refused(image, OCCASION.registries)
    assert says in why
    assert bool(why) is bool(says)


def test_without_registries_none_is_allowed() -> None:
    assert "(allowed: none)" in refused(NEW, ())


@pytest.mark.parametrize(
    ("container", "image", "code"),
    [("api", NEW, "no-container"), ("web", "registry.example/shop/web:2", "image")],
)
def test_what_cannot_be_set_says_why(container: str, image: str, code: str) -> None:
    assert unsuitable(SET, WEB, web(), occasion=OCCASION, container=container, image=image).code == code


def test_the_image_it_has_already_is_no_change() -> None:
    assert unsuitable(SET, WEB, web(NEW), occasion=OCCASION, container="web", image=NEW).code == "no-change"


def test_it_patches_workloads_that_roll_their_template_out() -> None:
    assert SET.verbs == {each.verb("patch") for each in (DEPLOYMENT, STATEFUL_SET, DAEMON_SET)}
    assert SET.requires == {"rollout-not-paused", "rollout-automatic"}


def test_a_daemon_set_says_how_many_nodes_get_it() -> None:
    agents = web() | {"status": {"desiredNumberScheduled": 40}}
    made = rendered(SET, target(DAEMON_SET), agents, occasion=OCCASION, container="web", image=NEW)
    assert made.effect[1].startswith("40 pods will be replaced. Pods are replaced node by node: at most 1 unavailable")


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (web(NEW), "applied"),
        (web(), "not applied"),
        (web(generation=5), "cannot tell"),
        (web("registry.example/shop/web:9"), "cannot tell"),
        (another(web(NEW)), "cannot tell"),
        (None, "cannot tell"),
    ],
)
def test_reading_back_knows_that_every_change_raises_the_generation(found: Any, verdict: str) -> None:
    assert read_back(SET, web(), web(NEW), found, container="web", image=NEW) == verdict

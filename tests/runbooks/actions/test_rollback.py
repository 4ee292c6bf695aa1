"""Which revision a rollback chooses, and what it writes."""

from __future__ import annotations

from typing import Any

import pytest

from bot.runbooks.actions.action import Before, Occasion, Rendered, Unsuitable, fingerprint
from bot.runbooks.actions.rollback import Rollback
from bot.runbooks.resources import DEPLOYMENT
from bot.runbooks.target import Target

TARGET = Target("prod", DEPLOYMENT, "shop", "web", "u1")
CAUSE = "kubernetes.io/change-cause"


def template(image: str, **labels: str) -> dict[str, Any]:
    return {
        "metadata": {"creationTimestamp": None, "labels": {"app": "web", **labels}},
        "spec": {"containers": [{"name": "web", "image": image}]},
    }


def live(image: str, **annotations: str) -> dict[str, Any]:
    return {
        "metadata": {"name": "web", "namespace": "shop", "uid": "u1", "generation": 4, "annotations": annotations},
        "spec": {"replicas": 3, "template": template(image)},
    }


def revision(number: int | str, image: str, *, pods: int = 0, cause: str | None = None) -> dict[str, Any]:
    annotations = {"deployment.kubernetes.io/revision": str(number), **({CAUSE: cause} if cause else {})}
    return {
        "metadata": {"name": f"web-{number}", "annotations": annotations},
        "spec": {"template": template(image, **{"pod-template-hash": f"h{number}"})},
        "status": {"replicas": pods},
    }


def render(deployment: dict[str, Any], revisions: list[dict[str, Any]], asked: int = 0) -> Rendered | Unsuitable:
    return Rollback().render(TARGET, deployment, revisions, {"revision": asked}, Occasion(0))


def chosen(rendered: Rendered | Unsuitable) -> str:
    assert isinstance(rendered, Rendered), rendered
    image: str = rendered.call.body[0]["value"]["spec"]["containers"][0]["image"]
    return image


THREE = [revision(1, "web:1"), revision(3, "web:3", pods=1), revision(2, "web:2", pods=2)]


def test_the_default_is_the_newest_revision_that_is_not_current() -> None:
    assert chosen(render(live("web:3"), THREE)) == "web:2"


def test_any_kept_revision_can_be_chosen() -> None:
    assert chosen(render(live("web:3"), THREE, 1)) == "web:1"


def test_after_a_rollback_the_current_revision_is_found_by_its_template() -> None:
    """The controller gives the old ReplicaSet a new number; until then it is not the highest."""
    assert chosen(render(live("web:2"), THREE)) == "web:3"


@pytest.mark.parametrize(
    ("deployment", "revisions", "asked", "code"),
    [
        (live("web:3"), [revision(3, "web:3")], 0, "no-earlier-revision"),
        (live("web:3"), THREE, 3, "same-template"),
        (live("web:3"), THREE, 7, "unknown-revision"),
        (live("web:9"), THREE, 0, "not-observed"),
        (live("web:9"), [], 0, "not-observed"),
        # A ReplicaSet without a readable number is no revision.
        (
            live("web:3"),
            [revision(3, "web:3"), revision("²", "web:2"), revision("", "web:1")],
            0,
            "no-earlier-revision",
        ),
    ],
)
def test_what_cannot_be_rolled_back_says_so(
    deployment: dict[str, Any], revisions: list[dict[str, Any]], asked: int, code: str
) -> None:
    rendered = render(deployment, revisions, asked)
    assert isinstance(rendered, Unsuitable)
    assert rendered.code == code


def test_the_template_is_bare_and_replaced_as_a_whole() -> None:
    rendered = render(live("web:3"), THREE)
    assert isinstance(rendered, Rendered)
    assert rendered.call.content_type == "application/json-patch+json"
    assert rendered.call.body == [
        {
            "op": "replace",
            "path": "/spec/template",
            "value": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": "web:2"}]},
            },
        }
    ]
    assert rendered.effect[:3] == (
        "Deployment shop/web returns from revision 3 to the pod template of revision 2.",
        "Container web: image web:3 → web:2.",
        "1 pod of web will be started, 1 pod removed; 2 already run revision 2.",
    )
    assert rendered.undo == "Roll Deployment shop/web back to revision 3."


@pytest.mark.parametrize(
    ("annotations", "cause", "operation"),
    [
        (
            {CAUSE: "new"},
            "old",
            {"op": "add", "path": "/metadata/annotations/kubernetes.io~1change-cause", "value": "old"},
        ),
        ({CAUSE: "new"}, None, {"op": "remove", "path": "/metadata/annotations/kubernetes.io~1change-cause"}),
        ({}, "old", {"op": "add", "path": "/metadata/annotations", "value": {CAUSE: "old"}}),
        ({}, None, None),
    ],
)
def test_the_change_cause_goes_back_with_it(
    annotations: dict[str, str], cause: str | None, operation: dict[str, Any] | None
) -> None:
    rendered = render(live("web:3", **annotations), [revision(3, "web:3"), revision(2, "web:2", cause=cause)])
    assert isinstance(rendered, Rendered)
    assert rendered.call.body[1:] == ([operation] if operation else [])


class TestReadingBack:
    """Applied, not applied, or nobody can tell."""

    action = Rollback()
    before = Before("u1", 4, fingerprint(action.fields(live("web:3"), {})))
    result = fingerprint(action.fields(live("web:2"), {}))

    @pytest.mark.parametrize(
        ("now", "verdict"),
        [
            (live("web:2"), "applied"),
            (live("web:3"), "not applied"),
            (live("web:9"), "cannot tell"),
            (None, "cannot tell"),
            ({**live("web:2"), "metadata": {"uid": "u2", "generation": 4}}, "cannot tell"),
            ({**live("web:3"), "metadata": {"uid": "u1", "generation": 5}}, "cannot tell"),
        ],
    )
    def test_it(self, now: Any, verdict: str) -> None:
        assert self.action.applied(now, self.before, self.result, {"revision": 0}) == verdict

"""What allows a plan's calls is bound with it: a change of that, and of nothing else, is named by its key."""

from __future__ import annotations

from typing import Any

import pytest

from bot.clients.alertmanager import Alertmanager
from bot.clients.endpoint import Endpoint
from bot.runbooks.access import Access
from bot.runbooks.allowed import allowed_by, changed

IMAGE = "registry.example/shop/checkout@sha256:" + "a" * 64
REGISTRIES = ("registry.example/shop",)
STATUS = {"type": "object", "additionalProperties": False, "properties": {"note": {"type": "string"}}}


def endpoint(url: str = "https://status.example/notes", method: str = "POST", body: Any = STATUS) -> Endpoint:
    return Endpoint("status", url, method=method, body_schema=body)


def access(**changes: Any) -> Access:
    given: dict[str, Any] = {
        "cluster": "prod",
        "alertmanager": Alertmanager("http://alertmanager:9093", cluster="prod"),
        "endpoints": {"status": endpoint()},
        "acts_in": lambda repository: repository == "shop/deploy",
        "namespaces": ("shop", "cart"),
    }
    return Access(None, **{**given, **changes})


def a_record(
    kind: str, action: str, namespace: str = "shop", name: str = "checkout", **arguments: Any
) -> dict[str, Any]:
    target = {"cluster": "prod", "kind": kind, "namespace": namespace, "name": name, "uid": "u1", "owner": None}
    return {"targets": [target], "calls": [{"action": action, "with": arguments, "target": 0}]}


SET_IMAGE = a_record("Deployment", "set-image", container="checkout", image=IMAGE)
RUN_JOB = a_record("Job", "job-run", image=IMAGE, service_account="a", command=["x"], deadline_seconds=60)
RESTART = a_record("Deployment", "rollout-restart")
NOTE = a_record("Endpoint", "http-request", namespace="", name="status", body={"note": "late"})
SILENCE = a_record("Silence", "silence-create", namespace="", matchers={"a": "b"}, minutes=5)
RERUN = a_record("WorkflowRun", "workflow-rerun-failed", namespace="shop/deploy", name="7")
ANOTHER_URL = Alertmanager("http://elsewhere:9093", cluster="prod")


@pytest.mark.parametrize(
    ("record", "after", "registries", "keys"),
    [
        (SET_IMAGE, {}, ("other.example",), ["registries"]),
        (SET_IMAGE, {}, (), ["registries"]),
        (RUN_JOB, {}, ("other.example",), ["registries"]),
        (RESTART, {"namespaces": ("cart",)}, REGISTRIES, ["clusters.prod.acts_in"]),
        (NOTE, {"endpoints": {"status": endpoint(body={**STATUS, "required": ["key"]})}}, (), ["endpoints.status"]),
        (NOTE, {"endpoints": {"status": endpoint("https://other.example/notes")}}, (), ["endpoints.status"]),
        (NOTE, {"endpoints": {"status": endpoint(method="PUT")}}, (), ["endpoints.status"]),
        (SILENCE, {"alertmanager": ANOTHER_URL}, (), ["clusters.prod.alertmanager"]),
        (RERUN, {"acts_in": lambda repository: False}, (), ["github.repositories"]),
    ],
)
def test_what_no_longer_allows_a_call_is_named(
    record: Any, after: Any, registries: tuple[str, ...], keys: list[str]
) -> None:
    bound = record | {"allowed_by": allowed_by(record["targets"], record["calls"], access(), REGISTRIES)}
    assert changed(bound, access(), REGISTRIES) == []
    assert changed(bound, access(**after), registries) == keys


@pytest.mark.parametrize(
    ("record", "after", "registries"),
    [
        (SET_IMAGE, {}, ("other.example", "registry.example/shop")),
        (SET_IMAGE, {"endpoints": {}}, REGISTRIES),
        (RESTART, {"namespaces": ("shop",)}, ()),
        (RESTART, {"namespaces": ()}, ()),
        (NOTE, {"endpoints": {"status": endpoint(), "pager": endpoint()}}, ()),
        (RERUN, {"acts_in": lambda repository: True}, ()),
    ],
)
def test_what_concerns_other_calls_changes_nothing(record: Any, after: Any, registries: tuple[str, ...]) -> None:
    bound = record | {"allowed_by": allowed_by(record["targets"], record["calls"], access(), REGISTRIES)}
    assert changed(bound, access(**after), registries) == []


def test_an_endpoint_that_is_gone_and_a_record_that_binds_nothing_are_changes() -> None:
    bound = NOTE | {"allowed_by": allowed_by(NOTE["targets"], NOTE["calls"], access(), REGISTRIES)}
    assert "endpoints.status" in changed(bound, access(endpoints={}), REGISTRIES)
    assert changed(SET_IMAGE, access(), REGISTRIES) == ["clusters.prod.acts_in", "registries"]

"""A cluster in this process, without a server: hostile objects, and time."""

import copy
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.sandbox.kubernetes.cluster import Cluster
from bot.sandbox.kubernetes.registry import JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, Options
from bot.sandbox.kubernetes.resources import DEPLOYMENTS, EVENTS, REPLICA_SETS, SERVED, of_object
from bot.sandbox.kubernetes.spec import ClusterSpec, Patch, Scenario, Stage
from bot.sandbox.kubernetes.status import ApiError
from tests.sandbox.kubernetes.conftest import BETTER, deployment, lab_spec, namespace


@pytest.fixture(scope="module")
def cluster():
    return Cluster(lab_spec(), lambda: 1_800_000_000.0, random.Random(1))


def of_kind(kind, **spec):
    body = deployment("x")
    body["kind"] = kind
    body["spec"] |= spec
    if kind == "DaemonSet":
        del body["spec"]["replicas"]
    return body


POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": deployment()["spec"]["template"]["spec"]}
JOB = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {"name": "x"},
    "spec": {"template": {"spec": {**POD["spec"], "restartPolicy": "Never"}}},
}
BUDGET = {
    "apiVersion": "policy/v1",
    "kind": "PodDisruptionBudget",
    "metadata": {"name": "x"},
    "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "x"}}},
}
NODE = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "x"}, "spec": {"unschedulable": True}}
EVENT = {"apiVersion": "v1", "kind": "Event", "metadata": {"name": "x"}, "lastTimestamp": "2026-11-21T10:00:00Z"}
OBJECTS = [
    of_kind("Deployment"),
    of_kind("StatefulSet", serviceName="x"),
    of_kind("DaemonSet"),
    of_kind("ReplicaSet"),
    POD,
    JOB,
    BUDGET,
    NODE,
    EVENT,
]
hostile = st.sampled_from(
    [None, True, -1, 0, 3, 2**40, 2**70, 0.5, "", "x", "150%", "%", "Ü" * 300, [], {}, [None], [{}], {"a": None},
     {"matchExpressions": [{"key": "a"}]}, [{"name": "x"}], [{"uid": "y"}], {"type": "Odd"}, "0001-01-01T00:00:00"]
)  # fmt: skip


def places(value, path=()):
    """Every path of a document, to break it there."""
    found = [path] if path else []
    if isinstance(value, dict):
        for key, inner in value.items():
            found += places(inner, (*path, key))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            found += places(inner, (*path, i))
    return found


EXTRA = [
    ("metadata", "labels"), ("metadata", "annotations"), ("metadata", "ownerReferences"), ("metadata", "finalizers"),
    ("metadata", "uid"), ("metadata", "generateName"), ("spec", "strategy"), ("spec", "updateStrategy"),
    ("spec", "minReadySeconds"), ("spec", "progressDeadlineSeconds"), ("spec", "revisionHistoryLimit"),
    ("spec", "paused"), ("spec", "restartPolicy"), ("spec", "maxUnavailable"), ("spec", "completions"),
    ("spec", "parallelism"), ("spec", "nodeName"), ("spec", "podManagementPolicy"), ("status",), ("count",),
]  # fmt: skip


@st.composite
def broken_objects(draw):
    obj = copy.deepcopy(draw(st.sampled_from(OBJECTS)))
    for _ in range(draw(st.integers(1, 3))):
        *way, last = draw(st.sampled_from([*places(obj), *EXTRA]))
        holder = obj
        for step in way:
            try:
                holder = holder[step]
            except (KeyError, IndexError, TypeError):
                break
        if isinstance(holder, dict) or (isinstance(holder, list) and isinstance(last, int) and last < len(holder)):
            holder[last] = copy.deepcopy(draw(hostile))
    return obj


@settings(max_examples=250)
@given(broken_objects())
def test_whatever_is_sent_is_taken_or_refused_and_nothing_breaks(cluster, obj):
    resource = of_object(obj.get("apiVersion"), obj.get("kind"))
    if resource is None:
        return
    try:
        made = cluster.registry.create(resource, "shop" if resource.namespaced else "", obj, Options()).body
    except ApiError:
        return
    name, place = made["metadata"]["name"], made["metadata"].get("namespace", "")
    cluster.tick()
    cluster.advance(2)
    for kind, patch in (
        (STRATEGIC_PATCH, {"metadata": {"labels": {"a": "b"}}}),
        (MERGE_PATCH, {"spec": obj.get("spec")}),
    ):
        try:
            cluster.registry.patch(resource, place, name, kind, patch, Options(dry_run=True))
        except ApiError:
            continue
    stored = cluster.store.get(resource, place, name)
    if stored is not None:
        cluster.registry.patch(
            resource, place, name, JSON_PATCH, [{"op": "add", "path": "/metadata/finalizers", "value": []}], Options()
        )
        cluster.registry.delete(resource, place, name, {"gracePeriodSeconds": 0}, Options())
    cluster.advance(2)


@settings(max_examples=60)
@given(
    st.dictionaries(st.sampled_from(["preconditions", "propagationPolicy", "gracePeriodSeconds", "dryRun"]), hostile)
)
def test_delete_options_are_checked(cluster, body):
    cluster.registry.create(DEPLOYMENTS, "shop", deployment("gone"), Options())
    try:
        cluster.registry.delete(DEPLOYMENTS, "shop", "gone", body, Options(dry_run=True))
    except ApiError:
        pass
    finally:
        cluster.registry.delete(DEPLOYMENTS, "shop", "gone", {}, Options())


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from(["metadata", "deleteOptions", "kind", "apiVersion"]), hostile))
def test_evictions_are_checked(cluster, body):
    with pytest.raises(ApiError):
        cluster.registry.evict("shop", "nobody", body, Options())


def test_so_many_replicas_are_refused_here(cluster):
    with pytest.raises(ApiError, match="this stand-in runs at most 500"):
        cluster.registry.create(DEPLOYMENTS, "shop", deployment("many", replicas=501), Options())


def test_the_past_is_lived_through():
    first, second = deployment(), deployment(image=BETTER)
    for body in (first, second):
        body["metadata"]["namespace"] = "shop"
    stages = (Stage(5000, (namespace("shop"),)), Stage(4000, (first,)), Stage(2000, (second,)))
    spec = ClusterSpec("prod", {}, stages, lab_spec().images)
    now = 1_800_000_000.0
    cluster = Cluster(spec, lambda: now, random.Random(1))
    assert cluster.clock.now() == now
    made = sorted(rs["metadata"]["creationTimestamp"] for rs in cluster.store.list(REPLICA_SETS, "shop"))
    assert made == ["2027-01-15T06:53:20Z", "2027-01-15T07:26:40Z"]
    (web,) = cluster.store.list(DEPLOYMENTS, "shop")
    assert web["status"]["availableReplicas"] == 2
    assert web["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "2"


def test_a_scenario_happens_in_the_past_but_not_before_what_was_written():
    now = 1_800_000_000.0
    body = deployment()
    body["metadata"]["namespace"] = "shop"
    spec = ClusterSpec("prod", {}, (Stage(600, (namespace("shop"), body)),), lab_spec().images)
    cluster = Cluster(spec, lambda: now, random.Random(1))
    bigger = Scenario(patches=(Patch("deployments", "shop", "web", {"spec": {"replicas": 4}}),))
    cluster.play(bigger, ago=240)
    assert cluster.clock.now() == now
    (event,) = [e for e in cluster.store.list(EVENTS, "shop") if e["message"].endswith("from 2 to 4")]
    assert event["firstTimestamp"] == "2027-01-15T07:56:00Z"
    smaller = Scenario(patches=(Patch("deployments", "shop", "web", {"spec": {"replicas": 1}}),))
    cluster.play(smaller, ago=10_000)
    (event,) = [e for e in cluster.store.list(EVENTS, "shop") if e["message"].endswith("from 4 to 1")]
    assert event["firstTimestamp"] > "2027-01-15T07:56:00Z"


@pytest.mark.parametrize("seconds", [-1, 604_801])
def test_an_advance_has_bounds(cluster, seconds):
    with pytest.raises(ValueError, match="0 to 604800"):
        cluster.advance(seconds)


def test_every_served_type_is_known_to_the_client():
    from kubernetes.client import models

    assert all(hasattr(models, resource.client_model) for resource in SERVED)

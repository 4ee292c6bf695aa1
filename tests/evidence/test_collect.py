import base64
import time
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from bot.analysis.offers import RunbookOffer
from bot.analysis.rules import diagnose
from bot.clients.kubernetes import Kubernetes
from bot.domain.incident import Subject
from bot.evidence.collect import collect
from bot.redact import Redactor
from bot.runbooks.catalogue import load
from bot.sandbox.kubernetes import Fault
from tests.analysis.objects import alert, incident
from tests.evidence.conftest import eventually
from tests.evidence.objects import HOUR, NOW, at, pod, running, template

RUNBOOKS = Path(__file__).parents[2] / "runbooks"
CHECKOUT = Subject("prod", "prod", "shop", "Deployment", "checkout")


def about(kind: str, name: str, *, cluster: str = "prod", namespace: str = "shop") -> Subject:
    return Subject(cluster, cluster, namespace, kind, name)


def by_kind(items):
    return {item.kind: item for item in items}


async def broken_checkout(world):
    world.sandbox.play("prod", "break_checkout", ago=200)


async def test_a_rollout_to_an_image_that_nobody_pushed(world):
    await broken_checkout(world)
    items = await world.collect(CHECKOUT)
    assert [(item.id, item.kind) for item in items] == [
        ("E1", "workload"),
        ("E2", "pods"),
        ("E3", "events"),
        ("E4", "rollout"),
    ]
    assert {item.source for item in items} == {"kubernetes:prod"}
    assert {item.error for item in items} == {None}
    found = by_kind(items)
    assert found["workload"].query == "GET /apis/apps/v1/namespaces/shop/deployments/checkout"
    assert found["workload"].facts["desired"] == 3
    assert "ImagePullBackOff" in found["pods"].text
    assert "manifest unknown" in found["pods"].text
    assert "Failed to pull image" in found["events"].text
    rollout = found["rollout"].facts
    assert rollout["current"] == 4
    assert rollout["revisions"][0]["changes"][0] == {
        "path": "containers[checkout].image",
        "before": "registry.example/shop/checkout:4.17.3",
        "after": "registry.example/shop/checkout:4.18.0",
    }
    assert " before the alert)" in found["rollout"].text


async def test_a_crash_shows_in_the_log(world):
    world.sandbox.play("prod", "crash_cart", ago=0)
    await world.control("clock", cluster="prod", advance=30)

    async def crashed():
        items = by_kind(await world.collect(about("Deployment", "cart")))
        return (
            "CrashLoopBackOff" in items["pods"].text and 'key \\"pricing.currency\\" is missing' in items["logs"].text
        )

    await eventually(crashed)


async def test_a_healthy_workload_shows_its_running_logs(world):
    items = await world.collect(about("Deployment", "frontend"))
    logs = [item for item in items if item.kind == "logs"]
    assert len(logs) == 2
    assert all(item.facts["truncated"] and len(item.text) <= 6000 for item in logs)
    assert not [item for item in items if item.kind == "nodes"]


async def test_ids_go_on_from_the_first_number(world):
    items = await collect(
        CHECKOUT, world.prod, now=NOW, deadline_seconds=5, redactor=Redactor(), first_number=8, alert_started_at=NOW
    )
    assert [item.id for item in items] == [f"E{number}" for number in range(8, 8 + len(items))]
    assert {item.collected_at for item in items} == {NOW}


async def test_two_clusters_with_equal_names_are_told_apart(world):
    await broken_checkout(world)
    broken = await world.collect(CHECKOUT, world.prod)
    healthy = await world.collect(about("Deployment", "checkout", cluster="staging"), world.staging)
    assert "4.18.0" in by_kind(broken)["rollout"].text
    assert "4.18.0" not in by_kind(healthy)["rollout"].text
    assert {item.source for item in healthy} == {"kubernetes:staging"}
    with pytest.raises(ValueError, match="the subject is in cluster prod, the client in staging"):
        await world.collect(CHECKOUT, world.staging)


@pytest.mark.parametrize(
    ("resource", "kind", "sentence"),
    [
        (
            "events",
            "events",
            "may not list events in namespace shop of cluster prod: grant it the verb list on events with a Role",
        ),
        ("replicasets", "rollout", 'grant it the verb list on replicasets (apiGroup "apps") with a Role'),
        ("pods/log", "logs", "may not get pods/log in namespace shop"),
    ],
)
async def test_a_right_that_is_missing_is_one_item_that_says_so(world, resource, kind, sentence):
    world.sandbox.play("prod", "crash_cart", ago=30)
    await world.control("clock", cluster="prod", advance=20)
    await world.control("denials", identity="reader", resource=resource)
    items = await world.collect(about("Deployment", "cart"))
    failed = [item for item in items if item.error]
    assert [item.kind for item in failed] == [kind]
    assert sentence in failed[0].error
    assert failed[0].text == ""
    assert {item.kind for item in items} >= {"workload", "pods", "events", "rollout", "logs"}


async def test_without_pods_the_rest_is_still_there(world):
    await world.control("denials", identity="reader", verb="list", resource="pods")
    found = by_kind(await world.collect(CHECKOUT))
    assert "may not list pods in namespace shop" in found["pods"].error
    assert "may not list pods in namespace shop" in found["logs"].error
    assert found["events"].error is None
    assert found["rollout"].error is None


async def test_no_right_at_all(world):
    await world.control("denials", identity="reader", resource="deployments")
    (item,) = await world.collect(CHECKOUT)
    assert (item.id, item.kind) == ("E1", "workload")
    assert "identity reader may not get deployments in namespace shop of cluster prod" in item.error


async def test_what_hangs_is_said_at_the_deadline_and_the_rest_kept(world):
    world.sandbox.order(Fault("delay", resource="events", seconds=30, times=50))
    started = time.monotonic()
    found = by_kind(await world.collect(CHECKOUT, seconds=3))
    assert time.monotonic() - started < 20
    assert found["events"].error == (
        "the events did not arrive within 3 s from cluster prod: its API server is slow or does not answer"
    )
    assert found["pods"].error is None
    assert found["rollout"].error is None


async def test_one_log_that_hangs_does_not_take_the_others(world):
    world.sandbox.order(Fault("delay", resource="pods/log", seconds=30, times=1))
    logs = [item for item in await world.collect(about("Deployment", "frontend"), seconds=4) if item.kind == "logs"]
    assert len(logs) == 2
    (late,) = [item for item in logs if item.error]
    assert "is the pod's node up?" in late.error


async def test_a_cluster_that_hangs_is_said_at_the_deadline(world):
    world.sandbox.order(Fault("delay", seconds=30, times=50))
    started = time.monotonic()
    (item,) = await world.collect(CHECKOUT, seconds=0.5)
    assert time.monotonic() - started < 20
    assert "the subject was not found within 0.5 s in cluster prod" in item.error


async def test_a_cluster_that_is_down(world):
    await world.sandbox.stop()
    (item,) = await world.collect(CHECKOUT)
    assert "could not get deployments in namespace shop of cluster prod" in item.error
    assert "no connection" in item.error


async def test_a_cluster_that_is_not_configured():
    subject = Subject(None, "mars\n<!here>", "shop", "Deployment", "checkout")
    (item,) = await collect(subject, None, now=NOW, deadline_seconds=1, redactor=Redactor(), alert_started_at=NOW)
    assert "cluster 'mars <!here>' of the alert is not configured" in item.error
    (item,) = await collect(
        Subject(None, "", "", "", ""), None, now=NOW, deadline_seconds=1, redactor=Redactor(), alert_started_at=NOW
    )
    assert "does not say which cluster" in item.error


async def test_a_token_that_is_not_accepted(world, tmp_path):
    config = world.sandbox.kubeconfig()
    for user in config["users"]:
        user["user"]["token"] = "stale"
    (tmp_path / "stale").write_text(yaml.safe_dump(config))
    reader = Kubernetes.from_kubeconfig(str(tmp_path / "stale"), "prod-reader", cluster="prod", identity="reader")
    (item,) = await world.collect(CHECKOUT, reader)
    await reader.close()
    assert "does not accept the credentials of identity reader" in item.error


async def test_a_log_of_any_bytes_with_a_secret_in_it(world):
    secret = "-".join(("open", "sesame", "open", "sesame"))
    line = b"caf\xe9 login with " + secret.encode()
    image = "registry.example/shop/odd:1"
    behaviour = {"start_log": [{"base64": base64.b64encode(line).decode()}], "exits_after": 1, "exit_code": 1}
    await world.control("images", image=image, behaviour=behaviour)
    labels = {"app": "odd"}
    spec = {"containers": [{"name": "odd", "image": image}]}
    await world.apply(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "odd", "namespace": "shop"},
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": spec},
            },
        }
    )
    await world.control("clock", cluster="prod", advance=30)
    items = await world.collect(about("Deployment", "odd"), redactor=Redactor([secret]))
    assert "caf\ufffd login with [" in by_kind(items)["logs"].text
    assert secret not in repr(items)


async def test_secrets_are_taken_out_of_everything(world):
    secret = "-".join(("open", "sesame", "open", "sesame"))
    await world.apply(
        {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": "e1", "namespace": "shop"},
            "involvedObject": {"kind": "Deployment", "name": "checkout", "namespace": "shop"},
            "reason": "Odd",
            "message": ("x" * 330) + secret + ("y" * 600),
            "type": "Warning",
            "firstTimestamp": at(world.now()),
            "lastTimestamp": at(world.now()),
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {
                "name": "checkout",
                "namespace": "shop",
                "annotations": {"kubernetes.io/change-cause": ("x" * 1325) + secret + ("y" * 1000)},
            },
            "spec": {
                "template": {"spec": {"containers": [{"name": "checkout", "command": ["run", f"--key={secret}"]}]}}
            },
        },
    )
    await world.control("clock", cluster="prod", advance=5)
    items = await world.collect(CHECKOUT, redactor=Redactor([secret]))
    assert "--key=" in by_kind(items)["workload"].text
    assert "x" * 1325 in by_kind(items)["rollout"].facts["revisions"][0]["change_cause"]
    for fragment in (secret[:7], secret[-7:]):
        assert fragment not in repr(items)


async def test_nothing_is_written(world):
    await world.collect(CHECKOUT)
    assert {call.method for call in world.sandbox.calls} == {"GET"}
    assert len(world.sandbox.calls) < 30


async def test_a_pod_that_no_node_takes_brings_the_nodes(canned):
    unschedulable = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes"}
    pending = pod(
        "import",
        phase="Pending",
        node=None,
        spec={"nodeSelector": {"disk": "ssd"}},
        status={"containerStatuses": [], "conditions": [unschedulable]},
    )
    objects = {
        "/api/v1/namespaces/shop/pods/import": pending,
        "/api/v1/nodes": [{"metadata": {"name": "node-1", "labels": {"disk": "hdd"}}}],
        "/api/v1/namespaces/shop/events": [],
    }
    async with canned(objects) as reader:
        items = await collect(
            about("Pod", "import"), reader, now=NOW, deadline_seconds=5, redactor=Redactor(), alert_started_at=NOW
        )
    assert [item.kind for item in items] == ["workload", "pods", "events", "nodes"]
    assert "label disk=ssd: 0 of 1 have it" in by_kind(items)["nodes"].text


async def test_a_stateful_set_has_its_history_in_controller_revisions(canned):
    owner = {"kind": "StatefulSet", "name": "db", "uid": "u1", "controller": True}
    base = "/apis/apps/v1/namespaces/shop"

    def revision(number, image):
        return {
            "metadata": {"name": f"db-{number}", "creationTimestamp": at(NOW - HOUR), "ownerReferences": [owner]},
            "revision": number,
            "data": {"spec": {"template": template(image)}},
        }

    foreign = revision(9, "example/other:9")
    foreign["metadata"]["ownerReferences"][0] = {**owner, "uid": "another"}
    stateful_set = {
        "metadata": {"name": "db", "namespace": "shop", "uid": "u1"},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "db"}}, "template": template("example/db:2")},
        "status": {"updateRevision": "db-2"},
    }
    objects = {
        f"{base}/statefulsets/db": stateful_set,
        f"{base}/controllerrevisions": [revision(1, "example/db:1"), revision(2, "example/db:2"), foreign],
        "/api/v1/namespaces/shop/pods": [pod("db-0", running(restarts=1), owner=owner), pod("stray")],
        "/api/v1/namespaces/shop/pods/db-0/log": b"ready\n",
        "/api/v1/namespaces/shop/events": [],
    }
    async with canned(objects) as reader:
        found = by_kind(
            await collect(
                about("StatefulSet", "db"),
                reader,
                now=NOW,
                deadline_seconds=5,
                redactor=Redactor(),
                alert_started_at=NOW,
            )
        )
    assert [one["revision"] for one in found["rollout"].facts["revisions"]] == [2, 1]
    assert found["pods"].facts["total"] == 1
    assert found["logs"].text == "ready"


@pytest.mark.parametrize(
    ("kind", "runbook", "parameter"),
    [
        ("StatefulSet", "rollback-stateful-set", "stateful_set"),
        ("DaemonSet", "rollback-daemon-set", "daemon_set"),
    ],
)
async def test_a_broken_release_of_a_set_leads_the_rules_to_its_rollback(world, kind, runbook, parameter):
    def agent(image):
        spec = {"selector": {"matchLabels": {"app": "agent"}}, "template": template(image)}
        spec["template"]["metadata"] = {"labels": {"app": "agent"}}
        own = {"serviceName": "agent", "replicas": 3} if kind == "StatefulSet" else {}
        meta = {"name": "agent", "namespace": "shop"}
        return {"apiVersion": "apps/v1", "kind": kind, "metadata": meta, "spec": {**spec, **own}}

    await world.apply(agent("example/agent:1"))
    await world.control("clock", cluster="prod", advance=60)
    await world.control("images", image="example/agent:2", behaviour={"pull_error": "manifest unknown"})
    await world.apply(agent("example/agent:2"))
    await world.control("clock", cluster="prod", advance=60)
    subject = about(kind, "agent")
    items = await world.collect(subject)
    assert [one["revision"] for one in by_kind(items)["rollout"].facts["revisions"]] == [2, 1]
    firing = replace(alert(), starts_at=world.now())
    offers = [RunbookOffer.of(each) for each in load(RUNBOOKS).runbooks.values()]
    found = diagnose(replace(incident(), subject=subject), [firing], items, offers)
    assert "while pods of the revision before are ready" in found.causes[0].statement
    assert [(each.runbook, dict(each.parameters)) for each in found.proposals] == [
        (runbook, {"namespace": "shop", parameter: "agent"})
    ]


async def test_objects_that_make_no_sense_are_an_item_and_no_crash(canned):
    objects = {
        "/apis/apps/v1/namespaces/shop/deployments/checkout": {
            "metadata": {"name": "checkout"},
            "spec": {"replicas": "x"},
        },
        "/apis/apps/v1/namespaces/shop/replicasets": [],
        "/api/v1/namespaces/shop/pods": [],
        "/api/v1/namespaces/shop/events": [],
    }
    async with canned(objects) as reader:
        items = await collect(CHECKOUT, reader, now=NOW, deadline_seconds=5, redactor=Redactor(), alert_started_at=NOW)
    assert "could not be understood" in by_kind(items)["workload"].error
    assert by_kind(items)["events"].error is None

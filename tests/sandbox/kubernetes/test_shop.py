"""The shop over the wire: a past that was lived, the bad rollout, and the rollback that heals it."""

import kubernetes
import pytest

from bot.sandbox.kubernetes import shop
from tests.sandbox.kubernetes.conftest import Background, error

REVISION = "deployment.kubernetes.io/revision"


@pytest.fixture(scope="module")
def background():
    running = Background(*shop.clusters())
    yield running
    running.stop()


@pytest.fixture
def broken(run):
    running = run(*shop.clusters())
    running.run(running.sandbox.play, "prod", "break_checkout", 300)
    return running


def apps(background, context):
    return kubernetes.client.AppsV1Api(background.client(context))


def core(background, context):
    return kubernetes.client.CoreV1Api(background.client(context))


def checkout(background, context="prod-reader"):
    return apps(background, context).read_namespaced_deployment("checkout", "shop")


def test_the_shop_is_open(background):
    found = apps(background, "prod-reader").list_namespaced_deployment("shop").items
    assert {d.metadata.name: (d.status.available_replicas, d.spec.replicas) for d in found} == {
        "frontend": (3, 3),
        "cart": (3, 3),
        "checkout": (3, 3),
    }
    assert all(c.status == "True" for d in found for c in d.status.conditions)


def test_checkout_has_a_history(background):
    sets = apps(background, "prod-reader").list_namespaced_replica_set("shop", label_selector="app=checkout").items
    history = {
        int(rs.metadata.annotations[REVISION]): (
            rs.spec.template.spec.containers[0].image.rpartition(":")[2],
            rs.metadata.annotations["kubernetes.io/change-cause"],
        )
        for rs in sets
    }
    assert history == {
        1: ("4.16.9", "release 4.16.9"),
        2: ("4.17.2", "release 4.17.2"),
        3: ("4.17.3", "release 4.17.3"),
    }
    made = [
        rs.metadata.creation_timestamp for rs in sorted(sets, key=lambda rs: int(rs.metadata.annotations[REVISION]))
    ]
    assert (made[1] - made[0]).days == 12


def test_the_namesake_is_another_object(background):
    prod, staging = checkout(background), checkout(background, "staging-reader")
    assert prod.metadata.uid != staging.metadata.uid
    assert (prod.spec.replicas, staging.spec.replicas) == (3, 1)


@pytest.mark.parametrize("name", ["frontend", "cart", "checkout"])
def test_everything_writes_logs(background, name):
    client = core(background, "prod-reader")
    pod = client.list_namespaced_pod("shop", label_selector=f"app={name}").items[0].metadata.name
    assert client.read_namespaced_pod_log(pod, "shop", tail_lines=20).count("\n") == 20


def test_the_reader_reads_and_the_runner_runs(background):
    body = {"spec": {"replicas": 4}}
    reader, runner = apps(background, "prod-reader"), apps(background, "prod-runner")
    assert error(reader.patch_namespaced_deployment, "checkout", "shop", body).status == 403
    assert runner.patch_namespaced_deployment("checkout", "shop", body, dry_run="All").spec.replicas == 4
    assert error(core(background, "prod-runner").list_namespaced_event, "shop").status == 403


def test_a_bad_release_sticks(broken):
    stuck = checkout(broken)
    assert stuck.metadata.annotations[REVISION] == "4"
    assert stuck.metadata.annotations["kubernetes.io/change-cause"] == "release 4.18.0"
    assert (stuck.status.updated_replicas, stuck.status.available_replicas, stuck.status.replicas) == (2, 2, 4)
    pods = core(broken, "prod-reader").list_namespaced_pod("shop", label_selector="app=checkout").items
    waiting = [p.status.container_statuses[0].state.waiting for p in pods if p.status.phase == "Pending"]
    assert [w.reason for w in waiting] == ["ImagePullBackOff"] * 2
    assert all("manifest unknown" in w.message for w in waiting)
    events = core(broken, "prod-reader").list_namespaced_event("shop", field_selector="type=Warning").items
    assert any("manifest unknown" in e.message and e.count > 2 for e in events)
    assert checkout(broken, "staging-reader").status.available_replicas == 1


def test_a_rollback_heals(broken):
    client = apps(broken, "prod-runner")
    sets = client.list_namespaced_replica_set("shop", label_selector="app=checkout").items
    before = next(rs for rs in sets if rs.metadata.annotations[REVISION] == "3")
    template = client.api_client.sanitize_for_serialization(before.spec.template)
    del template["metadata"]["labels"]["pod-template-hash"]
    operations = [{"op": "replace", "path": "/spec/template", "value": template}]
    client.patch_namespaced_deployment("checkout", "shop", operations)
    broken.advance("prod", 30)
    healed = checkout(broken)
    assert healed.metadata.annotations[REVISION] == "5"
    assert (healed.status.updated_replicas, healed.status.available_replicas, healed.status.replicas) == (3, 3, 3)
    assert healed.spec.template.spec.containers[0].image == shop.GOOD_IMAGE


def test_the_missing_tag_may_be_pushed(broken):
    broken.run(broken.sandbox.play, "prod", "fix_checkout")
    broken.advance("prod", 320)
    assert checkout(broken).status.available_replicas == 3


@pytest.mark.parametrize(
    ("scenario", "name", "reason"),
    [("crash_cart", "cart", "Error"), ("leak_frontend", "frontend", "OOMKilled")],
)
def test_other_bad_days(run, scenario, name, reason):
    running = run(*shop.clusters()[:1])
    running.run(running.sandbox.play, "prod", scenario, 300)
    running.advance("prod", 60)
    pods = core(running, "prod-reader").list_namespaced_pod("shop", label_selector=f"app={name}").items
    states = [p.status.container_statuses[0].last_state.terminated for p in pods]
    assert reason in {state.reason for state in states if state}

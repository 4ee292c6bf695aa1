import kubernetes
import pytest

from tests.sandbox.kubernetes.conftest import BETTER, BROKEN, GOOD, deployment, error, lab_spec


@pytest.fixture
def db(api):
    body = deployment("db", replicas=3)
    body["kind"] = "StatefulSet"
    body["spec"]["serviceName"] = "db"
    api.apps.create_namespaced_stateful_set(api.namespace, body)
    settled(api)
    return api


def settled(api):
    def probe():
        s = api.apps.read_namespaced_stateful_set("db", api.namespace)
        done = s.status.observed_generation == s.metadata.generation
        return done and s.status.update_revision == s.status.current_revision and s.status.ready_replicas == 3 and s

    return api.eventually(probe)


def set_image(api, image):
    body = {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": image}]}}}}
    return api.apps.patch_namespaced_stateful_set("db", api.namespace, body)


def pods(api):
    return {p.metadata.name: p for p in api.core.list_namespaced_pod(api.namespace).items}


def images(api):
    """The image of each of the three pods, None for one that is away."""
    found = pods(api)
    return [found[name].spec.containers[0].image if name in found else None for name in ("db-0", "db-1", "db-2")]


def test_pods_have_numbers_and_come_in_order(db):
    found = pods(db)
    assert sorted(found) == ["db-0", "db-1", "db-2"]
    started = [found[name].metadata.creation_timestamp for name in sorted(found)]
    assert started == sorted(started)
    assert found["db-1"].metadata.labels["statefulset.kubernetes.io/pod-name"] == "db-1"


def test_an_update_goes_from_the_last_to_the_first(db):
    set_image(db, BETTER)

    def probe():
        now = images(db)
        assert now[0] == GOOD or now[2] == BETTER
        return now == [BETTER] * 3

    db.eventually(probe)
    settled(db)


def test_a_broken_update_stops_at_its_first_pod(db):
    set_image(db, BROKEN)
    db.eventually(lambda: images(db) == [GOOD, GOOD, BROKEN])
    status = db.eventually(
        lambda: (s := db.apps.read_namespaced_stateful_set("db", db.namespace).status).ready_replicas == 2 and s
    )
    assert (status.updated_replicas, status.replicas) == (1, 3)
    assert images(db) == [GOOD, GOOD, BROKEN]


def test_a_pod_before_the_partition_comes_back_with_the_template_it_had(db):
    rolling = {"updateStrategy": {"rollingUpdate": {"partition": 1}}}
    db.apps.patch_namespaced_stateful_set("db", db.namespace, {"spec": rolling})
    set_image(db, BETTER)
    db.eventually(lambda: images(db) == [GOOD, BETTER, BETTER])
    db.eventually(lambda: db.apps.read_namespaced_stateful_set("db", db.namespace).status.ready_replicas == 3)
    before = pods(db)["db-0"].metadata
    db.core.delete_namespaced_pod("db-0", db.namespace)
    db.eventually(lambda: (now := pods(db).get("db-0")) and now.metadata.uid != before.uid)
    assert images(db) == [GOOD, BETTER, BETTER]
    assert pods(db)["db-0"].metadata.labels["controller-revision-hash"] == before.labels["controller-revision-hash"]


def test_a_smaller_set_loses_its_last_pods(db):
    db.apps.patch_namespaced_stateful_set_scale("db", db.namespace, {"spec": {"replicas": 1}})
    db.eventually(lambda: list(pods(db)) == ["db-0"])


def test_most_of_its_spec_is_fixed(db):
    refused = error(db.apps.patch_namespaced_stateful_set, "db", db.namespace, {"spec": {"serviceName": "other"}})
    assert refused.status == 422


def test_a_pod_that_does_not_start_keeps_the_next_one_waiting(run):
    background = run(lab_spec())
    body = deployment("db", image=BROKEN, replicas=3)
    body |= {"kind": "StatefulSet"}
    client = background.client("prod-admin")
    kubernetes.client.AppsV1Api(client).create_namespaced_stateful_set("shop", body)
    background.advance("prod", 60)
    pods = kubernetes.client.CoreV1Api(client).list_namespaced_pod("shop").items
    assert [p.metadata.name for p in pods] == ["db-0"]


def test_under_on_delete_a_new_template_waits_and_the_rollout_is_never_over(db):
    body = {"spec": {"updateStrategy": {"type": "OnDelete"}}}
    refused = error(db.apps.patch_namespaced_stateful_set, "db", db.namespace, body)
    assert (refused.status, "only allowed for updateStrategy 'RollingUpdate'" in refused.body) == (422, True)
    body["spec"]["updateStrategy"]["rollingUpdate"] = None
    db.apps.patch_namespaced_stateful_set("db", db.namespace, body)
    set_image(db, BETTER)
    for name in ("db-0", "db-1", "db-2"):
        uid = pods(db)[name].metadata.uid
        db.core.delete_namespaced_pod(name, db.namespace)
        db.eventually(lambda name=name, uid=uid: (now := pods(db).get(name)) and now.metadata.uid != uid)
    status = db.eventually(
        lambda: (s := db.apps.read_namespaced_stateful_set("db", db.namespace).status).ready_replicas == 3 and s
    )
    assert status.updated_replicas == 3
    assert status.current_revision != status.update_revision

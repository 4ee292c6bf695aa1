import pytest

from tests.sandbox.kubernetes.conftest import BETTER, BROKEN, GOOD, deployment, lab_spec

REVISION = "deployment.kubernetes.io/revision"


@pytest.fixture
def web(api):
    body = deployment(replicas=3, strategy={"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 1}})
    body["metadata"]["annotations"] = {"kubernetes.io/change-cause": "first"}
    api.apps.create_namespaced_deployment(api.namespace, body)
    return api.settled("web")


def set_image(api, image, **annotations):
    body = {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": image}]}}}}
    if annotations:
        body["metadata"] = {"annotations": {"kubernetes.io/change-cause": annotations["cause"]}}
    return api.apps.patch_namespaced_deployment("web", api.namespace, body)


def sets(api):
    """The ReplicaSets by image."""
    found = api.apps.list_namespaced_replica_set(api.namespace, label_selector="app=web").items
    return {rs.spec.template.spec.containers[0].image: rs for rs in found}


def conditions(d):
    return {c.type: (c.status, c.reason) for c in d.status.conditions}


def pods(api):
    return api.core.list_namespaced_pod(api.namespace, label_selector="app=web").items


def test_a_deployment_owns_a_set_that_owns_pods(api, web):
    (rs,) = sets(api).values()
    digest = rs.metadata.labels["pod-template-hash"]
    assert rs.metadata.name == f"web-{digest}"
    assert rs.spec.selector.match_labels == {"app": "web", "pod-template-hash": digest}
    assert [(o.kind, o.uid, o.controller) for o in rs.metadata.owner_references] == [
        ("Deployment", web.metadata.uid, True)
    ]
    assert web.metadata.annotations[REVISION] == rs.metadata.annotations[REVISION] == "1"
    assert rs.metadata.annotations["kubernetes.io/change-cause"] == "first"
    assert {p.metadata.owner_references[0].uid for p in pods(api)} == {rs.metadata.uid}
    assert {p.metadata.labels["pod-template-hash"] for p in pods(api)} == {digest}
    status = conditions(web)
    assert status["Available"] == ("True", "MinimumReplicasAvailable")
    assert status["Progressing"] == ("True", "NewReplicaSetAvailable")


def test_a_new_image_rolls_out_within_its_bounds(api, web):
    set_image(api, BETTER, cause="second")

    def probe():
        alive = [p for p in pods(api) if not p.metadata.deletion_timestamp]
        d = api.apps.read_namespaced_deployment("web", api.namespace)
        assert sum(rs.spec.replicas for rs in sets(api).values()) <= 4, "three and one surge"
        assert len(alive) <= 4
        done = d.status.observed_generation == d.metadata.generation and d.status.updated_replicas == 3
        return done and d.status.replicas == 3 and not d.status.unavailable_replicas

    api.eventually(probe)
    assert (sets(api)[GOOD].spec.replicas, sets(api)[BETTER].spec.replicas) == (0, 3)
    assert sets(api)[BETTER].metadata.annotations[REVISION] == "2"
    assert sets(api)[BETTER].metadata.annotations["kubernetes.io/change-cause"] == "second"
    assert sets(api)[GOOD].metadata.annotations["kubernetes.io/change-cause"] == "first"


def test_a_broken_image_sticks_and_a_rollback_heals(api, web):
    good = sets(api)[GOOD]
    set_image(api, BROKEN)

    def waiting():
        return [
            s.state.waiting.reason
            for p in pods(api)
            for s in p.status.container_statuses or []
            if s.state.waiting and s.state.waiting.reason in ("ErrImagePull", "ImagePullBackOff")
        ]

    api.eventually(lambda: len(waiting()) == 2, "two pods that cannot pull")
    stuck = api.apps.read_namespaced_deployment("web", api.namespace)
    assert (stuck.status.replicas, stuck.status.updated_replicas, stuck.status.available_replicas) == (4, 2, 2)
    assert stuck.status.unavailable_replicas == 2
    assert conditions(stuck)["Available"][0] == "True"
    assert stuck.metadata.annotations[REVISION] == "2"

    template = api.client.sanitize_for_serialization(good.spec.template)
    del template["metadata"]["labels"]["pod-template-hash"]
    operations = [{"op": "replace", "path": "/spec/template", "value": template}]
    api.apps.patch_namespaced_deployment("web", api.namespace, operations)
    healed = api.settled("web")
    assert healed.metadata.annotations[REVISION] == "3"
    assert sets(api)[GOOD].metadata.uid == good.metadata.uid, "the old set is used again"
    assert sets(api)[GOOD].metadata.annotations[REVISION] == "3"
    assert sets(api)[GOOD].metadata.annotations["deployment.kubernetes.io/revision-history"] == "1"
    api.eventually(lambda: sets(api)[BROKEN].status.replicas == 0)


def test_a_restart_is_a_new_set_with_the_same_image(api, web):
    before = {p.metadata.uid for p in pods(api)}
    stamp = {"kubectl.kubernetes.io/restartedAt": "2026-11-21T10:00:00Z"}
    api.apps.patch_namespaced_deployment(
        "web", api.namespace, {"spec": {"template": {"metadata": {"annotations": stamp}}}}
    )
    api.settled("web")
    assert len(api.apps.list_namespaced_replica_set(api.namespace).items) == 2
    api.eventually(lambda: not before & {p.metadata.uid for p in pods(api)})


def test_scaling_tells_events(api, web):
    api.apps.patch_namespaced_deployment("web", api.namespace, {"spec": {"replicas": 5}})
    assert api.settled("web").status.replicas == 5
    api.apps.patch_namespaced_deployment("web", api.namespace, {"spec": {"replicas": 0}})
    api.eventually(lambda: not pods(api))
    found = api.core.list_namespaced_event(
        api.namespace, field_selector="involvedObject.kind=Deployment,reason=ScalingReplicaSet"
    )
    messages = [e.message for e in found.items]
    name = sets(api)[GOOD].metadata.name
    assert f"Scaled up replica set {name} from 3 to 5" in messages
    assert f"Scaled down replica set {name} from 5 to 0" in messages
    assert all(e.count >= 1 and e.first_timestamp <= e.last_timestamp for e in found.items)


def test_a_paused_rollout_waits(api, web):
    api.apps.patch_namespaced_deployment("web", api.namespace, {"spec": {"paused": True}})
    changed = set_image(api, BETTER)
    paused = api.eventually(
        lambda: (
            (d := api.apps.read_namespaced_deployment("web", api.namespace)).status.observed_generation
            == changed.metadata.generation
            and d
        )
    )
    assert conditions(paused)["Progressing"] == ("Unknown", "DeploymentPaused")
    assert set(sets(api)) == {GOOD}
    api.apps.patch_namespaced_deployment("web", api.namespace, {"spec": {"paused": None}})
    api.settled("web")
    api.eventually(lambda: BETTER in sets(api))


def test_recreate_ends_all_old_pods_first(api):
    api.apps.create_namespaced_deployment(api.namespace, deployment(strategy={"type": "Recreate"}))
    api.settled("web")
    set_image(api, BETTER)

    def probe():
        images = {p.spec.containers[0].image for p in pods(api)}
        assert len(images) <= 1, "never both at once"
        return images == {BETTER}

    api.eventually(probe)
    api.settled("web")


def test_old_sets_are_kept_up_to_the_limit(api, web):
    api.apps.patch_namespaced_deployment("web", api.namespace, {"spec": {"revisionHistoryLimit": 1}})
    for number in range(3):
        body = {"spec": {"template": {"metadata": {"annotations": {"n": str(number)}}}}}
        api.apps.patch_namespaced_deployment("web", api.namespace, body)
        api.settled("web")
    api.eventually(lambda: len(api.apps.list_namespaced_replica_set(api.namespace).items) == 2)


def test_a_rollout_that_does_not_move_misses_its_deadline(run):
    import kubernetes

    background = run(lab_spec())
    apps = kubernetes.client.AppsV1Api(background.client("prod-admin"))
    apps.create_namespaced_deployment("shop", deployment(image=BROKEN, progressDeadlineSeconds=30))
    background.advance("prod", 25)
    status = conditions(apps.read_namespaced_deployment("web", "shop"))
    assert status["Progressing"][0] == "True"
    assert status["Available"] == ("False", "MinimumReplicasUnavailable")
    background.advance("prod", 10)
    late = apps.read_namespaced_deployment("web", "shop")
    assert conditions(late)["Progressing"] == ("False", "ProgressDeadlineExceeded")
    assert late.status.conditions[-1].message.endswith("has timed out progressing.")


def test_a_change_of_size_in_mid_rollout_is_spread(run):
    import kubernetes

    background = run(lab_spec())
    apps = kubernetes.client.AppsV1Api(background.client("prod-admin"))
    body = deployment(replicas=10, strategy={"rollingUpdate": {"maxSurge": 3, "maxUnavailable": 2}})
    apps.create_namespaced_deployment("shop", body)
    background.advance("prod", 30)
    apps.patch_namespaced_deployment(
        "web", "shop", {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": BROKEN}]}}}}
    )
    background.advance("prod", 30)

    def sizes():
        found = apps.list_namespaced_replica_set("shop").items
        return {rs.spec.template.spec.containers[0].image: rs.spec.replicas for rs in found}

    assert sizes() == {GOOD: 8, BROKEN: 5}
    apps.patch_namespaced_deployment_scale("web", "shop", {"spec": {"replicas": 15}})
    background.advance("prod", 30)
    assert sizes() == {GOOD: 11, BROKEN: 7}, "the example of the Kubernetes documentation, Proportional scaling"

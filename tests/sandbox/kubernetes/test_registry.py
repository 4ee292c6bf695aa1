"""Writes over the wire with the official client; most of it holds for a real cluster just the same."""

import kubernetes
import pytest

from tests.sandbox.kubernetes.conftest import BETTER, GOOD, deployment, error

STRATEGIC = "application/strategic-merge-patch+json"
MERGE = "application/merge-patch+json"


@pytest.fixture
def web(api):
    api.apps.create_namespaced_deployment(api.namespace, deployment())
    return api.settled("web")


def patch_as(api, content_type, body):
    """A PATCH with a content type of our choice; the client picks its own otherwise."""
    return api.apps.patch_namespaced_deployment("web", api.namespace, body, _content_type=content_type)


def test_a_new_object_gets_what_the_server_writes(api):
    made = api.apps.create_namespaced_deployment(api.namespace, deployment())
    meta = made.metadata
    assert meta.uid
    assert int(meta.resource_version)
    assert meta.generation == 1
    assert meta.creation_timestamp.tzinfo is not None
    assert meta.managed_fields
    assert made.spec.strategy.rolling_update.max_surge == "25%"
    assert made.spec.progress_deadline_seconds == 600
    assert made.spec.template.spec.containers[0].image_pull_policy == "IfNotPresent"


def test_names_are_taken_once(api, web):
    refused = error(api.apps.create_namespaced_deployment, api.namespace, deployment())
    assert (refused.status, refused.status_body["reason"]) == (409, "AlreadyExists")
    assert refused.status_body["message"] == 'deployments.apps "web" already exists'


def test_what_is_not_there_is_404(api):
    refused = error(api.apps.read_namespaced_deployment, "nope", api.namespace)
    assert (refused.status, refused.status_body["reason"]) == (404, "NotFound")
    assert refused.status_body["message"] == 'deployments.apps "nope" not found'
    assert refused.status_body["details"] == {"name": "nope", "group": "apps", "kind": "deployments"}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(
            lambda api, **o: api.apps.create_namespaced_deployment(api.namespace, deployment("new"), **o), id="create"
        ),
        pytest.param(
            lambda api, **o: api.apps.patch_namespaced_deployment("web", api.namespace, {"spec": {"replicas": 9}}, **o),
            id="patch",
        ),
        pytest.param(
            lambda api, **o: api.apps.patch_namespaced_deployment_scale(
                "web", api.namespace, {"spec": {"replicas": 9}}, **o
            ),
            id="scale",
        ),
        pytest.param(
            lambda api, **o: api.apps.replace_namespaced_deployment(
                "web", api.namespace, deployment(image=BETTER), **o
            ),
            id="replace",
        ),
        pytest.param(lambda api, **o: api.apps.delete_namespaced_deployment("web", api.namespace, **o), id="delete"),
        pytest.param(
            lambda api, **o: api.core.delete_namespaced_pod(
                api.core.list_namespaced_pod(api.namespace).items[0].metadata.name, api.namespace, **o
            ),
            id="delete pod",
        ),
    ],
)
def test_a_dry_run_changes_nothing(api, web, change):
    def world():
        deployments = api.apps.list_namespaced_deployment(api.namespace)
        sets = api.apps.list_namespaced_replica_set(api.namespace)
        pods = api.core.list_namespaced_pod(api.namespace)
        return [
            (o.metadata.name, o.metadata.uid, o.metadata.resource_version, o.metadata.deletion_timestamp)
            for o in [*deployments.items, *sets.items, *pods.items]
        ]

    before = world()
    change(api, dry_run="All")
    assert world() == before


def test_a_dry_run_answers_what_would_be(api, web):
    body = {"spec": {"replicas": 5}}
    answer = api.apps.patch_namespaced_deployment("web", api.namespace, body, dry_run="All", field_manager="signoff")
    assert answer.spec.replicas == 5
    assert answer.metadata.generation == web.metadata.generation + 1
    assert answer.metadata.uid == web.metadata.uid


def test_a_dry_run_is_validated(api, web):
    refused = error(
        api.apps.patch_namespaced_deployment, "web", api.namespace, {"spec": {"replicas": -1}}, dry_run="All"
    )
    assert refused.status == 422


def test_the_generation_counts_changes_of_the_spec_and_of_a_deployments_annotations(api, web):
    start = web.metadata.generation
    patch = api.apps.patch_namespaced_deployment
    assert patch("web", api.namespace, {"metadata": {"labels": {"x": "y"}}}).metadata.generation == start
    assert patch("web", api.namespace, {"spec": {"minReadySeconds": 1}}).metadata.generation == start + 1
    assert patch("web", api.namespace, {"metadata": {"annotations": {"x": "y"}}}).metadata.generation == start + 2


def test_a_write_that_changes_nothing_is_none(api, web):
    current = api.apps.read_namespaced_deployment("web", api.namespace)
    again = api.apps.patch_namespaced_deployment("web", api.namespace, {"spec": {"replicas": 2}})
    assert again.metadata.resource_version == current.metadata.resource_version


@pytest.mark.parametrize("content_type", [STRATEGIC, MERGE])
def test_a_stale_resource_version_in_a_patch_is_a_conflict(api, web, content_type):
    stale = api.apps.read_namespaced_deployment("web", api.namespace).metadata.resource_version
    api.apps.patch_namespaced_deployment("web", api.namespace, {"metadata": {"labels": {"moved": "on"}}})
    body = {"metadata": {"resourceVersion": stale}, "spec": {"replicas": 3}}
    refused = error(patch_as, api, content_type, body)
    assert (refused.status, refused.status_body["reason"]) == (409, "Conflict")
    assert refused.status_body["message"] == (
        'Operation cannot be fulfilled on deployments.apps "web": the object has been modified; please apply your '
        "changes to the latest version and try again"
    )
    assert api.apps.read_namespaced_deployment("web", api.namespace).spec.replicas == 2


def test_a_current_resource_version_in_a_patch_is_accepted(api, web):
    def attempt():
        current = api.apps.read_namespaced_deployment("web", api.namespace).metadata.resource_version
        body = {"metadata": {"resourceVersion": current}, "spec": {"replicas": 3}}
        return api.apps.patch_namespaced_deployment("web", api.namespace, body).spec.replicas

    assert attempt() == 3


def test_a_stale_put_is_a_conflict(api, web):
    mine = api.apps.read_namespaced_deployment("web", api.namespace)
    api.apps.patch_namespaced_deployment("web", api.namespace, {"metadata": {"labels": {"moved": "on"}}})
    mine.spec.replicas = 3
    assert error(api.apps.replace_namespaced_deployment, "web", api.namespace, mine).status == 409


def test_another_uid_is_refused(api, web):
    body = {"metadata": {"uid": "8c1b7e6e-7a44-4a4e-8f0e-000000000000"}, "spec": {"replicas": 3}}
    assert error(api.apps.patch_namespaced_deployment, "web", api.namespace, body).status in (409, 422)


def test_a_strategic_merge_by_container_name_keeps_the_sidecar(api, web):
    body = {
        "spec": {
            "template": {
                "spec": {"containers": [{"name": "app", "image": BETTER, "env": [{"name": "B", "value": "2"}]}]}
            }
        }
    }
    changed = api.apps.patch_namespaced_deployment("web", api.namespace, body)
    containers = {c.name: c for c in changed.spec.template.spec.containers}
    assert containers["app"].image == BETTER
    assert {e.name for e in containers["app"].env} == {"A", "B"}
    assert containers["sidecar"].image == GOOD


def test_a_merge_patch_replaces_the_list(api, web):
    body = {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": BETTER}]}}}}
    changed = patch_as(api, MERGE, body)
    assert [c.name for c in changed.spec.template.spec.containers] == ["app"]


def test_a_json_patch_is_all_or_nothing(api, web):
    path = "/spec/template/spec/containers/0/image"
    operations = [
        {"op": "replace", "path": path, "value": BETTER},
        {"op": "test", "path": "/spec/replicas", "value": 17},
    ]
    refused = error(api.apps.patch_namespaced_deployment, "web", api.namespace, operations)
    assert (refused.status, refused.status_body["reason"]) == (422, "Invalid")
    current = api.apps.read_namespaced_deployment("web", api.namespace)
    assert current.spec.template.spec.containers[0].image == GOOD
    operations[1]["value"] = 2
    changed = api.apps.patch_namespaced_deployment("web", api.namespace, operations)
    assert changed.spec.template.spec.containers[0].image == BETTER


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"spec": {"replicas": -1}}, "spec.replicas"),
        ({"spec": {"selector": {"matchLabels": {"app": "other"}}}}, "spec.selector"),
        ({"spec": {"template": {"metadata": {"labels": {"app": "other"}}}}}, "spec.template.metadata.labels"),
        ({"spec": {"template": {"spec": {"containers": None}}}}, "spec.template.spec.containers"),
        (
            {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": ""}]}}}},
            "spec.template.spec.containers[0].image",
        ),
        (
            {"spec": {"template": {"spec": {"containers": [{"name": "UPPER", "image": GOOD}]}}}},
            "spec.template.spec.containers[0].name",
        ),
        ({"spec": {"template": {"spec": {"restartPolicy": "Never"}}}}, "spec.template.spec.restartPolicy"),
        (
            {"spec": {"strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}}},
            "spec.strategy.rollingUpdate.maxUnavailable",
        ),
        ({"metadata": {"labels": {"x": "not a value!"}}}, "metadata.labels"),
    ],
)
def test_an_invalid_object_is_422_and_names_the_field(api, web, body, field):
    refused = error(api.apps.patch_namespaced_deployment, "web", api.namespace, body)
    assert (refused.status, refused.status_body["reason"]) == (422, "Invalid")
    assert field in [cause["field"] for cause in refused.status_body["details"]["causes"]]
    assert refused.status_body["message"].startswith('Deployment.apps "web" is invalid: ')


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"apiVersion": "apps/v1beta1"}, 400),
        ({"kind": "StatefulSet"}, 400),
        ({"metadata": {"name": "other"}}, 400),
        ({"metadata": {"namespace": "kube-system"}}, 400),
        ({"spec": {"replicas": "three"}}, 422),
    ],
)
def test_a_patch_into_something_else_is_refused(api, web, change, status):
    assert error(api.apps.patch_namespaced_deployment, "web", api.namespace, change).status == status


def test_an_unknown_field_is_dropped_with_a_warning_or_refused(api, web):
    body = {"spec": {"replicaz": 3}}
    _, status, headers = api.apps.patch_namespaced_deployment_with_http_info("web", api.namespace, body)
    assert status == 200
    assert 'unknown field \\"spec.replicaz\\"' in headers["Warning"]
    refused = error(api.apps.patch_namespaced_deployment, "web", api.namespace, body, field_validation="Strict")
    assert refused.status == 422
    assert 'unknown field "spec.replicaz"' in refused.status_body["message"]


def test_an_unknown_patch_type_is_415(api, web):
    refused = error(patch_as, api, "application/apply-patch+json", {"spec": {}})
    assert refused.status == 415


def test_a_scale_is_read_and_written_through_its_own_object(api, web):
    scale = api.apps.read_namespaced_deployment_scale("web", api.namespace)
    assert (scale.kind, scale.spec.replicas, scale.status.selector) == ("Scale", 2, "app=web")
    changed = api.apps.patch_namespaced_deployment_scale("web", api.namespace, {"spec": {"replicas": 3}})
    assert changed.spec.replicas == 3
    assert api.settled("web").status.replicas == 3
    refused = error(api.apps.patch_namespaced_deployment_scale, "web", api.namespace, {"spec": {"replicas": -1}})
    assert refused.status == 422
    stale = {"metadata": {"resourceVersion": scale.metadata.resource_version}, "spec": {"replicas": 1}}
    assert error(api.apps.patch_namespaced_deployment_scale, "web", api.namespace, stale).status == 409


def test_the_field_manager_is_written_down(api, web):
    changed = api.apps.patch_namespaced_deployment(
        "web", api.namespace, {"spec": {"replicas": 3}}, field_manager="signoff"
    )
    mine = [entry for entry in changed.metadata.managed_fields if entry.manager == "signoff"]
    assert mine[0].operation == "Update"
    assert mine[0].fields_v1["f:spec"]["f:replicas"] == {}


@pytest.mark.parametrize(
    ("preconditions", "word"),
    [({"uid": "another"}, "UID"), ({"resourceVersion": "1"}, "ResourceVersion")],
)
def test_a_delete_keeps_its_preconditions(api, web, preconditions, word):
    options = kubernetes.client.V1DeleteOptions(
        preconditions=kubernetes.client.V1Preconditions(
            uid=preconditions.get("uid"), resource_version=preconditions.get("resourceVersion")
        )
    )
    refused = error(api.apps.delete_namespaced_deployment, "web", api.namespace, body=options)
    assert refused.status == 409
    assert f"the {word} in the precondition" in refused.status_body["message"]
    assert api.apps.read_namespaced_deployment("web", api.namespace)


def test_a_deleted_pod_ends_gracefully_and_is_replaced(api, web):
    pod = api.core.list_namespaced_pod(api.namespace).items[0]
    options = kubernetes.client.V1DeleteOptions(preconditions=kubernetes.client.V1Preconditions(uid=pod.metadata.uid))
    answer = api.core.delete_namespaced_pod(pod.metadata.name, api.namespace, body=options)
    assert answer.metadata.deletion_timestamp
    assert answer.metadata.deletion_grace_period_seconds == 1
    api.eventually(
        lambda: pod.metadata.uid not in {p.metadata.uid for p in api.core.list_namespaced_pod(api.namespace).items}
    )
    assert api.settled("web").status.ready_replicas == 2


def test_dependents_follow_a_deleted_deployment(api, web):
    api.apps.delete_namespaced_deployment("web", api.namespace)
    assert error(api.apps.read_namespaced_deployment, "web", api.namespace).status == 404
    api.eventually(lambda: not api.apps.list_namespaced_replica_set(api.namespace).items)
    api.eventually(lambda: not api.core.list_namespaced_pod(api.namespace).items)


def test_orphans_stay(api, web):
    api.apps.delete_namespaced_deployment("web", api.namespace, propagation_policy="Orphan")
    assert error(api.apps.read_namespaced_deployment, "web", api.namespace).status == 404
    (left,) = api.apps.list_namespaced_replica_set(api.namespace).items
    assert not left.metadata.owner_references


def test_nothing_is_made_in_a_namespace_that_is_not_there(api):
    refused = error(api.apps.create_namespaced_deployment, "signoff-nowhere", deployment())
    assert refused.status == 404
    assert refused.status_body["message"] == 'namespaces "signoff-nowhere" not found'


def test_a_finalizer_keeps_an_object_until_it_is_taken_off(api):
    body = {"metadata": {"name": "kept", "finalizers": ["signoff.test/hold"]}, "data": {"a": "1"}}
    api.core.create_namespaced_config_map(api.namespace, body)
    api.core.delete_namespaced_config_map("kept", api.namespace)
    assert api.core.read_namespaced_config_map("kept", api.namespace).metadata.deletion_timestamp
    api.core.patch_namespaced_config_map("kept", api.namespace, {"metadata": {"finalizers": None}})
    assert error(api.core.read_namespaced_config_map, "kept", api.namespace).status == 404

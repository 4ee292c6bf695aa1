import pytest

from bot.sandbox.kubernetes.disruption import Budget, measure
from tests.sandbox.kubernetes.conftest import BROKEN, deployment, error


def pod(ready=True, ending=False):
    return {
        "metadata": {"labels": {"app": "web"}, **({"deletionTimestamp": "x"} if ending else {})},
        "status": {"conditions": [{"type": "Ready", "status": "True" if ready else "False"}]},
    }


def budget(**spec):
    return {"metadata": {"name": "web"}, "spec": {"selector": {"matchLabels": {"app": "web"}}, **spec}}


@pytest.mark.parametrize(
    ("spec", "pods", "healthy", "desired", "allowed"),
    [
        ({"minAvailable": 2}, [pod()] * 3, 3, 2, 1),
        ({"minAvailable": 3}, [pod()] * 3, 3, 3, 0),
        ({"minAvailable": "50%"}, [pod()] * 3, 3, 2, 1),
        ({"maxUnavailable": 1}, [pod()] * 3, 3, 2, 1),
        ({"maxUnavailable": "34%"}, [pod()] * 3, 3, 1, 2),
        ({"maxUnavailable": 1}, [pod(), pod(), pod(ready=False)], 2, 2, 0),
        ({"minAvailable": 1}, [pod(), pod(ending=True)], 1, 1, 0),
        ({"minAvailable": 1}, [], 0, 1, 0),
    ],
)
def test_a_budget_counts_its_pods(spec, pods, healthy, desired, allowed):
    found = measure(budget(**spec), pods)
    assert (found.healthy, found.desired, found.allowed) == (healthy, desired, allowed)
    assert found == Budget(healthy, desired, found.expected)


@pytest.fixture
def web(api):
    api.apps.create_namespaced_deployment(api.namespace, deployment(replicas=2))
    api.settled("web")
    body = {"metadata": {"name": "web"}, "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": "web"}}}}
    api.policy.create_namespaced_pod_disruption_budget(api.namespace, body)
    api.eventually(lambda: read(api).status.current_healthy == 2)
    return api


def read(api):
    return api.policy.read_namespaced_pod_disruption_budget("web", api.namespace)


def evict(api, name, **options):
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": api.namespace}}
    return api.core.create_namespaced_pod_eviction(name, api.namespace, eviction, **options)


def test_an_eviction_that_the_budget_forbids_is_429(web):
    name = web.core.list_namespaced_pod(web.namespace).items[0].metadata.name
    refused = error(evict, web, name)
    assert (refused.status, refused.status_body["reason"]) == (429, "TooManyRequests")
    assert refused.status_body["message"] == "Cannot evict pod as it would violate the pod's disruption budget."
    (cause,) = refused.status_body["details"]["causes"]
    assert cause == {
        "reason": "DisruptionBudget",
        "message": "The disruption budget web needs 2 healthy pods and has 2 currently",
    }
    assert "Retry-After" not in refused.headers


def test_an_eviction_that_the_budget_allows_ends_the_pod(web):
    web.policy.patch_namespaced_pod_disruption_budget("web", web.namespace, {"spec": {"minAvailable": 1}})
    web.eventually(lambda: read(web).status.disruptions_allowed == 1)
    pod = web.core.list_namespaced_pod(web.namespace).items[0]
    evict(web, pod.metadata.name, dry_run="All")
    assert not web.core.read_namespaced_pod(pod.metadata.name, web.namespace).metadata.deletion_timestamp
    evict(web, pod.metadata.name)
    web.eventually(
        lambda: pod.metadata.uid not in {p.metadata.uid for p in web.core.list_namespaced_pod(web.namespace).items}
    )


def test_a_pod_that_never_ran_may_always_go(api):
    api.apps.create_namespaced_deployment(api.namespace, deployment(image=BROKEN, replicas=1))
    body = {"metadata": {"name": "web"}, "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}}}
    api.policy.create_namespaced_pod_disruption_budget(api.namespace, body)
    (pod,) = api.eventually(lambda: api.core.list_namespaced_pod(api.namespace).items)
    evict(api, pod.metadata.name)
    api.eventually(
        lambda: pod.metadata.uid not in {p.metadata.uid for p in api.core.list_namespaced_pod(api.namespace).items}
    )


def test_another_name_than_the_urls_is_refused(web):
    name = web.core.list_namespaced_pod(web.namespace).items[0].metadata.name
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "other"}}
    assert error(web.core.create_namespaced_pod_eviction, name, web.namespace, body).status == 400

import kubernetes
import pytest

from tests.sandbox.kubernetes.conftest import BETTER, BROKEN, GOOD, deployment, error, lab_spec


@pytest.fixture
def agent(api):
    body = deployment("agent")
    body["kind"] = "DaemonSet"
    del body["spec"]["replicas"]
    api.apps.create_namespaced_daemon_set(api.namespace, body)
    settled(api)
    return api


def settled(api):
    def probe():
        d = api.apps.read_namespaced_daemon_set("agent", api.namespace)
        s, nodes = d.status, d.status.desired_number_scheduled
        done = s.observed_generation == d.metadata.generation and nodes
        return done and s.number_available == s.updated_number_scheduled == nodes and not s.number_unavailable and d

    return api.eventually(probe)


def test_every_node_has_one(agent):
    nodes = {n.metadata.name for n in agent.core.list_node().items}
    placed = [p.spec.node_name for p in agent.core.list_namespaced_pod(agent.namespace).items]
    assert len(placed) == len(set(placed)) <= len(nodes)


def test_a_restart_replaces_one_after_the_other(agent):
    before = {p.metadata.uid for p in agent.core.list_namespaced_pod(agent.namespace).items}
    body = {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": BETTER}]}}}}
    agent.apps.patch_namespaced_daemon_set("agent", agent.namespace, body)

    def probe():
        status = agent.apps.read_namespaced_daemon_set("agent", agent.namespace).status
        assert (status.number_unavailable or 0) <= 1
        return status.updated_number_scheduled == status.desired_number_scheduled

    agent.eventually(probe)
    settled(agent)
    found = agent.core.list_namespaced_pod(agent.namespace).items
    assert not before & {p.metadata.uid for p in found}
    assert {c.image for p in found for c in p.spec.containers} == {BETTER, GOOD}


def test_a_broken_update_takes_one_node_only(run):
    background = run(lab_spec())
    client = background.client("prod-admin")
    apps = kubernetes.client.AppsV1Api(client)
    body = deployment("agent")
    body["kind"] = "DaemonSet"
    del body["spec"]["replicas"]
    apps.create_namespaced_daemon_set("shop", body)
    background.advance("prod", 10)
    change = {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": BROKEN}]}}}}
    apps.patch_namespaced_daemon_set("agent", "shop", change)
    background.advance("prod", 60)
    status = apps.read_namespaced_daemon_set("agent", "shop").status
    assert (status.desired_number_scheduled, status.number_available, status.number_unavailable) == (3, 2, 1)
    assert status.updated_number_scheduled == 1


@pytest.mark.parametrize(
    ("rolling", "says"),
    [
        ({"maxUnavailable": 1, "maxSurge": 1}, "may not be set when maxUnavailable is non-zero"),
        ({"maxUnavailable": 0, "maxSurge": 0}, "cannot be 0 when maxSurge is 0"),
        ({"maxUnavailable": "0%", "maxSurge": 1}, "this stand-in replaces pods without surge"),
        ({"maxUnavailable": -1}, "must be greater than or equal to 0"),
    ],
)
def test_how_it_may_be_rolled_out_is_bounded(agent, rolling, says):
    body = {"spec": {"updateStrategy": {"rollingUpdate": rolling}}}
    refused = error(agent.apps.patch_namespaced_daemon_set, "agent", agent.namespace, body)
    assert (refused.status, says in refused.body) == (422, True), refused.body

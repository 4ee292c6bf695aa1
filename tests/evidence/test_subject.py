import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clients.kubernetes import is_name
from bot.domain.incident import Subject
from bot.evidence.reading import Unreadable
from bot.evidence.subject import claims, find, of_alerts
from tests.evidence.objects import pod


def about(*alerts):
    subject = of_alerts(alerts, cluster="prod", cluster_label="prod")
    return subject.kind, subject.namespace, subject.name


EXPORTER = {
    "job": "kube-state-metrics",
    "service": "prometheus-kube-state-metrics",
    "container": "kube-state-metrics",
    "pod": "prometheus-kube-state-metrics-7d9f8b-abcde",
    "instance": "10.0.0.7:8080",
}


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        # a controller's label beats the pod's, which is the exporter's
        ({**EXPORTER, "namespace": "shop", "deployment": "checkout"}, ("Deployment", "shop", "checkout")),
        ({**EXPORTER, "namespace": "shop", "statefulset": "db"}, ("StatefulSet", "shop", "db")),
        ({**EXPORTER, "namespace": "shop", "daemonset": "agent"}, ("DaemonSet", "shop", "agent")),
        ({**EXPORTER, "namespace": "shop", "job_name": "import"}, ("Job", "shop", "import")),
        ({**EXPORTER, "namespace": "shop", "cronjob": "nightly"}, ("CronJob", "shop", "nightly")),
        (
            {**EXPORTER, "namespace": "shop", "horizontalpodautoscaler": "web"},
            ("HorizontalPodAutoscaler", "shop", "web"),
        ),
        ({"namespace": "shop", "persistentvolumeclaim": "data"}, ("PersistentVolumeClaim", "shop", "data")),
        ({"namespace": "shop", "pod": "checkout-1", "node": "node-1"}, ("Pod", "shop", "checkout-1")),
        # with honor_labels off, Prometheus renames what the exporter said
        (
            {**EXPORTER, "namespace": "monitoring", "exported_namespace": "shop", "exported_pod": "checkout-1"},
            ("Pod", "shop", "checkout-1"),
        ),
        (
            {**EXPORTER, "namespace": "monitoring", "exported_namespace": "shop", "deployment": "checkout"},
            ("Deployment", "shop", "checkout"),
        ),
        (
            {"namespace": "shop", "workload": "checkout", "workload_type": "deployment"},
            ("Deployment", "shop", "checkout"),
        ),
        (
            {"namespace": "shop", "owner_kind": "ReplicaSet", "owner_name": "checkout-1", "pod": "checkout-1-x"},
            ("ReplicaSet", "shop", "checkout-1"),
        ),
        ({**EXPORTER, "namespace": "monitoring", "node": "node-3"}, ("Node", "", "node-3")),
        ({"job": "node-exporter", "instance": "node-3:9100", "namespace": "monitoring"}, ("Node", "", "node-3")),
        ({"alertname": "KubeJobFailed", "namespace": "shop", "job": "import"}, ("Job", "shop", "import")),
        # names that are only guesses have no kind
        ({"namespace": "shop", "service": "checkout"}, ("", "shop", "checkout")),
        ({"namespace": "shop", "app": "checkout", "container": "main"}, ("", "shop", "checkout")),
        ({"namespace": "shop", "job": "shop/checkout"}, ("", "shop", "checkout")),
        ({"alertname": "Watchdog", "severity": "none"}, ("", "", "")),
        ({"namespace": "shop", "alertname": "Odd"}, ("", "shop", "")),
    ],
)
def test_what_labels_say(labels, expected):
    assert about(labels) == expected


def test_a_group_is_about_what_its_alerts_have_in_common():
    assert about(
        {"namespace": "shop", "deployment": "checkout", "pod": "checkout-1"},
        {"namespace": "shop", "deployment": "checkout", "pod": "checkout-2"},
    ) == ("Deployment", "shop", "checkout")


def test_or_else_about_the_first_that_names_an_object():
    assert about(
        {"namespace": "shop", "app": "web"}, {"namespace": "shop", "pod": "checkout-1"}, {"namespace": "a", "pod": "b"}
    ) == ("Pod", "shop", "checkout-1")


@pytest.mark.parametrize("name", ["../../secrets/x", "a b", "A", "", "x" * 300, "a\nb", "*"])
def test_a_name_that_can_be_none_is_ignored(name):
    assert about({"namespace": "shop", "deployment": name, "pod": "checkout-1"}) == ("Pod", "shop", "checkout-1")
    assert about({"namespace": name, "deployment": "checkout"}) == ("Deployment", "", "checkout")


def test_the_cluster_is_carried():
    subject = of_alerts([], cluster=None, cluster_label="nowhere")
    assert (subject.cluster, subject.cluster_label, subject.name) == (None, "nowhere", "")


LABELS = st.dictionaries(
    st.sampled_from(
        ["namespace", "exported_namespace", "pod", "exported_pod", "deployment", "node", "job", "instance", "app"]
    )
    | st.text(max_size=8),
    st.text(max_size=12) | st.sampled_from(["shop", "checkout", "kube-state-metrics", "node-exporter"]),
    max_size=6,
)


@given(st.lists(LABELS, max_size=4))
def test_whatever_labels_say_only_proper_names_come_out(alerts):
    kind, namespace, name = about(*alerts)
    assert name == "" or is_name(name)
    assert namespace == "" or is_name(namespace)
    assert name or not kind


def test_claims():
    assert claims({"volumes": [{"persistentVolumeClaim": {"claimName": "data"}}, {"emptyDir": {}}]}) == ["data"]
    assert claims({}) == []


def subject(kind, name, namespace="shop"):
    return Subject("prod", "prod", namespace, kind, name)


async def test_a_pod_leads_to_its_deployment(world):
    pods = await world.prod.items("/api/v1/namespaces/shop/pods", {"labelSelector": "app=cart"})
    found = await find(subject("Pod", pods[0]["metadata"]["name"]), world.prod)
    assert (found.kind, found.name) == ("Deployment", "cart")
    assert found.pod is not None


async def test_a_pod_that_is_gone_leads_there_by_its_name(world):
    (replica_set,) = await world.prod.items("/apis/apps/v1/namespaces/shop/replicasets", {"labelSelector": "app=cart"})
    found = await find(subject("Pod", f"{replica_set['metadata']['name']}-zzzzz"), world.prod)
    assert (found.kind, found.name) == ("Deployment", "cart")
    assert "is gone" in found.note
    found = await find(subject("Pod", "cart-5d98ffcfd-zzzzz"), world.prod)
    assert (found.kind, found.name) == ("Deployment", "cart")
    with pytest.raises(Unreadable, match="Pod nobody-12345 is no longer in namespace shop of cluster prod"):
        await find(subject("Pod", "nobody-12345"), world.prod)


@pytest.mark.parametrize("kind", ["", "Service", "HorizontalPodAutoscaler"])
async def test_other_ways_to_a_deployment(world, kind):
    found = await find(subject(kind, "frontend"), world.prod)
    assert (found.kind, found.name) == ("Deployment", "frontend")


async def test_a_service_of_another_name_leads_by_its_selector(world):
    await world.apply(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "basket", "namespace": "shop"},
            "spec": {"selector": {"app": "cart"}, "ports": [{"port": 80}]},
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "nowhere", "namespace": "shop"},
            "spec": {"selector": {"app": "nobody"}, "ports": [{"port": 80}]},
        },
    )
    found = await find(subject("", "basket"), world.prod)
    assert (found.kind, found.name) == ("Deployment", "cart")
    assert "Service basket" in found.note
    with pytest.raises(
        Unreadable, match=r"Service shop/nowhere of cluster prod selects no pods: none has .* app=nobody"
    ):
        await find(subject("Service", "nowhere"), world.prod)


async def test_a_job_of_a_cron_job(world):
    container = {"name": "job", "image": "registry.example/job:1"}
    pod_template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    await world.apply(
        {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": {"name": "nightly", "namespace": "shop"},
            "spec": {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": pod_template}}},
        }
    )
    cron_job = await world.prod.get("/apis/batch/v1/namespaces/shop/cronjobs/nightly")
    owner = {"apiVersion": "batch/v1", "kind": "CronJob", "name": "nightly", "controller": True}
    await world.apply(
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {
                "name": "nightly-1",
                "namespace": "shop",
                "ownerReferences": [{**owner, "uid": cron_job["metadata"]["uid"]}],
            },
            "spec": {"template": pod_template},
        }
    )
    for named in (subject("Job", "nightly-1"), subject("CronJob", "nightly")):
        found = await find(named, world.prod)
        assert (found.kind, found.name) == ("CronJob", "nightly")
        assert [job["metadata"]["name"] for job in found.jobs] == ["nightly-1"]


async def test_an_owner_that_was_made_anew_is_not_followed(canned):
    owner = {"kind": "ReplicaSet", "name": "web", "uid": "old", "controller": True}
    objects = {
        "/api/v1/namespaces/shop/pods/web-1": pod("web-1", owner=owner),
        "/apis/apps/v1/namespaces/shop/replicasets/web": {"metadata": {"name": "web", "uid": "new"}},
    }
    async with canned(objects) as reader:
        found = await find(subject("Pod", "web-1"), reader)
    assert (found.kind, found.name) == ("Pod", "web-1")


async def test_a_claim_leads_to_who_mounts_it(canned):
    mounting = pod("db-0", spec={"volumes": [{"persistentVolumeClaim": {"claimName": "data"}}]})
    async with canned({"/api/v1/namespaces/shop/pods": [pod("other"), mounting]}) as reader:
        assert (await find(subject("PersistentVolumeClaim", "data"), reader)).name == "db-0"
        with pytest.raises(Unreadable, match="no pod in namespace shop of cluster prod mounts"):
            await find(subject("PersistentVolumeClaim", "gone"), reader)


async def test_a_node(world):
    found = await find(subject("Node", "node-1", ""), world.prod)
    assert (found.kind, found.name) == ("Node", "node-1")


async def test_a_node_is_found_by_the_address_at_which_it_was_measured(canned):
    """node-exporter's instance is an address where nothing relabels it; some clusters name their nodes by it."""
    assert about({"job": "node-exporter", "instance": "10.0.0.5:9100"}) == ("Node", "", "10.0.0.5")

    def node(name, address):
        addresses = [{"type": "Hostname", "address": "10.0.0.5"}, {"type": "InternalIP", "address": address}]
        return {"metadata": {"name": name}, "status": {"addresses": addresses}}

    listed = [node("node-1", "10.0.0.4"), node("node-2", "10.0.0.5")]
    async with canned({"/api/v1/nodes": listed, "/api/v1/nodes/10.0.0.9": node("10.0.0.9", "10.0.0.9")}) as reader:
        found = await find(subject("Node", "10.0.0.5", ""), reader)
        assert (found.kind, found.name, found.note) == ("Node", "node-2", "it has the address 10.0.0.5 of the alert")
        assert (await find(subject("Node", "10.0.0.9", ""), reader)).name == "10.0.0.9"
        with pytest.raises(Unreadable, match=r"no node of cluster prod has the internal address 10\.0\.0\.6"):
            await find(subject("Node", "10.0.0.6", ""), reader)


@pytest.mark.parametrize(
    ("named", "sentence"),
    [
        (subject("Deployment", "nobody"), "Deployment nobody was not found in namespace shop of cluster prod"),
        (subject("", "nobody"), "nothing in namespace shop of cluster prod has the name nobody"),
        (subject("", ""), "the alert names no workload"),
        (subject("Deployment", "checkout", ""), "no namespace: add a namespace label"),
        (subject("Rollout", "checkout"), "not a kind of workload that is known here"),
    ],
)
async def test_what_cannot_be_found_says_why(world, named, sentence):
    with pytest.raises(Unreadable, match=sentence):
        await find(named, world.prod)


async def test_a_namespace_that_is_not_there(canned):
    async with canned({}) as reader:
        with pytest.raises(
            Unreadable, match="namespace shop does not exist in cluster prod, so neither does Deployment"
        ):
            await find(subject("Deployment", "checkout"), reader)

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clients.kubernetes import is_name
from bot.evidence.subject import claims, of_alerts


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

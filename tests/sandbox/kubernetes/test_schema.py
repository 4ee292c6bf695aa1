import pytest

from bot.sandbox.kubernetes.schema import conform


def deployment(**spec):
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"}, "spec": spec}


def test_known_fields_stay_as_they_are():
    obj = deployment(
        replicas=3,
        strategy={"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 1}},
        template={"spec": {"containers": [{"name": "a", "livenessProbe": {"httpGet": {"port": "http"}}}]}},
    )
    assert conform("V1Deployment", obj)[0] == obj


def test_unknown_fields_go_and_are_named():
    obj = deployment(replicaz=1, template={"spec": {"containers": [{"name": "a", "imagine": "b"}]}})
    kept, shape = conform("V1Deployment", obj)
    assert kept["spec"] == {"template": {"spec": {"containers": [{"name": "a"}]}}}
    assert shape.unknown == ["spec.replicaz", "spec.template.spec.containers[0].imagine"]


def test_nulls_and_empty_collections_go_but_empty_objects_stay():
    obj = deployment(
        replicas=None, template={"metadata": {"labels": {}}, "spec": {"volumes": [], "securityContext": {}}}
    )
    assert conform("V1Deployment", obj)[0]["spec"] == {"template": {"metadata": {}, "spec": {"securityContext": {}}}}


def test_quantities_may_be_numbers():
    container = {"name": "a", "resources": {"limits": {"cpu": 2, "memory": "1Gi"}}}
    kept, shape = conform("V1Container", container)
    assert kept["resources"]["limits"] == {"cpu": "2", "memory": "1Gi"}
    assert not shape.mistakes


@pytest.mark.parametrize(
    ("obj", "mistake"),
    [
        (
            deployment(replicas="3"),
            "cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (deployment(replicas=True), "cannot unmarshal bool"),
        (deployment(paused=1), "of type bool"),
        (deployment(template=[]), "cannot unmarshal array into Go struct field DeploymentSpec.spec.template"),
        (deployment(template={"spec": {"containers": {}}}), r"of type \[\]Container"),
        (deployment(template={"spec": {"containers": ["a"]}}), "of type Container"),
        ({"metadata": {"labels": {"a": 1}}}, "metadata.labels.a of type string"),
        ({"metadata": {"creationTimestamp": "yesterday"}}, "of type Time"),
    ],
)
def test_wrong_types_are_mistakes(obj, mistake):
    import re

    _, shape = conform("V1Deployment", obj)
    assert re.search(mistake, shape.mistakes[0])

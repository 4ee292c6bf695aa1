from bot.evidence.rollout import changes, of_controller_revisions, of_replica_sets, render
from bot.redact import Redactor
from tests.evidence.objects import HOUR, MINUTE, NOW, at, deployment, replica_set, template

PLAIN = Redactor()


def test_the_newest_revision_and_what_it_changed():
    about = of_replica_sets(
        deployment(2),
        [
            replica_set(1, template("example/app:4.17.3"), age=48 * HOUR, ready=2, replicas=2, cause="release 4.17.3"),
            replica_set(2, template("example/app:4.18.0"), age=10 * MINUTE, replicas=1, cause="release 4.18.0"),
        ],
        PLAIN,
    )
    assert about["current"] == 2
    assert [one["revision"] for one in about["revisions"]] == [2, 1]
    assert about["revisions"][0]["changes"] == [
        {"path": "containers[app].image", "before": "example/app:4.17.3", "after": "example/app:4.18.0"}
    ]
    assert about["revisions"][1]["changes"] == []
    assert render(about, NOW, alert_started_at=NOW - 6 * MINUTE).splitlines() == [
        "revision 2 (current), created 10m ago (4m before the alert), 0 of 1 pods ready: example/app:4.18.0",
        "  change cause: release 4.18.0",
        "  containers[app].image: example/app:4.17.3 -> example/app:4.18.0",
        "revision 1, created 2d ago, 2 of 2 pods ready: example/app:4.17.3",
        "  change cause: release 4.17.3",
    ]


def test_after_a_rollback_the_old_template_is_the_newest_revision():
    about = of_replica_sets(
        deployment(3), [replica_set(2, template("example/app:2")), replica_set(3, template("example/app:1"))], PLAIN
    )
    assert about["current"] == 3
    assert about["revisions"][0]["changes"][0]["after"] == "example/app:1"


def paths(before, after):
    return {one["path"]: (one["before"], one["after"]) for one in changes(before, after, PLAIN)}


def test_every_part_of_a_template_is_compared():
    before = template(
        env={"LOG_LEVEL": "info", "GONE": "1"},
        command=["serve"],
        resources={"limits": {"memory": "256Mi"}},
        readinessProbe={"httpGet": {"path": "/ready", "port": 80}},
        volumeMounts=[{"name": "data", "mountPath": "/data"}],
    )
    after = template(
        env={"LOG_LEVEL": "debug", "NEW": "2"},
        command=["serve", "--fast"],
        resources={"limits": {"memory": "64Mi"}},
        readinessProbe={"httpGet": {"path": "/readyz", "port": 80}},
        volumeMounts=[{"name": "other", "mountPath": "/other"}],
    )
    after["spec"]["nodeSelector"] = {"disk": "ssd"}
    after["metadata"]["annotations"] = {"kubectl.kubernetes.io/restartedAt": "2026-11-21T08:00:00Z"}
    assert paths(before, after) == {
        "containers[app].command": (["serve"], ["serve", "--fast"]),
        "containers[app].env[LOG_LEVEL]": ("info", "debug"),
        "containers[app].env[GONE]": ("1", None),
        "containers[app].env[NEW]": (None, "2"),
        "containers[app].resources.limits.memory": ("256Mi", "64Mi"),
        "containers[app].readinessProbe.httpGet.path": ("/ready", "/readyz"),
        "containers[app].volumeMounts[data].mountPath": ("/data", None),
        "containers[app].volumeMounts[other].mountPath": (None, "/other"),
        "nodeSelector.disk": (None, "ssd"),
        "metadata.annotations.kubectl.kubernetes.io/restartedAt": (None, "2026-11-21T08:00:00Z"),
    }


def test_a_reference_to_a_secret_is_shown_by_name():
    before, after = template(), template()
    before["spec"]["containers"][0]["env"] = [
        {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "a", "key": "k"}}}
    ]
    after["spec"]["containers"][0]["env"] = [
        {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "b", "key": "k"}}}
    ]
    assert list(paths(before, after)) == ["containers[app].env[PASSWORD].valueFrom.secretKeyRef.name"]


def test_the_order_of_a_list_is_no_change():
    assert paths(template(env={"A": "1", "B": "2"}), template(env={"B": "2", "A": "1"})) == {}


def test_the_controllers_own_labels_are_no_change():
    after = template()
    after["metadata"]["labels"]["pod-template-hash"] = "abc"
    after["metadata"]["creationTimestamp"] = None
    assert paths(template(), after) == {}


def test_a_secret_in_the_environment_is_not_shown():
    old, new = "correct-horse", "battery-staple"
    found = changes(template(env={"DB_PASSWORD": old}), template(env={"DB_PASSWORD": new}), PLAIN)
    assert [one["path"] for one in found] == ["containers[app].env[DB_PASSWORD]"]
    assert old not in repr(found)
    assert new not in repr(found)
    assert found[0]["before"] != found[0]["after"]


def test_images_come_first_and_the_rest_is_bounded():
    before = template("example/app:1", env={f"V{number}": "1" for number in range(100)})
    after = template("example/app:2", env={f"V{number}": "2" for number in range(100)})
    found = changes(before, after, PLAIN)
    assert len(found) == 40
    assert found[0]["path"] == "containers[app].image"


def test_stateful_sets_have_controller_revisions():
    def revision(number, image):
        return {
            "metadata": {"name": f"db-{number}", "creationTimestamp": at(NOW - HOUR)},
            "revision": number,
            "data": {"spec": {"template": {**template(image), "$patch": "replace"}}},
        }

    about = of_controller_revisions(
        {"status": {"updateRevision": "db-2"}}, [revision(1, "example/db:1"), revision(2, "example/db:2")], PLAIN
    )
    assert about["current"] == 2
    assert about["revisions"][0]["changes"] == [
        {"path": "containers[app].image", "before": "example/db:1", "after": "example/db:2"}
    ]
    assert about["revisions"][0]["images"] == ["example/db:2"]


def test_nothing_to_be_seen():
    assert render(of_replica_sets(deployment(), [], PLAIN), NOW) == "there is no revision to be seen"


def test_a_revision_that_is_no_number_counts_as_zero():
    odd = replica_set(1, template())
    odd["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = "²"
    assert of_replica_sets(deployment(), [odd], PLAIN)["revisions"][0]["revision"] == 0

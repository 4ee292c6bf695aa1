from bot.evidence.workload import container, facts, probe, render
from tests.evidence.objects import HOUR, MINUTE, NOW, at, deployment, pod, running, template


def described(kind, found, **more):
    return render(facts(kind, found, **more), NOW)


def test_a_deployment_whose_rollout_is_stuck():
    conditions = [
        {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable", "message": "fine"},
        {
            "type": "Progressing",
            "status": "False",
            "reason": "ProgressDeadlineExceeded",
            "message": 'ReplicaSet "app-2" timed out progressing.',
            "lastTransitionTime": at(NOW - 12 * MINUTE),
        },
    ]
    found = deployment(
        2,
        replicas=4,
        updatedReplicas=2,
        readyReplicas=2,
        availableReplicas=2,
        unavailableReplicas=2,
        conditions=conditions,
    )
    lines = described("Deployment", found).splitlines()
    assert lines[:3] == [
        "Deployment shop/app, created 2d ago",
        "replicas: 3 desired, 2 updated, 2 ready, 2 available, 2 unavailable",
        'condition Progressing=False since 12m (ProgressDeadlineExceeded: ReplicaSet "app-2" timed out progressing.)',
    ]


def test_a_paused_deployment_that_its_controller_has_not_seen():
    found = deployment(observedGeneration=6)
    found["spec"]["paused"] = True
    text = described("Deployment", found)
    assert "paused: changes to it are not rolled out" in text
    assert "has not acted on the newest spec yet (generation 7, observed 6)" in text


def test_how_a_container_is_set_up():
    about = container(
        {
            "name": "app",
            "image": "example/app:1",
            "command": ["sh", "-c"],
            "args": ["sleep 5"],
            "resources": {"limits": {"memory": "64Mi"}},
            "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}, "periodSeconds": 5},
            "env": [{"name": "PASSWORD", "value": "never-shown"}],
        }
    )
    assert about == {
        "name": "app",
        "image": "example/app:1",
        "requests": {},
        "limits": {"memory": "64Mi"},
        "command": "sh -c 'sleep 5'",
        "readiness": "http GET :http/ready, delay 0s, timeout 1s, every 5s, fails after 3",
    }


def test_probes():
    assert probe(None) is None
    assert str(probe({"tcpSocket": {"port": 5432}})).startswith("tcp :5432,")
    assert str(probe({"exec": {"command": ["cat", "/a b"]}})).startswith("exec cat '/a b',")
    assert str(probe({"grpc": {"port": 9}, "failureThreshold": 1})).endswith("fails after 1")


def test_a_failed_job():
    found = {
        "metadata": {"name": "import", "namespace": "shop"},
        "spec": {"completions": 1, "backoffLimit": 3, "template": template()},
        "status": {
            "failed": 4,
            "conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "limit"}],
        },
    }
    text = described("Job", found)
    assert "0 of 1 completions; 0 active, 4 failed; retries at most 3" in text
    assert "condition Failed=True (BackoffLimitExceeded: limit)" in text


def test_a_cron_job_with_its_runs():
    found = {
        "metadata": {"name": "nightly", "namespace": "shop"},
        "spec": {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": template("example/job:1")}}},
        "status": {"lastScheduleTime": at(NOW - HOUR)},
    }
    job = {"metadata": {"name": "nightly-1", "creationTimestamp": at(NOW - HOUR)}, "status": {"failed": 2}}
    text = described("CronJob", found, jobs=[job])
    assert "schedule 0 3 * * *" in text
    assert "last scheduled 1h ago" in text
    assert "Job nightly-1, created 1h ago: 0 active, 0 succeeded, 2 failed" in text
    assert "image example/job:1" in text


def test_a_daemon_set():
    status = {"desiredNumberScheduled": 5, "numberReady": 3, "numberUnavailable": 2, "numberMisscheduled": 1}
    about = facts("DaemonSet", {"metadata": {"name": "agent"}, "spec": {"template": template()}, "status": status})
    assert (about["desired"], about["ready"], about["unavailable"], about["misscheduled"]) == (5, 3, 2, 1)


def test_a_bare_pod():
    found = pod(
        "lonely",
        running(),
        spec={"nodeSelector": {"disk": "ssd"}, "volumes": [{"persistentVolumeClaim": {"claimName": "data"}}]},
    )
    text = described("Pod", found)
    assert "a bare pod: nothing replaces it" in text
    assert "runs only on nodes with labels disk=ssd" in text
    assert "mounts PersistentVolumeClaims data" in text


def test_an_empty_object_is_understood():
    for kind in ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod", "ReplicaSet"):
        assert described(kind, {}).startswith(kind)

import kubernetes

from bot.sandbox.kubernetes.spec import ImageBehaviour
from tests.sandbox.kubernetes.conftest import GOOD, error, lab_spec

IMAGES = {
    "x/done:1": ImageBehaviour(pull_seconds=0.1, exits_after=2),
    "x/fails:1": ImageBehaviour(pull_seconds=0.1, exits_after=2, exit_code=1),
}


def job(image, **spec):
    return {
        "metadata": {"name": "work"},
        "spec": {
            "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "app", "image": image}]}},
            **spec,
        },
    }


def finished(run, body, seconds):
    background = run(lab_spec(images=IMAGES))
    batch = kubernetes.client.BatchV1Api(background.client("prod-admin"))
    batch.create_namespaced_job("shop", body)
    background.advance("prod", seconds)
    return batch.read_namespaced_job("work", "shop"), background


def test_a_job_completes(run):
    done, background = finished(run, job("x/done:1", completions=3, parallelism=2), 20)
    assert (done.status.succeeded, done.status.active) == (3, None)
    assert [(c.type, c.status) for c in done.status.conditions] == [("Complete", "True")]
    assert done.status.completion_time
    pods = kubernetes.client.CoreV1Api(background.client("prod-admin")).list_namespaced_pod("shop").items
    assert {p.status.phase for p in pods} == {"Succeeded"}
    assert {p.metadata.labels["batch.kubernetes.io/job-name"] for p in pods} == {"work"}


def test_a_job_gives_up(run):
    done, _ = finished(run, job("x/fails:1", backoffLimit=2), 60)
    assert (done.status.failed, done.status.succeeded) == (3, None)
    assert [(c.type, c.reason) for c in done.status.conditions] == [("Failed", "BackoffLimitExceeded")]


def test_a_job_needs_a_policy_that_lets_pods_end(api):
    body = job(GOOD)
    body["spec"]["template"]["spec"]["restartPolicy"] = "Always"
    assert error(api.batch.create_namespaced_job, api.namespace, body).status == 422

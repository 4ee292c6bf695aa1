from bot.evidence.pods import MAX_FACTS, facts, render
from tests.evidence.objects import HOUR, MINUTE, NOW, at, container_status, pod, running


def described(*pods):
    return render(facts(pods, NOW), NOW)


def out_of_memory(name="app-5d98ffcfd-tz4nc"):
    return pod(
        name,
        container_status(
            restarts=6,
            waiting={"reason": "CrashLoopBackOff", "message": "back-off 2m40s restarting failed container"},
            last={
                "reason": "OOMKilled",
                "exitCode": 137,
                "startedAt": at(NOW - 4 * MINUTE),
                "finishedAt": at(NOW - 3 * MINUTE),
            },
        ),
    )


def test_out_of_memory():
    assert described(out_of_memory()).splitlines() == [
        "1 pod, 0 ready: 1 CrashLoopBackOff",
        "pod app-5d98ffcfd-tz4nc: CrashLoopBackOff, 0/1 containers ready, age 2h, node node-1, template 5d98ffcfd",
        "  container app (example/app:1): waiting CrashLoopBackOff, 6 restarts: "
        "back-off 2m40s restarting failed container",
        "    before that: terminated OOMKilled, exit code 137 (killed by SIGKILL: it ran over its memory limit), "
        "ran 1m, ended 3m ago",
    ]


def test_the_facts_of_a_crash():
    one = facts([out_of_memory()], NOW)["pods"][0]
    assert one["containers"][0]["last_state"] == {
        "kind": "terminated",
        "reason": "OOMKilled",
        "message": "",
        "exit_code": 137,
        "started_at": NOW - 4 * MINUTE,
        "finished_at": NOW - 3 * MINUTE,
    }
    assert (one["restarts"], one["ready"], one["age_seconds"], one["template_hash"]) == (6, False, 7200, "5d98ffcfd")


def test_a_process_that_cannot_be_started():
    said = 'exec: "wget2": executable file not found in $PATH: unknown'
    start_error = {"reason": "StartError", "exitCode": 128, "message": said, "startedAt": at(0), "finishedAt": at(NOW)}
    text = described(pod("a", container_status(restarts=3, terminated=start_error)))
    assert "StartError, exit code 128 (the container's process could not be started), 3 restarts: " + said in text
    assert "ran " not in text


def test_an_image_that_cannot_be_pulled():
    waiting = {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "example/app:2"'}
    text = described(pod("a", container_status(image="example/app:2", waiting=waiting), phase="Pending"))
    assert "1 pod, 0 ready: 1 ImagePullBackOff" in text
    assert 'container app (example/app:2): waiting ImagePullBackOff: Back-off pulling image "example/app:2"' in text


def test_a_pod_that_no_node_takes():
    unschedulable = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": "0/3 nodes are available: 3 Insufficient example.com/gpu.",
    }
    text = described(
        pod(
            "a",
            phase="Pending",
            node=None,
            status={"containerStatuses": [], "conditions": [unschedulable]},
        )
    )
    assert "pod a: Pending, age 2h, on no node" in text
    assert (
        "condition PodScheduled=False (Unschedulable: 0/3 nodes are available: 3 Insufficient example.com/gpu.)" in text
    )


def test_a_missing_configuration():
    waiting = {"reason": "CreateContainerConfigError", "message": 'configmap "app" not found'}
    text = described(pod("a", container_status(waiting=waiting), phase="Pending"))
    assert 'waiting CreateContainerConfigError: configmap "app" not found' in text


def test_an_init_container_that_fails():
    migrate = container_status(
        "migrate", restarts=2, waiting={"reason": "CrashLoopBackOff"}, last={"reason": "Error", "exitCode": 1}
    )
    main = container_status("app", waiting={"reason": "PodInitializing"})
    about = facts([pod("a", main, init=[migrate], phase="Pending")], NOW)
    assert about["pods"][0]["status"] == "Init:CrashLoopBackOff"
    text = render(about, NOW)
    assert "init container migrate (example/app:1): waiting CrashLoopBackOff, 2 restarts" in text
    assert "before that: terminated Error, exit code 1" in text


def test_an_init_container_that_is_done_is_not_mentioned():
    done = container_status("migrate", ready=True, terminated={"reason": "Completed", "exitCode": 0})
    assert "migrate" not in described(pod("a", init=[done]))


def test_a_failed_job_pod():
    failed = container_status(
        terminated={
            "reason": "Error",
            "exitCode": 1,
            "startedAt": at(NOW - HOUR),
            "finishedAt": at(NOW - HOUR + MINUTE),
        }
    )
    assert "terminated Error, exit code 1, ran 1m, ended 59m ago" in described(pod("a", failed, phase="Failed"))


def test_a_pod_that_runs_but_is_not_ready():
    text = described(pod("a", running(ready=False)))
    assert "1 pod, 0 ready: 1 Running, not ready" in text
    assert "container app (example/app:1): running, since 1h, not ready" in text


def test_an_evicted_pod():
    status = {"reason": "Evicted", "message": "The node was low on resource: memory.", "containerStatuses": []}
    text = described(pod("a", phase="Failed", status=status))
    assert "1 Evicted" in text
    assert "Evicted: The node was low on resource: memory." in text


def test_a_pod_that_will_not_go():
    text = described(pod("a", deletionTimestamp=at(NOW - 10 * MINUTE)))
    assert "should have been gone 10m ago" in text
    assert "should have been gone" not in described(pod("a", deletionTimestamp=at(NOW + MINUTE)))


def test_the_worst_come_first():
    names = [
        one["name"]
        for one in facts(
            [
                pod("well"),
                pod("restarted", running(restarts=2)),
                pod("finished", container_status(terminated={"exitCode": 0}), phase="Succeeded"),
                pod("not-ready", running(ready=False)),
                out_of_memory("crashing"),
            ],
            NOW,
        )["pods"]
    ]
    assert names == ["crashing", "not-ready", "restarted", "finished", "well"]


def test_pods_that_look_alike_are_described_once():
    text = described(*(out_of_memory(f"app-{number}") for number in range(20)), pod("well"))
    assert text.count("OOMKilled") == 1
    assert "alike: app-1 on node-1" in text
    assert "and 14 more" in text
    assert "21 pods, 1 ready: 20 CrashLoopBackOff, 1 Running" in text


def test_hundreds_of_pods_stay_bounded():
    pods = [
        pod(
            f"app-{number}",
            container_status(f"c{number}", waiting={"reason": f"Reason{number}", "message": "x" * 5000}),
        )
        for number in range(400)
    ]
    about = facts(pods, NOW)
    assert (about["total"], len(about["pods"])) == (400, MAX_FACTS)
    text = render(about, NOW)
    assert len(text) <= 6000
    assert "and 394 more pods" in text


def test_no_pods():
    assert described() == "there are no pods"


def test_a_bare_object_is_understood():
    assert facts([{"metadata": {"name": "a"}}], NOW)["pods"][0]["status"] == "Unknown"

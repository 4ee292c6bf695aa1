"""Pods on their nodes: pulls, crashes, probes, logs and events, with a clock that is pushed."""

import json

import kubernetes
import pytest

from bot.sandbox.kubernetes.spec import ImageBehaviour
from tests.sandbox.kubernetes.conftest import BROKEN, GOOD, PULL_ERROR, deployment, error, lab_spec

CRASHES = ImageBehaviour(
    pull_seconds=0.1,
    exits_after=2,
    exit_code=3,
    start_log=("starting",),
    exit_log=("fatal: no configuration", b"\xff\xfe binary"),
)
IMAGES = {
    "x/crash:1": CRASHES,
    "x/oom:1": ImageBehaviour(pull_seconds=0.1, exits_after=60, oom_killed=True),
    "x/sick:1": ImageBehaviour(pull_seconds=0.1, ready_after=None, readiness_failure="503"),
    "x/chatty:1": ImageBehaviour(start_log=("s",), steady_log=("tick", b"\x80tock"), steady_every=10),
    "x/once:1": ImageBehaviour(pull_seconds=0.1, exits_after=1, exit_code=0),
}


class World:
    def __init__(self, background):
        self.background = background
        client = background.client("prod-admin")
        self.core = kubernetes.client.CoreV1Api(client)
        self.apps = kubernetes.client.AppsV1Api(client)

    def pod(self, image, name="p", **spec):
        body = {"metadata": {"name": name}, "spec": {"containers": [{"name": "app", "image": image}], **spec}}
        self.core.create_namespaced_pod("shop", body)

    def advance(self, seconds):
        self.background.advance("prod", seconds)

    def status(self, name="p"):
        return self.read(name).status

    def read(self, name="p"):
        return self.core.read_namespaced_pod(name, "shop")

    def container(self, name="p"):
        return self.status(name).container_statuses[0]

    def events(self, name="p"):
        selector = f"involvedObject.name={name}"
        return {
            (e.type, e.reason, e.message): e
            for e in self.core.list_namespaced_event("shop", field_selector=selector).items
        }

    def log(self, name="p", **options):
        options.setdefault("_preload_content", False)
        return self.core.read_namespaced_pod_log(name, "shop", **options).data


@pytest.fixture
def world(run):
    return World(run(lab_spec(images=IMAGES), clock=lambda: 1_800_000_000.0))


def test_a_healthy_pod_runs_and_becomes_ready(world):
    world.pod(GOOD)
    world.advance(5)
    status = world.status()
    assert (status.phase, status.qos_class) == ("Running", "BestEffort")
    assert {c.type: c.status for c in status.conditions} == {
        "PodReadyToStartContainers": "True",
        "Initialized": "True",
        "Ready": "True",
        "ContainersReady": "True",
        "PodScheduled": "True",
    }
    assert status.pod_ip
    assert world.read().spec.node_name.startswith("node-")
    assert {reason for _, reason, _ in world.events()} == {"Scheduled", "Pulling", "Pulled", "Created", "Started"}


def test_an_image_that_cannot_be_pulled_backs_off(world):
    world.pod(BROKEN)
    world.advance(1)
    waiting = world.container().state.waiting
    assert (waiting.reason, waiting.message) == ("ErrImagePull", PULL_ERROR)
    world.advance(600)
    waiting = world.container().state.waiting
    assert waiting.reason == "ImagePullBackOff"
    assert waiting.message == f'Back-off pulling image "{BROKEN}": ErrImagePull: {PULL_ERROR}'
    assert world.status().phase == "Pending"
    events = world.events()
    failed = events["Warning", "Failed", f'Failed to pull image "{BROKEN}": {PULL_ERROR}']
    assert failed.count == 6, "at 0, 10, 30, 70, 150 and 310 seconds"
    assert failed.involved_object.field_path == "spec.containers{app}"
    assert failed.last_timestamp > failed.first_timestamp
    assert events["Normal", "BackOff", f'Back-off pulling image "{BROKEN}"'].count > 20
    assert ("Warning", "Failed", "Error: ErrImagePull") in events


def test_a_pull_succeeds_once_the_image_is_there(world):
    world.pod(BROKEN)
    world.advance(5)
    world.background.sandbox.clusters["prod"].images[BROKEN] = ImageBehaviour()
    world.advance(10)
    assert world.status().phase == "Running"


def test_a_container_that_crashes_loops(world):
    world.pod("x/crash:1")
    world.advance(20)
    container = world.container()
    assert container.state.waiting.reason == "CrashLoopBackOff"
    uid = world.read().metadata.uid
    assert container.state.waiting.message == (f"back-off 20s restarting failed container=app pod=p_shop({uid})")
    ended = container.last_state.terminated
    assert (ended.exit_code, ended.reason, container.restart_count) == (3, "Error", 2)
    assert ended.finished_at > ended.started_at
    back_off = f"Back-off restarting failed container app in pod p_shop({uid})"
    assert ("Warning", "BackOff", back_off) in world.events()
    assert world.status().phase == "Running"
    ready = next(c for c in world.status().conditions if c.type == "Ready")
    assert (ready.status, ready.reason) == ("False", "ContainersNotReady")


def test_the_back_off_doubles_up_to_five_minutes(world):
    world.pod("x/crash:1")
    world.advance(3600)
    assert "back-off 5m0s" in world.container().state.waiting.message
    # one at once, then after 10, 20, 40, 80, 160 seconds, then every 300
    assert 14 <= world.container().restart_count <= 18


def test_a_killed_container_says_so(world):
    world.pod("x/oom:1")
    world.advance(61)
    ended = world.container().state.terminated or world.container().last_state.terminated
    assert (ended.exit_code, ended.reason) == (137, "OOMKilled")


def test_a_probe_that_fails_is_told(world):
    world.pod("x/sick:1")
    world.advance(60)
    assert world.status().phase == "Running"
    assert not world.container().ready
    assert world.events()["Warning", "Unhealthy", "Readiness probe failed: 503"].count >= 5


def test_logs_now_and_before(world):
    world.pod("x/crash:1")
    world.advance(1)
    assert world.log() == b"starting\n"
    refused = error(world.core.read_namespaced_pod_log, "p", "shop", previous=True)
    assert refused.status == 400
    assert refused.status_body["message"] == 'previous terminated container "app" in pod "p" not found'
    world.advance(4)
    assert world.log(previous=True) == b"starting\nfatal: no configuration\n\xff\xfe binary\n"
    assert world.log(timestamps=True) != world.log(timestamps=True, previous=True)
    world.advance(5)
    assert world.container().state.waiting.reason == "CrashLoopBackOff"
    last = world.log(timestamps=True)
    assert last == world.log(timestamps=True, previous=True), "what ended last is both"


def test_logs_are_bytes_and_can_be_cut(world):
    world.pod("x/chatty:1")
    world.advance(45)
    assert world.log() == b"s\ntick\n\x80tock\ntick\n\x80tock\n"
    assert world.log(tail_lines=1) == b"\x80tock\n"
    assert world.log(limit_bytes=4) == b"s\nti"
    assert world.log(since_seconds=10) == b"\x80tock\n"
    stamp, _, text = world.log(tail_lines=1, timestamps=True).partition(b" ")
    assert text == b"\x80tock\n"
    assert stamp.endswith(b"Z")
    response = world.core.read_namespaced_pod_log("p", "shop", _preload_content=False)
    assert response.headers["Content-Type"].startswith("text/plain")
    with pytest.raises(UnicodeDecodeError):
        world.core.read_namespaced_pod_log("p", "shop")


def test_a_container_that_never_started_has_no_log(world):
    world.pod(BROKEN)
    world.advance(5)
    refused = error(world.core.read_namespaced_pod_log, "p", "shop")
    assert refused.status == 400
    assert refused.status_body["message"] == (
        'container "app" in pod "p" is waiting to start: trying and failing to pull image'
    )


def test_a_pod_with_two_containers_wants_a_name(world):
    world.apps.create_namespaced_deployment("shop", deployment(replicas=1))
    world.advance(3)
    name = world.core.list_namespaced_pod("shop").items[0].metadata.name
    refused = error(world.core.read_namespaced_pod_log, name, "shop")
    assert refused.status_body["message"] == (
        f"a container name must be specified for pod {name}, choose one of: [app sidecar]"
    )
    assert world.log(name, container="sidecar") == b"hello\n"


def test_a_cordoned_cluster_places_nothing(world):
    for node in world.core.list_node().items:
        world.core.patch_node(node.metadata.name, {"spec": {"unschedulable": True}})
    world.pod(GOOD)
    world.advance(2)
    assert world.status().phase == "Pending"
    ((kind, reason, message),) = world.events()
    assert (kind, reason) == ("Warning", "FailedScheduling")
    assert message.startswith("0/3 nodes are available: 3 node(s) were unschedulable.")
    world.core.patch_node("node-1", {"spec": {"unschedulable": None}})
    world.advance(2)
    assert world.read().spec.node_name == "node-1"


def test_pods_are_found_by_node_and_phase(world):
    world.pod(GOOD, "a")
    world.pod(BROKEN, "b")
    world.advance(3)
    running = world.core.list_namespaced_pod("shop", field_selector="status.phase=Running").items
    assert [p.metadata.name for p in running] == ["a"]
    node = world.read("a").spec.node_name
    placed = world.core.list_pod_for_all_namespaces(field_selector=f"spec.nodeName={node}").items
    assert "a" in [p.metadata.name for p in placed]


def test_a_pod_that_may_not_restart_ends(world):
    world.pod("x/once:1", restartPolicy="Never")
    world.advance(5)
    assert world.status().phase == "Succeeded"
    assert world.container().state.terminated.reason == "Completed"


def test_a_new_image_restarts_a_container_in_place(world):
    world.pod(GOOD)
    world.advance(3)
    uid = world.read().metadata.uid
    world.core.patch_namespaced_pod("p", "shop", {"spec": {"containers": [{"name": "app", "image": "x/chatty:1"}]}})
    world.advance(3)
    assert (world.read().metadata.uid, world.container().restart_count) == (uid, 1)
    assert world.log() == b"s\n"
    refused = error(world.core.patch_namespaced_pod, "p", "shop", {"spec": {"nodeName": "node-9"}})
    assert refused.status == 422


def test_events_fade_after_an_hour(world):
    world.pod(GOOD)
    world.advance(5)
    assert world.events()
    world.advance(3600)
    assert not world.events()


def test_the_story_is_the_same_in_big_steps_and_small(run):
    def story(steps):
        world = World(run(lab_spec(images=IMAGES), clock=lambda: 1_800_000_000.0))
        world.pod("x/crash:1")
        for _ in range(steps):
            world.advance(600 / steps)
        counts = {key[:2] for key in world.events()}
        return world.container().restart_count, counts, json.dumps(world.log().decode("latin-1"))

    assert story(1) == story(40)

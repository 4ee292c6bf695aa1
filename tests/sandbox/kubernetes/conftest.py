"""Clusters for the tests: a stand-in that runs beside them, or a real cluster for what both must do alike.

With SIGNOFF_TEST_KUBECONFIG (a file, its current context may create namespaces and everything in them) the
tests that use the fixture `api` run against that cluster; the others need the control API and keep the stand-in.
"""

import asyncio
import os
import threading
import time
import uuid
from dataclasses import dataclass

import kubernetes
import pytest

from bot.sandbox import kubernetes as stand_in
from bot.sandbox.kubernetes.spec import EVERYTHING, ClusterSpec, ImageBehaviour, Stage

KUBECONFIG = os.environ.get("SIGNOFF_TEST_KUBECONFIG")
GOOD = "registry.k8s.io/pause:3.10"
BETTER = "registry.k8s.io/pause:3.9"
BROKEN = "registry.k8s.io/signoff/no-such-image:1"
PULL_ERROR = "rpc error: code = NotFound desc = no such image"


class Background:
    """A stand-in in a loop of its own thread, so that tests and the synchronous client may block."""

    def __init__(self, *clusters, **options):
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        start = stand_in.start(port=0, clusters=clusters, tick_seconds=0.05, seed=1, **options)
        self.sandbox = self._wait(start)

    def _wait(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(30)

    def run(self, function, *arguments):
        """Call a method of the stand-in on its own loop."""

        async def call():
            return function(*arguments)

        return self._wait(call())

    def client(self, context):
        return kubernetes.config.new_client_from_config_dict(self.sandbox.kubeconfig(), context=context)

    def advance(self, cluster, seconds):
        self.run(self.sandbox.clusters[cluster].advance, seconds)

    def stop(self):
        self._wait(self.sandbox.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@pytest.fixture
def run():
    """Start a stand-in with these clusters, for this test alone."""
    running = []

    def start(*clusters, **options):
        running.append(Background(*clusters, **options))
        return running[-1]

    yield start
    for background in running:
        background.stop()


def namespace(name):
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def lab_spec(name="prod", images=None, stages=(), **roles):
    """A small cluster whose images start at once."""
    behaviours = {
        GOOD: ImageBehaviour(pull_seconds=0.05, ready_after=0.05, start_log=("hello",)),
        BETTER: ImageBehaviour(pull_seconds=0.05, ready_after=0.05, start_log=("hello again",)),
        BROKEN: ImageBehaviour(pull_seconds=0.05, pull_error=PULL_ERROR),
        **(images or {}),
    }
    roles = {"admin": [EVERYTHING], **roles}
    return ClusterSpec(name, roles, (Stage(60, (namespace("shop"),)), *stages), behaviours)


@pytest.fixture(scope="session")
def lab():
    background = Background(lab_spec())
    yield background
    background.stop()


@dataclass
class Api:
    """The official client's typed APIs, bound to one identity, and the namespace to work in."""

    client: kubernetes.client.ApiClient
    namespace: str
    patience: float

    @property
    def core(self):
        return kubernetes.client.CoreV1Api(self.client)

    @property
    def apps(self):
        return kubernetes.client.AppsV1Api(self.client)

    @property
    def batch(self):
        return kubernetes.client.BatchV1Api(self.client)

    @property
    def policy(self):
        return kubernetes.client.PolicyV1Api(self.client)

    def eventually(self, probe, what=""):
        return eventually(probe, self.patience, what)

    def settled(self, name):
        """Wait until the rollout of a Deployment is complete and return it."""

        def probe():
            d = self.apps.read_namespaced_deployment(name, self.namespace)
            s = d.status
            done = s.observed_generation == d.metadata.generation and not s.unavailable_replicas
            return d if done and s.updated_replicas == s.replicas == s.available_replicas == d.spec.replicas else None

        return self.eventually(probe, f"{name} to be rolled out")


def eventually(probe, patience=10.0, what=""):
    """Ask until the answer is true, at most `patience` seconds, and return it."""
    deadline = time.monotonic() + patience
    while True:
        answer = probe()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {patience} s for {what or probe}, last answer {answer!r}")
        threading.Event().wait(0.03)


@pytest.fixture
def api(lab):
    name = f"signoff-{uuid.uuid4().hex[:8]}"
    if KUBECONFIG:
        client = kubernetes.config.new_client_from_config(KUBECONFIG)
        found = Api(client, name, 180.0)
    else:
        found = Api(lab.client("prod-admin"), name, 10.0)
    found.core.create_namespace(namespace(name))
    yield found
    found.core.delete_namespace(name)
    found.client.close()


def deployment(name="web", image=GOOD, replicas=2, **spec):
    """A Deployment with a sidecar, so that merges by name can be seen."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {
                    "terminationGracePeriodSeconds": 1,
                    "containers": [
                        {"name": "app", "image": image, "env": [{"name": "A", "value": "1"}]},
                        {"name": "sidecar", "image": GOOD},
                    ],
                },
            },
            **spec,
        },
    }


def error(call, *arguments, **options):
    """The ApiException of a call that has to fail, with its Status as `.status_body`."""
    import json

    with pytest.raises(kubernetes.client.ApiException) as caught:
        call(*arguments, **options)
    caught.value.status_body = json.loads(caught.value.body)
    return caught.value

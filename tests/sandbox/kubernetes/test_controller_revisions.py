import pytest

from tests.sandbox.kubernetes.conftest import BETTER, GOOD, deployment

LABEL = "controller-revision-hash"


class Sets:
    """One StatefulSet or DaemonSet named ``it`` and what the API says of it."""

    def __init__(self, api, kind):
        self.api, self.kind = api, kind
        word = "stateful_set" if kind == "StatefulSet" else "daemon_set"
        self._calls = {verb: getattr(api.apps, f"{verb}_namespaced_{word}") for verb in ("create", "patch", "delete")}
        body = deployment("it", replicas=2)
        body |= {"kind": kind}
        body["metadata"]["annotations"] = {"kubernetes.io/change-cause": "first"}
        if kind == "DaemonSet":
            del body["spec"]["replicas"]
        else:
            body["spec"]["serviceName"] = "it"
        self.least = body["spec"].get("replicas", 1)
        self._calls["create"](api.namespace, body)
        self.settled(GOOD)

    def change(self, **spec):
        self._calls["patch"]("it", self.api.namespace, {"spec": spec})

    def roll(self, image):
        template = {"spec": {"containers": [{"name": "app", "image": image}]}}
        self.change(template=template)
        self.settled(image)

    def delete(self):
        self._calls["delete"]("it", self.api.namespace)

    def pods(self):
        return self.api.core.list_namespaced_pod(self.api.namespace).items

    def settled(self, image):
        def probe():
            pods = self.pods()
            started = [pod.status.container_statuses or [] for pod in pods]
            ready = all(each and all(container.ready for container in each) for each in started)
            return len(pods) >= self.least and ready and {pod.spec.containers[0].image for pod in pods} == {image}

        self.api.eventually(probe)

    def revisions(self):
        found = self.api.apps.list_namespaced_controller_revision(self.api.namespace).items
        return sorted(found, key=lambda each: each.revision)


@pytest.fixture(params=["StatefulSet", "DaemonSet"])
def sets(api, request):
    return Sets(api, request.param)


def image_of(revision):
    return revision.data["spec"]["template"]["spec"]["containers"][0]["image"]


def test_each_template_is_kept_as_a_patch_that_replaces_it(sets):
    sets.roll(BETTER)
    first, second = sets.revisions()
    assert [(each.revision, image_of(each)) for each in (first, second)] == [(1, GOOD), (2, BETTER)]
    assert second.data["spec"]["template"]["$patch"] == "replace"
    assert second.metadata.labels["app"] == "it"
    assert first.metadata.annotations["kubernetes.io/change-cause"] == "first"
    (owner,) = second.metadata.owner_references
    assert (owner.kind, owner.name, owner.controller) == (sets.kind, "it", True)
    own = second.metadata.name if sets.kind == "StatefulSet" else second.metadata.labels[LABEL]
    assert {pod.metadata.labels[LABEL] for pod in sets.pods()} == {own}


def test_a_template_that_was_there_before_gets_a_new_number_and_no_second_revision(sets):
    sets.roll(BETTER)
    old = sets.revisions()[0]
    sets.roll(GOOD)
    second, again = sets.revisions()
    assert (again.metadata.uid, again.revision) == (old.metadata.uid, 3)
    assert (second.revision, image_of(second)) == (2, BETTER)


def test_only_so_many_are_kept(sets):
    sets.change(revisionHistoryLimit=1)
    sets.roll(BETTER)
    template = {"metadata": {"labels": {"third": "yes"}}}
    sets.change(template=template)
    sets.api.eventually(lambda: [each.revision for each in sets.revisions()] == [2, 3])


def test_they_go_with_what_they_belong_to(sets):
    assert sets.revisions()
    sets.delete()
    sets.api.eventually(lambda: not sets.revisions())

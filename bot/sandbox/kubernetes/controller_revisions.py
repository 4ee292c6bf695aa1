"""The history of StatefulSets and DaemonSets: a ControllerRevision for each pod template that they had.

Sources: pkg/controller/history/controller_history.go, pkg/controller/statefulset/stateful_set_control.go
(getStatefulSetRevisions, truncateHistory) and pkg/controller/daemon/update.go (constructHistory, cleanupHistory).
The two differ in a label and in whether revisions that pods still have count towards the limit.
"""

from __future__ import annotations

import copy
from collections.abc import Collection
from typing import Any, Final

from bot.sandbox.kubernetes.resources import CONTROLLER_REVISIONS, DAEMON_SETS, Resource
from bot.sandbox.kubernetes.store import Store
from bot.sandbox.kubernetes.workloads import REVISION_LABEL, owned_by, owner_reference, template_hash

Json = dict[str, Any]

_HASH_LABEL: Final = "controller.kubernetes.io/hash"


def pod_label(resource: Resource, revision: Json) -> str:
    """What a pod of this revision has as `controller-revision-hash`: a StatefulSet's the revision's whole name."""
    meta = revision["metadata"]
    return str(meta["labels"][REVISION_LABEL] if resource == DAEMON_SETS else meta["name"])


def history(store: Store, owner: Json) -> list[Json]:
    """The owner's revisions, the oldest first."""
    return sorted(owned_by(store, CONTROLLER_REVISIONS, owner), key=lambda revision: int(revision["revision"]))


def newest(store: Store, resource: Resource, owner: Json) -> Json:
    """The revision of the owner's template: an equal one gets a new number, else a new one is made."""
    known, data = history(store, owner), _data(owner)
    equal = next((revision for revision in reversed(known) if revision["data"] == data), None)
    if equal is None:
        return _make(store, resource, owner, data, known[-1]["revision"] + 1 if known else 1)
    if equal is known[-1]:
        return equal
    return store.change(
        CONTROLLER_REVISIONS, equal, lambda revision: revision.update(revision=known[-1]["revision"] + 1)
    )


def with_template_of(owner: Json, revision: Json) -> Json:
    """The owner as it was in this revision."""
    template = {key: value for key, value in revision["data"]["spec"]["template"].items() if key != "$patch"}
    return {**owner, "spec": {**owner["spec"], "template": template}}


def trim(store: Store, resource: Resource, owner: Json, live: Collection[str]) -> None:
    """Forget the oldest revisions above the limit, but none that pods have by one of these labels."""
    *old, _ = history(store, owner)
    idle = [revision for revision in old if pod_label(resource, revision) not in live]
    counted = old if resource == DAEMON_SETS else idle
    for revision in idle[: max(0, len(counted) - owner["spec"].get("revisionHistoryLimit", 10))]:
        store.remove(CONTROLLER_REVISIONS, revision)


def _data(owner: Json) -> Json:
    """A strategic merge patch (getPatch); Go writes the time that a template never has as null."""
    template = copy.deepcopy(owner["spec"]["template"])
    metadata = {"creationTimestamp": None, **(template.get("metadata") or {})}
    return {"spec": {"template": {"$patch": "replace", **template, "metadata": metadata}}}


def _make(store: Store, resource: Resource, owner: Json, data: Json, number: int) -> Json:
    meta = owner["metadata"]
    digest = template_hash(owner["spec"]["template"])
    label = REVISION_LABEL if resource == DAEMON_SETS else _HASH_LABEL
    metadata: Json = {
        "labels": {**((owner["spec"]["template"].get("metadata") or {}).get("labels") or {}), label: digest},
        "ownerReferences": [owner_reference(resource, owner)],
    }
    if meta.get("annotations"):
        metadata["annotations"] = dict(meta["annotations"])
    body = {"metadata": metadata, "data": data, "revision": number}
    return store.create(CONTROLLER_REVISIONS, meta["namespace"], f"{meta['name']}-{digest}", body)

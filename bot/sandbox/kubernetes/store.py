"""What one cluster holds: objects with uid and resourceVersion, and the events about them.

Sources: https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions (one counter, a
write that changes nothing does not move it), client-go/tools/record/events_cache.go (equal events are
counted, not repeated), kube-apiserver's `--event-ttl` of one hour.
"""

from __future__ import annotations

import copy
import random
import uuid
from collections.abc import Callable, Iterator
from typing import Any, Final

from bot.sandbox.kubernetes.clock import parse_time, rfc3339
from bot.sandbox.kubernetes.resources import EVENTS, SERVED, Resource

Json = dict[str, Any]

EVENT_TTL: Final = 3600.0
SAFE_LETTERS: Final = "bcdfghjklmnpqrstvwxz2456789"  # apimachinery/pkg/util/rand: no vowels, no words


class Store:
    """Objects by type, namespace and name.

    What `get` and `list` hand out is the stored object itself: callers read it and never change it.
    """

    def __init__(self, now: Callable[[], float], rng: random.Random) -> None:
        self.now = now
        self.rng = rng
        self.revision = 1000
        self.written_at = 0.0
        self._objects: dict[str, dict[tuple[str, str], Json]] = {r.plural: {} for r in SERVED}
        self._uids: set[str] = set()
        self._event_keys: dict[tuple[str, ...], tuple[str, str]] = {}

    def get(self, resource: Resource, namespace: str, name: str) -> Json | None:
        """The object, or None."""
        return self._objects[resource.plural].get((namespace, name))

    def list(self, resource: Resource, namespace: str = "") -> Iterator[Json]:
        """The objects of a type, of one namespace or of all, in the order of their keys."""
        objects = self._objects[resource.plural]
        for key in sorted(objects):
            if namespace in ("", key[0]) and key in objects:
                yield objects[key]

    def exists(self, uid: str) -> bool:
        """Whether an object with this uid is there."""
        return uid in self._uids

    def new_uid(self) -> str:
        """A fresh uid."""
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def suffix(self, length: int = 5) -> str:
        """The random end of a generated name."""
        return "".join(self.rng.choice(SAFE_LETTERS) for _ in range(length))

    def put(self, resource: Resource, obj: Json) -> Json:
        """Store `obj` under its name and return it, with a new resourceVersion when it differs from what
        was there."""
        meta = obj["metadata"]
        key = (meta.get("namespace", "") if resource.namespaced else "", meta["name"])
        before = self._objects[resource.plural].get(key)
        if before is not None:
            meta["resourceVersion"] = before["metadata"]["resourceVersion"]
            if obj == before:
                return before
        self.revision += 1
        self.written_at = self.now()
        meta["resourceVersion"] = str(self.revision)
        self._objects[resource.plural][key] = obj
        self._uids.add(meta["uid"])
        return obj

    def create(self, resource: Resource, namespace: str, name: str, body: Json) -> Json:
        """Store a controller's new object; `body` lacks what the server writes."""
        meta = {
            **body.get("metadata", {}),
            "name": name,
            **({"namespace": namespace} if resource.namespaced else {}),
            "uid": self.new_uid(),
            "creationTimestamp": rfc3339(self.now()),
        }
        if resource.counts_generations:
            meta["generation"] = 1
        obj = {"apiVersion": resource.api_version, "kind": resource.kind, **body, "metadata": meta}
        return self.put(resource, obj)

    def change(self, resource: Resource, obj: Json, change: Callable[[Json], None]) -> Json:
        """Apply a controller's change to a copy of `obj` and store that."""
        changed = copy.deepcopy(obj)
        change(changed)
        return self.put(resource, changed)

    def set_status(self, resource: Resource, obj: Json, status: Json) -> Json:
        """Store a new status; nothing happens when it is the old one."""
        if obj.get("status") == status:
            return obj
        return self.put(resource, {**obj, "metadata": dict(obj["metadata"]), "status": status})

    def remove(self, resource: Resource, obj: Json) -> None:
        """Take an object away."""
        meta = obj["metadata"]
        key = (meta.get("namespace", "") if resource.namespaced else "", meta["name"])
        if self._objects[resource.plural].pop(key, None) is not None:
            self.revision += 1
            self._uids.discard(meta["uid"])
            if resource != EVENTS:  # an event that expires is no news
                self.written_at = self.now()

    def event(
        self,
        about: Json,
        kind: str,
        reason: str,
        message: str,
        *,
        component: str,
        host: str = "",
        field_path: str = "",
        at: float | None = None,
    ) -> None:
        """Tell an event about an object; an equal one is counted instead of repeated.

        `kind` is Normal or Warning; `at` is the time it happened, by default now.
        """
        when = rfc3339(self.now() if at is None else at)
        meta = about["metadata"]
        namespace = meta.get("namespace") or "default"
        key = (meta["uid"], kind, reason, message, component, host, field_path)
        known = self._event_keys.get(key)
        event = self.get(EVENTS, *known) if known is not None else None
        if event is not None:
            self.put(
                EVENTS,
                {
                    **event,
                    "metadata": dict(event["metadata"]),
                    "count": event["count"] + 1,
                    "lastTimestamp": max(when, event["lastTimestamp"]),
                },
            )
            return
        name = f"{meta['name']}.{self.rng.getrandbits(64):016x}"
        self._event_keys[key] = (namespace, name)
        self.create(
            EVENTS,
            namespace,
            name,
            {
                "involvedObject": {
                    "apiVersion": about["apiVersion"],
                    "kind": about["kind"],
                    "name": meta["name"],
                    **({"namespace": meta["namespace"]} if meta.get("namespace") else {}),
                    "uid": meta["uid"],
                    "resourceVersion": meta["resourceVersion"],
                    **({"fieldPath": field_path} if field_path else {}),
                },
                "reason": reason,
                "message": message,
                "source": {"component": component, **({"host": host} if host else {})},
                "firstTimestamp": when,
                "lastTimestamp": when,
                "count": 1,
                "type": kind,
                "eventTime": None,
                "reportingComponent": component,
                "reportingInstance": host,
            },
        )

    def forget_old_events(self) -> None:
        """Drop the events that nobody has counted up for an hour."""
        limit = self.now() - EVENT_TTL
        for event in list(self.list(EVENTS)):
            if parse_time(event.get("lastTimestamp") or event["metadata"]["creationTimestamp"]) < limit:
                self.remove(EVENTS, event)
        gone = [key for key, place in self._event_keys.items() if self.get(EVENTS, *place) is None]
        for key in gone:
            del self._event_keys[key]

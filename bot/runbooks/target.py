"""The object that a plan is about: where it is, how it is read, and what of it the record keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from bot.runbooks.resources import ALERTMANAGER_API, ENDPOINT_API, GITHUB_API, KINDS, Resource

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Target:
    """One object of one cluster. ``uid`` tells it from a later one of the same name; ``owner`` is its controller."""

    cluster: str
    resource: Resource
    namespace: str
    name: str
    uid: str = ""
    owner: Mapping[str, str] | None = None

    @classmethod
    def of_record(cls, record: Json) -> Self:
        """Read a target of a plan's record."""
        return cls(
            cluster=record["cluster"],
            resource=KINDS[record["kind"]],
            namespace=record["namespace"],
            name=record["name"],
            uid=record["uid"],
            owner=record["owner"],
        )

    @property
    def path(self) -> str:
        """The path of the object. Raises ``ValueError`` on what cannot be a name."""
        return self.resource.path(self.namespace, self.name)

    @property
    def key(self) -> str:
        """What tells it from every other object, in every cluster; a lock is held on it."""
        # GitHub is the same from every cluster.
        place = "github" if self.resource.api_version == GITHUB_API else self.cluster
        return "/".join((place, self.resource.kind, self.namespace, self.name))

    @property
    def system(self) -> str:
        """Who is asked about it, as a sentence begins with."""
        beside = {
            GITHUB_API: "GitHub",
            ALERTMANAGER_API: f"The Alertmanager of cluster {self.cluster}",
            ENDPOINT_API: f"The endpoint {self.name}",
        }
        return beside.get(self.resource.api_version, f"Cluster {self.cluster}")

    def __str__(self) -> str:
        if self.resource.api_version == GITHUB_API:
            return f"{self.resource.kind} {self.namespace}#{self.name}"
        return f"{self.resource.kind} " + "/".join(part for part in (self.namespace, self.name) if part)


def controller(live: Json) -> dict[str, str] | None:
    """Return apiVersion, kind, name and uid of the object that controls ``live``, or None."""
    for owner in live["metadata"].get("ownerReferences") or []:
        if owner.get("controller"):
            return {key: str(owner.get(key, "")) for key in ("apiVersion", "kind", "name", "uid")}
    return None

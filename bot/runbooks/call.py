"""A rendered call, and the two things ever added to it: a resourceVersion to insist on, or a dry run.

A call is a request to the Kubernetes API, or to an Alertmanager or an endpoint, whose address is not in it: it comes
from the configuration.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Call:
    """One write, complete but for the precondition that is read just before it is sent."""

    method: str
    path: str
    content_type: str
    body: Any

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> Self:
        """Read a call of a plan's record."""
        return cls(record["method"], record["path"], record["content_type"], record["body"])

    @property
    def subresource(self) -> str:
        """The subresource of the Kubernetes API that the path names, if any."""
        return "eviction" if self.method == "POST" and self.path.endswith("/eviction") else ""

    def after(self, earlier: Call, *, before: Mapping[str, Any], between: Mapping[str, Any]) -> Call | None:
        """Return one call that does what ``earlier`` and this one do, for rehearsing them together; None if the API has
        no such call. Both are to the same object, which is ``before`` and, once the earlier is done, ``between``."""
        if (self.method, self.path) != (earlier.method, earlier.path):
            return None
        if {self.content_type, earlier.content_type} == {JSON_PATCH, MERGE_PATCH}:
            return self._operating_on(between).after(earlier._operating_on(before), before=before, between=between)
        if self.content_type != earlier.content_type:
            return None
        if self.content_type == JSON_PATCH:
            return replace(self, body=[*earlier.body, *self.body])
        return replace(self, body=_merged(earlier.body, self.body)) if self.content_type == MERGE_PATCH else None

    def _operating_on(self, live: Mapping[str, Any]) -> Call:
        """Return the patch as a JSON patch that does the same to ``live``."""
        if self.content_type == JSON_PATCH:
            return self
        return replace(self, content_type=JSON_PATCH, body=list(_operations(self.body, live)))

    def insisting(self, resource_version: str) -> Call:
        """Return the call that the server refuses with 409 unless the object still has ``resource_version``.

        A patch that sets metadata.resourceVersion to anything but the current one is a conflict, in every patch
        format; a deletion states it as a precondition. Creating is a conflict by itself if the object is there.
        """
        if self.method == "POST" and not self.subresource:
            return self
        if self.method == "DELETE":
            preconditions = {**self.body["preconditions"], "resourceVersion": resource_version}
            return replace(self, body={**self.body, "preconditions": preconditions})
        if self.subresource:
            options = self.body["deleteOptions"]
            preconditions = {**options["preconditions"], "resourceVersion": resource_version}
            return replace(self, body={**self.body, "deleteOptions": {**options, "preconditions": preconditions}})
        if self.content_type == JSON_PATCH:
            first = {"op": "replace", "path": "/metadata/resourceVersion", "value": resource_version}
            return replace(self, body=[first, *self.body])
        metadata = {**self.body.get("metadata", {}), "resourceVersion": resource_version}
        return replace(self, body={**self.body, "metadata": metadata})

    def rehearsal(self) -> Call:
        """Return the call as a dry run has to be sent.

        An API server that finds DeleteOptions in the body of a DELETE ignores the query, ``dryRun=All`` included
        (apiserver/pkg/endpoints/handlers/delete.go), so there the body must say it. The client adds the query.
        """
        if self.method == "DELETE":
            return replace(self, body={**self.body, "dryRun": ["All"]})
        if self.subresource:
            return replace(self, body={**self.body, "deleteOptions": {**self.body["deleteOptions"], "dryRun": ["All"]}})
        return self


def _operations(patch: Mapping[str, Any], live: Mapping[str, Any], place: str = "") -> Iterator[dict[str, Any]]:
    """A merge patch as the operations of a JSON patch: RFC 7396 as RFC 6902."""
    for key, value in patch.items():
        path = f"{place}/{key.replace('~', '~0').replace('/', '~1')}"
        if value is None:
            if key in live:
                yield {"op": "remove", "path": path}
        elif isinstance(value, Mapping) and isinstance(live.get(key), Mapping):
            yield from _operations(value, live[key], path)
        else:
            yield {"op": "add", "path": path, "value": _without_nulls(value)}


def _without_nulls(value: Any) -> Any:
    """What a merge patch makes of a value where there is none: a null in it is a key that is not there."""
    if not isinstance(value, Mapping):
        return value
    return {key: _without_nulls(item) for key, item in value.items() if item is not None}


def _merged(first: Any, second: Any) -> Any:
    """Merge two merge patches into the one that has the effect of both, the second after the first."""
    if not (isinstance(first, Mapping) and isinstance(second, Mapping)):
        return second
    return {**first, **{key: _merged(first.get(key), value) for key, value in second.items()}}

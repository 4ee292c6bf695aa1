"""A rendered call, and the two things ever added to it: a resourceVersion to insist on, or a dry run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Call:
    """One write to the Kubernetes API, complete but for the precondition that is read just before it is sent."""

    method: str
    path: str
    content_type: str
    body: Any

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> Self:
        """Read a call of a plan's record."""
        return cls(record["method"], record["path"], record["content_type"], record["body"])

    def insisting(self, resource_version: str) -> Call:
        """Return the call that the server refuses with 409 unless the object still has ``resource_version``.

        A patch that sets metadata.resourceVersion to anything but the current one is a conflict, in every patch
        format; a deletion states it as a precondition.
        """
        if self.method == "DELETE":
            preconditions = {**self.body["preconditions"], "resourceVersion": resource_version}
            return replace(self, body={**self.body, "preconditions": preconditions})
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
        return self

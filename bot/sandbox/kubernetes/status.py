"""The error bodies of the API server: `Status` objects with the real reasons and sentences.

Source: k8s.io/apimachinery/pkg/api/errors/errors.go (one function here for each `New…` there).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.sandbox.kubernetes.resources import Resource

Json = dict[str, Any]

MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


class ApiError(Exception):
    """A refusal of the API server; `body` is the Status object on the wire."""

    def __init__(self, code: int, reason: str, message: str, details: Json | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.body: Json = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            **({"reason": reason} if reason else {}),
            **({"details": details} if details is not None else {}),
            "code": code,
        }


@dataclass(frozen=True)
class Cause:
    """One `details.causes` entry of an Invalid status."""

    field: str
    reason: str
    message: str


def _details(resource: Resource | None, name: str = "") -> Json:
    if resource is None:
        return {}
    return {
        **({"name": name} if name else {}),
        **({"group": resource.group} if resource.group else {}),
        "kind": resource.plural,
    }


def not_found(resource: Resource, name: str) -> ApiError:
    """404 for an object that is not there."""
    return ApiError(404, "NotFound", f'{resource.qualified} "{name}" not found', _details(resource, name))


def no_such_path() -> ApiError:
    """404 for a path or resource type that the server does not serve."""
    return ApiError(404, "NotFound", "the server could not find the requested resource", {})


def already_exists(resource: Resource, name: str) -> ApiError:
    """409 for a create of an existing name."""
    return ApiError(409, "AlreadyExists", f'{resource.qualified} "{name}" already exists', _details(resource, name))


def conflict(resource: Resource, name: str, why: str = MODIFIED) -> ApiError:
    """409 for a precondition that no longer holds."""
    return ApiError(
        409,
        "Conflict",
        f'Operation cannot be fulfilled on {resource.qualified} "{name}": {why}',
        _details(resource, name),
    )


def unauthorized() -> ApiError:
    """401: no token, or one that we did not issue."""
    return ApiError(401, "Unauthorized", "Unauthorized")


def forbidden(resource: Resource | None, name: str, why: str) -> ApiError:
    """403; `why` begins with the user (rbac.explain)."""
    if resource is None:
        return ApiError(403, "Forbidden", f"forbidden: {why}", {})
    quoted = f' "{name}"' if name else ""
    return ApiError(403, "Forbidden", f"{resource.qualified}{quoted} is forbidden: {why}", _details(resource, name))


def bad_request(message: str) -> ApiError:
    """400."""
    return ApiError(400, "BadRequest", message)


def invalid(kind: str, group: str, name: str, causes: Sequence[Cause]) -> ApiError:
    """422 with one cause a field."""
    sentences = [f"{c.field}: {c.message}" if c.field else c.message for c in causes]
    joined = sentences[0] if len(sentences) == 1 else f"[{', '.join(sentences)}]"
    subject = f'{kind}{"." + group if group else ""} "{name}" is invalid' if kind else ' "" is invalid'
    return ApiError(
        422,
        "Invalid",
        f"{subject}: {joined}",
        {
            **({"name": name} if name else {}),
            **({"group": group} if group else {}),
            **({"kind": kind} if kind else {}),
            "causes": [{"reason": c.reason, "message": c.message, "field": c.field} for c in causes],
        },
    )


def too_many_requests(message: str, cause: Json) -> ApiError:
    """429 of a refused eviction: no Retry-After (registry/core/pod/storage/eviction.go)."""
    return ApiError(429, "TooManyRequests", message, {"causes": [cause]})


def method_not_allowed(resource: Resource, action: str) -> ApiError:
    """405."""
    return ApiError(
        405,
        "MethodNotAllowed",
        f'{action} is not supported on resources of kind "{resource.qualified}"',
        _details(resource),
    )


def unsupported_media_type(accepted: Sequence[str]) -> ApiError:
    """415 (apiserver endpoints/handlers/negotiation/errors.go)."""
    return ApiError(
        415,
        "UnsupportedMediaType",
        "the body of the request was in an unknown format - accepted media types include: " + ", ".join(accepted),
    )


def expired(message: str) -> ApiError:
    """410 for a continue token that is too old."""
    return ApiError(410, "Expired", message)


def not_played(what: str) -> ApiError:
    """501 for what the real server can do and this stand-in cannot: never an ok that would be a lie."""
    return ApiError(501, "", f"the Kubernetes stand-in does not play {what}")


def success(resource: Resource, name: str, uid: str) -> Json:
    """The Status that answers a delete."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {**_details(resource, name), "uid": uid},
    }

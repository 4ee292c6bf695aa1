"""How GitHub's API says no: a status, a message, and what is wrong with which field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

DOCUMENTATION = "https://docs.github.com/rest"


class Refusal(Exception):
    """An answer of 4xx in GitHub's shape: docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api."""

    def __init__(
        self,
        status: int,
        message: str,
        errors: Sequence[Any] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        self.answer: dict[str, Any] = {
            "message": message,
            "documentation_url": DOCUMENTATION,
            "status": str(status),
        }
        if errors:
            self.answer["errors"] = list(errors)


def not_found() -> Refusal:
    """What is not there, and what a token may not see: GitHub does not say which."""
    return Refusal(404, "Not Found")


def forbidden() -> Refusal:
    """A token that sees the repository but lacks the permission."""
    return Refusal(403, "Resource not accessible by integration")


def unprocessable(*errors: str) -> Refusal:
    """A review that cannot be made: nothing of it is."""
    return Refusal(422, "Unprocessable Entity", errors)


def invalid(resource: str, field: str, message: str, code: str = "custom") -> Refusal:
    """A field with a value that is not taken."""
    error = {"resource": resource, "code": code, "field": field, "message": message}
    return Refusal(422, "Validation Failed", [error])

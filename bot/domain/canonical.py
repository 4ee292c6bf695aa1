"""Canonical JSON (RFC 8785) and its digest: the one form in which things are bound, compared and chained."""

from __future__ import annotations

import hashlib
from typing import Any

import rfc8785


def canonical(data: Any) -> bytes:
    """Serialise plain JSON data to its one canonical form. Raises ``ValueError`` on what JSON cannot carry exactly."""
    try:
        return rfc8785.dumps(data)
    except rfc8785.CanonicalizationError as error:
        raise ValueError(f"not canonical JSON: {error}") from error


def digest(data: bytes) -> str:
    """Return the lower-case hex SHA-256 of ``data``."""
    return hashlib.sha256(data).hexdigest()

"""Cursors: how a list is given out in pieces."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any, TypeVar

from bot.sandbox.slack.local import SlackError

T = TypeVar("T")


def page_of(entries: Sequence[T], args: dict[str, Any], *, default: int, most: int) -> tuple[list[T], str]:
    """The piece that `limit` and `cursor` ask for, and the next cursor ("" at the end)."""
    limit = args.get("limit", default)
    if not 1 <= limit <= most:
        raise SlackError("invalid_limit")
    start = _offset(args.get("cursor", ""))
    piece = list(entries[start : start + limit])
    following = start + limit
    return piece, base64.b64encode(f"offset:{following}".encode()).decode() if following < len(entries) else ""


def _offset(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        kind, _, value = base64.b64decode(cursor, validate=True).decode().partition(":")
        if kind == "offset":
            return max(0, int(value))
    except (binascii.Error, ValueError):
        pass
    raise SlackError("invalid_cursor")

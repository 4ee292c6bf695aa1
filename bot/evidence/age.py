"""How long ago: Kubernetes' timestamps as integer microseconds, and spans as ``kubectl`` writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant(value: Any) -> int | None:
    """Read a timestamp of the API (RFC 3339) as microseconds since the epoch; None if it is absent or not one."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(microseconds=1)


def span(microseconds: int) -> str:
    """Write a length of time with at most two units: ``45s``, ``12m``, ``5h43m``, ``3d4h``."""
    seconds = max(0, microseconds) // 1_000_000
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    if days >= 10:
        return f"{days}d"
    if days:
        return f"{days}d{hours}h" if hours else f"{days}d"
    if hours:
        return f"{hours}h{minutes}m" if minutes else f"{hours}h"
    if minutes >= 10:
        return f"{minutes}m"
    if minutes:
        return f"{minutes}m{seconds % 60}s" if seconds % 60 else f"{minutes}m"
    return f"{seconds}s"


def ago(then: int | None, now: int) -> str:
    """Write how long before ``now`` something was; empty if it is not known."""
    if then is None:
        return ""
    return "just now" if now - then < 1_000_000 else f"{span(now - then)} ago"

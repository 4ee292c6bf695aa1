"""Alertmanager's webhook, version 4: bound it, parse it, and say plainly what is wrong with a bad one.

Lenient towards keys we do not know (newer versions add some), strict about the shape of those we use.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.domain.alert import Alert, AlertStatus, Delivery
from bot.domain.joining import HEADLINE
from bot.intake import structure

ZERO_TIME = "0001-01-01T00:00:00Z"  # Go's zero time: Alertmanager sends it as endsAt while an alert fires
CUT = "… [cut: too long]"
_MAX_KEY = 64 * 1024
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a body may be at most, and how much of its texts is kept. Alertmanager sends a refused body again and again,
    so what a rule's author may write at length is cut, and no alert is refused for it."""

    bytes: int = 32 * 1024 * 1024
    alerts: int = 25_000
    depth: int = 32
    annotations: int = 256
    value: int = 64 * 1024
    containers: int = 1_000_000
    items: int = 4_000_000


class Refused(Exception):
    """The body is not a webhook we can take; the message says what is wrong and where, never quoting the body."""


def parse(body: bytes | bytearray, *, source: str, bounds: Bounds) -> Delivery:
    """Turn a webhook body into a ``Delivery``. Raises ``Refused`` with the key that is wrong and what is accepted."""
    # Counted before parsing: 32 MiB of "[]," would become a gigabyte of lists.
    most = bounds.containers, bounds.items
    if not structure.at_most(body).within(*most) and not structure.of(body).within(*most):
        raise Refused("the body holds more objects or items than any webhook of Alertmanager")
    data = _object(_json(body, bounds.depth), "the body")
    version = data.get("version")
    if version != "4":
        raise Refused('version: expected "4", the version of Alertmanager\'s webhook body')
    group_key = _text(data, "groupKey")
    if not group_key or len(group_key) > _MAX_KEY:
        raise Refused(f"groupKey: expected 1 to {_MAX_KEY} characters")
    listed = data.get("alerts")
    if not isinstance(listed, list):
        raise Refused("alerts: expected a list")
    if len(listed) > bounds.alerts:
        raise Refused(f"alerts: {len(listed)} are more than the {bounds.alerts} that one body may hold")
    return Delivery(
        source=source,
        receiver=_text(data, "receiver")[: bounds.value],
        group_key=group_key,
        group_labels=_texts(data, "groupLabels"),
        common_labels=_texts(data, "commonLabels"),
        common_annotations=_shortened(_texts(data, "commonAnnotations"), bounds),
        external_url=_text(data, "externalURL")[: bounds.value],
        truncated_alerts=_count(data, "truncatedAlerts"),
        alerts=tuple(_alert(item, f"alerts[{index}]", bounds) for index, item in enumerate(listed)),
    )


def _json(body: bytes | bytearray, depth: int) -> Any:
    try:
        data = json.loads(body.decode(), parse_constant=_no_number)
    except RecursionError:
        raise Refused(f"the body is nested deeper than {depth} levels") from None
    except UnicodeDecodeError:
        raise Refused("the body is not UTF-8") from None
    except ValueError as error:
        where = f" at line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise Refused(f"the body is not JSON{where}") from None
    level = [data] if isinstance(data, (dict, list)) else []
    for _ in range(depth):
        level = [
            child
            for parent in level
            for child in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(child, (dict, list))
        ]
        if not level:
            return data
    raise Refused(f"the body is nested deeper than {depth} levels")


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number in JSON")


def _alert(item: Any, where: str, bounds: Bounds) -> Alert:
    data = _object(item, where)
    status = data.get("status")
    if status not in ("firing", "resolved"):
        raise Refused(f'{where}.status: expected "firing" or "resolved"')
    checked: AlertStatus = status
    fingerprint = _text(data, "fingerprint", where)
    if not 1 <= len(fingerprint) <= 64:
        raise Refused(f"{where}.fingerprint: expected 1 to 64 characters")
    ends_at = _time(data, "endsAt", where) if data.get("endsAt", ZERO_TIME) != ZERO_TIME else None
    return Alert(
        fingerprint=fingerprint,
        starts_at=_time(data, "startsAt", where),
        status=checked,
        ends_at=ends_at if status == "resolved" else None,
        labels=_texts(data, "labels", where),
        annotations=_shortened(_texts(data, "annotations", where), bounds),
        generator_url=_text(data, "generatorURL", where)[: bounds.value],
    )


def _object(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise Refused(f"{where}: expected an object")
    return value


def _text(data: Mapping[str, Any], key: str, where: str = "") -> str:
    value = data.get(key, "")
    if not isinstance(value, str):
        raise Refused(f"{_path(where, key)}: expected a string")
    return _storable(value)


def _texts(data: Mapping[str, Any], key: str, where: str = "") -> Mapping[str, str]:
    """Read labels or annotations. Labels are kept whole, since a part of them would name something else."""
    value = data.get(key)
    path = _path(where, key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Refused(f"{path}: expected an object of strings")
    if not all(isinstance(text, str) for text in value.values()):
        raise Refused(f"{path}: expected every value to be a string")
    return {_storable(name): _storable(text) for name, text in value.items()}


def _shortened(annotations: Mapping[str, str], bounds: Bounds) -> Mapping[str, str]:
    """Leave out surplus annotations, but none that a headline may quote, and cut long ones, which then say so."""
    if len(annotations) > bounds.annotations:
        first = sorted(annotations, key=lambda name: name not in HEADLINE)[: bounds.annotations]
        annotations = {name: annotations[name] for name in first}
    return {
        name[: bounds.value]: text if len(text) <= bounds.value else text[: bounds.value - len(CUT)] + CUT
        for name, text in annotations.items()
    }


def _count(data: Mapping[str, Any], key: str) -> int:
    value = data.get(key, 0)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
        raise Refused(f"{key}: expected a whole number of 0 or more")
    return value


def _time(data: Mapping[str, Any], key: str, where: str) -> int:
    value = data.get(key)
    try:
        if not isinstance(value, str) or "T" not in value:
            raise ValueError
        instant = datetime.fromisoformat(value)
        if instant.tzinfo is None:
            raise ValueError
        delta = instant - _EPOCH
    except (ValueError, OverflowError):
        raise Refused(f"{_path(where, key)}: expected a time like 2026-11-21T07:40:25Z") from None
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def _storable(text: str) -> str:
    # PostgreSQL stores no NUL, and no database stores half a surrogate pair.
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "�").encode("utf-8", "replace").decode("utf-8")


def _path(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key

"""Webhook bodies of the kinds that Alertmanager sends, made by hand."""

from __future__ import annotations

import json
from typing import Any

ZERO = "0001-01-01T00:00:00Z"


def alert(name: str = "CheckoutDown", *, status: str = "firing", fingerprint: str = "", **more: Any) -> dict[str, Any]:
    """One alert as it stands in a body."""
    made = {
        "status": status,
        "labels": {"alertname": name, "cluster": "prod", "namespace": "shop", "severity": "critical"},
        "annotations": {"summary": f"{name}: nothing answers."},
        "startsAt": "2026-11-21T07:40:25.123456789Z",
        "endsAt": ZERO if status == "firing" else "2026-11-21T07:52:01.5Z",
        "generatorURL": "http://prometheus:9090/graph?g0.expr=up",
        "fingerprint": fingerprint or f"{abs(hash(name)):016x}"[:16],
    }
    return {**made, **more}


def body(*alerts: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A whole body, of version 4."""
    made = {
        "receiver": "signoff",
        "status": "firing" if any(each["status"] == "firing" for each in alerts) else "resolved",
        "alerts": list(alerts),
        "groupLabels": {"alertname": "CheckoutDown"},
        "commonLabels": {"alertname": "CheckoutDown", "namespace": "shop"},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager:9093",
        "version": "4",
        "groupKey": '{}/{severity="critical"}:{alertname="CheckoutDown"}',
        "truncatedAlerts": 0,
    }
    return {**made, **more}


def encoded(data: Any) -> bytes:
    """The bytes of a body."""
    return json.dumps(data).encode()

"""Webhook bodies of a storm: groups of many alerts, about the size that a real Alertmanager sends."""

from __future__ import annotations

import hashlib
import json


def body(group: int, alerts: int, *, status: str = "firing", deployment: str = "checkout") -> bytes:
    """Return one delivery of a group of `alerts` alerts, about 620 bytes each as Alertmanager's are."""
    common = {
        "alertname": "KubePodNotReady",
        "cluster": "prod",
        "deployment": deployment,
        "namespace": "shop",
        "severity": "warning",
        "storm": f"{group:05}",
    }
    return json.dumps(
        {
            "receiver": "signoff",
            "status": status,
            "alerts": [_alert(group, index, common, status) for index in range(alerts)],
            "groupLabels": {"storm": common["storm"]},
            "commonLabels": common,
            "commonAnnotations": {},
            "externalURL": "http://alertmanager.example:9093",
            "version": "4",
            "groupKey": f'{{}}/{{team="shop"}}:{{storm="{common["storm"]}"}}',
            "truncatedAlerts": 0,
        }
    ).encode()


def _alert(group: int, index: int, common: dict[str, str], status: str) -> dict[str, object]:
    pod = f"checkout-{hashlib.sha256(f'{group}/{index}'.encode()).hexdigest()[:10]}"
    labels = common | {"pod": pod, "container": "checkout", "instance": f"10.2.{index}.7:8080", "job": "kube-state"}
    return {
        "status": status,
        "labels": labels,
        "annotations": {
            "description": f"Pod shop/{pod} has been in a non-ready state for longer than fifteen minutes.",
            "summary": "The pod has not been ready for fifteen minutes.",
        },
        "startsAt": "2026-11-21T10:00:00.123Z",
        "endsAt": "0001-01-01T00:00:00Z" if status == "firing" else "2026-11-21T10:20:00.456Z",
        "generatorURL": "http://prometheus.example:9090/graph?g0.expr=kube_pod_status_ready%7Bcondition%3D%22false%22%7D",
        "fingerprint": hashlib.sha256(pod.encode()).hexdigest()[:16],
    }

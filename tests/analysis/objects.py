"""Incidents and evidence facts, as short as a specification wants them."""

from dataclasses import replace
from typing import Any

from bot.analysis import facts
from bot.analysis.offers import RunbookOffer
from bot.domain.alert import Alert
from bot.domain.evidence import Evidence
from bot.domain.incident import Incident, Subject

NOW = 1_795_000_000_000_000
MINUTE = 60_000_000
NAME = {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", "maxLength": 253}


def incident(**more: Any) -> Incident:
    name = more.pop("alertname", "KubePodCrashLooping")
    given = Incident(
        id="i1",
        number=7,
        group_id="g1",
        source="prod",
        status="open",
        severity="warning",
        title=name,
        summary="Something is wrong.",
        subject=Subject("prod", "prod", "shop", "Deployment", "checkout"),
        labels={"alertname": name, "namespace": "shop", "deployment": "checkout"},
        firing=1,
        total=1,
        truncated=0,
        opened_at=NOW,
        last_seen_at=NOW,
        resolved_at=None,
        reopened=0,
        previous=None,
    )
    return replace(given, **more)


def alert(**more: Any) -> Alert:
    given = Alert("f1", NOW, "firing", None, {"alertname": "KubePodCrashLooping"}, {"summary": "Something is wrong."})
    return replace(given, **more)


def item(id: str, kind: str, facts: dict[str, Any] | None = None, text: str = "", **more: Any) -> Evidence:
    given = Evidence(id, kind, f"{kind} of checkout", "kubernetes", "GET …", NOW, text=text, facts=facts or {})
    return replace(given, **more)


def workload(id: str = "E1", **more: Any) -> Evidence:
    given = {
        "kind": "Deployment",
        "namespace": "shop",
        "name": "checkout",
        "uid": "u1",
        "desired": 3,
        "updated": 3,
        "ready": 3,
        "conditions": [],
        "containers": [
            {"name": "app", "image": "registry.example/shop/checkout:2", "requests": {}, "limits": {"memory": "256Mi"}}
        ],
        "owners": [],
    }
    return item(id, "workload", given | more)


def container(name: str = "app", *, state: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    given = {
        "name": name,
        "image": "registry.example/shop/checkout:2",
        "ready": False,
        "restarts": 0,
        "init": False,
        "state": state or {"kind": "running"},
        "last_state": None,
    }
    return given | more


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {"kind": "waiting", "reason": reason, "message": message}


def terminated(code: int, reason: str = "Error", message: str = "") -> dict[str, Any]:
    return {"kind": "terminated", "reason": reason, "message": message, "exit_code": code}


def crashing(code: int, reason: str = "Error", message: str = "", restarts: int = 5) -> dict[str, Any]:
    return container(state=waiting("CrashLoopBackOff"), last_state=terminated(code, reason, message), restarts=restarts)


def pod(name: str = "checkout-new-1", *containers: dict[str, Any], **more: Any) -> dict[str, Any]:
    given = {
        "name": name,
        "phase": "Running",
        "node": "node-1",
        "ready": False,
        "restarts": max((one["restarts"] for one in containers), default=0),
        "age_seconds": 600,
        "template_hash": "new",
        "conditions": [],
        "containers": list(containers),
    }
    return given | more


def well(name: str = "checkout-old-1", hash: str = "old") -> dict[str, Any]:
    return pod(name, container(ready=True), ready=True, template_hash=hash)


def pods(*given: dict[str, Any], id: str = "E2") -> Evidence:
    return item(id, "pods", {"total": len(given), "ready": 0, "pods": list(given)})


def event(reason: str, message: str, **more: Any) -> dict[str, Any]:
    about = {"kind": more.pop("kind", "Pod"), "name": more.pop("name", "checkout-new-1")}
    return {"type": "Warning", "reason": reason, "message": message, "count": 3, "object": about} | more


def events(*given: dict[str, Any], id: str = "E3") -> Evidence:
    return item(id, "events", {"events": list(given)})


def rollout(*changes: tuple[str, Any, Any], id: str = "E4", created_at: int = NOW - 10 * MINUTE) -> Evidence:
    changed = changes or (
        ("containers[app].image", "registry.example/shop/checkout:1", "registry.example/shop/checkout:2"),
    )
    return item(
        id,
        "rollout",
        {
            "current": 5,
            "revisions": [
                {
                    "revision": 5,
                    "replicaset": "checkout-new",
                    "created_at": created_at,
                    "images": ["registry.example/shop/checkout:2"],
                    "changes": [{"path": path, "before": before, "after": after} for path, before, after in changed],
                },
                {
                    "revision": 4,
                    "replicaset": "checkout-old",
                    "created_at": NOW - 10_000 * MINUTE,
                    "images": ["registry.example/shop/checkout:1"],
                    "changes": [],
                },
            ],
        },
    )


def log(text: str, *, id: str = "E5", pod: str = "checkout-new-1", previous: bool = False) -> Evidence:
    return item(id, "logs", {"pod": pod, "container": "app", "previous": previous}, text=text)


def nodes(*given: dict[str, Any], id: str = "E6") -> Evidence:
    return item(id, "nodes", {"nodes": list(given)})


def node(name: str = "node-1", *conditions: tuple[str, str, str], ready: bool = True) -> dict[str, Any]:
    told = [{"type": kind, "status": status, "message": message} for kind, status, message in conditions]
    return {"name": name, "ready": ready, "conditions": told}


def seen(*evidence: Evidence, about: Incident | None = None, alerts: tuple[Alert, ...] = ()) -> facts.Facts:
    return facts.read(about or incident(), alerts or (alert(),), evidence)


def offer(id: str, kind: str, **properties: Any) -> RunbookOffer:
    schema = {
        "type": "object",
        "additionalProperties": False,
        "required": ["namespace", kind.lower()],
        "properties": {"namespace": NAME, kind.lower(): NAME, **properties},
    }
    return RunbookOffer(id, id.replace("-", " "), f"Does {id}.", "low", schema, (kind,))


OFFERS = (
    offer("restart-deployment", "Deployment"),
    offer("rollback-deployment", "Deployment", revision={"type": "integer", "minimum": 0, "default": 0}),
    offer("delete-pod", "Pod"),
)

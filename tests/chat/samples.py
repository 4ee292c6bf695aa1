"""The shop's story as plain data: an incident, its evidence and triage, and the plan to roll `checkout` back."""

from dataclasses import replace
from typing import Any

from bot.domain.alert import Alert
from bot.domain.approval import Approval, Person
from bot.domain.canonical import digest
from bot.domain.evidence import Evidence
from bot.domain.incident import Incident, Subject
from bot.domain.plan import Plan
from bot.domain.triage import Cause, Proposal, Triage

MINUTE = 60_000_000
NOW = 1_795_255_320_000_000  # 2026-11-21 10:02 UTC
LEE = Person("T0SHOP", "U0LEE")

INCIDENT = Incident(
    id="i142",
    number=142,
    group_id="g1",
    source="alertmanager-eu",
    status="open",
    severity="critical",
    title="KubeDeploymentReplicasMismatch, CheckoutErrorRate",
    summary="checkout answers 12.4% of requests with 5xx; the new release does not become ready",
    subject=Subject("prod", "prod", "shop", "Deployment", "checkout"),
    labels={"cluster": "prod", "namespace": "shop", "deployment": "checkout"},
    firing=2,
    total=2,
    truncated=0,
    opened_at=NOW - 12 * MINUTE,
    last_seen_at=NOW,
    resolved_at=None,
    reopened=0,
    previous=None,
)


def alert(name: str, *, status: str = "firing", **labels: str) -> Alert:
    return Alert(
        fingerprint=digest(name.encode())[:16],
        starts_at=INCIDENT.opened_at,
        status="firing" if status == "firing" else "resolved",
        ends_at=None,
        labels={**INCIDENT.labels, "alertname": name, **labels},
        annotations={},
    )


def evidence(id: str, kind: str, title: str, text: str = "", *, error: str | None = None, **facts: Any) -> Evidence:
    source, query = "kubernetes prod", f"GET /apis/apps/v1/namespaces/shop/{kind}"
    return Evidence(id, kind, title, source, query, NOW - 11 * MINUTE, text, facts, error)


EVIDENCE = (
    evidence(
        "E1",
        "workload",
        "Deployment shop/checkout",
        "2 of 3 ready\nProgressing=False (ProgressDeadlineExceeded)",
        ready=2,
        desired=3,
        paused=False,
    ),
    evidence(
        "E2",
        "pods",
        "Pods of checkout",
        "checkout-6c9f 0/1 ImagePullBackOff",
        pods=[
            {
                "name": "checkout-6c9f",
                "phase": "Pending",
                "containers": [
                    {"name": "checkout", "state": {"kind": "waiting", "reason": "ImagePullBackOff"}, "last_state": None}
                ],
            }
        ],
    ),
    evidence("E3", "events", "Events", 'Failed to pull image "registry.shop/checkout:4.18.0": not found', events=[]),
    evidence(
        "E4",
        "rollout",
        "Rollout history",
        "revision 7 (now): image 4.18.0\nrevision 6: image 4.17.3",
        current=7,
        revisions=[
            {
                "revision": 7,
                "changes": [
                    {
                        "path": "containers[checkout].image",
                        "before": "registry.shop/checkout:4.17.3",
                        "after": "registry.shop/checkout:4.18.0",
                    }
                ],
            }
        ],
    ),
    evidence("E5", "logs", "Log of checkout-6c9f", error="the container has not started, so there is no log"),
)

TRIAGE = Triage(
    severity="critical",
    category="image-pull",
    summary="The new release's image cannot be pulled.",
    causes=(
        Cause(
            "Revision 7 asks for image checkout:4.18.0, which the registry does not have.", "high", ("E2", "E3", "E4")
        ),
        Cause("The pull secret of the namespace may have expired.", "low", ("E3",)),
    ),
    unknowns=("Whether 4.18.0 was ever pushed.",),
    proposals=(Proposal("rollback-deployment", {"namespace": "shop", "deployment": "checkout"}, ("E4",)),),
    analyst="rules",
)

DIFF = """Deployment shop/checkout
@@ spec.template.spec.containers[checkout]
    - name: checkout
-     image: registry.shop/checkout:4.18.0
+     image: registry.shop/checkout:4.17.3
"""


def record(**changes: Any) -> dict[str, Any]:
    """A plan's record as `bot/runbooks/plan.py` describes it."""
    diff = changes.pop("diff", DIFF)
    shown, complete = changes.pop("shown", diff), changes.pop("complete", True)
    return {
        "schema": 1,
        "matter": {"id": "i142", "name": "INC-142"},
        "runbook": {
            "id": "rollback-deployment",
            "version": 1,
            "digest": "5f" * 32,
            "title": "Roll back a Deployment",
            "risk": "medium",
        },
        "parameters": {"namespace": "shop", "deployment": "checkout", "revision": 0},
        "cluster": "prod",
        "targets": [target("checkout")],
        "calls": [{"step": "rollback", "action": "deployment-rollback", "method": "PATCH", "path": "/apis/…"}],
        "dry_run": [
            {
                "call": 0,
                "diff": shown,
                "sha256": digest(diff.encode()),
                "complete": complete,
                "lines": diff.count("\n"),
                "added": 1,
                "removed": 1,
            }
        ],
        "change_sha256": digest(diff.encode()),
        "effect": ["Revision 6 comes back; all 3 pods of checkout will be replaced, one at a time."],
        "undo": ["Roll back again, to revision 7."],
        "verification": {
            "check": "rollout-healthy",
            "waits_for": "every wanted pod is of the newest template and available",
            "deadline_seconds": 600,
            "stable_seconds": 10,
        },
        "evidence": ["E2", "E3", "E4"],
        "proposed_by": "rules",
        "needs": [need("approvers", *MEMBERS)],
        "quorum": 1,
        "requester": None,
        "policy_digest": "cd" * 32,
        "catalogue_digest": "ef" * 32,
        "created_at": NOW,
        "expires_at": NOW + 60 * MINUTE,
        **changes,
    }


MEMBERS = (
    {"team_id": "T0SHOP", "user_id": "U0LEE", "name": "Lee"},
    {"team_id": "T0SHOP", "user_id": "U0PRIYA", "name": "Priya"},
)


def need(group: str, *members: dict[str, str], count: int = 1) -> dict[str, Any]:
    return {"group": group, "count": count, "members": list(members)}


def target(name: str) -> dict[str, Any]:
    return {
        "cluster": "prod",
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "namespace": "shop",
        "name": name,
        "uid": "0c5a7a0e-94c8-4b7e-9d5b-6f1b4f2f9f11",
        "generation": 7,
        "fields": "12" * 32,
        "owner": None,
        "preconditions": [{"check": "rollout-not-paused", "observed": False, "sentence": "The rollout is not paused."}],
    }


def approval(record: dict[str, Any], **changes: Any) -> Approval:
    """The pending request for a record, its digest as the plan has it."""
    pending = Approval(
        id="a77",
        number=77,
        matter_id="i142",
        digest=Plan.of(record).digest,
        runbook="rollback-deployment",
        cluster="prod",
        state="pending",
        requester=None,
        created_at=NOW,
        expires_at=NOW + 60 * MINUTE,
    )
    return replace(pending, **changes)

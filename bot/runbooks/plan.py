"""Planning: one use of a runbook becomes one record that is shown, approved and run, or a refusal that says why.

The record (canonical JSON, ``Plan.record``) holds everything that an approval card shows and that execution needs:

``schema``, ``incident`` {id, number}, ``runbook`` {id, version, digest, title, risk}, ``parameters``, ``cluster``,
``targets`` [{cluster, apiVersion, kind, namespace, name, uid, generation, fields, owner, preconditions [{check,
observed, sentence}]}], ``calls`` [{step, action, target, method, path, content_type, body, timeout_seconds}],
``dry_run`` [{diff, sha256, complete, lines, added, removed, result}], ``effect`` [sentence], ``undo`` [sentence],
``verification`` {check, deadline_seconds, stable_seconds, before {ready, desired}}, ``evidence`` [id], ``proposed_by``,
``needs`` [{group, count, members [{team_id, user_id, name}]}], ``quorum``, ``requester`` and ``on_behalf_of``
{team_id, user_id} or null, ``requester_may_approve``, ``policy_digest``, ``catalogue_digest``, ``created_at``,
``expires_at``.

``fields`` and ``result`` are hashes of what the action reads or writes: before, and in the dry run's answer. Every
sentence is made by code from the runbook and the cluster; no word of a model is in it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from bot.clients.kubernetes import Kubernetes, is_name
from bot.domain.approval import Need, Person
from bot.domain.canonical import canonical
from bot.domain.plan import SCHEMA, Plan
from bot.domain.runbook import Runbook
from bot.runbooks import diff, parameters, template
from bot.runbooks.access import Access, AccessFailed
from bot.runbooks.actions import ACTIONS
from bot.runbooks.actions.action import Rendered, Unsuitable, fingerprint
from bot.runbooks.call import Call
from bot.runbooks.checks import HEALTH, PRECONDITIONS
from bot.runbooks.checks.check import Look, Observed
from bot.runbooks.resources import KINDS
from bot.runbooks.target import Target, controller

Json = Mapping[str, Any]

MAX_RECORD = 1024 * 1024
"""Bytes of a record; a Kubernetes object has at most 1.5 MiB in etcd, and a plan holds a part of one."""
ATTEMPTS = 3
"""How often a dry run is tried anew when the object changes under it; status updates make that common."""


@dataclass(frozen=True, slots=True)
class PlanContext:
    """What a plan is bound to beside the runbook and the cluster. ``now`` is in microseconds."""

    incident_id: str
    incident_number: int
    cluster: str
    evidence: tuple[str, ...]
    proposed_by: str
    needs: tuple[Need, ...]
    quorum: int
    requester: Person | None
    now: int
    ttl_seconds: int
    catalogue_digest: str
    policy_digest: str
    on_behalf_of: Person | None = None
    requester_may_approve: bool = False


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and for each call the full diff whose SHA-256 its record holds."""

    plan: Plan
    full_diffs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there is no plan, and what to do. ``code`` is one word for code and metrics."""

    code: str
    sentence: str


async def make(
    runbook: Runbook,
    given: Mapping[str, Any],
    *,
    kubernetes: Kubernetes,
    context: PlanContext,
    redact: Callable[[Any], Any],
) -> Planned | Refusal:
    """Plan one use of ``runbook``; nothing is changed in the cluster.

    ``kubernetes`` is the identity that will run it, so that the dry run asks for the same rights. ``redact`` takes
    plain JSON and hides secrets in it; the diff is made of what it returns. The stricter of the runbook and the
    context decides quorum and lifetime.
    """
    if kubernetes.cluster != context.cluster:
        return Refusal("cluster", f"The plan is for cluster {context.cluster}, not for {kubernetes.cluster}.")
    values, problems = parameters.complete(runbook.parameters, given)
    if problems:
        return Refusal("parameters", f"{runbook.title} cannot be used like this: {'; '.join(problems)}.")
    aim = _aim(runbook, values, context.cluster)
    if not (is_name(aim.namespace) and is_name(aim.name)):
        return Refusal("parameters", f"{aim} cannot be the name of a Kubernetes object.")
    access = Access(kubernetes)
    try:
        for _ in range(ATTEMPTS):
            drafted = await _draft(runbook, values, aim, access, context.now, redact)
            if drafted is not None:
                break
        else:
            return Refusal("conflict", f"{aim} keeps changing while it is planned; plan again in a moment.")
        if isinstance(drafted, Refusal):
            return drafted
        plan = Plan.of(_record(runbook, values, drafted, context))
    except AccessFailed as failure:
        return Refusal(failure.code, failure.sentence)
    except diff.TooLarge as error:
        return Refusal("too-large", f"The change of {aim} is too large to be reviewed: {error}.")
    except ValueError as error:
        return Refusal("too-unusual", f"{aim} holds something that cannot be recorded exactly: {error}.")
    if len(plan.canonical) > MAX_RECORD:
        return Refusal("too-large", f"The change of {aim} is too large to be reviewed: over {MAX_RECORD:,} bytes.")
    return Planned(plan, (drafted.change.text,))


@dataclass(frozen=True, slots=True)
class _Draft:
    """What was read, rendered and rehearsed."""

    target: Target
    live: Json
    observed: Sequence[tuple[str, Observed]]
    rendered: Rendered
    change: diff.Diff
    result: str
    look: Look


def _aim(runbook: Runbook, values: Json, cluster: str) -> Target:
    where = template.fill(runbook.target, {"parameters": values})
    return Target(cluster, KINDS[where["kind"]], str(where["namespace"]), str(where["name"]))


async def _draft(
    runbook: Runbook, values: Json, aim: Target, access: Access, now: int, redact: Callable[[Any], Any]
) -> _Draft | Refusal | None:
    """Read, check, render and rehearse once. None means that the object changed meanwhile."""
    live = await access.get(aim.resource, aim.namespace, aim.name)
    found = replace(aim, uid=live["metadata"]["uid"], owner=controller(live))
    observed = [(each.check, PRECONDITIONS[each.check].observe(live)) for each in runbook.preconditions]
    failing = [each.sentence for _, each in observed if not each.holds]
    if failing:
        return Refusal("precondition", " ".join(failing))

    step = runbook.steps[0]
    action = ACTIONS[step.action]
    scope = {"parameters": values, "target": {"namespace": found.namespace, "name": found.name}}
    gathered = await action.gather(access, found, live)
    rendered = action.render(found, live, gathered, template.fill(step.arguments, scope), now)
    if isinstance(rendered, Unsuitable):
        return Refusal(rendered.code, rendered.sentence)

    # What is rehearsed is what will be stored and sent: the canonical form, read back.
    rendered = replace(rendered, call=Call(**json.loads(canonical(asdict(rendered.call)))))
    try:
        answer = await access.send(
            rendered.call.insisting(live["metadata"]["resourceVersion"]), found.resource, dry_run=True
        )
    except AccessFailed as failure:
        if failure.code == "conflict":
            return None
        raise
    change = diff.between(*action.shown(live, answer), title=str(found), redact=redact)
    if change is None:
        return Refusal("no-change", f"{runbook.title} would change nothing of {found}, so there is nothing to run.")
    return _Draft(
        target=found,
        live=live,
        observed=observed,
        rendered=rendered,
        change=change,
        result=fingerprint(action.result(answer)),
        look=await HEALTH[runbook.verification.check.check].look(access, found, live),
    )


def _record(runbook: Runbook, values: Json, draft: _Draft, context: PlanContext) -> dict[str, Any]:
    step, target, call, change = runbook.steps[0], draft.target, draft.rendered.call, draft.change
    ttl_seconds = min(runbook.approval.ttl_seconds, context.ttl_seconds)
    return {
        "schema": SCHEMA,
        "incident": {"id": context.incident_id, "number": context.incident_number},
        "runbook": {
            "id": runbook.id,
            "version": runbook.version,
            "digest": runbook.digest,
            "title": runbook.title,
            "risk": runbook.risk,
        },
        "parameters": dict(values),
        "cluster": context.cluster,
        "targets": [
            {
                "cluster": target.cluster,
                "apiVersion": target.resource.api_version,
                "kind": target.resource.kind,
                "namespace": target.namespace,
                "name": target.name,
                "uid": target.uid,
                "generation": int(draft.live["metadata"].get("generation") or 0),
                "fields": fingerprint(ACTIONS[step.action].fields(draft.live)),
                "owner": dict(target.owner) if target.owner else None,
                "preconditions": [
                    {"check": name, "observed": each.value, "sentence": each.sentence} for name, each in draft.observed
                ],
            }
        ],
        "calls": [
            {
                "step": step.id,
                "action": step.action,
                "target": 0,
                "method": call.method,
                "path": call.path,
                "content_type": call.content_type,
                "body": call.body,
                "timeout_seconds": step.timeout_seconds,
            }
        ],
        "dry_run": [
            {
                "diff": change.shown,
                "sha256": change.sha256,
                "complete": change.complete,
                "lines": change.lines,
                "added": change.added,
                "removed": change.removed,
                "result": draft.result,
            }
        ],
        "effect": list(draft.rendered.effect),
        "undo": [sentence for sentence in (draft.rendered.undo, runbook.rollback) if sentence],
        "verification": {
            "check": runbook.verification.check.check,
            "deadline_seconds": runbook.verification.deadline_seconds,
            "stable_seconds": runbook.verification.stable_seconds,
            "before": {"ready": draft.look.ready, "desired": draft.look.desired},
        },
        "evidence": list(context.evidence),
        "proposed_by": context.proposed_by,
        "needs": [
            {
                "group": need.group,
                "count": need.count,
                "members": [_person(each.person) | {"name": each.name} for each in need.members],
            }
            for need in context.needs
        ],
        "quorum": max(runbook.approval.quorum, context.quorum),
        "requester": _person(context.requester) if context.requester else None,
        "on_behalf_of": _person(context.on_behalf_of) if context.on_behalf_of else None,
        "requester_may_approve": context.requester_may_approve,
        "policy_digest": context.policy_digest,
        "catalogue_digest": context.catalogue_digest,
        "created_at": context.now,
        "expires_at": context.now + ttl_seconds * 1_000_000,
    }


def _person(person: Person) -> dict[str, str]:
    return {"team_id": person.team_id, "user_id": person.user_id}

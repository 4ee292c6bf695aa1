"""Proposing an action: make its plan, store the request for sign-off, and put the card up; or say why there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from bot.approvals.needs import needed
from bot.chat import thread
from bot.domain.approval import Approval
from bot.domain.incident import Incident
from bot.domain.run import FINAL
from bot.jobs import board
from bot.jobs.people import bound
from bot.jobs.world import World
from bot.runbooks.plan import PlanContext, Refusal, make
from bot.store import approvals, audit, clock, incidents, runs
from bot.store.incidents import new_id

SETTLE_LOOKS = 5
SETTLE_SECONDS = 1.0
"""A change made this very moment is not yet what the cluster makes of it; its controllers take a second or two."""

_SETTLING = ("not-observed", "conflict")


async def propose(
    world: World,
    incident: Incident,
    runbook_id: str,
    parameters: Mapping[str, Any],
    *,
    evidence: Sequence[str],
    proposed_by: str,
) -> str | None:
    """Plan a runbook for an incident and ask for its sign-off. Returns the approval's id, or None with the reason on
    the incident's card. An identical request that still waits is not made twice."""
    runbook = world.catalogue.runbooks.get(runbook_id)
    cluster = incident.subject.cluster or ""
    if runbook is None or cluster not in world.clusters:
        return None
    access = world.hands(cluster)
    if access is None:
        await _note(world, incident, runbook.title, "the cluster has no runner configured.")
        return None
    channel = world.rules.channel_for(incident.labels)
    if await world.directory.channel_is_shared(channel):
        why = "its channel is shared with another workspace; route these incidents to a channel of this one."
        await _note(world, incident, runbook.title, why)
        return None
    takes = needed(runbook, world.rules.policy)
    people = await bound(world, takes)
    if isinstance(people, str):
        await _note(world, incident, runbook.title, people)
        return None
    now = await world.database.read(clock.now)
    context = PlanContext(
        incident_id=incident.id,
        incident_number=incident.number,
        cluster=access.cluster,
        evidence=tuple(evidence),
        proposed_by=proposed_by,
        needs=people,
        quorum=takes.quorum,
        requester=None,
        now=now,
        ttl_seconds=takes.ttl_seconds,
        catalogue_digest=world.catalogue.digest,
        policy_digest=world.rules.policy_digest,
        subject=_subject(incident),
        registries=world.rules.registries,
    )
    made = await make(runbook, parameters, access=access, context=context, redact=world.redactor.data)
    for _ in range(SETTLE_LOOKS):
        if not (isinstance(made, Refusal) and made.code in _SETTLING):
            break
        await asyncio.sleep(SETTLE_SECONDS)
        made = await make(runbook, parameters, access=access, context=context, redact=world.redactor.data)
    if isinstance(made, Refusal):
        await _note(world, incident, runbook.title, made.sentence)
        return None
    plan, full_diff = made.plan, made.full_diff

    def store(connection: Connection) -> str | None:
        at = clock.advance(connection)
        same = _same(connection, incident.id, plan.record)
        if same is not None:
            return same
        if incidents.get(connection, incident.id).status != "open":
            return None
        approval = approvals.open_request(
            connection, approval_id=new_id(), incident_id=incident.id, plan=plan, full_diff=full_diff, now=at
        )
        _record(connection, incident, approval, plan.record, proposed_by, world.redactor.data, at)
        board.show_approval(connection, world, approval.id, now=at)
        board.show(connection, world, incident.id, now=at)
        return approval.id

    approval_id = await world.database.write(store)
    world.outbox.kick()
    return approval_id


def _subject(incident: Incident) -> dict[str, str]:
    """What parameters may be taken from: what the incident is about. A plan is made only of objects that are there."""
    subject = incident.subject
    return {
        "subject.namespace": subject.namespace,
        "subject.kind": subject.kind,
        "subject.name": subject.name,
        "incident": incident.name,
    }


def _same(connection: Connection, incident_id: str, record: Mapping[str, Any]) -> str | None:
    for approval in approvals.of_incident(connection, incident_id):
        if _waits(connection, approval):
            known = approvals.request(connection, approval.id).plan.record
            if all(known[key] == record[key] for key in ("runbook", "parameters", "cluster")):
                return approval.id
    return None


def _waits(connection: Connection, approval: Approval) -> bool:
    """Say whether a request still waits for a person or for its run; what has run may be proposed again."""
    if approval.state != "approved":
        return approval.state == "pending"
    run = runs.of_approval(connection, approval.id)
    return run is not None and run.state not in FINAL


def _record(
    connection: Connection,
    incident: Incident,
    approval: Approval,
    record: Mapping[str, Any],
    proposed_by: str,
    redact: Callable[[Any], Any],
    at: int,
) -> None:
    audit.append(
        connection,
        at=at,
        kind="approval.requested",
        actor="signoff",
        subject=approval.name,
        data={
            "incident": incident.name,
            "runbook": approval.runbook,
            "cluster": approval.cluster,
            "parameters": redact(dict(record["parameters"])),
            "targets": [f"{each['kind']} {each['namespace']}/{each['name']}" for each in record["targets"][:20]],
            "digest": approval.digest,
            "proposed_by": proposed_by,
            "expires_at": approval.expires_at,
        },
    )


async def _note(world: World, incident: Incident, title: str, why: str) -> None:
    def write(connection: Connection) -> None:
        now = clock.now(connection)
        said = world.redactor.text(why)
        incidents.set_note(connection, incident.id, f"{title} was not proposed: {said}")
        board.show(connection, world, incident.id, now=now)
        board.say(connection, world, incident, f"unplanned:{title}", thread.not_proposed(title, said), now=now)

    await world.database.write(write)
    world.outbox.kick()

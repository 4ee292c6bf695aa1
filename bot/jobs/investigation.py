"""An incident's investigation: gather evidence, ask for a triage that rests on it, propose what may help."""

from __future__ import annotations

from functools import partial
from typing import Any

from sqlalchemy import Connection

from bot.analysis.triage import triage
from bot.chat import thread
from bot.domain.change import Change
from bot.domain.evidence import Evidence
from bot.domain.incident import Incident
from bot.domain.triage import Triage
from bot.evidence import changes as changed
from bot.evidence import failed_runs
from bot.evidence.collect import collect
from bot.jobs import board, proposing
from bot.jobs.engine import Steps, Story
from bot.jobs.proposing import Unplanned, Wanted
from bot.jobs.world import World
from bot.store import changes, ci, clock, incidents, work

KIND = "investigation"
VERSION = 1


def story(world: World) -> Story:
    """Return the story of one investigation of an incident."""

    async def investigation(steps: Steps, incident_id: str, generation: int) -> None:
        await steps("gather", partial(_gather, world, incident_id, generation))
        world.outbox.kick()
        await steps("triage", partial(_triage, world, incident_id))
        world.outbox.kick()
        await steps("propose", partial(_propose, world, incident_id, generation))
        finish = partial(_finish, world=world, incident_id=incident_id, generation=generation)
        await steps("finish", world.database.write, finish)
        world.outbox.kick()

    return investigation


async def _gather(world: World, incident_id: str, generation: int) -> int:
    def before(connection: Connection) -> tuple[Incident, int, int, int]:
        incident = incidents.get(connection, incident_id)
        had = len(incidents.evidence_of(connection, incident_id, generation=generation))
        return incident, incidents.evidence_count(connection, incident_id), had, clock.now(connection)

    incident, count, had, now = await world.database.read(before)
    if had:
        return had
    access = world.clusters.get(incident.subject.cluster or "")
    items = await collect(
        incident.subject,
        access.reader if access else None,
        now=now,
        deadline_seconds=world.rules.evidence_seconds,
        redactor=world.redactor,
        first_number=count + 1,
        alert_started_at=incident.since,
    )

    items += await _of_code(world, incident, now=now, number=count + 1 + len(items))

    def after(connection: Connection) -> int:
        incidents.add_evidence(connection, incident_id, items, generation=generation)
        board.show(connection, world, incident_id, now=clock.now(connection))
        return len(items)

    return await world.database.write(after)


async def _of_code(world: World, incident: Incident, *, now: int, number: int) -> tuple[Evidence, ...]:
    """Return what was changed before the alert, and what fails on a default branch, as evidence, where there is any."""
    started_at = incident.since
    after, until = started_at - changed.WINDOW, started_at + changed.AFTER

    def read(connection: Connection) -> tuple[list[Change], list[failed_runs.Failed]]:
        return (
            changes.between(connection, after=after, until=until),
            ci.failing_between(connection, after=after, until=until),
        )

    found, failing = await world.database.read(read)
    items: list[Evidence] = []
    item = changed.collected(
        found, incident.subject, now=now, alert_started_at=started_at, redactor=world.redactor, number=number
    )
    if item is not None:
        items.append(item)
    item = failed_runs.collected(
        failing,
        found,
        incident.subject,
        now=now,
        alert_started_at=started_at,
        redactor=world.redactor,
        number=number + len(items),
    )
    if item is not None:
        items.append(item)
    return tuple(items)


async def _triage(world: World, incident_id: str) -> str:
    def before(connection: Connection) -> tuple[Incident, Any, tuple[Evidence, ...]]:
        return (
            incidents.get(connection, incident_id),
            board.clean_alerts(connection, world, incident_id),
            incidents.evidence_of(connection, incident_id),
        )

    incident, alerts, evidence = await world.database.read(before)
    answer = await triage(
        incident,
        alerts,
        evidence,
        world.offers,
        world.gateway,
        world.prompt,
        deadline_seconds=world.rules.model_seconds,
        max_tokens=world.rules.model_tokens,
    )

    def after(connection: Connection) -> None:
        incidents.set_triage(connection, incident_id, answer)
        board.show(connection, world, incident_id, now=clock.now(connection), urgent=True)

    await world.database.write(after)
    return answer.analyst


async def _propose(world: World, incident_id: str, generation: int) -> int:
    def before(connection: Connection) -> tuple[Incident, Triage | None]:
        return incidents.get(connection, incident_id), incidents.triage_of(connection, incident_id)

    incident, found = await world.database.read(before)
    if found is None or incident.status != "open":
        return 0
    made = 0
    for number, proposal in enumerate(found.proposals):
        by = "rules" if found.analyst == "rules" else f"model:{found.analyst}"
        wanted = Wanted(proposal.runbook, proposal.parameters, by, proposal.evidence)
        asked = f"{incident_id}:{generation}:{number}"
        made += not isinstance(await proposing.propose(world, incident, wanted, name=asked), Unplanned)
    return made


def _finish(connection: Connection, *, world: World, incident_id: str, generation: int) -> None:
    now = clock.now(connection)
    work.done(connection, KIND, incident_id, generation)
    incident = incidents.get(connection, incident_id)
    board.show(connection, world, incident_id, now=now)
    found = incidents.triage_of(connection, incident_id)
    if found and incident.status == "open":
        card = thread.triage_ready(found.summary, found.analyst, "" if world.gateway is None else found.note)
        board.say(connection, world, incident, "triage", card, now=now, times=generation)

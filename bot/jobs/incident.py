"""An alert group's story: its alerts join an incident, and the card says so before anything is asked of anyone."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy import Connection

from bot.chat import thread
from bot.domain.incident import Incident, Subject
from bot.domain.joining import Face, Joined, join
from bot.evidence import subject
from bot.jobs import board
from bot.jobs.engine import Steps, Story
from bot.jobs.withdrawing import withdraw
from bot.jobs.world import World
from bot.store import audit, clock, incidents, work
from bot.store.incidents import Group

KIND = "group"
VERSION = 1

RESOLVED = "{} resolved before anybody decided. If it comes back, Signoff asks anew."
LABEL = 200
CLUSTERS_NAMED = 5


def story(world: World) -> Story:
    """Return the story of one generation of an alert group."""

    async def group(steps: Steps, group_id: str, _generation: int) -> None:
        investigation = await steps("join", world.database.write, partial(_join, world=world, group_id=group_id))
        world.outbox.kick()
        if investigation:
            world.engine.start_soon("investigation", *investigation)

    return group


def _join(connection: Connection, *, world: World, group_id: str) -> list[Any] | None:
    """Join the group's alerts to an incident in one transaction. Returns the investigation to start, if any."""
    now = clock.advance(connection)
    of = incidents.group(connection, group_id, now=now)
    generation = work.wanted(connection, KIND, group_id)
    joined = join(
        of.current,
        of.unassigned,
        of.assigned,
        truncated=of.truncated,
        now=now,
        reopen_within=world.rules.reopen_within,
    )
    work.done(connection, KIND, group_id, generation)
    if joined is None:
        incidents.pass_over(connection, of)
        return None
    if joined.change == "unchanged":
        return None
    clean = replace(joined, face=_redacted(joined.face, world))
    known = None if joined.change == "opened" or of.current is None else of.current.subject
    incident = incidents.apply(connection, of, clean, subject=known or _subject(world, of), now=now)
    _record(connection, incident, joined, now)
    investigate = joined.change in ("opened", "reopened") and incident.status == "open"
    wanted = None
    if incident.status == "resolved" and not incident.truncated:
        withdraw(connection, world, incident, RESOLVED.format(incident.name), now=now)
    if investigate:
        incidents.set_triage(connection, incident.id, None)
        incidents.set_note(connection, incident.id, _cluster_note(incident))
        wanted = work.want(connection, "investigation", incident.id)
    board.show(connection, world, incident.id, now=now, urgent=joined.change != "joined")
    _notice(connection, world, incident, joined, of.current, now)
    return [incident.id, wanted] if wanted is not None else None


def _redacted(face: Face, world: World) -> Face:
    redact = world.redactor
    return replace(
        face,
        severity=redact.text(face.severity[:LABEL]),
        title=redact.text(face.title[: board.VALUE]),
        summary=redact.text(face.summary[: board.VALUE]),
        labels=redact.data(board.shortened(face.labels)),
    )


def _subject(world: World, of: Group) -> Subject:
    """Say what a new incident is about: the alerts that open it are those that no incident has."""
    alerts = of.unassigned
    speaking = [alert.labels for alert in alerts if alert.status == "firing"] or [alert.labels for alert in alerts]
    named = {world.rules.cluster_for(of.source, labels) for labels in speaking}
    # Alerts of several clusters in one group name no one cluster: that is said, never guessed.
    cluster, called = (
        named.pop() if len(named) == 1 else (None, ", ".join(sorted(called for _, called in named)[:CLUSTERS_NAMED]))
    )
    shown = world.redactor.text(called[:LABEL])
    return subject.of_alerts(speaking, cluster=cluster, cluster_label=shown)


def _cluster_note(incident: Incident) -> str:
    subject = incident.subject
    if subject.cluster is not None:
        return ""
    if subject.cluster_label:
        return f"No cluster “{subject.cluster_label}” is configured, so nothing could be read from it."
    return "The alert names no cluster and none is configured as the default, so no cluster was read."


def _record(connection: Connection, incident: Incident, joined: Joined, now: int) -> None:
    if joined.change == "joined":
        return
    audit.append(
        connection,
        at=now,
        kind=f"incident.{joined.change}",
        actor=f"source:{incident.source}",
        subject=incident.name,
        data={"title": incident.title, "firing": incident.firing, "total": incident.total},
    )


def _notice(
    connection: Connection, world: World, incident: Incident, joined: Joined, before: Incident | None, now: int
) -> None:
    if joined.change == "resolved":
        board.say(connection, world, incident, "resolved", thread.resolved(incident), now=now, times=incident.reopened)
    elif joined.change == "reopened":
        board.say(connection, world, incident, "reopened", thread.reopened(incident), now=now, times=incident.reopened)
    elif joined.change == "returned" and before is not None:
        # Each time it was stale it was last heard of at another time.
        silent = before.last_seen_at
        board.say(connection, world, incident, "returned", thread.returned(incident), now=now, times=silent)

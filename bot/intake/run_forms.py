"""The forms that ask for a runbook: made from the catalogue and from what is open, and checked when they come back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from bot.chat import run_form
from bot.domain.approval import Person
from bot.domain.ask import Ask
from bot.domain.incident import Incident
from bot.domain.matter import Matter, cluster_of
from bot.domain.runbook import Runbook
from bot.intake.acts import RunAsked, RunWanted
from bot.jobs import asking, vote
from bot.jobs.world import World
from bot.runbooks import parameters
from bot.store import approvals, asks, clock, incidents, matters
from bot.store.unreadable import UnreadableRow

LISTED = 100
OVER_FOR_US = 24 * 3_600_000_000
"""Microseconds for which an incident that is over is still listed; by its name it can be asked for as long as it is
stored."""
ASKED_AT_ONCE = 5
"""Requests that wait for others, of one person: few asks are read, many are waved through."""

NONE_RECENT = (
    "An action belongs to an incident, and none is open, or ended within a day, where Signoff may run this. "
    "Name an older one: /ops run RUNBOOK INC-142."
)
GONE = "There is no such incident any more, or Signoff may not run this in its cluster. Open the form again."
NO_RUNBOOK = "There is no such runbook any more. Open the form again."
TOO_MANY = f"{ASKED_AT_ONCE} requests of yours wait already: have one of them signed off or cancel it."
UNREADABLE = "This request's stored record can no longer be read, so it cannot be changed. Ask for the runbook anew."

View = Mapping[str, Any]


async def to_pick(world: World, runbook: str, incident: str | int) -> View | str:
    """Return the form that asks for a runbook, or that of ``runbook``; for one incident if its id or number is given.
    Or why nothing can be asked for."""
    books = list(world.catalogue.runbooks.values())
    if runbook and runbook not in world.catalogue.runbooks:
        return f"There is no runbook {runbook}. There are: {', '.join(each.id for each in books)}."
    chosen = world.catalogue.runbooks[runbook] if runbook else None
    found = await world.database.read(lambda connection: _askable(connection, world, incident, chosen))
    if not found:
        return GONE if incident else NONE_RECENT
    return _form(chosen, found) if chosen else run_form.pick(books, found)


async def of(world: World, asked: run_form.Submitted) -> View | str:
    """Return the form of one runbook for one incident, or why it cannot be asked for."""
    runbook = world.catalogue.runbooks.get(asked.runbook)
    if runbook is None:
        return NO_RUNBOOK
    found = await world.database.read(lambda connection: _askable(connection, world, asked.matter_id, runbook))
    return _form(runbook, found) if found else GONE


async def to_change(world: World, approval_id: str, digest: str, person: Person) -> View | str:
    """Return the form that changes a request's parameters, or why this person may not: who could deny it may."""
    refusal = await vote.foresee(world, approval_id, digest, person, "deny")
    if refusal:
        return refusal

    def read(connection: Connection) -> tuple[Mapping[str, Any], Matter]:
        found = approvals.request(connection, approval_id)
        return found.plan.record, matters.get(connection, found.approval.matter_id)

    try:
        record, matter = await world.database.read(read)
    except UnreadableRow:
        return UNREADABLE
    runbook = world.catalogue.runbooks.get(str(record["runbook"]["id"]))
    if runbook is None:
        return NO_RUNBOOK
    behalf = str((record["on_behalf_of"] or {}).get("user_id", ""))
    return run_form.render(run_form.Form(runbook, [matter], record["parameters"], f"{approval_id}.{digest}", behalf))


async def ask(world: World, wanted: RunWanted) -> RunAsked:
    """Check what was filled in, store it and start the job that plans it. Nothing is stored if anything is wrong."""
    runbook = world.catalogue.runbooks.get(wanted.asked.runbook)
    if runbook is None:
        return RunAsked(problem=NO_RUNBOOK)
    given = run_form.answers(wanted.view, runbook.parameters)
    faults = parameters.secrets_in(runbook.parameters, given, world.redactor.data)
    faults = parameters.field_faults(runbook.parameters, given) | faults
    if faults:
        return RunAsked(faults)

    def store(connection: Connection) -> tuple[str, int | None]:
        if not _askable(connection, world, wanted.asked.matter_id, runbook):
            return GONE, None
        if asks.waiting(connection, wanted.person) >= ASKED_AT_ONCE:
            return TOO_MANY, None
        row = Ask(
            id=wanted.id,
            matter_id=wanted.asked.matter_id,
            runbook=runbook.id,
            parameters=given,
            person=wanted.person,
            person_name=wanted.person_name,
            on_behalf_of=_whom(wanted),
            replaces=wanted.asked.replaces.partition(".")[0] or None,
            received_at=clock.advance(connection),
        )
        return "", asks.receive(connection, row)

    problem, generation = await world.database.write(store, urgent=True)
    if generation is not None:
        world.engine.start_soon(asking.KIND, wanted.id, generation)
    return RunAsked(problem=problem)


def _whom(wanted: RunWanted) -> Person | None:
    """Return whom they act for, None if for themselves. Slack's picker names people as its clicks do."""
    behalf = wanted.asked.behalf
    return Person(wanted.person.team_id, behalf) if behalf not in ("", wanted.person.user_id) else None


def _form(runbook: Runbook, found: list[Matter]) -> View:
    only = found[0] if len(found) == 1 else None
    values = parameters.suggested(runbook, only.subject) if isinstance(only, Incident) else {}
    return run_form.render(run_form.Form(runbook, found, values))


def _askable(connection: Connection, world: World, wanted: str | int, runbook: Runbook | None) -> list[Matter]:
    """Return the incidents where the runbook (any, if none is named) can be run: the open ones, then those that ended
    lately, the newest first. Only the wanted one if one is named: an incident by its id or number, however old, or a CI
    run by its id."""
    kinds = runbook.kinds if runbook else None

    def able(matter: Matter) -> bool:
        return matters.may_be_asked_about(connection, matter) and world.hands(cluster_of(matter), kinds) is not None

    one: Matter | None
    if isinstance(wanted, str) and wanted:
        one = matters.find(connection, wanted)
    elif wanted:
        one = incidents.by_number(connection, int(wanted))
    else:
        recent = incidents.recent(connection, since=clock.now(connection) - OVER_FOR_US, limit=LISTED)
        return [each for each in recent if able(each)]
    return [one] if one is not None and able(one) else []

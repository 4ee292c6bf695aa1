"""Proposing an action: make its plan, store the request for sign-off, and put the card up; or say why there is none."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from sqlalchemy import Connection

from bot.approvals.lifecycle import Illegal, step
from bot.approvals.needs import concerning, needed
from bot.approvals.terms import Terms
from bot.chat import thread
from bot.domain.approval import Approval, Member, Person
from bot.domain.ask import Ask
from bot.domain.incident import Incident
from bot.domain.matter import Matter, cluster_of
from bot.domain.plan import Plan
from bot.domain.run import FINAL
from bot.jobs import board, sharing
from bot.jobs.people import FRESH, bound
from bot.jobs.world import World
from bot.runbooks.plan import PlanContext, Refusal, make
from bot.runbooks.resources import in_kubernetes
from bot.runbooks.target import Target
from bot.store import approvals, asks, audit, clock, incidents, joined, matters, runs
from bot.store.approvals import Request
from bot.store.incidents import new_id
from bot.store.unreadable import UnreadableRow

SETTLE_LOOKS = 5
SETTLE_SECONDS = 1.0
"""A change made this very moment is not yet what the cluster makes of it; its controllers take a second or two."""

AGAIN_US = (60_000_000, 600_000_000)
"""Microseconds after which Signoff plans again by itself what could not be planned for a reason that passes: at first,
and when it has tried for long."""

_SETTLING = ("not-observed", "conflict")


@dataclass(frozen=True, slots=True)
class Wanted:
    """One use of a runbook that is wanted: by whom, on what evidence, and in the place of which request. ``since`` is
    given where Signoff asks anew by itself: if the very same has helped since then, there is nothing to ask for."""

    runbook: str
    parameters: Mapping[str, Any]
    proposed_by: str
    evidence: Sequence[str] = ()
    requester: Person | None = None
    on_behalf_of: Person | None = None
    replaces: str | None = None
    since: int | None = None


@dataclass(frozen=True, slots=True)
class Unplanned:
    """Why there is no request. ``silent`` where nobody has to be told on the incident's card; ``passing`` where there
    may be one in a while, without anybody's doing."""

    title: str
    sentence: str
    silent: bool = False
    passing: bool = False


class Settle(Protocol):
    """Called in the transaction that stores a request, or finds the one that asks for the same."""

    def __call__(self, connection: Connection, approval: Approval, *, new: bool) -> None:
        """Take the request, and whether it was made just now."""


def _settled(connection: Connection, approval: Approval, *, new: bool) -> None:
    """Nobody waits to be told."""


async def propose(world: World, matter: Matter, wanted: Wanted, *, name: str) -> Approval | Unplanned:
    """Plan what Signoff wants for a matter and ask for its sign-off, or say on the incident's card and in the thread
    why not. If that passes, an ask is stored that is planned later; ``name`` makes it one however often this is done.
    An identical request that still waits is not made twice."""
    made = await request(world, matter, wanted)
    if isinstance(made, Unplanned):
        await world.database.write(
            partial(_later, world=world, matter=matter, wanted=wanted, unplanned=made, name=name)
        )
    return made


def _later(
    connection: Connection, *, world: World, matter: Matter, wanted: Wanted, unplanned: Unplanned, name: str
) -> None:
    note(connection, world=world, matter=matter, unplanned=unplanned)
    if not unplanned.passing:
        return
    now = clock.now(connection)
    ask = Ask(
        id=uuid.uuid5(uuid.NAMESPACE_OID, name).hex,
        matter_id=matter.id,
        runbook=wanted.runbook,
        parameters=wanted.parameters,
        person=None,
        person_name="",
        replaces=None,
        received_at=now,
        proposed_by=wanted.proposed_by,
        evidence=tuple(wanted.evidence),
    )
    asks.receive(connection, ask, plan_at=again_at(now, now))


async def request(world: World, matter: Matter, wanted: Wanted, *, settle: Settle = _settled) -> Approval | Unplanned:
    """Plan what is wanted and store the request for its sign-off; or return the one that asks for the same, or why
    there is none."""
    runbook = world.catalogue.runbooks.get(wanted.runbook)
    cluster = cluster_of(matter)
    if runbook is None or (cluster not in world.clusters and (cluster or in_kubernetes(runbook.kinds))):
        return Unplanned(wanted.runbook, "there is no such runbook or no such cluster any more.", silent=True)
    access = world.hands(cluster, runbook.kinds)
    if access is None:
        return Unplanned(runbook.title, "the cluster has no runner configured.")
    channel = await world.database.read(lambda connection: board.channel_of(connection, world, matter))
    if (await world.directory.channel_is_shared(channel, max_age=FRESH)).value:
        why = "its channel is shared with another workspace; have this said in a channel of this one."
        return Unplanned(runbook.title, why)
    behalf = await _member(world, wanted.on_behalf_of) if wanted.on_behalf_of else None
    takes = needed(runbook, world.rules.policy)
    people = await bound(world, takes)
    if isinstance(people, str):
        return Unplanned(runbook.title, people, passing=True)
    now = await world.database.read(clock.now)
    context = PlanContext(
        matter_id=matter.id,
        matter_name=matter.name,
        cluster=access.cluster,
        evidence=tuple(wanted.evidence),
        proposed_by=wanted.proposed_by,
        needs=people.needs,
        break_glass=people.break_glass,
        quorum=takes.quorum,
        requester=wanted.requester,
        on_behalf_of=behalf,
        requester_may_approve=takes.requester_may_approve,
        now=now,
        ttl_seconds=takes.ttl_seconds,
        catalogue_digest=world.catalogue.digest,
        policy_digest=partial(concerning, runbook=runbook, policy=world.rules.policy),
        # A person gives every parameter; what Signoff proposes by itself takes those from what was found.
        subject=None if wanted.requester else _subject(matter),
        registries=world.rules.registries,
    )
    made = await make(runbook, wanted.parameters, access=access, context=context, redact=world.redactor.data)
    for _ in range(SETTLE_LOOKS):
        if not (isinstance(made, Refusal) and made.code in _SETTLING):
            break
        await asyncio.sleep(SETTLE_SECONDS)
        made = await make(runbook, wanted.parameters, access=access, context=context, redact=world.redactor.data)
    if isinstance(made, Refusal):
        return Unplanned(runbook.title, made.sentence, passing=made.passing)
    plan, full_diff, seen = made.plan, made.full_diff, made.seen

    def store(connection: Connection) -> Approval | Unplanned:
        at = clock.advance(connection)
        replaces = wanted.replaces
        _drop_note(connection, world, matter, runbook.title, at)
        same = _same(connection, matter.id, plan.record, replaces)
        if same is not None:
            confirms = wanted.requester is not None and _names_others(same.plan, plan)
            if not confirms or _replaceable(connection, same.approval.id):
                settle(connection, same.approval, new=False)
                return same.approval
            replaces = same.approval.id
        if wanted.requester is None and not matters.is_open(connection, matter):
            return Unplanned(runbook.title, f"{matter.name} is over.", silent=True)
        elsewhere = _elsewhere(connection, matter.id, plan.record, at) if wanted.requester is None else None
        if elsewhere is not None:
            _join(connection, world, matter, elsewhere, at)
            settle(connection, elsewhere, new=False)
            return elsewhere
        refusal = _replaceable(connection, replaces) or _done_since(connection, wanted, plan.record)
        if refusal:
            return Unplanned(runbook.title, refusal)
        approval = approvals.open_request(
            connection,
            approval_id=new_id(),
            matter_id=matter.id,
            plan=plan,
            full_diff=full_diff,
            now=at,
            seen=seen,
            replaces=replaces,
        )
        _record(connection, matter, approval, wanted, plan.record, world.redactor.data, at)
        for other in joined.matters_of(connection, replaces) if replaces else ():
            if other != matter.id:
                joined.join(connection, approval.id, other)
        if replaces is not None:
            # Its card names the one that took its place, whatever ended it.
            board.show_approval(connection, world, replaces, now=at)
            what = "who may approve it" if same else "what is asked for"
            _supersede(connection, world, matter, wanted, replaces, what, approval, at)
        approval = sharing.place(connection, world, matter, approval, now=at)
        board.show_approval(connection, world, approval.id, now=at)
        board.show(connection, world, matter.id, now=at)
        board.call(connection, world, Request(approval, plan, full_diff, seen), now=at)
        settle(connection, approval, new=True)
        return approval

    stored = await world.database.write(store)
    world.outbox.kick()
    return stored


async def _member(world: World, person: Person) -> Member:
    return Member(person, world.redactor.text(await world.directory.name(person.user_id)))


def _subject(matter: Matter) -> dict[str, str]:
    """What parameters may be taken from: what an incident is about. A plan is made only of objects that are there."""
    if not isinstance(matter, Incident):
        return {}
    subject = matter.subject
    return {
        "subject.namespace": subject.namespace,
        "subject.kind": subject.kind,
        "subject.name": subject.name,
        "incident": matter.name,
    }


def _replaceable(connection: Connection, approval_id: str | None) -> str:
    """Say why a request can no longer be replaced, or return an empty string. Holds its row."""
    if approval_id is None:
        return ""
    old = approvals.request(connection, approval_id, lock=True).approval
    run = runs.of_approval(connection, approval_id)
    legal = step(old.state, "supersede", started=runs.has_begun(connection, run))
    replaced = old.state in ("void", "expired")  # is over already, and its place is free
    return legal.sentence.replace("The request", old.name) if isinstance(legal, Illegal) and not replaced else ""


def _done_since(connection: Connection, wanted: Wanted, record: Mapping[str, Any]) -> str:
    """Say that what would be asked for anew was done meanwhile, for another incident perhaps."""
    if wanted.since is None:
        return ""
    where = {"runbook": wanted.runbook, "cluster": str(record["cluster"])}
    for approval in approvals.helped(connection, **where, since=wanted.since):
        if _alike(approvals.request(connection, approval.id).plan.record, record):
            return f"{approval.name} has done exactly this meanwhile."
    return ""


def _supersede(
    connection: Connection,
    world: World,
    matter: Matter,
    wanted: Wanted,
    replaces: str,
    what: str,
    approval: Approval,
    now: int,
) -> None:
    """End the request whose place the new one takes, with the run that it may have, and say so. No vote goes over."""
    old = approvals.get(connection, replaces)
    if old.state not in ("pending", "approved"):
        return
    changed = f"{what} has changed" if what.startswith("who") else f"{wanted.proposed_by} changed {what}"
    sentence = f"{approval.name} took its place: {changed}."
    if not approvals.move(connection, old.id, before=old.state, after="superseded", outcome=sentence, now=now):
        return
    run = runs.of_approval(connection, old.id)
    runs.end_unbegun(connection, run, outcome=sentence, now=now)
    data = {"digest": old.digest, "by": approval.name, "new_digest": approval.digest}
    actor = str(wanted.requester or "signoff")
    audit.append(connection, at=now, kind="approval.superseded", actor=actor, subject=old.name, data=data)
    board.show_approval(connection, world, old.id, now=now)
    card = thread.superseded(old, approval, changed)
    board.say(connection, world, matter, f"superseded:{old.name}", card, now=now)


def _same(connection: Connection, matter_id: str, record: Mapping[str, Any], replaces: str | None) -> Request | None:
    for approval in approvals.of_matter(connection, matter_id):
        if _waits(connection, approval):
            known = approvals.request(connection, approval.id)
            # Whom it is for is not what is done; but a request may be changed to say so.
            told = approval.id != replaces or known.plan.record["on_behalf_of"] == record["on_behalf_of"]
            if told and _alike(known.plan.record, record):
                return known
    return None


def _elsewhere(connection: Connection, matter_id: str, record: Mapping[str, Any], now: int) -> Approval | None:
    """Return the request that Signoff made of another matter for exactly this, and that still waits or runs."""
    for approval in approvals.waiting(connection, runbook=record["runbook"]["id"], now=now):
        with contextlib.suppress(UnreadableRow):
            known = approvals.request(connection, approval.id).plan.record
            if approval.matter_id != matter_id and _same_everywhere(known, record):
                return approval
    return None


def _same_everywhere(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Say whether two plans do the same to the same objects: what is on GitHub is the same from every cluster."""
    objects = [sorted(Target.of_record(each).key for each in record["targets"]) for record in (one, other)]
    return objects[0] == objects[1] and all(one[key] == other[key] for key in ("runbook", "parameters"))


def _join(connection: Connection, world: World, matter: Matter, approval: Approval, now: int) -> None:
    """Let a matter wait for the request of another, on whose card it is decided."""
    if joined.join(connection, approval.id, matter.id):
        asked = matters.get(connection, approval.matter_id).name
        data = {"digest": approval.digest, "by": matter.name, "asked_in": asked}
        audit.append(connection, at=now, kind="approval.joined", actor="signoff", subject=approval.name, data=data)
    board.show_approval(connection, world, approval.id, now=now)


def _alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(one[key] == other[key] for key in ("runbook", "parameters", "cluster"))


def _names_others(old: Plan, new: Plan) -> bool:
    """Say whether other people decide about the new plan than about the old: who came to a group later has no say in
    the old one until somebody asks for it again."""
    before, after = Terms.of(old), Terms.of(new)
    return before.groups != after.groups or before.breakers.keys() != after.breakers.keys()


def _waits(connection: Connection, approval: Approval) -> bool:
    """Say whether a request still waits for a person or for its run; what has run may be proposed again."""
    if approval.state != "approved":
        return approval.state == "pending"
    run = runs.of_approval(connection, approval.id)
    return run is not None and run.state not in FINAL


def _record(
    connection: Connection,
    matter: Matter,
    approval: Approval,
    wanted: Wanted,
    record: Mapping[str, Any],
    redact: Callable[[Any], Any],
    at: int,
) -> None:
    audit.append(
        connection,
        at=at,
        kind="approval.requested",
        actor=str(wanted.requester or "signoff"),
        subject=approval.name,
        data={
            "incident" if isinstance(matter, Incident) else "ci_run": matter.name,
            "runbook": approval.runbook,
            "cluster": approval.cluster,
            "parameters": redact(dict(record["parameters"])),
            "targets": [f"{each['kind']} {each['namespace']}/{each['name']}" for each in record["targets"][:20]],
            "digest": approval.digest,
            "proposed_by": wanted.proposed_by,
            "requester": str(wanted.requester) if wanted.requester else None,
            "on_behalf_of": str(wanted.on_behalf_of) if wanted.on_behalf_of else None,
            "expires_at": approval.expires_at,
        },
    )


def note(connection: Connection, *, world: World, matter: Matter, unplanned: Unplanned) -> None:
    """Say why something was not proposed, if anybody has to be told, and whether it is tried again."""
    if unplanned.silent:
        return
    title, said = unplanned.title, world.redactor.text(unplanned.sentence)
    if unplanned.passing:
        said = f"{said} It is tried again, as long as {matter.name} is open."
    now = clock.now(connection)
    if isinstance(matter, Incident):
        incidents.set_note(connection, matter.id, _not_proposed(title) + said)
        board.show(connection, world, matter.id, now=now)
    board.say(connection, world, matter, f"unplanned:{title}", thread.not_proposed(title, said), now=now)


def again_at(since: int, now: int) -> int:
    """Return when to plan again what is wanted since then: soon at first, more and more rarely, and for ever."""
    first, longest = AGAIN_US
    return now + min(max(now - since, first), longest)


def _not_proposed(title: str) -> str:
    return f"{title} was not proposed: "


def _drop_note(connection: Connection, world: World, matter: Matter, title: str, now: int) -> None:
    """Take from an incident's card that this could not be planned."""
    if isinstance(matter, Incident) and incidents.note_of(connection, matter.id).startswith(_not_proposed(title)):
        incidents.set_note(connection, matter.id, "")
        board.show(connection, world, matter.id, now=now)

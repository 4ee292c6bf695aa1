"""An ask's story: look whether its person may ask, plan what is wanted, and put it up for sign-off; or say why not."""

from __future__ import annotations

from functools import partial

from sqlalchemy import Connection

from bot.approvals import policy
from bot.chat import thread
from bot.domain.approval import Approval
from bot.domain.ask import Ask
from bot.domain.matter import Matter
from bot.jobs import board, proposing, vote
from bot.jobs.engine import Steps, Story
from bot.jobs.people import FRESH
from bot.jobs.proposing import Unplanned, Wanted
from bot.jobs.world import World
from bot.store import approvals, asks, audit, clock, matters, outbox, unreadable, work
from bot.store.approvals import Request
from bot.store.unreadable import UnreadableRow

KIND = "ask"
VERSION = 1

TRIES = 3
"""Failures, about 6 s of them, after which a person is told: who asked looks at the screen and waits."""


def story(world: World) -> Story:
    """Return the story of one ask."""

    async def ask(steps: Steps, ask_id: str, generation: int) -> None:
        await steps("ask", partial(_ask, world, ask_id))
        await steps("finish", world.database.write, partial(_finish, ask_id=ask_id, generation=generation))
        world.outbox.kick()

    return ask


async def _ask(world: World, ask_id: str) -> None:
    def read(connection: Connection) -> tuple[Ask, int]:
        return asks.get(connection, ask_id), work.attempts(connection, KIND, ask_id)

    try:
        ask, failed = await world.database.read(read)
    except UnreadableRow as problem:
        await world.database.write(partial(_set_aside, world=world, ask_id=ask_id, problem=problem))
        return
    if ask.outcome:
        return
    runbook = world.catalogue.runbooks.get(ask.runbook)
    title = runbook.title if runbook else ask.runbook
    try:
        await _plan(world, ask, title)
    except Exception as error:
        if failed + 1 >= TRIES:
            why = f"planning it failed {TRIES} times ({type(error).__name__}; the log has more). Mend that, ask anew."
            await world.database.write(partial(_refuse, world=world, ask=ask, title=title, why=why))
        raise


async def _plan(world: World, ask: Ask, title: str) -> None:
    def read(connection: Connection) -> tuple[Matter, bool, Request | None]:
        matter = matters.get(connection, ask.matter_id)
        old = approvals.request(connection, ask.replaces) if ask.replaces else None
        return matter, matters.is_open(connection, matter), old

    matter, is_open, old = await world.database.read(read)
    if ask.person is None and not is_open:
        outcome = f"{matter.name} is over."
        await world.database.write(partial(asks.settle, ask_id=ask.id, approval_id=None, outcome=outcome))
        return
    refusal = await _refusal(world, ask, old)
    if refusal:
        await world.database.write(partial(_refuse, world=world, ask=ask, title=title, why=refusal))
        return
    who = world.redactor.text(f"{ask.person_name or 'somebody'} ({ask.person.user_id})") if ask.person else ""
    record = old.plan.record if old else {}
    wanted = Wanted(
        runbook=ask.runbook,
        parameters=ask.parameters,
        proposed_by=who or ask.proposed_by or str(record.get("proposed_by", "signoff")),
        evidence=tuple(ask.evidence or record.get("evidence", ())),
        requester=ask.person,
        on_behalf_of=ask.on_behalf_of,
        replaces=ask.replaces,
        since=None if ask.person else ask.received_at,
    )

    def settle(connection: Connection, approval: Approval, *, new: bool) -> None:
        if not new:
            board.look_again(connection, world, approval.id, now=clock.advance(connection))
        known = "nothing in it was changed." if approval.id == ask.replaces else _known(approval)
        outcome = f"{approval.name} asks for it." if new else known
        if asks.settle(connection, ask.id, approval_id=approval.id, outcome=outcome) and ask.person and not new:
            _tell(connection, world, ask, title, known)

    made = await proposing.request(world, matter, wanted, settle=settle)
    if isinstance(made, Unplanned) and ask.person is None:
        await world.database.write(partial(_later, world=world, matter=matter, ask=ask, unplanned=made))
    elif isinstance(made, Unplanned):
        await world.database.write(partial(_refuse, world=world, ask=ask, title=made.title, why=made.sentence))


def _later(connection: Connection, *, world: World, matter: Matter, ask: Ask, unplanned: Unplanned) -> None:
    """Say why what Signoff wants by itself is not asked for yet, or is not at all. Nobody waits for it."""
    proposing.note(connection, world=world, matter=matter, unplanned=unplanned)
    if unplanned.passing:
        now = clock.now(connection)
        work.want(connection, KIND, ask.id, now=proposing.again_at(ask.received_at, now))
    else:
        asks.settle(connection, ask.id, approval_id=None, outcome=world.redactor.text(unplanned.sentence))


def _known(approval: Approval) -> str:
    return f"{approval.name} asks for exactly this already."


async def _refusal(world: World, ask: Ask, old: Request | None) -> str:
    """Say why this person may not ask for it, as Slack has them now. Who could deny a request may change it too."""
    if ask.person is None:
        return ""
    unfit = policy.may_ask((await world.directory.standing(ask.person, max_age=FRESH)).value)
    if unfit or old is None:
        return unfit
    return await vote.foresee(world, old.approval.id, old.approval.digest, ask.person, "deny")


def _refuse(connection: Connection, *, world: World, ask: Ask, title: str, why: str) -> None:
    if asks.settle(connection, ask.id, approval_id=None, outcome=world.redactor.text(why)):
        _tell(connection, world, ask, title, why)


def _tell(connection: Connection, world: World, ask: Ask, title: str, why: str) -> None:
    now = clock.advance(connection)
    said = world.redactor.text(why)
    matter = matters.get(connection, ask.matter_id)
    data = {"runbook": ask.runbook, "why": said}
    actor = str(ask.person or "signoff")
    audit.append(connection, at=now, kind="ask.refused", actor=actor, subject=matter.name, data=data)
    who = world.redactor.text(ask.person_name) or (ask.person.user_id if ask.person else "Signoff")
    board.say(connection, world, matter, f"ask:{ask.id}", thread.not_asked(who, title, said), now=now, urgent=True)


def _set_aside(connection: Connection, *, world: World, ask_id: str, problem: UnreadableRow) -> None:
    """Report an ask that cannot be relied on, and say so in the channel: whose it is, and for what, nobody knows."""
    now = clock.advance(connection)
    unreadable.report(connection, problem, now=now)
    data = {"table": problem.table, "row": problem.row_id, "why": problem.reason}
    audit.append(connection, at=now, kind="row.set_aside", actor="signoff", subject=f"ask {ask_id}", data=data)
    outbox.put(
        connection,
        key=f"ask:{ask_id}",
        channel=world.rules.channel_for({}),
        payload=thread.ask_set_aside(problem.reason).payload(),
        now=now,
        urgent=True,
    )


def _finish(connection: Connection, *, ask_id: str, generation: int) -> None:
    work.done(connection, KIND, ask_id, generation)

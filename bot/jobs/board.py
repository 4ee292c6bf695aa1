"""The board: puts rows of an incident, CI run or approval on their cards, in the transaction that changed them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import replace
from functools import partial
from itertools import islice, zip_longest
from typing import TypeVar

import structlog
from sqlalchemy import Connection

from bot.approvals import policy
from bot.approvals.terms import Terms
from bot.chat import approval_card, ci_card, glass_card, incident_card, plan_change, run_steps, shared_card, thread
from bot.chat.action_lines import WAITING, ActionLine
from bot.chat.card import Card
from bot.chat.ci_card import CiView
from bot.chat.incident_card import IncidentView, Stage
from bot.chat.shared_card import Shown
from bot.domain.alert import Alert
from bot.domain.approval import Approval, Person
from bot.domain.canonical import digest
from bot.domain.ci import CiRun
from bot.domain.evidence import Evidence
from bot.domain.incident import Incident
from bot.domain.matter import Matter
from bot.domain.run import FINAL, Run
from bot.jobs import rerunning
from bot.jobs.holds import hold
from bot.jobs.world import World
from bot.store import alerts, approvals, ci, clock, incidents, joined, matters, outbox, runs, unreadable
from bot.store.approvals import Click, Glass, Request
from bot.store.unreadable import UnreadableRow

T = TypeVar("T")
Aside = Callable[[UnreadableRow], None]
log = structlog.get_logger(__name__)

ALERTS_READ = 20
VALUE = 4000
VALUES = 64
TARGETS_NAMED = 3
CALLED = 10
"""Approvers who are each told directly of what waits for them; of more, as many by lot, so that not the same are always
disturbed and never nobody is."""


def _log(problem: UnreadableRow) -> None:
    log.warning("left out of a card", why=str(problem))


def shortened(labels: Mapping[str, str]) -> dict[str, str]:
    """Cut labels or annotations to what a card or a model is ever shown, before they are redacted."""
    return {name[:VALUE]: value[:VALUE] for name, value in list(labels.items())[:VALUES]}


def card_key(incident_id: str) -> str:
    """Return the outbox key of an incident's card, which is the parent of its thread."""
    return f"incident:{incident_id}"


def approval_key(card: str) -> str:
    """Return the outbox key of the message with the requests of a card."""
    return f"approval:{card}"


def thread_of(matter: Matter) -> str:
    """Return the outbox key of the message in whose thread a matter is talked about."""
    return card_key(matter.id) if isinstance(matter, Incident) else f"ci:{matter.id}"


def channel_of(connection: Connection, world: World, matter: Matter) -> str:
    """Return the channel in which a matter is talked about: where its card stands, or will stand. Labels change with
    the alerts, and a card does not move; all that belongs to it goes where it is."""
    stands = outbox.channel_of(connection, thread_of(matter))
    if stands is not None:
        return stands
    if isinstance(matter, Incident):
        return world.rules.channel_for(matter.labels)
    return (world.code.channel if world.code else "") or world.rules.channel_for({})


def is_told(connection: Connection, matter: Matter) -> bool:
    """Say whether a matter has a message, or will have."""
    return outbox.find(connection, thread_of(matter)) is not None


def show(connection: Connection, world: World, matter_id: str, *, now: int, urgent: bool = False) -> None:
    """Put an incident or a CI run as it is now on its card. Nothing is sent if that is what the card says already."""
    aside = partial(unreadable.report, connection, now=now)
    matter = matters.get(connection, matter_id)
    if isinstance(matter, Incident):
        card = incident_card.render(view_of(connection, world, matter_id, aside=aside))
    else:
        card = ci_card.render(_ci_view(connection, world, matter, aside))
    key, channel = thread_of(matter), channel_of(connection, world, matter)
    outbox.put(connection, key=key, channel=channel, payload=card.payload(), now=now, urgent=urgent)


def _ci_view(connection: Connection, world: World, run: CiRun, aside: Aside) -> CiView:
    """Read everything that the message about a failed CI run shows."""
    actions = _actions(connection, world, run.id, aside)
    waits = any(line.state in WAITING for line in actions)
    return CiView(
        run=run,
        failures=_readable(lambda: ci.failures_in(connection, run.id), (), aside),
        actions=actions,
        askable=not waits and rerunning.possible(world, run) and matters.is_open(connection, run),
    )


def view_of(connection: Connection, world: World, incident_id: str, *, aside: Aside = _log) -> IncidentView:
    """Read everything that an incident's card shows. What cannot be read is left out of it and goes to ``aside``."""
    incident = incidents.get(connection, incident_id)
    nothing: tuple[Evidence, ...] = ()
    triage = _readable(lambda: incidents.triage_of(connection, incident_id), None, aside)
    underway = incidents.investigating(connection, incident_id) if triage is None else None
    # What was collected before it fired again says nothing of what fires now.
    mine = partial(incidents.evidence_of, connection, incident_id, generation=underway)
    evidence = _readable(mine, nothing, aside)
    stage: Stage = "done"
    if underway is not None:
        stage = "analysing" if evidence else "collecting"
    subject = incident.subject
    place = (channel_of(connection, world, incident), subject.cluster or "", subject.namespace)
    return IncidentView(
        incident=incident,
        alerts=clean_alerts(connection, world, incident_id),
        evidence=evidence,
        triage=triage,
        stage=stage,
        actions=_actions(connection, world, incident_id, aside),
        note=incidents.note_of(connection, incident_id),
        updated_at=incident.last_seen_at,
        source=incident.source if world.rules.several_sources else "",
        logs=bool(subject.name) and subject.kind != "Node" and place in world.rules.logs,
        runnable=world.hands(subject.cluster or "") is not None,
    )


def _readable(read: Callable[[], T], otherwise: T, aside: Aside = _log) -> T:
    """Read a part of a card, or leave it out: what cannot be shown must not stop what is decided."""
    try:
        return read()
    except UnreadableRow as problem:
        aside(problem)
        return otherwise


def clean_alerts(connection: Connection, world: World, incident_id: str) -> tuple[Alert, ...]:
    """Read a sample of an incident's alerts, cut to what anybody reads and redacted."""
    redact = world.redactor
    return tuple(
        replace(
            alert,
            labels=redact.data(shortened(alert.labels)),
            annotations=redact.data(shortened(alert.annotations)),
            generator_url=redact.text(alert.generator_url[:VALUE]),
        )
        for alert in alerts.of_incident(connection, incident_id, limit=ALERTS_READ)
    )


def _actions(connection: Connection, world: World, matter_id: str, aside: Aside) -> tuple[ActionLine, ...]:
    own = [_line(connection, world, each, aside) for each in approvals.of_matter(connection, matter_id)]
    return (
        *own,
        *(_line(connection, world, each, aside, here=False) for each in joined.of_matter(connection, matter_id)),
    )


def _line(connection: Connection, world: World, approval: Approval, aside: Aside, *, here: bool = True) -> ActionLine:
    run = _readable(lambda: runs.of_approval(connection, approval.id), None, aside)
    state = run.state if run and approval.state == "approved" else approval.state
    return ActionLine(
        name=approval.name,
        title=title(world, approval),
        state=state,
        outcome=(run.outcome if run else "") or approval.outcome,
        asked_in="" if here else _readable(lambda: matters.get(connection, approval.matter_id).name, "?", aside),
        address=_address(connection, approval),
    )


def _address(connection: Connection, approval: Approval) -> str:
    """Return where in Slack a request's card is, "" as long as Slack has not taken it."""
    where = outbox.place(connection, approval_key(approval.card))
    return f"https://slack.com/archives/{where[0]}/p{where[1].replace('.', '')}" if where else ""


def title(world: World, approval: Approval) -> str:
    """Return what the approval's runbook is called, or its id if the catalogue no longer has it."""
    runbook = world.catalogue.runbooks.get(approval.runbook)
    return runbook.title if runbook else approval.runbook


def what(connection: Connection, world: World, approval: Approval) -> str:
    """Say in a line what an approval is about: the runbook, its targets and the matter."""
    request = _readable(lambda: approvals.request(connection, approval.id), None)
    targets = _targets(request) if request else "?"
    matter = _readable(lambda: matters.get(connection, approval.matter_id).name, "?")
    return f"{title(world, approval)}: {targets} ({matter})"


def _targets(request: Request) -> str:
    targets = request.plan.targets
    if len(targets) > TARGETS_NAMED:
        return f"{len(targets)} objects"
    return ", ".join("/".join(part for part in (each["namespace"], each["name"]) if part) for each in targets)


def show_approval(connection: Connection, world: World, approval_id: str, *, now: int) -> None:
    """Put an approval as it is now on its card, ahead of what else waits: somebody looks at it.

    The caller has advanced the clock in this transaction, so that none puts an older state of a shared card over it.
    """
    aside = partial(unreadable.report, connection, now=now)
    request = _readable(lambda: approvals.request(connection, approval_id), None, aside)
    if request is None:
        return
    approval, record = request.approval, request.plan.record
    matter = matters.get(connection, approval.matter_id)
    channel, parent = channel_of(connection, world, matter), thread_of(matter)
    card = shared_card.render(on_card(connection, world, approval.card, aside=aside))
    outbox.put(
        connection,
        key=approval_key(approval.card),
        channel=channel,
        payload=card.payload(),
        thread_key=parent,
        now=now,
        urgent=True,
    )
    for other in joined.matters_of(connection, approval_id):
        _show_elsewhere(connection, world, approval, other, now, aside)
    whole = plan_change.attachment(approval, record, request.full_diff)
    if whole is not None:
        outbox.put(
            connection,
            key=f"diff:{approval_id}",
            channel=channel,
            payload=whole.payload(),
            thread_key=parent,
            kind="file",
            now=now,
        )


def look_again(connection: Connection, world: World, approval_id: str, *, now: int) -> None:
    """See that what somebody may still answer stands in Slack: the card of a request, and the question of its run. One
    that was deleted there is posted anew."""
    approval = _readable(lambda: approvals.get(connection, approval_id), None)
    run = _readable(lambda: runs.of_approval(connection, approval_id), None)
    if approval is None or approval.state not in ("pending", "approved") or (run and run.state in FINAL):
        return
    outbox.look_again(connection, approval_key(approval.card), now=now)
    for step in runs.steps_of(connection, run.id) if run else ():
        if step.state == "unknown":
            question = f"unknown:{step.ordinal}:{approval.name}"
            outbox.look_again(connection, _notice(approval.matter_id, question), now=now)


def _notice(matter_id: str, what: str, times: int = 0) -> str:
    return f"notice:{matter_id}:{what}:{times}"


def _show_elsewhere(
    connection: Connection, world: World, approval: Approval, matter_id: str, now: int, aside: Aside
) -> None:
    """Tell a matter that wants the same what becomes of the request: on its card, and once it is over in its thread."""
    matter = matters.get(connection, matter_id)
    line = _line(connection, world, approval, aside, here=False)
    say(connection, world, matter, f"elsewhere:{approval.name}", thread.asked_elsewhere(line), now=now)
    if line.state not in WAITING:
        say(connection, world, matter, f"over:{approval.name}", thread.over_elsewhere(line), now=now)
    show(connection, world, matter_id, now=now)


def on_card(connection: Connection, world: World, card: str, *, aside: Aside = _log) -> list[Shown | None]:
    """Read the requests of a card, in their order. None stands for one that cannot be relied on, which goes to
    ``aside``: the others can be decided all the same."""
    return [shown(connection, world, each, aside=aside) for each in approvals.on_card(connection, card)]


def shown(connection: Connection, world: World, approval_id: str, *, aside: Aside = _log) -> Shown | None:
    """Read what a card shows of a request, None if that cannot be relied on."""

    def read() -> Shown:
        request = approvals.request(connection, approval_id)
        view = approval_view(connection, world, approval_id)
        return Shown(request.approval, request.plan.record, view, request.full_diff)

    return _readable(read, None, aside)


def call(connection: Connection, world: World, request: Request, *, now: int) -> None:
    """Tell those who may approve a new request directly what waits for them on its card, each once a card; of
    many the first that the lot falls on, of every group some."""
    if not world.rules.direct_messages:
        return
    matter = matters.get(connection, request.approval.matter_id)
    waiting: list[tuple[Approval, str, set[Person]]] = []
    for each in approvals.on_card(connection, request.approval.card):
        beside = _readable(partial(approvals.request, connection, each), None)
        if beside is not None and beside.approval.state == "pending":
            asked = beside.approval
            waiting.append((asked, what(connection, world, asked), _called(beside)))
    for person in sorted(_called(request)):
        theirs = [(approval, said) for approval, said, people in waiting if person in people]
        outbox.put(
            connection,
            key=f"call:{request.approval.card}:{person.user_id}",
            channel=person.user_id,
            payload=thread.asks_you(theirs, matter.name).payload(),
            kind="ephemeral",
            recipient=person.user_id,
            now=now,
        )


def _called(request: Request) -> set[Person]:
    terms = Terms.of(request.plan)
    return called(terms.groups, terms.askers or frozenset(), lot=request.approval.card)


def called(groups: Mapping[str, frozenset[Person]], without: Set[Person], *, lot: str) -> set[Person]:
    """Return who is told directly, of every group in turn: the same people for the same ``lot``."""

    def drawn(person: Person) -> str:
        return digest(f"{lot}/{person}".encode())

    orders = [sorted(people - without, key=drawn) for _, people in sorted(groups.items())]
    in_turn = dict.fromkeys(person for turn in zip_longest(*orders) for person in turn if person is not None)
    return set(islice(in_turn, CALLED))


def alarm_key(approval_id: str) -> str:
    """Return the outbox key of the message that says that the glass was broken for a request."""
    return f"glass:{approval_id}"


def raise_alarm(connection: Connection, world: World, request: Request, *, now: int) -> None:
    """Say in the channel, beside all threads, that the glass was broken; and tell approvers directly, where that is not
    turned off."""
    approval, terms = request.approval, Terms.of(request.plan)
    glass = approvals.glass_of(connection, approval.id)
    if glass is None:
        return
    show_alarm(connection, world, request, glass, now=now)
    people = called(terms.groups, {glass.broken.vote.person}, lot=approval.card)
    if not world.rules.direct_messages:
        return
    name = world.redactor.text(glass.broken.person_name)
    reason = world.redactor.text(glass.broken.vote.reason)
    payload = thread.glass_broken(approval, what(connection, world, approval), name, reason).payload()
    for person in sorted(people):
        outbox.put(
            connection,
            key=f"alarm:{approval.id}:{person.user_id}",
            channel=person.user_id,
            payload=payload,
            kind="ephemeral",
            recipient=person.user_id,
            now=now,
        )


def show_alarm(connection: Connection, world: World, request: Request, glass: Glass, *, now: int) -> None:
    """Put what is known of a break-glass and of its review on the message that says that the glass was broken."""
    approval = request.approval
    matter = matters.get(connection, approval.matter_id)
    broken, reviewed = _glass_lines(glass, world)
    sentence = world.redactor.text(glass.broken.vote.verdict)
    if glass.broken.vote.state == "revoked":
        sentence = f"{broken.name} broke the glass: {broken.reason.rstrip('.')}. {sentence}"
    card = glass_card.render(approval, what(connection, world, approval), sentence, broken, reviewed)
    outbox.put(
        connection,
        key=alarm_key(approval.id),
        channel=channel_of(connection, world, matter),
        payload=card.payload(),
        now=now,
        urgent=True,
    )


def approval_view(
    connection: Connection, world: World, approval_id: str, *, buttons: bool = True
) -> approval_card.ApprovalView:
    """Read what an approval's card shows beside its plan. ``buttons`` is False where a click could not be answered."""
    request = _readable(lambda: approvals.request(connection, approval_id), None)
    pending = request is not None and request.approval.state == "pending"
    glass = _readable(lambda: approvals.glass_of(connection, approval_id), None)
    broken, reviewed = _glass_lines(glass, world) if glass else (None, None)
    after = _readable(lambda: approvals.replaced_by(connection, approval_id), None)
    return approval_card.ApprovalView(
        hold=hold(connection, world, request.plan, clock.now(connection)) if request and pending else "",
        votes=tuple(_vote_line(click, world) for click in approvals.votes_of(connection, approval_id)),
        run=_readable(lambda: runs.of_approval(connection, approval_id), None),
        progress=_readable(lambda: _progress(connection, approval_id), ""),
        buttons=buttons,
        broken=broken,
        reviewed=reviewed,
        replaces=_readable(lambda: _replaced(connection, request), None),
        replaced_by=after.name if after else "",
        short=policy.too_few(request.plan, world.rules.policy.aliases) if request and pending else "",
    )


def _replaced(connection: Connection, request: Request | None) -> approval_card.Replaced | None:
    """Read what the card of a request says of the one whose place it took."""
    if request is None or request.approval.replaces is None:
        return None
    old = approvals.get(connection, request.approval.replaces)
    return approval_card.Replaced(old.name, old.moved)


def _progress(connection: Connection, approval_id: str) -> str:
    """Say how far a run of several calls is."""
    run = runs.of_approval(connection, approval_id)
    if run is None:
        return ""
    plan = approvals.request(connection, approval_id).plan
    return run_steps.counted(plan, runs.steps_of(connection, run.id)) if plan.forward > 1 else ""


def attach_steps(connection: Connection, world: World, request: Request, run: Run, *, now: int) -> None:
    """Put what became of each call of a long run beside its card, as a file."""
    matter = matters.get(connection, request.approval.matter_id)
    steps = runs.steps_of(connection, run.id)
    outbox.put(
        connection,
        key=f"steps:{request.approval.id}:{run.state}",
        channel=channel_of(connection, world, matter),
        payload=run_steps.output(request.approval, request.plan, steps).payload(),
        thread_key=thread_of(matter),
        kind="file",
        now=now,
    )


def _glass_lines(glass: Glass, world: World) -> tuple[approval_card.VoteLine, approval_card.VoteLine | None]:
    return _vote_line(glass.broken, world), _vote_line(glass.reviewed, world) if glass.reviewed else None


def _vote_line(click: Click, world: World) -> approval_card.VoteLine:
    vote = click.vote
    reason = world.redactor.text(vote.reason)
    name = world.redactor.text(click.person_name)
    return approval_card.VoteLine(vote.person, name, vote.decision, vote.received_at, reason)


def say(
    connection: Connection,
    world: World,
    matter: Matter,
    what: str,
    card: Card,
    *,
    now: int,
    times: int = 0,
    urgent: bool = False,
) -> None:
    """Say one thing once in a matter's thread. ``what`` and ``times`` name the occasion."""
    outbox.put(
        connection,
        key=_notice(matter.id, what, times),
        channel=channel_of(connection, world, matter),
        payload=card.payload(),
        thread_key=thread_of(matter),
        now=now,
        urgent=urgent,
    )

"""Planning: one use of a runbook becomes one record that is shown, approved and run, or a refusal that says why.

The record (canonical JSON, ``Plan.record``) holds everything that an approval card shows and that execution needs:

``schema``, ``matter`` {id, name}, ``runbook`` {id, version, digest, title, risk}, ``parameters``, ``cluster``,
``targets`` [{cluster, apiVersion, kind, namespace, name, uid, generation, owner, main, preconditions [{check, with,
observed, sentence}]}], ``calls`` [{step, action, with, target, method, path, content_type, body, timeout_seconds,
retries, idempotency, on_failure, group, batch, max_errors, undoes, condition, generation, fields, owners [name],
result, settled}],
``dry_run`` [{call, diff, sha256, complete, lines, added, removed}], ``change_sha256``, ``effect`` [sentence], ``undo``
[sentence], ``rollback`` {approval, note}, ``verification`` {check, waits_for, deadline_seconds, stable_seconds,
on_failure, before {ready, desired}}, ``lock`` [key], ``limits`` {per_hour, run_seconds}, ``windows`` [{kind, cron,
duration_seconds, time_zone, …}], ``evidence`` [id], ``proposed_by``, ``needs`` [{group, count, members [{team_id,
user_id, name}]}], ``quorum``, ``requester`` {team_id, user_id} or null, ``on_behalf_of`` {team_id, user_id, name} or
null, ``requester_may_approve``, ``break_glass`` [{team_id, user_id, name}], ``policy_digest``, ``allowed_by``
{key of the configuration: digest of what it says of the calls}, ``catalogue_digest``, ``created_at``, ``expires_at``.

The calls that undo others (``undoes`` is an ordinal) follow the others, the last step's first. ``dry_run`` has an
entry for each call (``call`` is its ordinal) but for those that are exact inverses. ``fields``, ``result`` and
``settled`` are hashes of what the action reads or writes: before the call, after it, and after all calls of its target.
``owners`` are the tools and operators that have a say in what it writes, as the approver is told.
``change_sha256`` is of the file with all diffs.
Every sentence is made by code from the runbook and the cluster; no word of a model is in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from typing import Any

from bot.domain.approval import Member, Need, Person
from bot.domain.canonical import canonical, digest
from bot.domain.plan import SCHEMA, Plan
from bot.domain.runbook import Runbook, Step, Where
from bot.runbooks import allowed, diff, parameters, seen, template
from bot.runbooks.access import Access, AccessFailed
from bot.runbooks.actions import ACTIONS
from bot.runbooks.actions.action import Occasion
from bot.runbooks.actions.http_request import SECRET
from bot.runbooks.call import Call
from bot.runbooks.checks import HEALTH
from bot.runbooks.draft import Desk, Drafted, TargetDraft, Undoing, draft
from bot.runbooks.refusal import Refusal
from bot.runbooks.resolve import Found, resolve

__all__ = ["PlanContext", "Planned", "Refusal", "make"]

Json = Mapping[str, Any]

MAX_RECORD = 1024 * 1024
"""Bytes of a record; a Kubernetes object has at most 1.5 MiB in etcd, and a plan holds a part of one."""
MAX_CHANGE = 1024 * 1024
"""Characters of all diffs together: a file that a person can still open in Slack."""
AT_ONCE = 8
"""Targets that are read and rehearsed at the same time."""


@dataclass(frozen=True, slots=True)
class PlanContext:
    """What a plan is bound to beside the runbook and the cluster, which is empty where nothing of Kubernetes is touched
    and the matter is in none. ``now`` is in microseconds.

    ``subject`` is what the incident is about, by the names that a parameter's ``from`` uses; None where a person gives
    every parameter. ``registries`` are the prefixes that images may have. ``policy_digest`` digests what the policy
    says that concerns a record.
    """

    matter_id: str
    matter_name: str
    cluster: str
    evidence: tuple[str, ...]
    proposed_by: str
    needs: tuple[Need, ...]
    quorum: int
    requester: Person | None
    now: int
    ttl_seconds: int
    catalogue_digest: str
    policy_digest: Callable[[Json], str]
    on_behalf_of: Member | None = None
    requester_may_approve: bool = False
    break_glass: tuple[Member, ...] = ()
    subject: Mapping[str, str] | None = None
    registries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, for each entry of its ``dry_run`` the full diff whose SHA-256 that holds, and for each call that undoes
    nothing the fields that its ``fields`` hashes, redacted: they say what changed, the hashes whether."""

    plan: Plan
    full_diffs: tuple[str, ...]
    seen: tuple[Mapping[str, str], ...]

    @property
    def full_diff(self) -> str:
        """The whole change as one text, whose SHA-256 is the record's ``change_sha256``."""
        return whole(self.full_diffs)


def whole(diffs: Sequence[str]) -> str:
    """Join the diffs of a plan's calls as the file beside the card has them."""
    return "\n".join(diffs)


async def make(
    runbook: Runbook,
    given: Mapping[str, Any],
    *,
    access: Access,
    context: PlanContext,
    redact: Callable[[Any], Any],
) -> Planned | Refusal:
    """Plan one use of ``runbook``; nothing is changed anywhere.

    ``access`` is that of the identity that will run it, so that the dry run asks for the same rights. ``redact`` takes
    plain JSON and hides secrets in it; the diff is made of what it returns. The stricter of the runbook and the
    context decides quorum and lifetime.
    """
    if access.cluster != context.cluster:
        return Refusal("cluster", f"The plan is for cluster {context.cluster}, not for {access.cluster}.")
    values, problems = parameters.complete(runbook.parameters, given, context.subject)
    if problems:
        return Refusal("parameters", f"{runbook.title} cannot be used like this: {'; '.join(problems)}.")
    secrets = parameters.secrets_in(runbook.parameters, values, redact)
    if secrets:
        which, why = next(iter(secrets.items()))
        return Refusal("secret", f"{runbook.title} cannot be used with this {which}. {why}")
    desk = Desk(runbook, _referring(runbook, values), access, _occasion(runbook, values, context), redact)
    try:
        parts = await _drafted(desk)
        if isinstance(parts, Refusal):
            return parts
        book = _ordered(runbook, parts)
        plan = Plan.of(_record(desk, values, book, context))
    except AccessFailed as failure:
        return Refusal(failure.code, failure.sentence)
    except diff.TooLarge as error:
        return Refusal("too-large", f"The change is too large to be reviewed: {error}.")
    except ValueError as error:
        return Refusal("too-unusual", f"A target holds something that cannot be recorded exactly: {error}.")
    diffs = tuple(change.text for _, change in book.changes)
    if len(plan.canonical) > MAX_RECORD or len(whole(diffs)) > MAX_CHANGE:
        return Refusal("too-large", f"The change is too large to be reviewed: over {MAX_RECORD:,} bytes.")
    return Planned(plan, diffs, seen.together(call.seen for call in book.calls))


def _referring(runbook: Runbook, values: Json) -> dict[str, Any]:
    """The parameters as templates put them in: a secret is a reference, and its value is nowhere in a plan."""
    declared = runbook.parameters["properties"]
    return {name: {SECRET: value} if declared[name].get("secret") else value for name, value in values.items()}


def _occasion(runbook: Runbook, values: Json, context: PlanContext) -> Occasion:
    of = [context.matter_id, context.matter_name, runbook.digest, dict(values), context.cluster, context.now]
    return Occasion(context.now, context.matter_name, digest(canonical(of)), context.registries)


# --- drafting all targets -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Part:
    """The steps that share their targets, and those targets' drafts."""

    where: Where | None
    steps: tuple[Step, ...]
    drafts: tuple[TargetDraft, ...]


async def _drafted(desk: Desk) -> list[_Part] | Refusal:
    shared = _sharing(desk.runbook)
    if all(where is not None for where, _ in shared):
        shared.append((None, ()))  # what is verified is resolved and watched all the same
    parts = []
    for where, steps in shared:
        part = await _part(desk, where, steps)
        if isinstance(part, Refusal):
            return part
        parts.append(part)
    shared_object = _changed_by_two(parts)
    if shared_object is not None:
        return shared_object
    if not any(drafted.calls for part in parts for drafted in part.drafts):
        title = desk.runbook.title
        return Refusal("no-change", f"No step of {title} applies as things are, so there is nothing to run.")
    return parts


def _changed_by_two(parts: Sequence[_Part]) -> Refusal | None:
    """Refuse a plan in which one object is two targets: the first change of it would be drift to the second."""
    steps: dict[str, list[str]] = {}
    for part in parts:
        for drafted in part.drafts:
            mine = dict.fromkeys(call.step.id for call in drafted.calls if not _looks_only(call))
            earlier = steps.setdefault(drafted.target.key, [])
            if mine and earlier:
                which = ", ".join([*earlier, *mine])
                return Refusal(
                    "same-target",
                    f"{drafted.target} is changed by steps with different targets ({which}), and the change of the one "
                    "would void the other. Give them the same target, or use other parameters.",
                )
            earlier += mine
    return None


def _sharing(runbook: Runbook) -> list[tuple[Where | None, tuple[Step, ...]]]:
    """Group the steps that share their targets. One that creates something has a target of its own, which it shares
    with those that follow it there."""
    shared: list[tuple[Where | None, list[Step]]] = []
    for step in runbook.steps:
        mine = [steps for where, steps in shared if where == step.where]
        if mine and not ACTIONS[step.action].creates:
            mine[-1].append(step)
        else:
            shared.append((step.where, [step]))
    return [(where, tuple(steps)) for where, steps in shared]


async def _part(desk: Desk, where: Where | None, steps: tuple[Step, ...]) -> _Part | Refusal:
    # What the main target is called is what the targets of other steps may refer to.
    main = template.fill(asdict(replace(desk.runbook.target, selector={})), {"parameters": desk.values})
    scope = {"parameters": desk.values, "target": {key: main[key] for key in ("namespace", "name")}}
    found = await resolve(where or desk.runbook.target, scope, desk.access)
    if isinstance(found, Refusal):
        return found
    preconditions = list(desk.runbook.preconditions) if where is None else []
    preconditions += [check for step in steps for check in step.preconditions]
    limit = asyncio.Semaphore(AT_ONCE)

    async def one(index: int, each: Found) -> TargetDraft | Refusal:
        mine = [step for step in steps if index == 0 or not ACTIONS[step.action].once]
        async with limit:
            return await draft(desk, each, mine, preconditions, main=where is None)

    drafts = await asyncio.gather(*(one(index, each) for index, each in enumerate(found)))
    for drafted in drafts:
        if isinstance(drafted, Refusal):
            return drafted
    return _Part(where, steps, tuple(each for each in drafts if isinstance(each, TargetDraft)))


# --- the order of the calls ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Placed:
    """A call in its place: which target it is for, its group (consecutive steps that share their targets), its batch in
    that group, and how many targets of the group may fail."""

    call: Drafted
    target: int
    group: int
    batch: int
    max_errors: int


@dataclass(frozen=True, slots=True)
class _Book:
    """All targets (with whether they are the runbook's own), and all calls in the order in which they run."""

    targets: Sequence[tuple[TargetDraft, bool]]
    placed: Sequence[_Placed]

    @property
    def calls(self) -> list[Drafted]:
        """The calls alone."""
        return [each.call for each in self.placed]

    @property
    def backward(self) -> list[tuple[int, Undoing]]:
        """What takes a call back, with the ordinal of that call, in the order in which it is done: the last first."""
        order = reversed(list(enumerate(self.calls)))
        return [(ordinal, call.undoing) for ordinal, call in order if call.undoing is not None]

    @property
    def changes(self) -> list[tuple[int, diff.Diff]]:
        """What the calls change, each with its ordinal. An exact inverse needs no showing: it restores what was."""
        forward = [(ordinal, call.change) for ordinal, call in enumerate(self.calls)]
        back = enumerate((undoing.change for _, undoing in self.backward), len(forward))
        return forward + [(ordinal, change) for ordinal, change in back if change is not None]


def _ordered(runbook: Runbook, parts: Sequence[_Part]) -> _Book:
    targets = [(drafted, part.where is None) for part in parts for drafted in part.drafts]
    offsets = [sum(len(part.drafts) for part in parts[:index]) for index in range(len(parts))]

    def part_of(step: Step) -> int:
        return next(index for index, part in enumerate(parts) if step in part.steps)

    placed: list[_Placed] = []
    for group, (index, steps) in enumerate(groupby(runbook.steps, key=part_of)):
        together, part = list(steps), parts[index]
        reach = (part.where or runbook.target).reach
        count = len(part.drafts)
        size = reach.batch or count
        for batch, start in enumerate(range(0, count, size)):
            for step in together:
                for offset in range(start, min(start + size, count)):
                    calls = [call for call in part.drafts[offset].calls if call.step is step]
                    placed += (_Placed(call, offsets[index] + offset, group, batch, reach.max_errors) for call in calls)
    return _Book(targets, placed)


# --- the record ---------------------------------------------------------------------------------------------------


def _record(desk: Desk, values: Json, book: _Book, context: PlanContext) -> dict[str, Any]:
    runbook = desk.runbook
    ends = context.now + min(runbook.approval.ttl_seconds, context.ttl_seconds) * 1_000_000
    useful = [call.rendered.useful_until for call in book.calls if call.rendered.useful_until is not None]
    verification = runbook.verification
    effects = [sentence for call in book.calls for sentence in call.rendered.effect]
    undo = [*(call.rendered.undo for call in book.calls), runbook.rollback.note]
    record: dict[str, Any] = {
        "schema": SCHEMA,
        "matter": {"id": context.matter_id, "name": context.matter_name},
        "runbook": {
            "id": runbook.id,
            "version": runbook.version,
            "digest": runbook.digest,
            "title": runbook.title,
            "risk": runbook.risk,
        },
        "parameters": dict(values),
        "cluster": context.cluster,
        "targets": [_target(drafted, main=main) for drafted, main in book.targets],
        "calls": [*(_call(each) for each in book.placed), *_undoing(book)],
        "dry_run": list(_rehearsals(book.changes)),
        "change_sha256": digest(whole([change.text for _, change in book.changes]).encode()),
        "effect": desk.redact(list(dict.fromkeys(effects))),
        "undo": desk.redact([sentence for sentence in dict.fromkeys(undo) if sentence]),
        "rollback": {"approval": runbook.rollback.approval, "note": runbook.rollback.note},
        "verification": {
            "check": verification.check.check,
            "waits_for": HEALTH[verification.check.check].waits_for if verification.check.check in HEALTH else "",
            "deadline_seconds": verification.deadline_seconds,
            "stable_seconds": verification.stable_seconds,
            "on_failure": verification.on_failure,
            "before": _before(book),
        },
        "lock": _lock(desk, book),
        "limits": {"per_hour": runbook.per_hour, "run_seconds": runbook.run_seconds},
        "windows": [asdict(window) for window in runbook.windows],
        "evidence": list(context.evidence),
        "proposed_by": context.proposed_by,
        "needs": [
            {
                "group": need.group,
                "count": need.count,
                "members": _members(need.members),
            }
            for need in context.needs
        ],
        "quorum": max(runbook.approval.quorum, context.quorum),
        "requester": _person(context.requester) if context.requester else None,
        "on_behalf_of": _member(context.on_behalf_of) if context.on_behalf_of else None,
        "requester_may_approve": context.requester_may_approve,
        "break_glass": _members(context.break_glass),
        "catalogue_digest": context.catalogue_digest,
        "created_at": context.now,
        "expires_at": min(ends, *useful) if useful else ends,
    }
    return record | {
        "policy_digest": context.policy_digest(record),
        "allowed_by": allowed.allowed_by(record["targets"], record["calls"], desk.access, context.registries),
    }


def _members(members: Iterable[Member]) -> list[dict[str, str]]:
    return [_member(each) for each in members]


def _member(member: Member) -> dict[str, str]:
    return _person(member.person) | {"name": member.name}


def _person(person: Person) -> dict[str, str]:
    return {"team_id": person.team_id, "user_id": person.user_id}


def _target(drafted: TargetDraft, *, main: bool) -> dict[str, Any]:
    target = drafted.target
    return {
        "cluster": target.cluster,
        "apiVersion": target.resource.api_version,
        "kind": target.resource.kind,
        "namespace": target.namespace,
        "name": target.name,
        "uid": target.uid,
        "generation": drafted.generation,
        "owner": dict(target.owner) if target.owner else None,
        "main": main,
        "preconditions": [
            {"check": check.check, "with": dict(check.arguments), "observed": seen.value, "sentence": seen.sentence}
            for check, seen in drafted.observed
        ],
    }


def _call(placed: _Placed) -> dict[str, Any]:
    drafted, step = placed.call, placed.call.step
    condition = drafted.condition
    return {
        "step": step.id,
        "action": step.action,
        "with": drafted.arguments,
        "target": placed.target,
        **_request(drafted.rendered.call),
        "timeout_seconds": step.timeout_seconds,
        "retries": step.retries,
        "idempotency": step.idempotency,
        "on_failure": step.on_failure,
        "group": placed.group,
        "batch": placed.batch,
        "max_errors": placed.max_errors,
        "undoes": None,
        "condition": None
        if condition is None
        else {"check": condition.check, "with": condition.arguments, "observed": condition.observed},
        "generation": drafted.generation,
        "fields": drafted.fields,
        "owners": list(drafted.owners),
        "result": drafted.result,
        "settled": drafted.settled,
    }


def _undoing(book: _Book) -> Iterator[dict[str, Any]]:
    for ordinal, undoing in book.backward:
        yield _call(book.placed[ordinal]) | {
            "action": undoing.action,
            "with": undoing.arguments,
            **_request(undoing.call),
            "on_failure": "stop",
            "undoes": ordinal,
            "condition": None,
            "generation": None,
            "fields": undoing.fields,
            "result": undoing.result,
            "settled": undoing.result,
        }


def _request(call: Call) -> dict[str, Any]:
    return {"method": call.method, "path": call.path, "content_type": call.content_type, "body": call.body}


def _rehearsals(changes: Iterable[tuple[int, diff.Diff]]) -> Iterator[dict[str, Any]]:
    """What each call changes; as much of it as fits a card, the first calls first."""
    room = diff.MAX_SHOWN
    for ordinal, change in changes:
        shown = change.shown if len(change.shown) <= room else ""
        room -= len(change.shown)
        yield {
            "call": ordinal,
            "diff": shown,
            "sha256": change.sha256,
            "complete": change.complete and shown == change.shown,
            "lines": change.lines,
            "added": change.added,
            "removed": change.removed,
        }


def _before(book: _Book) -> dict[str, int | None]:
    looks = [drafted.look for drafted, main in book.targets if main and drafted.look is not None]
    ready, desired = [look.ready for look in looks], [look.desired for look in looks]
    return {"ready": _sum(ready), "desired": _sum(desired)}


def _sum(numbers: Sequence[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if known and len(known) == len(numbers) else None


def _lock(desk: Desk, book: _Book) -> list[str]:
    """One run at a time for each target that is changed, and for the key that the runbook names."""
    changed = {book.targets[each.target][0].target.key for each in book.placed if not _looks_only(each.call)}
    own = template.fill(desk.runbook.lock, {"parameters": desk.values}) if desk.runbook.lock else ""
    return sorted(changed | ({f"{desk.access.cluster}/{own}"} if own else set()))


def _looks_only(call: Drafted) -> bool:
    return ACTIONS[call.step.action].reads_only

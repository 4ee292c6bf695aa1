"""Execution: check a plan against the world, send its stored calls once, and read back what became of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bot.domain.plan import Plan
from bot.runbooks import owners
from bot.runbooks.access import Access, AccessFailed
from bot.runbooks.actions import ACTIONS
from bot.runbooks.actions.action import Before, ReadBack, fingerprint
from bot.runbooks.call import Call
from bot.runbooks.checks import PRECONDITIONS
from bot.runbooks.target import Target

Json = Mapping[str, Any]

ATTEMPTS = 5
"""How often a call is sent when each time the server says that the object changed just before (409: not applied)."""
AT_ONCE = 8
"""Targets that are read at the same time."""
PATIENCE_SECONDS = 2.0
"""How long a busy server is left alone before a patient action asks again; ``kubectl drain`` waits 5 s."""
REQUEST_LIMIT_SECONDS = 60.0
"""How long an API server may still be at work on a request after the connection broke: --request-timeout, by default
1m0s (https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/)."""


@dataclass(frozen=True, slots=True)
class Drift:
    """One thing that is not as it was when the plan was made; it voids the approval. Where it is in the fields of call
    ``ordinal``, ``now`` is how those read now: exact, so never shown as it is."""

    what: Literal["cluster", "gone", "there", "uid", "fields", "precondition", "owned"]
    sentence: str
    ordinal: int = 0
    now: Json | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Effect:
    """What became of one call: ``done``, ``failed`` (certainly not applied) or ``in_doubt``.

    ``as_rehearsed`` is False when the server's answer is not what the dry run promised. ``drift`` says why a call
    was not sent at all.
    """

    outcome: Literal["done", "failed", "in_doubt"]
    sentence: str
    as_rehearsed: bool = True
    drift: tuple[Drift, ...] = ()


async def drift(plan: Plan, access: Access) -> tuple[Drift, ...]:
    """Compare every target with what the plan recorded: uid, preconditions, the fields of its first action, and who
    else has a say in what any of its actions writes.

    A new resourceVersion alone is none: status updates give one all the time. Raises ``AccessFailed`` when a target
    cannot be read. Only meaningful before the plan's own calls, which change the fields.
    """
    limit = asyncio.Semaphore(AT_ONCE)

    async def of(ordinal: int) -> tuple[Drift, ...]:
        target = target_of(plan, ordinal)
        if target.cluster != access.cluster:
            return (_other_cluster(target, access),)
        async with limit:
            # A call that only looks has nothing of its own that could drift, but its target's preconditions count.
            live = await (
                access.find(target.resource, target.namespace, target.name)
                if reads_only(plan, ordinal)
                else read(plan, ordinal, access)
            )
            drifted = _drifted(plan, ordinal, live, preconditions=True)
            for later in (each for each in range(ordinal, plan.forward) if _is_of(plan, each, ordinal)):
                drifted += await _owned(plan, later, live, access)
            return drifted

    firsts = [ordinal for ordinal in range(plan.forward) if _is_first(plan, ordinal)]
    found = await asyncio.gather(*(of(ordinal) for ordinal in firsts))
    return tuple(dict.fromkeys(each for drifted in found for each in drifted))


async def _nothing() -> str:
    return ""


async def fire(plan: Plan, ordinal: int, access: Access, *, stopped: Callable[[], Awaitable[str]] = _nothing) -> Effect:
    """Send call ``ordinal`` as it is stored, with the resourceVersion read just before as its precondition.

    Sends again only after an answer that says that nothing was applied, a conflict or (where the action is patient) a
    server that is busy, and only while nothing has drifted and ``stopped`` says no reason against it. Bounded by the
    step's own timeout. The caller records the step as started before and must not call this twice for it.
    """
    try:
        plan = Plan.stored(plan.canonical, plan.digest)
    except ValueError as error:
        return Effect("failed", f"Nothing was sent: {error}.")
    recorded = plan.calls[ordinal]
    action, target = ACTIONS[recorded["action"]], target_of(plan, ordinal)
    if target.cluster != access.cluster:
        wrong = _other_cluster(target, access)
        return Effect("failed", f"Nothing was sent: {wrong.sentence}", drift=(wrong,))
    sending = again = False
    conflicts, busy = 0, ""
    try:
        async with asyncio.timeout(recorded["timeout_seconds"]):
            while conflicts < ATTEMPTS:
                why = await stopped() if again else ""
                if why:
                    return Effect("failed", f"Nothing was changed: {why}")
                again = True
                live = await read(plan, ordinal, access)
                if live is None and action.gone_is_done:
                    return Effect("done", f"{target} was gone already.")
                first = _is_first(plan, ordinal) and not action.reads_only
                drifted = _drifted(plan, ordinal, live, preconditions=first)
                drifted += await _owned(plan, ordinal, live, access)
                if drifted:
                    reasons = " ".join(each.sentence for each in drifted)
                    return Effect("failed", f"Nothing was changed: {reasons}", drift=drifted)
                call = Call.of_record(recorded)
                version = ((live or {}).get("metadata") or {}).get("resourceVersion")
                sending = True
                try:
                    answer = await action.send(access, target, call.insisting(version) if version else call)
                except AccessFailed as failure:
                    if failure.code == "busy" and action.patient:
                        sending, busy = False, failure.sentence
                        await asyncio.sleep(PATIENCE_SECONDS)
                        continue
                    if failure.code != "conflict" or action.creates:
                        raise
                    sending = False
                    conflicts += 1
                    continue
                return _done(plan, ordinal, target, answer)
        return Effect("failed", f"Nothing was changed: {target} kept changing under {ATTEMPTS} attempts. Plan again.")
    except AccessFailed as failure:
        if failure.in_doubt and not action.reads_only:
            return _in_doubt(target, failure.sentence)
        return Effect("failed", failure.sentence if action.reads_only else f"Nothing was changed: {failure.sentence}")
    except TimeoutError:
        seconds = recorded["timeout_seconds"]
        if action.reads_only:
            return Effect("failed", f"{target} was not so within {seconds} s. Nothing was changed by waiting.")
        if action.patient and not sending:
            said = f"Nothing was changed: {target} could not be moved within {seconds} s. {busy}"
            return Effect("failed", said.rstrip())
        sentence = f"{target.system} did not answer within {seconds} s."
        return _in_doubt(target, sentence) if sending else Effect("failed", f"Nothing was sent: {sentence}")


async def read_back(plan: Plan, ordinal: int, access: Access, *, waited_seconds: float) -> ReadBack:
    """Tell from the world whether call ``ordinal`` took effect, after a crash or when it was in doubt.

    ``waited_seconds`` is the time since the call can last have been sent. Until the server's own limit for a request
    has passed, a request may still be applied, so an untouched object is "cannot tell": ask again later.
    """
    target = target_of(plan, ordinal)
    if target.cluster != access.cluster:
        return "cannot tell"
    try:
        live = await read(plan, ordinal, access)
    except AccessFailed:
        return "cannot tell"
    verdict = applied(plan, ordinal, live)
    if verdict == "not applied" and waited_seconds < REQUEST_LIMIT_SECONDS:
        return "cannot tell"
    return verdict


def applied(plan: Plan, ordinal: int, live: Json | None) -> ReadBack:
    """Tell from the target as it was read whether call ``ordinal`` took effect. Pure."""
    return _compared(plan, ordinal, live, plan.calls[ordinal]["result"])


def settled(plan: Plan, ordinal: int, live: Json | None) -> bool:
    """Say whether what call ``ordinal`` wrote is as all calls of its target together were to leave it. Pure."""
    return _compared(plan, ordinal, live, plan.calls[ordinal]["settled"]) == "applied"


def reads_only(plan: Plan, ordinal: int) -> bool:
    """Say whether call ``ordinal`` changes nothing, so that it may be made again after a crash."""
    return ACTIONS[plan.calls[ordinal]["action"]].reads_only


def target_of(plan: Plan, ordinal: int) -> Target:
    """Return the target of call ``ordinal``."""
    return Target.of_record(plan.targets[plan.calls[ordinal]["target"]])


async def read(plan: Plan, ordinal: int, access: Access) -> Json | None:
    """Read the target of call ``ordinal`` as its action reads it. Raises ``AccessFailed``."""
    recorded = plan.calls[ordinal]
    return await ACTIONS[recorded["action"]].read(access, target_of(plan, ordinal), Call.of_record(recorded))


def _compared(plan: Plan, ordinal: int, live: Json | None, result: str) -> ReadBack:
    recorded = plan.calls[ordinal]
    before = Before(plan.targets[recorded["target"]]["uid"], recorded["generation"], recorded["fields"])
    return ACTIONS[recorded["action"]].applied(live, before, result, recorded["with"])


def _is_first(plan: Plan, ordinal: int) -> bool:
    """Whether no call of the plan was to change the target before this one."""
    target = plan.calls[ordinal]["target"]
    earlier = (call for call in range(ordinal) if plan.calls[call]["target"] == target)
    return all(reads_only(plan, call) for call in earlier)


def _drifted(plan: Plan, ordinal: int, live: Json | None, *, preconditions: bool) -> tuple[Drift, ...]:
    call = plan.calls[ordinal]
    action, recorded, target = ACTIONS[call["action"]], plan.targets[call["target"]], target_of(plan, ordinal)
    if action.creates:
        return () if live is None else (Drift("there", f"{target} is there already."),)
    if live is None:
        return (Drift("gone", f"{target} no longer exists."),)
    if target.uid and live["metadata"]["uid"] != target.uid:
        return (Drift("uid", f"{target} was deleted and made anew since the plan was made."),)
    found = []
    for precondition in recorded["preconditions"] if preconditions else ():
        now = PRECONDITIONS[precondition["check"]].observe(live, precondition["with"])
        if now.value != precondition["observed"] or not now.holds:
            found.append(Drift("precondition", f"{now.sentence} When the plan was made: {precondition['sentence']}"))
    condition = call["condition"]
    if condition is not None:
        now = PRECONDITIONS[condition["check"]].observe(live, condition["with"])
        if now.value != condition["observed"]:
            found.append(Drift("precondition", f"{now.sentence} It decides whether step {call['step']} is done."))
    fields = action.fields(live, call["with"])
    if fingerprint(fields) != call["fields"]:
        what = f"in what {call['action']} reads or writes"
        found.append(Drift("fields", f"{target} was changed since the plan was made, {what}.", ordinal, fields))
    return tuple(found)


async def _owned(plan: Plan, ordinal: int, live: Json | None, access: Access) -> tuple[Drift, ...]:
    """Say who has a say in what call ``ordinal`` writes that had none when the plan was made. What is taken back is
    taken back all the same: it was approved for the very case that the change did no good."""
    call = plan.calls[ordinal]
    if live is None or call["undoes"] is not None:
        return ()
    target = target_of(plan, ordinal)
    found = await owners.concerned(access, target, live, ACTIONS[call["action"]].reverted_by)
    new = (owner for owner in found if owner.name not in call["owners"])
    return tuple(Drift("owned", owners.sentence(target, owner)) for owner in new)


def _is_of(plan: Plan, ordinal: int, other: int) -> bool:
    return bool(plan.calls[ordinal]["target"] == plan.calls[other]["target"])


def _done(plan: Plan, ordinal: int, target: Target, answer: Json) -> Effect:
    recorded = plan.calls[ordinal]
    action = ACTIONS[recorded["action"]]
    if action.reads_only:
        return Effect("done", str(answer.get("sentence") or f"{recorded['action']} is over."))
    if fingerprint(action.result(answer, recorded["with"])) == recorded["result"]:
        foreseen = "exactly as the dry run showed" if action.dry_run else "as the plan says"
        return Effect("done", f"{target} was changed {foreseen}.")
    return Effect(
        "done",
        f"{target} was changed, but the answer is something else than the plan says. Look at it.",
        as_rehearsed=False,
    )


def _in_doubt(target: Target, why: str) -> Effect:
    return Effect("in_doubt", f"Whether {target} was changed is not known. {why}")


def _other_cluster(target: Target, access: Access) -> Drift:
    return Drift("cluster", f"{target} is in cluster {target.cluster}, and this connection is to {access.cluster}.")

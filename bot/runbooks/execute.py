"""Execution: check a plan against the world, send its stored calls once, and read back what became of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bot.clients.kubernetes import Kubernetes
from bot.domain.plan import Plan
from bot.runbooks.access import Access, AccessFailed
from bot.runbooks.actions import ACTIONS
from bot.runbooks.actions.action import Before, ReadBack, fingerprint
from bot.runbooks.call import Call
from bot.runbooks.checks import PRECONDITIONS
from bot.runbooks.target import Target, read

Json = Mapping[str, Any]

ATTEMPTS = 5
"""How often a call is sent when each time the server says that the object changed just before (409: not applied)."""
REQUEST_LIMIT_SECONDS = 60.0
"""How long an API server may still be at work on a request after the connection broke: --request-timeout, by default
1m0s (https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/)."""


@dataclass(frozen=True, slots=True)
class Drift:
    """One thing that is not as it was when the plan was made; it voids the approval."""

    what: Literal["cluster", "gone", "uid", "fields", "precondition"]
    sentence: str


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


async def drift(plan: Plan, kubernetes: Kubernetes) -> tuple[Drift, ...]:
    """Compare every target with what the plan recorded: uid, preconditions and the fields of its action.

    A new resourceVersion alone is none: status updates give one all the time. Raises ``AccessFailed`` when a target
    cannot be read. Only meaningful before the plan's own calls, which change the fields.
    """
    access = Access(kubernetes)
    found: list[Drift] = []
    for index, recorded in enumerate(plan.targets):
        target = Target.of_record(recorded)
        if target.cluster != access.cluster:
            found.append(_other_cluster(target, access))
        else:
            found += _drifted(plan, index, await read(access, target))
    return tuple(found)


async def fire(plan: Plan, ordinal: int, kubernetes: Kubernetes) -> Effect:
    """Send call ``ordinal`` as it is stored, with the resourceVersion read just before as its precondition.

    Sends again only after a 409, which says that nothing was applied, and only while nothing has drifted. Bounded by
    the step's own timeout. The caller records the step as started before and must not call this twice for it.
    """
    try:
        plan = Plan.stored(plan.canonical, plan.digest)
    except ValueError as error:
        return Effect("failed", f"Nothing was sent: {error}.")
    recorded = plan.calls[ordinal]
    target = Target.of_record(plan.targets[recorded["target"]])
    access = Access(kubernetes)
    if target.cluster != access.cluster:
        wrong = _other_cluster(target, access)
        return Effect("failed", f"Nothing was sent: {wrong.sentence}", drift=(wrong,))
    sending = False
    try:
        async with asyncio.timeout(recorded["timeout_seconds"]):
            for _ in range(ATTEMPTS):
                live = await read(access, target)
                drifted = _drifted(plan, recorded["target"], live)
                if drifted or live is None:
                    reasons = " ".join(each.sentence for each in drifted)
                    return Effect("failed", f"Nothing was changed: {reasons}", drift=drifted)
                call = Call.of_record(recorded).insisting(live["metadata"]["resourceVersion"])
                sending = True
                try:
                    answer = await access.send(call, target.resource)
                except AccessFailed as failure:
                    if failure.code != "conflict":
                        raise
                    sending = False
                    continue
                return _done(plan, ordinal, target, answer)
        return Effect("failed", f"Nothing was changed: {target} kept changing under {ATTEMPTS} attempts. Plan again.")
    except AccessFailed as failure:
        if failure.in_doubt:
            return _in_doubt(target, failure.sentence)
        return Effect("failed", f"Nothing was changed: {failure.sentence}")
    except TimeoutError:
        sentence = f"Cluster {access.cluster} did not answer within {recorded['timeout_seconds']} s."
        return _in_doubt(target, sentence) if sending else Effect("failed", f"Nothing was sent: {sentence}")


async def read_back(plan: Plan, ordinal: int, kubernetes: Kubernetes, *, waited_seconds: float) -> ReadBack:
    """Tell from the cluster whether call ``ordinal`` took effect, after a crash or when it was in doubt.

    ``waited_seconds`` is the time since the call can last have been sent. Until the server's own limit for a request
    has passed, a request may still be applied, so an untouched object is "cannot tell": ask again later.
    """
    recorded = plan.calls[ordinal]
    recorded_target = plan.targets[recorded["target"]]
    target = Target.of_record(recorded_target)
    access = Access(kubernetes)
    if target.cluster != access.cluster:
        return "cannot tell"
    try:
        live = await read(access, target)
    except AccessFailed:
        return "cannot tell"
    verdict = applied(plan, ordinal, live)
    if verdict == "not applied" and waited_seconds < REQUEST_LIMIT_SECONDS:
        return "cannot tell"
    return verdict


def applied(plan: Plan, ordinal: int, live: Json | None) -> ReadBack:
    """Tell from the target as it was read whether call ``ordinal`` took effect. Pure."""
    recorded = plan.calls[ordinal]
    target = plan.targets[recorded["target"]]
    before = Before(target["uid"], target["generation"], target["fields"])
    result: str = plan.record["dry_run"][ordinal]["result"]
    return ACTIONS[recorded["action"]].applied(live, before, result)


def _drifted(plan: Plan, index: int, live: Json | None) -> tuple[Drift, ...]:
    recorded = plan.targets[index]
    target = Target.of_record(recorded)
    if live is None:
        return (Drift("gone", f"{target} no longer exists."),)
    if live["metadata"]["uid"] != target.uid:
        return (Drift("uid", f"{target} was deleted and made anew since the plan was made."),)
    found = []
    for precondition in recorded["preconditions"]:
        now = PRECONDITIONS[precondition["check"]].observe(live)
        if now.value != precondition["observed"] or not now.holds:
            found.append(Drift("precondition", f"{now.sentence} When the plan was made: {precondition['sentence']}"))
    for call in plan.calls:
        if call["target"] == index and fingerprint(ACTIONS[call["action"]].fields(live)) != recorded["fields"]:
            what = f"in what {call['action']} reads or writes"
            found.append(Drift("fields", f"{target} was changed since the plan was made, {what}."))
    return tuple(found)


def _done(plan: Plan, ordinal: int, target: Target, answer: Json) -> Effect:
    action = ACTIONS[plan.calls[ordinal]["action"]]
    if fingerprint(action.result(answer)) == plan.record["dry_run"][ordinal]["result"]:
        return Effect("done", f"{target} was changed exactly as the dry run showed.")
    return Effect(
        "done",
        f"{target} was changed, but the cluster answered something else than in the dry run. Look at it.",
        as_rehearsed=False,
    )


def _in_doubt(target: Target, why: str) -> Effect:
    return Effect("in_doubt", f"Whether {target} was changed is not known. {why}")


def _other_cluster(target: Target, access: Access) -> Drift:
    return Drift("cluster", f"{target} is in cluster {target.cluster}, and this connection is to {access.cluster}.")

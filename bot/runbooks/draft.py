"""Drafting: the calls of a runbook's steps for one target, each rendered and rehearsed in the state that the calls
before it leave."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from bot.domain.canonical import canonical, digest
from bot.domain.runbook import Check, Runbook, Step
from bot.runbooks import diff, owners, seen, template
from bot.runbooks.access import Access, AccessFailed
from bot.runbooks.actions import ACTIONS
from bot.runbooks.actions.action import Action, Occasion, Rendered, Unrehearsed, Unsuitable, fingerprint
from bot.runbooks.arguments import refusal
from bot.runbooks.call import JSON, Call
from bot.runbooks.checks import HEALTH, PRECONDITIONS
from bot.runbooks.checks.check import Look, Observed
from bot.runbooks.refusal import Refusal
from bot.runbooks.resolve import Found
from bot.runbooks.target import Target, controller

Json = Mapping[str, Any]

ATTEMPTS = 3
"""How often a dry run is tried anew when the object changes under it; status updates make that common."""
_NO_CALL = Call("", "", JSON, {})


@dataclass(frozen=True, slots=True)
class Condition:
    """The check that decided whether a step is done, and what it saw."""

    check: str
    arguments: Json
    negated: bool
    observed: Any


@dataclass(frozen=True, slots=True)
class Undoing:
    """The call that takes another back, of which action, and the hashes of what it finds and leaves. ``change`` shows
    it where it is the runbook's own; None where it is the inverse, which restores exactly what was read."""

    action: str
    arguments: Json
    call: Call
    fields: str
    result: str
    change: diff.Diff | None = None


@dataclass(frozen=True, slots=True)
class Drafted:
    """One call: rendered, rehearsed, and hashed before and after. ``generation`` is None where a call before changes
    the object; ``settled`` is the hash of what it wrote once all calls of the target are done. ``seen`` are the fields
    that ``fields`` hashes, redacted; ``owners`` name who else has a say in what it writes."""

    step: Step
    arguments: Json
    rendered: Rendered
    change: diff.Diff
    condition: Condition | None
    generation: int | None
    fields: str
    result: str
    settled: str
    undoing: Undoing | None
    seen: Mapping[str, str]
    owners: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TargetDraft:
    """A target as it was read, what was observed of it, and its calls, in order. ``look`` is its health before."""

    target: Target
    generation: int
    observed: Sequence[tuple[Check, Observed]]
    calls: Sequence[Drafted]
    look: Look | None


@dataclass(frozen=True, slots=True)
class Desk:
    """What every draft of a plan needs."""

    runbook: Runbook
    values: Json
    access: Access
    occasion: Occasion
    redact: Callable[[Any], Any]

    def scope(self, target: Target) -> template.Scope:
        """What a step's arguments may refer to."""
        return {"parameters": self.values, "target": {"namespace": target.namespace, "name": target.name}}

    def occasion_of(self, step: Step, target: Target) -> Occasion:
        """The occasion of one call, whose key no other call has: by it the other side tells a repetition."""
        own = digest(canonical([self.occasion.key, step.id, target.key]))
        return replace(self.occasion, key=own)


async def draft(
    desk: Desk, found: Found, steps: Sequence[Step], preconditions: Sequence[Check], *, main: bool
) -> TargetDraft | Refusal:
    """Read, check, render and rehearse the calls of ``steps`` for one target. Raises ``AccessFailed``."""
    for _ in range(ATTEMPTS):
        drafted = await _once(desk, found, steps, preconditions, main=main)
        if drafted is not None:
            return drafted
        found = replace(found, live=None)
    return Refusal("conflict", f"{found.target} keeps changing while it is planned; plan again in a moment.")


async def _once(
    desk: Desk, found: Found, steps: Sequence[Step], preconditions: Sequence[Check], *, main: bool
) -> TargetDraft | Refusal | None:
    """Draft once. None means that the object changed meanwhile."""
    first = ACTIONS[steps[0].action]
    target, live = found.target, found.live
    if first.creates:
        # A name that is this call's own: what is created twice is refused by the other side.
        own = desk.occasion_of(steps[0], target).key
        prefix = f"{target.name}-" if target.resource.in_kubernetes else ""
        length = 8 if prefix else 20
        target, live = replace(target, name=f"{prefix}{own[:length]}"), {}
    elif live is None:
        live = await first.read(desk.access, target, _NO_CALL)
        if live is None and not target.resource.in_kubernetes:
            return Refusal("not-found", f"There is no {target}. Check the name.")
        if live is None:
            return Refusal("not-found", f"There is no {target} in cluster {target.cluster}. Check the name.")
        target = replace(target, uid=live["metadata"]["uid"], owner=controller(live))
    observed = [(check, PRECONDITIONS[check.check].observe(live, check.arguments)) for check in preconditions]
    failing = [each.sentence for _, each in observed if not each.holds]
    if failing:
        return Refusal("precondition", " ".join(failing))
    calls: list[Drafted] = []
    answers: list[Json] = []
    expected, together = live, None
    for step in steps:
        condition = _condition(step, expected)
        if condition is not None and condition[1] is False:
            continue
        action = ACTIONS[step.action]
        arguments = template.fill(step.arguments, desk.scope(target))
        wrong = refusal(f"Step {step.id}", {**action.arguments, **action.optional}, arguments)
        if wrong:
            return Refusal("parameters", wrong)
        gathered = await action.gather(desk.access, target, expected, arguments)
        rendered = action.render(target, expected, gathered, arguments, desk.occasion_of(step, target))
        if isinstance(rendered, Unsuitable):
            return Refusal(rendered.code, rendered.sentence)
        concerned = owners.by_marks(live, action.reverted_by)
        objections = [owners.sentence(target, owner) for owner in concerned if owners.objects(owner)]
        if objections and desk.runbook.owned == "refuse":
            return Refusal("owned", " ".join(objections))
        notices = [owners.sentence(target, owner) for owner in concerned]
        # What is rehearsed is what will be stored and sent: the canonical form, read back.
        call = Call(**json.loads(canonical(asdict(rendered.call))))
        rendered = replace(rendered, call=call, effect=(*notices, *rendered.effect))
        rehearsed = await _rehearse(desk, action, target, live, expected, rendered.call, together)
        if rehearsed is None or isinstance(rehearsed, Refusal):
            return rehearsed
        answer, together = rehearsed
        change = diff.between(*action.shown(expected, answer), title=str(target), redact=desk.redact)
        if change is None:
            said = f"{desk.runbook.title} would change nothing of {target}, so there is nothing to run."
            return Refusal("no-change", said)
        compared = action.fields(expected, arguments)
        calls.append(
            Drafted(
                step=step,
                arguments=arguments,
                rendered=rendered,
                change=change,
                condition=condition[0] if condition else None,
                generation=None if calls else _generation(live),
                fields=fingerprint(compared),
                seen=seen.of(compared, arguments, desk.redact),
                owners=tuple(owner.name for owner in concerned),
                result=fingerprint(action.result(answer, arguments)),
                settled="",
                undoing=await _undoing(desk, step, action, target, expected, answer, arguments, rendered),
            )
        )
        answers.append(answer)
        if action.dry_run:
            expected = answer
    look = None
    check = desk.runbook.verification.check.check
    if main and check in HEALTH and calls and not first.creates:
        look = await HEALTH[check].look(desk.access, target, live)
    return TargetDraft(target, _generation(live) or 0, observed, _settled(calls, answers), look)


async def _rehearse(
    desk: Desk, action: Action, target: Target, live: Json, expected: Json, call: Call, together: Call | None
) -> tuple[Json, Call | None] | Refusal | None:
    """Return what the call will leave, and the one call that does all so far; None if the object changed meanwhile."""
    if isinstance(action, Unrehearsed):
        return action.foresee(expected, call), together
    rehearsal = call
    if together is not None:
        joined = call.after(together, before=live, between=expected)
        if joined is None:
            return Refusal("not-rehearsable", f"The steps before cannot be rehearsed together with {action.name}.")
        rehearsal = joined
    insisting = rehearsal if not live else rehearsal.insisting(live["metadata"]["resourceVersion"])
    try:
        return await action.send(desk.access, target, insisting, dry_run=True), rehearsal
    except AccessFailed as failure:
        if failure.code == "conflict" and not action.creates:
            return None
        if action.patient and failure.code == "busy":
            # The budget has no pod to spare now; when it runs it may, and it waits for that.
            return {"kind": "Status", "status": "Success"}, rehearsal
        raise


def _condition(step: Step, live: Json) -> tuple[Condition, bool] | None:
    if step.condition is None:
        return None
    seen = PRECONDITIONS[step.condition.check].observe(live, step.condition.arguments)
    arguments = dict(step.condition.arguments)
    return Condition(step.condition.check, arguments, step.negated, seen.value), seen.holds is not step.negated


async def _undoing(
    desk: Desk,
    step: Step,
    action: Action,
    target: Target,
    before: Json,
    answer: Json,
    arguments: Json,
    rendered: Rendered,
) -> Undoing | None:
    if desk.runbook.rollback.approval == "none":
        return None
    change = None
    if step.undo is not None:
        undo = ACTIONS[step.undo.action]
        given = template.fill(step.undo.arguments, desk.scope(target))
        gathered = await undo.gather(desk.access, target, answer, given)
        occasion = desk.occasion_of(step, target)
        back = undo.render(target, answer, gathered, given, replace(occasion, key=f"{occasion.key}-undo"))
        if isinstance(back, Unsuitable):
            raise AccessFailed(back.code, f"The undo of step {step.id}: {back.sentence}", in_doubt=False)
        inverse, of, given_to = back.call, undo, given
        title = f"{target}, if step {step.id} is taken back"
        none: Json = {}
        sides = (
            undo.shown(none, undo.foresee(answer, inverse))
            if isinstance(undo, Unrehearsed)
            else (none, asdict(inverse))
        )
        change = diff.between(*sides, title=title, redact=desk.redact)
    elif rendered.inverse is not None:
        inverse, of = rendered.inverse, ACTIONS[rendered.inverse_action or action.name]
        given_to = arguments
    else:
        return None
    return Undoing(
        action=of.name,
        arguments=given_to,
        call=Call(**json.loads(canonical(asdict(inverse)))),
        fields=fingerprint(of.fields(answer, given_to)),
        result=fingerprint(of.result(before, given_to)),
        change=change,
    )


def _settled(calls: Sequence[Drafted], answers: Sequence[Json]) -> list[Drafted]:
    """Fill in what each call wrote as the last rehearsal of the target shows it."""
    rehearsed = [answer for call, answer in zip(calls, answers, strict=True) if ACTIONS[call.step.action].dry_run]
    final = rehearsed[-1] if rehearsed else {}
    settled = []
    for call in calls:
        action = ACTIONS[call.step.action]
        is_object = action.dry_run and ("spec" in final or "data" in final)
        hashed = fingerprint(action.result(final, call.arguments)) if is_object and len(calls) > 1 else call.result
        settled.append(replace(call, settled=hashed))
    return settled


def _generation(live: Json) -> int | None:
    return int(live["metadata"].get("generation") or 0) if live and "metadata" in live else None

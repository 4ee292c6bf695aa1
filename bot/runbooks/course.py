"""The course of a run: which call comes next, or how it ends, as a pure function of the plan and the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bot.domain.plan import Plan
from bot.domain.run import StepState


@dataclass(frozen=True, slots=True)
class Next:
    """What follows. ``call`` goes with an ordinal; ``sentence`` says why a run ends.

    ``ask``: a call's fate is not known, and nothing more is done. ``verify``: all is done. ``fail``: it stopped.
    ``undone``: what was done is taken back.
    """

    what: Literal["call", "ask", "verify", "fail", "undone"]
    ordinal: int = -1
    sentence: str = ""


def following(plan: Plan, ledger: Mapping[int, StepState], *, undoing: bool = False) -> Next:
    """Return what follows. ``undoing`` says that what was done is being taken back, whatever else could be done."""
    for ordinal, state in sorted(ledger.items()):
        if state in ("started", "unknown"):
            return Next("ask", ordinal)
    if undoing or went_back(plan, ledger):
        return _backward(plan, ledger)
    return _forward(plan, ledger)


def excused(plan: Plan, ledger: Mapping[int, StepState]) -> frozenset[int]:
    """Return the targets that failed within what the plan tolerates; the rest of their calls is left out."""
    return frozenset(
        plan.calls[ordinal]["target"]
        for ordinal, state in ledger.items()
        if state == "failed" and plan.calls[ordinal]["on_failure"] != "continue"
    )


def went_back(plan: Plan, ledger: Mapping[int, StepState]) -> bool:
    """Say whether a call that takes another back was begun."""
    return any(plan.calls[ordinal].get("undoes") is not None for ordinal in ledger)


def halted(plan: Plan, ledger: Mapping[int, StepState]) -> Next:
    """Return what follows when the run may make no more calls forward, whatever failures the plan tolerates."""
    last = max(ledger)
    if plan.calls[last]["on_failure"] == "rollback" and _may_undo(plan) and not went_back(plan, ledger):
        return _backward(plan, ledger)
    return Next("fail")


def takes_back(plan: Plan) -> bool:
    """Say whether a run that did not help is taken back as was approved with it."""
    inverse = any(call.get("undoes") is not None for call in plan.calls)
    return plan.record["verification"]["on_failure"] == "rollback" and _may_undo(plan) and inverse


def begins_batch(plan: Plan, ledger: Mapping[int, StepState], ordinal: int) -> bool:
    """Say whether call ``ordinal`` is the first of a batch after another one of its group."""
    call = plan.calls[ordinal]
    if call.get("undoes") is not None or call["batch"] == 0:
        return False
    here = (call["group"], call["batch"])
    return all((plan.calls[each]["group"], plan.calls[each]["batch"]) != here for each in ledger)


def late(plan: Plan, ordinal: int, began: int, at: int) -> str:
    """Say why call ``ordinal`` may not be sent at ``at`` in a run whose first call began at ``began`` (microseconds):
    its runbook bounds the whole run. What takes a call back is never late."""
    most = int((plan.record.get("limits") or {}).get("run_seconds", 0))
    if not most or plan.calls[ordinal].get("undoes") is not None or at - began <= most * 1_000_000:
        return ""
    taken = (at - began) // 1_000_000
    return f"the run began {taken} s ago, and its runbook lets no step begin later than {most} s after the first."


def _forward(plan: Plan, ledger: Mapping[int, StepState]) -> Next:
    failed: dict[int, set[int]] = {}
    lost: set[int] = set()
    for ordinal in range(plan.forward):
        call = plan.calls[ordinal]
        state = ledger.get(ordinal)
        if state is None:
            if call["target"] in lost:
                continue
            return Next("call", ordinal)
        if state == "failed" and call["on_failure"] != "continue":
            of_group = failed.setdefault(call["group"], set())
            of_group.add(call["target"])
            if len(of_group) > call["max_errors"]:
                if call["on_failure"] == "rollback" and _may_undo(plan):
                    return _backward(plan, ledger)
                return Next("fail")
            lost.add(call["target"])
    if not any(state == "done" for state in ledger.values()):
        return Next("fail", sentence="No call had an effect.")
    return Next("verify")


def _may_undo(plan: Plan) -> bool:
    return bool(plan.record["rollback"]["approval"] == "included")


def _backward(plan: Plan, ledger: Mapping[int, StepState]) -> Next:
    for ordinal in range(plan.forward, len(plan.calls)):
        if ledger.get(plan.calls[ordinal]["undoes"]) != "done":
            continue
        state = ledger.get(ordinal)
        if state is None:
            return Next("call", ordinal)
        if state == "failed":
            return Next("fail", sentence=_stays(plan, ledger))
    return Next("undone")


def _stays(plan: Plan, ledger: Mapping[int, StepState]) -> str:
    """Say which steps a run leaves as they are that it was to take back."""
    undone = ((plan.calls[ordinal]["undoes"], ledger.get(ordinal)) for ordinal in range(plan.forward, len(plan.calls)))
    left = sorted(ordinal for ordinal, state in undone if ledger.get(ordinal) == "done" and state != "done")
    steps = ", ".join(dict.fromkeys(plan.calls[ordinal]["step"] for ordinal in left))
    return f"It could not be taken back. What stays: {steps}."

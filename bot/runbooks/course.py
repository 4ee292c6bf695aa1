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
    if undoing or any(plan.calls[ordinal].get("undoes") is not None for ordinal in ledger):
        return _backward(plan, ledger)
    return _forward(plan, ledger)


def excused(plan: Plan, ledger: Mapping[int, StepState]) -> frozenset[int]:
    """Return the targets that failed within what the plan tolerates; the rest of their calls is left out."""
    return frozenset(
        plan.calls[ordinal]["target"]
        for ordinal, state in ledger.items()
        if state == "failed" and plan.calls[ordinal]["on_failure"] != "continue"
    )


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
                return Next("fail", ordinal)
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
            return Next("fail", ordinal, "It could not be taken back.")
    return Next("undone")

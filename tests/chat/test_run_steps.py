"""The steps of a long run: counted in a line, and all of them in a bounded file that nothing of a stranger breaks."""

from __future__ import annotations

from typing import Any

from bot.chat.run_steps import MOST, counted, output
from bot.domain.canonical import digest
from bot.domain.plan import SCHEMA, Plan
from bot.domain.run import StepRecord, StepState
from tests.chat.samples import NOW, approval, record


def a_plan(calls: int, *, back: int = 0) -> Plan:
    forward = [{"step": "restart", "target": n, "undoes": None} for n in range(calls)]
    backward = [{"step": "restart", "target": n, "undoes": n} for n in range(back)]
    targets = [{"kind": "Deployment", "namespace": "shop", "name": f"web-{n}"} for n in range(calls)]
    return Plan.of({"schema": SCHEMA, "calls": [*forward, *backward], "targets": targets})


def steps(*states: StepState, detail: str = "Done.") -> list[StepRecord]:
    return [StepRecord("r", n, state, NOW, NOW, NOW, detail) for n, state in enumerate(states)]


def test_the_line_counts_what_is_done_failed_and_taken_back() -> None:
    plan: Any = a_plan(3, back=3)
    assert counted(plan, []) == "0 of 3 calls done."
    assert counted(plan, steps("done", "started")) == "1 of 3 calls done."
    assert counted(plan, steps("done", "done", "failed", "done")) == "2 of 3 calls done, 1 failed; 1 taken back."


def test_the_file_says_what_became_of_each_call() -> None:
    told = steps("done", "failed", "done", detail="It\nwas\u202eso.")
    file = output(approval(record()), a_plan(2, back=1), told)
    assert file.content.splitlines() == [
        "2026-11-21 10:02 UTC restart Deployment shop/web-0: done. It was\\u202eso.",
        "2026-11-21 10:02 UTC restart Deployment shop/web-1: failed. It was\\u202eso.",
        "2026-11-21 10:02 UTC undo of restart Deployment shop/web-0: done. It was\\u202eso.",
    ]
    assert file.sha256 == digest(file.content.encode())


def test_the_file_is_bounded_and_says_where_it_is_cut() -> None:
    file = output(approval(record()), a_plan(400), steps(*["done"] * 400, detail="x" * 1000))
    assert len(file.content) <= MOST + 20
    assert file.content.endswith("\n(cut here)\n")

"""A run's course: what follows from the plan and the ledger, whatever order the results come in, and nothing else."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.plan import SCHEMA, Plan
from bot.domain.run import StepState
from bot.runbooks.course import Next, begins_batch, excused, following, halted, late, takes_back

ENDS = ("done", "failed")


def call(target: int = 0, **more: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {
        "step": "a step",
        "target": target,
        "group": 0,
        "batch": 0,
        "max_errors": 0,
        "on_failure": "stop",
        "undoes": None,
    }
    return usual | more


def plan(*calls: dict[str, Any], approval: str = "none", on_failure: str = "stop") -> Plan:
    back = [call(calls[n]["target"], undoes=n) for n in reversed(range(len(calls)))] if approval == "included" else []
    record = {"schema": SCHEMA, "calls": [*calls, *back], "rollback": {"approval": approval}}
    return Plan.of(record | {"verification": {"on_failure": on_failure}})


def test_the_calls_come_in_order_and_then_it_is_verified() -> None:
    two = plan(call(0), call(1))
    assert following(two, {}) == Next("call", 0)
    assert following(two, {0: "done"}) == Next("call", 1)
    assert following(two, {0: "done", 1: "done"}) == Next("verify")


def test_a_call_whose_fate_is_not_known_stops_everything() -> None:
    two = plan(call(0), call(1), approval="included")
    for state in ("started", "unknown"):
        assert following(two, {0: state}) == Next("ask", 0)
        assert following(two, {0: "done", 1: state}, undoing=True) == Next("ask", 1)


def test_a_failure_ends_the_run_or_is_passed_over_or_takes_back_what_was_done() -> None:
    assert following(plan(call(0), call(1, on_failure="stop")), {0: "done", 1: "failed"}).what == "fail"
    on = plan(call(0, on_failure="continue"), call(1))
    assert following(on, {0: "failed"}) == Next("call", 1)
    assert following(on, {0: "failed", 1: "done"}) == Next("verify")
    back = plan(call(0), call(1, on_failure="rollback"), approval="included")
    assert following(back, {0: "done", 1: "failed"}) == Next("call", 3), "the undo of call 0"
    assert following(back, {0: "done", 1: "failed", 3: "done"}) == Next("undone")
    assert following(back, {0: "done", 1: "failed", 3: "failed"}).what == "fail"
    steps = [call(n, step=f"step {n}", on_failure="rollback") for n in range(3)]
    half = following(plan(*steps, approval="included"), {0: "done", 1: "done", 2: "failed", 4: "failed"})
    assert half == Next("fail", sentence="It could not be taken back. What stays: step 0, step 1.")
    half = following(plan(*steps, approval="included"), {0: "done", 1: "done", 2: "failed", 4: "done", 5: "failed"})
    assert half == Next("fail", sentence="It could not be taken back. What stays: step 0.")
    asked = plan(call(0), call(1, on_failure="rollback"))
    assert following(asked, {0: "done", 1: "failed"}).what == "fail", "what was not approved is not undone"


def test_nothing_that_had_an_effect_is_a_failure() -> None:
    assert following(plan(call(0, on_failure="continue")), {0: "failed"}).sentence == "No call had an effect."


def test_some_targets_may_fail_and_the_rest_of_their_calls_is_left_out() -> None:
    calls = [call(target, max_errors=1) for _ in range(2) for target in range(3)]
    three = plan(*calls)
    assert following(three, {0: "failed", 1: "done", 2: "done"}) == Next("call", 4)
    assert excused(three, {0: "failed"}) == {0}
    assert following(three, {0: "failed", 1: "failed"}).what == "fail"


def test_a_call_is_late_after_the_time_of_its_run_unless_it_takes_another_back() -> None:
    second = 1_000_000
    bounded = plan(call(0), call(1), approval="included")
    bounded = Plan.of({**bounded.record, "limits": {"run_seconds": 60}})
    assert late(bounded, 1, 5 * second, 65 * second) == ""
    said = late(bounded, 1, 5 * second, 65 * second + 1)
    assert said == "the run began 60 s ago, and its runbook lets no step begin later than 60 s after the first."
    assert late(bounded, 2, 0, 3600 * second) == "", "it takes call 1 back"
    assert late(plan(call(0)), 0, 0, 3600 * second) == "", "without a bound there is none"


def test_a_batch_begins_after_another_of_its_group() -> None:
    calls = plan(call(0, batch=0), call(1, batch=1), call(2, batch=1), call(3, group=1))
    assert not begins_batch(calls, {}, 0)
    assert begins_batch(calls, {0: "done"}, 1)
    assert not begins_batch(calls, {0: "done", 1: "done"}, 2)
    assert not begins_batch(calls, {0: "done", 1: "done", 2: "done"}, 3)


def test_what_is_halted_goes_back_only_where_that_was_approved() -> None:
    back = plan(call(0), call(1, on_failure="rollback", max_errors=5), approval="included")
    assert halted(back, {0: "done", 1: "failed"}) == Next("call", 3)
    assert halted(plan(call(0), call(1)), {0: "done", 1: "failed"}) == Next("fail")
    assert takes_back(plan(call(), approval="included", on_failure="rollback"))
    assert not takes_back(plan(call(), on_failure="rollback"))


CALLS = st.lists(
    st.builds(
        call,
        st.integers(0, 2),
        max_errors=st.integers(0, 1),
        on_failure=st.sampled_from(["stop", "continue", "rollback"]),
    ),
    min_size=1,
    max_size=6,
)


@given(CALLS, st.sampled_from(["none", "included"]), st.lists(st.sampled_from(ENDS), min_size=12, max_size=12))
def test_every_course_ends_calls_nothing_twice_and_undoes_only_what_was_done(
    calls: list[dict[str, Any]], approval: str, results: list[StepState]
) -> None:
    made, ledger = plan(*calls, approval=approval), {}
    for result in results:
        coming = following(made, ledger)
        if coming.what != "call":
            break
        assert coming.ordinal not in ledger
        undone = made.calls[coming.ordinal]["undoes"]
        assert undone is None or (ledger[undone] == "done" and approval == "included")
        ledger[coming.ordinal] = result
    assert following(made, ledger).what in ("verify", "fail", "undone")
    if following(made, ledger).what == "undone":
        did = {ordinal for ordinal in range(made.forward) if ledger.get(ordinal) == "done"}
        assert did == {made.calls[o]["undoes"] for o in ledger if made.calls[o]["undoes"] is not None}

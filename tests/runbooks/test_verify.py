"""Whether a run helped: the judgement as examples and properties, the looks against the live stand-in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.run import StepState
from bot.runbooks.catalogue import load
from bot.runbooks.execute import fire
from bot.runbooks.verify import LONGEST_GAP_SECONDS, SECOND, Observation, judge, observe
from bot.sandbox.kubernetes.faults import Fault
from bot.sandbox.kubernetes.resources import PODS

DONE: dict[int, StepState] = {0: "done"}
START = 1_795_000_000 * SECOND
RULES = {"check": "rollout-healthy", "deadline_seconds": 60, "stable_seconds": 10, "before": {"ready": 2, "desired": 3}}


def seen(second: float, ready: int = 3, **changes: Any) -> Observation:
    look = Observation(
        at=START + int(second * SECOND),
        reachable=True,
        healthy=ready == 3,
        altered=False,
        ready=ready,
        desired=3,
        sentence=f"{ready} of 3 pods ready.",
    )
    return replace(look, **changes)


def lost(second: float) -> Observation:
    return seen(second, reachable=False, healthy=False, ready=None, sentence="Cluster prod cannot be reached.")


def at(second: float) -> int:
    return START + int(second * SECOND)


def outcome(observations: list[Observation], now: float, **rules: Any) -> str | None:
    verdict = judge({**RULES, **rules}, START, observations, at(now))
    return verdict.outcome if verdict else None


def test_it_helped_once_it_held_for_the_stable_time() -> None:
    looks = [seen(1, 2), seen(5), seen(10)]
    assert judge(RULES, START, looks, at(10)) is None
    verdict = judge(RULES, START, [*looks, seen(15)], at(15))
    assert verdict is not None
    assert (verdict.outcome, verdict.sentence) == ("helped", "3 of 3 pods ready. It held for 10 s.")


def test_without_a_stable_time_one_look_is_enough() -> None:
    assert outcome([seen(0)], 0, stable_seconds=0) == "helped"


def test_a_break_starts_the_stable_time_anew() -> None:
    assert outcome([seen(5), seen(10, 2), seen(14), seen(15)], 15) is None
    assert outcome([seen(5), lost(10), seen(14), seen(15)], 15) is None


def test_looks_far_apart_prove_nothing_about_the_time_between() -> None:
    gap = LONGEST_GAP_SECONDS + 1
    assert outcome([seen(1), seen(1 + gap)], 1 + gap) is None
    assert outcome([seen(1), seen(gap)], gap) == "helped"


def test_unhealthy_at_the_deadline_did_not_help() -> None:
    verdict = judge(RULES, START, [seen(5, 2), seen(59, 2)], at(60))
    assert verdict is not None
    assert (verdict.outcome, verdict.sentence) == ("did not help", "Not healthy within 60 s: 2 of 3 pods ready.")


def test_what_is_over_did_not_help_whatever_time_is_left() -> None:
    assert outcome([seen(1, 2), seen(2, 2, over=True)], 2) == "did not help"
    assert outcome([seen(1, over=True), seen(2)], 2, stable_seconds=0) == "helped", "only the last look counts"
    assert outcome([seen(2, 2, over=True, altered=True)], 2) == "cannot tell"


def test_fewer_ready_than_before_is_worse() -> None:
    verdict = judge(RULES, START, [seen(59, 1)], at(60))
    assert verdict is not None
    assert verdict.outcome == "did not help"
    assert verdict.sentence == "It is worse than before: 1 of 3 pods ready. Before the run 2 were ready."


def test_out_of_reach_until_the_deadline_cannot_tell() -> None:
    assert outcome([seen(5, 2), lost(30), lost(59)], 60) == "cannot tell"
    assert outcome([], 60) == "cannot tell"


def test_health_that_came_too_late_to_be_proven_is_no_success() -> None:
    assert outcome([seen(30, 2), seen(55), seen(59)], 60) == "cannot tell"


def test_what_is_seen_after_the_deadline_does_not_count() -> None:
    assert outcome([seen(30, 2), seen(61), seen(75)], 75) == "did not help"


def test_what_somebody_else_changed_proves_nothing() -> None:
    verdict = judge(RULES, START, [seen(5), seen(20, healthy=False, altered=True)], at(20))
    assert verdict is not None
    assert verdict.outcome == "cannot tell"
    assert "something else changed it" in verdict.sentence


_looks = st.lists(
    st.builds(
        lambda second, kind: lost(second) if kind == 4 else seen(second, kind),
        st.integers(-5, 80),
        st.integers(0, 4),
    ),
    max_size=12,
    unique_by=lambda look: look.at,
)


@given(looks=_looks, now=st.integers(0, 100), stable=st.integers(0, 30))
@settings(max_examples=200)
def test_there_is_always_a_verdict_at_the_deadline_and_success_is_never_guessed(
    looks: list[Observation], now: int, stable: int
) -> None:
    verdict = judge({**RULES, "stable_seconds": stable}, START, looks, at(now))
    assert verdict is not None or now < 60
    if verdict and verdict.outcome == "helped":
        within = sorted((each for each in looks if START <= each.at <= at(60)), key=lambda each: each.at)
        assert within[-1].healthy
        proven = [each for each in within if each.at >= within[-1].at - stable * SECOND]
        assert all(each.healthy for each in proven)
        assert any(each.healthy and each.at <= within[-1].at - stable * SECOND for each in within)


async def test_a_rollback_is_watched_until_it_is_healthy(broken: Any) -> None:
    plan = (await broken.planned("rollback-deployment", deployment="checkout")).plan
    assert (await fire(plan, 0, broken.prod)).outcome == "done"
    first = await observe(plan, DONE, broken.prod, now=START)
    assert (first.reachable, first.healthy, first.altered) == (True, False, False)
    broken.sandbox.clusters["prod"].advance(30)
    after = await observe(plan, DONE, broken.prod, now=START + 30 * SECOND)
    assert (after.healthy, after.ready, after.desired, after.sentence) == (True, 3, 3, "3 of 3 pods ready.")
    assert not first.healthy


async def test_a_restart_of_a_broken_release_does_not_help(broken: Any) -> None:
    plan = (await broken.planned("restart-deployment", deployment="checkout")).plan
    assert (await fire(plan, 0, broken.prod)).outcome == "done"
    broken.sandbox.clusters["prod"].advance(60)
    look = await observe(plan, DONE, broken.prod, now=START)
    assert (look.reachable, look.healthy) == (True, False)
    verdict = judge({**plan.record["verification"], "deadline_seconds": 10}, START, [look], START + 10 * SECOND)
    assert verdict is not None
    assert verdict.outcome == "did not help"


async def test_another_rollout_after_ours_is_seen(broken: Any) -> None:
    plan = (await broken.planned("rollback-deployment", deployment="checkout")).plan
    assert (await fire(plan, 0, broken.prod)).outcome == "done"
    container = {"name": "checkout", "image": "registry.example/shop/checkout:4.17.2"}
    broken.change("checkout", {"spec": {"template": {"spec": {"containers": [container]}}}})
    await broken.rolled_out("checkout")
    look = await observe(plan, DONE, broken.prod, now=START)
    assert (look.altered, look.healthy) == (True, False)


async def test_a_step_that_failed_where_the_run_went_on_is_nobody_elses_change(
    market: Any, shipped: dict[str, str], tmp_path: Path
) -> None:
    """The target is as the steps that were done left it, and the change of somebody else is still one."""
    book = yaml.safe_load(shipped["restart-deployment.yaml"])
    book["preconditions"] = [*book["preconditions"], {"check": "rollout-not-paused"}]
    pause = {"id": "pause", "action": "deployment-pause", "timeout_seconds": 20, "on_failure": "continue"}
    (tmp_path / "restart-deployment.yaml").write_text(yaml.safe_dump({**book, "steps": [*book["steps"], pause]}))
    shop = replace(market, catalogue=load(tmp_path))
    plan = (await shop.planned("restart-deployment", deployment="cart")).plan
    assert (await fire(plan, 0, shop.prod)).outcome == "done"
    shop.sandbox.order(Fault("status", verb="patch", code=422, dry_run=False))
    assert (await fire(plan, 1, shop.prod)).outcome == "failed"
    ended: dict[int, StepState] = {0: "done", 1: "failed"}
    assert not (await observe(plan, ended, shop.prod, now=START)).altered
    assert (await observe(plan, {0: "done", 1: "done"}, shop.prod, now=START)).altered
    template = {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "2026-11-22T00:00:00Z"}}}
    shop.change("cart", {"spec": {"template": template}})
    assert (await observe(plan, ended, shop.prod, now=START)).altered


async def test_a_deleted_pod_is_replaced(market: Any) -> None:
    pod = market.pods("cart")[0]["metadata"]
    plan = (await market.planned("delete-pod", pod=pod["name"])).plan
    assert (await fire(plan, 0, market.prod)).outcome == "done"
    still = await observe(plan, DONE, market.prod, now=START)
    assert not still.healthy
    market.sandbox.clusters["prod"].advance(60)
    assert market.sandbox.clusters["prod"].store.get(PODS, "shop", pod["name"]) is None
    after = await observe(plan, DONE, market.prod, now=START)
    owner = plan.targets[0]["owner"]["name"]
    assert (after.healthy, after.sentence) == (True, f"3 of 3 pods of ReplicaSet {owner} ready.")


async def test_a_cluster_out_of_reach_and_the_wrong_cluster_are_looks_too(market: Any) -> None:
    plan = (await market.planned("restart-deployment", deployment="cart")).plan
    other = await observe(plan, DONE, market.staging, now=START)
    assert (other.reachable, other.healthy) == (False, False)
    await market.sandbox.stop()
    gone = await observe(plan, DONE, market.prod, now=START)
    assert (gone.reachable, gone.healthy) == (False, False)
    assert "cannot be reached" in gone.sentence

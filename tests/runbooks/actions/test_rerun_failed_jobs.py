"""Failed jobs run again once, and how that ends is the verification."""

from __future__ import annotations

import pytest

from bot.runbooks import execute, verify
from bot.runbooks.plan import Planned, Refusal
from bot.sandbox.github.hub import Run
from tests.runbooks.actions.conftest import SHOP, Hub


@pytest.fixture
def failed(hub: Hub) -> Run:
    jobs = [{"name": "lint"}, {"name": "test", "conclusion": "failure", "log": "boom"}]
    return hub.sandbox.acts.run_workflow(SHOP, hub.repository.branches["main"], jobs)


async def planned(hub: Hub, run: Run) -> Planned:
    made = await hub.plan("rerun-failed-jobs", workflow_run=run.id)
    assert isinstance(made, Planned), made
    return made


async def test_the_plan_names_the_jobs_that_run_again(hub: Hub, failed: Run) -> None:
    made = await planned(hub, failed)
    said = " ".join(made.plan.record["effect"])
    assert f"commit {failed.head_sha[:12]}: test." in said
    assert "attempt 2 of the workflow CI" in said
    assert hub.writes() == []


async def test_the_plan_says_that_it_runs_what_a_fork_proposes(hub: Hub, failed: Run) -> None:
    assert "fork" not in " ".join((await planned(hub, failed)).plan.record["effect"])
    fork = hub.sandbox.acts.fork("mallory/shop", of=SHOP)
    commit = hub.sandbox.acts.push(fork.full_name, "gift", {"a": "b"})
    hub.sandbox.acts.open_pull(SHOP, "gift", head_repository=fork.full_name)
    run = hub.sandbox.acts.run_workflow(SHOP, commit.sha, [{"name": "test", "conclusion": "failure"}])
    said = " ".join((await planned(hub, run)).plan.record["effect"])
    assert "What it runs is of the fork mallory/shop, for the event pull_request." in said


async def test_it_runs_again_once_and_its_end_is_watched(hub: Hub, failed: Run) -> None:
    made = await planned(hub, failed)
    assert await hub.read_back(made.plan) == "not applied"
    effect = await hub.fire(made.plan)
    assert (effect.outcome, effect.as_rehearsed, failed.attempt) == ("done", True, 2)
    assert await hub.read_back(made.plan) == "applied"
    assert (await execute.fire(made.plan, 0, hub.access)).outcome == "failed"
    seen = await verify.observe(made.plan, {0: "done"}, hub.access, now=1)
    assert (seen.healthy, seen.sentence) == (False, f"WorkflowRun {SHOP}#{failed.id} is queued.")
    hub.sandbox.acts.finish_run(SHOP, failed.id)
    seen = await verify.observe(made.plan, {0: "done"}, hub.access, now=2)
    assert (seen.healthy, seen.altered) == (True, False)


async def test_an_end_that_is_no_success_is_the_end(hub: Hub, failed: Run) -> None:
    made = await planned(hub, failed)
    await hub.fire(made.plan)
    assert not (await verify.observe(made.plan, {0: "done"}, hub.access, now=1)).over
    hub.sandbox.acts.finish_run(SHOP, failed.id, conclusion="failure")
    seen = await verify.observe(made.plan, {0: "done"}, hub.access, now=2)
    assert (seen.healthy, seen.over) == (False, True)
    verdict = verify.judge(made.plan.record["verification"], 1, [seen], 2)
    assert verdict == verify.Verdict("did not help", f"WorkflowRun {SHOP}#{failed.id}, attempt 2, ended: failure.")


async def test_a_lost_answer_is_told_from_the_attempts(hub: Hub, failed: Run) -> None:
    made = await planned(hub, failed)
    hub.fault("lose_answer", "POST", "/rerun-failed-jobs$")
    assert (await hub.fire(made.plan)).outcome == "in_doubt"
    assert await hub.read_back(made.plan) == "applied"


async def test_somebody_else_who_ran_it_again_voids_the_plan(hub: Hub, failed: Run) -> None:
    made = await planned(hub, failed)
    failed.attempt, failed.status = 2, "queued"
    assert [each.what for each in await execute.drift(made.plan, hub.access)] == ["fields"]


async def test_only_what_ended_and_failed_may_run_again(hub: Hub, failed: Run) -> None:
    for change, says in (
        ({"status": "in_progress"}, "has not ended yet"),
        ({"status": "completed", "attempt": 5}, "No job"),
        ({"jobs": [{**job, "run_attempt": 5} for job in failed.jobs]}, "was tried 5 times"),
    ):
        for name, value in change.items():  # type: ignore[attr-defined]  # a table of different values
            setattr(failed, name, value)
        made = await hub.plan("rerun-failed-jobs", workflow_run=failed.id)
        assert isinstance(made, Refusal)
        assert says in made.sentence
    gone = await hub.plan("rerun-failed-jobs", workflow_run=1)
    assert isinstance(gone, Refusal)
    assert "There is no WorkflowRun" in gone.sentence


async def test_a_credential_that_may_not_says_so(hub: Hub, failed: Run) -> None:
    made = await planned(hub, failed)
    hub.fault("status", "POST", "/rerun", value=403)
    effect = await hub.fire(made.plan)
    assert effect.outcome == "failed"
    assert "Check what the credential of GitHub's actions may do" in effect.sentence

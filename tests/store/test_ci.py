from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection

from bot.domain.ask import Ask
from bot.domain.ci import CiRun
from bot.domain.ci_failure import CiFailure, Sighting
from bot.domain.github import PullEvent, RunEvent
from bot.store import asks, ci, pulls, work
from bot.store.database import Database

FAILED = RunEvent("shop/deploy", 55, 1, "CI", "", "a" * 40, "change", "failure", "u", (7,), False, 1000)


def test_a_run_is_kept_by_its_attempt(database: Database) -> None:
    row_id, _ = database.write_now(lambda c: ci.accept(c, FAILED))
    assert database.write_now(lambda c: ci.accept(c, FAILED))[0] == row_id
    assert database.write_now(lambda c: ci.accept(c, replace(FAILED, attempt=2)))[0] != row_id
    assert database.read_now(lambda c: ci.get(c, row_id)).pulls == (7,)


def failure(signature: str = "s1") -> CiFailure:
    return CiFailure(
        ("test",), "Run make test", "test", "A test fails", (), "", "low", "", None, "unknown", "", signature
    )


def keep(database: Database, **changed: Any) -> CiRun:
    event = replace(FAILED, **changed)

    def write(connection: Connection) -> CiRun:
        run = ci.get(connection, ci.accept(connection, event)[0])
        if run.conclusion != "success":
            ci.explain(connection, run, [failure()])
        return run

    return database.write_now(write)


def test_the_newest_attempt_tells_whether_a_commit_fails(database: Database) -> None:
    keep(database)
    assert database.read_now(lambda c: ci.failures_of(c, "Shop/Deploy", "a" * 40)) == (failure(),)
    passed = keep(database, attempt=2, conclusion="success")
    assert database.read_now(lambda c: ci.failures_of(c, "shop/deploy", "a" * 40)) == ()
    assert database.read_now(lambda c: ci.passed_before(c, passed))
    assert not database.read_now(lambda c: ci.passed_before(c, replace(passed, workflow="other")))


@pytest.mark.parametrize("conclusion", ["cancelled", "skipped", "action_required", "stale"])
def test_a_run_that_came_to_nothing_takes_no_known_failure_away(database: Database, conclusion: str) -> None:
    for event in ({}, {"run_id": 77, "on_default": True, "at": 2000}):
        keep(database, **event)
        keep(database, **(event | {"conclusion": conclusion, "attempt": 2}))
    assert len(database.read_now(lambda c: ci.failures_of(c, "shop/deploy", "a" * 40))) == 1
    assert len(database.read_now(lambda c: ci.failing_between(c, after=0, until=5000))) == 1


def test_a_failure_whose_log_nobody_read_is_like_no_other(database: Database) -> None:
    run = keep(database, conclusion="success")
    database.write_now(lambda c: ci.explain(c, run, [failure(""), failure("")]))
    other = keep(database, head_sha="b" * 40, branch="other", pulls=(8,), run_id=90, conclusion="success")
    assert database.read_now(lambda c: ci.seen_elsewhere(c, other, "")) == ()


def test_the_same_error_counts_where_it_is_not_this_changes(database: Database) -> None:
    run = keep(database)
    keep(database, run_id=56, head_sha="b" * 40)
    keep(database, run_id=57, head_sha="c" * 40, pulls=(), branch="lost")
    assert database.read_now(lambda c: ci.seen_elsewhere(c, run, "s1")) == ()
    keep(database, run_id=58, head_sha="d" * 40, pulls=(8,), branch="other", at=2000)
    keep(database, run_id=59, head_sha="e" * 40, pulls=(), branch="main", on_default=True, at=3000)
    assert database.read_now(lambda c: ci.seen_elsewhere(c, run, "s1")) == (
        Sighting("e" * 40, None, since=3000),
        Sighting("d" * 40, 8),
    )
    assert database.read_now(lambda c: ci.seen_elsewhere(c, run, "s2")) == ()
    assert database.read_now(lambda c: ci.seen_elsewhere(c, replace(run, repository="else/where"), "s1")) == ()


def test_nothing_seen_in_a_change_makes_a_failure_of_the_default_branch_one_by_chance(database: Database) -> None:
    keep(database)
    main = keep(database, run_id=90, head_sha="e" * 40, pulls=(), branch="main", on_default=True, at=3000)
    assert database.read_now(lambda c: ci.seen_elsewhere(c, main, "s1")) == ()


def test_a_default_branch_that_still_fails_so_is_told_with_since_when(database: Database) -> None:
    main = {"branch": "main", "pulls": (), "on_default": True, "event": "push"}
    keep(database, **main, run_id=60, head_sha="b" * 40, at=2000, conclusion="success")
    keep(database, **main, run_id=61, head_sha="c" * 40, at=3000)
    keep(database, **main, run_id=62, head_sha="d" * 40, at=4000)
    run = keep(database, run_id=63, head_sha="f" * 40, at=5000)

    def seen() -> list[tuple[str, int | None]]:
        found = database.read_now(lambda c: ci.seen_elsewhere(c, run, "s1"))
        return [(one.sha[0], one.since) for one in found if one.pull_request is None]

    assert seen() == [("d", 3000), ("c", None)]
    keep(database, **main, run_id=64, head_sha="e" * 40, at=6000, conclusion="success")
    assert seen() == [("d", None), ("c", None)]


def test_a_change_that_was_merged_as_it_failed_is_no_other_change(database: Database) -> None:
    keep(database, run_id=56, head_sha="d" * 40, pulls=(8,), branch="other", at=2000)
    run = keep(database)
    merged = PullEvent("shop/deploy", 8, "closed", "d" * 40, True, "e" * 40, "t", "dana", "u", True, 3000)
    assert len(database.read_now(lambda c: ci.seen_elsewhere(c, run, "s1"))) == 1
    database.write_now(lambda c: pulls.accept(c, merged))
    assert database.read_now(lambda c: ci.seen_elsewhere(c, run, "s1")) == ()
    keep(database, run_id=56, attempt=2, head_sha="d" * 40, pulls=(8,), branch="other", conclusion="success")
    assert len(database.read_now(lambda c: ci.seen_elsewhere(c, run, "s1"))) == 1


def test_a_workflow_that_two_events_start_is_two(database: Database) -> None:
    run = keep(database, event="pull_request")
    passed = keep(database, run_id=56, event="push", conclusion="success")
    assert not database.read_now(lambda c: ci.passed_before(c, run))
    assert database.read_now(lambda c: ci.failures_of(c, "shop/deploy", "a" * 40)) == (failure(),)
    assert database.read_now(lambda c: ci.is_newest(c, run))
    assert database.read_now(lambda c: ci.overtaken(c, passed)) == []
    keep(database, run_id=57, event="push")
    assert database.read_now(lambda c: ci.failures_of(c, "shop/deploy", "a" * 40)) == (failure(),), "said once"
    assert len(database.read_now(lambda c: ci.failed_at(c, "shop/deploy", "a" * 40))) == 2


def test_two_workflows_of_one_name_are_two(database: Database) -> None:
    main = {"branch": "main", "pulls": (), "on_default": True, "event": "push"}
    run = keep(database, **main, workflow_id=1)
    keep(database, **main, workflow_id=2, run_id=56, conclusion="success")
    assert database.read_now(lambda c: ci.is_newest(c, run))
    assert len(database.read_now(lambda c: ci.failing_between(c, after=0, until=5000))) == 1
    keep(database, **main, workflow_id=1, workflow="renamed", run_id=57, conclusion="success")
    assert not database.read_now(lambda c: ci.is_newest(c, run))


def test_forks_call_their_branches_alike_and_overtake_nothing(database: Database) -> None:
    run = keep(database, source="mallory/deploy")
    keep(database, run_id=56, source="eve/deploy")
    assert database.read_now(lambda c: ci.is_newest(c, run))
    later = keep(database, run_id=57, source="Mallory/deploy")
    assert not database.read_now(lambda c: ci.is_newest(c, run))
    assert database.read_now(lambda c: ci.overtaken(c, later)) == [run]


def test_old_runs_are_forgotten_if_nobody_asked_for_anything(database: Database) -> None:
    run = keep(database)
    assert database.write_now(lambda c: ci.forget(c, before=1001)) == 0, "its work is not done"
    database.write_now(lambda c: work.done(c, "ci", run.id, 1))
    other = keep(database, run_id=56)
    database.write_now(lambda c: work.done(c, "ci", other.id, 1))
    ask = Ask("v1", other.id, "rerun-failed-jobs", {}, None, "lee", None, 5)
    database.write_now(lambda c: asks.receive(c, ask))
    assert database.write_now(lambda c: ci.forget(c, before=1001)) == 1
    assert database.read_now(lambda c: ci.find(c, other.id)) == other


def test_what_a_run_adds_to_why_a_commit_fails_is_told_from_the_rest(database: Database) -> None:
    def changes(run: CiRun) -> bool:
        def read(connection: Connection) -> bool:
            at = (run.repository, run.head_sha)
            return ci.failures_of(connection, *at) != ci.failures_of(connection, *at, without=run.id)

        return database.read_now(read)

    assert not changes(keep(database, workflow="lint", run_id=40, conclusion="success"))
    assert changes(keep(database))
    assert changes(keep(database, attempt=2, conclusion="success"))


def test_what_fails_on_the_default_branch_is_what_failed_last(database: Database) -> None:
    def failing() -> list[tuple[str, int]]:
        found = database.read_now(lambda c: ci.failing_between(c, after=900, until=3000))
        return [(run.workflow, run.run_id) for run, _ in found]

    keep(database, on_default=False)
    assert failing() == []
    keep(database, run_id=60, workflow="Deploy", on_default=True, at=1500)
    keep(database, run_id=61, workflow="CI", on_default=True, at=1600)
    assert failing() == [("CI", 61), ("Deploy", 60)]
    keep(database, run_id=62, workflow="CI", on_default=True, at=1700, conclusion="success")
    keep(database, run_id=63, workflow="Deploy", on_default=True, at=5000)
    assert failing() == [("Deploy", 60)]

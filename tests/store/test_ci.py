from __future__ import annotations

from dataclasses import replace

from bot.domain.github import RunEvent
from bot.store import ci
from bot.store.database import Database

FAILED = RunEvent("shop/deploy", 55, 1, "CI", "", "a" * 40, "change", "failure", "u", (7,), 1000)


def test_a_run_is_kept_by_its_attempt(database: Database) -> None:
    row_id, _ = database.write_now(lambda c: ci.accept(c, FAILED))
    assert database.write_now(lambda c: ci.accept(c, FAILED))[0] == row_id
    assert database.write_now(lambda c: ci.accept(c, replace(FAILED, attempt=2)))[0] != row_id
    assert database.read_now(lambda c: ci.get(c, row_id)).pulls == (7,)


def test_the_newest_attempt_tells_whether_a_commit_fails(database: Database) -> None:
    row_id, _ = database.write_now(lambda c: ci.accept(c, FAILED))
    run = database.read_now(lambda c: ci.get(c, row_id))
    database.write_now(lambda c: ci.explain(c, run, {"jobs": []}, ["s1"]))
    (found,) = database.read_now(lambda c: ci.failures_of(c, "Shop/Deploy", "a" * 40))
    assert found == (run, {"jobs": []})
    database.write_now(lambda c: ci.accept(c, replace(FAILED, attempt=2, conclusion="success")))
    assert database.read_now(lambda c: ci.failures_of(c, "shop/deploy", "a" * 40)) == []


def test_the_same_error_elsewhere_is_counted_by_commit(database: Database) -> None:
    for number, sha in enumerate(("a", "b", "b", "c")):
        row_id, _ = database.write_now(
            lambda c, n=number, s=sha: ci.accept(c, replace(FAILED, run_id=n, head_sha=s * 40))  # type: ignore[misc]
        )
        run = database.read_now(lambda c, r=row_id: ci.get(c, r))  # type: ignore[misc]
        database.write_now(lambda c, run=run: ci.explain(c, run, {}, ["s1"]))  # type: ignore[misc]
    assert database.read_now(lambda c: ci.seen_elsewhere(c, "shop/deploy", "s1", but="a" * 40)) == 2
    assert database.read_now(lambda c: ci.seen_elsewhere(c, "shop/deploy", "s2", but="a" * 40)) == 0
    assert database.read_now(lambda c: ci.seen_elsewhere(c, "else/where", "s1", but="a" * 40)) == 0
    assert database.write_now(lambda c: ci.forget(c, before=2000)) == 4

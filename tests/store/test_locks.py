"""Locks: all of a run's keys or none, kept until it is final; who waits is started when they are free."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection

from bot.domain.run import FINAL, RunState
from bot.store import clock, locks, runs, work
from bot.store.database import Database

A, B, C = "prod/Deployment/shop/a", "prod/Deployment/shop/b", "prod/Deployment/shop/c"


def start(database: Database, approval: str) -> str:
    made = database.write_now(lambda c: runs.start(c, approval_id=approval, matter_id="i1", now=1))
    assert made is not None
    return made.id


def take(database: Database, run_id: str, *keys: str) -> str | None:
    def write(connection: Connection) -> str | None:
        return locks.take(connection, run_id, keys, now=clock.advance(connection))

    return database.write_now(write)


def move(database: Database, run_id: str, after: RunState) -> None:
    before: frozenset[RunState] = frozenset({"starting", "running", "unknown"})
    assert database.write_now(lambda c: runs.move(c, run_id, before=before, after=after, now=2))


def test_a_run_takes_all_of_its_keys_or_none(database: Database) -> None:
    first, second = start(database, "a1"), start(database, "a2")
    assert take(database, first, A, B) is None
    assert take(database, first, A, B) is None, "what it holds it may take again"
    assert take(database, second, B, C) == first
    assert database.read_now(locks.held) == {A: first, B: first}


def test_an_unknown_run_keeps_its_keys(database: Database) -> None:
    first = start(database, "a1")
    take(database, first, A)
    move(database, first, "unknown")
    assert database.read_now(locks.held) == {A: first}


@pytest.mark.parametrize("final", sorted(FINAL))
def test_a_run_that_ends_lets_go_and_starts_those_that_wait(database: Database, final: RunState) -> None:
    first, second, third = (start(database, f"a{n}") for n in (1, 2, 3))
    take(database, first, A)
    assert take(database, second, A) == first
    for run_id in (second, third):
        database.write_now(lambda c, run_id=run_id: work.done(c, "run", run_id, 1))
    move(database, first, final)
    assert database.read_now(locks.held) == {}
    assert [due.row_id for due in database.read_now(lambda c: work.due(c, now=9)) if due.row_id != first] == [second]
    assert take(database, second, A) is None


def test_of_many_that_want_a_key_at_once_one_has_it(database: Database) -> None:
    ids = [start(database, f"a{n}") for n in range(8)]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda run_id: take(database, run_id, A, B), ids))
    [winner] = [run_id for run_id, holder in zip(ids, answers, strict=True) if holder is None]
    assert set(answers) == {None, winner}

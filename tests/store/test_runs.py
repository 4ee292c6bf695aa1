"""Runs and their ledger: one run an approval, one call a step, whatever happens at the same moment."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import update

from bot.domain.run import FINAL, Run, RunState
from bot.store import locks, runs, work
from bot.store.database import Database
from bot.store.tables import runs as run_rows
from bot.store.unreadable import UnreadableRow
from bot.store.work import Due

NOW = 1_795_255_320_000_000


def start(database: Database, approval: str = "a1") -> Run | None:
    return database.write_now(lambda c: runs.start(c, approval_id=approval, matter_id="i1", now=NOW))


@pytest.fixture
def run(database: Database) -> Run:
    made = start(database)
    assert made is not None
    return made


def test_a_run_begins_with_its_job(database: Database, run: Run) -> None:
    assert (run.state, run.started_at, run.ended_at) == ("starting", NOW, None)
    assert database.read_now(lambda c: work.due(c, now=NOW)) == [Due("run", run.id, 1)]
    assert database.read_now(lambda c: runs.of_approval(c, "a1")) == run
    assert database.read_now(lambda c: runs.find(c, "none")) is None


def test_an_approval_has_one_run_however_many_start_it(database: Database) -> None:
    with ThreadPoolExecutor(4) as threads:
        started = list(threads.map(lambda _: start(database), range(12)))
    assert len([made for made in started if made]) == 1


def test_a_state_changes_by_compare_and_set_and_only_once(database: Database, run: Run) -> None:
    def move(_: int) -> bool:
        return database.write_now(
            lambda c: runs.move(c, run.id, before=frozenset({"starting"}), after="running", now=NOW)
        )

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(move, range(8))) == [False] * 7 + [True]


@pytest.mark.parametrize("final", sorted(FINAL))
def test_a_final_state_has_an_end(database: Database, run: Run, final: str) -> None:
    moved = database.write_now(
        lambda c: runs.move(c, run.id, before=frozenset({"starting"}), after=final, outcome="x" * 5000, now=NOW + 1)
    )
    ended = database.read_now(lambda c: runs.get(c, run.id))
    assert moved
    assert (ended.state, ended.ended_at, len(ended.outcome)) == (final, NOW + 1, 1000)


def test_a_step_is_begun_once_and_ended_once(database: Database, run: Run) -> None:
    def begin(_: int) -> bool:
        return database.write_now(lambda c: runs.begin_step(c, run.id, 0, now=NOW))

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(begin, range(8))) == [False] * 7 + [True]
    ends = [
        database.write_now(lambda c, s=state: runs.end_step(c, run.id, 0, state=s, detail=s, now=NOW + 1))
        for state in ("unknown", "done", "failed")
    ]
    assert ends == [True, True, False], "what is unknown may become known; what ended stays"
    step = database.read_now(lambda c: runs.step(c, run.id, 0))
    assert step is not None
    assert (step.state, step.detail, step.ended_at) == ("done", "done", NOW + 1)


def test_a_run_that_goes_on_has_begun_with_its_first_row_and_until_then_waits_again_without_locks(
    database: Database, run: Run
) -> None:
    database.write_now(lambda c: locks.take(c, run.id, ["prod/Deployment/shop/checkout"], now=NOW))
    database.write_now(lambda c: runs.move(c, run.id, before=frozenset({"starting"}), after="running", now=NOW))
    going = database.read_now(lambda c: runs.get(c, run.id))
    assert not database.read_now(lambda c: runs.has_begun(c, going))
    assert database.write_now(lambda c: runs.put_back(c, run.id, now=NOW))
    assert database.read_now(locks.held) == {}
    assert database.read_now(lambda c: runs.get(c, run.id)).state == "starting"
    database.write_now(lambda c: runs.move(c, run.id, before=frozenset({"starting"}), after="running", now=NOW))
    database.write_now(lambda c: runs.begin_step(c, run.id, 0, now=NOW))
    assert database.read_now(lambda c: runs.has_begun(c, going))
    assert not database.write_now(lambda c: runs.put_back(c, run.id, now=NOW))
    assert not database.read_now(lambda c: runs.has_begun(c, None))


@pytest.mark.parametrize("state", ["starting", "running"])
def test_what_ends_a_request_ends_its_run_until_that_has_a_row_in_its_ledger(
    database: Database, run: Run, state: RunState
) -> None:
    database.write_now(lambda c: runs.move(c, run.id, before=frozenset({"starting"}), after=state, now=NOW))
    going = database.read_now(lambda c: runs.get(c, run.id))
    assert database.write_now(lambda c: runs.end_unbegun(c, going, outcome="denied", now=NOW))
    assert database.read_now(lambda c: runs.get(c, run.id)).state == "void"
    assert not database.write_now(lambda c: runs.end_unbegun(c, None, outcome="denied", now=NOW))


def test_a_run_with_a_row_in_its_ledger_is_not_ended_with_its_request(database: Database, run: Run) -> None:
    database.write_now(lambda c: runs.move(c, run.id, before=frozenset({"starting"}), after="running", now=NOW))
    database.write_now(lambda c: runs.begin_step(c, run.id, 0, now=NOW))
    assert not database.write_now(lambda c: runs.end_unbegun(c, run, outcome="denied", now=NOW))
    assert database.read_now(lambda c: runs.get(c, run.id)).state == "running"


def test_the_ledger_is_in_order(database: Database, run: Run) -> None:
    for ordinal in (2, 0, 1):
        database.write_now(lambda c, o=ordinal: runs.begin_step(c, run.id, o, now=NOW))
    assert [each.ordinal for each in database.read_now(lambda c: runs.steps_of(c, run.id))] == [0, 1, 2]
    assert database.read_now(lambda c: runs.step(c, run.id, 3)) is None


def test_a_run_that_cannot_be_read_says_which_and_why(database: Database, run: Run) -> None:
    database.write_now(lambda c: c.execute(update(run_rows).values(state="dancing")))
    with pytest.raises(UnreadableRow, match=f"runs row {run.id} cannot be read: state"):
        database.read_now(lambda c: runs.get(c, run.id))

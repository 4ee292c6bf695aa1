"""Rows that want work: generations, what is due, and how a failure is taken up again."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection, insert, select

from bot.store import unreadable, work
from bot.store.database import Database
from bot.store.tables import groups, votes
from bot.store.unreadable import UnreadableRow
from bot.store.work import Due

NOW = 1_795_255_320_000_000
SECOND = 1_000_000


def add_group(connection: Connection, row_id: str) -> None:
    empty = {"group_labels": {}, "common_labels": {}, "common_annotations": {}}
    texts = dict.fromkeys(("source", "group_key", "receiver", "external_url"), "")
    connection.execute(insert(groups).values(id=row_id, truncated=0, last_seen_at=0, **empty, **texts))


def add_vote(connection: Connection, row_id: str) -> None:
    texts = dict.fromkeys(("approval_id", "person", "decision", "digest", "reason", "channel", "state", "verdict"), "")
    connection.execute(insert(votes).values(id=row_id, received_at=0, **texts))


@pytest.fixture
def group(database: Database) -> str:
    database.write_now(lambda connection: add_group(connection, "g1"))
    return "g1"


def want(database: Database, row_id: str = "g1", *, kind: str = "group", now: int = 0) -> int:
    return database.write_now(lambda connection: work.want(connection, kind, row_id, now=now))


def done(database: Database, generation: int) -> None:
    database.write_now(lambda connection: work.done(connection, "group", "g1", generation))


def failed(database: Database, generation: int, *, now: int = NOW) -> int | None:
    return database.write_now(lambda connection: work.failed(connection, "group", "g1", generation, now=now))


def due(database: Database, *, now: int = NOW, limit: int = 200) -> list[Due]:
    return database.read_now(lambda connection: work.due(connection, now=now, limit=limit))


def test_work_is_due_from_its_acceptance_until_it_is_done(database: Database, group: str) -> None:
    assert due(database) == []
    assert want(database) == 1
    assert due(database) == [Due("group", "g1", 1)]
    done(database, 1)
    assert due(database) == []


def test_only_the_newest_generation_is_due_and_doing_it_does_all(database: Database, group: str) -> None:
    want(database)
    assert want(database) == 2
    assert due(database) == [Due("group", "g1", 2)]
    done(database, 1)
    assert due(database) == [Due("group", "g1", 2)]
    done(database, 2)
    done(database, 1)
    assert due(database) == []


def test_work_may_be_accepted_for_later(database: Database, group: str) -> None:
    want(database, now=NOW + SECOND)
    assert due(database) == []
    assert due(database, now=NOW + SECOND) == [Due("group", "g1", 1)]


def test_a_failure_is_taken_up_as_a_new_generation_after_a_growing_delay(database: Database, group: str) -> None:
    generation = want(database)
    delays = []
    now = NOW
    for _ in range(10):
        accepted = failed(database, generation, now=now)
        assert accepted == generation + 1
        delay = next(seconds for seconds in range(1, 400) if due(database, now=now + seconds * SECOND))
        assert due(database, now=now + delay * SECOND - 1) == []
        delays.append(delay)
        generation, now = accepted, now + delay * SECOND
    assert delays == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


def test_new_work_is_done_at_once_and_covers_a_failure_before(database: Database, group: str) -> None:
    first = want(database)
    second = want(database)
    assert failed(database, first) is None
    assert due(database) == [Due("group", "g1", second)]


def test_a_failure_of_what_was_done_meanwhile_asks_for_nothing(database: Database, group: str) -> None:
    generation = want(database)
    done(database, generation)
    assert failed(database, generation) is None
    assert failed(database, 7) is None
    assert due(database) == []


def test_success_and_new_work_forget_former_failures(database: Database, group: str) -> None:
    generation = want(database)
    for _ in range(3):
        generation = failed(database, generation) or 0
    assert database.read_now(work.struggling) == 1
    want(database)
    assert database.read_now(work.struggling) == 0


def test_a_failure_and_new_work_at_the_same_moment_never_lose_the_new_work(database: Database, group: str) -> None:
    for _ in range(15):
        generation = want(database)
        with ThreadPoolExecutor(2) as threads:
            failing = threads.submit(failed, database, generation)
            wanting = threads.submit(want, database)
            newest = wanting.result()
            failing.result()
        assert due(database) == [Due("group", "g1", newest)], "at once, not after the delay of a failure"


def test_a_storm_of_one_kind_hides_no_other(database: Database) -> None:
    def storm(connection: Connection) -> None:
        for nth in range(30):
            add_group(connection, f"g{nth}")
            work.want(connection, "group", f"g{nth}")
        add_vote(connection, "v1")
        work.want(connection, "vote", "v1")

    database.write_now(storm)
    found = due(database, limit=10)
    assert len(found) == 11
    assert Due("vote", "v1", 1) in found


def test_the_longest_waiting_comes_first(database: Database) -> None:
    def three(connection: Connection) -> None:
        for row_id, since in (("late", NOW), ("early", NOW - 9), ("middle", NOW - 5)):
            add_group(connection, row_id)
            work.want(connection, "group", row_id, now=since)

    database.write_now(three)
    assert [each.row_id for each in due(database)] == ["early", "middle", "late"]


def test_work_of_a_row_that_is_gone_is_done(database: Database, group: str) -> None:
    generation = want(database)
    assert not database.read_now(lambda c: work.is_done(c, Due("group", "g1", generation)))
    assert database.read_now(lambda c: work.is_done(c, Due("group", "gone", 1)))


def test_a_row_that_cannot_be_read_is_reported_once_and_asks_for_nothing_more(database: Database, group: str) -> None:
    problem = UnreadableRow("incidents", "i" * 100, "labels: " + "x" * 1000)
    for _ in range(2):
        want(database)
        database.write_now(lambda c: work.set_aside(c, problem, kind="group", row_id="g1", now=NOW))
    assert due(database) == []
    (sentence,) = database.read_now(unreadable.reported)
    assert sentence.startswith("incidents row iii")
    assert len(sentence) < 700


def test_what_is_due_is_found_by_an_index(database: Database) -> None:
    def plan(connection: Connection) -> str:
        query = select(groups.c.id).where(groups.c.done < groups.c.wanted, groups.c.not_before <= NOW)
        text = str(query.order_by(groups.c.not_before).compile(connection, compile_kwargs={"literal_binds": True}))
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        explain = "EXPLAIN QUERY PLAN " if connection.dialect.name == "sqlite" else "EXPLAIN "
        return "\n".join(str(row) for row in connection.exec_driver_sql(explain + text.replace("%", "%%")))

    assert "alert_groups_due" in database.write_now(plan)

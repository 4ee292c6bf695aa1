"""The store's time never goes back, and its numbers are never given twice."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import update

from bot.store import clock
from bot.store.database import Database
from bot.store.tables import counters

DAY = 86_400_000_000
MINUTE = 60_000_000


def test_it_is_the_database_s_time_in_microseconds(database: Database) -> None:
    read = database.read_now(clock.now)
    assert abs(read - time.time() * 1_000_000) < 60_000_000


def set_to(database: Database, time: int) -> None:
    """Store a time as the highest that there was."""
    there = update(counters).where(counters.c.name == clock.HIGH_WATER).values(value=time)
    database.write_now(clock.advance)
    database.write_now(lambda connection: connection.execute(there))


class Process:
    """One more process on the same database, whose monotonic clock is turned by hand."""

    def __init__(self, url: str) -> None:
        self.seconds = 1000.0
        self.database = Database(url, monotonic=lambda: self.seconds)

    def now(self) -> int:
        return self.database.read_now(clock.now)

    def advance(self) -> int:
        return self.database.write_now(clock.advance)


@pytest.fixture
def processes(database: Database, database_url: str) -> Iterator[tuple[Process, Process]]:
    both = Process(database_url), Process(database_url)
    yield both
    for each in both:
        each.database.close()


def test_a_clock_that_was_set_back_undoes_nothing_and_time_goes_on_by_what_elapses(
    database: Database, processes: tuple[Process, Process]
) -> None:
    one, other = processes
    ahead = database.write_now(clock.advance) + DAY
    set_to(database, ahead)
    assert (one.now(), other.advance(), one.advance()) == (ahead, ahead, ahead)
    one.seconds += 60
    assert one.now() == ahead + MINUTE
    assert one.now() == ahead + MINUTE
    assert other.now() == ahead, "nothing elapsed there, and nothing was stored"
    assert one.advance() == ahead + MINUTE
    assert other.now() == other.advance() == ahead + MINUTE
    other.seconds += 120
    assert other.advance() == ahead + 3 * MINUTE
    assert one.now() == ahead + 3 * MINUTE
    one.seconds += 30
    assert one.now() == ahead + 3 * MINUTE + MINUTE // 2


def test_a_process_that_starts_goes_on_from_the_highest_time(
    database: Database, processes: tuple[Process, Process]
) -> None:
    ahead = database.write_now(clock.advance) + DAY
    set_to(database, ahead)
    one, other = processes
    one.advance()
    one.seconds += 60
    one.advance()
    assert other.now() == ahead + MINUTE
    other.seconds += 1
    assert other.now() == ahead + MINUTE + 1_000_000


def test_a_clock_that_is_right_is_the_time_whatever_elapses(processes: tuple[Process, Process]) -> None:
    one, _ = processes
    before = one.advance()
    one.seconds += 3600
    assert 0 <= one.advance() - before < MINUTE


def test_a_clock_that_is_a_moment_behind_is_waited_for(database: Database, processes: tuple[Process, Process]) -> None:
    one, _ = processes
    ahead = database.write_now(clock.advance) + 900_000
    set_to(database, ahead)
    first = one.now()
    one.seconds += 3600
    assert first <= one.now() < first + MINUTE


def test_a_lead_is_said_once_it_matters(database: Database, processes: tuple[Process, Process]) -> None:
    one, _ = processes
    assert one.database.read_now(clock.lead) == ""
    set_to(database, one.advance() + DAY)
    assert one.database.read_now(clock.lead).startswith("Signoff's is 23:59:5")


def test_advancing_is_remembered_and_reading_is_not(database: Database) -> None:
    database.read_now(clock.now)
    assert database.read_now(lambda c: clock.number(c, clock.HIGH_WATER)) == 0
    advanced = database.write_now(clock.advance)
    assert database.read_now(lambda c: clock.number(c, clock.HIGH_WATER)) == advanced


def test_whoever_commits_later_has_the_later_time(database: Database) -> None:
    committed: list[int] = []

    def decide(_: int) -> None:
        database.write_now(lambda connection: committed.append(clock.advance(connection)))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(decide, range(60)))
    assert committed == sorted(committed)


def test_numbers_count_from_one_and_are_given_once(database: Database) -> None:
    def take(_: int) -> int:
        return database.write_now(lambda connection: clock.next_number(connection, "incident"))

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(take, range(40))) == list(range(1, 41))
    assert database.write_now(lambda connection: clock.next_number(connection, "approval")) == 1

"""The store's time never goes back, and its numbers are never given twice."""

import time
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import update

from bot.store import clock
from bot.store.database import Database
from bot.store.tables import counters

DAY = 86_400_000_000


def test_it_is_the_database_s_time_in_microseconds(database: Database) -> None:
    read = database.read_now(clock.now)
    assert abs(read - time.time() * 1_000_000) < 60_000_000


def test_a_clock_that_was_set_back_stands_still_at_the_highest_time_it_showed(database: Database) -> None:
    ahead = database.write_now(clock.advance) + DAY

    def as_if_it_had_been_tomorrow(connection) -> None:
        connection.execute(update(counters).where(counters.c.name == clock.HIGH_WATER).values(value=ahead))

    database.write_now(as_if_it_had_been_tomorrow)
    assert database.read_now(clock.now) == ahead
    assert database.write_now(clock.advance) == ahead
    assert database.read_now(clock.now) == ahead


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

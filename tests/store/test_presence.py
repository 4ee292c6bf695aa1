"""Presence: seen while the process lives, gone with it, and back after its connection broke."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from bot.store.database import Database
from bot.store.presence import Presence
from tests.postgres import PostgreSQL
from tests.waiting import wait_until


@pytest.fixture
def shared(postgres: PostgreSQL) -> Iterator[Database]:
    with postgres.fresh() as url:
        database = Database(url)
        yield database
        database.close()


async def test_it_is_seen_until_it_is_closed(shared: Database) -> None:
    one, other = Presence(shared, "one"), Presence(shared, "other")
    assert one.is_gone("other") is False, "who is not present itself knows nothing"
    assert one.hold()
    assert one.is_gone("other")
    assert other.hold()
    assert other.hold(), "again and again"
    assert not one.is_gone("other")
    other.close()
    await wait_until(lambda: one.is_gone("other"))
    assert not one.is_gone("one")
    one.close()


async def test_of_two_with_one_name_only_one_is_present(shared: Database) -> None:
    one, twin = Presence(shared, "one"), Presence(shared, "one")
    assert one.hold()
    assert not twin.hold()
    one.close()
    await wait_until(twin.hold)
    twin.close()


def test_those_who_look_at_the_same_moment_do_not_take_each_other_for_the_one_they_look_for(shared: Database) -> None:
    one = Presence(shared, "one")
    one.hold()
    with shared.engine.connect() as looking:
        looking.execute(text("SELECT pg_advisory_lock_shared(hashtextextended('signoff:other', 0))"))
        assert one.is_gone("other")
    one.close()


def test_it_is_present_again_after_its_connection_broke(shared: Database) -> None:
    one, other = Presence(shared, "one"), Presence(shared, "other")
    one.hold()
    other.hold()
    mine = "application_name = current_setting('application_name') AND pid <> pg_backend_pid()"
    shared.write_now(lambda c: c.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {mine}")))
    with pytest.raises(SQLAlchemyError):
        other.is_gone("one")
    for each in (one, other):
        assert each.hold() or each.hold()
    assert not other.is_gone("one")
    one.close()
    other.close()

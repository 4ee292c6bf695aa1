"""A matter joins a request once, and finds it with what became of it."""

from __future__ import annotations

from bot.store import joined
from bot.store.database import Database


def test_a_matter_joins_once(database: Database) -> None:
    assert database.write_now(lambda c: joined.join(c, "a1", "i2"))
    assert not database.write_now(lambda c: joined.join(c, "a1", "i2"))
    assert database.write_now(lambda c: joined.join(c, "a1", "i3"))
    assert database.read_now(lambda c: joined.matters_of(c, "a1")) == ["i2", "i3"]
    assert database.read_now(lambda c: joined.of_matter(c, "i2")) == [], "there is no such request any more"

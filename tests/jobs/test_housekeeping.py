from __future__ import annotations

from sqlalchemy import Connection

from bot.domain.github import PushEvent, RunEvent
from bot.jobs.housekeeping import CI_KEPT_US, DELIVERIES_KEPT_US, forget
from bot.store import ci, clock, deliveries, work
from bot.store.database import Database

PUSH = PushEvent("shop/deploy", "a" * 40, "t", "dana", "u", (), 1000)
RUN = RunEvent("shop/deploy", 55, 1, "CI", "", "a" * 40, "main", "failure", "u", (), True, 1000)


def test_what_github_told_long_ago_is_forgotten(database: Database) -> None:
    def take(event: PushEvent | RunEvent, name: str, *, at: int) -> None:
        def write(connection: Connection) -> None:
            deliveries.accept(connection, event, name="x", delivery=name, fingerprint=name, now=at)

        database.write_now(write)

    now = database.read_now(clock.now)
    take(PUSH, "old push", at=now - DELIVERIES_KEPT_US - 1)
    take(RUN, "old run", at=now - 1)
    row_id, _ = database.write_now(lambda c: ci.accept(c, RUN))
    assert now > CI_KEPT_US
    assert database.write_now(forget) == 2, "the delivery and the change; the run still has work to do"
    database.write_now(lambda c: work.done(c, "ci", row_id, 9))
    assert database.write_now(forget) == 1
    assert database.write_now(forget) == 0

from __future__ import annotations

from dataclasses import replace

from bot.domain.github import PullEvent
from bot.store import changes, deliveries, work
from bot.store.database import Database
from bot.store.deliveries import Accepted
from bot.store.work import Due

OPENED = PullEvent("shop/deploy", 7, "opened", "a" * 40, False, "", "Faster", "dana", "u", True, 1000)


def accept(database: Database, event: PullEvent = OPENED, *, delivery: str = "d1", body: str = "b1") -> Accepted:
    return database.write_now(
        lambda c: deliveries.accept(c, event, name="pull_request", delivery=delivery, fingerprint=body, now=50)
    )


def test_an_event_takes_effect_once_whatever_its_delivery_is_called(database: Database) -> None:
    first = accept(database)
    assert first.outcome == "stored"
    assert first.due is not None
    database.write_now(lambda c: work.done(c, "pull", first.due.row_id, 1) if first.due else None)
    for delivery, body in (("d1", "b1"), ("d2", "b1"), ("d1", "b2")):
        assert accept(database, delivery=delivery, body=body) == Accepted("seen", None)


def test_a_redelivery_starts_what_is_not_done(database: Database) -> None:
    first = accept(database)
    assert first.due is not None
    assert accept(database) == Accepted("seen", Due("pull", first.due.row_id, 2))


def test_a_redelivery_of_what_was_given_up_tries_once_more(database: Database) -> None:
    first = accept(database)
    assert first.due is not None
    row_id = first.due.row_id
    database.write_now(lambda c: work.give_up(c, "pull", row_id, 1))
    assert database.read_now(lambda c: work.due(c, now=100)) == []
    assert accept(database) == Accepted("seen", Due("pull", row_id, 2))
    database.write_now(lambda c: work.done(c, "pull", row_id, 2))
    assert accept(database) == Accepted("seen", None)


def test_a_merge_that_is_redelivered_is_read_as_a_change_once_more(database: Database) -> None:
    merged = replace(OPENED, action="closed", merged=True, merge_sha="c" * 40)
    first = accept(database, merged)
    assert first.due is not None
    database.write_now(lambda c: work.done(c, "pull", first.due.row_id, 1) if first.due else None)
    database.write_now(lambda c: work.give_up(c, "change", changes.row_of(merged), 1))
    assert accept(database, merged) == Accepted("seen", None)
    assert database.read_now(lambda c: work.due(c, now=100)) == [Due("change", changes.row_of(merged), 2)]


def test_an_event_that_changes_nothing_is_remembered_too(database: Database) -> None:
    accept(database)
    late = replace(OPENED, action="closed", at=1)
    assert accept(database, late, delivery="d2", body="b2") == Accepted("nothing", None)
    assert accept(database, late, delivery="d2", body="b2") == Accepted("seen", None)


def test_what_github_no_longer_redelivers_is_forgotten(database: Database) -> None:
    accept(database)
    assert database.write_now(lambda c: deliveries.forget(c, before=51)) == 1

"""The outbox rows on SQLite and PostgreSQL: one row a key, generations, compare-and-set, order."""

from typing import Any

import pytest

from bot.store import outbox
from bot.store.database import Database
from bot.store.outbox import Message

NOW = 1_795_255_320_000_000
SECOND = 1_000_000


def put(database: Database, key: str, text: str = "x", *, now: int = NOW, **more: Any) -> bool:
    more.setdefault("channel", "C1")
    return database.write_now(lambda c: outbox.put(c, key=key, payload={"text": text}, now=now, **more))


def row(database: Database, key: str) -> Message:
    found = database.read_now(lambda c: outbox.find(c, key))
    assert found is not None
    return found


def claim(database: Database, key: str, *, now: int = NOW) -> Message:
    waiting = row(database, key)
    claimed = database.write_now(lambda c: outbox.claim(c, waiting, now=now))
    assert claimed is not None
    return claimed


def sent(database: Database, claimed: Message, *, generation: int | None = None, **more: Any) -> bool:
    shown = claimed.wanted if generation is None else generation
    more = {"ts": "1.0", "channel": "C1", "next_edit": NOW + 3 * SECOND, **more}
    return database.write_now(lambda c: outbox.sent(c, claimed, generation=shown, **more))


def queue(database: Database, channel: str = "C1") -> list[str]:
    return [message.key for message in database.read_now(lambda c: outbox.queue(c, channel))]


def test_one_row_a_key_and_nothing_new_for_an_unchanged_payload(database: Database) -> None:
    assert put(database, "card", "one")
    assert not put(database, "card", "one")
    assert row(database, "card").wanted == 1
    assert put(database, "card", "two")
    assert row(database, "card").wanted == 2
    assert row(database, "card").payload == {"text": "two"}
    assert queue(database) == ["card"]


def test_what_is_put_is_gone_if_its_transaction_is(database: Database) -> None:
    class Boom(Exception): ...

    def work(connection: Any) -> None:
        outbox.put(connection, key="card", channel="C1", payload={"text": "x"}, now=NOW)
        raise Boom

    with pytest.raises(Boom):
        database.write_now(work)
    assert database.read_now(lambda c: outbox.find(c, "card")) is None


def test_a_payload_that_is_no_json_is_refused(database: Database) -> None:
    with pytest.raises(ValueError, match="canonical JSON"):
        database.write_now(lambda c: outbox.put(c, key="k", channel="C1", payload={"text": object()}, now=NOW))


def test_a_message_without_a_text_is_refused(database: Database) -> None:
    with pytest.raises(ValueError, match="needs a text"):
        database.write_now(lambda c: outbox.put(c, key="k", channel="C1", payload={"blocks": []}, now=NOW))


def test_the_order_is_the_order_of_putting_even_within_one_instant(database: Database) -> None:
    def work(connection: Any) -> None:
        for number in range(20):
            outbox.put(connection, key=f"n{number}", channel="C1", payload={"text": "x"}, now=NOW)

    database.write_now(work)
    put(database, "earlier clock", now=NOW - SECOND)
    assert queue(database) == [*(f"n{number}" for number in range(20)), "earlier clock"]


def test_urgent_goes_first_and_channels_are_apart(database: Database) -> None:
    put(database, "a")
    put(database, "b", urgent=True)
    put(database, "c", channel="C2")
    assert queue(database) == ["b", "a"]
    assert sorted(database.read_now(outbox.channels)) == ["C1", "C2"]


def test_many_of_one_kind_hide_none_of_another(database: Database) -> None:
    for number in range(60):
        put(database, f"card{number}")
        sent(database, claim(database, f"card{number}"), next_edit=NOW + 9 * SECOND)
        put(database, f"card{number}", "changed", urgent=True)
    put(database, "post")
    put(database, "whisper", kind="ephemeral", recipient="U1")
    seen = queue(database)
    assert {"post", "whisper"} < set(seen)
    assert len(seen) == 52


def test_of_many_edits_those_that_are_due_come_into_view(database: Database) -> None:
    for number in range(60):
        put(database, f"card{number}")
        later = 0 if number == 59 else 60
        sent(database, claim(database, f"card{number}"), next_edit=NOW + later * SECOND)
        put(database, f"card{number}", "changed")
    assert "card59" in queue(database)


def test_a_reply_is_not_in_the_queue_before_its_parent_is_in_slack(database: Database) -> None:
    put(database, "reply", thread_key="card")
    assert queue(database) == []
    put(database, "card")
    assert queue(database) == ["card"]
    sent(database, claim(database, "card"), ts="5.0", channel="C9")
    assert queue(database) == ["reply"]
    assert (row(database, "reply").parent_ts, row(database, "reply").parent_channel) == ("5.0", "C9")


def test_only_one_process_gets_a_message(database: Database) -> None:
    put(database, "card")
    seen = row(database, "card")
    assert database.write_now(lambda c: outbox.claim(c, seen, now=NOW)) is not None
    assert database.write_now(lambda c: outbox.claim(c, seen, now=NOW)) is None


def test_a_claim_shows_the_newest_payload(database: Database) -> None:
    put(database, "card", "old")
    seen = row(database, "card")
    put(database, "card", "new")
    claimed = database.write_now(lambda c: outbox.claim(c, seen, now=NOW))
    assert claimed is not None
    assert (claimed.payload, claimed.wanted) == ({"text": "new"}, 2)


def test_whoever_lost_a_claim_records_nothing(database: Database) -> None:
    put(database, "card")
    first = claim(database, "card")
    second = claim(database, "card", now=NOW)
    assert second.sending_since != first.sending_since
    assert not sent(database, first, ts="1.0")
    assert not database.write_now(lambda c: outbox.not_sent(c, first, state="waiting", error="late", not_before=NOW))
    assert not database.write_now(lambda c: outbox.vanished(c, first, error="late"))
    assert sent(database, second, ts="2.0")
    assert row(database, "card").ts == "2.0"


def test_when_all_is_said_nothing_waits(database: Database) -> None:
    put(database, "card")
    sent(database, claim(database, "card"))
    assert row(database, "card").state == "posted"
    assert queue(database) == []
    assert database.read_now(outbox.channels) == []


def test_a_change_during_sending_stays_due(database: Database) -> None:
    put(database, "card", "one")
    claimed = claim(database, "card")
    put(database, "card", "two")
    assert row(database, "card").state == "sending"
    sent(database, claimed)
    changed = row(database, "card")
    assert (changed.state, changed.not_before) == ("waiting", NOW + 3 * SECOND)


def test_an_urgent_change_during_sending_is_due_at_once(database: Database) -> None:
    put(database, "card", "one")
    claimed = claim(database, "card")
    put(database, "card", "two", urgent=True)
    sent(database, claimed)
    assert (row(database, "card").not_before, row(database, "card").urgent) == (0, True)


def test_an_edit_waits_for_its_turn_unless_it_is_urgent(database: Database) -> None:
    put(database, "card", "one")
    sent(database, claim(database, "card"))
    put(database, "card", "two", now=NOW + SECOND)
    assert row(database, "card").not_before == NOW + 3 * SECOND
    put(database, "decided", "one")
    sent(database, claim(database, "decided"))
    put(database, "decided", "two", now=NOW + SECOND, urgent=True)
    assert row(database, "decided").not_before == NOW + SECOND


def test_urgency_ends_with_what_was_urgent(database: Database) -> None:
    put(database, "card", "one", urgent=True)
    sent(database, claim(database, "card"))
    assert not row(database, "card").urgent


def test_a_refused_message_gets_another_chance_with_another_payload(database: Database) -> None:
    put(database, "card", "bad")
    claimed = claim(database, "card")
    database.write_now(
        lambda c: outbox.not_sent(c, claimed, state="failed", error="no: why", not_before=NOW + 60 * SECOND)
    )
    assert [m.key for m in database.read_now(outbox.troubled)] == ["card"]
    put(database, "card", "good", now=NOW + SECOND)
    again = row(database, "card")
    assert (again.state, again.not_before) == ("waiting", NOW + SECOND)


def test_failures_are_counted_and_delays_are_not(database: Database) -> None:
    put(database, "card")
    for counted, attempts in ((True, 1), (False, 1), (True, 2), (True, 3)):
        claimed = claim(database, "card")
        database.write_now(
            lambda c, m=claimed, n=counted: outbox.not_sent(
                c, m, state="waiting", error="x" * 900, not_before=NOW, counted=n
            )
        )
        assert row(database, "card").attempts == attempts
    assert len(row(database, "card").last_error) == 500
    assert [m.key for m in database.read_now(outbox.troubled)] == ["card"]
    sent(database, claim(database, "card"))
    assert database.read_now(outbox.troubled) == []


def test_a_message_that_vanished_is_posted_anew(database: Database) -> None:
    put(database, "card")
    sent(database, claim(database, "card"))
    put(database, "card", "two")
    claimed = claim(database, "card")
    database.write_now(lambda c: outbox.vanished(c, claimed, error="message_not_found"))
    assert (row(database, "card").ts, row(database, "card").state) == (None, "waiting")


def test_a_double_is_counted_for_good(database: Database) -> None:
    put(database, "card")
    sent(database, claim(database, "card"), doubled=True)
    put(database, "card", "two")
    sent(database, claim(database, "card"))
    assert row(database, "card").doubts == 1


def test_the_claims_of_a_process_that_is_gone_are_given_back(database: Database) -> None:
    put(database, "post")
    put(database, "whisper", kind="ephemeral", recipient="U0LEE")
    for key in ("post", "whisper"):
        database.write_now(lambda c, key=key: outbox.claim(c, outbox.find(c, key), now=NOW, sender="dead"))
    assert database.read_now(outbox.senders) == {"dead"}
    assert database.write_now(lambda c: outbox.orphaned(c, "another", now=NOW)) == 0
    assert database.write_now(lambda c: outbox.orphaned(c, "dead", now=NOW + 5)) == 2
    assert [database.read_now(lambda c, key=key: outbox.find(c, key)).state for key in ("post", "whisper")] == [
        "doubt",
        "waiting",
    ]
    assert database.read_now(outbox.senders) == set()

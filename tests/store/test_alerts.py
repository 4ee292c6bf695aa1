"""Alerts as rows: one body is one transaction, and only a change asks for work."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event, func, select, update

from bot.domain.alert import Alert, Delivery
from bot.domain.incident import Subject
from bot.domain.joining import join
from bot.store import alerts, incidents, work
from bot.store.alerts import Accepted
from bot.store.database import Database
from bot.store.tables import alerts as alert_rows
from bot.store.tables import groups
from bot.store.work import Due

NOW = 1_795_255_320_000_000
SECOND = 1_000_000
# All three bodies of 25,000 alerts take about 165.
MOST_STATEMENTS = 250


def alert(fingerprint: str = "f1", *, start: int = NOW, resolved_at: int | None = None, **labels: str) -> Alert:
    return Alert(
        fingerprint=fingerprint,
        starts_at=start,
        status="firing" if resolved_at is None else "resolved",
        ends_at=resolved_at,
        labels={"alertname": "Down", **labels},
        annotations={"summary": "It is down."},
        generator_url="http://prometheus/graph",
    )


def delivery(
    *carried: Alert, key: str = '{}:{alertname="Down"}', source: str = "default", truncated: int = 0
) -> Delivery:
    return Delivery(
        source=source,
        receiver="signoff",
        group_key=key,
        group_labels={"alertname": "Down"},
        common_labels={},
        common_annotations={},
        external_url="http://alertmanager",
        truncated_alerts=truncated,
        alerts=tuple(carried),
    )


def accept(database: Database, came: Delivery, *, now: int = NOW) -> Accepted:
    return database.write_now(lambda connection: alerts.accept(connection, came, now=now))


def stored(database: Database) -> dict[tuple[str, int], str]:
    rows = database.read_now(
        lambda c: c.execute(select(alert_rows.c.fingerprint, alert_rows.c.starts_at, alert_rows.c.status)).all()
    )
    return {(row.fingerprint, row.starts_at): row.status for row in rows}


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """What is sent to the database meanwhile, one text a statement, however many rows each is about."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield sent
    event.remove(database.engine, "before_cursor_execute", note)


def due(database: Database) -> Sequence[Due]:
    return database.read_now(lambda connection: work.due(connection, now=NOW))


def test_a_first_body_is_stored_and_asks_for_work(database: Database) -> None:
    accepted = accept(database, delivery(alert("f1"), alert("f2")))
    assert (accepted.generation, accepted.new, accepted.changed) == (1, 2, 0)
    assert stored(database) == {("f1", NOW): "firing", ("f2", NOW): "firing"}
    assert due(database) == [Due("group", accepted.group_id, 1)]


def test_a_repeated_body_changes_nothing_and_asks_for_nothing(database: Database) -> None:
    accept(database, delivery(alert("f1")))
    for later in (1, 2, 3):
        assert accept(database, delivery(alert("f1")), now=NOW + later) == Accepted(delivery().group_id, None, 0, 0)
    seen = database.read_now(lambda c: c.execute(select(groups.c.last_seen_at)).scalar_one())
    assert seen == NOW + 3, "but it is noted that the group was seen"


def test_resolved_beats_firing_in_whatever_order_they_come(database: Database) -> None:
    over = alert("f1", resolved_at=NOW + 5)
    accept(database, delivery(alert("f1")))
    assert accept(database, delivery(over)).changed == 1
    assert accept(database, delivery(alert("f1"))).generation is None, "a late retry of the body before"
    assert stored(database) == {("f1", NOW): "resolved"}


def test_duplicates_within_one_body_are_one_row_and_resolved_wins(database: Database) -> None:
    over = alert("f1", resolved_at=NOW + 5)
    accepted = accept(database, delivery(alert("f1"), over, alert("f1"), alert("f2"), alert("f2")))
    assert accepted.new == 2
    assert stored(database) == {("f1", NOW): "resolved", ("f2", NOW): "firing"}


def test_a_refire_is_a_row_of_its_own_and_ends_what_was_never_ended(database: Database) -> None:
    accept(database, delivery(alert("f1")))
    accepted = accept(database, delivery(alert("f1", start=NOW + SECOND)))
    assert (accepted.new, accepted.changed) == (1, 1)
    assert stored(database) == {("f1", NOW): "resolved", ("f1", NOW + SECOND): "firing"}


def test_a_whole_body_of_resolved_alerts_ends_those_whose_end_was_cut(database: Database) -> None:
    accept(database, delivery(alert("f1"), alert("f2"), truncated=1))
    accept(database, delivery(alert("f2"), alert("f3", start=NOW + SECOND), truncated=1))
    assert accept(database, delivery(alert("f2", resolved_at=NOW), truncated=1)).changed == 1
    assert stored(database)["f1", NOW] == "firing", "it may be among those that were cut"
    over = delivery(alert("f2", start=NOW - SECOND, resolved_at=NOW - 1), alert("f4", resolved_at=NOW))
    assert (accept(database, over).new, accept(database, over).changed) == (2, 0)
    ended = {("f1", NOW), ("f2", NOW), ("f2", NOW - SECOND), ("f4", NOW)}
    assert {key for key, status in stored(database).items() if status == "resolved"} == ended
    assert stored(database)["f3", NOW + SECOND] == "firing", "it started after that end"


def test_a_body_in_which_something_fires_ends_nothing_else(database: Database) -> None:
    accept(database, delivery(alert("f1"), alert("f2"), alert("f3")))
    assert accept(database, delivery(alert("f2", resolved_at=NOW + 5), alert("f3"))).changed == 1
    assert stored(database)["f1", NOW] == "firing"


def test_a_late_retry_of_the_end_of_a_group_ends_nothing_that_came_since(database: Database) -> None:
    over = delivery(alert("f2", resolved_at=NOW + 5))
    accept(database, delivery(alert("f2")))
    accept(database, over)
    accept(database, delivery(alert("f1", start=NOW + 1)))
    assert accept(database, over) == Accepted(over.group_id, None, 0, 0)
    assert stored(database)["f1", NOW + 1] == "firing"


def said(database: Database) -> list[tuple[dict[str, str], str]]:
    rows = database.read_now(lambda c: c.execute(select(alert_rows.c.annotations, alert_rows.c.generator_url)).all())
    return [(row.annotations, row.generator_url) for row in rows]


def test_what_a_firing_alert_says_of_itself_is_kept_up_to_date(database: Database) -> None:
    blank = replace(alert(), annotations={"summary": " "}, generator_url="")
    accept(database, delivery(blank))
    told = accept(database, delivery(alert()))
    assert (told.new, told.changed, told.generation) == (0, 1, 2)
    assert said(database) == [({"summary": "It is down."}, "http://prometheus/graph")]


def test_another_text_is_kept_and_asks_for_no_work(database: Database) -> None:
    accept(database, delivery(alert()))
    other = replace(
        alert(), annotations={"summary": "It is down for 7 minutes.", "runbook_url": "x"}, generator_url="p2"
    )
    for came in (other, alert(), other):
        assert accept(database, delivery(came)).generation is None
    assert said(database) == [(other.annotations, "p2")]


def test_a_blank_never_takes_the_place_of_a_text(database: Database) -> None:
    """HA peers may differ in what their rules say."""
    accept(database, delivery(alert()))
    for annotations in ({}, {"summary": "\n", "team": "shop"}):
        assert accept(database, delivery(replace(alert(), annotations=annotations))).generation is None
    assert said(database)[0][0] == {"summary": "It is down.", "team": "shop"}


def test_what_an_alert_says_after_its_end_is_nobodys_business(database: Database) -> None:
    accept(database, delivery(alert(resolved_at=NOW + 1)))
    again = replace(alert(resolved_at=NOW + 1), annotations={"summary": "It was down."})
    assert accept(database, delivery(again)) == Accepted(delivery().group_id, None, 0, 0)


def test_one_groupkey_of_two_sources_is_two_groups_and_peers_of_one_source_coincide(database: Database) -> None:
    first = accept(database, delivery(alert(), source="east"))
    assert accept(database, delivery(alert(), source="west")).group_id != first.group_id
    assert accept(database, delivery(alert(), source="east")).generation is None
    assert len(due(database)) == 2


def test_alerts_cut_from_the_list_ask_for_work_once(database: Database) -> None:
    accept(database, delivery(alert()))
    assert accept(database, delivery(alert(), truncated=7)).generation == 2
    assert accept(database, delivery(alert(), truncated=7)).generation is None


def test_a_body_without_alerts_is_no_error(database: Database) -> None:
    assert accept(database, delivery()) == Accepted(delivery().group_id, None, 0, 0)


def test_hearing_again_of_a_stale_incident_asks_for_work(database: Database) -> None:
    opened = accept(database, delivery(alert()))

    def goes_stale(connection: Any) -> None:
        of = incidents.group(connection, opened.group_id, now=NOW)
        joined = join(None, of.unassigned, of.assigned, truncated=0, now=NOW, reopen_within=0)
        made = incidents.apply(connection, of, joined, subject=Subject(None, "", "", "", ""), now=NOW)
        work.done(connection, "group", opened.group_id, 1)
        assert incidents.turn_stale(connection, made.id)

    database.write_now(goes_stale)
    assert accept(database, delivery(alert())).generation == 2


def test_the_past_of_a_flapping_alert_is_not_read_again(database: Database) -> None:
    for nth in range(30):
        flap = alert("f1", start=NOW + nth * SECOND, resolved_at=NOW + nth * SECOND + 1)
        accept(database, delivery(flap))
    accepted = accept(database, delivery(alert("f1", start=NOW + 40 * SECOND)))
    assert (accepted.new, accepted.changed) == (1, 0)
    assert list(stored(database).values()).count("firing") == 1


def test_labels_of_any_text_are_kept(database: Database) -> None:
    odd = replace(alert(), labels={"alertname": 'a "b" \\ \n 😀 %s :x', "é": ""})
    accept(database, delivery(odd))
    kept = database.read_now(lambda c: c.execute(select(alert_rows.c.labels)).scalar_one())
    assert kept == odd.labels


def test_25_000_alerts_in_one_body_and_their_end(database: Database) -> None:
    many = tuple(alert(f"{nth:016x}", pod=f"checkout-{nth}") for nth in range(25_000))
    over = tuple(replace(each, status="resolved", ends_at=NOW + 1) for each in many)
    with counted(database) as statements:
        assert accept(database, delivery(*many)).new == 25_000
        assert accept(database, delivery(*over)).changed == 25_000
        assert accept(database, delivery(*over)).generation is None
    assert len(statements) < MOST_STATEMENTS, "one a row takes minutes, and Alertmanager waits"
    assert set(stored(database).values()) == {"resolved"}


def test_25_000_starts_of_one_alert_in_one_body_cost_no_more(database: Database) -> None:
    many = tuple(alert("f1", start=NOW + nth) for nth in range(25_000))
    with counted(database) as statements:
        assert accept(database, delivery(*many)).new == 25_000
    assert len(statements) < MOST_STATEMENTS
    assert list(stored(database).values()).count("firing") == 1


def test_ha_peers_that_deliver_at_the_same_moment_store_it_once(database: Database) -> None:
    both = delivery(*(alert(f"f{nth}") for nth in range(50)))
    with ThreadPoolExecutor(4) as threads:
        outcomes = list(threads.map(lambda _: accept(database, both), range(8)))
    assert sorted(outcome.new for outcome in outcomes) == [0] * 7 + [50]
    assert [outcome.generation for outcome in outcomes if outcome.new] == [1]


def test_a_body_that_cannot_be_stored_whole_is_not_stored_at_all(database: Database) -> None:
    too_long = replace(alert("f2"), starts_at=2**70)
    with pytest.raises(Exception, match=r".+"):
        accept(database, delivery(alert("f1"), too_long))
    assert stored(database) == {}
    assert database.read_now(lambda c: c.execute(select(func.count()).select_from(groups)).scalar_one()) == 0


def test_an_alert_that_cannot_be_read_is_left_out_of_the_list(database: Database) -> None:
    accept(database, delivery(alert("f1"), alert("f2")))

    def spoil(connection: Any) -> None:
        connection.execute(update(alert_rows).values(incident_id="i1"))
        spoiled = update(alert_rows).where(alert_rows.c.fingerprint == "f1")
        connection.execute(spoiled.values(labels=["not", "labels"]))

    database.write_now(spoil)
    assert [each.fingerprint for each in database.read_now(lambda c: alerts.of_incident(c, "i1"))] == ["f2"]

"""Incidents as rows: opened once, joined, numbered, and the same whatever order their deliveries came in."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select, update

from bot.domain.alert import Alert, Delivery
from bot.domain.evidence import Evidence
from bot.domain.incident import Incident, Subject
from bot.domain.joining import join
from bot.domain.triage import Cause, Proposal, Triage
from bot.store import alerts, clock, incidents, work
from bot.store.database import Database
from bot.store.schema import migrate
from bot.store.tables import alerts as alert_rows
from bot.store.tables import incidents as incident_rows
from bot.store.tables import metadata
from bot.store.unreadable import UnreadableRow, reported

NOW = 1_795_255_320_000_000
MINUTE = 60_000_000
SUBJECT = Subject(cluster="prod", cluster_label="prod", namespace="shop", kind="Deployment", name="checkout")


def alert(fingerprint: str, *, start: int = NOW, end: int | None = None) -> Alert:
    labels = {"alertname": f"Alert{fingerprint}", "severity": "critical", "namespace": "shop"}
    return Alert(fingerprint, start, "firing" if end is None else "resolved", end, labels, {})


def delivery(*carried: Alert, truncated: int = 0) -> Delivery:
    return Delivery("default", "signoff", "{}:{}", {}, {}, {}, "", truncated, carried)


GROUP = delivery().group_id


def take(database: Database, came: Delivery, *, now: int = NOW) -> str | None:
    """Store a delivery and let its group's alerts join, as the group's job does. Returns the change."""
    accepted = database.write_now(lambda connection: alerts.accept(connection, came, now=now))
    return database.write_now(lambda c: let_join(c, accepted.group_id, now)) if accepted.generation else None


def let_join(connection: Connection, group_id: str, now: int = NOW) -> str | None:
    clock.advance(connection)
    of = incidents.group(connection, group_id, now=now)
    generation = work.wanted(connection, "group", group_id)
    joined = join(of.current, of.unassigned, of.assigned, truncated=of.truncated, now=now, reopen_within=30 * MINUTE)
    work.done(connection, "group", group_id, generation)
    if joined is None:
        incidents.pass_over(connection, of)
    if joined is None or joined.change == "unchanged":
        return None
    incidents.apply(connection, of, joined, subject=SUBJECT, now=now)
    return joined.change


def all_of(database: Database) -> list[Incident]:
    return database.read_now(incidents.newest)


def the_one(database: Database) -> Incident:
    (found,) = all_of(database)
    return found


# --- opening, joining, ending -----------------------------------------------------------------------------------------


def test_the_life_of_an_incident(database: Database) -> None:
    assert take(database, delivery(alert("A"))) == "opened"
    opened = the_one(database)
    assert (opened.name, opened.status, opened.firing, opened.total) == ("INC-1", "open", 1, 1)
    assert (opened.title, opened.severity, opened.subject) == ("AlertA", "critical", SUBJECT)
    assert take(database, delivery(alert("A"))) is None
    assert take(database, delivery(alert("A"), alert("B"))) == "joined"
    assert take(database, delivery(alert("A", end=NOW), alert("B"))) == "joined"
    assert (the_one(database).firing, the_one(database).total) == (1, 2)
    assert take(database, delivery(alert("B", end=NOW + 1)), now=NOW + 2) == "resolved"
    assert (the_one(database).status, the_one(database).resolved_at) == ("resolved", NOW + 2)


def test_a_refire_reopens_it_and_a_later_one_links_back(database: Database) -> None:
    take(database, delivery(alert("A")))
    take(database, delivery(alert("A", end=NOW + 1)), now=NOW + 1)
    assert take(database, delivery(alert("A", start=NOW + 2)), now=NOW + 30 * MINUTE) == "reopened"
    assert (the_one(database).reopened, the_one(database).resolved_at) == (1, None)
    assert (the_one(database).opened_at, the_one(database).since) == (NOW, NOW + 30 * MINUTE)
    take(database, delivery(alert("A", start=NOW + 2, end=NOW + 3)), now=NOW + 31 * MINUTE)
    late = NOW + 62 * MINUTE
    assert take(database, delivery(alert("A", start=late)), now=late) == "opened"
    newest, before = all_of(database)
    assert (newest.name, newest.previous, newest.total) == ("INC-2", 1, 1)
    assert before.status == "resolved"


def test_an_incident_that_is_silent_for_long_turns_stale_once_and_knows_since_when(database: Database) -> None:
    take(database, delivery(alert("A")))
    take(database, delivery(alert("A")), now=NOW + 5 * MINUTE)
    silent = database.read_now(lambda c: incidents.unseen(c, before=NOW + 5 * MINUTE))
    assert silent == []
    (found,) = database.read_now(lambda c: incidents.unseen(c, before=NOW + 5 * MINUTE + 1))
    assert [database.write_now(lambda c: incidents.turn_stale(c, found)) for _ in range(2)] == [True, False]
    assert (the_one(database).status, the_one(database).last_seen_at) == ("stale", NOW + 5 * MINUTE)
    assert take(database, delivery(alert("A")), now=NOW + 6 * MINUTE) == "returned"
    assert the_one(database).status == "open"


def test_labels_longer_than_a_headline_are_no_failure(database: Database) -> None:
    long = Alert("f", NOW, "firing", None, {"alertname": "N" * 5000, "severity": "s" * 5000}, {"summary": "x" * 9000})
    take(database, delivery(long))
    shown = the_one(database)
    assert (len(shown.severity), len(shown.title), len(shown.summary)) == (20, 500, 2000)


def test_two_jobs_of_one_group_at_the_same_moment_open_one_incident(database: Database) -> None:
    for nth in range(4):
        database.write_now(lambda c, n=nth: alerts.accept(c, delivery(alert(f"f{n}")), now=NOW))
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: database.write_now(lambda c: let_join(c, GROUP)), range(4)))
    assert (the_one(database).firing, the_one(database).total) == (4, 4)


def test_deliveries_and_jobs_at_the_same_moment_lose_no_alert(database: Database) -> None:
    def both(nth: int) -> None:
        take(database, delivery(*(alert(f"f{each}") for each in range(nth + 1))))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(both, range(12)))
    database.write_now(lambda c: let_join(c, GROUP))
    assert (the_one(database).firing, the_one(database).total) == (12, 12)


# --- alerts of which too little was heard -----------------------------------------------------------------------------


def test_an_end_that_was_cut_is_concluded_when_the_group_is_over(database: Database) -> None:
    a, b, c = (alert(name) for name in "ABC")
    take(database, delivery(a, b, truncated=1))
    take(database, delivery(b, c, truncated=1))
    assert take(database, delivery(alert("B", end=NOW + 9), alert("C", end=NOW + 9))) == "resolved"
    assert (the_one(database).firing, the_one(database).total) == (0, 3)


def test_what_fires_on_after_all_belongs_to_the_incident_of_its_time(database: Database) -> None:
    """A silenced alert is in no body: its group is over, and after the silence it comes again with its old start."""
    over = delivery(alert("B", end=NOW + 9))
    take(database, delivery(alert("A"), alert("B")))
    assert take(database, over, now=NOW + 9) == "resolved"
    assert take(database, delivery(alert("A")), now=NOW + MINUTE) == "reopened"
    assert (the_one(database).firing, the_one(database).total) == (1, 2)
    assert take(database, over, now=NOW + 2 * MINUTE) is None, "a late retry"
    take(database, delivery(alert("A", end=NOW + 9)), now=NOW + 3 * MINUTE)
    take(database, delivery(alert("A", start=NOW + MINUTE)), now=NOW + 4 * MINUTE)
    take(database, delivery(alert("B", start=NOW + MINUTE, end=NOW + 5 * MINUTE)), now=NOW + 5 * MINUTE)
    assert the_one(database).status == "resolved"
    late = NOW + 99 * MINUTE
    assert take(database, delivery(alert("A", start=NOW + MINUTE)), now=late) == "opened"
    newest, before = all_of(database)
    assert (newest.previous, newest.firing, newest.total, before.status) == (1, 1, 1, "resolved")


def test_an_alert_that_was_over_when_it_was_first_heard_of_makes_no_incident(database: Database) -> None:
    assert take(database, delivery(alert("A", end=NOW + 1))) is None
    assert all_of(database) == []
    assert take(database, delivery(alert("B"))) == "opened"
    assert (the_one(database).firing, the_one(database).total) == (1, 1), "and is no part of a later one"


def test_an_alert_that_ended_before_the_job_looked_makes_one(database: Database) -> None:
    database.write_now(lambda c: alerts.accept(c, delivery(alert("A")), now=NOW))
    assert take(database, delivery(alert("A", end=NOW + 1))) == "opened"
    assert the_one(database).status == "resolved"


# --- any order, any repetition ----------------------------------------------------------------------------------------

HISTORY = st.lists(st.tuples(st.sampled_from("ABC"), st.sampled_from(["fires", "ends"])), min_size=1, max_size=7)


def told(history: Sequence[tuple[str, str]]) -> list[Delivery]:
    """What an Alertmanager sends while alerts fire and end: every body holds what fires, and what has just ended."""
    bodies, since, now = [], {}, NOW
    for name, happens in history:
        now += MINUTE
        over = [alert(name, start=since.pop(name), end=now)] if happens == "ends" and name in since else []
        if happens == "fires":
            since.setdefault(name, now)
        bodies.append(delivery(*(alert(each, start=start) for each, start in since.items()), *over))
    return bodies


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path_factory.mktemp('scratch') / 'signoff.db'}")
    migrate(opened)
    yield opened
    opened.close()


def outcome(database: Database, bodies: Sequence[Delivery]) -> tuple[Any, ...]:
    database.write_now(lambda c: [c.execute(table.delete()) for table in metadata.sorted_tables])
    for body in bodies:
        take(database, body)
    columns = alert_rows.c.fingerprint, alert_rows.c.starts_at, alert_rows.c.status
    rows = database.read_now(lambda c: c.execute(select(*columns).order_by(*columns)).all())
    found = all_of(database)
    shown = [(each.status, each.firing, each.total, each.title, each.severity, each.labels) for each in found]
    return shown, [tuple(row) for row in rows]


@settings(max_examples=25)
@given(HISTORY, st.randoms())
def test_replays_of_any_past_deliveries_change_nothing(scratch, history, random) -> None:
    bodies = told(history)
    replayed = []
    for nth, body in enumerate(bodies):
        replayed += [body, *random.choices(bodies[: nth + 1], k=random.randrange(3))]
    assert outcome(scratch, replayed) == outcome(scratch, bodies)


@settings(max_examples=25)
@given(HISTORY, st.randoms())
def test_two_peers_in_any_interleaving_come_to_the_same_state(scratch, history, random) -> None:
    bodies = told(history)
    waiting = [list(bodies), list(bodies)]
    mixed = []
    while any(waiting):
        mixed.append(random.choice([peer for peer in waiting if peer]).pop(0))
    assert outcome(scratch, mixed) == outcome(scratch, bodies)


# --- evidence, triage, notes ------------------------------------------------------------------------------------------


def evidence(first: int, count: int) -> list[Evidence]:
    return [
        Evidence(f"E{n}", "events", "Events", "prod", "GET /", NOW, "text", {"n": n})
        for n in range(first, first + count)
    ]


@pytest.fixture
def opened(database: Database) -> str:
    take(database, delivery(alert("A")))
    return the_one(database).id


def test_evidence_goes_on_counting_and_the_newest_collection_is_shown(database: Database, opened: str) -> None:
    database.write_now(lambda c: incidents.add_evidence(c, opened, evidence(1, 3), generation=1))
    database.write_now(lambda c: incidents.add_evidence(c, opened, evidence(4, 2), generation=2))
    read = database.read_now(lambda c: incidents.evidence_of(c, opened))
    assert [item.id for item in read] == ["E4", "E5"]
    assert read == tuple(evidence(4, 2))
    assert [item.id for item in database.read_now(lambda c: incidents.evidence_of(c, opened, generation=1))] == [
        "E1",
        "E2",
        "E3",
    ]


def test_an_evidence_id_is_never_given_twice(database: Database, opened: str) -> None:
    database.write_now(lambda c: incidents.add_evidence(c, opened, evidence(1, 3), generation=1))
    with pytest.raises(ValueError, match="meanwhile"):
        database.write_now(lambda c: incidents.add_evidence(c, opened, evidence(1, 2), generation=2))
    assert database.read_now(lambda c: incidents.evidence_count(c, opened)) == 3


TRIAGE = Triage(
    severity="high",
    category="crash",
    summary="It crashes.",
    causes=(Cause("A bad image.", "high", ("E1",)),),
    unknowns=("Why?",),
    proposals=(Proposal("rollback-deployment", {"name": "checkout"}, ("E1",)),),
    analyst="rules",
    dropped={"citation": 2},
)


def test_a_triage_reads_back_as_it_was_and_can_be_cleared(database: Database, opened: str) -> None:
    database.write_now(lambda c: incidents.set_triage(c, opened, TRIAGE))
    assert database.read_now(lambda c: incidents.triage_of(c, opened)) == TRIAGE
    database.write_now(lambda c: incidents.set_triage(c, opened, None))
    assert database.read_now(lambda c: incidents.triage_of(c, opened)) is None


def test_it_is_investigated_while_work_is_wanted(database: Database, opened: str) -> None:
    assert not database.read_now(lambda c: incidents.investigating(c, opened))
    generation = database.write_now(lambda c: work.want(c, "investigation", opened))
    assert database.read_now(lambda c: incidents.investigating(c, opened))
    database.write_now(lambda c: work.done(c, "investigation", opened, generation))
    assert not database.read_now(lambda c: incidents.investigating(c, opened))


# --- rows that cannot be read -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spoiled", [{"subject": "no subject"}, {"labels": ["a"]}, {"status": "on fire"}, {"labels": {"a": 1}}]
)
def test_an_incident_that_cannot_be_read_is_left_out_and_the_next_alert_opens_another(
    database: Database, opened: str, spoiled: dict[str, Any]
) -> None:
    database.write_now(lambda c: c.execute(update(incident_rows).where(incident_rows.c.id == opened).values(**spoiled)))
    assert all_of(database) == []
    with pytest.raises(UnreadableRow, match=next(iter(spoiled))):
        database.read_now(lambda c: incidents.get(c, opened))
    assert take(database, delivery(alert("A"), alert("B"))) == "opened"
    assert the_one(database).name == "INC-2"
    assert [opened in sentence for sentence in database.read_now(reported)] == [True]


def test_an_alert_that_cannot_be_read_is_reported_and_the_others_join(database: Database, opened: str) -> None:
    def spoil(connection: Connection) -> None:
        alerts.accept(connection, delivery(alert("B"), alert("C")), now=NOW)
        connection.execute(update(alert_rows).where(alert_rows.c.fingerprint == "B").values(annotations="none"))
        let_join(connection, GROUP)

    database.write_now(spoil)
    assert (the_one(database).firing, the_one(database).total) == (2, 2)
    assert ["alerts row B" in sentence for sentence in database.read_now(reported)] == [True]

"""Whether actions are off, read from the audit, on both databases."""

from __future__ import annotations

from sqlalchemy import update

from bot.domain.approval import Person
from bot.domain.stop import Asker, Stop
from bot.store import audit, stops
from bot.store.database import Database
from bot.store.tables import audit as rows

LEE = Asker(Person("T0SHOP", "U0LEE"), "Lee", 1)
PRIYA = Asker(Person("T0SHOP", "U0PRIYA"), "Priya", 2)


def say(database: Database, kind: str, by: Asker, reason: str = "") -> int:
    data = {"name": by.name, "reason": reason}
    write = {"at": by.at, "kind": kind, "actor": str(by.person), "subject": stops.SUBJECT, "data": data}
    return database.write_now(lambda connection: audit.append(connection, **write)).seq


def test_a_stop_holds_until_it_is_lifted_and_remembers_the_first_of_two(database: Database) -> None:
    assert database.read_now(stops.current) is None
    number = say(database, stops.STOP, LEE, "why")
    assert database.read_now(stops.current) == Stop(number, LEE, "why")
    say(database, "actions.nothing", PRIYA)
    say(database, stops.ASK, PRIYA)
    assert database.read_now(stops.current) == Stop(number, LEE, "why", PRIYA)
    say(database, stops.LIFT, LEE)
    assert database.read_now(stops.current) is None
    number = say(database, stops.STOP, PRIYA)
    assert database.read_now(stops.current) == Stop(number, PRIYA, ""), (
        "what was asked before counts for the stop before"
    )


def test_a_last_word_that_is_not_signoffs_turns_actions_off_until_two_people_say_otherwise(database: Database) -> None:
    say(database, stops.STOP, LEE)
    number = say(database, "actions.nothing", LEE)
    forged = update(rows).where(rows.c.seq == number).values(kind=stops.LIFT, data="{")
    database.write_now(lambda connection: connection.execute(forged))
    stop = database.read_now(stops.current)
    assert stop is not None
    assert f"row {number} was changed" in stop.sentence
    say(database, stops.ASK, PRIYA)
    stop = database.read_now(stops.current)
    assert stop is not None
    assert stop.lift_asked == PRIYA
    say(database, stops.LIFT, LEE)
    assert database.read_now(stops.current) is None

"""Stops as rows, on both databases."""

from __future__ import annotations

from bot.domain.approval import Person
from bot.domain.stop import Asker, Stop
from bot.store import stops
from bot.store.database import Database

LEE = Asker(Person("T0SHOP", "U0LEE"), "Lee", 1)
PRIYA = Asker(Person("T0SHOP", "U0PRIYA"), "Priya", 2)


def test_a_stop_holds_until_it_is_lifted_and_remembers_the_first_of_two(database: Database) -> None:
    assert database.read_now(stops.current) is None
    stop = database.write_now(lambda connection: stops.begin(connection, LEE, "why"))
    assert database.read_now(stops.current) == stop == Stop(1, LEE, "why")
    database.write_now(lambda connection: stops.ask_lift(connection, 1, PRIYA))
    assert database.read_now(stops.current) == Stop(1, LEE, "why", PRIYA)
    database.write_now(lambda connection: stops.lift(connection, 1, LEE))
    assert database.read_now(stops.current) is None
    assert database.write_now(lambda connection: stops.begin(connection, PRIYA, "")).number == 2

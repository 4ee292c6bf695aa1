"""Asks as rows: stored once, dealt with once, and counted while they wait."""

from bot.domain.approval import Person
from bot.domain.ask import Ask
from bot.store import asks, work
from bot.store.database import Database
from bot.store.work import Due

LEE = Person("T0SHOP", "U0LEE")
ASKED = Ask("k1", "i1", "restart-deployment", {"deployment": "cart", "n": 3, "on": True}, LEE, "Lee", None, 1000)
FOR_DANA = Ask("k3", "i1", "restart-deployment", {}, LEE, "Lee", "a1", 1000, Person("T0SHOP", "U0DANA"))
ANEW = Ask("k2", "i1", "restart-deployment", {}, None, "", "a1", 1000)
OF_RULES = Ask("k4", "i1", "restart-deployment", {}, None, "", None, 1000, proposed_by="rules", evidence=("E1", "E2"))


def test_an_ask_is_stored_once_and_read_as_it_was(database: Database) -> None:
    assert database.write_now(lambda c: asks.receive(c, ASKED)) == 1
    assert database.write_now(lambda c: asks.receive(c, ASKED)) is None
    assert database.write_now(lambda c: asks.receive(c, ANEW)) == 1
    assert database.read_now(lambda c: asks.get(c, "k1")) == ASKED
    assert database.write_now(lambda c: asks.receive(c, FOR_DANA)) == 1
    assert database.read_now(lambda c: asks.get(c, "k2")) == ANEW
    assert database.read_now(lambda c: asks.get(c, "k3")) == FOR_DANA
    assert Due("ask", "k1", 1) in database.read_now(lambda c: work.due(c, now=1))


def test_what_is_to_be_planned_later_waits_until_then(database: Database) -> None:
    assert database.write_now(lambda c: asks.receive(c, OF_RULES, plan_at=60)) == 1
    assert database.read_now(lambda c: asks.get(c, "k4")) == OF_RULES
    assert database.read_now(lambda c: work.due(c, now=59)) == []
    assert database.read_now(lambda c: work.due(c, now=60)) == [Due("ask", "k4", 1)]


def test_it_is_dealt_with_once_and_then_waits_no_more(database: Database) -> None:
    database.write_now(lambda c: asks.receive(c, ASKED))
    assert database.read_now(lambda c: asks.waiting(c, LEE)) == 1
    for expected in (True, False):
        settled = database.write_now(lambda c: asks.settle(c, "k1", approval_id="a9", outcome="A-9 asks for it."))
        assert settled is expected
    assert database.read_now(lambda c: asks.get(c, "k1")).approval_id == "a9"
    assert database.read_now(lambda c: asks.waiting(c, LEE)) == 0

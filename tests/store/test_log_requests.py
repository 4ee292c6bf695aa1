"""Requests for logs as rows: one a wish, answered once, and what was read is forgotten in time."""

from dataclasses import replace

import pytest

from bot.domain.approval import Person
from bot.domain.log_request import LogRequest
from bot.domain.log_summary import Cited, LogFinding, LogSummary
from bot.store import log_requests, work
from bot.store.database import Database
from bot.store.unreadable import UnreadableRow
from bot.store.work import Due

LEE = Person("T0SHOP", "U0LEE")
ASKED = LogRequest("r1", LEE, "lee", "C0INCIDENTS", None, "prod", "shop", "", "cart", 3600, ("a", "b"), 1000)
SUMMARY = LogSummary((LogFinding("It fails.", (Cited(12, "refused"),)),), ("why",), "rules", "no model", {"x": 1})


def test_a_request_is_stored_once_and_read_as_it_was(database: Database) -> None:
    assert database.write_now(lambda c: log_requests.receive(c, ASKED)) == 1
    assert database.write_now(lambda c: log_requests.receive(c, ASKED)) is None
    assert database.read_now(lambda c: log_requests.get(c, "r1")) == ASKED
    assert database.read_now(lambda c: log_requests.find(c, "r2")) is None
    assert database.read_now(lambda c: log_requests.under_way(c, str(LEE))) == 1
    assert database.read_now(lambda c: work.due(c, now=1)) == [Due("logs", "r1", 1)]


def test_a_refused_request_is_a_row_without_work(database: Database) -> None:
    refused = replace(ASKED, state="refused", outcome="not listed")
    assert database.write_now(lambda c: log_requests.receive(c, refused)) is None
    assert database.read_now(lambda c: log_requests.under_way(c, str(LEE))) == 0


def test_only_one_call_changes_a_state(database: Database) -> None:
    database.write_now(lambda c: log_requests.receive(c, ASKED))
    for expected in (True, False):
        moved = database.write_now(lambda c: log_requests.move(c, "r1", before="received", after="reading"))
        assert moved is expected


def test_what_was_read_and_said_is_kept_and_forgotten_in_time(database: Database) -> None:
    database.write_now(lambda c: log_requests.receive(c, ASKED))
    assert database.read_now(lambda c: log_requests.reading_of(c, "r1")) is None
    database.write_now(lambda c: log_requests.set_reading(c, "r1", {"lines": 7}))
    database.write_now(lambda c: log_requests.set_summary(c, "r1", SUMMARY))
    assert database.read_now(lambda c: log_requests.reading_of(c, "r1")) == {"lines": 7}
    assert database.read_now(lambda c: log_requests.summary_of(c, "r1")) == SUMMARY
    assert database.write_now(lambda c: log_requests.forget(c, before=1000)) == 0
    assert database.write_now(lambda c: log_requests.forget(c, before=1001)) == 1
    assert database.write_now(lambda c: log_requests.forget(c, before=1001)) == 0
    assert database.read_now(lambda c: log_requests.summary_of(c, "r1")) is None


def test_a_garbled_row_is_named(database: Database) -> None:
    database.write_now(lambda c: log_requests.receive(c, ASKED))
    database.write_now(lambda c: c.exec_driver_sql("UPDATE log_requests SET words = '7'"))
    with pytest.raises(UnreadableRow, match="log_requests row r1"):
        database.read_now(lambda c: log_requests.get(c, "r1"))

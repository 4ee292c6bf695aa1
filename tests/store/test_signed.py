"""Signed rows: without our key no row can be made, and none that is ours can be changed in any column that counts."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from bot.domain.keys import Keys
from bot.store import approvals, asks, work
from bot.store.database import Database
from bot.store.tables import approvals as approval_rows
from bot.store.tables import asks as ask_rows
from bot.store.tables import votes
from bot.store.unreadable import UnreadableRow
from tests.store.test_approvals import NOW, ask, receive, vote
from tests.store.test_asks import ASKED

OLD = "old:" + "o" * 32
NEW = "new:" + "n" * 32


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url, keys=Keys.read(OLD))
    ask(opened)
    receive(opened, vote())
    opened.write_now(lambda c: asks.receive(c, ASKED))
    yield opened
    opened.close()


def read(database: Database) -> None:
    database.read_now(lambda c: approvals.request(c, "a1"))
    database.read_now(lambda c: approvals.click(c, "v1"))
    database.read_now(lambda c: asks.get(c, "k1"))


def test_what_we_wrote_and_changed_is_read(database: Database) -> None:
    read(database)
    assert database.write_now(lambda c: approvals.judge_vote(c, "v1", state="counted", verdict="yes"))
    change = {"before": "pending", "after": "approved", "outcome": "é", "now": NOW + 1}
    assert database.write_now(lambda c: approvals.move(c, "a1", **change))
    read(database)
    assert database.write_now(lambda c: asks.settle(c, "k1", approval_id="a1", outcome="A-1 asks for it."))
    read(database)
    assert [click.vote.id for click in database.read_now(lambda c: approvals.votes_of(c, "a1"))] == ["v1"]
    assert not database.write_now(lambda c: approvals.move(c, "a1", **change)), "only once"


ROWS = {approval_rows: "a1", votes: "v1", ask_rows: "k1"}
COLUMNS = [
    (table, column.name)
    for table in ROWS
    for column in table.c
    if column.name not in ("id", "wanted", "done", "attempts", "not_before")
]


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=lambda value: str(getattr(value, "name", value)))
def test_no_column_can_be_changed_behind_our_back(database: Database, table: Any, column: str) -> None:
    kind = bytes if column == "record" else table.c[column].type.python_type
    value = {int: 12345, str: "U0EVE", bytes: b"{}", object: {"deployment": "payments"}}[kind]
    database.write_now(lambda c: c.execute(update(table).values(**{column: value})))
    with pytest.raises(UnreadableRow) as raised:
        read(database)
    assert (raised.value.table, raised.value.row_id) == (table.name, ROWS[table])


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("spoiled", ["CAST(x'ff' AS TEXT)", "'text'", "9e999"])
@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=lambda value: str(getattr(value, "name", value)))
def test_what_no_column_can_hold_spoils_its_own_row_alone(
    database: Database, table: Any, column: str, spoiled: str
) -> None:
    ask(database, "a2")
    database.write_now(
        lambda c: c.exec_driver_sql(f"UPDATE {table.name} SET {column} = {spoiled} WHERE id = '{ROWS[table]}'")
    )
    with pytest.raises(UnreadableRow) as raised:
        read(database)
    assert (raised.value.table, raised.value.row_id) == (table.name, ROWS[table])
    assert "a2" in [each.id for each in database.read_now(approvals.pending)]


def test_the_counters_of_a_row_s_job_are_not_signed(database: Database) -> None:
    database.write_now(lambda c: work.done(c, "vote", "v1", 1))
    read(database)


def test_what_was_changed_behind_our_back_is_not_signed_by_our_next_change(database: Database) -> None:
    database.write_now(lambda c: c.execute(update(votes).values(person="T0SHOP:U0EVE")))
    with pytest.raises(UnreadableRow, match="its signature does not match"):
        database.write_now(lambda c: approvals.judge_vote(c, "v1", state="counted", verdict=""))
    with pytest.raises(UnreadableRow):
        database.read_now(lambda c: approvals.click(c, "v1"))


def test_a_vote_that_somebody_puts_into_the_table_spoils_the_request_and_counts_for_nothing(database: Database) -> None:
    row = dict(database.read_now(lambda c: c.execute(select(votes)).one())._mapping)
    for signature, why in ((row["signature"], "does not match"), ("", "not signed"), ("x:1", "'x', which SIGNOFF")):
        forged = row | {"id": f"v{len(why)}", "state": "counted", "signature": signature}
        database.write_now(lambda c, forged=forged: c.execute(insert(votes).values(**forged)))
        with pytest.raises(UnreadableRow, match=why):
            database.read_now(lambda c: approvals.votes_of(c, "a1"))
        database.write_now(lambda c, forged=forged: c.execute(votes.delete().where(votes.c.id == forged["id"])))


def test_a_signature_of_another_installation_s_key_of_the_same_name_is_none(database: Database) -> None:
    other = Database(database.url.render_as_string(hide_password=False), keys=Keys.read("old:" + "x" * 32))
    with pytest.raises(UnreadableRow, match="does not match"):
        read(other)
    other.close()


def test_a_key_is_replaced_without_losing_what_it_signed(database: Database) -> None:
    url = database.url.render_as_string(hide_password=False)
    both, new = Database(url, keys=Keys.read(f"{NEW},{OLD}")), Database(url, keys=Keys.read(NEW))
    read(both)
    with pytest.raises(UnreadableRow, match="signed with the key 'old', which SIGNOFF_SECRET_KEY does not hold"):
        read(new)
    both.write_now(lambda c: approvals.judge_vote(c, "v1", state="counted", verdict=""))
    new.read_now(lambda c: approvals.click(c, "v1"))
    both.close()
    new.close()


def test_a_request_that_cannot_be_relied_on_is_closed_and_stays_so(database: Database) -> None:
    database.write_now(lambda c: c.execute(update(approval_rows).values(runbook="delete-everything")))
    assert database.write_now(lambda c: approvals.close_unreadable(c, "a1", outcome="over", now=NOW))
    with pytest.raises(UnreadableRow):
        database.read_now(lambda c: approvals.get(c, "a1"))
    assert database.read_now(approvals.pending) == []

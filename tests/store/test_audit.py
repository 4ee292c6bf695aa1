"""The audit: what was written stays, and every change to it is found and located."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Connection, delete, insert, select, update

from bot.domain.audit import GENESIS
from bot.store import audit as chain
from bot.store.audit import Verdict
from bot.store.database import Database
from bot.store.tables import audit


def append(database: Database, nth: int, **data: Any) -> None:
    def write(connection: Connection) -> None:
        chain.append(connection, at=1_000 + nth, kind="tried", actor="signoff", subject=f"A-{nth}", data=data)

    database.write_now(write)


# What PostgreSQL refuses to store.
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def five(database: Database) -> None:
    for number in range(1, 6):
        append(database, number, number=number, text="naïve “quotes” \\u0000 \n")


def verify(database: Database) -> Verdict:
    return database.read_now(chain.verify)


def change(seq: int, **values: Any) -> Callable[[Connection], object]:
    return lambda connection: connection.execute(update(audit).where(audit.c.seq == seq).values(**values))


def test_an_untouched_chain_holds(database: Database) -> None:
    assert verify(database) == Verdict(rows=0, head=GENESIS)
    five(database)
    verdict = verify(database)
    assert (verdict.rows, verdict.first_bad, verdict.problem) == (5, None, "")
    assert verdict.head == database.read_now(
        lambda c: c.execute(select(audit.c.hash).where(audit.c.seq == 5)).scalar_one()
    )


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("at", 999),
        ("kind", "denied"),
        ("actor", "T1:U1"),
        ("subject", "A-9"),
        ("data", '{"number":9}'),
        ("hash", "f" * 64),
    ],
)
def test_a_changed_column_is_found_in_its_row(database: Database, column: str, value: object) -> None:
    five(database)
    database.write_now(change(3, **{column: value}))
    verdict = verify(database)
    assert (verdict.first_bad, verdict.rows) == (3, 2)
    assert "changed" in verdict.problem


def test_another_row_before_is_found(database: Database) -> None:
    five(database)
    database.write_now(change(4, previous="0" * 64))
    assert (verify(database).first_bad, verify(database).fault) == (4, "edited")


@pytest.mark.parametrize(
    "data", ["{", "", "[" * 100_000, '{"a": 1e400}', '"\ud83d"'.encode("utf-16", "surrogatepass").hex()]
)
def test_data_that_is_no_json_is_named_and_nothing_raises(database: Database, data: str) -> None:
    five(database)
    database.write_now(change(2, data=data))
    assert verify(database).first_bad == 2


UNREADABLE = "UPDATE audit SET {0} = CAST({0} || x'ff' AS TEXT) WHERE seq = 2"


@on_sqlite
@pytest.mark.parametrize("column", ["at", "kind", "actor", "subject", "data", "previous", "hash"])
def test_a_cell_that_is_no_utf_8_is_named_and_nothing_raises(database: Database, column: str) -> None:
    five(database)
    database.write_now(lambda connection: connection.exec_driver_sql(UNREADABLE.format(column)))
    verdict = verify(database)
    assert (verdict.first_bad, verdict.fault, verdict.rows) == (2, "edited", 1)
    append(database, 6)
    told, wrong = database.read_now(lambda connection: chain.unbroken(connection, "A-1"))
    assert (told, "row 2 was changed" in wrong) == ([], True)
    assert database.read_now(lambda connection: chain.unbroken(connection, "A-3"))[1] == ""


@on_sqlite
def test_a_byte_that_reads_as_the_character_that_stood_there_is_an_edit_all_the_same(database: Database) -> None:
    append(database, 1, text="\ufffd")
    wrong = "UPDATE audit SET data = CAST(replace(CAST(data AS BLOB), x'efbfbd', x'ff') AS TEXT)"
    database.write_now(lambda connection: connection.exec_driver_sql(wrong))
    assert verify(database).fault == "edited"


@on_sqlite
def test_what_comes_after_many_rows_and_one_that_is_no_utf_8_is_read_as_well(database: Database) -> None:
    many = 2 * chain.AT_ONCE + 1

    def write(connection: Connection) -> None:
        for nth in range(many):
            chain.append(connection, at=nth, kind="tried", actor="signoff", subject="A-1", data={})

    database.write_now(write)
    assert verify(database).rows == many
    database.write_now(lambda connection: connection.exec_driver_sql(UNREADABLE.format("actor")))
    read = database.read_now(lambda connection: [row.seq for row in chain.export(connection)])
    assert read == list(range(1, many + 1))


@on_sqlite
@pytest.mark.parametrize("value", ["'many'", "CAST(x'ff' AS TEXT)", "9e999", f"{2**63 - 1}"])
def test_a_counter_that_counts_no_rows_is_an_end_that_is_not_there(database: Database, value: str) -> None:
    five(database)
    database.write_now(lambda c: c.exec_driver_sql(f"UPDATE counters SET value = {value} WHERE name = 'audit'"))
    assert (verify(database).first_bad, verify(database).fault) == (6, "truncated")
    database.write_now(change(3, actor="T1:U9"))
    assert (verify(database).first_bad, verify(database).fault) == (3, "edited")


@pytest.mark.parametrize("gone", [1, 3, 5])
def test_a_removed_row_is_missed_even_at_the_end(database: Database, gone: int) -> None:
    five(database)
    database.write_now(lambda connection: connection.execute(delete(audit).where(audit.c.seq == gone)))
    verdict = verify(database)
    assert (verdict.first_bad, verdict.rows) == (gone, gone - 1)
    assert f"row {gone} is missing" in verdict.problem


def test_a_row_removed_at_the_end_is_missed_when_the_audit_goes_on(database: Database) -> None:
    five(database)
    database.write_now(lambda connection: connection.execute(delete(audit).where(audit.c.seq == 5)))
    append(database, 6)
    assert verify(database).first_bad == 5


def test_everything_removed_is_missed(database: Database) -> None:
    five(database)
    database.write_now(lambda connection: connection.execute(delete(audit)))
    assert verify(database).first_bad == 1


def test_two_rows_that_changed_places_are_found(database: Database) -> None:
    five(database)

    def swap(connection: Connection) -> None:
        for before, after in ((2, 102), (3, 2), (102, 3)):
            connection.execute(update(audit).where(audit.c.seq == before).values(seq=after))

    database.write_now(swap)
    assert verify(database).first_bad == 2


def test_a_row_put_in_front_is_found(database: Database) -> None:
    five(database)
    row = {"at": 1, "kind": "x", "actor": "x", "subject": "x", "data": "{}", "previous": GENESIS, "hash": "0" * 64}
    database.write_now(lambda connection: connection.execute(insert(audit).values(seq=0, **row)))
    assert verify(database).first_bad == 0


def test_a_transaction_that_fails_leaves_no_row_and_no_gap(database: Database) -> None:
    five(database)

    def write(connection: Connection) -> None:
        chain.append(connection, at=1, kind="never", actor="signoff", subject="A-1", data={})
        raise RuntimeError("the effect failed")

    with pytest.raises(RuntimeError):
        database.write_now(write)
    append(database, 6)
    assert verify(database) == Verdict(rows=6, head=verify(database).head)


@pytest.mark.parametrize("data", [{"a": float("nan")}, {"a": 2**60}, {"a": "\ud800"}, {"a": object()}])
def test_what_is_no_plain_json_is_refused(database: Database, data: Any) -> None:
    with pytest.raises(ValueError, match=r"JSON|surrogate"):
        append(database, 1, **data)
    assert verify(database).rows == 0


def test_many_writers_make_one_chain(database: Database) -> None:
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda number: append(database, number, text="x" * 200), range(120)))
    assert verify(database) == Verdict(rows=120, head=verify(database).head)


async def test_it_is_verified_beside_a_live_writer(database: Database) -> None:
    async def write() -> None:
        for number in range(150):
            await database.write(
                lambda c, n=number: chain.append(c, at=n, kind="k", actor="a", subject="s", data={"n": n})
            )

    writing = asyncio.create_task(write())
    seen = []
    while not writing.done():
        verdict = await database.read(chain.verify)
        assert verdict.first_bad is None, verdict.problem
        seen.append(verdict.rows)
    await writing
    assert seen == sorted(seen)
    assert seen[-1] > seen[0]
    assert verify(database).rows == 150


def test_the_transaction_that_reads_the_chain_may_write_after(database: Database) -> None:
    five(database)

    def read_and_write(connection: Connection) -> None:
        assert chain.unbroken(connection, "A-3")[1] == ""
        chain.append(connection, at=2_000, kind="tried", actor="signoff", subject="A-6", data={})

    database.write_now(read_and_write)
    assert verify(database).rows == 6

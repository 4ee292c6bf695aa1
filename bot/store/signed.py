"""Signed rows: who can write to the database but has no key can neither make one nor change one.

A signature covers every column but the counters of its job. A row is read, checked and changed in one transaction, so
that nobody's edit is signed by our next change. A database that was opened without keys signs and checks nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Row, Table, select, update

from bot.domain.canonical import canonical
from bot.domain.keys import Keys
from bot.store.unreadable import UnreadableRow

OPTION = "signoff_keys"
_UNSIGNED = frozenset({"signature", "wanted", "done", "attempts", "not_before"})


def keys_of(connection: Connection) -> Keys | None:
    """Return the keys of the database that this connection is to."""
    keys: Keys | None = connection.get_execution_options().get(OPTION)
    return keys


def sealed(connection: Connection, table: Table, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a new row's values with its signature. What is not given is null or has its column's default."""
    row = {column.name: _default(column) for column in table.c if column.name not in _UNSIGNED} | dict(values)
    return row | {"signature": _signature(keys_of(connection), table, row)}


def check(connection: Connection, table: Table, row: Row[Any]) -> None:
    """Raise ``UnreadableRow`` if a row is not as Signoff wrote it."""
    keys = keys_of(connection)
    if keys is None:
        return
    values = dict(row._mapping)
    try:
        why = keys.fault(table.name, _encoded(table, values), values["signature"])
    except (TypeError, ValueError):
        why = "its signature does not match"
    if why:
        raise UnreadableRow(table.name, str(values["id"]), why)


def change(
    connection: Connection, table: Table, row_id: str, *, before: Mapping[str, Any], values: Mapping[str, Any]
) -> bool:
    """Change a row by compare-and-set: only if its columns are as ``before`` says. Returns whether this call did it.

    Raises ``UnreadableRow`` if the row is not as Signoff wrote it.
    """
    row = connection.execute(select(table).where(table.c.id == row_id).with_for_update()).first()
    if row is None or any(row._mapping[name] != value for name, value in before.items()):
        return False
    check(connection, table, row)
    new = dict(row._mapping) | dict(values)
    statement = update(table).where(table.c.id == row_id, *(table.c[name] == value for name, value in before.items()))
    signature = _signature(keys_of(connection), table, new)
    return connection.execute(statement.values(**values, signature=signature)).rowcount == 1


def _signature(keys: Keys | None, table: Table, row: Mapping[str, Any]) -> str:
    return keys.sign(table.name, _encoded(table, row)) if keys else ""


def _encoded(table: Table, row: Mapping[str, Any]) -> bytes:
    """One form for one row: each column by name, type, length and content. Raises ``TypeError`` for another type,
    ``ValueError`` for an object that JSON cannot carry exactly."""
    return b"".join(
        b"%b=%b%d:%b;" % (name.encode(), kind, len(data), data)
        for name in sorted(column.name for column in table.c if column.name not in _UNSIGNED)
        for kind, data in _typed(row[name])
    )


def _typed(value: Any) -> Iterator[tuple[bytes, bytes]]:
    match value:
        case None:
            yield b"n", b""
        case bool():
            raise TypeError("a signed table has no booleans")
        case int():
            yield b"i", str(value).encode()
        case str():
            yield b"s", value.encode()
        case bytes() | memoryview():
            yield b"b", bytes(value)
        case dict() | list():
            yield b"j", canonical(value)
        case _:
            raise TypeError(f"a signed table has no {type(value).__name__}")


def _default(column: Any) -> Any:
    return column.default.arg if column.default is not None and column.default.is_scalar else None

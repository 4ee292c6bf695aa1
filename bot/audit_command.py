"""``signoff audit``: check the chain of everything that was decided and done, tell one story of it, write it out."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bot.configured import configuration, fail

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bot.domain.chain import Row, Verdict
    from bot.domain.keys import Keys
    from bot.settings import Configuration

T = TypeVar("T")
_WORD = re.compile(r"[A-Za-z0-9_.:/@#+-]+")
_WORDS = re.compile(rf"{_WORD.pattern}( {_WORD.pattern})*")
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def audit() -> None:
    """Check, read and export the audit. Works beside a running serve."""


@audit.command()
@click.argument("export", type=_FILE, required=False)
@click.option("--strict", is_flag=True, help="Also parse every row and serialise it anew.")
@click.option("--anchors", type=_FILE, help="A file of anchors; else audit.anchor_file of the configuration.")
@click.option("--head", "heads", multiple=True, metavar="ROW:HASH", help="A head that was noted, e.g. in Slack.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def verify(export: Path | None, strict: bool, anchors: Path | None, heads: tuple[str, ...], as_json: bool) -> None:
    """Name the first row of the audit that is not as it was written, and what was done to it.

    Of the database, or of EXPORT, a file that `signoff audit export` wrote. Signatures are checked if
    SIGNOFF_SECRET_KEY is set.
    """
    from bot.store import audit as chain

    found = configuration(serving=False)
    keys, known = _keys(found), _anchors(found, anchors, heads)
    if export is None:
        verdict = _read(found, lambda c: chain.verify(c, keys=keys, anchors=known, strict=strict))
    else:
        verdict = _of_file(export, keys, known, strict=strict)
    if as_json:
        click.echo(json.dumps(_facts(verdict)))
    elif verdict.first_bad is None:
        signed = "signatures checked" if verdict.signed else "signatures not checked: SIGNOFF_SECRET_KEY is not set"
        met = f", {verdict.anchored} anchors met" if known else ", no anchor to compare with"
        click.echo(f"audit: {verdict.rows} rows, all in place ({signed}{met}). Head {verdict.rows}:{verdict.head}")
    else:
        where = f"{verdict.fault} at row {verdict.first_bad}"
        click.echo(f"audit: {where}: {verdict.problem}. {verdict.rows} rows before it hold.")
    sys.exit(0 if verdict.first_bad is None else 1)


@audit.command()
@click.argument("name")
def show(name: str) -> None:
    """Tell from the audit alone what became of NAME: an approval (A-77), an incident (INC-142) or a run's id.

    The whole audit is verified first. If it does not hold, that comes before all else, and the status is 1.
    """
    from bot.store import audit as chain

    found = configuration(serving=False)
    keys, known = _keys(found), _anchors(found, None, ())

    def read(connection: Connection) -> tuple[list[str], list[Row]]:
        subject = chain.subject_of_run(connection, name) or name
        rows = chain.rows_of(connection, [subject])
        of_its_runs = sorted({f"run {run}" for row in rows if (run := _data(row).get("run"))})
        rows = chain.rows_of(connection, [subject, *of_its_runs])
        verdicts = [chain.verify(connection, keys=keys, anchors=known), *(chain.alone(row, keys=keys) for row in rows)]
        return [f"{each.fault} at row {each.first_bad}: {each.problem}" for each in verdicts if each.fault], rows

    faults, rows = _read(found, read)
    for fault in dict.fromkeys(faults):
        click.echo(f"audit: what follows cannot be trusted: {fault}")
    if not rows:
        fail(f"the audit does not know {name}: give A-NUMBER, INC-NUMBER or a run's id")
    for row in rows:
        click.echo(_line(row))
    sys.exit(1 if faults else 0)


@audit.command()
def export() -> None:
    """Write the whole audit to standard output, one line of JSON a row."""
    from bot.store import audit as chain

    def write(connection: Connection) -> None:
        for row in chain.export(connection):
            sys.stdout.write(_as_json(row) + "\n")

    _read(configuration(serving=False), write)


def _as_json(row: Row) -> str:
    """One row as JSON whose ``data`` stands as it is stored, so that it can be hashed again."""
    facts = {name: value for name, value in row._asdict().items() if name != "data"}
    # What a byte that was no UTF-8 is read as can be written only as JSON escapes it; bytes, only as they are shown.
    plain = json.dumps(facts, ensure_ascii=False, default=repr).encode(errors="backslashreplace").decode()
    try:
        json.loads(row.data.encode(), object_pairs_hook=_once)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return f"{plain[:-1]}, {json.dumps('unreadable')}: {json.dumps(str(row.data))}}}"
    return f'{plain[:-1]}, "data": {row.data}}}'


def _of_file(path: Path, keys: Keys | None, anchors: Mapping[int, str], *, strict: bool) -> Verdict:
    from bot.domain import chain

    seen: dict[str, int] = {}

    def rows() -> Iterator[Row]:
        for row in _exported(path):
            yield row
            seen[row.hash] = row.seq

    try:
        return chain.check(rows(), keys=keys, anchors=anchors, strict=strict, where=seen.get)
    except OSError as error:
        fail(f"{path} cannot be read: {error.strerror}")


def _exported(path: Path) -> Iterator[Row]:
    from bot.domain.canonical import canonical
    from bot.domain.chain import Row

    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            try:
                found: dict[str, Any] = json.loads(line, object_pairs_hook=_once)
                # Of two that say what was done, readers would see one and the hash be of the other.
                if ("data" in found) == ("unreadable" in found):
                    raise ValueError("a row has its data or, if they cannot be read, their text")
                data = found.pop("unreadable", None)
                found["data"] = canonical(found["data"]).decode() if data is None else data
                yield Row(**found)
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
                fail(f"{path}:{number}: is no row of an exported audit")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is given twice")
    return found


def _facts(verdict: Verdict) -> dict[str, Any]:
    return {
        "ok": verdict.first_bad is None,
        "rows": verdict.rows,
        "head": verdict.head,
        "first_bad": verdict.first_bad,
        "fault": verdict.fault or None,
        "problem": verdict.problem,
        "signatures_checked": verdict.signed,
        "anchors_met": verdict.anchored,
    }


def _data(row: Row) -> dict[str, Any]:
    """Return what a row says, or its text where somebody made that no object."""
    try:
        found = json.loads(row.data)
    except (ValueError, TypeError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {"unreadable": str(row.data)}


def _line(row: Row) -> str:
    """One row as one line: words that stand as they are cannot be taken for its end, or for another fact."""
    facts = ", ".join(
        f"{_shown(name, _WORD)} {_shown(value, _WORD)}"
        for name, value in _data(row).items()
        if value not in (None, "", [], {})
    )
    told = (_time(row.at), row.kind, row.actor, row.subject)
    return f"{row.seq}  {'  '.join(_shown(each, _WORDS) for each in told)}" + (f"  {facts}" if facts else "")


def _time(at: Any) -> Any:
    from datetime import UTC, datetime

    try:
        return datetime.fromtimestamp(at / 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (TypeError, ValueError, OverflowError, OSError):
        return at


def _shown(value: Any, plain: re.Pattern[str]) -> str:
    if isinstance(value, str) and plain.fullmatch(value):
        return value
    return json.dumps(value, ensure_ascii=not (isinstance(value, str) and value.isprintable()), default=repr)


def _anchors(given: Configuration, path: Path | None, heads: tuple[str, ...]) -> dict[int, str]:
    from bot.store import anchors

    found: dict[int, str] = {}
    file = path or given.structure.audit.anchor_file
    try:
        if file is not None and (path is not None or file.exists()):
            found, torn = anchors.read(file)
            for line in torn:
                click.echo(f"{file}:{line}: was cut off in writing and is no anchor", err=True)
    except anchors.AnchorError as error:
        fail(str(error))
    for head in heads:
        number, _, value = head.partition(":")
        if not re.fullmatch(r"[1-9][0-9]{0,17}:[0-9a-f]{64}", head.lower()):
            fail(f"--head {head}: expected ROW:HASH, a number and 64 hexadecimal digits")
        found[int(number)] = value.lower()
    return found


def _keys(given: Configuration) -> Keys | None:
    try:
        return given.settings.keys()
    except ValueError as error:
        fail(f"SIGNOFF_SECRET_KEY: {error}")


def _read(given: Configuration, work: Callable[[Connection], T]) -> T:
    """Run ``work`` on the configured database, which nothing is written to."""
    import sqlite3

    from sqlalchemy.exc import SQLAlchemyError

    from bot.store import schema
    from bot.store.database import Database, DatabaseError, said_by

    try:
        database = Database(given.settings.database_url.get_secret_value(), read_only=True)
        try:
            schema.require(database)
            return database.read_now(work)
        finally:
            database.close()
    except DatabaseError as error:
        fail(str(error))
    except (SQLAlchemyError, sqlite3.Error) as error:
        fail(f"the database cannot be read: {said_by(error)}")

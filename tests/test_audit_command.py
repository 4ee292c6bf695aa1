"""`signoff audit`: what it finds, tells and writes out, from the database, beside a live one, and from an export."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.domain.keys import Keys
from bot.store import audit
from bot.store.anchors import Anchors
from bot.store.database import Database
from tests.test_cli import process, signoff

KEY = "k1:" + "a" * 32


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url, keys=Keys.read(KEY))
    yield opened
    opened.close()


def append(database: Database, times: int) -> None:
    for nth in range(times):
        database.write_now(
            lambda c, n=nth: audit.append(
                c, at=n, kind="tried", actor="signoff", subject="A-1", data={"n": n, "run": "r7"}
            )
        )


@pytest.fixture
def written(database: Database, database_url: str) -> str:
    append(database, 5)
    return database_url


def test_an_audit_that_holds(written: str) -> None:
    result = signoff("audit", "verify", SIGNOFF_DATABASE_URL=written)
    assert result.exit_code == 0
    assert result.output.startswith("audit: 5 rows, all in place (signatures not checked")
    told = json.loads(signoff("audit", "verify", "--json", SIGNOFF_DATABASE_URL=written).output)
    assert (told["ok"], told["rows"], told["first_bad"], len(told["head"])) == (True, 5, None, 64)


def test_an_audit_that_was_changed(database: Database, written: str) -> None:
    database.write_now(lambda c: c.exec_driver_sql("UPDATE audit SET actor = 'nobody' WHERE seq = 3"))
    result = signoff("audit", "verify", SIGNOFF_DATABASE_URL=written)
    assert result.exit_code == 1
    assert "audit: edited at row 3: row 3 was changed" in result.output
    told = json.loads(signoff("audit", "verify", "--json", SIGNOFF_DATABASE_URL=written).output)
    assert (told["ok"], told["rows"], told["first_bad"]) == (False, 2, 3)


def test_it_is_verified_by_another_process_while_one_writes(database: Database, written: str, tmp_path: Path) -> None:
    stop, appended = threading.Event(), threading.Event()

    def write() -> None:
        while not stop.is_set():
            append(database, 1)
            appended.set()

    def verified() -> dict[str, Any]:
        # Two processes share few processors: the writer may not have had a turn since the last one.
        appended.clear()
        assert appended.wait(60)
        told: dict[str, Any] = json.loads(
            process("audit", "verify", "--json", cwd=tmp_path, SIGNOFF_DATABASE_URL=written).stdout
        )
        return told

    writer = threading.Thread(target=write)
    writer.start()
    try:
        first, second = verified(), verified()
    finally:
        stop.set()
        writer.join()
    assert (first["ok"], second["ok"]) == (True, True), (first, second)
    assert second["rows"] > first["rows"] >= 5


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite:///{0}/none.db", "there is no database at"),
        ("sqlite:///{0}/empty.db", "the database is empty"),
        ("sqlite:///{0}/garbage.db", "the database cannot be read: file is not a database"),
        ("postgresql://signoff:hidden@127.0.0.1:1/signoff", "the database cannot be read: connection"),
        ("mysql://x/y", "the configuration cannot be used:\n  SIGNOFF_DATABASE_URL: the database 'mysql' is not"),
    ],
)
def test_an_audit_that_cannot_be_read_is_said_plainly(tmp_path: Path, url: str, said: str) -> None:
    (tmp_path / "empty.db").touch()
    (tmp_path / "garbage.db").write_bytes(b"no database at all " * 500)
    result = signoff("audit", "verify", SIGNOFF_DATABASE_URL=url.format(tmp_path))
    assert result.exit_code == 2
    assert result.output.startswith(f"signoff: {said}")
    assert "hidden" not in result.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty.db", "garbage.db"], "nothing is made"


# --- signatures, anchors, exports -------------------------------------------------------------------------------------


def verified(*words: str, **given: str) -> dict[str, Any]:
    result = signoff("audit", "verify", "--json", *words, **given)
    told: dict[str, Any] = json.loads(result.output)
    assert result.exit_code == (0 if told["ok"] else 1)
    return told


def test_signatures_are_checked_with_the_key_and_a_forged_row_is_named(database: Database, written: str) -> None:
    given = {"SIGNOFF_DATABASE_URL": written}
    assert verified(**given)["signatures_checked"] is False
    assert verified(**given, SIGNOFF_SECRET_KEY=KEY)["signatures_checked"] is True
    forger = Database(written, keys=Keys.read("k1:" + "b" * 32))
    append(forger, 1)
    forger.close()
    assert verified(**given)["ok"] is True
    told = verified(**given, SIGNOFF_SECRET_KEY=KEY)
    assert (told["fault"], told["first_bad"], told["rows"]) == ("forged", 6, 5)
    wrong = verified(**given, SIGNOFF_SECRET_KEY="k2:" + "a" * 32)
    assert (wrong["fault"], wrong["first_bad"]) == ("forged", 1)
    assert "'k1', which SIGNOFF_SECRET_KEY does not hold" in wrong["problem"]


def test_a_key_that_cannot_be_read_is_said_without_the_key(written: str) -> None:
    result = signoff("audit", "verify", SIGNOFF_DATABASE_URL=written, SIGNOFF_SECRET_KEY="hidden")
    assert (result.exit_code, "SIGNOFF_SECRET_KEY" in result.output) == (2, True)
    assert "hidden" not in result.output


def cut(database: Database, after: int) -> None:
    """Cut off the end and set the counter back, as somebody does who knows the tables."""

    def write(connection: Any) -> None:
        connection.exec_driver_sql(f"DELETE FROM audit WHERE seq > {after}")
        connection.exec_driver_sql(f"UPDATE counters SET value = {after} WHERE name = 'audit'")

    database.write_now(write)


def test_an_anchor_shows_what_the_database_alone_cannot(database: Database, written: str, tmp_path: Path) -> None:
    given = {"SIGNOFF_DATABASE_URL": written, "SIGNOFF_SECRET_KEY": KEY}
    file = tmp_path / "anchors.jsonl"
    newest = database.read_now(audit.head)
    assert newest is not None
    Anchors(file).write(newest, now=9)
    noted = f"{newest.seq}:{newest.hash}"
    config = tmp_path / "signoff.yaml"
    config.write_text(json.dumps({"audit": {"anchor_file": str(file)}}))
    roads = [(["--anchors", str(file)], {}), (["--head", noted], {}), ([], {"SIGNOFF_CONFIG": str(config)})]
    for words, more in roads:
        assert verified(*words, **given | more)["anchors_met"] == 1
    cut(database, 3)
    assert verified(**given)["ok"] is True
    for words, more in roads:
        told = verified(*words, **given | more)
        assert (told["fault"], told["first_bad"], told["rows"]) == ("truncated", 4, 3)
    append(database, 4)
    for words, more in roads:
        told = verified(*words, **given | more)
        assert (told["fault"], told["first_bad"]) == ("forked", 5)


@pytest.mark.parametrize("head", ["5", "x:" + "0" * 64, "5:abc", "0:" + "0" * 64, "5:" + "g" * 64])
def test_a_head_that_is_none_is_refused(written: str, head: str) -> None:
    result = signoff("audit", "verify", "--head", head, SIGNOFF_DATABASE_URL=written)
    assert (result.exit_code, "expected ROW:HASH" in result.output) == (2, True)


def test_an_export_is_checked_like_the_database(database: Database, written: str, tmp_path: Path) -> None:
    database.write_now(
        lambda c: audit.append(
            c, at=9, kind="é", actor='"', subject="A-2\u2028\n", data={"text": "naïve \u2028 \U0001f600", "n": 1.5}
        )
    )
    exported = signoff("audit", "export", SIGNOFF_DATABASE_URL=written)
    assert exported.exit_code == 0
    lines = exported.output.split("\n")[:-1]
    assert [json.loads(line)["seq"] for line in lines] == [1, 2, 3, 4, 5, 6]
    file = tmp_path / "audit.jsonl"

    def of(*rows: str) -> dict[str, Any]:
        file.write_text("".join(row + "\n" for row in rows))
        return verified("--strict", str(file), SIGNOFF_SECRET_KEY=KEY)

    whole = of(*lines)
    assert (whole["ok"], whole["rows"]) == (True, 6)
    assert whole["head"] == verified(SIGNOFF_DATABASE_URL=written)["head"]
    assert of(*lines[:2], *lines[3:])["fault"] == "deleted"
    assert of(lines[0], lines[2], lines[1], *lines[3:])["fault"] == "deleted"
    assert of(*lines[:2], lines[2].replace("signoff", "T1:U9"), *lines[3:])["fault"] == "edited"
    assert of(*lines[:5], lines[5].replace("1.5", "1.25"))["first_bad"] == 6


def test_an_export_of_what_somebody_changed_says_the_same_as_the_database(
    database: Database, written: str, tmp_path: Path
) -> None:
    database.write_now(lambda c: c.exec_driver_sql("UPDATE audit SET data = '{' WHERE seq = 2"))
    file = tmp_path / "audit.jsonl"
    file.write_text(signoff("audit", "export", SIGNOFF_DATABASE_URL=written).output)
    told = verified(str(file))
    assert told == verified(SIGNOFF_DATABASE_URL=written)
    assert (told["fault"], told["first_bad"]) == ("edited", 2)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("column", ["at", "kind", "actor", "subject", "data", "previous", "hash"])
@pytest.mark.parametrize("cell", ["CAST(x'7bff' AS TEXT)", "x'7bff'", "9e999"])
def test_a_cell_that_is_no_text_is_named_and_exported_like_any_other_edit(
    database: Database, written: str, tmp_path: Path, column: str, cell: str
) -> None:
    database.write_now(lambda c: c.exec_driver_sql(f"UPDATE audit SET {column} = {cell} WHERE seq = 2"))
    given = {"SIGNOFF_DATABASE_URL": written, "SIGNOFF_SECRET_KEY": KEY}
    result = signoff("audit", "verify", **given)
    assert (result.exit_code, "edited at row 2: row 2 was changed" in result.output) == (1, True), result.output
    exported = signoff("audit", "export", **given)
    assert (exported.exit_code, len(exported.output.splitlines())) == (0, 5), exported.output
    file = tmp_path / "audit.jsonl"
    file.write_bytes(exported.output.encode())
    told = verified(str(file), SIGNOFF_SECRET_KEY=KEY)
    assert (told["fault"], told["first_bad"]) == ("edited", 2)


@pytest.mark.parametrize(
    "forged", ['"data": {"verdict": "Lee approved"}, "unreadable": {}', '"data": {"a": 1, "a": {}}']
)
def test_what_says_two_things_at_once_is_no_row(written: str, tmp_path: Path, forged: str) -> None:
    first = signoff("audit", "export", SIGNOFF_DATABASE_URL=written).output.split("\n")[0]
    told, _, data = first.partition(', "data": ')
    file = tmp_path / "audit.jsonl"
    file.write_text(f"{told}, {forged.replace('{}', json.dumps(data[:-1]), 1)}}}\n")
    result = signoff("audit", "verify", str(file))
    assert (result.exit_code, f"{file}:1: is no row of an exported audit" in result.output) == (2, True), result.output


@pytest.mark.parametrize("line", ["", "x", "[]", '{"seq":1}', '{"seq":1,"data":{},"odd":2}'])
def test_a_file_that_is_no_export_is_said_with_its_line(tmp_path: Path, line: str) -> None:
    file = tmp_path / "audit.jsonl"
    file.write_text(line + "\n")
    result = signoff("audit", "verify", str(file))
    assert (result.exit_code, f"{file}:1: is no row of an exported audit" in result.output) == (2, True)


# --- one story --------------------------------------------------------------------------------------------------------


def test_one_story_is_told_by_its_name_or_its_run(database: Database, written: str) -> None:
    database.write_now(
        lambda c: audit.append(c, at=10, kind="run.void", actor="signoff", subject="run r7", data={"why": "a\nb\x1b"})
    )
    append(database, 1)
    for name in ("A-1", "r7"):
        told = signoff("audit", "show", name, SIGNOFF_DATABASE_URL=written)
        assert told.exit_code == 0
        assert [line.split()[0] for line in told.output.splitlines()] == ["1", "2", "3", "4", "5", "6", "7"]
    assert "1970-01-01 00:00:00 UTC  run.void  signoff  run r7" in told.output
    assert "\x1b" not in told.output


def test_a_story_that_does_not_hold_says_so_first_and_names_each_row(database: Database, written: str) -> None:
    given = {"SIGNOFF_DATABASE_URL": written, "SIGNOFF_SECRET_KEY": KEY}
    database.write_now(lambda c: audit.append(c, at=10, kind="tried", actor="signoff", subject="A-2", data={"n": 1}))
    database.write_now(lambda c: c.exec_driver_sql("UPDATE audit SET actor = 'T1:U9' WHERE seq = 6"))
    told = signoff("audit", "show", "A-1", **given)
    assert (told.exit_code, len(told.output.splitlines())) == (1, 6)
    assert told.output.startswith("audit: what follows cannot be trusted: edited at row 6: row 6 was changed")
    database.write_now(lambda c: c.exec_driver_sql("UPDATE audit SET data = '[', at = 1e18 WHERE seq IN (3, 4)"))
    told = signoff("audit", "show", "A-1", **given)
    first, second, *lines = told.output.splitlines()
    assert (told.exit_code, [line.split()[0] for line in lines]) == (1, ["1", "2", "3", "4", "5"])
    assert first.startswith("audit: what follows cannot be trusted: edited at row 3")
    assert second.startswith("audit: what follows cannot be trusted: edited at row 4")
    assert lines[2].endswith('unreadable "["')


def test_nobodys_words_can_be_taken_for_a_line_or_a_fact_of_the_audit(database: Database, written: str) -> None:
    forged = "fine, verdict approved\n9  1970-01-01 00:00:00 UTC  vote.approved"
    data = {"reason": forged, "name": "Lee", "why, verdict": "a\u202eb", "é": "naïve", "run": "r7"}
    database.write_now(
        lambda c: audit.append(c, at=0, kind="vote.denied", actor="T0:U1  A-9", subject="run r7", data=data)
    )
    told = signoff("audit", "show", "A-1", SIGNOFF_DATABASE_URL=written)
    assert told.exit_code == 0
    assert told.output.splitlines()[5:] == [
        '6  1970-01-01 00:00:00 UTC  vote.denied  "T0:U1  A-9"  run r7  name Lee, '
        f'reason {json.dumps(forged)}, run r7, "why, verdict" "a\\u202eb", "é" "naïve"'
    ]


def test_what_the_audit_does_not_know_is_said(written: str) -> None:
    told = signoff("audit", "show", "A-99", SIGNOFF_DATABASE_URL=written)
    assert (told.exit_code, "the audit does not know A-99" in told.output) == (2, True)

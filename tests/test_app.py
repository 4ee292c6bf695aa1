"""``signoff serve``: it stays up whatever is down, says what it cannot do, loses nothing and catches up."""

import json
import re
import signal
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.store import audit
from bot.store.database import Database
from tests.intake.webhooks import alert, body
from tests.postgres import running
from tests.serving import Serving, environment, serving
from tests.system import processes
from tests.waiting import wait_until


def webhook(name: str) -> dict:
    return body(alert(name, fingerprint=f"{name:0>16}"), groupKey=f"{{}}:{name}")


def incidents(database: Database) -> int:
    """How many incidents there are whose group's job is done."""
    query = "SELECT count(*) FROM incidents i JOIN alert_groups g ON g.id = i.group_id WHERE g.done = g.wanted"
    return database.read_now(lambda connection: connection.execute(text(query)).scalar_one())


def start(given: dict[str, str]) -> processes.Ended:
    """Run ``serve`` where it must end by itself."""
    return processes.run(["-m", "bot", "serve"], given)


async def test_postgresql_may_be_down_at_the_start_and_go_away_in_between(tmp_path: Path) -> None:
    with running() as server, server.fresh() as url:
        server.stop()
        async with serving(tmp_path, environment(tmp_path, url)) as up:
            status, state = await up.readyz()
            assert status == 503
            assert any(problem.startswith("database: cannot be written") for problem in state["problems"])
            assert await up.post(webhook("a")) == 503
            server.start()
            await wait_until(up.is_ready, 60, "the engine, once the database is there")
            assert await up.post(webhook("a")) == 200

            server.stop()
            assert await up.post(webhook("b")) == 503
            assert (await up.readyz())[0] == 503
            server.start()

            async def taken() -> bool:
                return await up.post(webhook("b")) == 200

            await wait_until(taken, 30)
            assert await up.post(webhook("c")) == 200
            database = Database(url)
            await wait_until(lambda: incidents(database) == 3, 90, "all three incidents")
            await wait_until(up.is_ready, 30)
            assert database.read_now(audit.verify).first_bad is None
            started = "SELECT count(*) FROM audit WHERE kind = 'serve.started'"
            assert database.read_now(lambda c: c.execute(text(started)).scalar_one()) == 1
            database.close()
            assert up.end() == 0
        log = up.log.read_text()
        assert "the database is not ready; trying again" in log
        assert "Traceback" not in log.split("stopping")[-1]


async def test_what_was_answered_is_worked_on_after_kill_9(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'signoff.db'}"
    given = environment(tmp_path, url)
    async with serving(tmp_path, given) as up:
        await wait_until(up.is_ready, 30)
        assert [await up.post(webhook(f"n{nth}")) for nth in range(20)] == [200] * 20
        up.process.kill()
    async with serving(tmp_path, given) as up:
        database = Database(url, read_only=True)
        await wait_until(lambda: incidents(database) == 20, 60)
        assert database.read_now(audit.verify).first_bad is None
        database.close()


async def test_it_ends_in_order_when_it_is_told_to(tmp_path: Path) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        async with serving(tmp_path, environment(tmp_path, f"sqlite:///{tmp_path / 'signoff.db'}")) as up:
            await wait_until(up.is_ready, 30)
            await up.post(webhook("a"))
            up.process.send_signal(number)
            assert up.process.wait(20) == 0
    assert "Traceback" not in up.log.read_text()


async def test_no_secret_is_in_the_log_however_much_is_logged(tmp_path: Path) -> None:
    given = environment(tmp_path, f"sqlite:///{tmp_path / 'signoff.db'}", SIGNOFF_LOG_LEVEL="debug")
    async with serving(tmp_path, given) as up:
        await wait_until(up.is_ready, 30)
        marker = "hunter2-swordfish"
        spoken = alert("A", annotations={"summary": f"password={marker}"})
        assert await up.post(body(spoken)) == 200
        await wait_until(lambda: "socket_mode_not_connected" in up.log.read_text())
        up.end()
    log = up.log.read_text()
    for secret in (given["SIGNOFF_ALERTMANAGER_TOKEN"], "k" * 32, "xoxb-1-of-nobody", "xapp-1-of-nobody", marker):
        assert secret not in log
    assert all(json.loads(line) for line in log.splitlines())


@pytest.fixture
def given(tmp_path: Path) -> dict[str, str]:
    return environment(tmp_path, f"sqlite:///{tmp_path / 'signoff.db'}")


async def test_one_file_is_served_once(tmp_path: Path, given: dict[str, str]) -> None:
    async with serving(tmp_path, given):
        second = start(environment(tmp_path, given["SIGNOFF_DATABASE_URL"]))
        assert second.status == 2
        assert "another signoff serve uses" in second.errors
        assert "Traceback" not in second.errors


async def test_an_address_that_is_taken_is_said(tmp_path: Path, given: dict[str, str]) -> None:
    async with serving(tmp_path, given):
        other = environment(tmp_path, f"sqlite:///{tmp_path / 'other.db'}", SIGNOFF_LISTEN=given["SIGNOFF_LISTEN"])
        ended = start(other)
    assert ended.status == 2
    assert f"SIGNOFF_LISTEN: cannot listen on {given['SIGNOFF_LISTEN']}" in ended.errors


def test_a_broken_runbook_prompt_or_database_file_is_said_with_its_place(tmp_path: Path, given: dict[str, str]) -> None:
    for name in ("runbooks", "prompts", "empty"):
        (tmp_path / name).mkdir()
    (tmp_path / "runbooks" / "odd.yaml").write_text("id: odd\nversion: one\n")
    (tmp_path / "garbage.db").write_bytes(b"no database at all " * 500)
    for name, value, said in (
        ("SIGNOFF_RUNBOOKS", str(tmp_path / "runbooks"), r"odd\.yaml:2"),
        ("SIGNOFF_RUNBOOKS", str(tmp_path / "nowhere"), "nowhere"),
        ("SIGNOFF_PROMPTS", str(tmp_path / "empty"), "no prompt in it"),
        (
            "SIGNOFF_DATABASE_URL",
            f"sqlite:///{tmp_path / 'garbage.db'}",
            "garbage.db cannot be used: file is not a database",
        ),
        ("SIGNOFF_DATABASE_URL", "sqlite:////proc/nowhere/signoff.db", "SIGNOFF_DATABASE_URL"),
        ("SIGNOFF_DATABASE_URL", "mysql://x/y", "'mysql' is not supported"),
        ("SIGNOFF_ALERTMANAGER_TOKEN", "", "SIGNOFF_ALERTMANAGER_TOKEN"),
    ):
        ended = start(given | {name: value})
        assert ended.status == 2, ended
        assert re.search(said, ended.errors), ended.errors
        assert "Traceback" not in ended.errors


APPROVAL = """(
id, number, matter_id, digest, record, full_diff, runbook, cluster, state, created_at, expires_at, outcome, card,
seen, moved) VALUES ('a1', 1, ?, 'd', x'7b7d', '', 'r', 'prod', 'pending', 1, 1, '', 'a1', '[]', '')"""
VOTE = """(id, approval_id, person, decision, digest, reason, channel, received_at, state, verdict)
VALUES ('v1', 'a1', 'T:U', 'approve', 'd', '', 'C', 1, 'received', '')"""
RUN = """(id, approval_id, matter_id, state, started_at, outcome) VALUES ('r1', 'a1', ?, 'x', 1, '')"""
GARBAGE = {
    "alert_groups": "group_labels = 'x', common_labels = '[', source = ''",
    "alerts": "labels = '{', annotations = '7'",
    "incidents": "subject = 'no', labels = '{', triage = '[]'",
    "evidence": "record = '{}'",
    "approvals": "record = x'00', digest = 'x', expires_at = 1",
    "votes": "decision = 'maybe', wanted = done + 1",
    "runs": "state = 'dancing', wanted = done + 1",
    "run_steps": "state = 'odd'",
    "outbox": "payload = '{', state = 'waiting'",
    "counters": "value = value",
}


async def test_rows_that_cannot_be_read_are_reported_and_everything_else_goes_on(
    tmp_path: Path, given: dict[str, str]
) -> None:
    """One garbage row in each table, among sound ones."""
    async with serving(tmp_path, given) as up:
        await wait_until(up.is_ready, 30)
        await up.post(webhook("spoiled"))
        database = Database(given["SIGNOFF_DATABASE_URL"], read_only=True)
        await wait_until(lambda: incidents(database) == 1)
        database.close()
        up.end()
    with sqlite3.connect(tmp_path / "signoff.db") as connection:
        found = connection.execute("SELECT id FROM incidents").fetchone()[0]
        connection.execute(f"INSERT INTO approvals {APPROVAL}", (found,))
        connection.execute(f"INSERT INTO votes {VOTE}")
        connection.execute(f"INSERT INTO runs {RUN}", (found,))
        connection.execute("INSERT INTO run_steps VALUES ('r1', 0, 'started', 1, 1, NULL, '', NULL)")
        connection.execute("UPDATE incidents SET wanted = wanted + 1")
        connection.execute("UPDATE alert_groups SET wanted = wanted + 1")
        for table, values in GARBAGE.items():
            connection.execute(f"UPDATE {table} SET {values}")
    async with serving(tmp_path, given) as up:
        await wait_until(up.is_ready, 30)
        assert await up.post(webhook("sound")) == 200
        database = Database(given["SIGNOFF_DATABASE_URL"], read_only=True)
        sound = "SELECT count(*) FROM incidents WHERE status = 'open' AND number > 1"
        await wait_until(lambda: database.read_now(lambda c: c.execute(text(sound)).scalar_one()) == 1, 30)

        async def reported() -> bool:
            _, state = await up.readyz()
            said = " ".join(state["problems"])
            return all(f"{table} row" in said for table in ("incidents", "votes", "runs"))

        await wait_until(reported, 30, "the damaged rows in /readyz")
        expired = "SELECT state FROM approvals WHERE id = 'a1'"
        await wait_until(lambda: database.read_now(lambda c: c.execute(text(expired)).scalar_one()) == "expired", 30)
        database.close()
        assert up.end() == 0


async def test_metrics_count_what_is_in_the_database(tmp_path: Path, given: dict[str, str]) -> None:
    async with serving(tmp_path, given) as up:
        await wait_until(up.is_ready, 30)
        await up.post(webhook("a"))

        async def counted() -> bool:
            return 'signoff_incidents{state="open"} 1.0' in await scraped(up)

        await wait_until(counted)
        assert "signoff_database_up 1.0" in await scraped(up)


async def scraped(up: Serving) -> list[str]:
    async with up.session.get(f"{up.url}/metrics") as answer:
        return (await answer.text()).splitlines()

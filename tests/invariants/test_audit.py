"""The audit: nothing happens without it, nothing in it changes unnoticed, it tells the story alone, and no secrets."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.system import processes
from tests.system.town import LEE, Town, checkout_alert, quick_runbooks, town

IN_THE_ALERT = "xox" + "b-123456789012-" + "abcdefghijklmnopqrstuvwx"
IN_THE_REASON = "gh" + "p_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"


@contextlib.contextmanager
def written(path: Path) -> Iterator[sqlite3.Connection]:
    """A database as somebody sees it who may write to it, in one transaction."""
    with contextlib.closing(sqlite3.connect(path, timeout=10)) as connection, connection:
        yield connection


# --- U1 ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["vote.approved", "run.started", "step.started"])
async def test_nothing_runs_while_the_audit_cannot_be_written(shop: Town, kind: str) -> None:
    """U1: no effect without a durable record before it. Where the database refuses the row, as a full disk does,
    the state that it records is not taken either; once there is room again all goes on."""
    await shop.alert(checkout_alert())
    request = await shop.request()
    with written(shop.folder / "signoff.db") as connection:
        connection.execute(
            f"CREATE TRIGGER no_room BEFORE INSERT ON audit WHEN NEW.kind = '{kind}' "
            "BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
        )
    await shop.page.click(LEE, request, "Approve")
    await shop.until(lambda: "database or disk is full" in shop.log() or failed(shop), "the write to be refused")
    assert await shop.writes() == []
    assert shop.rows("SELECT * FROM run_steps") == []
    states = {"vote.approved": [("pending",)]}
    assert shop.rows("SELECT state FROM approvals") == states.get(kind, [("approved",)])
    with written(shop.folder / "signoff.db") as connection:
        connection.execute("DROP TRIGGER no_room")
    await shop.sees("A-1 helped")
    assert len(await shop.writes()) == 1
    assert shop.audit_holds()


def failed(here: Town) -> bool:
    """Whether a job has been tried and put off."""
    return any(here.rows(f"SELECT 1 FROM {table} WHERE attempts > 0 AND done < wanted") for table in ("votes", "runs"))


# --- U2 ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Story:
    """What an approved and helpful rollback left behind: the database, and the head that was noted of it."""

    database: Path
    environment: dict[str, str]
    anchors: Path
    length: int

    def command(self, folder: Path, *words: str) -> processes.Ended:
        """Run ``signoff audit`` on a database of this story's."""
        given = self.environment | {"SIGNOFF_DATABASE_URL": f"sqlite:///{folder / 'signoff.db'}"}
        return processes.run(["-m", "bot", "audit", *words], given, seconds=120)


@pytest.fixture(scope="module")
async def story(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Story]:
    folder = tmp_path_factory.mktemp("story")
    async with town(folder, runbooks=quick_runbooks(folder / "runbooks")) as here:
        here.configure(audit={"anchor_file": str(folder / "anchors.jsonl")})
        await here.serve()
        await here.alert(checkout_alert())
        await here.page.click(LEE, await here.request(), "Approve")
        await here.sees("A-1 helped")
        await here.until(here.settled, "everything to be said")
        here.stop()
        [(length,)] = here.rows("SELECT max(seq) FROM audit")
        yield Story(folder / "signoff.db", here.environment, folder / "anchors.jsonl", length)


@pytest.fixture
def copied(story: Story, tmp_path: Path) -> Path:
    shutil.copy(story.database, tmp_path / "signoff.db")
    return tmp_path


def verified(story: Story, folder: Path) -> dict[str, Any]:
    ran = story.command(folder, "verify", "--json", "--anchors", str(story.anchors))
    told: dict[str, Any] = json.loads(ran.out)
    assert ran.status == (0 if told["ok"] else 1), ran.errors
    return told


Tamper = Callable[[sqlite3.Connection, int], object]
TAMPERED: dict[str, tuple[Tamper, str]] = {
    "an actor": (lambda c, n: c.execute("UPDATE audit SET actor = 'T0SHOP:U0EVE' WHERE seq = ?", (n,)), "edited"),
    "a time": (lambda c, n: c.execute("UPDATE audit SET at = at + 1 WHERE seq = ?", (n,)), "edited"),
    "the data": (lambda c, n: c.execute("UPDATE audit SET data = '{}' WHERE seq = ?", (n,)), "edited"),
    "a row taken out": (lambda c, n: c.execute("DELETE FROM audit WHERE seq = ?", (n,)), "deleted"),
    "a row taken out, all renumbered": (
        lambda c, n: (
            c.execute("DELETE FROM audit WHERE seq = ?", (n,)),
            c.execute("UPDATE audit SET seq = -seq + 1 WHERE seq > ?", (n,)),
            c.execute("UPDATE audit SET seq = -seq WHERE seq < 0"),
        ),
        "reordered",
    ),
    "two rows exchanged": (
        lambda c, n: (
            c.execute("UPDATE audit SET seq = -1 WHERE seq = ?", (n,)),
            c.execute("UPDATE audit SET seq = ? WHERE seq = ?", (n, n + 1)),
            c.execute("UPDATE audit SET seq = ? WHERE seq = -1", (n + 1,)),
        ),
        "reordered",
    ),
    "a signature": (lambda c, n: c.execute("UPDATE audit SET signature = '' WHERE seq = ?", (n,)), "forged"),
    "the end": (
        lambda c, n: (
            c.execute("DELETE FROM audit WHERE seq >= ?", (n,)),
            c.execute("UPDATE counters SET value = ? WHERE name = 'audit'", (n - 1,)),
        ),
        "truncated",
    ),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_whatever_is_done_to_the_audit_is_found_where_it_was_done(story: Story, copied: Path, what: str) -> None:
    """U2: an edit, deletion, reordering or truncation after the last anchor is found, located and named."""
    tamper, fault = TAMPERED[what]
    assert verified(story, copied)["ok"]
    row = story.length // 2
    with written(copied / "signoff.db") as connection:
        tamper(connection, row)
    told = verified(story, copied)
    assert (told["fault"], told["first_bad"], told["rows"]) == (fault, row, row - 1)


def test_an_export_is_as_good_as_the_database(story: Story, copied: Path) -> None:
    """U2: what is exported can be checked elsewhere, with the key and the anchors, and shows the same."""
    exported = story.command(copied, "export").out
    (copied / "audit.jsonl").write_text(exported)
    words = ("verify", "--json", "--strict", "--anchors", str(story.anchors), str(copied / "audit.jsonl"))
    told = json.loads(story.command(copied, *words).out)
    assert (told["ok"], told["rows"], told["signatures_checked"]) == (True, story.length, True)
    assert told["anchors_met"] > 0
    (copied / "audit.jsonl").write_text(exported.replace("vote.approved", "vote.refused"))
    assert json.loads(story.command(copied, *words).out)["fault"] == "edited"


# --- U3 ---------------------------------------------------------------------------------------------------------------


def test_the_audit_alone_tells_who_what_when_digest_votes_and_result(story: Story, copied: Path) -> None:
    """U3: with every other table empty, the story of an approval can be read: asked, voted, run, what came of it."""
    with written(copied / "signoff.db") as connection:
        [(digest, run)] = connection.execute("SELECT a.digest, r.id FROM approvals a, runs r").fetchall()
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in set(tables) - {"audit", "counters", "alembic_version"}:
            with contextlib.suppress(sqlite3.OperationalError):
                connection.execute(f'DELETE FROM "{table}"')
    by_name = story.command(copied, "show", "A-1")
    assert (by_name.status, by_name.out) == (0, story.command(copied, "show", run).out)
    lines = by_name.out.splitlines()
    kinds = [line.split("  ")[2] for line in lines]
    run_told = ["run.started", "step.started", "step.done", "run.verifying", "run.succeeded"]
    assert kinds == ["approval.requested", "vote.approved", *run_told]
    asked, vote, _, step, done, _, ended = lines
    for what in ("signoff", "A-1", "incident INC-1", "rollback-deployment", "cluster prod", "shop/checkout", digest):
        assert what in asked
    for what in (f"T0SHOP:{LEE}", "decision approve", f"voted_digest {digest}", "verdict "):
        assert what in vote
    assert "action " in step
    assert "detail " in done
    assert "verdict " in ended
    assert all(" UTC  " in line and digest in line for line in lines)


# --- U4 ---------------------------------------------------------------------------------------------------------------


async def test_no_secret_is_in_the_audit_slack_the_model_or_the_log(tmp_path: Path) -> None:
    """U4: a secret in an alert and one in a person's reason reach no log, message, model or audit."""
    async with town(tmp_path, runbooks=quick_runbooks(tmp_path / "runbooks"), messages=True) as here:
        await here.serve(SIGNOFF_LOG_LEVEL="debug", SIGNOFF_MODEL_DEADLINE_SECONDS="5")
        answer = {"severity": "high", "category": "other", "summary": "It is stuck.", "causes": [], "unknowns": []}
        script = f"{here.urls['messages']}/sandbox/messages/script"
        async with here.session.post(script, json={"answers": [{"json": answer | {"proposals": []}}]}) as response:
            assert response.status < 400, await response.text()
        body = checkout_alert()
        body["alerts"][0]["annotations"]["summary"] += f" It was started with --token={IN_THE_ALERT}"
        await here.alert(body)
        request = await here.request()
        await here.page.click(LEE, request, "Deny")
        modal = await here.modal(LEE)
        block = next(each["block_id"] for each in modal["blocks"] if each["type"] == "input")
        values = {block: f"no, {IN_THE_REASON} is still in its environment"}
        await here.page.act("/sandbox/submit", {"user": LEE, "view_id": modal["id"], "values": values})
        await here.sees("denied by .*is still in its environment")
        await here.until(here.settled, "everything to be said")
        url = f"{here.urls['messages']}/sandbox/messages/requests"
        async with here.session.get(url) as response:
            asked = await response.text()
        audit = str(here.rows("SELECT * FROM audit"))
        said = json.dumps([await here.page.messages(user) for user in (LEE, "U0PRIYA")])
        outbox = str(here.rows("SELECT * FROM outbox"))
    assert "It was started with" in asked
    assert "is still in its environment" in audit
    held = [here.environment[name] for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SIGNOFF_ALERTMANAGER_TOKEN")]
    for secret in (IN_THE_ALERT, IN_THE_REASON, "k" * 32, *held):
        for place, text in {"log": here.log(), "audit": audit, "Slack": said, "outbox": outbox, "model": asked}.items():
            assert secret not in text, place

"""Whoever can write to the database, but has no key of Signoff's, can neither vote nor make anything run."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from bot.domain.keys import Keys
from bot.store import signed
from bot.store.database import Database
from bot.store.tables import votes
from tests.system.town import Json, Town, checkout_alert

LEE = "U0LEE"


@pytest.fixture
async def asked(shop: Town) -> Town:
    """An installation in which A-1 waits for somebody."""
    await shop.alert(checkout_alert())
    await shop.request()
    return shop


async def both_must_approve(here: Town) -> Json:
    """Serve where Lee and Priya must both approve, and return the request that waits for them."""
    users = {"users": ["T0SHOP:U0LEE", "T0SHOP:U0PRIYA"]}
    demand = {"groups": {"oncall": 2}}
    here.configure(
        approvers=[], groups={"oncall": users}, approvals=dict.fromkeys(("low", "medium", "high", "critical"), demand)
    )
    await here.serve()
    await here.alert(checkout_alert())
    return await here.request()


@contextlib.contextmanager
def written(here: Town) -> Iterator[sqlite3.Connection]:
    """The database as its writer sees it, in one transaction."""
    path = here.environment["SIGNOFF_DATABASE_URL"].removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(path, timeout=10)) as connection, connection:
        connection.row_factory = sqlite3.Row
        yield connection


def row(connection: sqlite3.Connection, table: str) -> dict[str, Any]:
    return dict(connection.execute(f"SELECT * FROM {table}").fetchone())


def put(connection: sqlite3.Connection, table: str, values: dict[str, Any]) -> None:
    marks = ", ".join("?" * len(values))
    connection.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))


def a_vote(approval: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "id": "e" * 32,
        "approval_id": approval["id"],
        "person": f"T0SHOP:{LEE}",
        "decision": "approve",
        "digest": approval["digest"],
        "reason": "",
        "channel": "C0INCIDENTS",
        "received_at": approval["created_at"] + 1,
        "state": "counted",
        "verdict": "Lee approved.",
        "groups_age_ms": 0,
    } | more


def a_run(approval: dict[str, Any], state: str = "starting") -> dict[str, Any]:
    return {
        "id": "f" * 32,
        "approval_id": approval["id"],
        "matter_id": approval["matter_id"],
        "state": state,
        "started_at": approval["created_at"] + 2,
        "outcome": "",
        "wanted": 1,
    }


async def stays_undone(here: Town, *states: str, writes: int = 0) -> None:
    """Nothing ran beyond what ran before, and the forged run has ended, in sight."""
    await here.until(lambda: here.rows("SELECT state FROM runs")[0][0] in states, f"the run to end as one of {states}")
    await here.until(here.settled, "everything to be said")
    assert len(await here.writes()) == writes


@pytest.mark.parametrize("state", ["starting", "running", "verifying"])
async def test_a_vote_and_an_approval_in_the_tables_start_nothing(asked: Town, state: str) -> None:
    """B (binding), forged: a counted vote, an approved request and a run, written without a key, run nothing."""
    with written(asked) as connection:
        approval = row(connection, "approvals")
        put(connection, "votes", a_vote(approval))
        connection.execute("UPDATE approvals SET state = 'approved', decided_at = created_at, outcome = 'Lee did.'")
        put(connection, "runs", a_run(approval, state))
    await asked.sees("a run was stopped.*signature does not match")
    await stays_undone(asked, "void")
    assert [table for (table,) in asked.rows("SELECT table_name FROM quarantine")] == ["approvals"]


async def test_a_vote_that_is_put_beside_a_real_one_makes_no_quorum(closed_shop: Town) -> None:
    """A (quorum), forged: of two that must approve one did; a row of the other's is no vote, and spoils the request."""
    request = await both_must_approve(closed_shop)
    with written(closed_shop) as connection:
        put(connection, "votes", a_vote(row(connection, "approvals"), person="T0SHOP:U0PRIYA"))
    await closed_shop.page.click(LEE, request, "Approve")
    await closed_shop.sees("This request cannot be decided")
    await closed_shop.until(closed_shop.settled, "everything to be said")
    assert closed_shop.rows("SELECT state FROM approvals") == [("pending",)]
    assert await closed_shop.writes() == []


@pytest.mark.parametrize("copied", ["counted", "received"])
async def test_an_approval_that_was_taken_back_does_not_return_with_its_older_row(
    closed_shop: Town, copied: str
) -> None:
    """A (quorum), replayed: each older copy of a vote's row was signed by us; the audit says what became of it."""
    request = await both_must_approve(closed_shop)
    states = "SELECT state FROM votes ORDER BY received_at"
    await closed_shop.page.click(LEE, request, "Approve")
    await closed_shop.until(lambda: closed_shop.rows(states) == [("counted",)], "the approval to count")
    with written(closed_shop) as connection:
        older = row(connection, "votes")
    await closed_shop.choose(LEE, request, "Take my approval back")
    await closed_shop.until(lambda: ("revoked",) in closed_shop.rows(states), "it to count no more")
    await closed_shop.until(closed_shop.settled, "everything to be said")
    if copied == "received":
        older |= {"state": "received", "verdict": "", "groups_age_ms": None}
        older |= {"signature": as_it_was_signed(closed_shop, older), "wanted": older["wanted"] + 1}
    with written(closed_shop) as connection:
        connection.execute("DELETE FROM votes WHERE id = ?", (older["id"],))
        put(connection, "votes", older)
    if copied == "received":
        await closed_shop.until(lambda: closed_shop.rows("SELECT 1 FROM quarantine"), "the click to be set aside")
    await closed_shop.page.click("U0PRIYA", request, "Approve", stale=True)
    told = "SELECT count(*) FROM audit WHERE kind LIKE 'vote.%' AND actor = 'T0SHOP:U0PRIYA'"
    await closed_shop.until(lambda: closed_shop.rows(told) == [(1,)], "Priya's word to be judged")
    assert closed_shop.rows("SELECT state FROM approvals") == [("pending",)]
    assert closed_shop.rows("SELECT * FROM runs") == []
    assert closed_shop.audit_holds()


def as_it_was_signed(here: Town, values: dict[str, Any]) -> str:
    """The signature that stood in a vote's row until it was judged: a writer who looked in time has it."""
    keys = Keys.read(here.environment["SIGNOFF_SECRET_KEY"])
    database = Database(here.environment["SIGNOFF_DATABASE_URL"], keys=keys)
    try:
        plain = {name: value for name, value in values.items() if name != "signature"}
        return str(database.read_now(lambda connection: signed.sealed(connection, votes, plain))["signature"])
    finally:
        database.close()


async def test_a_click_that_somebody_stored_is_judged_as_nobodys(asked: Town) -> None:
    """A (identity), forged: a click that waits for its judgement, written without a key, is reported, not counted."""
    with written(asked) as connection:
        forged = a_vote(row(connection, "approvals"), state="received", verdict="")
        put(connection, "votes", forged | {"wanted": 1})
    await asked.until(lambda: asked.rows("SELECT 1 FROM quarantine WHERE table_name = 'votes'"), "the report")
    await asked.until(asked.settled, "the click to be set aside")
    assert asked.rows("SELECT state FROM approvals") == [("pending",)]
    assert asked.rows("SELECT * FROM runs") == []
    assert asked.audit_holds()


async def test_an_ask_that_somebody_stored_in_another_s_name_asks_for_nothing(asked: Town) -> None:
    """A (identity), forged: an ask in Priya's name, written without a key, is reported, audited and said; Lee could
    otherwise have approved what nobody else wanted."""
    with written(asked) as connection:
        forged = {
            "id": "a" * 32,
            "matter_id": row(connection, "approvals")["matter_id"],
            "runbook": "restart-deployment",
            "parameters": json.dumps({"namespace": "shop", "deployment": "cart"}),
            "person": "T0SHOP:U0PRIYA",
            "person_name": "priya",
            "received_at": row(connection, "approvals")["created_at"],
            "outcome": "",
            "proposed_by": "",
            "evidence": "[]",
            "wanted": 1,
        }
        put(connection, "asks", forged)
    await asked.sees("ask for a runbook cannot be relied on: it is not signed")
    await asked.until(lambda: asked.rows("SELECT 1 FROM asks WHERE done = wanted"), "the ask to be set aside")
    assert asked.rows("SELECT count(*) FROM approvals") == [(1,)]
    assert asked.rows("SELECT table_name FROM quarantine") == [("asks",)]
    assert asked.rows("SELECT subject FROM audit WHERE kind = 'row.set_aside'") == [(f"ask {'a' * 32}",)]
    assert asked.audit_holds()


async def test_a_cell_that_is_no_text_costs_its_own_row_and_nothing_else(asked: Town) -> None:
    """B (binding), spoiled: a byte that is no UTF-8 and a plan that is no bytes, in a request, and what the audit says
    of the last start. That request cannot be decided; the bot starts, and the next request is decided and run."""
    request = await asked.request()
    asked.kill()
    with written(asked) as connection:
        connection.execute("UPDATE approvals SET outcome = CAST(x'ff' AS TEXT), record = 'a plan'")
        connection.execute("UPDATE audit SET data = CAST(x'7bff' AS TEXT) WHERE kind = 'serve.started'")
    await asked.serve()
    await asked.page.click(LEE, request, "Approve")
    await asked.sees("This request cannot be decided")
    await asked.alert(checkout_alert("resolved"))
    await asked.sees("^INC-1 resolved")
    await asked.alert(checkout_alert(starts_at="2026-11-21T10:45:00Z"))
    await asked.page.click(LEE, await asked.request(2), "Approve", stale=True)
    await asked.sees("A-2 helped")
    assert len(await asked.writes()) == 1
    assert not asked.audit_holds()


async def test_a_plan_rewritten_with_a_digest_that_fits_it_is_refused(asked: Town) -> None:
    """B (binding), forged: another target and the digest of the changed plan, in the row that people sign."""
    with written(asked) as connection:
        record = bytes(row(connection, "approvals")["record"]).replace(b'"checkout"', b'"payments"')
        digest = hashlib.sha256(record).hexdigest()
        connection.execute("UPDATE approvals SET record = ?, digest = ?", (record, digest))
    await asked.page.click(LEE, await asked.request(), "Approve")
    await asked.sees("This request cannot be decided")
    assert asked.rows("SELECT * FROM runs") == []
    assert await asked.writes() == []


async def test_the_second_call_of_a_plan_that_nobody_approved_is_not_made(closed_shop: Town) -> None:
    """B (binding), forged: the first call is said to be done, so that none but the next is looked at."""
    runbook = closed_shop.folder / "runbooks" / "rollback-deployment.yaml"
    plain = yaml.safe_load(runbook.read_text())
    del plain["parameters"]["properties"]["revision"]
    both = ("deployment-pause", "deployment-resume")
    plain["steps"] = [{"id": action, "action": action, "timeout_seconds": 30} for action in both]
    runbook.write_text(yaml.safe_dump(plain, sort_keys=False))
    await closed_shop.serve()
    await closed_shop.alert(checkout_alert())
    await closed_shop.request()
    with written(closed_shop) as connection:
        approval = row(connection, "approvals")
        assert len(json.loads(approval["record"])["calls"]) == 2
        step = {"run_id": "f" * 32, "ordinal": 0, "state": "done", "detail": ""}
        times = dict.fromkeys(("started_at", "tried_at", "ended_at"), approval["created_at"])
        put(connection, "run_steps", step | times)
        put(connection, "runs", a_run(approval, "running"))
    await closed_shop.sees("a run was stopped.*It cannot be shown that this was signed off")
    await stays_undone(closed_shop, "failed")
    assert closed_shop.rows("SELECT * FROM locks") == []


async def test_a_run_that_happened_cannot_be_made_to_happen_again(asked: Town) -> None:
    """L (at most once), replayed: the approval and its vote are genuine, but the audit says that they were used."""
    await asked.page.click(LEE, await asked.request(), "Approve")
    await asked.sees("A-1 helped")
    with written(asked) as connection:
        connection.execute("DELETE FROM run_steps")
        connection.execute("DELETE FROM runs")
        put(connection, "runs", a_run(row(connection, "approvals"), "running"))
    await asked.sees("The audit says that it was begun before")
    await stays_undone(asked, "void", writes=1)


async def test_nor_when_the_audit_is_cut_off_to_hide_it(asked: Town) -> None:
    """L (at most once), replayed: the end of the audit is gone, its counter set back. What this process saw stays."""
    await asked.page.click(LEE, await asked.request(), "Approve")
    await asked.sees("A-1 helped")
    await asked.until(asked.settled, "everything to be said")
    with written(asked) as connection:
        forget_the_run(connection)
    await asked.sees("It cannot be shown that this was signed off: row ")
    await stays_undone(asked, "void", writes=1)


async def test_nor_by_a_process_that_saw_nothing_if_the_head_was_noted_in_a_file(closed_shop: Town) -> None:
    """L (at most once), replayed: the next process knows from the file of anchors what the database no longer says."""
    closed_shop.configure(audit={"anchor_file": str(closed_shop.folder / "anchors.jsonl")})
    await closed_shop.serve()
    await closed_shop.alert(checkout_alert())
    await closed_shop.page.click(LEE, await closed_shop.request(), "Approve")
    await closed_shop.sees("A-1 helped")
    await closed_shop.until(closed_shop.settled, "everything to be said")
    closed_shop.kill()
    with written(closed_shop) as connection:
        forget_the_run(connection)
    await closed_shop.serve(ready=False)
    await closed_shop.sees("It cannot be shown that this was signed off")
    await stays_undone(closed_shop, "void", writes=1)
    await closed_shop.until(lambda: says_that_the_audit_was_changed(closed_shop), "/readyz to say it")


def forget_the_run(connection: sqlite3.Connection) -> None:
    last = connection.execute("SELECT seq FROM audit WHERE kind = 'vote.approved'").fetchone()[0]
    connection.execute("DELETE FROM audit WHERE seq > ?", (last,))
    connection.execute("UPDATE counters SET value = ? WHERE name = 'audit'", (last,))
    connection.execute("DELETE FROM run_steps")
    connection.execute("DELETE FROM runs")
    put(connection, "runs", a_run(row(connection, "approvals"), "running"))


async def says_that_the_audit_was_changed(here: Town) -> bool:
    async with here.session.get(f"{here.url}/readyz") as response:
        problems = (await response.json())["problems"]
    return any("audit: row" in problem and "signoff audit verify" in problem for problem in problems)


async def test_a_denial_cannot_be_undone_by_writing_the_earlier_row_back(asked: Town) -> None:
    """A (deny wins), replayed: the pending row of before was signed by us, but the audit says that it ended."""
    with written(asked) as connection:
        pending = row(connection, "approvals")
    request = await asked.request()
    await asked.page.click(LEE, request, "Deny")
    modal = await asked.modal(LEE)
    block = next(block["block_id"] for block in modal["blocks"] if block["type"] == "input")
    await asked.page.act("/sandbox/submit", {"user": LEE, "view_id": modal["id"], "values": {block: "not now"}})
    await asked.sees("denied by .*not now")
    with written(asked) as connection:
        connection.execute("DELETE FROM approvals")
        connection.execute("DELETE FROM votes")
        put(connection, "approvals", pending)
    await asked.page.click(LEE, request, "Approve", stale=True)
    await asked.sees("it ended: vote.denied")
    await stays_undone(asked, "void")


@pytest.mark.parametrize(("deed", "said"), [("lifted", "it is not signed"), ("deleted", "is missing")])
async def test_actions_that_are_off_stay_off(asked: Town, deed: str, said: str) -> None:
    """L (stop), forged: a word that turns actions on, written without a key, turns them on as little as taking away
    the word that turned them off."""
    body = {"user": LEE, "channel": "C0INCIDENTS", "text": "/ops actions off the registry is gone", "wait": 10}
    await asked.page.act("/sandbox/command", body)
    await asked.sees("turned all actions off")
    with written(asked) as connection:
        stop = dict(connection.execute("SELECT * FROM audit WHERE kind = 'actions.stop'").fetchone())
        if deed == "deleted":
            connection.execute("DELETE FROM audit WHERE seq = ?", (stop["seq"],))
        else:
            last = dict(connection.execute("SELECT * FROM audit ORDER BY seq DESC").fetchone())
            lift = stop | {"seq": last["seq"] + 1, "kind": "actions.lift", "previous": last["hash"], "signature": ""}
            content = {name: lift[name] for name in ("seq", "at", "kind", "actor", "subject", "previous")}
            text = json.dumps(content | {"data": json.loads(lift["data"])}, sort_keys=True, separators=(",", ":"))
            connection.execute("UPDATE counters SET value = value + 1 WHERE name = 'audit'")
            put(connection, "audit", lift | {"hash": hashlib.sha256(text.encode()).hexdigest()})
    await asked.page.click(LEE, await asked.request(), "Approve", stale=True)
    await asked.sees(said)
    assert await asked.writes() == []
    assert asked.rows("SELECT * FROM run_steps") == []
    assert not asked.audit_holds()


async def test_a_key_is_replaced_while_a_request_waits(closed_shop: Town) -> None:
    """What the old key signed holds as long as that key is listed, and no longer."""
    old, new = closed_shop.environment["SIGNOFF_SECRET_KEY"], "new:" + "n" * 32
    await closed_shop.serve()
    await closed_shop.alert(checkout_alert())
    request = await closed_shop.request()
    closed_shop.stop()
    closed_shop.environment["SIGNOFF_SECRET_KEY"] = new
    await closed_shop.serve()
    await closed_shop.page.click(LEE, request, "Approve")
    await closed_shop.sees("This request cannot be decided")
    assert not closed_shop.audit_holds()
    closed_shop.stop()
    closed_shop.environment["SIGNOFF_SECRET_KEY"] = f"{new},{old}"
    await closed_shop.serve(ready=False)  # what was set aside stays a problem
    await closed_shop.until(lambda: closed_shop.log().count("socket_mode_connected") == 3, "the bot to be connected")
    await closed_shop.page.click("U0PRIYA", request, "Approve", stale=True)
    await closed_shop.sees("A-1 helped")
    assert closed_shop.audit_holds()
    signed = closed_shop.rows("SELECT substr(signature, 1, 4), kind FROM audit")
    assert ("town", "approval.requested") in signed
    assert ("new:", "vote.approved") in signed


async def test_the_chain_written_anew_without_the_key_is_named(asked: Town) -> None:
    """U2, forged: hashes that fit are no proof; each row is signed."""
    with written(asked) as connection:
        rows = [dict(each) for each in connection.execute("SELECT * FROM audit ORDER BY seq")]
        before = rows[0]["previous"]
        for each in rows:
            content = {name: each[name] for name in ("seq", "at", "kind", "subject")}
            content |= {"data": json.loads(each["data"]), "actor": "T0SHOP:U0EVE", "previous": before}
            text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            before_hash = hashlib.sha256(text.encode()).hexdigest()
            connection.execute(
                "UPDATE audit SET actor = ?, previous = ?, hash = ? WHERE seq = ?",
                ("T0SHOP:U0EVE", before, before_hash, each["seq"]),
            )
            before = before_hash
    assert not asked.audit_holds()

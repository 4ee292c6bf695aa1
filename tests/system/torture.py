"""The kill matrix, and many people at one button: `python -m tests.system.torture` does it all and prints figures.

A round is an alert, a request for sign-off, a click, and a run of two calls whose third step fails, so that both are
taken back: in it the process is killed -9 at one write between the click and the result. Every write has its two
rounds, one that dies before it is durable and one after. On PostgreSQL three processes serve, and the writes of all
are counted together; who was killed never comes back. What the outbox writes for itself, `test_crashes.py` kills.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import click
import yaml

from bot.domain.run import FINAL
from bot.runbooks.execute import REQUEST_LIMIT_SECONDS
from bot.sandbox.story import StoryBroken
from tests.postgres import running
from tests.system.town import LEE, Json, Town, checkout_alert, quick_runbooks, town

CROWD = [f"U0CROWD{number:02}" for number in range(50)]
UNCOUNTED = "UPDATE outbox"
HERE = "here"
NOTES = ("example.com/first", "example.com/second")
OVER_SECONDS = 90.0
SETTLED_SECONDS = REQUEST_LIMIT_SECONDS + 10
"""From the start of a call, which may take five seconds, until nothing of it can be under way any more."""


@dataclass
class Figures:
    """What was seen. ``runs`` ended in one of the ``ends``; the last three must stay 0."""

    kills: int = 0
    runs: int = 0
    clicks: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    duplicates: int = 0
    lost: int = 0
    stuck: int = 0

    def __str__(self) -> str:
        ends = ", ".join(f"{number} {state}" for state, number in sorted(self.ends.items()))
        return (
            f"kills {self.kills}, clicks {self.clicks}, runs {self.runs} ({ends}), "
            f"duplicates {self.duplicates}, lost {self.lost}, stuck {self.stuck}"
        )


def there_and_back(folder: Path) -> Path:
    """The shipped runbooks, but what is proposed for checkout writes two notes, fails, and takes them back."""
    quick_runbooks(folder)
    path = folder / "rollback-deployment.yaml"
    data = yaml.safe_load(path.read_text())
    notes = [
        {"id": f"note-{number}", "action": "annotate", "with": {"key": key, "value": HERE}}
        | {"timeout_seconds": 5, "on_failure": "rollback"}
        for number, key in enumerate(NOTES)
    ]
    wait = {"id": "wait", "action": "wait-until", "with": {"check": "rollout-healthy"}, "timeout_seconds": 1}
    del data["parameters"]["properties"]["revision"]
    data["steps"] = [*notes, wait | {"on_failure": "rollback"}]
    data["rollback"] = {"note": "The notes are removed.", "approval": "included"}
    path.write_text(yaml.safe_dump(data, sort_keys=False))
    return folder


class Torture:
    """One installation of ``processes`` that is killed, round after round, and what was seen of it."""

    def __init__(self, here: Town, processes: int) -> None:
        self.figures = Figures()
        self._here = here
        self._armed = here.folder / "armed"
        self._processes = [here, *(here.replica() for _ in range(processes - 1))]
        self._rounds = count(1)

    async def begin(self) -> None:
        """Start every process."""
        for each in self._processes:
            await self._serve(each)
        for each in self._processes:
            await each.until(each.is_ready, "all to be ready")

    async def stand_by(self) -> None:
        """Start another process in the place of each one that dies, until cancelled."""
        while True:
            for each in self._processes:
                if not each.lives():
                    self.figures.kills += 1
                    await self._serve(each)
            await asyncio.sleep(0.02)

    async def kill_at(self, order: str) -> int:
        """Play a round, and kill at this write. Returns how many writes there were."""
        number, request = await self._asked()
        applied = len(await self._applied())
        written = Path(f"{self._armed}.writes")
        written.write_bytes(b"")
        self._arm(order)
        try:
            await self._click(LEE, request, "Approve", f"A-{number}")
            await self._over(number)
            await self._quiet()
        finally:
            self._armed.unlink()
        await self._judged(number, applied)
        return written.stat().st_size

    async def press_at_once(self, crowd: Sequence[str]) -> None:
        """Let all of these people press Approve of one request in the same moment."""
        number, request = await self._asked()
        applied = len(await self._applied())
        await asyncio.gather(*(self._click(user, request, "Approve", f"A-{number}") for user in crowd))
        await self._over(number)
        answered = "SELECT count(*) FROM votes v JOIN approvals a ON a.id = v.approval_id WHERE a.number = ?"

        def judged() -> bool:
            return self._here.rows(f"{answered} AND v.state <> 'received'", number) == [(len(crowd),)]

        await self._here.until(judged, "every click to be judged", OVER_SECONDS)
        counted = self._here.rows(f"{answered} AND v.state = 'counted'", number)
        assert counted == [(1,)], f"{counted} votes were counted where one was needed"
        await self._judged(number, applied)

    async def end(self, *, said: bool = True) -> None:
        """See that nothing was left behind by anybody. ``said``: nor anything to say, for which Slack takes a second a
        message."""
        here = self._here
        on_file = here.environment["SIGNOFF_DATABASE_URL"].startswith("sqlite")
        jobs = "workflow_status" if on_file else "dbos.workflow_status"

        def all_done() -> bool:
            left = here.rows(f"SELECT count(*) FROM {jobs} WHERE status IN ('PENDING', 'ENQUEUED', 'DELAYED')")
            return left == [(0,)] and (here.settled() or not said)

        try:
            await here.until(all_done, "everything to be done", OVER_SECONDS + 15.0 * self.figures.runs)
        except AssertionError:
            self.figures.stuck += 1
            raise
        assert here.rows("SELECT count(*) FROM locks") == [(0,)]
        assert not said or here.rows("SELECT count(*) FROM outbox WHERE state <> 'posted'") == [(0,)]
        assert here.audit_holds()

    # --- a round ----------------------------------------------------------------------------------------------------

    async def _asked(self) -> tuple[int, Json]:
        """Let an alert fire and wait for its request. Returns the request's number and its message in Slack."""
        number = next(self._rounds)
        # What a run that failed left is overwritten, so that each has both to write, and its own to put back.
        noted = {"name": "checkout", "namespace": "shop", "annotations": dict.fromkeys(NOTES, f"before {number}")}
        await self._here.control(
            "apply",
            {"cluster": "prod", "objects": [{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": noted}]},
        )
        body = checkout_alert() | {"groupKey": f"round-{number}"}
        await self._here.until(lambda: self._delivered(body), "the alert to be answered 2xx")
        query = (
            "SELECT o.payload, o.ts FROM outbox o JOIN approvals a ON o.key = 'approval:' || a.id "
            "WHERE a.number = ? AND o.ts IS NOT NULL"
        )
        payload, ts = (await self._here.until(lambda: self._here.rows(query, number), f"A-{number}", OVER_SECONDS))[0]
        await self._quiet()
        return number, {**(json.loads(payload) if isinstance(payload, str) else payload), "ts": ts}

    async def _quiet(self) -> None:
        """Wait until no job is due."""

        def quiet() -> bool:
            return self._here.settled(said=False)

        await self._here.until(quiet, "the jobs to end", OVER_SECONDS)

    async def _delivered(self, body: Json) -> bool:
        living = [each for each in self._processes if each.lives()]
        return bool(living) and await random.choice(living).alert(body) == 200

    async def _click(self, user: str, request: Json, label: str, name: str) -> None:
        """Click until the click is acknowledged, as a person does who sees nothing happen; then it is stored."""
        person = f"%{user}%"
        stored = "SELECT 1 FROM votes v JOIN approvals a ON a.id = v.approval_id WHERE v.person LIKE ? AND a.number = ?"
        deadline = time.monotonic() + OVER_SECONDS
        while time.monotonic() < deadline:
            try:
                await self._here.page.click(user, request, label, stale=True)
            except StoryBroken:
                # An answer that was lost may have been stored all the same.
                if self._here.rows(stored, person, int(name[2:])):
                    return
                await asyncio.sleep(0.2)
                continue
            self.figures.clicks += 1
            self.figures.lost += not self._here.rows(stored, person, int(name[2:]))
            return
        self.figures.stuck += 1
        raise AssertionError(f"nobody took the click on {name}")

    async def _over(self, number: int) -> None:
        """Wait until the run of a request has ended, or asks: then until it is looked at again and all is known."""
        query = "SELECT r.id, r.state FROM runs r JOIN approvals a ON a.id = r.approval_id WHERE a.number = ?"

        def state(*states: str) -> str:
            found = self._here.rows(query, number)
            return str(found[0][1]) if found and found[0][1] in states else ""

        try:
            over = await self._here.until(lambda: state(*FINAL, "unknown"), f"the run of A-{number}", OVER_SECONDS)
            while over == "unknown":
                self.figures.ends["unknown"] += 1
                self._here.time_passes(SETTLED_SECONDS)
                over = await self._here.until(lambda: state(*FINAL), f"the run of A-{number}", OVER_SECONDS)
        except AssertionError:
            self.figures.stuck += 1
            raise
        self.figures.ends[over] += 1

    async def _judged(self, number: int, applied_before: int) -> None:
        """See that the run was one, and that no call of it was made twice."""
        of = "FROM runs r JOIN approvals a ON a.id = r.approval_id WHERE a.number = ?"
        self.figures.runs += 1
        self.figures.duplicates += self._here.rows(f"SELECT count(*) {of}", number)[0][0] - 1
        made = Counter(json.dumps([call["path"], call["body"]]) for call in (await self._applied())[applied_before:])
        self.figures.duplicates += sum(times - 1 for times in made.values())
        state = self._here.rows(f"SELECT r.state {of}", number)[0][0]
        steps = "FROM run_steps s JOIN runs r ON r.id = s.run_id JOIN approvals a ON a.id = r.approval_id"
        ledger = dict(self._here.rows(f"SELECT s.ordinal, s.state {steps} WHERE a.number = ?", number))
        said = {
            key
            for ordinal, key in enumerate(NOTES)
            if ledger.get(ordinal) == "done" and ledger.get(4 - ordinal) != "done"
        }
        there = await self._notes()
        assert there == said, f"A-{number}: the ledger {ledger} says that {said} are there, and {there} are"
        assert state in FINAL - {"void"}, f"A-{number} ended as {state}"
        assert state != "rolled_back" or not there, f"A-{number} says that all is taken back, and {there} are there"
        assert sum(made.values()) <= len(ledger), f"A-{number} made {made}, and its ledger has {ledger}"

    async def _notes(self) -> set[str]:
        """The notes that the Deployment has as a run writes them."""
        notes = (await self._here.deployment())["metadata"].get("annotations", {})
        return {key for key in NOTES if notes.get(key) == HERE}

    async def _applied(self) -> list[Json]:
        calls = await self._here.page.kubernetes_calls(self._here.urls["kubernetes"])
        return [call for call in calls if call["applied"]]

    # --- its processes ----------------------------------------------------------------------------------------------

    def _arm(self, order: str) -> None:
        ready = Path(f"{self._armed}.ready")
        ready.write_text(order)
        ready.rename(self._armed)

    async def _serve(self, one: Town) -> None:
        await one.serve(
            killed_at="never:0", ready=False, SIGNOFF_TEST_ARMED=str(self._armed), SIGNOFF_TEST_UNCOUNTED=UNCOUNTED
        )


@contextlib.asynccontextmanager
async def tortured(
    folder: Path, *, database: str = "", processes: int = 1, crowd: bool = False, said: bool = True
) -> AsyncIterator[Torture]:
    """An installation of so many processes, ready for its rounds; at the end nothing may be left behind."""
    async with town(folder, runbooks=there_and_back(folder / "runbooks"), database=database) as here:
        if crowd:
            for number, user in enumerate(CROWD):
                await here.page.act("/sandbox/switches", {"hire": {"user": user, "name": f"Crowd {number}"}})
        here.configure(approvers=[f"T0SHOP:{user}" for user in (LEE, *(CROWD if crowd else ()))])
        torture = Torture(here, processes)
        await torture.begin()
        standing_by = asyncio.create_task(torture.stand_by())
        try:
            yield torture
            await torture.end(said=said)
        finally:
            standing_by.cancel()
            await asyncio.gather(standing_by, return_exceptions=True)


async def matrix(folder: Path, *, database: str = "", processes: int = 1, every: int = 1) -> Figures:
    """Kill at every write, or at one of so many, before and after it."""
    async with tortured(folder, database=database, processes=processes) as torture:
        writes = await torture.kill_at("never:0")
        click.echo(f"  {writes} writes from the click to the result")
        for number in range(1, writes + 1, every):
            for when in ("before", "after"):
                await torture.kill_at(f"{when}:{number}")
            click.echo(f"  write {number}: {torture.figures}")
    return torture.figures


async def crowds(folder: Path, *, database: str, times: int) -> Figures:
    """Let fifty people press one button at once, in three processes, so many times."""
    # Each of those who came too late is answered, for which Slack takes a second a message.
    async with tortured(folder, database=database, processes=3, crowd=True, said=False) as torture:
        for _ in range(times):
            await torture.press_at_once(CROWD)
            click.echo(f"  {torture.figures}")
    return torture.figures


@click.command()
@click.option("--every", default=1, help="Kill at one write of so many.")
@click.option("--times", default=200, help="How often fifty people press one button.")
@click.option("--only", type=click.Choice(["sqlite", "postgresql", "crowd"]), multiple=True, help="Do only this.")
def main(every: int, times: int, only: tuple[str, ...]) -> None:
    """Do it all, and say what was seen."""
    chosen = only or ("sqlite", "postgresql", "crowd")
    seen: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="signoff-torture-") as name, running() as postgres:
        folder = Path(name)
        if "sqlite" in chosen:
            click.echo("kill -9 at every write, SQLite:")
            seen["SQLite"] = asyncio.run(matrix(folder / "sqlite", every=every))
        if "postgresql" in chosen:
            click.echo("kill -9 at every write, PostgreSQL and three processes:")
            with postgres.fresh() as url:
                seen["PostgreSQL, 3 processes"] = asyncio.run(
                    matrix(folder / "postgresql", database=url, processes=3, every=every)
                )
        if "crowd" in chosen:
            click.echo("fifty people and one button, PostgreSQL and three processes:")
            with postgres.fresh() as url:
                seen["50 people at once"] = asyncio.run(crowds(folder / "crowd", database=url, times=times))
    for what, figures in seen.items():
        click.echo(f"{what}: {figures}")
    if any(figures.duplicates or figures.lost or figures.stuck for figures in seen.values()):
        raise SystemExit(1)


if __name__ == "__main__":
    main()

"""kill -9 at every instant of a job: its work is done in the end, and no step whose result was stored is repeated."""

import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from bot.store import work
from bot.store.database import Database
from bot.store.tables import groups

PROCESS = Path(__file__).with_name("engine_process.py")
ROOT = Path(__file__).parents[2]
ONCE = ["begin first", "end first", "begin second", "end second"]

INSTANTS = {
    "begin first": ["begin first"],
    "after first": [],
    "begin second": ["begin second"],
    "end second": ["begin second", "end second"],
    "before commit": [],
    "after finish": [],
}


def run(url: str, log: Path, killed_at: str) -> int:
    return subprocess.run(
        [sys.executable, str(PROCESS), url, str(log), killed_at], cwd=ROOT, timeout=60, env={"PYTHONPATH": str(ROOT)}
    ).returncode


def wants_work(database: Database) -> None:
    empty = {"group_labels": {}, "common_labels": {}, "common_annotations": {}}
    texts = dict.fromkeys(("source", "group_key", "receiver", "external_url"), "")

    def add(connection) -> None:
        connection.execute(insert(groups).values(id="g1", truncated=0, last_seen_at=0, **empty, **texts))
        work.want(connection, "group", "g1")

    database.write_now(add)


@pytest.mark.parametrize("instant", INSTANTS)
def test_work_survives_kill_9(database: Database, database_url: str, tmp_path: Path, instant: str) -> None:
    wants_work(database)
    log = tmp_path / "log"
    assert run(database_url, log, instant) == -signal.SIGKILL
    assert run(database_url, log, "") == 0
    done = database.read_now(lambda c: c.execute(select(groups.c.wanted, groups.c.done)).one())
    assert done.wanted == done.done == 1
    seen = Counter(log.read_text().split("\n"))
    repeated = [place for place in ONCE if seen[place] > 1]
    assert set(repeated) <= set(INSTANTS[instant]), "only the step that was being taken is taken again"
    assert all(seen[place] >= 1 for place in ONCE)


def test_it_survives_being_killed_again_and_again(database: Database, database_url: str, tmp_path: Path) -> None:
    wants_work(database)
    log = tmp_path / "log"
    for _ in range(3):
        assert run(database_url, log, "begin second") == -signal.SIGKILL
    assert run(database_url, log, "") == 0
    seen = Counter(log.read_text().split("\n"))
    assert (seen["begin first"], seen["begin second"]) == (1, 4)

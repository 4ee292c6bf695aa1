"""Rows a second that `audit verify` checks, from a SQLite file, on one core.

Run it as `python -m tests.benchmarks.bench_audit [--rows 200000]`; it prints and asserts nothing, since the machine is
shared. Rows are counted per second of this process's CPU time, which others' work does not lengthen much.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from bot.domain.audit import GENESIS, PURPOSE, row_hash
from bot.domain.canonical import canonical
from bot.domain.chain import Row, Verdict
from bot.domain.keys import Keys
from bot.store import audit as chain
from bot.store.database import Database
from bot.store.schema import migrate
from bot.store.tables import audit, counters
from tests.benchmarks.figures import Figures, arguments

KEYS = Keys.read("bench:" + "k" * 32)
ROUNDS = 5
BATCH = 10_000


def main() -> None:
    """Fill a database as `serve` does, row by row as it hashes and signs them, and check it in each way."""
    given = arguments(__doc__ or "", rows=200_000)
    figures = Figures(f"audit verify, {given.rows} rows")
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'signoff.db'}", keys=KEYS)
        migrate(database)
        fill(database, int(given.rows))
        ways = (
            ("stored rows", {}, "200,000 rows/s"),
            ("stored rows, signatures too", {"keys": KEYS}, "200,000 rows/s"),
            ("--strict", {"strict": True}, "20,000 rows/s"),
            ("--strict, signatures too", {"strict": True, "keys": KEYS}, "20,000 rows/s"),
        )
        for name, how, goal in ways:
            speeds = []
            for _ in range(ROUNDS):
                start = time.process_time()
                verdict: Verdict = database.read_now(lambda connection, how=how: chain.verify(connection, **how))
                speeds.append(verdict.rows / (time.process_time() - start))
                if verdict.fault or verdict.rows != given.rows:
                    raise SystemExit(f"the chain does not hold: {verdict}")
            figures.add(f"{name}, best", max(speeds), "rows/s", goal)
            figures.add(f"{name}, median", sorted(speeds)[ROUNDS // 2], "rows/s", goal)
        database.close()
    figures.show(as_json=given.json)


def fill(database: Database, number: int) -> None:
    """Write a chain of votes, as long as a real one's rows are."""
    before = GENESIS
    for first in range(1, number + 1, BATCH):
        rows = []
        for seq in range(first, min(first + BATCH, number + 1)):
            row = vote(seq, before)
            rows.append(row._asdict())
            before = row.hash
        database.write_now(lambda connection, rows=rows: connection.execute(audit.insert(), rows))
    database.write_now(lambda connection: connection.execute(counters.insert().values(name="audit", value=number)))


def vote(seq: int, before: str) -> Row:
    """One row of what a vote leaves behind."""
    data = {
        "decision": "approve",
        "voted_digest": f"{seq:064x}",
        "digest": f"{seq:064x}",
        "reason": "",
        "verdict": "Lee approved: 1 of 1. A-1042 may start.",
        "groups_age_ms": seq % 10_000,
    }
    content = (seq, 1_795_000_000_000_000 + seq, "vote.approved", "T0SHOP:U0LEE", f"A-{seq // 6}")
    text = canonical(data).decode()
    value = row_hash(*content, text, before)
    return Row(*content, text, before, value, KEYS.sign(PURPOSE, value.encode()))


if __name__ == "__main__":
    main()

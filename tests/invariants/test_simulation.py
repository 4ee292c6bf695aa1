"""Whatever order things happen in, nothing runs that was not signed, nothing runs twice, and nothing is stuck.

The sequences are made from seeds: a failure names its seed, which plays the same again.
`SIGNOFF_TEST_SEQUENCES=2000` plays more than the few of every test run.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.runbooks.catalogue import load
from tests.invariants.simulation import Simulation

SEQUENCES = int(os.environ.get("SIGNOFF_TEST_SEQUENCES", "60"))
EVENTS = 140
RUNBOOKS = Path(__file__).parents[2] / "runbooks"


@pytest.fixture(scope="module")
def simulation() -> Iterator[Simulation]:
    # What a crash leaves of a file is simulated, so nothing need reach a disk.
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(prefix="signoff-simulated-", dir=memory) as folder:
        made = Simulation(Path(folder), load(RUNBOOKS))
        yield made
        made.close()


@pytest.mark.parametrize("tenth", range(10))
async def test_no_sequence_of_events_breaks_a_promise(simulation: Simulation, tenth: int) -> None:
    for seed in range(tenth, SEQUENCES, 10):
        await simulation.play(seed, events=EVENTS)


async def test_the_sequences_reach_what_they_are_about(simulation: Simulation) -> None:
    """Ids and the real time of day move a sequence a little: what the few of this run did not meet, more of them do."""
    reached = simulation.counts
    wanted = {
        "kills",
        "approve counted",
        "revoke counted",
        "deny counted",
        "break counted",
        "reviewed counted",
        "executions by break-glass",
        "executions",
        "requests void",
        "runs succeeded",
    }
    seed = SEQUENCES
    while wanted - reached.keys() and seed < SEQUENCES + 300:
        await simulation.play(seed, events=EVENTS)
        seed += 1
    assert not wanted - reached.keys(), f"no sequence had any {wanted - reached.keys()}: {reached}"

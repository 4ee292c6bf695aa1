"""Turns: urgent work passes what waits, and everything else keeps its order."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from bot.store.turns import Turns


class Counter:
    """One thread behind a gate, and who came to it in which order."""

    def __init__(self) -> None:
        self.turns = Turns(1, "test")
        self.gate = threading.Event()
        self.served: list[str] = []

    async def blocked(self) -> asyncio.Task[None]:
        """Occupy the thread until the gate opens."""
        inside = threading.Event()

        def wait() -> None:
            inside.set()
            assert self.gate.wait(10)

        task = asyncio.create_task(self.turns.take(wait, urgent=False))
        assert await asyncio.to_thread(inside.wait, 10)
        return task

    async def queue(self, name: str, *, urgent: bool = False) -> asyncio.Task[None]:
        """Ask for a turn."""
        task = asyncio.create_task(self.turns.take(lambda: self.served.append(name), urgent=urgent))
        await asyncio.sleep(0)
        return task


@pytest.fixture
def counter() -> Iterator[Counter]:
    made = Counter()
    yield made
    made.gate.set()
    made.turns.close()


async def test_urgent_work_passes_what_waits_and_the_rest_keeps_its_order(counter: Counter) -> None:
    tasks = [await counter.blocked()]
    for name in ("a", "b", "URGENT 1", "c", "URGENT 2"):
        tasks.append(await counter.queue(name, urgent=name.startswith("URGENT")))
    counter.gate.set()
    await asyncio.gather(*tasks)
    assert counter.served == ["URGENT 1", "URGENT 2", "a", "b", "c"]


async def test_what_is_cancelled_while_it_waits_never_runs(counter: Counter) -> None:
    first = await counter.blocked()
    unwanted, wanted = await counter.queue("unwanted"), await counter.queue("wanted")
    unwanted.cancel()
    await asyncio.gather(unwanted, return_exceptions=True)
    counter.gate.set()
    await asyncio.gather(first, wanted)
    assert counter.served == ["wanted"]


async def test_an_error_is_its_caller_s_and_the_thread_goes_on(counter: Counter) -> None:
    def fail() -> None:
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        await counter.turns.take(fail, urgent=False)
    assert await counter.turns.take(lambda: 7, urgent=False) == 7


async def test_closing_lets_what_waits_be_done(counter: Counter) -> None:
    first, waiting = await counter.blocked(), await counter.queue("waiting")
    counter.gate.set()
    await asyncio.to_thread(counter.turns.close)
    await asyncio.gather(first, waiting)
    assert counter.served == ["waiting"]

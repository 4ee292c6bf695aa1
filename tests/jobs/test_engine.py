"""The engine: rows start jobs, no accepted work is lost, and nothing runs twice at once for one row."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
from sqlalchemy import insert, select

from bot.jobs.engine import Engine, Steps, Story
from bot.store import unreadable, work
from bot.store.database import Database
from bot.store.tables import groups, votes
from bot.store.unreadable import UnreadableRow
from tests.waiting import wait_until


@asynccontextmanager
async def launched(database: Database, *, at_once: int = 8, **stories: Story) -> AsyncIterator[Engine]:
    """An engine that tells these stories."""
    engine = Engine(database)
    for kind, story in stories.items():
        engine.tell(kind, story, version=1, at_once=at_once)
    await engine.launch()
    try:
        yield engine
    finally:
        await engine.close()


def add_group(database: Database, row_id: str = "g1") -> int:
    """Add a row that wants work. Returns its generation."""
    empty = {"group_labels": {}, "common_labels": {}, "common_annotations": {}}
    texts = dict.fromkeys(("source", "group_key", "receiver", "external_url"), "")

    def add(connection: Any) -> int:
        connection.execute(insert(groups).values(id=row_id, truncated=0, last_seen_at=0, **empty, **texts))
        return work.want(connection, "group", row_id)

    return database.write_now(add)


def add_vote(database: Database, row_id: str) -> int:
    texts = dict.fromkeys(("approval_id", "person", "decision", "digest", "reason", "channel", "state", "verdict"), "")

    def add(connection: Any) -> int:
        connection.execute(insert(votes).values(id=row_id, received_at=0, **texts))
        return work.want(connection, "vote", row_id)

    return database.write_now(add)


def want(database: Database, row_id: str = "g1") -> int:
    return database.write_now(lambda connection: work.want(connection, "group", row_id))


def is_done(database: Database, row_id: str = "g1", table: Any = groups) -> bool:
    query = select(table.c.wanted == table.c.done).where(table.c.id == row_id)
    return bool(database.read_now(lambda connection: connection.execute(query).scalar_one()))


def attempts(database: Database) -> int:
    return database.read_now(lambda c: c.execute(select(groups.c.attempts)).scalar_one())


def no_delay(database: Database) -> None:
    """Let what waits for its next attempt begin now."""
    database.write_now(lambda c: c.execute(groups.update().values(not_before=0)))


def finishing(database: Database, seen: Counter[str], kind: str = "group") -> Story:
    """A story that counts itself and does its row's work."""

    async def story(steps: Steps, row_id: str, generation: int) -> None:
        async def act() -> str:
            seen[f"{row_id}:{generation}"] += 1
            return row_id

        assert await steps("act", act) == row_id
        await steps("finish", database.write, lambda c: work.done(c, kind, row_id, generation))

    return story


async def test_a_row_that_wants_work_gets_its_job(database: Database) -> None:
    seen: Counter[str] = Counter()
    add_group(database)
    async with launched(database, group=finishing(database, seen)):
        await wait_until(lambda: is_done(database))
    assert seen == {"g1:1": 1}


async def test_a_job_may_be_started_at_once_and_any_number_of_times(database: Database) -> None:
    seen: Counter[str] = Counter()
    async with launched(database, group=finishing(database, seen)) as engine:
        generation = add_group(database)
        for _ in range(20):
            engine.start_soon("group", "g1", generation)
            await asyncio.sleep(0)
        await wait_until(lambda: is_done(database))
        for _ in range(5):
            engine.start_soon("group", "g1", generation)
        engine.start_soon("group", "g2", add_group(database, "g2"))
        await wait_until(lambda: is_done(database, "g2"))
    assert seen == {"g1:1": 1, "g2:1": 1}


async def test_each_generation_runs_once(database: Database) -> None:
    seen: Counter[str] = Counter()
    add_group(database)
    async with launched(database, group=finishing(database, seen)):
        for _ in range(3):
            await wait_until(lambda: is_done(database))
            want(database)
        await wait_until(lambda: is_done(database))
    assert seen == {f"g1:{generation}": 1 for generation in range(1, 5)}


async def test_jobs_of_one_row_run_one_after_the_other(database: Database) -> None:
    running: list[str] = []
    order: list[int] = []
    hold = asyncio.Event()

    async def story(steps: Steps, row_id: str, generation: int) -> None:
        running.append(row_id)
        assert running.count(row_id) == 1
        order.append(generation)
        await hold.wait()
        running.remove(row_id)
        await steps("finish", database.write, lambda c: work.done(c, "group", row_id, generation))

    first = add_group(database)
    add_group(database, "g2")
    async with launched(database, group=story) as engine:
        engine.start_soon("group", "g1", first)
        await wait_until(lambda: len(running) == 2, what="the other row, which waits for nobody")
        engine.start_soon("group", "g1", want(database))
        await asyncio.sleep(0.2)
        assert sorted(order) == [1, 1]
        hold.set()
        await wait_until(lambda: is_done(database))
    assert sorted(order) == [1, 1, 2]


async def test_only_so_many_jobs_of_a_kind_run_at_once_and_another_kind_does_not_wait(database: Database) -> None:
    now, most = 0, 0
    hold = asyncio.Event()
    seen: Counter[str] = Counter()

    async def slow(steps: Steps, row_id: str, generation: int) -> None:
        nonlocal now, most
        now, most = now + 1, max(most, now + 1)
        await hold.wait()
        now -= 1
        await steps("finish", database.write, lambda c: work.done(c, "group", row_id, generation))

    for nth in range(12):
        add_group(database, f"g{nth}")
    async with launched(database, at_once=3, group=slow, vote=finishing(database, seen, "vote")):
        await wait_until(lambda: now == 3)
        add_vote(database, "v1")
        await wait_until(lambda: is_done(database, "v1", votes))
        hold.set()
        await wait_until(lambda: all(is_done(database, f"g{nth}") for nth in range(12)))
    assert most == 3


async def test_a_job_that_fails_is_accepted_anew_until_it_succeeds(database: Database) -> None:
    tried: list[int] = []

    async def story(steps: Steps, row_id: str, generation: int) -> None:
        tried.append(generation)
        if len(tried) < 3:
            raise RuntimeError("not yet")
        await steps("finish", database.write, lambda c: work.done(c, "group", row_id, generation))

    add_group(database)
    async with launched(database, group=story):
        for times in (1, 2):
            await wait_until(lambda t=times: attempts(database) == t)
            no_delay(database)
        await wait_until(lambda: is_done(database))
    assert tried == [1, 2, 3]
    assert attempts(database) == 0


async def ends_without_a_word(_steps: Steps, _row_id: str, _generation: int) -> None:
    pass


async def fails_in_a_step(steps: Steps, _row_id: str, _generation: int) -> None:
    async def act() -> None:
        raise ValueError("no")

    await steps("act", act)


async def returns_what_is_no_json(steps: Steps, _row_id: str, _generation: int) -> None:
    async def act() -> object:
        return object()

    await steps("act", act)


@pytest.mark.parametrize("story", [ends_without_a_word, fails_in_a_step, returns_what_is_no_json])
async def test_however_a_job_ended_work_that_is_not_done_is_accepted_anew(database: Database, story: Story) -> None:
    add_group(database)
    async with launched(database, group=story):
        await wait_until(lambda: attempts(database) == 1)
        no_delay(database)
        await wait_until(lambda: attempts(database) == 2)
    assert not is_done(database)


async def test_a_row_that_cannot_be_read_is_set_aside_and_the_others_go_on(database: Database) -> None:
    seen: Counter[str] = Counter()
    healthy = finishing(database, seen)

    async def story(steps: Steps, row_id: str, generation: int) -> None:
        async def read() -> None:
            raise UnreadableRow("alert_groups", "g1", "labels: not labels")

        await (steps("read", read) if row_id == "g1" else healthy(steps, row_id, generation))

    add_group(database)
    add_group(database, "g2")
    async with launched(database, group=story):
        await wait_until(lambda: is_done(database, "g1") and is_done(database, "g2"))
    assert database.read_now(unreadable.reported) == ["alert_groups row g1: labels: not labels"]


async def test_a_job_that_meets_another_unreadable_row_reports_it_and_is_tried_again(database: Database) -> None:
    async def story(steps: Steps, row_id: str, generation: int) -> None:
        async def read() -> None:
            raise UnreadableRow("incidents", "i9", "labels: not labels")

        await steps("read", read)

    add_group(database)
    async with launched(database, group=story):
        await wait_until(lambda: attempts(database) == 1)
    assert not is_done(database)
    assert database.read_now(unreadable.reported) == ["incidents row i9: labels: not labels"]


async def test_new_work_that_comes_while_a_job_runs_is_done_after_it(database: Database) -> None:
    seen: Counter[str] = Counter()
    begun, go_on = asyncio.Event(), asyncio.Event()
    plain = finishing(database, seen)

    async def story(steps: Steps, row_id: str, generation: int) -> None:
        begun.set()
        await go_on.wait()
        await plain(steps, row_id, generation)

    add_group(database)
    async with launched(database, group=story):
        await begun.wait()
        want(database)
        go_on.set()
        await wait_until(lambda: is_done(database))
    assert seen == {"g1:1": 1, "g1:2": 1}


async def test_closing_in_the_middle_of_a_step_loses_nothing(database: Database) -> None:
    steps_done: Counter[str] = Counter()
    block = asyncio.Event()

    async def story(steps: Steps, row_id: str, generation: int) -> None:
        async def first() -> int:
            steps_done["first"] += 1
            return 41

        async def second() -> int:
            steps_done["second"] += 1
            await block.wait()
            return 1

        total = await steps("first", first) + await steps("second", second)
        steps_done[f"total {total}"] += 1
        await steps("finish", database.write, lambda c: work.done(c, "group", row_id, generation))

    add_group(database)
    async with launched(database, group=story):
        await wait_until(lambda: steps_done["second"] == 1)
    assert not is_done(database)
    block.set()
    async with launched(database, group=story):
        await wait_until(lambda: is_done(database))
    assert steps_done == {"first": 1, "second": 2, "total 42": 1}


async def test_nothing_starts_before_the_launch_or_after_the_end(database: Database) -> None:
    seen: Counter[str] = Counter()
    engine = Engine(database)
    engine.tell("group", finishing(database, seen), version=1)
    generation = add_group(database)
    engine.start_soon("group", "g1", generation)
    await engine.launch()
    await wait_until(lambda: is_done(database))
    await engine.close()
    engine.start_soon("group", "g1", want(database))
    await asyncio.sleep(0.1)
    assert seen == {"g1:1": 1}


async def test_work_of_a_kind_that_nobody_tells_waits_for_somebody_who_does(database: Database) -> None:
    seen: Counter[str] = Counter()
    add_group(database)
    add_vote(database, "v1")
    async with launched(database, group=finishing(database, seen)):
        await wait_until(lambda: is_done(database))
    assert not is_done(database, "v1", votes)


async def test_a_job_that_one_story_starts_is_no_child_of_it(database: Database) -> None:
    seen: Counter[str] = Counter()
    engines: list[Engine] = []

    async def story(steps: Steps, row_id: str, generation: int) -> None:
        async def judge() -> int:
            return add_vote(database, "v1")

        engines[0].start_soon("vote", "v1", await steps("judge", judge))
        await steps("finish", database.write, lambda c: work.done(c, "group", row_id, generation))

    add_group(database)
    async with launched(database, group=story, vote=finishing(database, seen, "vote")) as engine:
        engines.append(engine)
        await wait_until(lambda: is_done(database) and is_done(database, "v1", votes))
    assert seen == {"v1:1": 1}


async def test_jobs_that_ended_long_ago_are_forgotten_and_their_rows_stay(database: Database) -> None:
    seen: Counter[str] = Counter()
    add_group(database)
    async with launched(database, group=finishing(database, seen)) as engine:
        await wait_until(lambda: is_done(database))
        assert await engine.forget() == 0
        assert await wait_until(lambda: engine.forget(older_than_seconds=0)) == 1
    assert is_done(database)


async def test_a_burst_beyond_what_may_be_started_at_once_is_worked_off(database: Database) -> None:
    seen: Counter[str] = Counter()
    async with launched(database, group=finishing(database, seen)) as engine:
        for nth in range(60):
            engine.start_soon("group", f"g{nth}", add_group(database, f"g{nth}"))
        await wait_until(lambda: all(is_done(database, f"g{nth}") for nth in range(60)), 60)
        forgotten = 0
        while forgotten < 60:
            forgotten += await wait_until(lambda: engine.forget(older_than_seconds=0, at_once=7))
    assert set(seen.values()) == {1}


async def test_what_a_step_was_given_is_told_to_no_log_when_it_is_cut_off(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    begun = asyncio.Event()

    async def act(_secret: str) -> None:
        begun.set()
        await asyncio.Event().wait()

    async def story(steps: Steps, _row_id: str, _generation: int) -> None:
        await steps("act", partial(act, "in clear"))

    add_group(database)
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("dbos").addHandler(caplog.handler)
        async with launched(database, group=story):
            await asyncio.wait_for(begun.wait(), 10)
        logging.getLogger("dbos").removeHandler(caplog.handler)
    assert "cancelled" in caplog.text, "nothing was said of the step at all"
    assert "in clear" not in caplog.text

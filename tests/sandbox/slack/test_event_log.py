"""The log keeps the last thousand lines, and the bell wakes everyone who waits."""

import asyncio

from bot.sandbox.slack.event_log import Bell, EventLog


def test_the_log_keeps_the_last_thousand_lines_under_their_numbers() -> None:
    log = EventLog(lambda: 5.0, lambda: None)
    for n in range(1001):
        log.add("api", f"line {n}")
    entries = log.since()
    assert (len(entries), entries[0].n, entries[-1].title) == (1000, 2, "line 1000")
    assert [entry.n for entry in log.since(1000)] == [1001]


async def test_a_change_wakes_everyone_who_waits() -> None:
    bell = Bell()
    waiting = [asyncio.create_task(bell.wait_beyond(0, 5)) for _ in range(2)]
    await asyncio.sleep(0)
    bell.ring()
    assert await asyncio.gather(*waiting) == [1, 1]


async def test_nobody_waits_for_what_has_happened_or_longer_than_asked() -> None:
    bell = Bell()
    bell.ring()
    assert await bell.wait_beyond(0, 5) == 1
    assert await bell.wait_beyond(1, 0.001) == 1
    bell.close()
    assert await bell.wait_beyond(bell.revision, 5) == 2

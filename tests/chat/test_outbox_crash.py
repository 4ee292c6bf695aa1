"""The crash matrix: killed at every instant around a post, the message is in Slack exactly once afterwards."""

import asyncio
import os
from pathlib import Path

import pytest

from bot.store import clock
from bot.store import outbox as rows
from bot.store.database import Database
from bot.store.schema import migrate
from tests.chat.workspace import INCIDENTS, LocalSlack
from tests.system import processes
from tests.waiting import wait_until

PROCESS = Path(__file__).with_name("crashing_outbox.py")
MOST_INSTANTS = 40


async def outbox_process(database: Path, slack: LocalSlack, die_at: int) -> tuple[int, str]:
    words = [str(PROCESS), f"sqlite:///{database}", slack.sandbox.api_url, slack.sandbox.bot_token, str(die_at)]
    out, errors = database.with_suffix(f".out-{die_at}"), database.with_suffix(".errors")
    process = processes.start(words, os.environ, out=out, errors=errors)
    await wait_until(lambda: process.poll() is not None, 60, "the process to end")
    status = process.wait()
    assert status in (0, -9), errors.read_text()
    return status, out.read_text().strip().splitlines()[-1]


def ask(path: Path, text: str, *, thread_key: str | None = None, key: str = "card") -> None:
    database = Database(f"sqlite:///{path}")
    migrate(database)
    block = {"type": "section", "text": {"type": "plain_text", "text": text}}
    database.write_now(
        lambda connection: rows.put(
            connection,
            key=key,
            channel=INCIDENTS,
            payload={"text": text, "blocks": [block]},
            thread_key=thread_key,
            now=clock.now(connection),
        )
    )
    database.close()


@pytest.mark.timeout(300)
async def test_killed_at_any_instant_each_message_is_there_once(tmp_path: Path, slack: LocalSlack) -> None:
    await slack.switch(rate_limit_scale=0)
    survived = False
    deaths: list[str] = []

    async def one(instant: int) -> bool:
        path = tmp_path / f"{instant}.db"
        ask(path, f"card {instant}")
        ask(path, f"reply {instant}", key="reply", thread_key="card")
        status, last = await outbox_process(path, slack, instant)
        if status == 0:
            return True
        deaths.append(last)
        status, _ = await outbox_process(path, slack, 0)
        assert status == 0
        return False

    instant = 0
    while not survived:
        batch = range(instant + 1, instant + 8)
        survived = any(await asyncio.gather(*(one(number) for number in batch)))
        instant = batch[-1]
        assert instant < MOST_INSTANTS
    assert len(deaths) >= 12, deaths
    assert {"before a commit", "after a commit"} <= {death.removeprefix("died at ") for death in deaths}
    assert any(death.endswith("after /api/chat.postMessage") for death in deaths)
    cards = await slack.messages()
    assert sorted(card["text"] for card in cards) == sorted(f"card {number}" for number in range(1, instant + 1))
    for card in cards:
        assert [reply["text"] for reply in card["replies"]] == [card["text"].replace("card", "reply")]
        assert "twice" not in str(card)

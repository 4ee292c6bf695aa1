"""What `serve` writes to its standard error, from the first start over kill -9 to SIGTERM: JSON lines, no secret."""

from __future__ import annotations

import json
from pathlib import Path

from tests.postgres import running
from tests.system.town import TOKEN, Town, checkout_alert, quick_runbooks, town

PASSWORD = "planted-in-the-url-0f3b"


def lines(here: Town) -> list[dict[str, object]]:
    return [json.loads(line) for line in here.log().splitlines()]


def the_engine_said(here: Town) -> bool:
    return any("dbos" in str(line["logger"]) for line in lines(here))


async def test_every_line_is_json_and_redacted_whatever_ends_the_process(closed_shop: Town) -> None:
    here = closed_shop
    await here.interrupted("after:run.started", SIGNOFF_LOG_LEVEL="debug")
    await here.serve()
    await here.sees("A-1 helped")
    here.stop()
    said = lines(here)
    assert [line["event"] for line in said].count("serving") == 2
    assert said[-1]["event"] == "stopping"
    assert all(line["level"] and line["logger"] and line["timestamp"] for line in said)
    for secret in (TOKEN, "k" * 32, here.environment["SLACK_BOT_TOKEN"], here.environment["SLACK_APP_TOKEN"]):
        assert secret not in here.log()


async def test_so_are_the_engines_own_lines_when_its_database_goes_away(tmp_path: Path) -> None:
    with running() as server, server.fresh() as url:
        there = url.replace("@", f":{PASSWORD}@", 1)
        assert PASSWORD in there
        async with town(tmp_path, runbooks=quick_runbooks(tmp_path / "runbooks")) as here:
            await here.serve(SIGNOFF_DATABASE_URL=there)
            server.stop()
            await here.until(
                lambda: any("dbos" in str(line["logger"]) for line in lines(here)), "the engine to complain"
            )
            await here.until(lambda: here.alert(checkout_alert()), "an answer")
            server.start()
            await here.until(lambda: here.is_ready(), "the bot to be ready again")
            here.stop()
        assert lines(here)[-1]["event"] == "stopping"
        assert PASSWORD not in here.log()

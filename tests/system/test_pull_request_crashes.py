"""kill -9 and lost answers while a pull request is reviewed: nothing is lost and nothing is said twice.

`SIGNOFF_TEST_CRASHES=all` kills at every write of the story; by default at a spread of them.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.system.test_pull_requests import opened, pull, reviewed
from tests.system.town import Json, Town, town

ALL = os.environ.get("SIGNOFF_TEST_CRASHES") == "all"
COMMITS = 26
POINTS = range(1, COMMITS + 1) if ALL else (8, 14, 20)


@pytest.fixture(scope="module")
async def code(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    async with town(tmp_path_factory.mktemp("code"), github=True) as here:
        yield here


async def said_once(here: Town, repository: str) -> None:
    """Wait until a pull request is reviewed, redelivering what failed as people do, and see that all is said once."""

    async def redelivered() -> bool:
        async with here.session.get(f"{here.urls['github']}/sandbox/github/deliveries") as response:
            found = (await response.json())["deliveries"]
        known = {one["guid"] for one in found if one["status"] in ("OK", "pending")}
        for one in found:
            if one["guid"] not in known:
                await here.on_github("redeliver", delivery=one["id"])
        return True

    await redelivered()
    found = await reviewed(here, repository)

    async def checked() -> list[Json]:
        checks: list[Json] = (await here.github(repository))["checks"]
        return checks

    await here.until(checked, "the check run")
    found = await pull(here, repository)
    heads = [one["commit_id"] for one in found["reviews"]]
    assert heads == [found["head_sha"]]
    assert len([one for one in found["comments"] if one["user"] == "signoff[bot]"]) == 1
    assert [one["head_sha"] for one in await checked()] == heads
    await here.sees(rf"^Risk high in {repository}#1")
    assert await here.count(rf"^Risk high in {repository}#1") == 1


@pytest.mark.parametrize("number", POINTS)
async def test_a_kill_at_any_write_is_harmless(code: Town, tmp_path: Path, number: int) -> None:
    armed = tmp_path / "armed"
    when = ("before", "after")[number % 2]
    await code.serve(killed_at=f"{when}:{number}", SIGNOFF_TEST_ARMED=str(armed))
    armed.touch()
    repository = await opened(code, f"killed-{number}")
    serving = code.serving
    assert serving is not None

    async def over() -> bool:
        found = await pull(code, repository)
        return serving.poll() is not None or bool(found["comments"] and (await code.github(repository))["checks"])

    await code.until(over, "the kill or the end")
    if serving.poll() is None:
        code.stop()
    await code.serve()
    await said_once(code, repository)
    assert code.audit_holds()
    code.stop()


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/reviews$"), ("POST", "/comments$"), ("POST", "/check-runs$"), ("PATCH", "/issues/comments/")],
)
@pytest.mark.parametrize("action", ["lose_answer", "drop"])
async def test_a_post_without_an_answer_is_looked_for_before_it_is_made_again(
    code: Town, method: str, path: str, action: str
) -> None:
    if code.serving is None or code.serving.poll() is not None:
        await code.serve()
    await code.on_github("fault", action=action, method=method, path=path)
    repository = await opened(code, f"lost-{action}-{method.lower()}-{path.strip('/$').replace('/', '-')}")
    await said_once(code, repository)
    if method == "PATCH":
        await code.on_github("comment", full_name=repository, number=1, body="@signoff review", user="lee")
    await said_once(code, repository)

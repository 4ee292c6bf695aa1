"""Pull requests end to end: the real bot, a GitHub that is as strict as the real one, and Slack."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.town import Json, Town, town

SHOP = "shop/deploy"
PATH = "apps/checkout/deployment.yaml"


@pytest.fixture
async def code(tmp_path: Path) -> AsyncIterator[Town]:
    """An installation with GitHub, that does not serve yet. Pull request 1 takes a probe away."""
    async with town(tmp_path, github=True) as here:
        yield here


async def pull(here: Town, number: int = 1) -> Json:
    found = await here.github(SHOP)
    return next(one for one in found["pulls"] if one["number"] == number)


async def reviewed(here: Town, number: int = 1, reviews: int = 1) -> Json:
    """Wait for the work on a pull request to be done, with so many reviews."""

    async def there() -> Json | None:
        one = await pull(here, number)
        waiting = here.rows("SELECT count(*) FROM pulls WHERE done < wanted")
        done = len(one["reviews"]) >= reviews and one["comments"] and waiting == [(0,)]
        return one if done else None

    found: Json = await here.until(there, f"{reviews} reviews of #{number}")
    return found


async def delivered(here: Town) -> Any:
    async with here.session.get(f"{here.urls['github']}/sandbox/github/deliveries") as response:
        return (await response.json())["deliveries"]


async def test_an_opened_pull_request_is_reviewed_once_in_all_places(code: Town) -> None:
    await code.serve()
    await code.on_github("act-on-pull", full_name=SHOP, number=1, action="reopen")
    found = await reviewed(code)
    (review,) = found["reviews"]
    assert review["state"] == "COMMENTED"
    assert [(one["path"], one["side"]) for one in review["comments"]] == [(PATH, "LEFT")]
    assert [one["user"] for one in found["comments"]] == ["signoff[bot]"]
    assert "readinessProbe" in review["comments"][0]["body"]
    (check,) = (await code.github(SHOP))["checks"]
    assert (check["status"], check["head_sha"]) == ("completed", found["head_sha"])
    await code.sees(r"^Risk high in shop/deploy#1")

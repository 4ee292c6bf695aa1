"""What the tests with real components share: how to insist on one, and an installation to point it at."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.system.town import Town, quick_runbooks, town


@pytest.fixture(scope="session")
def installed() -> Callable[[str], str]:
    """Find a Debian package's program. In CI an absent one is a failure, never a reason to leave tests out."""

    def find(name: str) -> str:
        path = shutil.which(name)
        if path is None:
            missing = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
            missing(f"there is no {name}: apt-get install {name}")
        return str(path)

    return find


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Town]:
    """An installation that serves, with the shop's checkout just broken."""
    async with town(tmp_path, runbooks=quick_runbooks(tmp_path / "runbooks")) as here:
        await here.serve()
        yield here

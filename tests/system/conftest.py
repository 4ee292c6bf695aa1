from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.system.town import Town, quick_runbooks, town


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Town]:
    """An installation that serves, with the shop's checkout just broken."""
    async with town(tmp_path, runbooks=quick_runbooks(tmp_path / "runbooks")) as here:
        await here.serve()
        yield here

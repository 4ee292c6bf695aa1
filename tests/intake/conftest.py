from collections.abc import AsyncIterator

import pytest

from tests.chat.workspace import local_slack
from tests.intake.room import Room, connected


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    async with local_slack(rate_limit_scale=0) as slack, connected(slack) as running:
        yield running

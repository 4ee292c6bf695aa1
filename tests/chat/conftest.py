from collections.abc import AsyncIterator, Iterator

import pytest

from bot.store.database import Database
from tests.chat.workspace import LocalSlack, local_slack


@pytest.fixture
def database(sqlite_url: str) -> Iterator[Database]:
    opened = Database(sqlite_url)
    yield opened
    opened.close()


@pytest.fixture
async def slack() -> AsyncIterator[LocalSlack]:
    async with local_slack() as running:
        yield running

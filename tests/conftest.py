"""What every room's tests share: a clean environment, and a fresh database of either kind."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.store.database import Database
from bot.store.schema import migrate
from tests.postgres import PostgreSQL, running

_OURS = ("SIGNOFF_", "SLACK_", "ANTHROPIC_", "GITHUB_")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
for name in list(os.environ):
    if name.startswith(_OURS) or name.lower() in _PROXIES or name == "KUBECONFIG":
        del os.environ[name]


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgreSQL]:
    """One PostgreSQL for the session; each test gets a database of its own in it."""
    with running() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'signoff.db'}"
        return
    server: PostgreSQL = request.getfixturevalue("postgres")
    with server.fresh() as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An open database with Signoff's tables."""
    opened = Database(database_url)
    migrate(opened)
    yield opened
    opened.close()

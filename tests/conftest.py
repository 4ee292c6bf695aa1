"""What every room's tests share: a clean environment, a fresh database of either kind, and a whole installation."""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import structlog
from hypothesis import settings

from bot.sandbox import messages
from bot.store.database import Database
from bot.store.schema import migrate
from tests.postgres import PostgreSQL, running
from tests.system.town import Town, quick_runbooks, town

_OURS = ("SIGNOFF_", "SLACK_", "ANTHROPIC_", "GITHUB_")
for name in list(os.environ):
    if name.startswith("SIGNOFF_TEST_"):
        continue  # says how much is tested
    if name.startswith(_OURS) or name.lower().endswith("_proxy") or name == "KUBECONFIG":
        del os.environ[name]


# What a test lets fail is logged with its traceback, and to draw each in colours takes a twentieth of the whole run.
_plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
structlog.configure(processors=[*structlog.get_config()["processors"][:-1], _plain])

# Speed is for the benchmarks to judge, never for the load of the machine that runs the properties.
settings.register_profile(
    "unhurried", settings.default, deadline=None, max_examples=int(os.environ.get("SIGNOFF_TEST_EXAMPLES", "60"))
)
settings.load_profile("unhurried")

# These wait for processes more than they compute, so they are spread among those that compute.
_WAITING = ("real", "system", "jobs", "invariants", "store", "helm")
_SPREAD = 0.85  # of the whole run: a long one that begins last would keep all others waiting


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let files that wait and files that compute take turns, so that neither processors nor workers are idle."""
    rooms = {item.path: item.path.relative_to(Path(__file__).parent).parts[0] for item in items}
    waiting = sorted((path for path in rooms if rooms[path] in _WAITING), key=lambda path: _WAITING.index(rooms[path]))
    computing = [path for path in rooms if rooms[path] not in _WAITING]
    place = {path: _SPREAD * nth / len(waiting) for nth, path in enumerate(waiting)}
    place |= {path: nth / len(computing) for nth, path in enumerate(computing)}
    items.sort(key=lambda item: place[item.path])


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgreSQL]:
    """One PostgreSQL for the session; each test gets a database of its own in it."""
    with running() as server:
        yield server


def with_tables(url: str) -> None:
    """Make Signoff's tables in an empty database."""
    made = Database(url)
    migrate(made)
    made.close()


@pytest.fixture(scope="session")
def sqlite_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with Signoff's tables, to be copied."""
    path = tmp_path_factory.mktemp("tables") / "signoff.db"
    with_tables(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_tables(postgres: PostgreSQL) -> Iterator[str]:
    """The name of a PostgreSQL database with Signoff's tables, to be copied."""
    with postgres.fresh() as url:
        with_tables(url)
        yield urlsplit(url).path.removeprefix("/")


@pytest.fixture
def sqlite_url(sqlite_tables: Path, tmp_path: Path) -> str:
    """The URL of a SQLite database with Signoff's tables, for what is the same with PostgreSQL."""
    path = tmp_path / "signoff.db"
    shutil.copyfile(sqlite_tables, path)
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database, or of one with Signoff's tables if the test takes it as ``database`` too."""
    tables = "database" in request.fixturenames
    if request.param == "sqlite":
        path = tmp_path / "signoff.db"
        if tables:
            shutil.copyfile(request.getfixturevalue("sqlite_tables"), path)
        yield f"sqlite:///{path}"
        return
    server: PostgreSQL = request.getfixturevalue("postgres")
    with server.fresh(like=request.getfixturevalue("postgres_tables") if tables else "template1") as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An open database with Signoff's tables."""
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture
async def closed_shop(tmp_path: Path) -> AsyncIterator[Town]:
    """An installation whose bot is not started yet."""
    async with town(tmp_path, runbooks=quick_runbooks(tmp_path / "runbooks")) as here:
        yield here


@pytest.fixture
async def shop(closed_shop: Town) -> Town:
    """An installation that serves, with the shop's checkout just broken."""
    await closed_shop.serve()
    return closed_shop


@pytest.fixture
async def model() -> AsyncIterator[messages.MessagesSandbox]:
    """The stand-in for the model's API."""
    sandbox = await messages.start(port=0)
    yield sandbox
    await sandbox.stop()

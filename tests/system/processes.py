"""Processes of Python for tests, forked from one that has imported what the bot and the stand-ins import.

Importing is most of what starting costs, and an installation is started a hundred times. A fork is a process like any
other: it has its own memory, connections and locks, and is killed like any other.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

_FORKED = Path(__file__).with_name("forked.py")
_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["tests.system.preloaded"])


class Process(Protocol):
    """What tests do with a process."""

    pid: int

    def poll(self) -> int | None:
        """Return how it ended, or None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end."""

    def send_signal(self, sig: int) -> None:
        """Signal it."""

    def terminate(self) -> None:
        """SIGTERM."""

    def kill(self) -> None:
        """SIGKILL."""


class Fork:
    """A forked process."""

    def __init__(self, words: Sequence[str], environment: Mapping[str, str], out: Path, errors: Path) -> None:
        given = {"words": list(words), "environment": dict(environment), "out": str(out), "errors": str(errors)}
        self._process = _forks.Process(target=runpy.run_path, args=(str(_FORKED), given), daemon=True)
        self._process.start()
        assert self._process.pid is not None
        self.pid: int = self._process.pid

    def poll(self) -> int | None:
        """Return how it ended, or None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end. Raises ``subprocess.TimeoutExpired``."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
        return self._process.exitcode

    def send_signal(self, sig: int) -> None:
        """Signal it, if it runs."""
        if self.poll() is None:
            os.kill(self.pid, sig)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


def start(
    words: Sequence[str], environment: Mapping[str, str], *, out: Path, errors: Path, fork: bool = True
) -> Process:
    """Start `python WORDS`. ``fork`` is False where start-up itself is measured."""
    if fork:
        return Fork(words, environment, out, errors)
    with out.open("ab") as output, errors.open("ab") as complaints:
        return subprocess.Popen(
            [sys.executable, *words], env=environment, stdout=output, stderr=complaints, stdin=subprocess.DEVNULL
        )


class Ended(NamedTuple):
    """A process that has ended: its exit status, or the negative signal that ended it, and what it wrote."""

    status: int
    out: str
    errors: str


def run(words: Sequence[str], environment: Mapping[str, str], *, seconds: float = 60) -> Ended:
    """Run `python WORDS` in a fork until it ends. Raises ``subprocess.TimeoutExpired``.

    Only for the main thread: two that wait for forks could take each other's exit status.
    """
    with tempfile.TemporaryDirectory() as folder:
        out, errors = Path(folder) / "out", Path(folder) / "errors"
        process = start(words, environment, out=out, errors=errors)
        try:
            status = process.wait(seconds)
        finally:
            process.kill()
        return Ended(status, *(path.read_text() if path.exists() else "" for path in (out, errors)))

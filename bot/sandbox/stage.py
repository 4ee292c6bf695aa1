"""The demo's stage: the stand-ins and the unmodified bot as processes, started, ready and ended together."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import socket
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

START_SECONDS = 60.0
_MODEL = (
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_API_KEY_FILE",
    "ANTHROPIC_BASE_URL",
    "HTTPS_PROXY",
    "SIGNOFF_MODEL",
    "SIGNOFF_MODEL_DEADLINE_SECONDS",
    "SSL_CERT_FILE",
)
_PASSED_ON = (*_MODEL, "HOME", "LANG", "LC_ALL", "PATH", "TMPDIR")


class NotStarted(Exception):
    """A process did not start; the message has what it logged."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The running stand-ins and the running bot."""

    page: str
    kubernetes: str
    bot: str
    environment: Mapping[str, str]
    logs: tuple[Path, ...]
    processes: tuple[asyncio.subprocess.Process, ...]

    def log_tail(self) -> str:
        """Return the last lines of what the processes logged."""
        return "\n".join(_tail(log) for log in self.logs)


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:]


@contextlib.asynccontextmanager
async def stage(folder: Path, *, port: int = 0) -> AsyncIterator[Stage]:
    """Start everything in `folder`, wait until the bot is ready with nothing to complain of, and end it all after.

    `port` is the page's. Raises `NotStarted`.
    """
    listen = f"127.0.0.1:{_free_port()}"
    base = {name: os.environ[name] for name in _PASSED_ON if os.environ.get(name)}
    base |= {
        "SIGNOFF_ALERTMANAGER_TOKEN": secrets.token_hex(32),
        "SIGNOFF_SECRET_KEY": f"demo:{secrets.token_hex(32)}",
        "SIGNOFF_DATABASE_URL": f"sqlite:///{folder / 'signoff.db'}",
        "SIGNOFF_LISTEN": listen,
        # A proxy is on the way to the model and never to the stand-ins.
        "NO_PROXY": "127.0.0.1,localhost",
    }
    logs = (folder / "sandbox.log", folder / "serve.log")
    async with contextlib.AsyncExitStack() as life:
        webhook = f"http://{listen}/webhooks/alertmanager"
        words = ["-m", "bot.sandbox", "--slack", str(port), "--kubernetes", "0", "--folder", str(folder)]
        sandbox = await _spawn(life, [*words, "--webhook", webhook, "--json"], base, logs[0], read=True)
        told = await _first_line(sandbox, logs[0])
        environment = base | told["environment"]
        serve = await _spawn(life, ["-m", "bot", "serve"], environment, logs[1])
        up = Stage(
            told["urls"]["slack"], told["urls"]["kubernetes"], f"http://{listen}", environment, logs, (sandbox, serve)
        )
        await _ready(up, serve)
        yield up


async def _spawn(
    life: contextlib.AsyncExitStack,
    words: Sequence[str],
    environment: Mapping[str, str],
    log: Path,
    *,
    read: bool = False,
) -> asyncio.subprocess.Process:
    output = life.enter_context(log.open("wb"))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *words,
        env=dict(environment),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE if read else output,
        stderr=output,
        start_new_session=True,
    )
    life.push_async_callback(_end, process)
    return process


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), 10)
    except TimeoutError:
        process.kill()
        await process.wait()


async def _first_line(process: asyncio.subprocess.Process, log: Path) -> dict[str, Any]:
    if process.stdout is None:
        raise NotStarted("the sandbox's output is not read")
    try:
        line = await asyncio.wait_for(process.stdout.readline(), START_SECONDS)
        told: dict[str, Any] = json.loads(line)
    except (TimeoutError, ValueError):
        raise NotStarted(f"the sandbox did not start:\n{_tail(log)}") from None
    return told


async def _ready(up: Stage, serve: asyncio.subprocess.Process) -> None:
    async with aiohttp.ClientSession() as session:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and serve.returncode is None:
            with contextlib.suppress(aiohttp.ClientError):
                async with session.get(f"{up.bot}/readyz") as response:
                    state = await response.json()
                    if state["ready"] and not state["problems"]:
                        return
            await asyncio.sleep(0.05)
    raise NotStarted(f"the bot did not get ready:\n{up.log_tail()}")


def _free_port() -> int:
    """A port below those that the system gives to connections: one of those may be gone a moment later."""
    while True:
        port = 32_000 + secrets.randbelow(768)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port

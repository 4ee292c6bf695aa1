"""What happened in the local workspace, for the page's log, and a bell that rings at every visible change."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Level = Literal["info", "warning", "error"]

_KEPT = 1000


@dataclass(frozen=True)
class Entry:
    """One line of the log: `kind` is api, envelope, ack, push, fault or safety; `detail` is plain JSON."""

    n: int
    at: float
    kind: str
    level: Level
    title: str
    detail: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The entry as the page gets it."""
        return asdict(self)


class EventLog:
    """The last thousand things that happened, oldest first; tokens are never put in."""

    def __init__(self, clock: Callable[[], float], changed: Callable[[], None]) -> None:
        self._clock = clock
        self._changed = changed
        self._entries: deque[Entry] = deque(maxlen=_KEPT)
        self._next = 1

    def add(self, kind: str, title: str, *, level: Level = "info", **detail: Any) -> None:
        """Append one line and ring the bell."""
        self._entries.append(Entry(self._next, self._clock(), kind, level, title, detail))
        self._next += 1
        self._changed()

    def since(self, n: int = 0) -> list[Entry]:
        """The kept entries with a number above `n`, oldest first."""
        return [entry for entry in self._entries if entry.n > n]


class Bell:
    """Wakes everyone who waits for the workspace to change."""

    def __init__(self) -> None:
        self.revision = 0
        self._closed = False
        self._waiters: set[asyncio.Future[None]] = set()

    def ring(self) -> None:
        """Note a change and wake all waiters."""
        self.revision += 1
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._waiters.clear()

    def close(self) -> None:
        """Wake everyone for the last time; nobody waits any more."""
        self._closed = True
        self.ring()

    async def wait_beyond(self, revision: int, seconds: float) -> int:
        """Return the revision as soon as it is above `revision`, or the unchanged one after so many `seconds`."""
        if self.revision <= revision and not self._closed:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.add(waiter)
            try:
                await asyncio.wait_for(waiter, seconds)
            except TimeoutError:
                self._waiters.discard(waiter)
        return self.revision

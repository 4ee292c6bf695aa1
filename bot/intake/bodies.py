"""Bodies of webhooks, read within bounds: of size, of time, of how many wait, and of what all of them take together."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from aiohttp import web

READ_SECONDS = 30.0
WAITING_AT_MOST = 256
HELD_AT_MOST = 4  # times the largest body: what all waiting bodies may take together

_TOO_MANY = "too many webhooks are waiting to be stored: try again"


class Unread(Exception):
    """A body was not read; the message says why and ``status`` is the answer's."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class _TooLarge(Exception):
    """More bytes came than a body may have."""


class _NoRoom(Exception):
    """All bodies that are waiting take as much memory as they may."""


class Bodies:
    """Reads bodies of at most ``largest`` bytes. ``held`` times that is what all waiting ones may take together."""

    def __init__(self, largest: int, *, read_seconds: float = READ_SECONDS, held: int = HELD_AT_MOST) -> None:
        self._largest = largest
        self._read_seconds = read_seconds
        self._held_at_most = largest * held
        self._waiting = 0
        self._held = 0

    @contextlib.asynccontextmanager
    async def read(self, request: web.Request) -> AsyncIterator[bytearray]:
        """Yield the body, which counts as waiting for as long as the context lasts. Raises ``Unread``."""
        if (request.content_length or 0) > self._largest:
            raise Unread(413, f"the body is larger than {self._largest} bytes")
        if self._waiting >= WAITING_AT_MOST:
            raise Unread(503, _TOO_MANY)
        self._waiting += 1
        body = bytearray()
        try:
            await self._read(request, body)
            yield body
        finally:
            self._waiting -= 1
            self._held -= len(body)

    async def _read(self, request: web.Request, body: bytearray) -> None:
        try:
            async with asyncio.timeout(self._read_seconds):
                async for part in request.content.iter_any():
                    self._add(part, body)
        except TimeoutError:
            raise Unread(408, f"the body did not arrive within {self._read_seconds:.0f} s") from None
        except _TooLarge:
            raise Unread(413, f"the body is larger than {self._largest} bytes") from None
        except _NoRoom:
            raise Unread(503, _TOO_MANY) from None
        except (web.RequestPayloadError, ConnectionError):
            raise Unread(400, "the body could not be read: it was cut or badly encoded") from None

    def _add(self, part: bytes, body: bytearray) -> None:
        if len(body) + len(part) > self._largest:
            raise _TooLarge
        if self._held + len(part) > self._held_at_most:
            raise _NoRoom
        self._held += len(part)
        body += part

"""Loki: the newest lines of log streams over its HTTP API, bounded in lines, bytes and time.

Queries are written here from labels and words that are quoted, never from somebody else's LogQL.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from bot.clients import bearer

if TYPE_CHECKING:
    import aiohttp

PAGE = 1_000
"""Entries asked for at a time. Loki refuses more than max_entries_limit_per_query, 5,000 if nobody lowered it."""
MAX_PAGE_BYTES = 32 * 1024 * 1024
_CHUNK = 64 * 1024
_SAID = 300


class LokiError(Exception):
    """Loki refused, was not reached or answered something unusable. ``status`` is its answer's, None without one."""

    def __init__(self, sentence: str, status: int | None = None) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True, slots=True)
class Entry:
    """One line as Loki keeps it: its time in nanoseconds, its stream's labels, its text."""

    at: int
    labels: Mapping[str, str]
    line: str


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest entries of a range, oldest first. ``complete`` says whether they are all there are."""

    entries: tuple[Entry, ...]
    complete: bool


def selector(equal: Mapping[str, str], matching: Mapping[str, str] | None = None) -> str:
    """Write a stream selector: labels that equal a text, and labels that fully match a regular expression."""
    parts = [f"{name}={_quoted(value)}" for name, value in equal.items()]
    parts += [f"{name}=~{_quoted(pattern)}" for name, pattern in (matching or {}).items()]
    return "{" + ", ".join(parts) + "}"


def containing(words: Sequence[str]) -> str:
    """Write line filters for lines that contain all of ``words``, in any case."""
    return "".join(f" |~ {_quoted('(?i)' + re.escape(word))}" for word in words)


def _same(entry: Entry) -> tuple[Any, str]:
    return tuple(sorted(entry.labels.items())), entry.line


def _quoted(text: str) -> str:
    # What JSON writes for text without surrogate pairs, Go's strconv.Unquote reads as the same text.
    return json.dumps(text.encode(errors="replace").decode(), ensure_ascii=False)


class Loki:
    """One Loki. ``timeout`` (seconds) bounds each request; requests are never repeated and follow no redirect."""

    def __init__(
        self,
        url: str,
        *,
        cluster: str,
        token_file: Path | None = None,
        tenant: str = "",
        timeout: float = 10.0,
        page: int = PAGE,
    ) -> None:
        self.cluster = cluster
        self._url = url.rstrip("/")
        self._token_file = token_file
        self._tenant = tenant
        self._timeout = timeout
        self._page = page
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def probe(self) -> None:
        """Ask for the names of labels. Raises ``LokiError`` if Loki cannot be used."""
        await self._get("/loki/api/v1/labels", {})

    async def newest(self, query: str, *, start: int, end: int, lines: int, characters: int) -> Newest:
        """Read the newest lines of ``query`` between ``start`` (included) and ``end`` (excluded), in nanoseconds.

        At most ``lines`` entries of ``characters`` in all are kept, whatever Loki sends. Raises ``LokiError``.
        """
        found: list[Entry] = []
        known: Counter[tuple[Any, str]] = Counter()
        last, until = end, end
        whole = True
        while until > start and len(found) < lines:
            asked = min(self._page, lines - len(found) + known.total())
            page = await self._page_of(query, start, until, asked)
            for entry in page:
                if entry.at == last and known[_same(entry)]:
                    known[_same(entry)] -= 1
                    continue
                characters -= len(entry.line)
                if characters < 0:
                    return Newest(tuple(reversed(found)), complete=False)
                found.append(entry)
            if len(page) < asked:
                return Newest(tuple(reversed(found)), complete=whole)
            # The end is excluded and many lines may share the last instant: it is asked for again, and what is known
            # of it is left out. Where more lines share an instant than fit on a page, the rest cannot be had.
            last = page[-1].at
            if last + 1 < until:
                until = last + 1
                known = Counter(_same(entry) for entry in found if entry.at == last)
            else:
                until, whole = last, False
                known = Counter()
        return Newest(tuple(reversed(found)), complete=False)

    async def _page_of(self, query: str, start: int, end: int, limit: int) -> list[Entry]:
        """Read one page, newest first."""
        asked = {"query": query, "start": str(start), "end": str(end), "limit": str(limit), "direction": "backward"}
        answer = await self._get("/loki/api/v1/query_range", asked)
        entries: list[Entry] = []
        try:
            data = answer["data"]
            if data["resultType"] != "streams":
                raise ValueError("not streams")
            for stream in data["result"]:
                labels = {str(name): str(value) for name, value in stream["stream"].items()}
                entries += [Entry(int(value[0]), labels, str(value[1])) for value in stream["values"]]
        except (KeyError, TypeError, ValueError, AttributeError, IndexError):
            raise self._unusable("its answer is not that of a log query: is this address a Loki?") from None
        if len(entries) > limit:
            raise self._unusable(f"it sent {len(entries)} lines where {limit} were asked for")
        # Stable: lines of one instant keep the order of their stream.
        return sorted(entries, key=lambda entry: -entry.at)

    async def _get(self, path: str, query: Mapping[str, str]) -> Any:
        import aiohttp

        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=self._timeout))
        headers = await asyncio.to_thread(self._headers)
        try:
            async with self._session.get(
                self._url + path, params=dict(query), headers=headers, allow_redirects=False
            ) as response:
                body = await self._body(response, MAX_PAGE_BYTES if response.status == 200 else _CHUNK)
                if response.status != 200:
                    raise self._refused(response.status, body)
        except TimeoutError:
            raise LokiError(f"Loki of cluster {self.cluster} did not answer within {self._timeout:g} s") from None
        except (aiohttp.ClientError, ValueError) as error:
            # The message of an error may hold the URL or a header.
            raise LokiError(f"Loki of cluster {self.cluster} cannot be reached ({type(error).__name__})") from None
        try:
            return await asyncio.to_thread(json.loads, body)
        except (ValueError, RecursionError):
            raise self._unusable("its answer is not JSON: is this address a Loki?") from None

    def _headers(self) -> dict[str, str]:
        headers = {"Accept": "application/json"}
        if self._tenant:
            headers["X-Scope-OrgID"] = self._tenant
        try:
            headers |= bearer.header(self._token_file)
        except bearer.TokenUnreadable as why:
            raise LokiError(f"clusters.{self.cluster}.loki.token_file cannot be read: {why}") from None
        return headers

    async def _body(self, response: aiohttp.ClientResponse, limit: int) -> bytes:
        body = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK):
            body += chunk
            if len(body) > limit:
                if response.status == 200:
                    raise self._unusable(f"its answer is larger than {limit:,} bytes")
                break
        return bytes(body[:limit])

    def _refused(self, status: int, body: bytes) -> LokiError:
        who = f"Loki of cluster {self.cluster}"
        if status == 401 or status == 403:
            hint = "check token_file and tenant in its configuration"
            return LokiError(f"{who} does not accept Signoff's credentials (HTTP {status}): {hint}", status)
        if status == 429:
            return LokiError(f"{who} is over its limits (HTTP 429): try again, or ask for a shorter time", status)
        said = " ".join(body.decode("utf-8", "replace").split())[:_SAID]
        return LokiError(f"{who} refused the query (HTTP {status}): {said}", status)

    def _unusable(self, why: str) -> LokiError:
        return LokiError(f"Loki of cluster {self.cluster} cannot be used: {why}")

"""Alertmanager: silences of one instance over its API v2, bounded in size and time; nothing is ever repeated.

The API: https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.clients import bearer

if TYPE_CHECKING:
    import aiohttp

MAX_BODY = 8 * 1024 * 1024
_MAX_MESSAGE = 300
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class AlertmanagerError(Exception):
    """A call that did not succeed. ``code`` is one word; ``in_doubt`` is True when a write may have been applied."""

    def __init__(self, code: str, message: str, *, in_doubt: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.in_doubt = in_doubt


class Alertmanager:
    """The Alertmanager of a cluster. ``timeout`` bounds each call, in seconds."""

    def __init__(self, url: str, *, cluster: str, token_file: Path | None = None, timeout: float = 10.0) -> None:
        self.cluster = cluster
        self._url = url.rstrip("/")
        self._token_file = token_file
        self._timeout = timeout
        self._session: aiohttp.ClientSession | None = None

    @property
    def url(self) -> str:
        """Its base URL."""
        return self._url

    async def probe(self) -> None:
        """Ask for its state. Raises ``AlertmanagerError`` if it cannot be used."""
        await self._call("GET", "/status")

    async def silences(self, matchers: tuple[str, ...] = ()) -> list[dict[str, Any]]:
        """Return the silences that have all of ``matchers`` (as in ``severity="page"``), expired ones too."""
        found = await self._call("GET", "/silences", query=[("filter", each) for each in matchers])
        return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []

    async def silence(self, silence_id: str) -> dict[str, Any] | None:
        """Return one silence, None if there is none of that id."""
        try:
            found = await self._call("GET", f"/silence/{_checked(silence_id)}")
        except AlertmanagerError as error:
            if error.code == "not-found":
                return None
            raise
        return found if isinstance(found, dict) else None

    async def alerts(self, matchers: tuple[str, ...]) -> list[dict[str, Any]]:
        """Return the alerts that fire now and have all of ``matchers``."""
        query = [("filter", each) for each in matchers]
        found = await self._call("GET", "/alerts", query=[*query, ("silenced", "false"), ("inhibited", "false")])
        return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []

    async def create(self, silence: Mapping[str, Any]) -> str:
        """Create a silence and return its id."""
        answer = await self._call("POST", "/silences", body=silence)
        if not isinstance(answer, dict) or not _ID.fullmatch(str(answer.get("silenceID"))):
            raise AlertmanagerError("unusable", f"{self._who} answered no silence's id.", in_doubt=True)
        return str(answer["silenceID"])

    async def expire(self, silence_id: str) -> None:
        """End a silence now."""
        await self._call("DELETE", f"/silence/{_checked(silence_id)}")

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    @property
    def _who(self) -> str:
        return f"The Alertmanager of cluster {self.cluster}"

    def _headers(self) -> dict[str, str]:
        try:
            return bearer.header(self._token_file)
        except bearer.TokenUnreadable as why:
            sentence = f"clusters.{self.cluster}.alertmanager.token_file cannot be read: {why}."
            raise AlertmanagerError("not-configured", sentence) from None

    async def _call(
        self, method: str, path: str, *, query: list[tuple[str, str]] | None = None, body: Any = None
    ) -> Any:
        import aiohttp

        write = method != "GET"
        if self._session is None:
            # No proxy of the environment: what is configured is where it is.
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=self._timeout), trust_env=False)
        url = f"{self._url}/api/v2{path}"
        headers = await asyncio.to_thread(self._headers)
        try:
            async with self._session.request(
                method, url, params=query, json=body, headers=headers, allow_redirects=False
            ) as response:
                data = await response.content.read(MAX_BODY + 1)
                while len(data) <= MAX_BODY and (more := await response.content.read(MAX_BODY)):
                    data += more
                status = response.status
        except aiohttp.ClientConnectorError:
            sentence = f"{self._who} cannot be reached. Check its address and the network to it."
            raise AlertmanagerError("unreachable", sentence) from None
        except (TimeoutError, aiohttp.ClientError) as error:
            sentence = f"{self._who} did not answer ({type(error).__name__})."
            raise AlertmanagerError("unreachable", sentence, in_doubt=write) from None
        if len(data) > MAX_BODY:
            raise AlertmanagerError("too-large", f"{self._who} answered more than {MAX_BODY:,} bytes.", in_doubt=write)
        parsed = _json(data)
        if status == 404:
            raise AlertmanagerError("not-found", f"{self._who} has no such silence.")
        if status >= 300:
            said = " ".join(str(parsed if isinstance(parsed, str) else "").split())[:_MAX_MESSAGE]
            sentence = f"{self._who} refused ({status})" + (f": {said.rstrip('.')}." if said else ".")
            down = status >= 500
            raise AlertmanagerError("unavailable" if down else "refused", sentence, in_doubt=write and down)
        if data and parsed is None:
            raise AlertmanagerError("unusable", f"{self._who} did not answer JSON: is it one?", in_doubt=write)
        return parsed


def _checked(silence_id: str) -> str:
    if not _ID.fullmatch(silence_id):
        raise ValueError(f"{silence_id[:80]!r} cannot be a silence's id")
    return silence_id


def _json(data: bytes) -> Any:
    try:
        return json.loads(data) if data else None
    except (ValueError, RecursionError):
        return None

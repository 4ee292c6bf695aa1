"""PyGithub's connections, bounded: an answer has a largest size and a deadline, and threads do not mix theirs up."""

from __future__ import annotations

import threading
import time
from typing import Any

from github.Requester import HTTPRequestsConnectionClass, HTTPSRequestsConnectionClass, Requester

_CHUNK = 64 * 1024
_SECONDS = 10


class TooLarge(Exception):
    """An answer is larger than is read, or came too slowly."""


class _Answer:
    """What PyGithub reads of a response."""

    def __init__(self, status: int, headers: Any, text: str) -> None:
        self.status, self.headers, self._text = status, headers, text

    def getheaders(self) -> Any:
        """Return the headers."""
        return self.headers.items()

    def read(self) -> str:
        """Return the whole body."""
        return self._text


class _Bounded:
    """Mixed into PyGithub's connections, which keep the request that is asked for on an object all threads share."""

    max_body = 0
    session: Any
    protocol: str
    host: str
    port: int
    timeout: int | None
    verify: Any

    def request(self, verb: str, url: str, input: Any, headers: dict[str, str], stream: bool = False) -> None:
        """Remember what this thread asks for."""
        self._asked().request = (verb, url, input, headers)

    def getresponse(self) -> Any:
        """Send it and read the answer."""
        verb, url, body, headers = self._asked().request
        seconds = self.timeout or _SECONDS
        deadline = time.monotonic() + seconds
        with self.session.request(
            verb,
            f"{self.protocol}://{self.host}:{self.port}{url}",
            headers=headers,
            data=body,
            timeout=seconds,
            verify=self.verify,
            allow_redirects=False,
            stream=True,
        ) as response:
            data = bytearray()
            for part in response.iter_content(_CHUNK):
                data += part
                if len(data) > self.max_body:
                    raise TooLarge(f"GitHub: the answer is larger than {self.max_body} bytes")
                if time.monotonic() > deadline:
                    raise TooLarge(f"GitHub: the answer did not arrive within {seconds} s")
            if verb != "GET":
                # PyGithub would send a write once more to where a 301 says.
                response.headers.pop("location", None)
            return _Answer(response.status_code, response.headers, bytes(data).decode("utf-8", "replace"))

    def _asked(self) -> Any:
        found = self.__dict__.get("asked")
        return found if found is not None else self.__dict__.setdefault("asked", threading.local())


class _Http(_Bounded, HTTPRequestsConnectionClass):
    """Without TLS: the sandbox."""


class _Https(_Bounded, HTTPSRequestsConnectionClass):
    """With TLS."""


def use(max_body: int) -> None:
    """Have PyGithub make such connections from now on, for answers of at most ``max_body`` bytes."""
    _Bounded.max_body = max_body
    Requester.injectConnectionClasses(_Http, _Https)

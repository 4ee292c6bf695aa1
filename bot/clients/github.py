"""GitHub: one credential of the REST API, over PyGithub's requester, bounded and with the rate limits obeyed.

PyGithub authenticates (a token, or an app's installations) and keeps connections. Its retries, its pauses and its
unbounded reads stay out. It is synchronous, so every call runs in a small thread pool of its own.
"""

from __future__ import annotations

import asyncio
import importlib
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")
Json = dict[str, Any]

API_URL = "https://api.github.com"
API_VERSION = "2022-11-28"
MAX_BODY = 32 * 1024 * 1024
THREADS = 6
PER_PAGE = 100
# A little below GitHub's 80 a minute and 500 an hour for what creates content:
# https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
CONTENT_PER_MINUTE = 60
CONTENT_PER_HOUR = 450
UNSAID_WAIT = 60.0
_CHUNK = 64 * 1024
_MESSAGE = 500
_MOVED = (
    "the repository has moved, or was renamed, so nothing was done. Put its new name in github.repositories of the "
    "configuration file (or wherever the old one stands), and ask again"
)
_REPOSITORY = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,38})/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}")


def is_repository(name: str) -> bool:
    """Say whether ``name`` can be ``owner/name`` of a repository, so that it may stand in a path."""
    return _REPOSITORY.fullmatch(name) is not None


def load() -> None:
    """Import what the client rests on, before there are threads: those that import it at once may find it half made."""
    for name in ("requests", "github", "bot.clients.github_connection"):
        importlib.import_module(name)


class GitHubError(Exception):
    """GitHub refused. ``details`` are its sentences about single fields; ``certain`` is True if nothing was changed."""

    def __init__(self, status: int, message: str, details: tuple[str, ...] = ()) -> None:
        super().__init__(f"GitHub answered {status}: {'; '.join((message, *details))}"[:_MESSAGE])
        self.status = status
        self.message = message
        self.details = details

    @property
    def certain(self) -> bool:
        """True when a write that met this error was certainly not applied; a 5xx may come after the effect."""
        return 300 <= self.status < 500 and self.status != 408


class GitHubLimited(GitHubError):
    """A rate limit is reached: ask again after ``retry_after`` seconds, and not before."""

    def __init__(self, status: int, message: str, retry_after: float) -> None:
        super().__init__(status, message)
        self.retry_after = retry_after


class GitHubUnreachable(Exception):
    """No usable answer came. ``sent`` is True when a write may have been applied all the same."""

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


@dataclass(frozen=True, slots=True)
class Credential:
    """A token, or an app (``app_id`` and ``private_key``) that asks for tokens with these ``permissions`` only."""

    token: str = ""
    app_id: str = ""
    private_key: str = ""
    permissions: Mapping[str, str] | None = None

    @property
    def is_app(self) -> bool:
        """Whether it is an app's; check runs are an app's alone."""
        return not self.token


REVIEW_PERMISSIONS: Mapping[str, str] = {
    "actions": "read",
    "checks": "write",
    "contents": "read",
    "issues": "read",
    "metadata": "read",
    "pull_requests": "write",
}
"""All that reviewing needs: no token made for it can change a repository's contents, whatever the app may do."""


ACTION_PERMISSIONS: Mapping[str, str] = {
    "actions": "write",
    "contents": "write",
    "issues": "write",
    "metadata": "read",
    "pull_requests": "write",
}
"""All that approved actions need. An app without one of them refuses to give a token at all."""


@dataclass(frozen=True, slots=True)
class Tail:
    """The end of a text: ``lines_before`` it were left out. Not ``complete``: more follows that did not arrive in time,
    or is beyond what is read at all."""

    data: bytes
    lines_before: int
    complete: bool


class GitHub:
    """GitHub seen through one credential. ``timeout`` is in seconds and bounds connecting and the whole of one answer.

    Calls are never repeated. ``monotonic`` and ``wall`` are clocks.
    """

    def __init__(
        self,
        credential: Credential,
        *,
        base_url: str = API_URL,
        timeout: int = 10,
        max_body: int = MAX_BODY,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.credential = credential
        self.base_url = base_url.rstrip("/")
        self._timeout = timeout
        self._max_body = max_body
        self._monotonic = monotonic
        self._wall = wall
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="github")
        self._lock = threading.Lock()
        self._requesters: dict[int, Any] = {}
        self._installations: dict[str, int] = {}
        self._login = ""
        self._paused: dict[int, float] = {}
        self._content: deque[float] = deque()
        # GitHub asks that one makes changes one after the other.
        self._writing = asyncio.Lock()

    async def get(self, repository: str, path: str, query: Mapping[str, str] | None = None) -> Json:
        """Read one object under a repository. Raises ``GitHubError`` or ``GitHubUnreachable``, as every call here."""
        found = await self._run(lambda: self._call("GET", repository, path, query)[1])
        return found if isinstance(found, dict) else {}

    async def pages(
        self,
        repository: str,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        limit: int,
        under: str = "",
    ) -> list[Json]:
        """Read a list page by page, at most ``limit`` items; ``under`` names it in an answer that is an object."""

        def read() -> list[Json]:
            found: list[Json] = []
            page = 1
            while len(found) < limit:
                asked = {**(query or {}), "per_page": str(PER_PAGE), "page": str(page)}
                headers, answer = self._call("GET", repository, path, asked)
                listed = answer.get(under) if under and isinstance(answer, dict) else answer
                found += [item for item in listed or [] if isinstance(item, dict)]
                if 'rel="next"' not in headers.get("link", "") or not listed:
                    break
                page += 1
            return found[:limit]

        return await self._run(read)

    async def text(self, repository: str, path: str, query: Mapping[str, str] | None = None, *, accept: str) -> str:
        """Read what GitHub gives in another media type than JSON (a diff, a file's raw content)."""

        def read() -> str:
            answer = self._call("GET", repository, path, query, accept=accept, as_json=False)[1]
            return answer if isinstance(answer, str) else ""

        return await self._run(read)

    async def write(self, method: str, repository: str, path: str, body: Json, *, content: bool = True) -> Json:
        """Send one write, once. ``content`` says that it counts as creating content.

        ``GitHubUnreachable.sent`` and ``GitHubError.certain`` say whether it may have been applied.
        """
        async with self._writing:
            if content:
                self._pace()
            found = await self._run(lambda: self._call(method, repository, path, None, body=body)[1])
        return found if isinstance(found, dict) else {}

    async def download(self, repository: str, path: str, *, limit_bytes: int) -> Tail:
        """Read what ``path`` redirects to (a job's log), without our credential: whole lines of its last
        ``limit_bytes``."""

        def read() -> Tail:
            headers, answer = self._call("GET", repository, path, None, as_json=False)
            location = headers.get("location", "")
            if not location:
                kept = _Kept(limit_bytes)
                kept.add(str(answer or "").encode())
                return kept.tail(complete=True)
            return self._fetch(location, limit_bytes)

        return await self._run(read)

    async def login(self) -> str:
        """Return the name under which this credential writes. Asked for once."""
        if not self._login:
            me = await self.app()
            self._login = f"{me.get('slug')}[bot]" if self.credential.is_app else str(me.get("login"))
        return self._login

    async def app(self) -> Json:
        """Read the app itself, or, for a token, its user."""

        def read() -> Any:
            if self.credential.is_app:
                return self._send(0, "GET", "/app", None, None, None, as_json=True)[1]
            return self._send(0, "GET", "/user", None, None, None, as_json=True)[1]

        found = await self._run(read)
        return found if isinstance(found, dict) else {}

    async def close(self) -> None:
        """Let go of threads and connections; calls under way end by themselves within the timeout."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for requester in self._requesters.values():
            requester.close()

    async def _run(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    # --- on a thread of the pool ------------------------------------------------------------------------------------

    def _call(
        self,
        method: str,
        repository: str,
        path: str,
        query: Mapping[str, str] | None,
        *,
        body: Json | None = None,
        accept: str = "application/vnd.github+json",
        as_json: bool = True,
    ) -> tuple[Mapping[str, str], Any]:
        if not is_repository(repository):
            raise ValueError(f"not a repository: {repository[:150]!r}")
        installation = self._installation(repository) if self.credential.is_app else 0
        full = f"/repos/{repository}{path}"
        headers = {"Accept": accept}
        try:
            return self._send(installation, method, full, query, headers, body, as_json=as_json)
        except GitHubError as error:
            with self._lock:
                if error.status == 404:
                    # An app may have been installed anew, under another number.
                    self._installations.pop(repository.lower(), None)
                elif error.status == 401:
                    # A token may be revoked before its hour is over; the next call gets another.
                    self._requesters.pop(installation, None)
            raise

    def _installation(self, repository: str) -> int:
        known = self._installations.get(repository.lower())
        if known is not None:
            return known
        try:
            answer = self._send(0, "GET", f"/repos/{repository}/installation", None, None, None, as_json=True)[1]
        except GitHubLimited:
            raise
        except GitHubError as error:
            if error.status != 404:
                raise
            raise GitHubError(404, f"the GitHub App is not installed in {repository}, or it is not there") from None
        number = answer.get("id") if isinstance(answer, dict) else None
        if not isinstance(number, int):
            raise GitHubError(502, f"GitHub did not say which installation reaches {repository}")
        with self._lock:
            self._installations[repository.lower()] = number
        return number

    def _send(
        self,
        installation: int,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        headers: dict[str, str] | None,
        body: Json | None,
        *,
        as_json: bool,
    ) -> tuple[Mapping[str, str], Any]:
        from github import GithubException
        from requests.exceptions import ConnectionError as NoConnection
        from requests.exceptions import ConnectTimeout, RequestException, SSLError

        from bot.clients.github_connection import TooLarge

        paused = self._paused.get(installation, 0.0) - self._monotonic()
        if paused > 0:
            raise GitHubLimited(429, "waiting for GitHub's rate limit to end", paused)
        effect = method != "GET"
        try:
            requester = self._requester(installation)
            status, told, output = requester.requestJson(method, path, dict(query or {}), dict(headers or {}), body)
        except GithubException as error:
            # Only getting an installation's token raises here; what a call itself is answered is read below.
            raise self._refused(installation, error.status, error.headers or {}, error.data) from None
        except TooLarge as error:
            raise GitHubUnreachable(str(error), sent=effect) from None
        except (ConnectTimeout, SSLError) as error:
            raise GitHubUnreachable(f"GitHub: no connection ({type(error).__name__})", sent=False) from None
        except NoConnection as error:
            sent = effect and not _never_connected(error)
            raise GitHubUnreachable(f"GitHub: no answer ({type(error).__name__})", sent=sent) from None
        except (RequestException, OSError, RuntimeError, AssertionError, ValueError) as error:
            raise GitHubUnreachable(f"GitHub: no usable answer ({type(error).__name__})", sent=effect) from None
        if status >= 400:
            raise self._refused(installation, status, told, _parsed(output))
        if told.get("x-ratelimit-remaining") == "0":
            self._pause(installation, self._until_reset(told))
        if 300 <= status < 400 and as_json:
            raise GitHubError(status, _MOVED)
        if not as_json or status == 204:
            return told, output
        parsed = _parsed(output)
        if parsed is None:
            raise GitHubUnreachable("GitHub: the answer is not JSON: is this address GitHub's API?", sent=effect)
        return told, parsed

    def _requester(self, installation: int) -> Any:
        with self._lock:
            if installation not in self._requesters:
                self._requesters[installation] = self._made(installation)
            return self._requesters[installation]

    def _made(self, installation: int) -> Any:
        from github import Auth
        from github.Requester import Requester

        from bot.clients import github_connection

        github_connection.use(self._max_body)
        credential = self.credential
        requester = Requester(
            auth=Auth.AppAuth(credential.app_id, credential.private_key)
            if credential.is_app
            else Auth.Token(credential.token),
            base_url=self.base_url,
            timeout=self._timeout,
            user_agent="signoff",
            per_page=PER_PAGE,
            verify=True,
            retry=0,
            pool_size=THREADS,
            seconds_between_requests=None,
            seconds_between_writes=None,
            api_version=API_VERSION,
        )
        if not installation:
            return requester
        permissions = dict(credential.permissions) if credential.permissions else None
        auth = Auth.AppInstallationAuth(
            Auth.AppAuth(credential.app_id, credential.private_key), installation, permissions
        )
        return requester.withAuth(auth)

    def _refused(self, installation: int, status: int, headers: Mapping[str, Any], answer: Any) -> GitHubError:
        body = answer if isinstance(answer, dict) else {}
        message = str(body.get("message") or "no reason given")[:_MESSAGE]
        spent = str(headers.get("x-ratelimit-remaining", "")) == "0"
        limited = status == 429 or (status == 403 and (spent or "retry-after" in headers or "rate limit" in message))
        if limited:
            said = str(headers.get("retry-after", ""))
            wait = float(said) if said.isdigit() else self._until_reset(headers) if spent else UNSAID_WAIT
            self._pause(installation, wait)
            return GitHubLimited(status, message, wait)
        return GitHubError(status, message, tuple(_detail(each) for each in (body.get("errors") or [])[:5]))

    def _until_reset(self, headers: Mapping[str, Any]) -> float:
        reset = str(headers.get("x-ratelimit-reset", ""))
        return max(1.0, float(reset) - self._wall() + 1) if reset.isdigit() else UNSAID_WAIT

    def _pause(self, installation: int, seconds: float) -> None:
        self._paused[installation] = max(self._paused.get(installation, 0.0), self._monotonic() + seconds)

    def _pace(self) -> None:
        now = self._monotonic()
        while self._content and now - self._content[0] >= 3600:
            self._content.popleft()
        minute = [at for at in self._content if now - at < 60]
        if len(minute) >= CONTENT_PER_MINUTE:
            raise GitHubLimited(429, "enough was written to GitHub for a minute", minute[0] + 60 - now)
        if len(self._content) >= CONTENT_PER_HOUR:
            raise GitHubLimited(429, "enough was written to GitHub for an hour", self._content[0] + 3600 - now)
        self._content.append(now)

    def _fetch(self, location: str, limit_bytes: int) -> Tail:
        """Read the end of what a signed address has. It is GitHub's own answer that names it; no token goes there."""
        import requests

        scheme = self.base_url.partition(":")[0]
        if not location.startswith(f"{scheme}://"):
            raise GitHubUnreachable("GitHub: a log's address is of another scheme than the API", sent=False)
        deadline = self._monotonic() + self._timeout * 3
        kept, complete = _Kept(limit_bytes), True
        read = 0
        try:
            with requests.Session() as session:
                session.auth = lambda request: request  # else a .netrc of this machine would be sent along
                with session.get(location, stream=True, timeout=self._timeout, allow_redirects=False) as answer:
                    if answer.status_code != 200:
                        raise GitHubError(answer.status_code, "the log cannot be read")
                    for part in answer.iter_content(_CHUNK):
                        kept.add(part)
                        read += len(part)
                        if read > self._max_body * 4 or self._monotonic() > deadline:
                            complete = False
                            break
        except requests.RequestException as error:
            raise GitHubUnreachable(f"GitHub: a log did not arrive ({type(error).__name__})", sent=False) from None
        return kept.tail(complete=complete)


class _Kept:
    """The last bytes of what arrives, and how many lines were let go."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._data = bytearray()
        self._lines = 0
        self._cut = False

    def add(self, part: bytes) -> None:
        self._data += part
        if len(self._data) > 2 * self._limit:
            self._shorten()

    def tail(self, *, complete: bool) -> Tail:
        """Return the end, from the beginning of a line on."""
        self._shorten()
        data = bytes(self._data)
        if self._cut:
            self._lines += 1
            data = data.partition(b"\n")[2]
        return Tail(data, self._lines, complete)

    def _shorten(self) -> None:
        over = len(self._data) - self._limit
        if over > 0:
            self._lines += self._data.count(b"\n", 0, over)
            self._cut = True
            del self._data[:over]


def _never_connected(error: BaseException) -> bool:
    from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ProxyError

    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", cause)
    return isinstance(reason, (NewConnectionError, ConnectTimeoutError, ProxyError))


def _parsed(output: Any) -> Any:
    import json

    try:
        return json.loads(output) if isinstance(output, str) else None
    except (ValueError, RecursionError):
        return None


def _detail(error: Any) -> str:
    if isinstance(error, dict):
        return str(error.get("message") or f"{error.get('field', '')}: {error.get('code', '')}")[:_MESSAGE]
    return str(error)[:_MESSAGE]

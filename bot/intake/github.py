"""GitHub's webhooks: a body is read and its signature checked, reduced to what is stored, stored, and then answered.

What cannot be stored is a 503, so that GitHub shows the delivery as failed and a person can redeliver it.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry, Counter

from bot.domain.github import CommandEvent, DeployEvent, GitHubEvent, PullAction, PullEvent, PushEvent, RunEvent
from bot.intake.bodies import READ_SECONDS, Bodies, Unread
from bot.intake.mentions import LONGEST, commands
from bot.store import clock, deliveries
from bot.store.database import Database
from bot.store.deliveries import Accepted

log = structlog.get_logger(__name__)

# https://docs.github.com/webhooks/webhook-events-and-payloads#payload-cap
MAX_BYTES = 25 * 1024 * 1024
STORE_SECONDS = 8.0  # GitHub gives an answer ten seconds
DEPTH = 40
CONTAINERS = 500_000
COUNTED = 2**31 - 1  # as far as pull requests and attempts are counted in the tables
TEXT = 1000
PATHS = 1000
PULLS = 20

Starter = Callable[[str, str, int], None]

_SIGNATURE = re.compile(r"sha256=[0-9a-f]{64}")
_EVENT = re.compile(r"[a-z_]{1,40}")
_DELIVERY = re.compile(r"[0-9A-Za-z-]{1,64}")
_LAST_SECOND = 2**33
_REPOSITORY = re.compile(r"[A-Za-z0-9_-]{1,39}/[A-Za-z0-9._-]{1,100}")
_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ACTIONS: Mapping[str, PullAction] = {
    "opened": "opened",
    "synchronize": "synchronize",
    "reopened": "reopened",
    "ready_for_review": "ready_for_review",
    "closed": "closed",
    "edited": "edited",
}


class Refused(Exception):
    """The body is not an event we can take; the message says what is wrong and where, never quoting the body."""


class GitHubIntake:
    """The webhook handler. ``secret`` is what GitHub signs with; without one nothing is taken. ``app_id`` is our own
    app's, whose checks are no CI."""

    def __init__(
        self,
        database: Database,
        start: Starter,
        *,
        secret: str,
        registry: CollectorRegistry,
        app_id: str = "",
        largest: int = MAX_BYTES,
        read_seconds: float = READ_SECONDS,
        store_seconds: float = STORE_SECONDS,
    ) -> None:
        if not secret:
            raise ValueError("a webhook secret is mandatory")
        self._database = database
        self._start = start
        self._secret = secret.encode()
        self._app_id = app_id
        # Who sends is only known when all of a body is there: strangers' bodies get room for two.
        self._bodies = Bodies(largest, read_seconds=read_seconds, held=2)
        self._store_seconds = store_seconds
        self._answers = Counter(
            "signoff_github_webhooks_total", "GitHub's webhooks by answer.", ["status"], registry=registry
        )

    def routes(self) -> list[web.RouteDef]:
        """Return the routes to serve."""
        return [web.post("/webhooks/github", self.take)]

    async def take(self, request: web.Request) -> web.Response:
        """Take one webhook of GitHub."""
        response = await self._take(request)
        self._answers.labels(str(response.status)).inc()
        return response

    async def _take(self, request: web.Request) -> web.Response:
        signature = _only(request, "X-Hub-Signature-256", _SIGNATURE)
        if signature is None:
            return _problem(401, "X-Hub-Signature-256 is missing or no signature: give the webhook the secret")
        name = _only(request, "X-GitHub-Event", _EVENT)
        delivery = _only(request, "X-GitHub-Delivery", _DELIVERY)
        if name is None or delivery is None:
            return _problem(400, "X-GitHub-Event and X-GitHub-Delivery are needed, once each")
        if request.content_type != "application/json":
            return _problem(415, "choose application/json as the webhook's content type")
        try:
            async with self._bodies.read(request) as body:
                return await self._authentic(body, signature, name, delivery)
        except Unread as unread:
            return _problem(unread.status, str(unread))

    async def _authentic(self, body: bytearray, signature: str, name: str, delivery: str) -> web.Response:
        expected = await asyncio.to_thread(hmac.digest, self._secret, body, "sha256")
        if not hmac.compare_digest(f"sha256={expected.hex()}", signature):
            return _problem(401, "the signature does not match: GITHUB_WEBHOOK_SECRET is not the webhook's secret")
        if name == "ping":
            return _said("pong")
        try:
            event = await asyncio.to_thread(parse, name, body, app_id=self._app_id)
        except Refused as refused:
            log.info("github webhook refused", kind=name, delivery=delivery, why=str(refused))
            return _problem(400, str(refused))
        if event is None:
            return _said("nothing")
        fingerprint = hashlib.sha256(name.encode() + b"\n" + body).hexdigest()
        return await self._stored(event, name, delivery, fingerprint)

    async def _stored(self, event: GitHubEvent, name: str, delivery: str, fingerprint: str) -> web.Response:
        def store(connection: Any) -> Accepted:
            now = clock.now(connection)
            # No change is of the future: it would be the newest one for as long as that lasts.
            told = replace(event, at=min(event.at, now)) if isinstance(event, PushEvent) else event
            return deliveries.accept(connection, told, name=name, delivery=delivery, fingerprint=fingerprint, now=now)

        try:
            async with asyncio.timeout(self._store_seconds):
                accepted = await self._database.write(store, urgent=True)
        except Exception as error:
            log.error("github webhook could not be stored", kind=name, delivery=delivery, error=type(error).__name__)
            return _problem(503, "the event could not be stored: redeliver it")
        if accepted.due is not None:
            self._start(accepted.due.kind, accepted.due.row_id, accepted.due.generation)
        return _said(accepted.outcome)


def parse(name: str, body: bytes | bytearray, *, app_id: str = "") -> GitHubEvent | None:
    """Reduce a webhook's body to the event that is stored, or None if it is nothing to us (as the checks of our own app
    are, ``app_id``). Raises ``Refused``."""
    reader = _READERS.get(name)
    if reader is None:
        return None
    data = _Object(_json(body), "the body")
    repository = data.object("repository")
    full_name = repository.text("full_name")
    if not _REPOSITORY.fullmatch(full_name):
        raise Refused("repository.full_name: expected owner/name")
    if name == "check_suite" and app_id and str(_at(data.data, "check_suite", "app", "id")) == app_id:
        return None
    return reader(data, repository, full_name)


def _at(data: Any, *keys: str) -> Any:
    for key in keys:
        data = data.get(key) if isinstance(data, Mapping) else None
    return data


def _pull(data: _Object, repository: _Object, full_name: str) -> GitHubEvent | None:
    action = _ACTIONS.get(data.text("action"))
    if action is None:
        return None
    pull = data.object("pull_request")
    if action == "edited" and not (_retargeted(data) and pull.text("state") == "open"):
        return None
    return PullEvent(
        repository=full_name,
        number=pull.number("number", largest=COUNTED),
        action=action,
        head_sha=pull.object("head").sha("sha"),
        merged=pull.data.get("merged") is True or bool(pull.data.get("merged_at")),
        merge_sha=pull.sha("merge_commit_sha", optional=True),
        title=pull.text("title"),
        author=pull.login("user"),
        url=pull.text("html_url"),
        into_default=pull.object("base").text("ref") == repository.text("default_branch"),
        at=pull.time("updated_at"),
    )


def _retargeted(data: _Object) -> bool:
    changes = data.data.get("changes")
    return isinstance(changes, dict) and "base" in changes


def _comment(data: _Object, _repository: _Object, full_name: str) -> GitHubEvent | None:
    about = data.object("issue") if "issue" in data.data else data.object("pull_request")
    if data.text("action") != "created" or ("issue" in data.data and not about.data.get("pull_request")):
        return None
    comment = data.object("comment")
    author = _Object(comment.data.get("user") or {}, "comment.user")
    said = commands(comment.text("body", longest=LONGEST))
    # An app's own comments quote the commands it understands, and who is gone commands nothing.
    if not said or author.text("type") == "Bot" or not author.text("login"):
        return None
    return CommandEvent(
        repository=full_name,
        number=about.number("number", largest=COUNTED),
        comment_id=comment.number("id"),
        author=author.text("login"),
        text="\n".join(said),
        closed=about.data.get("state") == "closed",
    )


def _workflow(data: _Object, repository: _Object, full_name: str) -> GitHubEvent | None:
    run = data.object("workflow_run")
    if data.text("action") != "completed" or run.data.get("conclusion") is None:
        return None
    default = repository.text("default_branch") if _is_own(run, full_name) else ""
    attempt = run.number("run_attempt", otherwise=1, largest=COUNTED)
    return _run(run, repository, workflow=run.text("name"), app="", attempt=attempt, default=default)


def _is_own(run: _Object, full_name: str) -> bool:
    """Whether a run is of the repository's own branch: a fork may call its branch as we call our default one."""
    head = run.data.get("head_repository")
    elsewhere = isinstance(head, dict) and str(head.get("full_name", "")).lower() != full_name.lower()
    return not elsewhere and not run.text("event").startswith("pull_request")


def _suite(data: _Object, repository: _Object, _full_name: str) -> GitHubEvent | None:
    suite = data.object("check_suite")
    app = suite.object("app") if isinstance(suite.data.get("app"), dict) else _Object({}, "check_suite.app")
    slug = app.text("slug") or app.text("name")
    # What GitHub Actions checks comes as a workflow run too, and with its logs.
    if data.text("action") != "completed" or suite.data.get("conclusion") is None or slug in ("", "github-actions"):
        return None
    return _run(suite, repository, workflow=app.text("name") or slug, app=slug, attempt=1, default="")


def _run(run: _Object, repository: _Object, *, workflow: str, app: str, attempt: int, default: str) -> RunEvent:
    head = run.data.get("head_repository")
    source = _Object(head, "head_repository").text("full_name") if isinstance(head, dict) else ""
    listed = run.data.get("pull_requests")
    # A branch of ours may be the head of a pull request elsewhere, too: that one's number means another one here.
    numbers = [
        one.get("number")
        for one in (listed if isinstance(listed, list) else [])
        if isinstance(one, dict) and _at(one, "base", "repo", "id") in (None, repository.data.get("id"))
    ]
    return RunEvent(
        repository=repository.text("full_name"),
        run_id=run.number("id"),
        attempt=attempt,
        workflow=workflow,
        app=app,
        head_sha=run.sha("head_sha"),
        branch=run.text("head_branch"),
        conclusion=run.text("conclusion", longest=20),
        url=run.text("html_url"),
        pulls=tuple(number for number in numbers[:PULLS] if isinstance(number, int)),
        on_default=bool(default) and run.text("head_branch") == default,
        at=run.time("updated_at"),
        source=source,
        event=run.text("event", longest=40),
        workflow_id=run.number("workflow_id", otherwise=0),
    )


def _push(data: _Object, repository: _Object, full_name: str) -> GitHubEvent | None:
    branch = repository.text("default_branch")
    if (
        data.text("ref") != f"refs/heads/{branch}"
        or data.data.get("deleted") is True
        or not data.data.get("head_commit")
    ):
        return None
    head = data.object("head_commit")
    paths: dict[str, None] = {}
    commits = data.data.get("commits")
    for commit in commits if isinstance(commits, list) else []:
        for key in ("added", "removed", "modified"):
            touched = commit.get(key) if isinstance(commit, dict) else None
            for path in touched if isinstance(touched, list) else ():
                if isinstance(path, str) and len(paths) < PATHS:
                    paths[path[:TEXT]] = None
    message = head.text("message")
    before = data.sha("before", optional=True)
    return PushEvent(
        repository=full_name,
        sha=data.sha("after"),
        title=message.partition("\n")[0],
        author=_Object(data.data.get("pusher") or {}, "pusher").text("name"),
        url=head.text("url"),
        paths=tuple(map(_storable, paths)),
        at=_pushed(repository, head),
        before=before if before.strip("0") else "",
    )


def _pushed(repository: _Object, head: _Object) -> int:
    """Return when GitHub took the push, in microseconds: a commit's own time is its author's to say, and may be days
    before. In this event GitHub writes it in seconds since 1970."""
    seconds = repository.data.get("pushed_at")
    if isinstance(seconds, int) and not isinstance(seconds, bool) and 0 < seconds < _LAST_SECOND:
        return seconds * 1_000_000
    return head.time("timestamp")


def _deployment(data: _Object, _repository: _Object, full_name: str) -> GitHubEvent | None:
    status, deployment = data.object("deployment_status"), data.object("deployment")
    return DeployEvent(
        repository=full_name,
        deployment_id=deployment.number("id"),
        sha=deployment.sha("sha"),
        environment=deployment.text("environment"),
        state=status.text("state", longest=20),
        author=deployment.login("creator"),
        url=status.text("target_url") or deployment.text("url"),
        at=status.time("created_at"),
    )


_READERS: Mapping[str, Callable[[_Object, _Object, str], GitHubEvent | None]] = {
    "pull_request": _pull,
    "issue_comment": _comment,
    "pull_request_review_comment": _comment,
    "workflow_run": _workflow,
    "check_suite": _suite,
    "push": _push,
    "deployment_status": _deployment,
}


class _Object:
    """A JSON object and where it stands, for errors that name the key."""

    def __init__(self, data: Any, where: str) -> None:
        if not isinstance(data, dict):
            raise Refused(f"{where}: expected an object")
        self.data: Mapping[str, Any] = data
        self._where = "" if where == "the body" else f"{where}."

    def object(self, key: str) -> _Object:
        """Return an object below this one. Raises ``Refused``."""
        return _Object(self.data.get(key), f"{self._where}{key}")

    def text(self, key: str, *, longest: int = TEXT) -> str:
        """Return a text, cut to ``longest`` characters; null is empty. Raises ``Refused``."""
        value = self.data.get(key)
        if value is not None and not isinstance(value, str):
            raise Refused(f"{self._where}{key}: expected a string")
        return _storable((value or "")[:longest])

    def login(self, key: str) -> str:
        """Return a user's login; a user who is gone has none."""
        return self.object(key).text("login") if isinstance(self.data.get(key), dict) else ""

    def number(self, key: str, *, otherwise: int | None = None, largest: int = 2**53 - 1) -> int:
        """Return a number; ``otherwise`` stands for null. Raises ``Refused``."""
        value = self.data.get(key)
        value = otherwise if value is None else value
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= largest:
            raise Refused(f"{self._where}{key}: expected a whole number")
        return value

    def sha(self, key: str, *, optional: bool = False) -> str:
        """Return a commit's name. Raises ``Refused``."""
        value = self.data.get(key)
        if optional and value is None:
            return ""
        if not isinstance(value, str) or not _SHA.fullmatch(value):
            raise Refused(f"{self._where}{key}: expected the name of a commit")
        return value

    def time(self, key: str) -> int:
        """Return a time in microseconds. Raises ``Refused``."""
        value = self.data.get(key)
        try:
            instant = datetime.fromisoformat(value if isinstance(value, str) else "")
            delta = instant - _EPOCH
        except (ValueError, TypeError, OverflowError):
            raise Refused(f"{self._where}{key}: expected a time like 2026-11-21T07:40:25Z") from None
        return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def _json(body: bytes | bytearray) -> Any:
    # Counted before parsing: 25 MB of "[]," would become a gigabyte of lists.
    if body.count(b"{") + body.count(b"[") > CONTAINERS:
        raise Refused("the body holds more objects than any event of GitHub")
    try:
        data = json.loads(body.decode(), parse_constant=_no_number)
    except RecursionError:
        raise Refused(f"the body is nested deeper than {DEPTH} levels") from None
    except ValueError:
        raise Refused("the body is not JSON in UTF-8") from None
    level = [data]
    for _ in range(DEPTH):
        level = [
            child
            for parent in level
            for child in (parent.values() if isinstance(parent, dict) else parent if isinstance(parent, list) else ())
            if isinstance(child, (dict, list))
        ]
        if not level:
            return data
    raise Refused(f"the body is nested deeper than {DEPTH} levels")


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number in JSON")


def _storable(text: str) -> str:
    # PostgreSQL stores no NUL, and no database stores half a surrogate pair.
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _only(request: web.Request, header: str, shape: re.Pattern[str]) -> str | None:
    sent = request.headers.getall(header, [])
    return sent[0] if len(sent) == 1 and shape.fullmatch(sent[0]) else None


def _said(outcome: str) -> web.Response:
    return web.json_response({"outcome": outcome})


def _problem(status: int, sentence: str) -> web.Response:
    return web.json_response({"error": sentence}, status=status)

"""What was changed where: merged pull requests, pushes and deployments, kept as evidence of later incidents."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import TypeAdapter
from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.domain.change import Change, PathRisk
from bot.domain.github import DeployEvent, GitHubEvent, PullEvent, PushEvent
from bot.store import work
from bot.store.tables import changes
from bot.store.unreadable import parse

_CHANGE = TypeAdapter(Change)
_RISKS = TypeAdapter(tuple[PathRisk, ...])
PATHS_KEPT = 300
_BEGUN = "in_progress"


@dataclass(frozen=True, slots=True)
class _Facts:
    kind: str
    number: int
    sha: str
    title: str
    author: str
    url: str
    environment: str
    paths: tuple[str, ...]
    before: str = ""


def accept(connection: Connection, event: PullEvent | PushEvent | DeployEvent) -> tuple[str, int]:
    """Store a change. Returns its row and the generation of work: its paths and risks are still to be read."""
    facts = _facts(event)
    row = row_of(event)
    before = _deployed_before(connection, event) if isinstance(event, DeployEvent) else facts.before
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = insert(changes).values(
        id=row,
        kind=facts.kind,
        repository=event.repository,
        number=facts.number,
        sha=facts.sha,
        before=before,
        title=facts.title,
        author=facts.author,
        url=facts.url,
        environment=facts.environment,
        paths=list(facts.paths[:PATHS_KEPT]),
        risks=[],
        at=event.at,
    )
    connection.execute(statement.on_conflict_do_nothing(index_elements=[changes.c.id]))
    if isinstance(event, DeployEvent) and event.state != _BEGUN:
        # It is one change from its beginning on; how it ended is told last, in whatever order GitHub tells.
        connection.execute(update(changes).where(changes.c.id == row).values(title=facts.title, url=facts.url))
    return row, work.want(connection, "change", row)


def row_of(event: PullEvent | PushEvent | DeployEvent) -> str:
    """Return the id of the row that an event is kept in."""
    key = f"{_facts(event).kind}\n{event.repository.lower()}\n{_key(event)}"
    return "g" + hashlib.sha256(key.encode()).hexdigest()[:30]


def get(connection: Connection, row_id: str) -> Change:
    """Read a change. Raises ``UnreadableRow``, or ``LookupError`` if there is none."""
    row = connection.execute(select(changes).where(changes.c.id == row_id)).first()
    if row is None:
        raise LookupError(f"there is no change {row_id}")
    return parse(_CHANGE, row, changes.name)


def describe(connection: Connection, row_id: str, *, paths: Sequence[str], risks: Sequence[PathRisk]) -> None:
    """Keep what a change touches and puts at stake."""
    kept = _RISKS.dump_python(tuple(risks), mode="json")
    statement = update(changes).where(changes.c.id == row_id)
    connection.execute(statement.values(paths=list(paths[:PATHS_KEPT]), risks=kept))


def between(connection: Connection, *, after: int, until: int, limit: int = 2000) -> list[Change]:
    """Return the changes of a time in all repositories, newest first: many, because only ranking tells which matter. A
    row that cannot be read is left out."""
    from bot.store.unreadable import UnreadableRow

    query = select(changes).where(changes.c.at >= after, changes.c.at <= until).order_by(changes.c.at.desc())
    found = []
    for row in connection.execute(query.limit(limit)):
        try:
            found.append(parse(_CHANGE, row, changes.name))
        except UnreadableRow:
            continue
    return found


def forget(connection: Connection, *, before: int) -> int:
    """Delete changes that are too old to be anybody's cause."""
    return int(connection.execute(delete(changes).where(changes.c.at < before)).rowcount)


def is_change(event: GitHubEvent) -> bool:
    """Say whether an event is a change that may cause something."""
    match event:
        case PullEvent():
            return event.merged and event.action == "closed" and event.into_default
        case DeployEvent():
            return event.state in (_BEGUN, "success", "failure", "error")
        case PushEvent():
            return True
    return False


def _title(environment: str, state: str) -> str:
    return f"deployment to {environment}: {state}"


def _deployed_before(connection: Connection, event: DeployEvent) -> str:
    """Return the commit that an environment ran until a deployment: what that brings is all that came since."""
    query = select(changes.c.sha).where(
        func.lower(changes.c.repository) == event.repository.lower(),
        changes.c.kind == "deploy",
        changes.c.title == _title(event.environment, "success"),
        changes.c.at < event.at,
        changes.c.id != row_of(event),
    )
    return connection.execute(query.order_by(changes.c.at.desc()).limit(1)).scalar_one_or_none() or ""


def _facts(event: PullEvent | PushEvent | DeployEvent) -> _Facts:
    match event:
        case PullEvent():
            sha = event.merge_sha or event.head_sha
            return _Facts("merge", event.number, sha, event.title, event.author, event.url, "", ())
        case PushEvent():
            return _Facts("push", 0, event.sha, event.title, event.author, event.url, "", event.paths, event.before)
        case DeployEvent():
            title = _title(event.environment, event.state)
            return _Facts("deploy", 0, event.sha, title, event.author, event.url, event.environment, ())


def _key(event: PullEvent | PushEvent | DeployEvent) -> str:
    match event:
        case PullEvent():
            return str(event.number)
        case PushEvent():
            return event.sha
        case DeployEvent():
            return str(event.deployment_id)

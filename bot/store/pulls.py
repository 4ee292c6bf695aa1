"""Pull requests as rows: one each, with what is known of its review, and the commands that people give in it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.domain.github import CommandEvent, PullEvent
from bot.domain.review import Finding, PullRequest, Review
from bot.store import work
from bot.store.tables import changes, ci_runs, pull_commands, pulls
from bot.store.unreadable import parse_part

_REVIEW = TypeAdapter(Review)
_FACTS = TypeAdapter(PullRequest)
_FINDINGS = TypeAdapter(tuple[Finding, ...])


@dataclass(frozen=True, slots=True)
class StoredPull:
    """A row. ``reviewed_sha`` is the head whose ``review`` is stored, ``posted_sha`` the one whose
    review GitHub shows, or that brought nothing new to say.

    ``asked_by`` says who asked for a review in so many words; it passes the policy's filters. ``asked_kept``: that
    review is stored, and what is left is to say it. ``findings`` are those of all pushes, with their states.
    """

    id: str
    repository: str
    number: int
    state: str
    head_sha: str
    asked_by: str
    asked_kept: bool
    reviewed_sha: str
    posted_sha: str
    review: Review | None
    facts: PullRequest | None
    findings: tuple[Finding, ...]
    comment_id: int | None
    comment_hash: str
    note: str
    wanted: int
    done: int

    @property
    def name(self) -> str:
        """What people call it."""
        return f"{self.repository}#{self.number}"


@dataclass(frozen=True, slots=True)
class Command:
    """What somebody asked below a pull request."""

    id: str
    pull_id: str
    author: str
    text: str
    answer: str


def pull_id(repository: str, number: int) -> str:
    """Return the id of a pull request's row; the case of a repository's name does not matter to GitHub."""
    return "p" + _digest(repository.lower(), str(number))


def accept(connection: Connection, event: PullEvent) -> tuple[str, int | None]:
    """Store what happened to a pull request. Returns its row and the generation of work that is now wanted, if any.

    An event that is older than what is known changes nothing. Of one second GitHub tells in any order: what was closed
    in it is opened again only by an event that says so.
    """
    row_id = _known(connection, event.repository, event.number)
    state = ("merged" if event.merged else "closed") if event.action == "closed" else "open"
    newer = update(pulls).where(pulls.c.id == row_id, pulls.c.updated_at <= event.at)
    if event.action not in ("closed", "reopened"):
        newer = newer.where(or_(pulls.c.updated_at < event.at, pulls.c.state == "open"))
    values: dict[str, Any] = {"state": state, "updated_at": event.at, "head_sha": event.head_sha}
    if connection.execute(newer.values(values)).rowcount != 1:
        return row_id, None
    return row_id, work.want(connection, "pull", row_id)


def ask(connection: Connection, repository: str, number: int, *, by: str) -> tuple[str, int]:
    """Ask for a review of a pull request, known or not. Returns its row and the generation of work."""
    row_id = _known(connection, repository, number)
    connection.execute(update(pulls).where(pulls.c.id == row_id).values(asked_by=by, asked_kept=False))
    return row_id, work.want(connection, "pull", row_id)


def accept_command(connection: Connection, event: CommandEvent, *, now: int) -> tuple[str, int]:
    """Store a command. Returns its row and the generation of work."""
    row_id = "k" + _digest(event.repository.lower(), str(event.comment_id))
    of = _known(connection, event.repository, event.number, state="closed" if event.closed else "open")
    connection.execute(
        _insert(connection, pull_commands)
        .values(id=row_id, pull_id=of, author=event.author, text=event.text, received_at=now)
        .on_conflict_do_nothing(index_elements=[pull_commands.c.id])
    )
    return row_id, work.want(connection, "command", row_id)


def get(connection: Connection, row_id: str) -> StoredPull:
    """Read a row. Raises ``UnreadableRow``, or ``LookupError`` if there is none."""
    row = connection.execute(select(pulls).where(pulls.c.id == row_id)).first()
    if row is None:
        raise LookupError(f"there is no pull request {row_id}")
    return _stored(row)


def find(connection: Connection, repository: str, number: int) -> StoredPull | None:
    """Read the row of a pull request, or None if there is none."""
    row = connection.execute(select(pulls).where(pulls.c.id == pull_id(repository, number))).first()
    return None if row is None else _stored(row)


def with_head(connection: Connection, repository: str, sha: str) -> list[StoredPull]:
    """Return the open pull requests of which a commit is the head."""
    query = select(pulls).where(pulls.c.head_sha == sha, pulls.c.state == "open")
    found = [_stored(row) for row in connection.execute(query)]
    return [pull for pull in found if pull.repository.lower() == repository.lower()]


def has_sent(connection: Connection, repository: str) -> bool:
    """Say whether a webhook told of a pull request, a run or a change of a repository before."""
    of = repository.lower()
    return any(
        connection.execute(select(table.c.id).where(func.lower(table.c.repository) == of).limit(1)).first()
        for table in (pulls, ci_runs, changes)
    )


def overtaken(connection: Connection, row_id: str, generation: int) -> bool:
    """Say whether newer work was accepted for a pull request, or it was closed."""
    row = connection.execute(select(pulls.c.wanted, pulls.c.state).where(pulls.c.id == row_id)).first()
    return row is None or row.wanted > generation or row.state != "open"


def keep_review(connection: Connection, row_id: str, pull_request: PullRequest, review: Review) -> None:
    """Store a review before anything of it is said: after a crash the same is said, not something else."""
    connection.execute(
        update(pulls)
        .where(pulls.c.id == row_id)
        .values(
            # Who asks may spell it otherwise than GitHub does.
            repository=pull_request.repository,
            asked_kept=pulls.c.asked_by != "",
            head_sha=pull_request.head_sha,
            reviewed_sha=review.head_sha,
            facts=_FACTS.dump_python(pull_request, mode="json"),
            review=_REVIEW.dump_python(review, mode="json"),
            findings=_FINDINGS.dump_python(review.findings, mode="json"),
            note="",
        )
    )


def keep_findings(connection: Connection, row_id: str, review: Review | None, findings: Sequence[Finding]) -> None:
    """Store findings whose state changed, or that were said, in the review too."""
    values: dict[str, Any] = {"findings": _FINDINGS.dump_python(tuple(findings), mode="json")}
    if review is not None:
        values["review"] = _REVIEW.dump_python(review, mode="json")
    connection.execute(update(pulls).where(pulls.c.id == row_id).values(values))


def posted(connection: Connection, row_id: str, sha: str) -> None:
    """Record that GitHub shows the review of a head, or that there was nothing new to say of it."""
    connection.execute(update(pulls).where(pulls.c.id == row_id).values(posted_sha=sha))


def answered_request(connection: Connection, row_id: str, generation: int) -> None:
    """Record that whoever asked for a review has it, or cannot have it, unless somebody asked since."""
    statement = update(pulls).where(pulls.c.id == row_id, pulls.c.wanted == generation)
    connection.execute(statement.values(asked_by="", asked_kept=False))


def ended(connection: Connection, row_id: str, *, merged: bool) -> None:
    """Record that GitHub shows a pull request as over."""
    state = "merged" if merged else "closed"
    connection.execute(update(pulls).where(pulls.c.id == row_id).values(state=state))


def commented(connection: Connection, row_id: str, comment_id: int, text: str) -> None:
    """Record which comment is ours, and what it says."""
    values = {"comment_id": comment_id, "comment_hash": digest_of(text)}
    connection.execute(update(pulls).where(pulls.c.id == row_id).values(values))


def digest_of(text: str) -> str:
    """Return what ``StoredPull.comment_hash`` is of a comment's text."""
    return hashlib.sha256(text.encode()).hexdigest()


def skipped(connection: Connection, row_id: str, note: str) -> None:
    """Record why a pull request was not reviewed."""
    connection.execute(update(pulls).where(pulls.c.id == row_id).values(note=note))


def command(connection: Connection, row_id: str) -> Command:
    """Read a command. Raises ``LookupError`` if there is none."""
    row = connection.execute(select(pull_commands).where(pull_commands.c.id == row_id)).first()
    if row is None:
        raise LookupError(f"there is no command {row_id}")
    return Command(row.id, row.pull_id, row.author, row.text, row.answer)


def answered(connection: Connection, row_id: str, answer: str) -> None:
    """Record what became of a command."""
    connection.execute(update(pull_commands).where(pull_commands.c.id == row_id).values(answer=answer))


def _known(connection: Connection, repository: str, number: int, *, state: str = "open") -> str:
    """Return the id of a pull request's row, which is made, in this state, if it is not there."""
    row_id = pull_id(repository, number)
    connection.execute(
        _insert(connection, pulls)
        .values(id=row_id, repository=repository, number=number, state=state, head_sha="", updated_at=0)
        .on_conflict_do_nothing(index_elements=[pulls.c.id])
    )
    return row_id


def _stored(row: Row[Any]) -> StoredPull:
    return StoredPull(
        id=row.id,
        repository=row.repository,
        number=row.number,
        state=row.state,
        head_sha=row.head_sha,
        asked_by=row.asked_by,
        asked_kept=row.asked_kept,
        reviewed_sha=row.reviewed_sha,
        posted_sha=row.posted_sha,
        review=None if row.review is None else parse_part(_REVIEW, row.review, pulls.name, row.id),
        facts=None if row.facts is None else parse_part(_FACTS, row.facts, pulls.name, row.id),
        findings=() if row.findings is None else parse_part(_FINDINGS, row.findings, pulls.name, row.id),
        comment_id=row.comment_id,
        comment_hash=row.comment_hash,
        note=row.note,
        wanted=row.wanted,
        done=row.done,
    )


def _insert(connection: Connection, table: Any) -> Any:
    return (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(table)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:30]

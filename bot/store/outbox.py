"""The outbox as rows: what is to be said in Slack, put down in the transaction of what it reports, and how far it got.

A row's ``state``: ``waiting`` (something is to be sent), ``sending`` (claimed by a process, since ``sending_since``),
``doubt`` (a post may or may not have arrived), ``failed`` (Slack refused; tried again slowly), ``posted`` (all said).
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Row, Select, Text, case, cast, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.domain.canonical import canonical
from bot.store.tables import messages

Kind = Literal["message", "ephemeral", "file"]
State = Literal["waiting", "sending", "doubt", "failed", "posted"]

_ERROR_LIMIT = 500
_parent = messages.alias("parent")
# The payload is read as text, so that one row that cannot be parsed keeps no other from being sent.
_QUEUED: Select[Any] = select(
    *(column for column in messages.c if column.name != "payload"),
    _parent.c.ts.label("parent_ts"),
    _parent.c.posted_channel.label("parent_channel"),
).outerjoin(_parent, _parent.c.key == messages.c.thread_key)
_SELECTED = _QUEUED.add_columns(cast(messages.c.payload, Text).label("stored"))


@dataclass(frozen=True, slots=True)
class Message:
    """One row. ``ts`` is None until Slack took the message; ``parent_ts`` is its thread's, None until that is there.

    ``payload`` is empty if what is stored cannot be read, and in a queue, which is read for each that is sent.
    """

    id: str
    key: str
    kind: Kind
    channel: str
    thread_key: str | None
    parent_ts: str | None
    parent_channel: str | None
    recipient: str | None
    payload: Mapping[str, Any]
    urgent: bool
    state: State
    ts: str | None
    posted_channel: str | None
    sending_since: int | None
    doubts: int
    attempts: int
    wanted: int
    not_before: int
    created_at: int
    last_error: str


def place(connection: Connection, key: str) -> tuple[str, str] | None:
    """Return the channel and the timestamp that Slack gave a message, None as long as it has not taken it."""
    query = select(messages.c.posted_channel, messages.c.ts).where(messages.c.key == key, messages.c.ts.is_not(None))
    row = connection.execute(query).first()
    return (str(row.posted_channel), str(row.ts)) if row and row.posted_channel else None


def put(
    connection: Connection,
    *,
    key: str,
    channel: str,
    payload: Mapping[str, Any],
    now: int,
    thread_key: str | None = None,
    kind: Kind = "message",
    recipient: str | None = None,
    urgent: bool = False,
) -> bool:
    """Ask for a message to be posted, or, if ``key`` was put before, to be edited to ``payload``.

    Runs in the caller's transaction. Returns whether there is anything new to say: an unchanged payload asks nothing.
    ``recipient`` (a user id) is needed for an ephemeral; if it is the channel too, that is a direct message. ``urgent``
    lets it pass before what else waits in its channel.
    Raises ``ValueError`` if the payload is not plain JSON with a ``text``.
    """
    canonical(dict(payload))
    if not isinstance(payload.get("text"), str):
        raise ValueError("a message needs a text: phones and screen readers have nothing else")
    # Several messages of one transaction, or of one tick of the clock, are sent in the order in which they were put.
    last = connection.execute(select(func.max(messages.c.created_at))).scalar_one_or_none() or 0
    stored = connection.execute(
        _insert(connection)
        .values(
            id="m" + secrets.token_hex(12),
            key=key,
            kind=kind,
            channel=channel,
            thread_key=thread_key,
            recipient=recipient,
            payload=dict(payload),
            urgent=urgent,
            state="waiting",
            created_at=max(now, last + 1),
            updated_at=now,
            wanted=1,
            not_before=now,
            last_error="",
        )
        .on_conflict_do_nothing(index_elements=[messages.c.key])
    )
    if stored.rowcount == 1:
        return True
    locked = select(cast(messages.c.payload, Text)).where(messages.c.key == key).with_for_update()
    if _read(connection.execute(locked).scalar_one()) == dict(payload):
        return False
    # Another payload may pass where one was refused, and a decision does not wait for an edit's turn.
    at_once = messages.c.state.in_(("failed", "posted") if urgent else ("failed",))
    connection.execute(
        update(messages)
        .where(messages.c.key == key)
        .values(
            payload=dict(payload),
            wanted=messages.c.wanted + 1,
            urgent=True if urgent else messages.c.urgent,
            state=case((messages.c.state.in_(("posted", "failed")), "waiting"), else_=messages.c.state),
            not_before=case((at_once, now), else_=messages.c.not_before),
            updated_at=now,
        )
    )
    return True


def look_again(connection: Connection, key: str, *, now: int) -> None:
    """Have a message that was posted edited as it is: one that was deleted in Slack is posted anew by that."""
    stands = update(messages).where(messages.c.key == key, messages.c.state == "posted", messages.c.kind == "message")
    connection.execute(stands.values(wanted=messages.c.wanted + 1, state="waiting", updated_at=now))


def channels(connection: Connection) -> list[str]:
    """Return the channels for which something waits."""
    return list(connection.execute(select(messages.c.channel).where(messages.c.state != "posted").distinct()).scalars())


def queue(connection: Connection, channel: str, *, limit: int = 50) -> list[Message]:
    """Return what waits for a channel, in the order it is to be sent: urgent first, then oldest first.

    At most ``limit`` each of posts, edits, whispers and refused messages, so that many of one kind hide none of
    another. Of edits and whispers, which may pass each other, those that are due first.
    """
    query = _QUEUED.where(messages.c.channel == channel, messages.c.state != "posted")
    query = query.where((messages.c.thread_key.is_(None)) | (_parent.c.ts.is_not(None)))
    refused = messages.c.state == "failed"
    whisper = messages.c.kind == "ephemeral"
    edit = (messages.c.kind == "message") & messages.c.ts.is_not(None)
    oldest, due = messages.c.created_at, messages.c.not_before
    found: list[Message] = []
    for kind, first in ((~refused & ~whisper & ~edit, oldest), (~refused & edit, due), (~refused & whisper, due)):
        rows = connection.execute(
            query.where(kind).order_by(messages.c.urgent.desc(), first, messages.c.id).limit(limit)
        )
        found += [_message(row) for row in rows]
    found.sort(key=lambda message: (not message.urgent, message.created_at, message.id))
    rows = connection.execute(
        query.where(refused).order_by(messages.c.urgent.desc(), oldest, messages.c.id).limit(limit)
    )
    return [*found, *(_message(row) for row in rows)]


def claim(connection: Connection, message: Message, *, now: int, sender: str = "") -> Message | None:
    """Take a message for sending, by compare-and-set. Returns it with its newest payload, or None if another process
    was faster. The claim is known by its ``sending_since``, without which no outcome is recorded; ``sender`` names the
    process, for when it dies."""
    free = message.sending_since is None
    same = messages.c.sending_since.is_(None) if free else messages.c.sending_since == message.sending_since
    instant = max(now, (message.sending_since or 0) + 1)
    statement = update(messages).where(messages.c.id == message.id, messages.c.state == message.state, same)
    if connection.execute(statement.values(state="sending", sending_since=instant, sender=sender)).rowcount != 1:
        return None
    return find(connection, message.key)


def find(connection: Connection, key: str) -> Message | None:
    """Read a message, or None if there is no such one."""
    row = connection.execute(_SELECTED.where(messages.c.key == key)).first()
    return _message(row) if row else None


def sent(
    connection: Connection,
    claimed: Message,
    *,
    generation: int,
    ts: str | None,
    channel: str | None,
    next_edit: int,
    doubled: bool = False,
    remark: str = "",
) -> bool:
    """Record that Slack shows ``generation`` as ``ts`` in ``channel``. A newer payload is due from ``next_edit`` on.

    ``doubled``: it was posted again without knowing of the first. Returns False if the claim was lost.
    """
    newest = messages.c.wanted <= generation
    statement = _held(claimed).values(
        state=case((newest, "posted"), else_="waiting"),
        done=generation,
        ts=ts,
        posted_channel=channel,
        sending_since=None,
        attempts=0,
        doubts=messages.c.doubts + int(doubled),
        urgent=case((newest, False), else_=messages.c.urgent),
        # A change that came in while this was sent is due at once if it is urgent, whatever was sent before it.
        not_before=case((~newest & messages.c.urgent, 0), else_=next_edit),
        last_error=remark[:_ERROR_LIMIT],
    )
    return connection.execute(statement).rowcount == 1


def not_sent(
    connection: Connection,
    claimed: Message,
    *,
    state: Literal["waiting", "doubt", "failed"],
    error: str,
    not_before: int,
    counted: bool = True,
) -> bool:
    """Give a claim back: nothing arrived (``waiting``), nobody knows (``doubt``), or Slack refused (``failed``).

    ``counted`` is False when the delay is nobody's failure, as with a rate limit. Returns False if the claim was lost.
    """
    statement = _held(claimed).values(
        state=state,
        sending_since=None,
        attempts=messages.c.attempts + int(counted),
        not_before=not_before,
        last_error=error[:_ERROR_LIMIT],
    )
    return connection.execute(statement).rowcount == 1


def vanished(connection: Connection, claimed: Message, *, error: str) -> bool:
    """Give a claim back because the message is no longer in Slack: its newest state will be posted anew."""
    statement = _held(claimed).values(
        state="waiting", sending_since=None, ts=None, posted_channel=None, not_before=0, last_error=error[:_ERROR_LIMIT]
    )
    return connection.execute(statement).rowcount == 1


def senders(connection: Connection) -> set[str]:
    """Return the names of the processes that hold a claim."""
    query = select(messages.c.sender).where(messages.c.state == "sending", messages.c.sender.is_not(None)).distinct()
    return set(connection.execute(query).scalars())


def orphaned(connection: Connection, sender: str, *, now: int) -> int:
    """Give back the claims of a process that is gone, and return how many: a post may have arrived (``doubt``), an edit
    or a whisper is done again."""
    post = messages.c.ts.is_(None) & (messages.c.kind != "ephemeral")
    statement = update(messages).where(messages.c.state == "sending", messages.c.sender == sender)
    return connection.execute(
        statement.values(state=case((post, "doubt"), else_="waiting"), sending_since=None, sender=None, not_before=now)
    ).rowcount


def troubled(connection: Connection, *, attempts: int = 3, limit: int = 50) -> Sequence[Message]:
    """Return the messages that Slack refuses or that could not be sent several times in a row, oldest first."""
    stuck = (messages.c.state == "failed") | ((messages.c.state != "posted") & (messages.c.attempts >= attempts))
    query = _SELECTED.where(stuck).order_by(messages.c.created_at).limit(limit)
    return [_message(row) for row in connection.execute(query)]


def _held(claimed: Message) -> Any:
    return update(messages).where(
        messages.c.id == claimed.id,
        messages.c.state == "sending",
        messages.c.sending_since == claimed.sending_since,
    )


def _insert(connection: Connection) -> Any:
    return (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(messages)


def channel_of(connection: Connection, key: str) -> str | None:
    """Return the channel that a message was put into, None if there is no such message: it never moves."""
    return connection.execute(select(messages.c.channel).where(messages.c.key == key)).scalar_one_or_none()


def _read(stored: str) -> Mapping[str, Any]:
    try:
        payload = json.loads(stored)
    except ValueError:
        return {}
    return payload if isinstance(payload, dict) and isinstance(payload.get("text"), str) else {}


def _message(row: Row[Any]) -> Message:
    return Message(
        id=row.id,
        key=row.key,
        kind=row.kind,
        channel=row.channel,
        thread_key=row.thread_key,
        parent_ts=row.parent_ts,
        parent_channel=row.parent_channel,
        recipient=row.recipient,
        payload=_read(row._mapping.get("stored", "")),
        urgent=row.urgent,
        state=row.state,
        ts=row.ts,
        posted_channel=row.posted_channel,
        sending_since=row.sending_since,
        doubts=row.doubts,
        attempts=row.attempts,
        wanted=row.wanted,
        not_before=row.not_before,
        created_at=row.created_at,
        last_error=row.last_error,
    )

"""Approvals and votes as rows: requests for sign-off, the clicks on them, and compare-and-set between states."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, Select, func, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.domain.approval import Approval, ApprovalState, Person, Vote, VoteState
from bot.domain.plan import Plan
from bot.domain.run import FINAL
from bot.store import audit, signed, work
from bot.store.clock import next_number
from bot.store.tables import approvals, runs, votes
from bot.store.unreadable import UnreadableRow, parse_part

_APPROVAL = TypeAdapter(Approval)
_VOTE = TypeAdapter(Vote)
_JUDGED = ("counted", "revoked")
"""The states of a vote that had an effect."""


@dataclass(frozen=True, slots=True)
class Request:
    """An approval with the plan it is for, as stored, the full diff its digest is in, and, a call each, the redacted
    fields whose hashes the plan holds."""

    approval: Approval
    plan: Plan
    full_diff: str
    seen: Sequence[Mapping[str, str]] = ()


def open_request(
    connection: Connection,
    *,
    approval_id: str,
    matter_id: str,
    plan: Plan,
    full_diff: str,
    now: int,
    seen: Sequence[Mapping[str, str]] = (),
    replaces: str | None = None,
) -> Approval:
    """Store a plan and the pending request for its sign-off, on a card of its own. ``replaces`` is the request whose
    place it takes."""
    record = plan.record
    row = {
        "id": approval_id,
        "number": next_number(connection, "approval"),
        "matter_id": matter_id,
        "digest": plan.digest,
        "record": plan.canonical,
        "full_diff": full_diff,
        "seen": json.dumps(list(seen)),
        "replaces": replaces,
        "runbook": record["runbook"]["id"],
        "cluster": record["cluster"],
        "state": "pending",
        "requester": _requester(record),
        "created_at": now,
        "expires_at": record["expires_at"],
        "outcome": "",
        "card": approval_id,
    }
    connection.execute(approvals.insert().values(**signed.sealed(connection, approvals, row)))
    return get(connection, approval_id)


def get(connection: Connection, approval_id: str) -> Approval:
    """Read an approval without its plan. Raises ``UnreadableRow`` if it no longer parses or is not as we wrote it."""
    return _approval(connection, connection.execute(select(approvals).where(approvals.c.id == approval_id)).one())


def digest_of(connection: Connection, approval_id: str) -> str | None:
    """Read only the digest that a request is stored with, checking nothing: a click is stored whatever it is on, and
    judged by the checked row. None if there is no such request."""
    found = connection.execute(select(approvals.c.digest).where(approvals.c.id == approval_id)).scalar_one_or_none()
    return None if found is None else str(found)


def by_number(connection: Connection, number: int) -> Approval | None:
    """Read the approval that people call A-``number``."""
    row = connection.execute(select(approvals).where(approvals.c.number == number)).first()
    return _approval(connection, row) if row else None


def request(connection: Connection, approval_id: str, *, lock: bool = False) -> Request:
    """Read an approval with its plan; ``lock`` holds the row until the transaction ends, so that verdicts queue up.

    Raises ``UnreadableRow`` if the stored bytes are not what was digested, or the row is not as we wrote it.
    """
    query = select(approvals).where(approvals.c.id == approval_id)
    row = connection.execute(query.with_for_update() if lock else query).one()
    try:
        plan = Plan.stored(bytes(row.record), row.digest)
        seen = json.loads(row.seen)
    except (ValueError, TypeError) as error:
        raise UnreadableRow("approvals", row.id, str(error)) from error
    return Request(_approval(connection, row), plan, row.full_diff, seen)


def replaced_by(connection: Connection, approval_id: str) -> Approval | None:
    """Return the newest request that took the place of one, None if none did. Raises ``UnreadableRow``."""
    query = select(approvals).where(approvals.c.replaces == approval_id).order_by(approvals.c.number.desc()).limit(1)
    row = connection.execute(query).first()
    return _approval(connection, row) if row else None


def of_matter(connection: Connection, matter_id: str) -> list[Approval]:
    """Return the approvals of a matter, oldest first, without those that cannot be read."""
    query = select(approvals).where(approvals.c.matter_id == matter_id).order_by(approvals.c.number)
    return _readable(connection, connection.execute(query))


def readable(connection: Connection, ids: Collection[str]) -> list[Approval]:
    """Return the requests with these ids, oldest first, without those that cannot be read."""
    query = select(approvals).where(approvals.c.id.in_(ids)).order_by(approvals.c.number)
    return _readable(connection, connection.execute(query)) if ids else []


def waiting(connection: Connection, *, runbook: str, now: int) -> list[Approval]:
    """Return the requests for a runbook, asked for by nobody, that wait for a person and have not expired, or
    whose runs have not ended; oldest first, without those that cannot be read."""
    query = select(approvals).outerjoin(runs, runs.c.approval_id == approvals.c.id)
    query = query.where(approvals.c.state.in_(("pending", "approved")), approvals.c.requester.is_(None))
    query = query.where(approvals.c.runbook == runbook, runs.c.state.is_(None) | runs.c.state.not_in(FINAL))
    query = query.where((approvals.c.state == "approved") | (approvals.c.expires_at > now))
    return _readable(connection, connection.execute(query.order_by(approvals.c.number)))


def helped(connection: Connection, *, runbook: str, cluster: str, since: int) -> list[Approval]:
    """Return the requests for a runbook in a cluster whose runs ended after ``since`` and helped, oldest first, without
    those that cannot be read."""
    query = select(approvals).join(runs, runs.c.approval_id == approvals.c.id)
    query = query.where(runs.c.state == "succeeded", runs.c.ended_at > since)
    query = query.where(approvals.c.runbook == runbook, approvals.c.cluster == cluster)
    return _readable(connection, connection.execute(query.order_by(approvals.c.number)))


def on_card(connection: Connection, card: str) -> list[str]:
    """Return the ids of the requests on a card, in the order they were made, whether they can be read or not."""
    query = select(approvals.c.id).where(approvals.c.card == card).order_by(approvals.c.number)
    return list(connection.execute(query).scalars())


def put_on(connection: Connection, approval_id: str, card: str) -> Approval:
    """Put a new request on a card that is there already. Raises ``UnreadableRow`` if the row is not as we wrote it."""
    signed.change(connection, approvals, approval_id, before={"card": approval_id}, values={"card": card})
    return get(connection, approval_id)


def pending(connection: Connection, *, limit: int = 50) -> list[Approval]:
    """Return the requests that wait for a person, oldest first, without those that cannot be read."""
    query = select(approvals).where(approvals.c.state == "pending").order_by(approvals.c.number).limit(limit)
    return _readable(connection, connection.execute(query))


def count_pending(connection: Connection) -> int:
    """Count the requests that wait for a person."""
    query = select(func.count()).select_from(approvals).where(approvals.c.state == "pending")
    return int(connection.execute(query).scalar_one())


def expired(connection: Connection, *, now: int, limit: int = 100) -> list[str]:
    """Return the ids of pending requests whose time is over, the longest first."""
    query = select(approvals.c.id).where(approvals.c.state == "pending", approvals.c.expires_at <= now)
    return list(connection.execute(query.order_by(approvals.c.expires_at).limit(limit)).scalars())


def move(
    connection: Connection,
    approval_id: str,
    *,
    before: ApprovalState,
    after: ApprovalState,
    outcome: str,
    now: int,
    moved: str = "",
) -> bool:
    """Change an approval's state by compare-and-set. Returns whether this call did it; only one call can. ``moved`` is
    what had changed that voids it.

    Raises ``UnreadableRow`` if the row is not as we wrote it: nothing of somebody else's is signed.
    """
    values = {"state": after, "outcome": outcome[:1000], "moved": moved, "decided_at": now}
    return signed.change(connection, approvals, approval_id, before={"state": before}, values=values)


def close_unreadable(connection: Connection, approval_id: str, *, outcome: str, now: int) -> bool:
    """Expire a pending request that cannot be read, whatever it says: its signature stays wrong, so it never runs."""
    statement = update(approvals).where(approvals.c.id == approval_id, approvals.c.state == "pending")
    return connection.execute(statement.values(state="expired", outcome=outcome[:1000], decided_at=now)).rowcount == 1


def receive_vote(connection: Connection, vote: Vote, *, person_name: str, channel: str) -> int | None:
    """Store a click before it is acknowledged and ask for the job that judges it. Returns that job's generation,
    or None if this very click was stored before (Slack may deliver one twice)."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    row = {
        "id": vote.id,
        "approval_id": vote.approval_id,
        "person": str(vote.person),
        "person_name": person_name,
        "decision": vote.decision,
        "digest": vote.digest,
        "reason": vote.reason,
        "channel": channel,
        "received_at": vote.received_at,
        "state": "received",
        "verdict": "",
    }
    sealed = signed.sealed(connection, votes, row)
    stored = connection.execute(insert(votes).values(**sealed).on_conflict_do_nothing())
    return work.want(connection, "vote", vote.id) if stored.rowcount == 1 else None


@dataclass(frozen=True, slots=True)
class Click:
    """A vote with where it was cast and what its person is called there."""

    vote: Vote
    person_name: str
    channel: str


def click(connection: Connection, vote_id: str) -> Click:
    """Read a stored click. Raises ``UnreadableRow`` if it no longer parses or is not as we wrote it."""
    row = connection.execute(select(votes).where(votes.c.id == vote_id)).one()
    return Click(_vote(connection, row), row.person_name, row.channel)


def votes_of(connection: Connection, approval_id: str, *, state: VoteState = "counted") -> list[Click]:
    """Return an approval's votes in one state, oldest first. Raises ``UnreadableRow`` if one cannot be relied on: then
    none of them decides anything."""
    query = select(votes).where(votes.c.approval_id == approval_id, votes.c.state == state)
    rows = connection.execute(query.order_by(votes.c.received_at, votes.c.id))
    return [Click(_vote(connection, row), row.person_name, row.channel) for row in rows]


def counted(connection: Connection, approval: Approval) -> list[Click]:
    """Return the votes that count, oldest first: those of which the audit says so last. An older copy of a vote's row
    is as well signed as its newest one. Raises ``UnreadableRow`` as ``votes_of`` does."""
    words = audit.judged(connection, [approval.name])
    return [click for click in votes_of(connection, approval.id) if words.get(click.vote.id) == "counted"]


def is_opposed(connection: Connection, approval_id: str) -> bool:
    """Say whether a click that would stop a request was taken, and is still to be judged."""
    against = votes.c.decision.in_(("deny", "cancel", "revoke")) & (votes.c.state == "received")
    query = select(votes.c.id).where(votes.c.approval_id == approval_id, against, votes.c.done < votes.c.wanted)
    return connection.execute(query.limit(1)).first() is not None


@dataclass(frozen=True, slots=True)
class Glass:
    """The click that broke the glass for a request, and the one that closed its review, if any did."""

    broken: Click
    reviewed: Click | None


def glass_of(connection: Connection, approval_id: str) -> Glass | None:
    """Return who broke the glass for a request, None if nobody did. Taken back it stays broken, and to be reviewed.
    Raises ``UnreadableRow`` if a vote of these is not as we wrote it."""
    query = select(votes).where(votes.c.approval_id == approval_id, votes.c.decision.in_(("break", "reviewed")))
    rows = connection.execute(query.where(votes.c.state.in_(_JUDGED)).order_by(votes.c.received_at, votes.c.id))
    clicks = [Click(_vote(connection, row), row.person_name, row.channel) for row in rows]
    broken = next((each for each in clicks if each.vote.decision == "break"), None)
    reviewed = next((each for each in clicks if each.vote.decision == "reviewed"), None)
    return Glass(broken, reviewed) if broken else None


def unreviewed(connection: Connection, *, limit: int = 50) -> list[Approval]:
    """Return the requests whose break-glass nobody has reviewed, oldest first, without those that cannot be read."""
    query = select(approvals).where(approvals.c.id.in_(_unreviewed())).order_by(approvals.c.number).limit(limit)
    return _readable(connection, connection.execute(query))


def count_unreviewed(connection: Connection) -> int:
    """Count the requests whose break-glass nobody has reviewed."""
    return int(connection.execute(select(func.count()).select_from(_unreviewed().subquery())).scalar_one())


def _unreviewed() -> Select[Any]:
    review = votes.alias()
    closed = select(review.c.id).where(
        review.c.approval_id == votes.c.approval_id, review.c.decision == "reviewed", review.c.state == "counted"
    )
    # Written out, so that the index of the few that broke the glass is used.
    broke = text("votes.decision = 'break'")
    return select(votes.c.approval_id).distinct().where(broke, votes.c.state.in_(_JUDGED), ~closed.exists())


def judge_vote(
    connection: Connection, vote_id: str, *, state: VoteState, verdict: str, age_ms: int | None = None
) -> bool:
    """Record the judgement of a vote, once, and how old what it was judged by was. Returns whether this call did it."""
    values = {"state": state, "verdict": verdict[:1000], "groups_age_ms": age_ms}
    return signed.change(connection, votes, vote_id, before={"state": "received"}, values=values)


def revoke_votes(connection: Connection, vote_ids: Iterable[str], *, verdict: str) -> None:
    """Let counted votes count no more. Raises ``UnreadableRow`` if one is not as we wrote it."""
    values = {"state": "revoked", "verdict": verdict[:1000]}
    for vote_id in vote_ids:
        signed.change(connection, votes, vote_id, before={"state": "counted"}, values=values)


def _requester(record: Mapping[str, Any]) -> str | None:
    who = record["requester"]
    return None if who is None else str(Person(who["team_id"], who["user_id"]))


def person(text: str) -> Person:
    """Read a person from ``team:user``."""
    team, _, user = text.partition(":")
    return Person(team, user)


def _approval(connection: Connection, row: Row[Any]) -> Approval:
    signed.check(connection, approvals, row)
    data = dict(row._mapping)
    data["requester"] = person(str(row.requester)) if row.requester else None
    return parse_part(_APPROVAL, data, "approvals", row.id)


def _vote(connection: Connection, row: Row[Any]) -> Vote:
    signed.check(connection, votes, row)
    return parse_part(_VOTE, dict(row._mapping) | {"person": person(str(row.person))}, "votes", row.id)


def _readable(connection: Connection, rows: Iterable[Row[Any]]) -> list[Approval]:
    found = []
    for row in rows:
        with contextlib.suppress(UnreadableRow):
            found.append(_approval(connection, row))
    return found

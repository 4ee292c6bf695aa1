"""The tables, the same on SQLite and PostgreSQL.

A row that wants work carries ``wanted`` and ``done`` generations: whoever accepts work raises ``wanted`` in the same
transaction, and a job named kind:row:generation does it. Times are integer microseconds, UTC.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    false,
    text,
)

metadata = MetaData()


class Garbled:
    """Stands for a stored value that is not JSON, or not bytes: whoever validates the row finds it to be of the wrong
    type."""


class Json(TypeDecorator[Any]):
    """JSON whose reading never raises, so that one garbled value cannot hide the rows around it."""

    impl = JSON
    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        """Read as JSON does, or return ``Garbled``."""
        inner = super().result_processor(dialect, coltype)

        def read(value: Any) -> Any:
            try:
                return inner(value) if inner is not None else value
            except (ValueError, TypeError, RecursionError):
                return Garbled()

        return read


class Binary(TypeDecorator[Any]):
    """Bytes whose reading never raises: SQLite keeps text or a number in their place if it is given one."""

    impl = LargeBinary
    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        """Read what is bytes, or return ``Garbled``."""

        def read(value: Any) -> Any:
            return bytes(value) if isinstance(value, bytes | memoryview) else Garbled()

        return read


def _counters() -> list[Column[Any]]:
    return [
        Column("wanted", Integer, nullable=False, default=0, server_default="0"),
        Column("done", Integer, nullable=False, default=0, server_default="0"),
        Column("attempts", Integer, nullable=False, default=0, server_default="0"),
        Column("not_before", BigInteger, nullable=False, default=0, server_default="0"),
    ]


def _given_up() -> Column[Any]:
    """The generation of work that GitHub refused for good, as far as anybody can tell; 0 where it refused none."""
    return Column("given_up", Integer, nullable=False, default=0, server_default="0")


def _due(name: str) -> Index:
    """Index the few rows that want work: every process looks for them every second."""
    wants = text("done < wanted")
    return Index(name, "not_before", sqlite_where=wants, postgresql_where=wants)


def _signature() -> Column[Any]:
    return Column("signature", Text, nullable=False, default="", server_default="")


groups = Table(
    "alert_groups",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("source", Text, nullable=False),
    Column("group_key", Text, nullable=False),
    Column("receiver", Text, nullable=False),
    Column("group_labels", Json, nullable=False),
    Column("common_labels", Json, nullable=False),
    Column("common_annotations", Json, nullable=False),
    Column("external_url", Text, nullable=False),
    Column("truncated", Integer, nullable=False),
    Column("last_seen_at", BigInteger, nullable=False),
    Column("incident_id", String(32), nullable=True),
    *_counters(),
    _due("alert_groups_due"),
)

alerts = Table(
    "alerts",
    metadata,
    Column("group_id", String(32), primary_key=True),
    Column("fingerprint", String(64), primary_key=True),
    Column("starts_at", BigInteger, primary_key=True),
    Column("status", String(10), nullable=False),
    Column("ends_at", BigInteger, nullable=True),
    Column("concluded", Boolean, nullable=False),
    Column("fired", Boolean, nullable=False),
    Column("labels", Json, nullable=False),
    Column("annotations", Json, nullable=False),
    Column("generator_url", Text, nullable=False),
    Column("incident_id", String(32), nullable=True, index=True),
    Column("first_seen_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Index(
        "alerts_unassigned",
        "group_id",
        sqlite_where=text("incident_id IS NULL"),
        postgresql_where=text("incident_id IS NULL"),
    ),
)

incidents = Table(
    "incidents",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("number", Integer, nullable=False, unique=True),
    Column("group_id", String(32), nullable=False, index=True),
    Column("source", Text, nullable=False),
    Column("status", String(10), nullable=False, index=True),
    Column("severity", String(20), nullable=False),
    Column("title", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("subject", Json, nullable=False),
    Column("labels", Json, nullable=False),
    Column("firing", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("truncated", Integer, nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("last_seen_at", BigInteger, nullable=False),
    Column("resolved_at", BigInteger, nullable=True),
    Column("reopened", Integer, nullable=False),
    Column("reopened_at", BigInteger, nullable=True),
    Column("previous", Integer, nullable=True),
    Column("evidence_count", Integer, nullable=False, default=0, server_default="0"),
    Column("triage", Json, nullable=True),
    Column("note", Text, nullable=False, default="", server_default=""),
    *_counters(),
    _due("incidents_due"),
)

evidence = Table(
    "evidence",
    metadata,
    Column("incident_id", String(32), primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("generation", Integer, nullable=False),
    Column("record", Json, nullable=False),
)

approvals = Table(
    "approvals",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("number", Integer, nullable=False, unique=True),
    Column("matter_id", String(32), nullable=False, index=True),
    Column("digest", String(64), nullable=False),
    Column("record", Binary, nullable=False),
    Column("full_diff", Text, nullable=False),
    Column("seen", Text, nullable=False, default="[]"),
    Column("runbook", Text, nullable=False),
    Column("cluster", Text, nullable=False),
    Column("state", String(12), nullable=False, index=True),
    Column("requester", Text, nullable=True),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("decided_at", BigInteger, nullable=True),
    Column("outcome", Text, nullable=False),
    Column("moved", Text, nullable=False, default=""),
    Column("replaces", String(32), nullable=True, index=True),
    Column("card", String(32), nullable=False, index=True),
    _signature(),
)

votes = Table(
    "votes",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("approval_id", String(32), nullable=False, index=True),
    Column("person", Text, nullable=False),
    Column("person_name", Text, nullable=False, default="", server_default=""),
    Column("decision", String(8), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("state", String(10), nullable=False),
    Column("verdict", Text, nullable=False),
    Column("groups_age_ms", Integer, nullable=True),
    _signature(),
    *_counters(),
    _due("votes_due"),
    # The few that broke the glass: whoever lists what is not reviewed looks for them among all votes.
    Index(
        "votes_breaking",
        "approval_id",
        sqlite_where=text("decision = 'break'"),
        postgresql_where=text("decision = 'break'"),
    ),
)

asks = Table(
    "asks",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("matter_id", String(32), nullable=False),
    Column("runbook", Text, nullable=False),
    Column("parameters", Json, nullable=False),
    Column("person", Text, nullable=True),
    Column("person_name", Text, nullable=False),
    Column("on_behalf_of", Text, nullable=True),
    Column("replaces", String(32), nullable=True),
    Column("received_at", BigInteger, nullable=False),
    Column("approval_id", String(32), nullable=True),
    Column("outcome", Text, nullable=False),
    Column("proposed_by", Text, nullable=False),
    Column("evidence", Json, nullable=False),
    _signature(),
    *_counters(),
    _due("asks_due"),
)

runs = Table(
    "runs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("approval_id", String(32), nullable=False, unique=True),
    Column("matter_id", String(32), nullable=False, index=True),
    Column("state", String(14), nullable=False, index=True),
    Column("started_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger, nullable=True),
    Column("outcome", Text, nullable=False),
    Column("waits_for", String(32), nullable=True, index=True),
    *_counters(),
    _due("runs_due"),
)

locks = Table(
    "locks",
    metadata,
    Column("key", Text, primary_key=True),
    Column("run_id", String(32), nullable=False, index=True),
    Column("since", BigInteger, nullable=False),
)

joined = Table(
    "joined",
    metadata,
    Column("approval_id", String(32), primary_key=True),
    Column("matter_id", String(32), primary_key=True, index=True),
)

steps = Table(
    "run_steps",
    metadata,
    Column("run_id", String(32), primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("state", String(10), nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("tried_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger, nullable=True),
    Column("detail", Text, nullable=False),
    Column("open_until", BigInteger, nullable=True),
)

log_requests = Table(
    "log_requests",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("person", Text, nullable=False),
    Column("person_name", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("incident_id", String(32), nullable=True),
    Column("cluster", Text, nullable=False),
    Column("namespace", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("workload", Text, nullable=False),
    Column("seconds", Integer, nullable=False),
    Column("words", Json, nullable=False),
    Column("received_at", BigInteger, nullable=False, index=True),
    Column("state", String(10), nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reading", Json(none_as_null=True), nullable=True),
    Column("summary", Json(none_as_null=True), nullable=True),
    *_counters(),
    _due("log_requests_due"),
)

messages = Table(
    "outbox",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("key", String(160), nullable=False, unique=True),
    Column("kind", String(12), nullable=False),
    Column("channel", Text, nullable=False),
    Column("thread_key", String(160), nullable=True),
    Column("recipient", Text, nullable=True),
    Column("payload", Json, nullable=False),
    Column("urgent", Boolean, nullable=False),
    Column("state", String(10), nullable=False),
    Column("ts", Text, nullable=True),
    Column("posted_channel", Text, nullable=True),
    Column("sending_since", BigInteger, nullable=True),
    Column("sender", Text, nullable=True),
    Column("doubts", Integer, nullable=False, default=0, server_default="0"),
    Column("last_error", Text, nullable=False, default="", server_default=""),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    *_counters(),
    Index("outbox_waiting", "state", "not_before"),
    Index("outbox_order", "created_at"),
)

github_deliveries = Table(
    "github_deliveries",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("delivery", String(64), nullable=False, index=True),
    Column("event", String(40), nullable=False),
    Column("repository", Text, nullable=False),
    Column("kind", String(10), nullable=False),
    Column("row_id", String(32), nullable=False),
    Column("received_at", BigInteger, nullable=False, index=True),
)

pulls = Table(
    "pulls",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("repository", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("state", String(10), nullable=False),
    Column("head_sha", String(64), nullable=False, index=True),
    Column("asked_by", Text, nullable=False, default="", server_default=""),
    Column("asked_kept", Boolean, nullable=False, default=False, server_default=false()),
    Column("reviewed_sha", String(64), nullable=False, default="", server_default=""),
    Column("posted_sha", String(64), nullable=False, default="", server_default=""),
    Column("review", Json, nullable=True),
    Column("facts", Json, nullable=True),
    Column("findings", Json, nullable=True),
    Column("comment_id", BigInteger, nullable=True),
    Column("comment_hash", String(64), nullable=False, default="", server_default=""),
    Column("note", Text, nullable=False, default="", server_default=""),
    Column("updated_at", BigInteger, nullable=False),
    *_counters(),
    _given_up(),
    _due("pulls_due"),
)

pull_commands = Table(
    "pull_commands",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("pull_id", String(32), nullable=False, index=True),
    Column("author", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("answer", Text, nullable=False, default="", server_default=""),
    Column("received_at", BigInteger, nullable=False),
    *_counters(),
    _given_up(),
    _due("pull_commands_due"),
)

ci_runs = Table(
    "ci_runs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("repository", Text, nullable=False),
    Column("run_id", BigInteger, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("workflow", Text, nullable=False),
    Column("app", Text, nullable=False),
    Column("head_sha", String(64), nullable=False, index=True),
    Column("branch", Text, nullable=False),
    Column("conclusion", String(20), nullable=False),
    Column("url", Text, nullable=False),
    Column("pulls", Json, nullable=False),
    Column("on_default", Boolean, nullable=False),
    Column("source", Text, nullable=False, default="", server_default=""),
    Column("event", Text, nullable=False, default="", server_default=""),
    Column("workflow_id", BigInteger, nullable=False, default=0, server_default="0"),
    Column("failure", Json, nullable=True),
    Column("at", BigInteger, nullable=False),
    *_counters(),
    _given_up(),
    _due("ci_runs_due"),
)

ci_signatures = Table(
    "ci_signatures",
    metadata,
    Column("run_row", String(32), primary_key=True),
    Column("signature", String(64), primary_key=True),
    Column("repository", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("ci_signatures_known", "signature", "repository"),
)

changes = Table(
    "changes",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("kind", String(10), nullable=False),
    Column("repository", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("sha", String(64), nullable=False),
    Column("before", String(64), nullable=False, default="", server_default=""),
    Column("title", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("paths", Json, nullable=False),
    Column("risks", Json, nullable=False),
    Column("at", BigInteger, nullable=False, index=True),
    *_counters(),
    _given_up(),
    _due("changes_due"),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("actor", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("data", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    _signature(),
    Index("audit_subject", "subject", "seq"),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("table_name", String(40), primary_key=True),
    Column("row_id", String(80), primary_key=True),
    Column("reason", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)

counters = Table(
    "counters",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

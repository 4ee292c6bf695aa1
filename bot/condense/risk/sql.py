"""Risk rules for SQL: what loses data, and what locks a table while it is in use."""

from __future__ import annotations

import re
from typing import Final

from bot.condense.risk.rule import Added, Gone, Rule, Touched

PATHS: Final = re.compile(
    r"\.(?:sql|psql|ddl|plsql|pgsql|prisma)$"
    r"|(?:^|/)(?:migrations?|db|alembic|versions|schema|changelog)/.*\.(?:py|rb|php|js|ts|go|xml|ya?ml|java|kt)$",
    re.I,
)

_NAME: Final = r"(?:\"\w+\"|`\w+`|\[\w+\]|\w+)"

RULES: Final[tuple[Rule, ...]] = (
    Added(
        "sql/drop",
        "critical",
        r"(?i)\bDROP\s+(?:(?:FOREIGN\s+)?TABLE|COLUMN|DATABASE|SCHEMA|VIEW|MATERIALIZED\s+VIEW|TYPE|SEQUENCE|PARTITION)\b",
        "Data is lost, and older code that still reads it fails.",
    ),
    Added(
        "sql/drop-column",
        "critical",
        rf"(?i)(?:\bALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?[\w.\"`]+\s+(?:[^;]*,\s*)?|^[\s,]*)"
        rf"DROP\s+(?:IF\s+EXISTS\s+)?{_NAME}\s*(?:[;,\"')]|(?:CASCADE|RESTRICT)\b|$)",
        "Without another word DROP means a column: its data is lost, and older code that still reads it fails.",
        unless=r"(?i)^[\s,]*DROP\s+(?:DEFAULT|IDENTITY|EXPRESSION|CONSTRAINT|INDEX|KEY|CHECK|TRIGGER|POLICY|FUNCTION"
        r"|PROCEDURE|ROLE|USER|RULE|OWNED|EXTENSION)\b",
    ),
    Added(
        "sql/guard-dropped",
        "high",
        r"(?i)\bDROP\s+(?:TRIGGER|POLICY|ROW\s+ACCESS\s+POLICY)\b",
        "What the database did at every write, or who sees which rows, is dropped: is it made anew?",
    ),
    Added("sql/truncate", "critical", r"(?i)\bTRUNCATE\s+(?:TABLE\s+)?[\"`\w]", "All rows are lost."),
    Added(
        "sql/write-without-where",
        "critical",
        r"(?i)(?:^\W*|[\"'(]\s*)(?:DELETE\s+FROM\s+(?:ONLY\s+)?[\"`\w.]+|UPDATE\s+(?:ONLY\s+)?[\"`\w.]+\s*(?:$|SET\s))",
        "It has no condition: it touches every row.",
        unless=r"(?i)\bWHERE\b",
    ),
    Added("sql/cascade", "high", r"(?i)\b(?:CASCADE)\b", "What depends on it goes with it."),
    Added(
        "sql/rename",
        "high",
        r"(?i)\bRENAME\s+(?:TO|COLUMN|TABLE|CONSTRAINT)\b",
        "Code that runs during the rollout still uses the old name.",
    ),
    Added(
        "sql/type",
        "high",
        r"(?i)\bALTER\s+(?:COLUMN\s+)?[\"`\w.]+\s+(?:SET\s+DATA\s+)?TYPE\b"
        r"|\b(?:MODIFY|CHANGE)\s+(?:COLUMN\s+)?[\"`\w]",
        "The table may be rewritten under an exclusive lock.",
    ),
    Added(
        "sql/not-null",
        "high",
        r"(?i)\bSET\s+NOT\s+NULL\b|\bADD\s+(?:COLUMN\s+)?[\"`\w.]+\s[^,;]*\bNOT\s+NULL\b",
        "Every row is checked under a lock, and inserts of older code fail.",
    ),
    Added(
        "sql/index-blocks",
        "high",
        r"(?i)\bCREATE\s+(?:UNIQUE\s+)?INDEX\s+(?:IF\s+NOT\s+EXISTS\s+)?[\"`\w]+\s+ON\b",
        "Built without CONCURRENTLY, writes to the table wait until it is done.",
    ),
    Added("sql/index-dropped", "high", r"(?i)\bDROP\s+INDEX\b", "Queries that used the index become scans."),
    Gone(
        "sql/index-removed",
        "high",
        r"(?i)\b(?:UNIQUE\s+)?INDEX\b|\bCONCURRENTLY\b|@@?(?:index|unique|id|fulltext)\b",
        "An index, or building it without a lock, is no longer declared.",
    ),
    Added(
        "sql/constraint",
        "high",
        r"(?i)\bADD\s+(?:CONSTRAINT|FOREIGN\s+KEY|PRIMARY\s+KEY|UNIQUE|CHECK)\b|\bVALIDATE\s+CONSTRAINT\b",
        "Every row is checked under a lock unless it is added NOT VALID.",
    ),
    Gone(
        "sql/constraint-removed",
        "high",
        r"(?i)\b(?:CONSTRAINT|FOREIGN\s+KEY|PRIMARY\s+KEY|UNIQUE|REFERENCES|NOT\s+NULL)\b",
        "A rule that kept the data sound is no longer declared.",
    ),
    Added(
        "sql/constraint-dropped",
        "high",
        r"(?i)\bDROP\s+(?:CONSTRAINT|FOREIGN\s+KEY|PRIMARY\s+KEY|NOT\s+NULL|DEFAULT)\b",
        "A rule that kept the data sound is dropped.",
    ),
    Added(
        "sql/grant",
        "high",
        r"(?i)\b(?:GRANT|REVOKE)\s+\w+.*\b(?:TO|FROM|ON)\b|\b(?:CREATE|ALTER|DROP)\s+(?:USER|ROLE)\b"
        r"|\bDISABLE\s+ROW\s+LEVEL\b|\bSECURITY\s+DEFINER\b",
        "Who may read or write what is changed.",
    ),
    Added(
        "sql/lock",
        "high",
        r"(?i)\bLOCK\s+TABLE\b|\b(?:VACUUM\s+FULL|CLUSTER|REINDEX)\b",
        "The table cannot be used meanwhile.",
    ),
    Touched(
        "sql/schema",
        "medium",
        r"(?i)\b(?:ALTER|CREATE)\s+(?:OR\s+REPLACE\s+)?(?:TABLE|VIEW|FUNCTION|TRIGGER|TYPE|SCHEMA|EXTENSION|POLICY|SEQUENCE|INDEX)\b",
        "The schema is changed here.",
    ),
    Touched(
        "sql/write",
        "medium",
        r"(?i)\b(?:INSERT\s+INTO|DELETE\s+FROM|UPDATE\s+[\"`\w.]+\s+SET)\b",
        "Rows are changed here.",
    ),
)

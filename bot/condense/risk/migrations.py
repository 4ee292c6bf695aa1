"""Risk rules for Django and Alembic migrations: what loses data, locks tables, or cannot be undone."""

from __future__ import annotations

import re
from typing import Final

from bot.condense.risk.rule import Added, Gone, Rule, Touched

PATHS: Final = re.compile(
    r"(?:^|/)(?:migrations?|alembic|versions|south_migrations)/.*\.py$|(?:^|/)models(?:/.*)?\.py$"
    r"|(?:^|/)[\w\-]*migration[\w\-]*\.\w+$",
    re.I,
)

_WAY_BACK: Final = r"^(?:async\s+)?def\s+(?:downgrade|down|reverse)\b"
"""What encloses the steps that undo a migration: to drop what it made is their task."""

RULES: Final[tuple[Rule, ...]] = (
    Added(
        "migration/drops-data",
        "critical",
        r"\b(?:RemoveField|DeleteModel)\s*\(|\bop\.drop_(?:table|column)\s*\(|\.drop_column\s*\(",
        "Data is lost, and older code that still reads it fails.",
        beyond=_WAY_BACK,
    ),
    Added(
        "migration/renames",
        "high",
        r"\b(?:RenameField|RenameModel|AlterModelTable|RenameIndex)\s*\(|\bop\.rename_table\s*\("
        r"|\bnew_column_name\s*=",
        "Code that runs during the rollout still uses the old name.",
    ),
    Added(
        "migration/alters-column",
        "high",
        r"\bAlterField\s*\(|\bop\.alter_column\s*\(|\.alter_column\s*\(|\btype_\s*=",
        "The table may be rewritten or checked under a lock.",
    ),
    Added(
        "migration/raw",
        "high",
        r"\bRunSQL\s*\(|\bRunPython\s*\(|\bSeparateDatabaseAndState\s*\(|\bop\.execute\s*\("
        r"|\bconnection\.execute\s*\(",
        "The migration runs code of its own: nothing knows how long it takes, or how to undo it.",
    ),
    Added(
        "migration/no-way-back",
        "high",
        r"\b(?:RunPython|migrations\.RunSQL)\.noop\b|\breverse_(?:code|sql)\s*=\s*None"
        r"|\bdef downgrade\(\)[^:]*:\s*pass|\bIrreversibleError\b|\belidable\s*=\s*True",
        "It cannot be undone.",
    ),
    Added(
        "migration/not-null",
        "high",
        r"\bnullable\s*=\s*False|\bnull\s*=\s*False",
        "Every row is checked, and inserts of older code fail.",
    ),
    Added(
        "migration/index",
        "high",
        r"\b(?:AddIndex|AddConstraint|AlterUniqueTogether|AlterIndexTogether)\s*\("
        r"|\bop\.create_(?:index|unique_constraint|foreign_key|check_constraint)\s*\(|\bunique\s*=\s*True",
        "Built without its concurrent form, it blocks writes to the table until it is done.",
    ),
    Added(
        "migration/drops-guard",
        "high",
        r"\b(?:RemoveIndex|RemoveConstraint|RemoveIndexConcurrently)\s*\(|\bop\.drop_(?:index|constraint)\s*\(",
        "An index or a rule that kept the data sound is dropped.",
        beyond=_WAY_BACK,
    ),
    Gone(
        "migration/guard-undeclared",
        "high",
        r"\b(?:db_index|index|unique|primary_key)\s*=\s*True"
        r"|\bmodels\.(?:Index|UniqueConstraint|CheckConstraint)\b|\bunique_together\b|\bindex_together\b",
        "An index or a rule that kept the data sound is no longer declared.",
    ),
    Added(
        "migration/cascade",
        "high",
        r"\bon_delete\s*=\s*models\.CASCADE|\bondelete\s*=\s*[\"']CASCADE",
        "What refers to it is deleted with it.",
    ),
    Added(
        "migration/not-atomic",
        "medium",
        r"\batomic\s*=\s*False|\bAddIndexConcurrently\s*\(|\bpostgresql_concurrently\s*=\s*True",
        "It runs in no transaction: if it fails halfway, the half stays.",
    ),
    Touched(
        "migration/order",
        "medium",
        r"^\s*(?:dependencies|run_before|replaces|down_revision|revision|branch_labels|depends_on)\s*[=:]"
        r"|\blinter\.\w+|\badd_migration\b",
        "The order of migrations, or what checks them, is set here.",
    ),
    Touched(
        "migration/step",
        "medium",
        r"\bmigrations\.\w+\s*\("
        r"|\b(?:RemoveField|DeleteModel|AlterField|AddField|CreateModel|RunSQL|RunPython|RenameField|RenameModel|RemoveConstraint|RemoveIndex|AddIndex|AddConstraint)\b"
        r"|\bop\.\w+\s*\(",
        "A step of the migration.",
    ),
    Touched(
        "migration/model",
        "low",
        r"\bmodels\.\w+(?:Field|Key)\s*\(|\b(?:sa|db)\.Column\s*\(|\bmapped_column\s*\(",
        "A column of a model.",
    ),
)

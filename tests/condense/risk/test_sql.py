import pytest

from bot.condense.risk import sql
from tests.condense.risk.telling import Change, ids, told

TOLD: dict[str, Change] = {
    "sql/drop-column": ("db/schema.sql", "x: 1", "x: 1\nALTER TABLE users DROP email;"),
    "sql/guard-dropped": ("db/schema.sql", "x: 1", "x: 1\nDROP POLICY p ON orders;"),
    "sql/drop": ("db/schema.sql", "x: 1", "x: 1\nDROP TABLE orders;"),
    "sql/truncate": ("db/schema.sql", "x: 1", "x: 1\ntruncate table orders;"),
    "sql/write-without-where": ("db/schema.sql", "x: 1", "x: 1\nDELETE FROM orders;"),
    "sql/cascade": ("db/schema.sql", "x: 1", "x: 1\n  x int REFERENCES y ON DELETE CASCADE,"),
    "sql/rename": ("db/schema.sql", "x: 1", "x: 1\nALTER TABLE a RENAME TO b;"),
    "sql/type": ("db/schema.sql", "x: 1", "x: 1\nALTER TABLE a ALTER COLUMN b TYPE bigint;"),
    "sql/not-null": ("db/schema.sql", "x: 1", "x: 1\nALTER TABLE a ALTER COLUMN b SET NOT NULL;"),
    "sql/index-blocks": ("db/schema.sql", "x: 1", "x: 1\nCREATE INDEX i ON orders (id);"),
    "sql/index-dropped": ("db/schema.sql", "x: 1", "x: 1\nDROP INDEX i;"),
    "sql/index-removed": ("db/schema.sql", "x: 1\nCREATE INDEX i ON orders (id);", "x: 1"),
    "sql/constraint": ("db/schema.sql", "x: 1", "x: 1\nALTER TABLE a ADD CONSTRAINT c CHECK (x > 0);"),
    "sql/constraint-removed": ("db/schema.sql", "x: 1\n  UNIQUE (email),", "x: 1"),
    "sql/constraint-dropped": ("db/schema.sql", "x: 1", "x: 1\nALTER TABLE a DROP CONSTRAINT c;"),
    "sql/grant": ("db/schema.sql", "x: 1", "x: 1\nGRANT ALL ON orders TO public;"),
    "sql/lock": ("db/schema.sql", "x: 1", "x: 1\nVACUUM FULL orders;"),
    "sql/schema": ("db/schema.sql", "x: 1", "x: 1\nCREATE TABLE t (x int);"),
    "sql/write": ("db/schema.sql", "x: 1", "x: 1\nINSERT INTO t VALUES (1);"),
}

QUIET: list[tuple[str, Change]] = [
    *[
        ("sql/drop-column", ("db/schema.sql", "x: 1", f"x: 1\n{text}"))
        for text in (
            "ALTER TABLE a ALTER COLUMN b DROP DEFAULT;",
            "ALTER TABLE a ADD x int, ALTER b DROP IDENTITY;",
            "ALTER TABLE a\n  ALTER b\n  DROP DEFAULT;",
            "ALTER TABLE a DROP CONSTRAINT c;",
            "ALTER TABLE a DROP PRIMARY KEY;",
            "ALTER TABLE a DROP INDEX i, ADD INDEX j (x);",
            "ALTER TABLE a ALTER b DROP NOT NULL;",
            "-- ALTER TABLE a DROP b;",
        )
    ],
    ("sql/guard-dropped", ("db/schema.sql", "x: 1", "x: 1\nCREATE POLICY p ON orders;")),
    ("sql/index-blocks", ("db/schema.sql", "x: 1", "x: 1\nCREATE INDEX CONCURRENTLY i ON orders (id);")),
    ("sql/write-without-where", ("db/schema.sql", "x: 1", "x: 1\nDELETE FROM orders WHERE id = 1;")),
    ("sql/write-without-where", ("db/schema.sql", "x", "x\nUPDATE orders SET a = 1 WHERE id = 3;")),
    ("sql/write-without-where", ("db/schema.sql", "x", "x\nUPDATE orders\n  SET a = 1\n  WHERE id = 3;")),
    ("sql/write-without-where", ("db/schema.sql", "x", "x\nDELETE FROM orders\nWHERE id = 3;")),
    ("sql/write-without-where", ("db/schema.sql", "x", "x\n-- DELETE FROM orders;")),
    ("sql/write-without-where", ("db/versions/1.py", "x", "x\nop.execute('DELETE FROM a WHERE b = 1')")),
    ("sql/drop", ("db/schema.sql", "x: 1\nDROP TABLE orders;", "x: 1")),
]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM orders;",
        "DELETE FROM orders\n;\nSELECT 1 FROM a WHERE b = 2;",
        "UPDATE orders\n  SET a = 1\n;",
        "UPDATE orders SET a = 1, b = 'x';",
    ],
)
def test_a_statement_is_read_to_its_end(statement: str) -> None:
    assert "sql/write-without-where" in told("db/1.sql", "SELECT 1;", f"SELECT 1;\n{statement}")


def test_a_model_says_that_it_has_an_index() -> None:
    model = "model Order {\n  id Int\n  @@index([customer])\n}"
    assert "sql/index-removed" in told("schema.prisma", model, model.replace("  @@index([customer])\n", ""))


@pytest.mark.parametrize(("rule", "change"), TOLD.items(), ids=TOLD)
def test_each_rule_tells_its_change(rule: str, change: Change) -> None:
    assert rule in told(*change)


def test_every_rule_has_an_example() -> None:
    assert sorted(TOLD) == sorted(ids(sql.RULES))


@pytest.mark.parametrize(("rule", "change"), QUIET)
def test_a_rule_is_quiet_where_there_is_nothing_to_tell(rule: str, change: Change) -> None:
    assert rule in ids(sql.RULES)
    assert rule not in told(*change)


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("sql/drop-column", "ALTER TABLE IF EXISTS ONLY public.users DROP IF EXISTS email CASCADE;"),
        ("sql/drop-column", "ALTER TABLE users ADD a int, DROP `email`;"),
        ("sql/drop-column", 'ALTER TABLE users\n  DROP "email",\n  ADD x int;'),
        ("sql/drop-column", "ALTER TABLE users\n  ADD x int\n  , DROP IF EXISTS c;"),
        ("sql/drop", "DROP FOREIGN TABLE IF EXISTS remote_orders;"),
        ("sql/guard-dropped", "drop trigger audit on orders;"),
    ],
)
def test_what_else_drop_drops_is_told(rule: str, text: str) -> None:
    assert rule in told("db/schema.sql", "x: 1", f"x: 1\n{text}")

import pytest

from bot.condense.risk import migrations
from tests.condense.risk.telling import Change, ids, told

TOLD: dict[str, Change] = {
    "migration/drops-data": (
        "shop/migrations/0002_x.py",
        "x: 1",
        "x: 1\n        migrations.RemoveField('order', 'note'),",
    ),
    "migration/renames": ("shop/migrations/0002_x.py", "x: 1", "x: 1\n        migrations.RenameField('a', 'b', 'c'),"),
    "migration/alters-column": ("alembic/versions/1_x.py", "x: 1", "x: 1\n    op.alter_column('a', 'b')"),
    "migration/raw": ("shop/migrations/0002_x.py", "x: 1", "x: 1\n        migrations.RunPython(f),"),
    "migration/no-way-back": (
        "shop/migrations/0002_x.py",
        "x: 1",
        "x: 1\n        migrations.RunPython(f, migrations.RunPython.noop),",
    ),
    "migration/not-null": ("shop/migrations/0002_x.py", "x: 1", "x: 1\n    nullable=False,"),
    "migration/index": ("shop/migrations/0002_x.py", "x: 1", "x: 1\n        migrations.AddIndex('a', i),"),
    "migration/drops-guard": (
        "shop/migrations/0002_x.py",
        "x: 1",
        "x: 1\n        migrations.RemoveConstraint('a', 'c'),",
    ),
    "migration/guard-undeclared": ("shop/models.py", "x: 1\n    email = models.EmailField(unique=True)", "x: 1"),
    "migration/cascade": ("shop/migrations/0002_x.py", "x: 1", "x: 1\n    on_delete=models.CASCADE,"),
    "migration/not-atomic": ("shop/migrations/0002_x.py", "x: 1", "x: 1\n    atomic = False"),
    "migration/order": ("shop/migrations/0002_x.py", "x: 1", "x: 1\n    dependencies = []"),
    "migration/step": ("shop/migrations/0002_x.py", "x: 1", "x: 1\n        migrations.AddField('a', 'b', f),"),
    "migration/model": ("shop/models.py", "x: 1", "x: 1\n    x = models.CharField()"),
}

QUIET: list[tuple[str, Change]] = [
    ("migration/drops-data", ("db/versions/1.py", "x = 1", "x = 1\ndef downgrade():\n    op.drop_table('a')")),
    (
        "migration/drops-data",
        (
            "db/versions/1.py",
            "x",
            "x\ndef downgrade() -> None:\n    with op.batch_alter_table('a') as b:\n        b.drop_column('c')",
        ),
    ),
    ("migration/drops-data", ("shop/migrations/0002_x.py", "x: 1", "x: 1\n        migrations.AddField('a', 'b'),")),
    ("migration/guard-undeclared", ("shop/models.py", "a = F(unique=True)\nb = 1", "b = 1\na = F(unique=True)")),
    ("migration/drops-data", ("src/a.md", "x: 1", "x: 1\nRemoveField('x')")),
]


@pytest.mark.parametrize(("rule", "change"), TOLD.items(), ids=TOLD)
def test_each_rule_tells_its_change(rule: str, change: Change) -> None:
    assert rule in told(*change)


def test_every_rule_has_an_example() -> None:
    assert sorted(TOLD) == sorted(ids(migrations.RULES))


@pytest.mark.parametrize(("rule", "change"), QUIET)
def test_a_rule_is_quiet_where_there_is_nothing_to_tell(rule: str, change: Change) -> None:
    assert rule in ids(migrations.RULES)
    assert rule not in told(*change)

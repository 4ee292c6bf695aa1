"""Files that a rename takes away."""

import pytest

from bot.condense.diff.parse import from_listing, parse
from bot.condense.risk.assess import assess
from bot.condense.risk.moves import IDS, LINK

AWAY = [
    ("k8s/networkpolicy.yaml", "k8s/networkpolicy.yaml.bak", "move/manifest"),
    ("k8s/networkpolicy.yaml", "docs/networkpolicy.yaml", "move/manifest"),
    ("k8s/pdb.json", "k8s/pdb.json.off", "move/manifest"),
    ("charts/a/templates/pdb.yaml", "charts/a/templates/_pdb.yaml", "move/manifest"),
    ("tests/test_pay.py", "tests/pay.py.off", "move/test"),
    ("tests/test_pay.py", "tests/pay_checks.py", "move/test"),
    ("pkg/a_test.go", "pkg/a_testing.go", "move/test"),
    ("src/a.spec.ts", "src/a.ts", "move/test"),
    (".github/workflows/ci.yml", "docs/ci.yml", "move/workflow"),
    (".github/workflows/ci.yml", ".github/ci.yml.old", "move/workflow"),
    (".github/CODEOWNERS", ".github/OWNERS", "move/owners"),
    ("db/migrations/0001.sql", "old/0001.sql", "move/migration"),
    ("rules/alerts.yaml", "docs/alerts.yaml", "move/rules"),
    ("infra/db.tf", "infra/db.tf.txt", "move/infrastructure"),
]
STAYS = [
    ("k8s/a.yaml", "k8s/b.yaml"),
    ("k8s/a.yaml", "deploy/prod/a.yml"),
    ("deploy/a.yaml", "deploy/a.yaml.j2"),
    ("tests/test_a.py", "tests/unit/test_b.py"),
    (".github/workflows/a.yml", ".github/workflows/b.yaml"),
    (".github/CODEOWNERS", "CODEOWNERS"),
    ("docs/a.yaml", "docs/a.yaml.txt"),
    ("infra/db.tf", "modules/db/main.tf"),
    ("src/a.py", "src/b.py"),
    ("package.json", "package.json5"),
    ("README.md", "docs/README.md"),
    ("notes.txt", "notes.md"),
]


def renamed(old: str, new: str, status: str = "renamed") -> set[str]:
    listed = {"filename": new, "previous_filename": old, "status": status, "changes": 0, "additions": 0, "deletions": 0}
    return {risk.rule for risk in assess(from_listing([listed | {"sha": "a" * 40}]).files[0])}


@pytest.mark.parametrize(("old", "new", "rule"), AWAY)
def test_a_file_that_is_moved_out_of_reach_is_told_as_gone(old: str, new: str, rule: str) -> None:
    assert renamed(old, new) == {rule}


@pytest.mark.parametrize(("old", "new"), STAYS)
def test_a_file_that_keeps_its_part_under_another_name_is_no_news(old: str, new: str) -> None:
    assert renamed(old, new) == set()


def test_a_copy_takes_nothing_away() -> None:
    assert renamed("k8s/a.yaml", "k8s/a.yaml.bak", "copied") == set()


def test_a_file_that_becomes_a_link_is_told_and_a_new_link_is_not() -> None:
    deleted = "deleted file mode 100644\n"
    link = "new file mode 120000\n--- /dev/null\n+++ b/{0}\n@@ -0,0 +1 @@\n+../x\n"
    for path, text, severity in (
        ("k8s/np.yaml", deleted + "diff --git a/{0} b/{0}\n" + link, ["high"]),
        ("README.md", deleted + "diff --git a/{0} b/{0}\n" + link, ["medium"]),
        ("k8s/np.yaml", link, []),
    ):
        last = parse(("diff --git a/{0} b/{0}\n" + text).format(path)).files[-1]
        assert [risk.severity for risk in assess(last) if risk.rule == "move/link"] == severity


def test_each_part_has_an_example() -> None:
    assert {rule for *_, rule in AWAY} | {LINK} == set(IDS)

import pytest

from bot.analysis.review.anchors import Anchors
from bot.analysis.review.committed import RULE, committed
from bot.analysis.review.rules import told
from bot.redact.redactor import Redactor
from tests.analysis.review.diffs import HEAD, patch
from tests.condense.diff.diffs import change

REDACT = Redactor(key=b"k" * 32).text
KEY = "AKIA" + "IOSFODNN7EXAMPLQ"


def findings(path: str, old: list[str], new: list[str], kind: str = "source"):
    read = patch(change(path, old, new))
    return told(Anchors(read, REDACT), {}, {path: kind}, head_sha=HEAD)


@pytest.mark.parametrize(
    "line", [f"  accessKey: {KEY}", "  password: correct-horse-9", "  token: ghp_" + "a1B2c3D4e5" * 3 + "f6G7h8"]
)
def test_a_secret_that_is_added_is_told_and_not_shown(line: str) -> None:
    (finding,) = findings("values.yaml", ["a: 1"], ["a: 1", line])
    assert (finding.rule, finding.severity, finding.category, finding.line) == (RULE, "high", "security", 2)
    assert line.split()[1] not in repr(finding)


def test_a_secret_that_was_there_before_is_no_news() -> None:
    assert findings("values.yaml", [f"key: {KEY}", "a: 1"], ["a: 1", f"other: {KEY}"]) == []
    assert findings("values.yaml", [f"key: {KEY}"], [f"key: {KEY}", "a: 1"]) == []


def test_a_lock_file_is_full_of_hashes_and_a_test_of_examples() -> None:
    assert findings("poetry.lock", ["a"], ["a", f"key: {KEY}"], kind="lock") == []
    assert {finding.confidence for finding in findings("t.yaml", ["a"], ["a", f"key: {KEY}"], kind="test")} == {"low"}


def test_of_one_file_so_many_are_told() -> None:
    read = patch(change("a.yaml", ["a"], ["a", *(f"password: correct-horse-{n}" for n in range(50))]))
    file = Anchors(read, REDACT).file("a.yaml")
    assert file is not None
    assert len(list(committed(file))) == 20

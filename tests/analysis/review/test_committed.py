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


@pytest.mark.parametrize(
    ("kind", "confidence"),
    [("source", "high"), ("vendored", "medium"), ("generated", "medium"), ("lock", "low"), ("test", "low")],
)
def test_a_secret_is_told_wherever_it_lies(kind: str, confidence: str) -> None:
    (finding,) = findings("a.env", ["a"], ["a", f"key: {KEY}"], kind=kind)
    assert (finding.rule, finding.confidence) == (RULE, confidence)


@pytest.mark.parametrize(
    "line",
    [
        '  "integrity": "sha512-Q8UpV5mhQbYkBbQk2BkXv0cG2mVYqJ5fXJ7nE3QkM4sWq0u9m1zLhO8oT2pYw6rD5vCtB3nKx7gHaF1eSg==",',
        "github.com/pkg/errors v0.9.1 h1:FEBLx1zS214owpjy7qsBeixbURkuhQAwrK5UwLGTwt4=",
        "    --hash=sha256:3b0d6d5b7f1f2e4b6f0a9d8c7e6f5a4b3c2d1e0f9a8b7c6d5e4f3a2b1c0d9e8f",
        'checksum = "8c3c6f3a1c5e7b9d0f2a4c6e8b0d2f4a6c8e0b2d4f6a8c0e2b4d6f8a0c2e4b6d"',
    ],
)
def test_the_hash_of_a_package_is_no_secret(line: str) -> None:
    assert findings("x.lock", ["a"], ["a", line], kind="lock") == []


def test_of_one_file_so_many_are_told() -> None:
    read = patch(change("a.yaml", ["a"], ["a", *(f"password: correct-horse-{n}" for n in range(50))]))
    file = Anchors(read, REDACT).file("a.yaml")
    assert file is not None
    assert len(list(committed(file))) == 20

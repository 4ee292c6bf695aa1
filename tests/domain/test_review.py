"""A review's verdict and risk follow from its findings' states and from what was read."""

from dataclasses import replace

import pytest
from pydantic import TypeAdapter

from bot.domain.review import ChangedFile, Finding, Review, fingerprint

FINDING = Finding(
    fingerprint=fingerprint("deploy/app.yaml", "LEFT", "  readinessProbe:", 0),
    rule="k8s/probe-removed",
    category="availability",
    severity="critical",
    confidence="high",
    path="deploy/app.yaml",
    side="LEFT",
    line=12,
    start_line=12,
    quote="  readinessProbe:",
    why="Traffic reaches pods that are not ready.",
)
READ = ChangedFile("deploy/app.yaml", "modified", lines=3, kept_lines=3)
LOCK = ChangedFile("go.sum", "modified", kind="lock", lines=9, why="over budget")
UNREAD = ChangedFile("big.tf", "modified", lines=900, kept_lines=10, why="over budget")


def review(*findings: Finding, files=(READ,), **more) -> Review:
    return Review("a" * 40, "A probe goes.", findings, files, "rules", **more)


@pytest.mark.parametrize(
    ("found", "verdict", "risk"),
    [
        (review(FINDING), "blocker", "critical"),
        (review(replace(FINDING, confidence="low")), "attention", "low"),
        (review(replace(FINDING, severity="high")), "attention", "high"),
        (review(replace(FINDING, severity="low")), "clear", "low"),
        (review(replace(FINDING, state="dismissed")), "clear", "low"),
        (review(replace(FINDING, state="resolved")), "clear", "low"),
        (review(), "clear", "low"),
        (review(files=(READ, UNREAD)), "partial", "low"),
        (review(files=(READ, LOCK)), "clear", "low"),
        (review(files=(ChangedFile("a.png", "added", notes=("binary",)),)), "clear", "low"),
        (review(files=(ChangedFile("a.sql", "added", notes=("no patch",)),)), "partial", "low"),
        (review(files=(ChangedFile("a.sql", "modified", notes=("combined",)),)), "partial", "low"),
        (review(unlisted=3), "partial", "low"),
        (review(replace(FINDING, state="dismissed"), replace(FINDING, severity="medium")), "attention", "medium"),
    ],
)
def test_the_verdict_follows_from_open_findings_and_what_was_read(found, verdict, risk):
    assert (found.verdict, found.risk) == (verdict, risk)


def test_a_fingerprint_survives_another_indent_and_nothing_else():
    same = fingerprint("a.yaml", "LEFT", "replicas: 3", 0)
    assert same == fingerprint("a.yaml", "LEFT", "\t  replicas:   3 ", 0)
    others = {
        fingerprint("b.yaml", "LEFT", "replicas: 3", 0),
        fingerprint("a.yaml", "RIGHT", "replicas: 3", 0),
        fingerprint("a.yaml", "LEFT", "replicas: 4", 0),
        fingerprint("a.yaml", "LEFT", "replicas: 3", 1),
    }
    assert len(others - {same}) == 4


def test_weight_is_severity_times_confidence():
    weights = [
        replace(FINDING, severity=severity, confidence=confidence).weight
        for severity, confidence in [("critical", "high"), ("critical", "low"), ("high", "medium"), ("low", "low")]
    ]
    assert weights == sorted(weights, reverse=True)
    assert len(set(weights)) == 4


def test_a_review_is_stored_and_read_back_as_it_was():
    adapter = TypeAdapter(Review)
    made = review(FINDING, replace(FINDING, suggestion="", state="dismissed", reason="by ann: known"), files=(UNREAD,))
    assert adapter.validate_python(adapter.dump_python(made, mode="json")) == made

"""The record: only what the audit calls asked for, approved and not begun may start."""

import pytest

from bot.approvals.record import contradiction
from bot.domain.audit import AuditEvent

DIGEST = "d" * 64


def told(*kinds: str, digest: str = DIGEST) -> list[AuditEvent]:
    return [AuditEvent(n, n, kind, "signoff", "A-1", {"digest": digest}, "", "") for n, kind in enumerate(kinds, 1)]


@pytest.mark.parametrize(
    "kinds",
    [
        ("approval.requested", "vote.approved"),
        ("approval.requested", "vote.refused", "vote.waiting", "vote.approved", "run.started"),
        ("approval.requested", "vote.approved", "vote.revoked", "vote.waiting", "vote.approved"),
        ("approval.requested", "vote.approved", "something.new", "vote.refused"),
        ("approval.requested", "break_glass.refused", "vote.waiting", "break_glass.approved", "break_glass.reviewed"),
    ],
)
def test_what_was_asked_and_approved_may_start(kinds: tuple[str, ...]) -> None:
    assert contradiction(told(*kinds), DIGEST) == ""


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        ((), "does not know this request"),
        (("vote.approved",), "does not know this request"),
        (("approval.requested",), "its last word is approval.requested"),
        (("approval.requested", "vote.waiting"), "does not say that it is approved"),
        (("approval.requested", "vote.approved", "vote.denied"), "it ended: vote.denied"),
        (("approval.requested", "vote.denied", "vote.approved"), "it ended: vote.denied"),
        (("approval.requested", "vote.approved", "vote.revoked"), "its last word is vote.revoked"),
        (("approval.requested", "break_glass.refused"), "its last word is approval.requested"),
        (("approval.requested", "break_glass.reviewed"), "its last word is approval.requested"),
        (("approval.requested", "break_glass.approved", "vote.revoked"), "its last word is vote.revoked"),
        (("approval.requested", "break_glass.approved", "vote.denied"), "it ended: vote.denied"),
        (("approval.requested", "vote.approved", "approval.expired"), "it ended: approval.expired"),
        (("approval.requested", "vote.approved", "run.started", "run.void"), "it ended: run.void"),
        (("approval.requested", "vote.approved", "run.started", "step.started"), "begun before"),
        (("approval.requested", "vote.approved", "run.started", "step.started", "step.failed"), "begun before"),
    ],
)
def test_whatever_else_it_says_stops_the_start(kinds: tuple[str, ...], said: str) -> None:
    assert said in contradiction(told(*kinds), DIGEST)


def test_an_approval_of_another_plan_is_none() -> None:
    assert "does not know" in contradiction(told("approval.requested", "vote.approved", digest="e" * 64), DIGEST)
    mixed = [*told("approval.requested"), *told("vote.approved", digest="e" * 64)]
    assert "does not say that it is approved" in contradiction(mixed, DIGEST)


def begun(*ordinals: int) -> list[AuditEvent]:
    started = [
        AuditEvent(9 + n, 9, "step.started", "signoff", "A-1", {"ordinal": n, "digest": DIGEST}, "", "")
        for n in ordinals
    ]
    return [*told("approval.requested", "vote.approved"), *started]


def test_each_call_is_begun_once_and_none_before_the_first() -> None:
    assert contradiction(begun(0), DIGEST, 1) == ""
    assert contradiction(begun(0, 1, 2), DIGEST, 3) == ""
    assert "begun before" in contradiction(begun(0, 1), DIGEST, 1)
    assert "begun before" in contradiction(begun(0, 1), DIGEST, 0)
    assert "begun before" in contradiction(begun(1), DIGEST, 0)
    assert "the calls before" in contradiction(begun(), DIGEST, 1)
    assert "the calls before" in contradiction(begun(1), DIGEST, 2)
    assert "it ended" in contradiction([*begun(0), *told("vote.denied")], DIGEST, 1)

"""All states times all events, and a machine that tries every order of them."""

from __future__ import annotations

from typing import cast

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bot.approvals.lifecycle import EVENTS, STATES, Event, Illegal, Moved, step
from bot.domain.approval import ApprovalState

ENDS = {"deny": "denied", "cancel": "cancelled", "expire": "expired", "void": "void", "supersede": "superseded"}
LEGAL: dict[tuple[str, bool, str], tuple[str, bool]] = {
    ("pending", False, "approve"): ("approved", False),
    ("approved", False, "start"): ("approved", True),
    ("pending", False, "revoke"): ("pending", False),
    ("approved", False, "revoke"): ("void", False),
    **{("pending", False, event): (state, False) for event, state in ENDS.items()},
    **{("approved", False, event): (state, False) for event, state in ENDS.items()},
}


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("started", [False, True])
@pytest.mark.parametrize("state", STATES)
def test_every_state_answers_every_event(state: ApprovalState, started: bool, event: Event) -> None:
    outcome = step(state, event, started=started)
    expected = LEGAL.get((state, started, event))
    if expected:
        assert outcome == Moved(cast(ApprovalState, expected[0]), expected[1])
    else:
        assert isinstance(outcome, Illegal)
        assert outcome.sentence.startswith("The request ")
        assert outcome.sentence.endswith(".")


@pytest.mark.parametrize(
    ("state", "event", "started", "sentence"),
    [
        ("denied", "approve", False, "The request cannot be approved: it was denied."),
        ("expired", "start", False, "The request cannot start a run: it has expired."),
        ("void", "approve", False, "The request cannot be approved: what it was for has changed."),
        ("approved", "deny", True, "The request cannot be denied: its run has started."),
        ("approved", "start", True, "The request cannot start a run: its run has started."),
        ("pending", "start", False, "The request cannot start a run: it is not approved yet."),
    ],
)
def test_a_refusal_says_why(state: ApprovalState, event: Event, started: bool, sentence: str) -> None:
    assert step(state, event, started=started) == Illegal(sentence)


def test_a_record_that_cannot_be_read_never_starts() -> None:
    for event in EVENTS:
        assert isinstance(step(cast(ApprovalState, "aproved"), event), Illegal)
    assert isinstance(step("approved", cast(Event, "begin")), Illegal)


class Life(RuleBasedStateMachine):
    """Whatever comes in whatever order: at most one start, only after an approval, and nothing after an end."""

    def __init__(self) -> None:
        super().__init__()
        self.state: ApprovalState = "pending"
        self.started = False
        self.history: list[str] = []

    @rule(event=st.sampled_from(EVENTS))
    def happens(self, event: Event) -> None:
        outcome = step(self.state, event, started=self.started)
        if isinstance(outcome, Moved):
            self.state, self.started = outcome.state, outcome.started
            self.history.append(event)

    @invariant()
    def starts_at_most_once_and_only_when_approved(self) -> None:
        assert self.history.count("start") <= 1
        assert self.history.count("approve") <= 1
        if "start" in self.history:
            assert [event for event in self.history if event != "revoke"] == ["approve", "start"]
            assert self.history[-2:] == ["approve", "start"]
        ends = [event for event in self.history if event in ENDS]
        assert len(ends) <= 1
        assert not ends or self.history[-1] == ends[0]


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=50, stateful_step_count=8, deadline=None)

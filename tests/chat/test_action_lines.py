"""Nothing that waits is missing from a card's list of actions: it has a line, or is counted and linked."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.chat.action_lines import WAITING, ActionLine, action_lines

STATES = ("pending", "running", "unknown", "succeeded", "denied", "void")


def line(number: int, state: str) -> ActionLine:
    return ActionLine(f"A-{number}", "Restart a Deployment", state, address=f"https://slack.com/archives/C1/p{number}")


def items(lines: list[ActionLine]) -> list[str]:
    bullets: Any = action_lines(lines)[1]
    return [json.dumps(each, ensure_ascii=False) for each in bullets["elements"]]


def test_what_waits_stays_though_newer_ones_are_over() -> None:
    lines = [line(1, "pending"), *(line(number, "denied") for number in range(2, 8))]
    shown = items(lines)
    assert '"A-1"' in shown[0]
    assert "waits for sign-off" in shown[0]
    assert "and 3 more in the thread" in shown[-1]
    assert "https://slack.com/archives/C1/p2" in shown[-1]
    assert "not over" not in shown[-1]


def test_more_that_wait_than_there_is_room_for_are_counted_and_linked() -> None:
    shown = items([line(number, "pending") for number in range(1, 12)])
    assert len(shown) == 9
    assert "and 3 more in the thread" in shown[-1]
    assert ", 3 of them not over" in shown[-1]
    assert all(f"https://slack.com/archives/C1/p{number}" in shown[-1] for number in (1, 2, 3))


@given(st.lists(st.sampled_from(STATES), min_size=1, max_size=20))
def test_nothing_is_silently_left_out(states: list[str]) -> None:
    lines = [line(number, state) for number, state in enumerate(states, 1)]
    shown = items(lines)
    everything = " ".join(shown)
    assert all(f'"{each.name}"' in everything for each in lines)
    left = shown[-1] if "more in the thread" in shown[-1] else ""
    waiting = [each for each in lines if each.state in WAITING]
    assert not left or len(shown) - 1 >= min(len(waiting), 8)

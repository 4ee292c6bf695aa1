"""Timestamps never repeat, and people see the channels that they would see in Slack."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.sandbox.slack.workspace import DEPLOYS, GENERAL, INCIDENTS, PARTNERS, shop


@given(st.lists(st.floats(min_value=1e9, max_value=2e9), min_size=2, max_size=20))
@settings(max_examples=50)
def test_timestamps_rise_even_when_the_clock_goes_back(times: list[float]) -> None:
    ticks = iter(times)
    workspace = shop(lambda: next(ticks), random.Random(1))
    stamps = [workspace.new_ts() for _ in times]
    assert stamps == sorted(set(stamps))
    assert {len(stamp) for stamp in stamps} == {17}


def test_who_sees_which_channel() -> None:
    workspace = shop(lambda: 0.0, random.Random(1))
    seen = {
        user: [c.id for c in workspace.channels.values() if workspace.may_see(user, c)]
        for user in ("U0DANA", "U0GUEST", "U0EXT")
    }
    assert seen == {
        "U0DANA": [INCIDENTS, DEPLOYS, GENERAL, PARTNERS],
        "U0GUEST": [INCIDENTS],
        "U0EXT": [PARTNERS],
    }


def test_a_direct_conversation_is_private_to_its_person() -> None:
    workspace = shop(lambda: 0.0, random.Random(1))
    channel = workspace.open_im("U0DANA")
    assert workspace.open_im("U0DANA") is channel
    assert workspace.may_see("U0DANA", channel)
    assert not workspace.may_see("U0LEE", channel)

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chat.pace import EDIT_BURST, POST_BURST, Pace


def test_a_few_posts_go_at_once_and_then_one_a_second() -> None:
    pace = Pace()
    for _ in range(int(POST_BURST)):
        assert pace.post_wait("C1", 0.0) == 0.0
        pace.posted("C1", 0.0)
    assert pace.post_wait("C1", 0.0) == 1.0
    assert pace.post_wait("C1", 0.5) == 0.5
    assert pace.post_wait("C1", 1.0) == 0.0
    assert pace.post_wait("C2", 0.0) == 0.0


def test_ordinary_edits_leave_room_for_urgent_ones() -> None:
    pace = Pace()
    for _ in range(int(EDIT_BURST)):
        pace.edited(0.0)
    assert 1.4 < pace.edit_wait(0.0, urgent=False) < 1.6
    assert pace.edit_wait(0.0, urgent=True) == 0.0


def test_what_slack_says_counts_for_all_that_it_is_about() -> None:
    pace = Pace()
    pace.pause("chat.update", "C1", 30, 0.0)
    assert pace.edit_wait(10.0, urgent=True) == 20.0
    assert pace.post_wait("C1", 10.0) == 0.0
    pace.pause("chat.postMessage", "C1", 5, 10.0)
    assert pace.post_wait("C1", 10.0) == 5.0
    assert pace.post_wait("C2", 10.0) == 0.0
    pace.pause("chat.postMessage", "C1", 1, 10.0)
    assert pace.post_wait("C1", 10.0) == 5.0


@given(st.lists(st.floats(0.0, 0.4), min_size=1, max_size=200))
@settings(max_examples=50)
def test_no_minute_has_more_posts_than_slack_takes(gaps: list[float]) -> None:
    pace, now, sent = Pace(), 0.0, []
    for gap in gaps:
        now += gap
        if pace.post_wait("C1", now) == 0.0:
            pace.posted("C1", now)
            sent.append(now)
    for start in sent:
        within = [at for at in sent if start <= at < start + 10.0]
        assert len(within) <= 10 + POST_BURST

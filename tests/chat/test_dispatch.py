from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chat.dispatch import LEASE_US, SETTLE_US, Waits, choose, in_doubt, is_edit
from bot.store.outbox import Message

NOW = 1_795_255_320_000_000
SECOND = 1_000_000
FREE = Waits()


def message(key: str, **changes: Any) -> Message:
    waiting = Message(
        id=key, key=key, kind="message", channel="C1", thread_key=None, parent_ts=None, parent_channel=None,
        recipient=None, payload={}, urgent=False, state="waiting", ts=None, posted_channel=None, sending_since=None,
        doubts=0, attempts=0, wanted=1, not_before=NOW, created_at=NOW, last_error="",
    )  # fmt: skip
    return replace(waiting, **changes)


def chosen(*queue: Message, waits: Waits = FREE, **more: Any) -> str | None:
    picked = choose(queue, waits, now=NOW, **more).message
    return picked.key if picked else None


LATER = NOW + 5 * SECOND


def test_the_first_that_is_due_goes_first() -> None:
    assert chosen(message("a"), message("b")) == "a"


def test_a_post_does_not_overtake_one_that_has_to_wait() -> None:
    assert chosen(message("a", not_before=LATER), message("b")) is None
    assert chosen(message("a", state="doubt", not_before=LATER), message("b")) is None


def test_an_edit_that_waits_for_its_turn_holds_nothing_up() -> None:
    assert chosen(message("a", ts="1.0", not_before=LATER), message("b")) == "b"


def test_edits_and_whispers_go_while_posts_have_to_wait() -> None:
    slow = Waits(post=2.0)
    assert chosen(message("a"), message("b", ts="1.0"), waits=slow) == "b"
    assert chosen(message("a"), message("w", kind="ephemeral"), waits=slow) == "w"
    assert choose([message("a")], slow, now=NOW).after == 2.0


def test_whispers_that_have_to_wait_hold_nothing_up() -> None:
    many = [message(f"w{number}", kind="ephemeral", urgent=True) for number in range(50)]
    assert chosen(*many, message("a"), waits=Waits(whisper=30.0)) == "a"
    assert choose(many, Waits(whisper=30.0), now=NOW).after == 30.0


def test_an_urgent_edit_goes_when_ordinary_ones_have_to_wait() -> None:
    busy = Waits(edit=9.0)
    assert chosen(message("a", ts="1.0"), message("b", ts="2.0", urgent=True), waits=busy) == "b"


def test_a_refused_message_holds_nothing_up_and_is_tried_again_when_due() -> None:
    assert chosen(message("ok"), message("no", state="failed", not_before=LATER)) == "ok"
    assert chosen(message("no", state="failed", not_before=LATER)) is None
    assert chosen(message("no", state="failed")) == "no"


def test_what_another_process_sends_is_left_to_it_and_keeps_its_place() -> None:
    held = message("a", state="sending", sending_since=NOW - 5 * SECOND)
    assert chosen(held, message("b")) is None
    assert chosen(held, message("e", ts="1.0")) == "e"


def test_a_claim_that_is_too_old_is_taken_over() -> None:
    assert chosen(message("a", state="sending", sending_since=NOW - LEASE_US)) == "a"


def test_the_claims_of_a_dead_process_are_taken_over_as_soon_as_they_have_settled() -> None:
    fresh = message("a", state="sending", sending_since=NOW - SECOND)
    settled = message("a", state="sending", sending_since=NOW - SETTLE_US)
    assert chosen(fresh, orphaned_before=NOW) is None
    assert choose([fresh], FREE, now=NOW, orphaned_before=NOW).after == 1.0
    assert chosen(settled, orphaned_before=NOW) == "a"
    assert chosen(settled, orphaned_before=NOW - 9 * SECOND) is None


def test_it_says_when_to_ask_again() -> None:
    assert choose([message("a", not_before=NOW + SECOND)], FREE, now=NOW).after == 1.0
    assert choose([message("a", ts="1.0")], Waits(edit=0.25), now=NOW).after == 0.25
    assert choose([], FREE, now=NOW).after == 3600.0


@pytest.mark.parametrize(
    ("state", "ts", "doubtful"),
    [("waiting", None, False), ("doubt", None, True), ("sending", None, True), ("sending", "1.0", False)],
)
def test_only_a_post_can_be_in_doubt(state: Any, ts: str | None, doubtful: bool) -> None:
    found = message("a", state=state, ts=ts)
    assert in_doubt(found) == doubtful
    assert is_edit(found) == (ts is not None)


MESSAGES = st.builds(
    lambda number, **changes: message(f"m{number}", **changes),
    st.integers(0, 10**6),
    state=st.sampled_from(["waiting", "doubt", "failed", "sending"]),
    ts=st.sampled_from([None, "1.0"]),
    kind=st.sampled_from(["message", "ephemeral", "file"]),
    not_before=st.integers(NOW - 5 * SECOND, NOW + 5 * SECOND),
    sending_since=st.integers(NOW - 2 * LEASE_US, NOW),
)


@given(st.lists(MESSAGES, max_size=12))
@settings(max_examples=150)
def test_whatever_waits_nothing_is_sent_early_and_no_post_overtakes_another(queue: list[Message]) -> None:
    picked = choose(queue, FREE, now=NOW)
    if picked.message is None:
        assert picked.after > 0
        return
    sent = picked.message
    assert sent.state == "sending" or sent.not_before <= NOW
    if not is_edit(sent) and sent.kind != "ephemeral":
        before = queue[: queue.index(sent)]
        assert all(is_edit(m) or m.kind == "ephemeral" or m.state == "failed" for m in before)

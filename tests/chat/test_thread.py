import json
from dataclasses import replace
from typing import Any

import pytest

from bot.chat import thread
from bot.chat.card import Card
from bot.domain.run import Run
from bot.sandbox.slack.blocks import problems_of_blocks
from tests.chat.samples import INCIDENT, MINUTE, NOW, approval, record

A77 = approval(record())
RUN = Run("r1", "a77", "i142", "unknown", NOW)


def line(card: Card) -> str:
    """The one line of a notice, which is its push line too."""
    assert problems_of_blocks(list(card.blocks), "message") == []
    (block,) = card.blocks
    (section,) = block["elements"]
    (span,) = section["elements"]
    assert span["type"] == "text"
    assert not card.broadcast
    return str(span["text"])


@pytest.mark.parametrize(
    ("card", "says"),
    [
        (
            thread.triage_ready("The image is not there.", "rules"),
            "🧭 Triage (rules, no model): The image is not there.",
        ),
        (thread.triage_ready("Out of memory.", "claude-x", "Late."), "🧭 Triage (claude-x): Out of memory. Late."),
        (thread.not_proposed("Roll back", "It is paused."), "🚫 Roll back was not proposed: It is paused."),
        (
            thread.ask_set_aside("its signature does not match"),
            "🛑 Somebody's ask for a runbook cannot be relied on: its signature does not match. Nothing was asked for, "
            "nothing ran. Whoever asked may ask again. Somebody may have changed the database.",
        ),
        (
            thread.asks_you([(A77, "Roll back: shop/checkout (INC-142)")], "INC-142"),
            "🔏 A-77 waits for you: Roll back: shop/checkout (INC-142), in cluster PROD. "
            "Look at its card in the thread of INC-142.",
        ),
        (
            thread.asks_you([(A77, "Roll back"), (replace(A77, number=78), "Restart")], "INC-142"),
            "🔏 A-77 waits for you: Roll back, in cluster PROD; A-78 waits for you: Restart, in cluster PROD. "
            "Look at their card in the thread of INC-142.",
        ),
        (
            thread.joined(A77, "Roll back: shop/checkout", [replace(A77, number=75), replace(A77, number=76)]),
            "🔏 A-77 is proposed too: Roll back: shop/checkout. It is on the card of A-75 and A-76.",
        ),
        (thread.vote_counted(A77, "Lee", 1, 2), "🗳️ A-77: approved by Lee, 1 of 2."),
        (thread.approved(A77, ["Lee", "Priya"]), "✅ A-77 approved by Lee, Priya. It starts now."),
        (
            thread.released(A77, "Lee broke the glass for A-77, with 1 of 2 approvals: the shop is down"),
            "🚨 A-77 starts now by break-glass; an approver has to review that. "
            "Lee broke the glass for A-77, with 1 of 2 approvals: the shop is down",
        ),
        (
            thread.glass_broken(A77, "Roll back: shop/checkout (INC-142)", "Lee", "the shop is down"),
            "🚨 Lee broke the glass for A-77: Roll back: shop/checkout (INC-142), in cluster PROD. An approver has to "
            "review that, with the button in the channel. Why: the shop is down",
        ),
        (
            thread.reviewed("Priya reviewed the break-glass for A-77: right"),
            "🔎 Priya reviewed the break-glass for A-77: right",
        ),
        (thread.denied(A77, "Lee", "Not now."), "⛔ A-77 denied by Lee, nothing ran: Not now."),
        (thread.denied(A77, "Lee", ""), "⛔ A-77 denied by Lee, nothing ran."),
        (thread.expired(A77), "⌛ A-77 expired at 11:02 UTC: nobody decided, nothing ran."),
        (
            thread.not_started(A77),
            "⌛ A-77 expired at 11:02 UTC: it was approved and could not start until then, nothing ran.",
        ),
        (
            thread.asked_anew(A77, replace(A77, number=78), ""),
            "🔁 A-78 asks anew for what A-77 was for. The change it makes reads the same.",
        ),
        (thread.void(A77, "The image changed."), "⚠️ A-77 is void, nothing ran. The image changed."),
        (
            thread.superseded(A77, replace(A77, number=78), "Lee (U0LEE) changed what is asked for"),
            "↪️ A-77 is replaced by A-78: Lee (U0LEE) changed what is asked for. Its approvals do not count for that.",
        ),
        (thread.step_done(A77, 1, 3, "Patched."), "☑️ A-77: step 2 of 3, done. Patched."),
        (thread.progress(A77, "2 of 3 pods are ready."), "⏳ A-77: 2 of 3 pods are ready."),
        (thread.reopened(INCIDENT), f"🔁 INC-142 fires again: {INCIDENT.title}"),
        (thread.returned(INCIDENT), f"📣 INC-142 is heard of again and still fires: {INCIDENT.title}"),
        (
            thread.resolved(replace(INCIDENT, truncated=1, resolved_at=INCIDENT.opened_at + 5 * MINUTE)),
            f"✅ INC-142 resolved after 5 min: {INCIDENT.title}; the one alert that Alertmanager cut may still fire",
        ),
        (
            thread.resolved(replace(INCIDENT, resolved_at=NOW + 30 * MINUTE)),
            f"✅ INC-142 resolved after 42 min: {INCIDENT.title}",
        ),
        (
            thread.stale(INCIDENT),
            "💤 INC-142 is stale: Alertmanager has not mentioned it since 2026-11-21 10:02 UTC.",
        ),
        (thread.refused("Dana is not on the list."), "🚫 Dana is not on the list."),
    ],
)
def test_each_change_of_state_is_one_line(card: Card, says: str) -> None:
    assert line(card) == card.text == says


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ("succeeded", "✅ A-77 helped after 48 s: All ready."),
        ("unhelpful", "❌ A-77 ran and did not help after 48 s: All ready."),
        ("inconclusive", "❔ A-77 ran; whether it helped cannot be told after 48 s: All ready."),
        ("failed", "❌ A-77 failed after 48 s: All ready."),
        ("void", "⚠️ A-77 was not run after 48 s: All ready."),
    ],
)
def test_the_end_of_a_run_is_one_line(state: Any, says: str) -> None:
    assert line(thread.ended(A77, replace(RUN, state=state, ended_at=NOW + 48_000_000, outcome="All ready."))) == says


def test_an_unknown_run_asks_with_buttons_that_say_what_they_do() -> None:
    card = thread.question(A77.name, RUN, "The connection broke.", look="kubectl get deploy checkout")
    assert problems_of_blocks(list(card.blocks), "message") == []
    assert card.broadcast
    assert card.text == "A-77: did this take effect? Signoff cannot know. The connection broke."
    assert "Look at kubectl get deploy checkout and say what you see." in str(card.blocks)
    row = {button["action_id"]: button for button in card.blocks[-1]["elements"]}
    assert set(row) == {"run.applied", "run.notapplied", "run.again"}
    assert {button["value"] for button in row.values()} == {"r1"}
    assert all("confirm" in button for button in row.values())


def test_where_nothing_can_be_asked_for_anew_two_answers_are_left() -> None:
    card = thread.question(A77.name, RUN, "The connection broke.", again=False)
    assert {button["action_id"] for button in card.blocks[-1]["elements"]} == {"run.applied", "run.notapplied"}


def test_a_question_about_what_was_to_be_taken_back_says_so() -> None:
    card = thread.question(A77.name, RUN, "The connection broke.", again=False, back="scale")
    assert card.text == "A-77: was scale taken back? Signoff cannot know. The connection broke."


def test_an_answered_question_asks_no_more() -> None:
    said = "Lee says that it took effect."
    card = thread.question(A77.name, RUN, "The connection broke.", answered=said, again=False)
    assert [block["type"] for block in card.blocks] == ["rich_text"]
    assert card.text == "A-77: Lee says that it took effect."
    assert "cannot know" not in str(card.blocks)
    assert not card.broadcast


def test_what_showed_by_itself_to_have_had_no_effect_can_only_be_asked_for_again() -> None:
    card = thread.question(A77.name, RUN, "The connection broke.", answered="Nothing was changed.")
    (row,) = [block for block in card.blocks if block["type"] == "actions"]
    assert [each["text"]["text"] for each in row["elements"]] == ["Run it again…"]


def test_what_may_still_take_effect_is_looked_at_again_and_until_then_nobody_knows_that_it_did_not() -> None:
    minute = 60_000_000
    asked = thread.question(A77.name, RUN, "The connection broke.", look="it", open_until=minute + 1)
    assert "looks again by 00:02 UTC, and nobody can say before that" in str(asked.blocks)
    late = thread.question(
        A77.name, RUN, "The connection broke.", look="Deployment web", looked="At 00:02 UTC it is so."
    )
    assert "Look at Deployment web" in str(late.blocks)
    assert late.text.endswith("At 00:02 UTC it is so.")


def test_text_from_outside_stays_text_and_one_line() -> None:
    card = thread.denied(A77, "<@U0LEE>", "no\n<!channel> \u202e" + "x" * 1000)
    assert line(card).startswith("⛔ A-77 denied by <@U0LEE>, nothing ran: no <!channel> x")
    assert len(line(card)) < 420
    assert "<" not in card.text


def test_what_differs_from_the_void_request_is_shown_as_it_is() -> None:
    card = thread.asked_anew(A77, replace(A77, number=78), "- + image: a\n+ + image: \u202eb\n")
    assert card.text == "🔁 A-78 asks anew for what A-77 was for."
    assert "- + image: a\\n+ + image: \\\\u202eb" in json.dumps(card.blocks)
    assert problems_of_blocks(list(card.blocks), "message") == []

import json
from dataclasses import replace

import pytest

from bot.chat.review_line import is_risky, not_reviewed, review_line
from bot.sandbox.slack.blocks import problems_of_blocks
from tests.chat.reviews import FINDING, HOSTILE, PULL_REQUEST, review


@pytest.mark.parametrize(
    ("severity", "least", "risky"),
    [("critical", "high", True), ("high", "high", True), ("medium", "high", False), ("medium", "medium", True)],
)
def test_only_risky_ones_are_told(severity, least, risky):
    assert is_risky(review(replace(FINDING, severity=severity)), least) is risky


def test_nothing_found_is_never_risky():
    assert not is_risky(review())
    assert not is_risky(review(replace(FINDING, state="dismissed")))


def test_the_line_says_risk_link_title_and_verdict():
    card = review_line(PULL_REQUEST, review(FINDING))
    assert card.text == "Risk high in acme/shop#12: Tidy up"
    (block,) = card.blocks
    first, second = block["elements"]
    assert [span.get("text") for span in first["elements"]] == [
        "🟠 Risk high: ",
        "acme/shop#12",
        " Tidy up · 1 open finding, 1 of them grave · look at this before it is merged",
    ]
    assert first["elements"][1]["url"] == "https://github.com/acme/shop/pull/12"
    assert second["elements"][0]["text"] == "Drops a probe."


def test_what_became_of_it_is_said_in_the_same_line():
    assert "· merged" in json.dumps(review_line(PULL_REQUEST, review(FINDING), merged=True).blocks, ensure_ascii=False)
    assert "· closed" in json.dumps(review_line(PULL_REQUEST, review(FINDING), closed=True).blocks, ensure_ascii=False)


def test_a_hostile_title_stays_text_and_a_hostile_address_no_link():
    hostile = HOSTILE + " <!channel> <@U0LEE>"
    card = review_line(replace(PULL_REQUEST, title=hostile, url=hostile), review(FINDING, summary=hostile))
    assert problems_of_blocks(list(card.blocks), "message") == []
    assert "<!channel>" not in card.text
    types = {span["type"] for part in card.blocks[0]["elements"] for span in part["elements"]}
    assert types == {"text"}


def test_who_asked_reads_that_there_is_no_review_and_nothing_a_stranger_wrote_is_more_than_text():
    assert not_reviewed("acme/shop#12", "it is closed").text == (
        "acme/shop#12 was not reviewed, though you asked for it: it is closed."
    )
    card = not_reviewed("acme/shop#12", f"<!channel> <https://evil.example|here> {HOSTILE}")
    assert problems_of_blocks(card.payload()["blocks"], "message") == []
    assert "<!channel>" not in card.text
    assert [span["type"] for span in card.blocks[0]["elements"][0]["elements"]] == ["text"]

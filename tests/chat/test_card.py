from bot.chat.card import Card, FileAttachment, actions, button, confirm, context, plain_text, text_length, trusted
from bot.sandbox.slack.blocks import problems_of_blocks, text_in_blocks


def test_the_shared_blocks_are_what_slack_takes() -> None:
    asks = confirm("Sure?", "It runs at once.", "Approve", "Not now")
    blocks = [
        actions([button("Approve", "apr.approve", "a.b", style="primary", confirm=asks, spoken="Approve A-7")]),
        context(trusted("A-7 · <!date^1^{time}|x>"), plain_text("literal :smile: <@U1>")),
    ]
    assert problems_of_blocks(blocks, "message") == []


def test_plain_text_keeps_colon_codes_literal() -> None:
    assert plain_text(":fire:") == {"type": "plain_text", "text": ":fire:", "emoji": False}


def test_a_payload_asks_for_a_broadcast_only_when_wanted() -> None:
    assert Card("t").payload() == {"text": "t", "blocks": []}
    assert Card("t", broadcast=True).payload()["reply_broadcast"] is True


def test_a_file_payload_names_itself() -> None:
    payload = FileAttachment("a.diff", "A-7: change", "+ x\n", "00").payload()
    assert payload == {"filename": "a.diff", "title": "A-7: change", "content": "+ x\n", "text": "A-7: change"}


def test_text_is_counted_as_slack_counts_it() -> None:
    blocks = [actions([button("Approve", "x", "value does not count")]), context(trusted("abc"), plain_text("de"))]
    assert text_length(blocks) == text_in_blocks(blocks) == len("Approve") + 5

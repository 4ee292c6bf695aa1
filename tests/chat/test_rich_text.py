from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chat import rich_text as rich
from bot.sandbox.slack.blocks import problems_of_blocks


def test_what_the_builders_make_is_what_slack_takes() -> None:
    block = rich.block(
        rich.section(rich.text("a"), rich.bold("b"), rich.italic("c"), rich.code("d"), rich.user("U0LEE")),
        rich.section(rich.link("https://github.com/acme/shop/pull/12", "acme/shop#12")),
        rich.section(rich.date(1_795_255_320_000_000)),
        rich.preformatted("x\ny"),
        rich.quote(rich.text("said")),
        rich.bullets([[rich.text("one")], [rich.text("two")]]),
        block_id="b1",
    )
    assert problems_of_blocks([block], "message") == []


@given(st.text(max_size=50))
@settings(max_examples=50)
def test_any_text_stays_a_text(value: str) -> None:
    (section,) = rich.block(rich.section(rich.bold("said: "), rich.text(value)))["elements"]
    assert [span["type"] for span in section["elements"]] == ["text", "text"][: 2 if value else 1]
    assert "".join(span["text"] for span in section["elements"]) == "said: " + value

"""Every limit of Block Kit at n, which passes, and at n+1, which does not."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.sandbox.slack.blocks import problems_of_blocks, text_in_blocks, with_ids

Json = dict[str, Any]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def section(**parts: Any) -> Json:
    return {"type": "section", "text": mrkdwn("x"), **parts}


def button(**parts: Any) -> Json:
    return {"type": "button", "text": plain("Go"), **parts}


def actions(*elements: Json) -> Json:
    return {"type": "actions", "elements": list(elements)}


def confirm(**parts: Any) -> Json:
    return {"title": plain("t"), "text": mrkdwn("x"), "confirm": plain("y"), "deny": plain("n"), **parts}


def option(value: str = "v", text: str = "t", **parts: Any) -> Json:
    return {"text": plain(text), "value": value, **parts}


def options(count: int) -> list[Json]:
    return [option(f"v{n}") for n in range(count)]


def chooser(kind: str, **parts: Any) -> Json:
    return {"type": kind, **parts}


def asks(element: Json, **parts: Any) -> Json:
    return {"type": "input", "label": plain("Why"), "element": element, **parts}


def rich(*elements: Json) -> Json:
    return {"type": "rich_text", "elements": list(elements)}


def said(blocks: Any, surface: Any = "message") -> list[str]:
    return [str(problem) for problem in problems_of_blocks(blocks, surface)]


LIMITS = {
    "section text": (3000, lambda n: section(text=mrkdwn("x" * n))),
    "section plain text": (3000, lambda n: section(text=plain("x" * n))),
    "section field": (2000, lambda n: section(fields=[mrkdwn("x" * n)])),
    "section fields": (10, lambda n: section(fields=[mrkdwn("x")] * n)),
    "block_id": (255, lambda n: section(block_id="x" * n)),
    "header": (150, lambda n: {"type": "header", "text": plain("x" * n)}),
    "context elements": (10, lambda n: {"type": "context", "elements": [mrkdwn("x")] * n}),
    "actions elements": (25, lambda n: actions(*[button()] * n)),
    "image url": (3000, lambda n: {"type": "image", "alt_text": "a", "image_url": "h" * n}),
    "image alt_text": (2000, lambda n: {"type": "image", "alt_text": "a" * n, "image_url": "https://x"}),
    "image title": (2000, lambda n: {"type": "image", "alt_text": "a", "image_url": "h", "title": plain("x" * n)}),
    "input label": (2000, lambda n: asks(chooser("plain_text_input"), label=plain("x" * n))),
    "input hint": (2000, lambda n: asks(chooser("plain_text_input"), hint=plain("x" * n))),
    "markdown text": (12_000, lambda n: {"type": "markdown", "text": "x" * n}),
    "button text": (75, lambda n: actions(button(text=plain("x" * n)))),
    "button value": (2000, lambda n: actions(button(value="x" * n))),
    "button url": (3000, lambda n: actions(button(url="https://" + "x" * (n - 8)))),
    "button accessibility_label": (75, lambda n: actions(button(accessibility_label="x" * n))),
    "action_id": (255, lambda n: actions(button(action_id="x" * n))),
    "confirm title": (100, lambda n: actions(button(confirm=confirm(title=plain("x" * n))))),
    "confirm text": (300, lambda n: actions(button(confirm=confirm(text=mrkdwn("x" * n))))),
    "confirm confirm": (30, lambda n: actions(button(confirm=confirm(confirm=plain("x" * n))))),
    "confirm deny": (30, lambda n: actions(button(confirm=confirm(deny=plain("x" * n))))),
    "overflow options": (5, lambda n: section(accessory=chooser("overflow", options=options(n)))),
    "select options": (100, lambda n: section(accessory=chooser("static_select", options=options(n)))),
    "multi-select options": (100, lambda n: section(accessory=chooser("multi_static_select", options=options(n)))),
    "option groups": (
        100,
        lambda n: section(
            accessory=chooser("static_select", option_groups=[{"label": plain("g"), "options": options(1)}] * n)
        ),
    ),
    "option group label": (
        75,
        lambda n: section(
            accessory=chooser("static_select", option_groups=[{"label": plain("g" * n), "options": options(1)}])
        ),
    ),
    "option text": (75, lambda n: section(accessory=chooser("static_select", options=[option(text="x" * n)]))),
    "option value": (150, lambda n: section(accessory=chooser("static_select", options=[option(value="x" * n)]))),
    "option description": (
        75,
        lambda n: section(accessory=chooser("static_select", options=[option(description=plain("x" * n))])),
    ),
    "placeholder": (150, lambda n: section(accessory=chooser("users_select", placeholder=plain("x" * n)))),
    "radio options": (10, lambda n: section(accessory=chooser("radio_buttons", options=options(n)))),
    "checkbox options": (10, lambda n: section(accessory=chooser("checkboxes", options=options(n)))),
    "initial text": (3000, lambda n: asks(chooser("plain_text_input", initial_value="x" * n))),
    "max_length": (3000, lambda n: asks(chooser("plain_text_input", max_length=n))),
    "list indent": (
        8,
        lambda n: rich(
            {
                "type": "rich_text_list",
                "style": "bullet",
                "indent": n,
                "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "x"}]}],
            }
        ),
    ),
}


@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_holds_at_n_and_breaks_at_n_plus_one(name: str) -> None:
    limit, make = LIMITS[name]
    assert said([make(limit)]) == []
    assert said([make(limit + 1)]) != []


@pytest.mark.parametrize(("surface", "limit"), [("message", 50), ("modal", 100), ("home", 100)])
def test_the_number_of_blocks_depends_on_the_surface(surface: str, limit: int) -> None:
    assert said([{"type": "divider"}] * limit, surface) == []
    assert said([{"type": "divider"}] * (limit + 1), surface) == [
        f"no more than {limit} items allowed [json-pointer:/blocks]"
    ]


def test_markdown_blocks_share_one_limit() -> None:
    half = {"type": "markdown", "text": "x" * 6000}
    assert said([half, half]) == []
    assert said([half, half, {"type": "markdown", "text": "x"}]) != []


BROKEN = {
    "no array": ({"type": "divider"}, "must provide an array [json-pointer:/blocks]"),
    "no object": (["x"], "must provide an object [json-pointer:/blocks/0]"),
    "no type": ([{}], "missing required field: type [json-pointer:/blocks/0]"),
    "unknown block": ([{"type": "banner"}], "unsupported type: banner [json-pointer:/blocks/0/type]"),
    "unknown element": ([actions({"type": "knob"})], "unsupported type: knob [json-pointer:/blocks/0/elements/0/type]"),
    "unknown key": ([section(txet="x")], "invalid additional property: txet [json-pointer:/blocks/0]"),
    "mrkdwn header": (
        [{"type": "header", "text": mrkdwn("x")}],
        "unsupported type: mrkdwn [json-pointer:/blocks/0/text/type]",
    ),
    "mrkdwn button": (
        [actions(button(text=mrkdwn("x")))],
        "unsupported type: mrkdwn [json-pointer:/blocks/0/elements/0/text/type]",
    ),
    "empty text": ([section(text=mrkdwn(""))], "must be more than 0 characters [json-pointer:/blocks/0/text/text]"),
    "empty actions": ([actions()], "no fewer than 1 items allowed [json-pointer:/blocks/0/elements]"),
    "nothing in a section": ([{"type": "section"}], "must define either `text` or `fields` [json-pointer:/blocks/0]"),
    "wrong style": (
        [actions(button(style="warning"))],
        "must be a valid enum value: primary, danger [json-pointer:/blocks/0/elements/0/style]",
    ),
    "twin block_ids": (
        [section(block_id="a"), section(block_id="a")],
        "block_id must be unique: a [json-pointer:/blocks/1/block_id]",
    ),
    "twin action_ids": (
        [actions(button(action_id="a"), button(action_id="a"))],
        "action_id must be unique in its block: a [json-pointer:/blocks/0/elements/1/action_id]",
    ),
    "button without text": (
        [actions({"type": "button"})],
        "missing required field: text [json-pointer:/blocks/0/elements/0]",
    ),
    "initial option elsewhere": (
        [section(accessory=chooser("static_select", options=options(1), initial_option=option("other")))],
        "initial options must be among the options [json-pointer:/blocks/0/accessory]",
    ),
    "two sources of options": (
        [section(accessory=chooser("static_select"))],
        "must define either `options` or `option_groups` [json-pointer:/blocks/0/accessory]",
    ),
    "two focused": (
        [asks(chooser("plain_text_input", focus_on_load=True))] * 2,
        "focus_on_load can be true for one element only [json-pointer:/blocks]",
    ),
    "number_input without is_decimal_allowed": (
        [asks(chooser("number_input"))],
        "missing required field: is_decimal_allowed [json-pointer:/blocks/0/element]",
    ),
    "an input among buttons": (
        [actions(chooser("plain_text_input"))],
        "unsupported type: plain_text_input [json-pointer:/blocks/0/elements/0/type]",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_rule_is_named_with_its_place(name: str) -> None:
    blocks, sentence = BROKEN[name]
    assert sentence in said(blocks)


def test_a_long_text_is_refused_in_slacks_words() -> None:
    assert said([section(text=mrkdwn("x" * 3001))]) == [
        "failed to match all allowed schemas [json-pointer:/blocks/0/text]",
        "must be less than 3001 characters [json-pointer:/blocks/0/text/text]",
    ]


def test_a_type_that_slack_has_and_the_sandbox_does_not_is_refused_by_name() -> None:
    assert "Slack has it, this sandbox does not play it" in said([{"type": "table", "rows": []}])[0]


def test_markdown_belongs_to_messages_only() -> None:
    block = {"type": "markdown", "text": "# hi"}
    assert said([block]) == []
    assert said([block], "modal") == ["unsupported type: markdown in a modal [json-pointer:/blocks/0/type]"]


def test_a_full_card_passes() -> None:
    card = [
        section(fields=[mrkdwn("a")], accessory=chooser("overflow", options=options(2)), expand=True),
        {"type": "header", "text": {**plain("h"), "emoji": True}},
        {"type": "divider"},
        actions(button(style="danger", confirm=confirm(style="danger"), visible_to_user_ids=["U0LEE"])),
        {"type": "context", "elements": [mrkdwn("c"), {"type": "image", "image_url": "https://x", "alt_text": "i"}]},
        rich(
            {"type": "rich_text_section", "elements": [{"type": "text", "text": "b", "style": {"bold": True}}]},
            {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "code"}], "border": 0},
            {"type": "rich_text_quote", "elements": [{"type": "user", "user_id": "U0LEE"}]},
        ),
    ]
    assert said(card) == []


def test_ids_are_filled_in_where_they_are_missing() -> None:
    filled = with_ids([actions(button(), button(action_id="kept"))], iter("abc").__next__)
    assert filled[0]["block_id"] == "a"
    assert [element["action_id"] for element in filled[0]["elements"]] == ["b", "kept"]


def test_the_text_of_a_message_is_the_text_of_all_its_blocks() -> None:
    assert text_in_blocks([section(fields=[mrkdwn("12")]), actions(button(text=plain("345")))]) == 6


KEYS = st.sampled_from(["type", "text", "elements", "element", "accessory", "options", "fields", "value", "style", "x"])
TYPES = st.sampled_from(["section", "actions", "input", "button", "mrkdwn", "static_select", "rich_text", "text"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner | TYPES, max_size=5),
    max_leaves=20,
)


@given(blocks=st.lists(JSON, max_size=4), surface=st.sampled_from(["message", "modal", "home"]))
@settings(max_examples=150)
def test_any_json_gets_an_answer_and_what_passes_can_be_filled_with_ids(blocks: list[Any], surface: str) -> None:
    if not said(blocks, surface):
        with_ids(blocks, lambda: "id")

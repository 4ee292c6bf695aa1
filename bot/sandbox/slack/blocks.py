"""Block Kit's rules: which blocks and elements exist, what they hold, and how long each part may be.

`problems_of_blocks` answers with Slack's own sentences and JSON pointers; the tables below it say what is allowed.

Sources: docs "Reference: blocks", "block elements", "composition objects" (names and lengths), @slack/types 3.2 and
slack_sdk.models.blocks 3.47 (keys), public issues for the sentences ("no more than 50 items allowed",
"must be less than 3001 characters", "failed to match all allowed schemas", "invalid additional property").
"""

import copy
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

from bot.sandbox.slack.rules import Problem, Rule, Walk, array, boolean, by_type, integer, string, structure

Surface = Literal["message", "modal", "home"]
MOST_BLOCKS: Mapping[Surface, int] = {"message": 50, "modal": 100, "home": 100}
# Slack publishes no number; apps saw refusals between 11,341 and 13,200 characters (bolt-js issues 2509 and 2867).
MESSAGE_TEXT = 12_000
MARKDOWN_TEXT = 12_000
_MOST_PROBLEMS = 20


def problems_of_blocks(blocks: Any, surface: Surface, pointer: str = "/blocks") -> list[Problem]:
    """Every broken rule of a `blocks` array, at most twenty; empty when Slack would take it."""
    walk = Walk(surface)
    most = MOST_BLOCKS[surface]
    if not isinstance(blocks, list):
        walk.refuse("must provide an array", pointer)
    elif len(blocks) > most:
        walk.refuse(f"no more than {most} items allowed", pointer)
    else:
        for index, block in enumerate(blocks):
            _block(walk, block, f"{pointer}/{index}")
        if walk.markdown > MARKDOWN_TEXT:
            walk.refuse(f"markdown blocks must have less than {MARKDOWN_TEXT + 1} characters together", pointer)
        if walk.focused > 1:
            walk.refuse("focus_on_load can be true for one element only", pointer)
    return walk.problems[:_MOST_PROBLEMS]


def problems_of_plain_text(value: Any, most: int, pointer: str) -> list[Problem]:
    """Every broken rule of one plain_text object of at most `most` characters."""
    walk = Walk("modal")
    _plain(most)(walk, value, pointer)
    return walk.problems


def text_in_blocks(blocks: Sequence[Mapping[str, Any]]) -> int:
    """The characters a reader would see in all blocks together, which Slack bounds for a message."""
    return sum(len(text) for text in _texts(blocks))


def with_ids(blocks: Sequence[Mapping[str, Any]], new_id: Callable[[], str]) -> list[dict[str, Any]]:
    """A copy in which every block has a block_id and every interactive element an action_id, as Slack adds them."""
    filled: list[dict[str, Any]] = json.loads(json.dumps(blocks))
    for block in filled:
        if not block.get("block_id"):
            block["block_id"] = new_id()
        for element in elements_of(block):
            if element["type"] in INTERACTIVE and not element.get("action_id"):
                element["action_id"] = new_id()
    return filled


def elements_of(block: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The elements of a block that are no text: accessory, input element, or the row of an actions or context block."""
    found: list[dict[str, Any]] = []
    if isinstance(block.get("accessory"), dict):
        found.append(block["accessory"])
    if isinstance(block.get("element"), dict):
        found.append(block["element"])
    if block.get("type") in ("actions", "context"):
        found.extend(block["elements"])
    return found


def options_of(element: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All options of a select, overflow, radio or checkbox element, groups flattened."""
    options: list[dict[str, Any]] = list(element.get("options") or ())
    for group in element.get("option_groups") or ():
        options.extend(group["options"])
    return options


def copy_of(blocks: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A deep copy, so that stored blocks never share state with a payload."""
    return copy.deepcopy([dict(block) for block in blocks])


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "text" and isinstance(value, str):
                yield value
            elif isinstance(value, (dict, list)):
                yield from _texts(value)
    elif isinstance(node, (list, tuple)):
        for value in node:
            yield from _texts(value)


# --- composition objects ------------------------------------------------------------------------------------------


def text_object(most: int, *, plain_only: bool = False) -> Rule:
    """A text object of 1 to `most` characters."""
    body: dict[str, Rule] = {"type": string(20), "text": string(most, least=1)}
    plain = structure(body, {"emoji": boolean})
    mrkdwn = structure(body, {"verbatim": boolean})
    inner = by_type({"plain_text": plain} if plain_only else {"plain_text": plain, "mrkdwn": mrkdwn})

    def rule(walk: Walk, value: Any, pointer: str) -> None:
        before = len(walk.problems)
        inner(walk, value, pointer)
        if len(walk.problems) > before and not plain_only:
            walk.problems.insert(before, Problem("failed to match all allowed schemas", pointer))

    return rule


def _focus(walk: Walk, value: Any, pointer: str) -> None:
    boolean(walk, value, pointer)
    walk.focused += value is True


def _plain(most: int) -> Rule:
    return text_object(most, plain_only=True)


_CONFIRM = structure(
    {"title": _plain(100), "text": text_object(300), "confirm": _plain(30), "deny": _plain(30)},
    {"style": string(10, of=("primary", "danger"))},
)
_OPTION = structure({"text": _plain(75), "value": string(150, least=1)}, {"description": _plain(75)})
_RICH_OPTION = structure({"text": text_object(75), "value": string(150, least=1)}, {"description": text_object(75)})
_LINK_OPTION = structure(
    {"text": _plain(75), "value": string(150, least=1)}, {"description": _plain(75), "url": string(3000, least=1)}
)
_GROUP = structure({"label": _plain(75), "options": array(_OPTION, 100)}, {})
_DISPATCH = structure({"trigger_actions_on": array(string(30, of=("on_enter_pressed", "on_character_entered")), 2)}, {})
_USER_ID = string(20, least=1, pattern=r"[UW][A-Z0-9]+")
_URL = string(3000, least=1, pattern=r"(?s)[a-zA-Z][a-zA-Z0-9+.-]*:.+")


def _action_id(walk: Walk, value: Any, pointer: str) -> None:
    string(255, least=1)(walk, value, pointer)
    if isinstance(value, str):
        if value in walk.action_ids:
            walk.refuse(f"action_id must be unique in its block: {value}", pointer)
        walk.action_ids.add(value)


def _initial_among_options(walk: Walk, element: Mapping[str, Any], pointer: str) -> None:
    known = options_of(element)
    chosen = [element["initial_option"]] if "initial_option" in element else element.get("initial_options", [])
    for option in chosen:
        if option not in known:
            walk.refuse("initial options must be among the options", pointer)


def _select_source(walk: Walk, element: Mapping[str, Any], pointer: str) -> None:
    if ("options" in element) == ("option_groups" in element):
        walk.refuse("must define either `options` or `option_groups`", pointer)
    _initial_among_options(walk, element, pointer)


def _ordered_lengths(walk: Walk, element: Mapping[str, Any], pointer: str) -> None:
    if element.get("min_length", 0) > element.get("max_length", 3000):
        walk.refuse("min_length must not be above max_length", pointer)


def _one_image_source(walk: Walk, image: Mapping[str, Any], pointer: str) -> None:
    if ("image_url" in image) == ("slack_file" in image):
        walk.refuse("must define either `image_url` or `slack_file`", pointer)


_NUMBER = string(40, least=1, pattern=r"-?\d+(\.\d+)?")
_ACTION: Mapping[str, Rule] = {"action_id": _action_id}
_ASKING: Mapping[str, Rule] = {**_ACTION, "placeholder": _plain(150), "focus_on_load": _focus}
_SELECTING: Mapping[str, Rule] = {**_ASKING, "confirm": _CONFIRM}
_OPTIONS: Mapping[str, Rule] = {"options": array(_OPTION, 100), "option_groups": array(_GROUP, 100)}
_SLACK_FILE = structure({}, {"id": string(20, least=1), "url": _URL})
_PICTURE: Mapping[str, Rule] = {"image_url": string(3000, least=1), "slack_file": _SLACK_FILE}

_IMAGE_ELEMENT = structure({"alt_text": string(2000, least=1)}, _PICTURE, _one_image_source)
_BUTTON = structure(
    {"text": _plain(75)},
    {
        **_ACTION,
        "value": string(2000),
        "url": _URL,
        "style": string(10, of=("primary", "danger")),
        "confirm": _CONFIRM,
        "accessibility_label": string(75, least=1),
        "visible_to_user_ids": array(_USER_ID, 100),
    },
)
_CHECKBOXES = structure(
    {"options": array(_RICH_OPTION, 10)},
    {**_ACTION, "initial_options": array(_RICH_OPTION, 10), "confirm": _CONFIRM, "focus_on_load": _focus},
    _initial_among_options,
)
_RADIO = structure(
    {"options": array(_RICH_OPTION, 10)},
    {**_ACTION, "initial_option": _RICH_OPTION, "confirm": _CONFIRM, "focus_on_load": _focus},
    _initial_among_options,
)
_CHOOSERS: Mapping[str, Rule] = {
    "checkboxes": _CHECKBOXES,
    "radio_buttons": _RADIO,
    "static_select": structure({}, {**_SELECTING, **_OPTIONS, "initial_option": _OPTION}, _select_source),
    "users_select": structure({}, {**_SELECTING, "initial_user": _USER_ID}),
    "datepicker": structure({}, {**_SELECTING, "initial_date": string(10, pattern=r"\d{4}-\d\d-\d\d")}),
    "timepicker": structure(
        {}, {**_SELECTING, "initial_time": string(5, pattern=r"[0-2]\d:[0-5]\d"), "timezone": string(64)}
    ),
}
_MANY: Mapping[str, Rule] = {
    "multi_static_select": structure(
        {},
        {
            **_SELECTING,
            **_OPTIONS,
            "initial_options": array(_OPTION, 100),
            "max_selected_items": integer(1, 100),
        },
        _select_source,
    ),
    "multi_users_select": structure(
        {},
        {**_SELECTING, "initial_users": array(_USER_ID, 100, least=0), "max_selected_items": integer(1, 100)},
    ),
}
_TYPING: Mapping[str, Rule] = {
    "plain_text_input": structure(
        {},
        {
            **_ASKING,
            "initial_value": string(3000),
            "multiline": boolean,
            "min_length": integer(0, 3000),
            "max_length": integer(1, 3000),
            "dispatch_action_config": _DISPATCH,
        },
        _ordered_lengths,
    ),
    "number_input": structure(
        {"is_decimal_allowed": boolean},
        {
            **_ASKING,
            "initial_value": _NUMBER,
            "min_value": _NUMBER,
            "max_value": _NUMBER,
            "dispatch_action_config": _DISPATCH,
        },
    ),
    "email_text_input": structure({}, {**_ASKING, "initial_value": string(3000), "dispatch_action_config": _DISPATCH}),
    "url_text_input": structure({}, {**_ASKING, "initial_value": string(3000), "dispatch_action_config": _DISPATCH}),
}
_OVERFLOW = structure({"options": array(_LINK_OPTION, 5)}, {**_ACTION, "confirm": _CONFIRM})

INTERACTIVE = frozenset({"button", "overflow", *_CHOOSERS, *_MANY, *_TYPING})
_ELEMENTS_ELSEWHERE = frozenset(
    [
        "external_select",
        "conversations_select",
        "channels_select",
        "multi_external_select",
        "multi_conversations_select",
        "multi_channels_select",
        "datetimepicker",
        "rich_text_input",
        "file_input",
        "workflow_button",
        "feedback_buttons",
        "icon_button",
    ]
)

# --- rich text ----------------------------------------------------------------------------------------------------

_STYLE = structure({}, dict.fromkeys(("bold", "italic", "strike", "code", "underline"), boolean))
_SPAN: Mapping[str, Rule] = {
    "text": structure({"text": string(12_000, least=1)}, {"style": _STYLE}),
    "link": structure({"url": _URL}, {"text": string(3000, least=1), "unsafe": boolean, "style": _STYLE}),
    "emoji": structure({"name": string(100, least=1)}, {"unicode": string(40), "style": _STYLE}),
    "user": structure({"user_id": _USER_ID}, {"style": _STYLE}),
    "usergroup": structure({"usergroup_id": string(20, least=1)}, {"style": _STYLE}),
    "channel": structure({"channel_id": string(20, least=1)}, {"style": _STYLE}),
    "broadcast": structure({"range": string(10, of=("here", "channel", "everyone"))}, {"style": _STYLE}),
    "date": structure(
        {"timestamp": integer(0, 2**40), "format": string(200, least=1)},
        {"url": _URL, "fallback": string(200), "style": _STYLE},
    ),
}
_SPANS = array(by_type(_SPAN, frozenset({"color", "team"})), 1000, least=0)
_RICH_SECTION = structure({"elements": _SPANS}, {})
_BORDER: Mapping[str, Rule] = {"border": integer(0, 1)}
_RICH: Mapping[str, Rule] = {
    "rich_text_section": _RICH_SECTION,
    "rich_text_quote": structure({"elements": _SPANS}, _BORDER),
    "rich_text_preformatted": structure(
        {"elements": array(by_type({"text": _SPAN["text"], "link": _SPAN["link"]}), 1000, least=0)},
        {**_BORDER, "language": string(40)},
    ),
    "rich_text_list": structure(
        {
            "style": string(10, of=("bullet", "ordered")),
            "elements": array(by_type({"rich_text_section": _RICH_SECTION}), 1000),
        },
        {**_BORDER, "indent": integer(0, 8), "offset": integer(0, 10_000)},
    ),
}

# --- blocks -------------------------------------------------------------------------------------------------------


def _block_id(walk: Walk, value: Any, pointer: str) -> None:
    string(255, least=1)(walk, value, pointer)
    if isinstance(value, str):
        if value in walk.block_ids:
            walk.refuse(f"block_id must be unique: {value}", pointer)
        walk.block_ids.add(value)


def _text_or_fields(walk: Walk, section: Mapping[str, Any], pointer: str) -> None:
    if "text" not in section and "fields" not in section:
        walk.refuse("must define either `text` or `fields`", pointer)


def _count_markdown(walk: Walk, block: Mapping[str, Any], pointer: str) -> None:
    walk.markdown += len(block["text"])


_ID: Mapping[str, Rule] = {"block_id": _block_id}
_TEXT_ELEMENT = text_object(3000)
_BLOCKS: Mapping[str, Rule] = {
    "section": structure(
        {},
        {
            **_ID,
            "text": text_object(3000),
            "fields": array(text_object(2000), 10),
            "accessory": by_type(
                {"button": _BUTTON, "image": _IMAGE_ELEMENT, "overflow": _OVERFLOW, **_CHOOSERS, **_MANY},
                _ELEMENTS_ELSEWHERE,
            ),
            "expand": boolean,
        },
        _text_or_fields,
    ),
    "header": structure({"text": _plain(150)}, _ID),
    "divider": structure({}, _ID),
    "context": structure(
        {
            "elements": array(
                by_type({"image": _IMAGE_ELEMENT, "plain_text": _TEXT_ELEMENT, "mrkdwn": _TEXT_ELEMENT}), 10
            )
        },
        _ID,
    ),
    "actions": structure(
        {"elements": array(by_type({"button": _BUTTON, "overflow": _OVERFLOW, **_CHOOSERS}, _ELEMENTS_ELSEWHERE), 25)},
        _ID,
    ),
    "image": structure(
        {"alt_text": string(2000, least=1)}, {**_ID, **_PICTURE, "title": _plain(2000)}, _one_image_source
    ),
    "input": structure(
        {"label": _plain(2000), "element": by_type({**_TYPING, **_CHOOSERS, **_MANY}, _ELEMENTS_ELSEWHERE)},
        {**_ID, "hint": _plain(2000), "optional": boolean, "dispatch_action": boolean},
    ),
    "rich_text": structure({"elements": array(by_type(_RICH), 200)}, _ID),
    "markdown": structure({"text": string(MARKDOWN_TEXT, least=1)}, _ID, _count_markdown),
}
_BLOCKS_ELSEWHERE = frozenset(
    [
        "alert",
        "auth_provider",
        "call",
        "card",
        "carousel",
        "container",
        "context_actions",
        "data_table",
        "data_visualization",
        "file",
        "plan",
        "table",
        "task_card",
        "video",
    ]
)
_ANY_BLOCK = by_type(_BLOCKS, _BLOCKS_ELSEWHERE)


def _block(walk: Walk, block: Any, pointer: str) -> None:
    walk.action_ids = set()
    if isinstance(block, dict) and block.get("type") == "markdown" and walk.surface != "message":
        walk.refuse(f"unsupported type: markdown in a {walk.surface}", f"{pointer}/type")
    else:
        _ANY_BLOCK(walk, block, pointer)

"""What a modal and a Home tab may hold, at n and n+1."""

from typing import Any

import pytest

from bot.sandbox.slack.view_rules import MOST_BYTES, problems_of_view, view_too_large

INPUT = {
    "type": "input",
    "label": {"type": "plain_text", "text": "Why"},
    "element": {"type": "plain_text_input"},
}


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def modal(**parts: Any) -> dict[str, Any]:
    return {"type": "modal", "title": plain("T"), "submit": plain("Go"), "blocks": [INPUT], **parts}


def said(view: Any, surface: Any = "modal") -> list[str]:
    return [str(problem) for problem in problems_of_view(view, surface)]


LIMITS = {
    "title": (24, lambda n: modal(title=plain("x" * n))),
    "submit": (24, lambda n: modal(submit=plain("x" * n))),
    "close": (24, lambda n: modal(close=plain("x" * n))),
    "callback_id": (255, lambda n: modal(callback_id="x" * n)),
    "external_id": (255, lambda n: modal(external_id="x" * n)),
    "private_metadata": (3000, lambda n: modal(private_metadata="x" * n)),
    "blocks": (100, lambda n: modal(blocks=[{"type": "divider"}] * n)),
}


@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_holds_at_n_and_breaks_at_n_plus_one(name: str) -> None:
    limit, make = LIMITS[name]
    assert said(make(limit)) == []
    assert said(make(limit + 1)) != []


def test_an_input_needs_a_submit_button() -> None:
    view = modal()
    del view["submit"]
    assert said(view) == ["missing required field: submit (a modal with an input block needs it) [json-pointer:/view]"]
    assert said(view | {"blocks": [{"type": "divider"}]}) == []


@pytest.mark.parametrize(
    ("view", "sentence"),
    [
        ("x", "must provide an object [json-pointer:/view]"),
        ({"type": "home"}, "must be of type modal [json-pointer:/view/type]"),
        ({"type": "modal"}, "missing required field: title [json-pointer:/view]"),
        (modal(colour="red"), "invalid additional property: colour [json-pointer:/view]"),
        (modal(title={"type": "mrkdwn", "text": "x"}), "unsupported type: mrkdwn [json-pointer:/view/title/type]"),
        (modal(notify_on_close="yes"), "must provide a boolean [json-pointer:/view/notify_on_close]"),
        (modal(blocks=[{"type": "x"}]), "unsupported type: x [json-pointer:/view/blocks/0/type]"),
    ],
)
def test_a_broken_rule_is_named_with_its_place(view: Any, sentence: str) -> None:
    assert sentence in said(view)


def test_a_home_tab_has_no_title() -> None:
    assert said({"type": "home", "blocks": []}, "home") == []
    assert said({"type": "home", "blocks": [], "title": plain("x")}, "home") != []


def test_a_view_is_too_large_above_250_kilobytes() -> None:
    empty = len(b'{"a": ""}')
    assert not view_too_large({"a": "x" * (MOST_BYTES - empty)})
    assert view_too_large({"a": "x" * (MOST_BYTES - empty + 1)})

"""What people type after /ops review."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.pull_asked import PullAsked, read
from bot.clients.github import is_repository


@pytest.mark.parametrize(
    "typed",
    [
        "https://github.com/shop/deploy/pull/12",
        "  https://github.com/shop/deploy/pull/12/files?w=1#diff-0 ",
        "<https://github.com/shop/deploy/pull/12>",
        "<https://github.com/shop/deploy/pull/12|github.com/shop/deploy/pull/12>",
        "http://127.0.0.1:8090/shop/deploy/pull/12",
        "shop/deploy#12",
    ],
)
def test_an_address_and_its_short_form_name_a_pull_request(typed: str) -> None:
    assert read(typed) == PullAsked("shop/deploy", 12)
    assert read(typed).name == "shop/deploy#12"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "12",
        "deploy#12",
        "https://github.com/shop/deploy/issues/12",
        "https://github.com/shop/deploy/pull/0",
        "https://github.com/shop/../pull/12",
        "https://lee@github.com/shop/deploy/pull/12",
        "https://github.com/shop/deploy/pull/12 and more",
        "shop/deploy#12" + " " * 3 + "x" * 500,
    ],
)
def test_what_names_none_is_answered_with_what_to_type(typed: str) -> None:
    asked = read(typed)
    assert not asked.repository
    assert "`/ops review https://github.com/shop/deploy/pull/12`" in asked.problem


@given(st.text())
def test_whatever_is_typed_becomes_a_repository_of_github_or_a_problem(typed: str) -> None:
    asked = read(typed)
    assert bool(asked.problem) != (is_repository(asked.repository) and asked.number > 0)

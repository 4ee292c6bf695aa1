"""What people type after /ops rerun."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.rerun_asked import RerunAsked, read
from bot.clients.github import is_repository


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("https://github.com/shop/deploy/actions/runs/30433642", RerunAsked("shop/deploy", run_id=30433642)),
        ("<https://github.com/shop/deploy/actions/runs/3|a run>", RerunAsked("shop/deploy", run_id=3)),
        (" https://github.com/shop/deploy/actions/runs/3/attempts/2?pr=1#x ", RerunAsked("shop/deploy", run_id=3)),
        ("https://github.com/shop/deploy/actions/runs/3/job/7", RerunAsked("shop/deploy", run_id=3)),
        ("https://github.com/shop/deploy/pull/12/checks", RerunAsked("shop/deploy", number=12)),
        ("shop/deploy#12", RerunAsked("shop/deploy", number=12)),
    ],
)
def test_a_run_or_a_pull_request_is_named_by_its_address(typed: str, asked: RerunAsked) -> None:
    assert read(typed) == asked


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "30433642",
        "https://github.com/shop/deploy/actions/workflows/ci.yml",
        "https://github.com/shop/../actions/runs/3",
        "https://lee@github.com/shop/deploy/actions/runs/3",
        "https://github.com/shop/deploy/actions/runs/0",
        "https://github.com/shop/deploy/actions/runs/3" + "?" + "x" * 500,
    ],
)
def test_what_names_none_is_answered_with_what_to_type(typed: str) -> None:
    asked = read(typed)
    assert not asked.repository
    assert "`/ops rerun https://github.com/shop/deploy/actions/runs/30433642`" in asked.problem


@given(st.text())
def test_whatever_is_typed_names_one_thing_or_is_a_problem(typed: str) -> None:
    asked = read(typed)
    assert bool(asked.problem) != (is_repository(asked.repository) and (asked.run_id > 0) != (asked.number > 0))

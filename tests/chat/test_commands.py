from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chat import commands
from bot.chat.card import Card
from bot.chat.commands import Asked, OpenIncidents, WaitingApprovals, read
from bot.domain.incident import Subject
from bot.sandbox.slack.blocks import problems_of_blocks
from tests.chat.samples import INCIDENT, MINUTE, NOW, approval, record


def said(card: Card) -> str:
    assert problems_of_blocks(list(card.blocks), "message") == []

    def texts(node: object) -> str:
        if isinstance(node, dict):
            return str(node.get("text", "")) if node.get("type") == "text" else "".join(map(texts, node.values()))
        return "".join(map(texts, node)) if isinstance(node, list | tuple) else ""

    return texts(card.blocks)


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("", Asked("help")),
        ("help", Asked("help")),
        ("  HELP me", Asked("help")),
        ("incidents", Asked("incidents")),
        ("approvals", Asked("approvals")),
        ("status INC-142", Asked("status", "incident", 142)),
        ("status inc142", Asked("status", "incident", 142)),
        ("status 142", Asked("status", "incident", 142)),
        ("status A-77", Asked("status", "approval", 77)),
        ("status a 77", Asked("status", "approval", 77)),
        ("INC-142", Asked("status", "incident", 142)),
        ("a-77", Asked("status", "approval", 77)),
        ("actions", Asked("actions")),
        ("actions OFF the registry is gone", Asked("actions", wish="off", reason="the registry is gone")),
        ("actions off", Asked("actions", wish="off")),
        ("actions on", Asked("actions", wish="on")),
    ],
)
def test_what_people_type(typed: str, asked: Asked) -> None:
    assert read(typed) == asked


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("incidnets", "“incidnets” is no command of Signoff. Did you mean `/ops incidents`?"),
        ("approve A-77", "“approve” is no command of Signoff. Did you mean `/ops approvals`?"),
        ("actions on now", "Write `/ops actions off` and why, or `/ops actions on`."),
        ("frobnicate", "“frobnicate” is no command of Signoff. Try `/ops help`."),
        ("status", "Which one? Write `/ops status INC-142` or `/ops status A-77`."),
        (
            "status soon",
            "“soon” is no incident or approval. Write `/ops status INC-142` or `/ops status A-77`.",
        ),
    ],
)
def test_what_cannot_be_read_is_answered_with_what_to_type(typed: str, problem: str) -> None:
    assert read(typed) == Asked("unclear", problem=problem)
    assert said(commands.unclear_card(problem)) == problem.replace("`", "")


@given(st.text(max_size=500))
@settings(max_examples=100)
def test_anything_may_be_typed(typed: str) -> None:
    asked = read(typed)
    assert 0 <= asked.number < 10**9
    if asked.verb == "unclear":
        assert asked.problem
        said(commands.unclear_card(asked.problem))


def test_help_names_every_verb() -> None:
    text = said(commands.help_card())
    for verb in ("incidents", "status INC-142", "status A-77", "approvals", "review", "rerun"):
        assert f"/ops {verb}" in text


def test_open_incidents_are_listed_with_place_severity_and_age() -> None:
    other = replace(INCIDENT, number=143, severity="", subject=Subject(None, "", "", "", ""))
    text = said(commands.incidents_card(OpenIncidents([INCIDENT, other], 40, NOW)))
    assert text.startswith("40 open incidents")
    assert f"INC-142 {INCIDENT.title} (prod · shop/checkout): critical, for 12 min" in text
    assert f"INC-143 {INCIDENT.title}: no severity, for 12 min" in text
    assert text.endswith("and 38 more")


def test_waiting_approvals_are_listed_with_cluster_and_expiry() -> None:
    listed = WaitingApprovals([(approval(record()), "Roll back a Deployment: shop/checkout")], 1, NOW + 10 * MINUTE)
    text = said(commands.approvals_card(listed))
    assert text == "1 waiting for sign-offA-77 Roll back a Deployment: shop/checkout in PROD: expires in 50 min"


def test_what_was_released_by_break_glass_is_listed_until_it_is_reviewed() -> None:
    broken = [(approval(record(), state="approved"), "Roll back a Deployment: shop/checkout")]
    listed = WaitingApprovals([], 0, NOW, broken, 1)
    assert said(commands.approvals_card(listed)) == (
        "Nothing waits for sign-off.1 released by break-glass and not yet reviewed"
        "A-77 Roll back a Deployment: shop/checkout in PROD"
    )
    both = WaitingApprovals([(approval(record()), "Restart: shop/cart")], 1, NOW, broken * 3, 20)
    card = commands.approvals_card(both)
    assert card.text == "1 waiting for sign-off, 20 released by break-glass and not yet reviewed"
    assert said(card).endswith("and 17 more")


def test_nothing_open_and_nothing_waiting_is_said_in_a_sentence() -> None:
    assert said(commands.incidents_card(OpenIncidents([], 0, NOW))) == "No incident is open."
    assert said(commands.approvals_card(WaitingApprovals([], 0, NOW))) == "Nothing waits for sign-off."


def test_a_number_that_does_not_exist_points_to_the_list() -> None:
    assert said(commands.missing_card(read("status A-9"))) == "There is no A-9. /ops approvals lists what there is."
    assert said(commands.missing_card(read("status 9"))) == "There is no INC-9. /ops incidents lists what there is."

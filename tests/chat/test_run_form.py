"""The forms that ask for a runbook: each parameter an input of its kind, and what was typed read back as what it is."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat import run_form
from bot.chat.run_form import Form, Submitted
from bot.runbooks.catalogue import load
from bot.sandbox.slack.view_rules import problems_of_view
from tests.chat.samples import INCIDENT

BOOKS = load(Path(__file__).parents[2] / "runbooks").runbooks
OTHER = replace(INCIDENT, id="i143", number=143)
PARAMETERS: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "mode"],
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 20, "description": "What it is."},
        "count": {"type": "integer", "minimum": 0, "maximum": 9, "default": 2, "description": "How many."},
        "mode": {"type": "string", "enum": ["soft", "x" * 200], "description": "How."},
        "force": {"type": "boolean", "default": False, "description": "Whether."},
        "runbook": {"type": "string", "pattern": "^.*$", "maxLength": 9, "description": "Named like a block of ours."},
    },
}
RUNBOOK = replace(BOOKS["restart-deployment"], parameters=PARAMETERS)


def sent(view: dict[str, Any], **values: Any) -> dict[str, Any]:
    """The view as Slack sends it back with these values in the state."""
    state = {block: {"value": held} for block, held in values.items()}
    return view | {"id": "V1", "state": {"values": state}}


def chosen(value: str) -> dict[str, Any]:
    return {"type": "static_select", "selected_option": {"value": value}}


def typed(value: str | None) -> dict[str, Any]:
    return {"type": "plain_text_input", "value": value}


def elements(view: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {block["block_id"]: block["element"] for block in view["blocks"] if block["type"] == "input"}


@pytest.mark.parametrize("runbook", [*BOOKS.values(), RUNBOOK], ids=lambda each: each.title)
def test_slack_takes_the_form_of_every_runbook(runbook: Any) -> None:
    for incidents in ([INCIDENT], [INCIDENT, OTHER]):
        assert list(problems_of_view(run_form.render(Form(runbook, incidents)), "modal")) == []
    assert list(problems_of_view(run_form.pick(list(BOOKS.values()), [INCIDENT, OTHER]), "modal")) == []
    assert list(problems_of_view(run_form.refused("It is over. " * 200), "modal")) == []


def test_each_parameter_is_an_input_of_its_kind_with_its_default() -> None:
    inputs = elements(run_form.render(Form(RUNBOOK, [INCIDENT], {"name": "cart"})))
    assert list(inputs) == ["p.name", "p.count", "p.mode", "p.force", "p.runbook", "behalf"]
    assert inputs["p.name"]["type"] == "plain_text_input"
    assert inputs["p.name"]["initial_value"] == "cart"
    assert (inputs["p.count"]["min_value"], inputs["p.count"]["max_value"]) == ("0", "9")
    assert inputs["p.count"]["initial_value"] == "2"
    assert [each["value"] for each in inputs["p.mode"]["options"]] == ["0", "1"]
    assert inputs["p.force"]["initial_option"]["value"] == "false"


def test_what_was_filled_in_is_read_as_what_it_is() -> None:
    view = run_form.render(Form(RUNBOOK, [INCIDENT]))
    values = {"p.name": typed(" cart "), "p.count": typed("7"), "p.mode": chosen("1"), "p.force": chosen("true")}
    read = run_form.answers(sent(view, **values, **{"p.runbook": typed(None)}), PARAMETERS)
    assert read == {"name": "cart", "count": 7, "mode": "x" * 200, "force": True}


def test_what_is_no_number_stays_text_for_the_schema_to_refuse() -> None:
    read = run_form.answers(sent({}, **{"p.count": typed("many"), "p.mode": chosen("17")}), PARAMETERS)
    assert read == {"count": "many"}


def test_a_form_knows_what_it_was_opened_for() -> None:
    asked = Submitted("restart-deployment", INCIDENT.id)
    assert run_form.submitted(sent(run_form.render(Form(RUNBOOK, [INCIDENT])))) == asked
    several = run_form.render(Form(RUNBOOK, [INCIDENT, OTHER], replaces="a1.ff"))
    assert run_form.submitted(sent(several)) is None
    assert run_form.submitted(sent(several, incident=chosen("i143"))) == Submitted(
        "restart-deployment", "i143", "a1.ff"
    )
    picked = sent(run_form.pick([RUNBOOK], [INCIDENT]), runbook=chosen("restart-deployment"))
    assert run_form.submitted(picked) == asked


def test_it_may_be_said_on_whose_behalf_and_what_names_nobody_is_not_taken_for_nobody() -> None:
    form = Form(RUNBOOK, [INCIDENT])
    view = run_form.render(form)
    assert elements(view)["behalf"] == {"type": "users_select", "action_id": "value"}
    assert next(block for block in view["blocks"] if block.get("block_id") == "behalf")["optional"]

    def read(selected: Any) -> Submitted | None:
        state = {"behalf": {"value": {"type": "users_select", "selected_user": selected}}}
        return run_form.submitted(view | {"state": {"values": state}})

    assert read("U0DANA") == Submitted(RUNBOOK.id, INCIDENT.id, behalf="U0DANA")
    assert read(None) == Submitted(RUNBOOK.id, INCIDENT.id)
    for strange in ("dana", "U0DANA\n", "!channel", "U" * 30, 7, ["U0DANA"]):
        assert read(strange) is None
    changed = run_form.render(replace(form, replaces="a1.ff", behalf="U0DANA"))
    assert elements(changed)["behalf"]["initial_user"] == "U0DANA"


@given(st.one_of(st.text(max_size=50), st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps)))
def test_a_view_that_is_none_of_ours_is_none(metadata: str) -> None:
    assert run_form.submitted({"private_metadata": metadata}) is None

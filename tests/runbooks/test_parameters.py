"""Parameters: complete, typed, bounded, and refused with a sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.canonical import canonical
from bot.domain.incident import Subject
from bot.redact import Redactor
from bot.runbooks.catalogue import load
from bot.runbooks.parameters import complete, field_faults, read, secrets_in, suggested

SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z]+(-[a-z]+)*$", "maxLength": 20, "description": "What it is."},
        "revision": {"type": "integer", "minimum": 0, "maximum": 9, "default": 0, "description": "Which."},
        "mode": {"type": "string", "enum": ["soft", "hard"], "default": "soft", "description": "How."},
        "force": {"type": "boolean", "default": False, "description": "Whether."},
    },
}


def test_defaults_are_filled_in_so_that_every_parameter_is_shown() -> None:
    values, problems = complete(SCHEMA, {"name": "checkout"})
    assert problems == ()
    assert values == {"name": "checkout", "revision": 0, "mode": "soft", "force": False}


def test_a_whole_number_reads_like_one() -> None:
    values, _ = complete(SCHEMA, {"name": "a", "revision": 3.0})
    assert isinstance(values["revision"], int)


@pytest.mark.parametrize(
    ("given_", "problem"),
    [
        ({}, "name is missing: What it is."),
        ({"name": 7}, "name: must be text, not 7"),
        ({"name": None}, "name: must be text, not null"),
        ({"name": ""}, 'name: "" does not match ^[a-z]+(-[a-z]+)*$'),
        ({"name": "a\n"}, 'name: "a\\n" does not match ^[a-z]+(-[a-z]+)*$'),
        ({"name": "a" * 21}, "name: is too long (21); at most 20 characters are accepted"),
        ({"name": "a", "revision": 10}, "revision: 10 is too large; at most 9 is accepted"),
        ({"name": "a", "revision": True}, "revision: must be a whole number, not true"),
        ({"name": "a", "revision": float("inf")}, "revision: must be a whole number, not Infinity"),
        ({"name": "a", "mode": "rude"}, 'mode: "rude" is not accepted; one of "soft", "hard" is'),
        ({"name": "a", "x" * 300: 1}, "is not known here; accepted are force, mode, name, revision"),
        ("name=a", "the parameters must be a mapping of names to values"),
        (["a"], "the parameters must be a mapping of names to values"),
    ],
)
def test_what_does_not_fit_is_refused(given_: Any, problem: str) -> None:
    values, problems = complete(SCHEMA, given_)
    assert values == {}
    assert any(problem in each for each in problems)
    assert all(len(each) < 1000 for each in problems)


def test_everything_wrong_is_said_at_once() -> None:
    assert len(complete(SCHEMA, {"revision": -1, "mode": 1, "x": 2})[1]) >= 4


def test_a_pattern_takes_linear_time() -> None:
    schema = {"type": "object", "properties": {"x": {"type": "string", "pattern": "^(a+)+$"}}}
    assert complete(schema, {"x": "a" * 50_000 + "!"})[1]


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


FROM = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"place": {"type": "string", "enum": ["shop", "edge"], "from": "subject.namespace"}},
}


def test_what_an_incident_is_about_is_taken_and_nothing_else() -> None:
    about = {"subject.namespace": "shop"}
    assert complete(FROM, {}, about) == ({"place": "shop"}, ())
    assert complete(FROM, {"place": "shop"}, about) == ({"place": "shop"}, ())
    assert complete(FROM, {"place": "edge"}, about)[1] == (
        "place: must be shop, because it is what the incident is about",
    )
    assert complete(FROM, {"place": "edge"}, {})[1] == (
        "place: the incident does not say its subject.namespace, and nothing else may",
    )
    assert complete(FROM, {"place": "edge"}) == ({"place": "edge"}, ()), "a person gives every parameter"


def test_what_nobody_gives_and_nothing_says_is_missing() -> None:
    assert complete(FROM, {}) == ({}, ("place is missing",))
    assert complete({"type": "object", "properties": {"x": {"type": "string"}}}, {}, {}) == ({}, ("x is missing",))
    assert field_faults(FROM, {}) == {"place": "Fill this in."}


def test_what_is_typed_becomes_what_is_declared_and_the_rest_stays_text() -> None:
    schema = {"properties": {"n": {"type": "integer"}, "on": {"type": "boolean"}, "s": {"type": "string"}}}
    assert read(schema, {"n": "-3", "on": "true", "s": "7"}) == {"n": -3, "on": True, "s": "7"}
    assert read(schema, {"n": "3.5", "on": "yes", "x": "1"}) == {"n": "3.5", "on": "yes", "x": "1"}
    assert read(schema, {"n": "9" * 40}) == {"n": "9" * 40}


def test_every_parameter_of_a_shipped_runbook_has_a_value_or_is_named() -> None:
    for runbook in load(Path(__file__).parents[2] / "runbooks").runbooks.values():
        declared = runbook.parameters["properties"]
        needed = {name for name, each in declared.items() if "default" not in each}
        assert set(field_faults(runbook.parameters, {})) == needed, runbook.id
        assert bool(complete(runbook.parameters, {})[1]) == bool(needed), runbook.id


@given(st.dictionaries(st.sampled_from([*SCHEMA["properties"], "other"]), _json) | _json)
def test_whatever_passes_is_a_complete_recordable_set(given_: Any) -> None:
    values, problems = complete(SCHEMA, given_)
    assert bool(values) != bool(problems)
    if values:
        assert set(values) == set(SCHEMA["properties"])
        assert canonical(values)
        assert complete(SCHEMA, values) == (values, ())


def test_a_form_is_told_beside_each_field_what_is_wrong() -> None:
    assert field_faults(SCHEMA, {"name": "checkout", "revision": 3}) == {}
    assert field_faults(SCHEMA, {"revision": "many", "mode": "hard"}) == {
        "name": "Fill this in.",
        "revision": 'Must be a whole number, not "many".',
    }
    assert "does not match" in field_faults(SCHEMA, {"name": "NO"})["name"]


def test_what_an_incident_is_about_is_suggested_where_the_runbook_changes_its_kind() -> None:
    books = load(Path(__file__).parents[2] / "runbooks").runbooks
    subject = Subject("prod", "prod", "shop", "Deployment", "checkout")
    given = {"namespace": "shop", "deployment": "checkout"}
    assert suggested(books["restart-deployment"], subject) == given
    assert suggested(books["delete-pod"], subject) == {}


TOKEN = "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a"


@pytest.mark.parametrize(
    "harmless",
    ["checkout", "registry.example/shop/checkout@sha256:" + "a" * 64, "sha256:0f" * 2, "KubePodCrashLooping", 7, True],
)
def test_what_looks_like_a_secret_is_named_without_its_value(harmless: Any) -> None:
    schema = {"properties": {"name": {}, "password": {}, "key": {"secret": True}}}
    redact = Redactor().data
    said = {"name": "This looks like a secret, and what is asked for is shown to everybody. Give none here."}
    assert secrets_in(schema, {"name": TOKEN}, redact) == said
    assert secrets_in(schema, {"name": f"see {TOKEN}."}, redact) == said
    assert set(secrets_in(schema, {"password": "open sesame 7", "key": TOKEN}, redact)) == {"password", "key"}
    assert secrets_in(schema, {"name": harmless, "key": "pager-api-key", "password": ""}, redact) == {}

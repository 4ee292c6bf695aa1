"""Parameters of one use of a runbook: checked against its JSON schema, completed with its defaults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bot.domain.incident import Subject
from bot.domain.runbook import Runbook
from bot.runbooks import schema_errors

TRUSTED = ("subject.namespace", "subject.kind", "subject.name", "incident")
"""What a parameter's ``from`` may name: what the incident is about, and the incident's own name."""


def complete(
    schema: Mapping[str, Any], given: Any, subject: Mapping[str, str] | None = None
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the parameters with defaults filled in, and one sentence for each thing that is wrong with ``given``.

    A parameter with ``from`` has the value that ``subject`` says and no other; without a subject (a person gives every
    parameter) it is like any other.
    """
    if not isinstance(given, Mapping):
        return {}, ("the parameters must be a mapping of names to values",)
    values = {name: _plain(value) for name, value in given.items()}
    wrong = []
    for name, declared in schema["properties"].items():
        source = declared.get("from")
        if source and subject is not None:
            trusted = subject.get(source, "")
            if not trusted:
                wrong.append(f"{name}: the incident does not say its {source}, and nothing else may")
            elif values.setdefault(name, trusted) != trusted:
                wrong.append(f"{name}: must be {trusted}, because it is what the incident is about")
    problems = tuple(
        f"{'.'.join(str(part) for part in key)}: {sentence}" if key else sentence
        for key, sentence in schema_errors.faults(schema, values)
    )
    for name, declared in schema["properties"].items():
        if name not in values and "default" in declared:
            values[name] = declared["default"]
    told = {*schema.get("required", ()), *(sentence.partition(":")[0] for sentence in wrong)}
    absent = (f"{name} is missing" for name in schema["properties"] if name not in values and name not in told)
    problems = (*wrong, *problems, *absent)
    return dict(sorted(values.items())) if not problems else {}, problems


def field_faults(schema: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, str]:
    """Return one sentence for each parameter that is wrong or missing, by its name, for a form to show beside it."""
    values = {name: _plain(value) for name, value in given.items()}
    needed = {
        *schema.get("required", ()),
        *(name for name, each in schema["properties"].items() if "default" not in each),
    }
    found = dict.fromkeys(sorted(needed - values.keys()), "Fill this in.")
    for key, sentence in schema_errors.faults(schema, values):
        if key:
            found.setdefault(str(key[0]), sentence[:1].upper() + sentence[1:] + ".")
    return found


def secrets_in(schema: Mapping[str, Any], values: Mapping[str, Any], redact: Callable[[Any], Any]) -> dict[str, str]:
    """Return one sentence for each parameter that seems to hold a secret, by its name and without its value: cards and
    files show parameters in full. ``redact`` takes plain JSON. A ``secret`` one has a reference, whatever its name."""
    found = {}
    for name, value in values.items():
        refers = schema["properties"].get(name, {}).get("secret")
        shown = value if refers else {name: value}
        if redact(shown) != shown:
            found[name] = "This looks like a secret, and what is asked for is shown to everybody. Give none here."
    return found


def suggested(runbook: Runbook, subject: Subject) -> dict[str, str]:
    """Return the parameters that name what an incident is about, where the runbook's target is of that kind."""
    if not subject.name or runbook.target.kind != subject.kind:
        return {}
    facts = {runbook.target.namespace: subject.namespace, runbook.target.name: subject.name}
    return {
        name: facts[form] for name in runbook.parameters["properties"] if (form := f"${{parameters.{name}}}") in facts
    }


def read(schema: Mapping[str, Any], texts: Mapping[str, str]) -> dict[str, Any]:
    """Return values of the declared types from what a person typed. What does not fit stays text, for `complete` to
    refuse in its own words."""
    return {name: _typed(schema["properties"].get(name, {}), text) for name, text in texts.items()}


def _typed(declared: Mapping[str, Any], text: str) -> Any:
    match declared.get("type"):
        case "integer" if text.isascii() and text.removeprefix("-").isdigit() and len(text) < 20:
            return int(text)
        case "boolean" if text in ("true", "false"):
            return text == "true"
    return text


def _plain(value: Any) -> Any:
    """JSON has one kind of number: 3.0 counts as the integer 3 and must read like it wherever it is put in."""
    return int(value) if isinstance(value, float) and value.is_integer() else value

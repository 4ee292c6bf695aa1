"""Every problem of a folder of runbooks at once, with file, line and key, and what is accepted instead."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bot.domain import document
from bot.domain.document import Key
from bot.runbooks import parameters, schema_errors, template
from bot.runbooks.actions import ACTIONS
from bot.runbooks.checks import HEALTH, PRECONDITIONS
from bot.runbooks.resources import KINDS

MAX_FILES = 200

# What fill() may put into a step; the parameters' names are the other scope.
TARGET_FIELDS = frozenset({"namespace", "name"})

Found = tuple[Key, str]


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One problem. ``line`` counts from 1, 0 means the file or folder itself; ``key`` is like ``steps[0].action``."""

    file: str
    line: int
    key: str
    sentence: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.key}: {self.sentence}" if self.key else f"{place}: {self.sentence}"


def lint(folder: Path) -> list[Problem]:
    """Check every runbook of ``folder``. An empty list means that the catalogue loads."""
    problems, _ = read(folder)
    return problems


def read(folder: Path) -> tuple[list[Problem], dict[Path, Mapping[str, Any]]]:
    """Return the problems and the data of every sound file of ``folder``, which is read once."""
    try:
        entries = sorted(path for path in folder.iterdir() if not path.name.startswith(".") and path.is_file())
    except OSError as error:
        return [Problem(str(folder), 0, "", f"the folder cannot be read ({error.strerror}); name one that exists")], {}
    problems = [
        Problem(str(path), 0, "", "the name must end in .yaml, or the runbook is not read")
        for path in entries
        if path.suffix.lower() in (".yml", ".yaml") and path.suffix != ".yaml"
    ]
    files = [path for path in entries if path.suffix == ".yaml"]
    if not files and not problems:
        problems.append(Problem(str(folder), 0, "", "there is no runbook here; a runbook is a file named ID.yaml"))
    if len(files) > MAX_FILES:
        problems.append(Problem(str(folder), 0, "", f"{len(files)} runbooks; at most {MAX_FILES} are accepted"))
        return problems, {}
    sound: dict[Path, Mapping[str, Any]] = {}
    for path in files:
        found, data = _check_file(path)
        problems += found
        if not found:
            sound[path] = data
    return sorted(problems), sound


def schema() -> Mapping[str, Any]:
    """The JSON schema of a runbook file, as editors use it."""
    return _schema()


@cache
def _schema() -> Mapping[str, Any]:
    # In the wheel the shipped runbooks are inside the package, in a clone beside it.
    package = Path(__file__).resolve().parent.parent
    inside = package / "_data" / "runbooks"
    folder = inside if inside.is_dir() else package.parent / "runbooks"
    parsed: Mapping[str, Any] = json.loads((folder / "schema.json").read_text(encoding="utf-8"))
    return parsed


def _check_file(path: Path) -> tuple[list[Problem], Mapping[str, Any]]:
    try:
        with path.open("rb") as file:
            raw = file.read(document.MAX_BYTES + 1)
    except OSError as error:
        return [Problem(str(path), 0, "", f"cannot be read ({error.strerror})")], {}
    parsed = document.read(raw)
    problems = [Problem(str(path), fault.line, _key(fault.key), fault.sentence) for fault in parsed.faults]
    if parsed.data is None:
        return problems, {}
    faults = schema_errors.faults(_schema(), parsed.data)
    # A rule that reads a part of the wrong shape would only repeat what the schema already said.
    faults += [fault for fault in _rules(path.stem, parsed.data) if fault not in faults]
    problems += [Problem(str(path), parsed.line(key), _key(key), sentence) for key, sentence in faults]
    return problems, parsed.data if isinstance(parsed.data, Mapping) else {}


def _key(key: Key) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key)
    return text.removeprefix(".")


def _rules(stem: str, data: Any) -> Iterator[Found]:
    """What the schema cannot say. Parts of a wrong shape are passed over: the schema reports those."""
    if not isinstance(data, Mapping):
        return
    if isinstance(data.get("id"), str) and data["id"] != stem:
        yield ("id",), f"must be the file's name, {stem}, not {data['id']}"
    declared = _mapping(_mapping(data.get("parameters")).get("properties"))
    yield from _parameters(_mapping(data.get("parameters")), declared)
    yield from _references(data, declared)
    yield from _kinds(data)
    for index, step in enumerate(_list(data.get("steps"))):
        yield from _step(index, _mapping(step), data)
    verification = _mapping(data.get("verification"))
    deadline, stable = verification.get("deadline_seconds"), verification.get("stable_seconds")
    if isinstance(deadline, int) and isinstance(stable, int) and stable >= deadline:
        yield ("verification", "stable_seconds"), f"must be shorter than deadline_seconds ({deadline})"


def _parameters(whole: Mapping[str, Any], declared: Mapping[str, Any]) -> Iterator[Found]:
    required = [name for name in _list(whole.get("required")) if isinstance(name, str)]
    for name in required:
        if name not in declared:
            yield ("parameters", "required"), f"{name} is required but not declared under properties"
    for name, each in declared.items():
        key: Key = ("parameters", "properties", name)
        if not isinstance(each, Mapping):
            continue
        if name not in required and "default" not in each:
            yield key, "must be required or have a default, so that every approval shows its value"
        pattern = each.get("pattern")
        if isinstance(pattern, str):
            fault = _pattern_fault(pattern)
            if fault:
                yield (*key, "pattern"), fault
                continue
        low, high = each.get("minimum"), each.get("maximum")
        if isinstance(low, int) and isinstance(high, int) and low > high:
            yield (*key, "minimum"), f"is larger than maximum ({high}), so no value fits"
        for place in ("default", "enum"):
            values = _list(each.get(place)) if place == "enum" else [each[place]] if place in each else []
            for value in values:
                yield from _own_value((*key, place), each, value)


def _pattern_fault(pattern: str) -> str:
    import re2

    if not (pattern.startswith("^") and pattern.endswith("$")):
        return "must be written as ^…$: it always means the whole value"
    try:
        schema_errors.matches(pattern, "")
    except re2.error:
        return "is not an RE2 pattern (https://github.com/google/re2/wiki/Syntax): no look-around, no back-references"
    return ""


def _own_value(key: Key, declared: Mapping[str, Any], value: Any) -> Iterator[Found]:
    if declared.get("type") not in ("string", "integer", "boolean"):
        return
    rules = {name: rule for name, rule in declared.items() if name not in ("default", "title", "description")}
    if key[-1] == "enum":
        rules.pop("enum")
    for fault in parameters.complete({"type": "object", "properties": {"x": rules}}, {"x": value})[1]:
        yield key, fault.removeprefix("x: ")


def _references(data: Mapping[str, Any], declared: Mapping[str, Any]) -> Iterator[Found]:
    used = set()
    for part in data:
        for key, scope, name in template.references(data[part], (part,)):
            fault = _reference_fault(key, scope, name, declared)
            if fault:
                yield key, fault
            if scope == "parameters" and part in ("target", "steps"):
                used.add(name)
    for name in declared:
        if name not in used:
            yield (
                ("parameters", "properties", name),
                "is declared but never used; remove it, or people approve a value that does nothing",
            )


def _reference_fault(key: Key, scope: str, name: str, declared: Mapping[str, Any]) -> str:
    if key[0] == "parameters":
        return ""  # a pattern may hold ${ and is not filled in
    in_step = key[0] == "steps" and "with" in key
    if key[0] != "target" and not in_step:
        return "takes plain text: ${…} is replaced in target and in a step's with only"
    if not scope:
        return "${ must begin a reference such as ${parameters.name}"
    if scope == "parameters":
        known = ", ".join(sorted(declared)) or "none"
        return "" if name in declared else f"parameter {name} is used but not declared; declared are {known}"
    if scope == "target" and in_step:
        known = ", ".join(sorted(TARGET_FIELDS))
        return "" if name in TARGET_FIELDS else f"the target has no {name} to refer to; it has {known}"
    return f"${{{scope}.{name}}} is not known here; ${{parameters.…}}{' and ${target.…} are' if in_step else ' is'}"


def _kinds(data: Mapping[str, Any]) -> Iterator[Found]:
    target = _mapping(data.get("target"))
    kind = target.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        return
    if target.get("apiVersion") != KINDS[kind].api_version:
        yield ("target", "apiVersion"), f"{kind} is of {KINDS[kind].api_version}"
    named: list[tuple[Key, Any, Mapping[str, Any]]] = [
        (("verification", "check"), _mapping(data.get("verification")).get("check"), HEALTH)
    ]
    for index, each in enumerate(_list(data.get("preconditions"))):
        named.append((("preconditions", index, "check"), _mapping(each).get("check"), PRECONDITIONS))
    for index, each in enumerate(_list(data.get("steps"))):
        named.append((("steps", index, "action"), _mapping(each).get("action"), ACTIONS))
    for key, name, known in named:
        if isinstance(name, str) and name in known and kind not in known[name].kinds:
            fitting = sorted(each for each in known if kind in known[each].kinds)
            yield key, f"{name} is not for a {kind}; {', '.join(fitting) or 'none'} would be"


def _step(index: int, step: Mapping[str, Any], data: Mapping[str, Any]) -> Iterator[Found]:
    action = ACTIONS.get(step["action"]) if isinstance(step.get("action"), str) else None
    if action is None:
        return
    given = set(_mapping(step.get("with")))
    accepted = ", ".join(sorted(action.arguments)) or "none"
    for name in sorted(given - action.arguments):
        yield ("steps", index, "with", name), f"is not an argument of {action.name}; it takes {accepted}"
    for name in sorted(action.arguments - given):
        yield ("steps", index, *(["with"] if given else [])), f"{action.name} needs the argument {name} under with"
    stated = [_mapping(each).get("check") for each in _list(data.get("preconditions"))]
    for name in sorted(name for name in action.requires if name not in stated):
        yield ("preconditions",), f"{action.name} needs the precondition {name}"


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []

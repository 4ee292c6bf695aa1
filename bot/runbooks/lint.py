"""Every problem of a folder of runbooks at once, with file, line and key, and what is accepted instead."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bot.domain import cron, document
from bot.domain.document import Key
from bot.runbooks import arguments, parameters, schema_errors, template
from bot.runbooks.actions import ACTIONS
from bot.runbooks.actions.action import Action
from bot.runbooks.checks import HEALTH, PRECONDITIONS
from bot.runbooks.resources import KINDS

MAX_FILES = 200
MOST_NUMBER = 2**53 - 1
"""RFC 8785 takes numbers as IEEE 754 doubles, which hold whole numbers exactly up to here."""

# What fill() may put into a step; the parameters' names are the other scope.
TARGET_FIELDS = frozenset({"namespace", "name"})

_LASTS = re.compile(r"[1-9][0-9]{0,4}[mhd]")

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


def lint(folder: Path, groups: Collection[str] | None = None) -> list[Problem]:
    """Check every runbook of ``folder``. An empty list means that the catalogue loads."""
    problems, _ = read(folder, groups)
    return problems


def read(folder: Path, groups: Collection[str] | None = None) -> tuple[list[Problem], dict[Path, Mapping[str, Any]]]:
    """Return the problems and the data of every sound file of ``folder``, which is read once. ``groups`` are those that
    the configuration has; None where there is no configuration to ask."""
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
        found, data = _check_file(path, groups)
        problems += found
        if not found:
            sound[path] = data
    return sorted(problems), sound


def schema() -> Mapping[str, Any]:
    """The JSON schema of a runbook file, as editors use it."""
    # In the wheel the shipped runbooks are inside the package, in a clone beside it.
    package = Path(__file__).resolve().parent.parent
    inside = package / "_data" / "runbooks"
    folder = inside if inside.is_dir() else package.parent / "runbooks"
    parsed: Mapping[str, Any] = json.loads((folder / "schema.json").read_text(encoding="utf-8"))
    return parsed


@cache
def _judging() -> Mapping[str, Any]:
    """The schema without what only completes an editor's input: of what an action takes the rules here say more."""
    whole = schema()
    step = whole["properties"]["steps"]["items"]
    for part in (step, step["properties"]["undo"], whole["$defs"]["check"]):
        del part["allOf"]
    return whole


def _check_file(path: Path, groups: Collection[str] | None) -> tuple[list[Problem], Mapping[str, Any]]:
    try:
        with path.open("rb") as file:
            raw = file.read(document.MAX_BYTES + 1)
    except OSError as error:
        return [Problem(str(path), 0, "", f"cannot be read ({error.strerror})")], {}
    parsed = document.read(raw)
    problems = [Problem(str(path), fault.line, _key(fault.key), fault.sentence) for fault in parsed.faults]
    if parsed.data is None:
        return problems, {}
    faults = schema_errors.faults(_judging(), parsed.data)
    faults += [fault for fault in _unrecordable(parsed.data) if fault[0] not in {key for key, _ in faults}]
    # A rule that reads a part of the wrong shape would only repeat what the schema already said.
    faults += [fault for fault in _rules(path.stem, parsed.data, groups) if fault not in faults]
    problems += [Problem(str(path), parsed.line(key), _key(key), sentence) for key, sentence in faults]
    return problems, parsed.data if isinstance(parsed.data, Mapping) else {}


def _key(key: Key) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key)
    return text.removeprefix(".")


def _rules(stem: str, data: Any, groups: Collection[str] | None) -> Iterator[Found]:
    """What the schema cannot say. Parts of a wrong shape are passed over: the schema reports those."""
    if not isinstance(data, Mapping):
        return
    if isinstance(data.get("id"), str) and data["id"] != stem:
        yield ("id",), f"must be the file's name, {stem}, not {data['id']}"
    declared = _mapping(_mapping(data.get("parameters")).get("properties"))
    yield from _parameters(_mapping(data.get("parameters")), declared)
    yield from _references(data, declared)
    yield from _target(("target",), _mapping(data.get("target")))
    yield from _checks(data)
    seen: set[str] = set()
    for index, step in enumerate(_list(data.get("steps"))):
        yield from _step(index, _mapping(step), data, declared)
        name = _mapping(step).get("id")
        if isinstance(name, str) and name in seen:
            yield ("steps", index, "id"), f"{name} is the name of an earlier step; give each its own"
        seen |= {name} if isinstance(name, str) else set()
    yield from _rollback(data)
    approval = _mapping(data.get("approval"))
    if approval.get("requester_may_approve") is True and data.get("risk") != "low":
        yield ("approval", "requester_may_approve"), "is for runbooks of low risk only"
    if groups is not None:
        configured = ", ".join(sorted(groups)) or "none"
        for name in sorted(set(_mapping(approval.get("groups"))) - set(groups)):
            yield ("approval", "groups", name), f"{name} is no configured group (configured: {configured})"
    yield from _windows(_list(data.get("windows")))
    whole = _mapping(data.get("limits")).get("run_seconds")
    times = [_mapping(step).get("timeout_seconds") for step in _list(data.get("steps"))]
    longest = max((each for each in times if isinstance(each, int)), default=0)
    if isinstance(whole, int) and whole < longest:
        yield ("limits", "run_seconds"), f"is shorter than one step may take: a timeout_seconds is {longest}"
    verification = _mapping(data.get("verification"))
    deadline, stable = verification.get("deadline_seconds"), verification.get("stable_seconds")
    if isinstance(deadline, int) and isinstance(stable, int) and stable >= deadline:
        yield ("verification", "stable_seconds"), f"must be shorter than deadline_seconds ({deadline})"


def _unrecordable(value: Any, key: Key = ()) -> Iterator[Found]:
    """What a digest cannot be made of, whatever the schema says of it."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _unrecordable(item, (*key, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unrecordable(item, (*key, index))
    elif isinstance(value, int | float) and abs(value) > MOST_NUMBER:
        yield key, f"{value} is no number that JSON carries exactly; at most {MOST_NUMBER} is accepted, or quote it"


def _windows(windows: list[Any]) -> Iterator[Found]:
    for index, window in enumerate(map(_mapping, windows)):
        when, zone, lasts = (window.get(key) for key in ("cron", "time_zone", "duration"))
        fault = cron.fault(when) if isinstance(when, str) else ""
        if fault:
            yield ("windows", index, "cron"), f"{when!r} {fault}"
        if isinstance(zone, str) and not cron.is_zone(zone):
            yield ("windows", index, "time_zone"), f"{zone!r} is no name of the IANA database, as in Europe/Berlin"
        if isinstance(lasts, str) and _LASTS.fullmatch(lasts) and seconds(lasts) > cron.LONGEST_SECONDS:
            yield ("windows", index, "duration"), f"{lasts} is too long; at most 31d is accepted"


def seconds(duration: str) -> int:
    """Return how long a duration of a window is; it is one of the schema's, such as ``90m``, ``8h`` or ``2d``."""
    return int(duration[:-1]) * {"m": 60, "h": 3_600, "d": 86_400}[duration[-1]]


def _parameters(whole: Mapping[str, Any], declared: Mapping[str, Any]) -> Iterator[Found]:
    required = [name for name in _list(whole.get("required")) if isinstance(name, str)]
    for name in required:
        if name not in declared:
            yield ("parameters", "required"), f"{name} is required but not declared under properties"
    for name, each in declared.items():
        key: Key = ("parameters", "properties", name)
        if not isinstance(each, Mapping):
            continue
        if name not in required and "default" not in each and "from" not in each:
            yield key, "must be required or have a default, so that every approval shows its value"
        if each.get("secret") and (each.get("type") != "string" or "default" in each or "from" in each):
            yield (*key, "secret"), "is for a string without default and from: the name of a configured secret"
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
            fault = _reference_fault(key, scope, name, data, declared)
            if fault:
                yield key, fault
            if scope == "parameters" and part in ("target", "steps", "lock"):
                used.add(name)
    for name in declared:
        if name not in used:
            yield (
                ("parameters", "properties", name),
                "is declared but never used; remove it, or people approve a value that does nothing",
            )


def _reference_fault(key: Key, scope: str, name: str, data: Mapping[str, Any], declared: Mapping[str, Any]) -> str:
    if key[0] == "parameters":
        return ""  # a pattern may hold ${ and is not filled in
    in_step = key[0] == "steps" and any(part in key[2:4] for part in ("with", "target"))
    if key[0] not in ("target", "lock") and not in_step:
        return "takes plain text: ${…} is replaced in target, lock and in a step's target and with only"
    if not scope:
        return "${ must begin a reference such as ${parameters.name}"
    if scope == "parameters":
        known = ", ".join(sorted(declared)) or "none"
        if name not in declared:
            return f"parameter {name} is used but not declared; declared are {known}"
        return _secret_fault(key, name, data) if _mapping(declared[name]).get("secret") else ""
    if scope == "target" and in_step:
        known = ", ".join(sorted(TARGET_FIELDS))
        if name not in TARGET_FIELDS:
            return f"the target has no {name} to refer to; it has {known}"
        if "with" not in key and name not in _mapping(data.get("target")):
            return f"the runbook's target has no {name} of its own that another step's target could refer to"
        return ""
    return f"${{{scope}.{name}}} is not known here; ${{parameters.…}}{' and ${target.…} are' if in_step else ' is'}"


def _secret_fault(key: Key, name: str, data: Mapping[str, Any]) -> str:
    value: Any = data
    for part in key:
        value = value[part]
    step = _mapping(data["steps"][key[1]]) if key[0] == "steps" and isinstance(key[1], int) else {}
    of = _mapping(step.get("undo")) if "undo" in key else step
    if of.get("action") != "http-request" or "body" not in key or value != f"${{parameters.{name}}}":
        return f"parameter {name} is a secret: it may only be a whole value in the body of an http-request"
    return ""


def _target(key: Key, target: Mapping[str, Any]) -> Iterator[Found]:
    kind = target.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        return
    resource = KINDS[kind]
    if "apiVersion" in target and target["apiVersion"] != resource.api_version:
        yield (*key, "apiVersion"), f"{kind} is of {resource.api_version}"
    ways = [way for way in ("name", "selector", "on_node") if way in target]
    if len(ways) != 1:
        yield key, "needs one of name, selector and on_node" + (f", not {' and '.join(ways)}" if ways else "")
    several = bool({"selector", "on_node"} & set(ways))
    if several and "max_targets" not in target:
        yield key, "needs max_targets: how many objects it may be at most"
    if not several:
        for name in ("max_targets", "max_percent", "batch", "max_errors"):
            if name in target:
                yield (*key, name), "is for targets by selector or on_node; a name is one object"
    if "on_node" in ways and "max_percent" in target:
        yield (*key, "max_percent"), "is for targets by selector; the pods of a node are in every namespace"
    if "on_node" in ways and kind != "Pod":
        yield (*key, "on_node"), "is for Pods"
    if "selector" in ways and not resource.in_kubernetes:
        yield (*key, "selector"), f"is not for a {kind}; give its name"
    wants = resource.namespaced and "on_node" not in ways
    if "namespaces" in target and not (wants and resource.in_kubernetes):
        yield (*key, "namespaces"), "is for an object of Kubernetes in a namespace"
    if wants and "namespace" not in target:
        yield key, f"namespace is missing: a {kind} is in one"
    if not wants and "namespace" in target:
        yield (*key, "namespace"), "must be left out here"


def _checks(data: Mapping[str, Any]) -> Iterator[Found]:
    kind = _mapping(data.get("target")).get("kind")
    verification = _mapping(data.get("verification")).get("check")
    if isinstance(verification, str) and isinstance(kind, str):
        yield from _fits(("verification", "check"), verification, kind, HEALTH)
    for index, each in enumerate(_list(data.get("preconditions"))):
        yield from _check(("preconditions", index), _mapping(each), kind)
    for index, each in enumerate(_list(data.get("steps"))):
        step = _mapping(each)
        of = _mapping(step.get("target")).get("kind", kind)
        for inner, check in enumerate(_list(step.get("preconditions"))):
            yield from _check(("steps", index, "preconditions", inner), _mapping(check), of)
        for word in ("if", "unless"):
            yield from _check(("steps", index, word), _mapping(step.get(word)), of)


def _check(key: Key, check: Mapping[str, Any], kind: Any) -> Iterator[Found]:
    name = check.get("check")
    if not isinstance(name, str) or name not in PRECONDITIONS:
        return
    if isinstance(kind, str):
        yield from _fits((*key, "check"), name, kind, PRECONDITIONS)
    given, takes = _mapping(check.get("with")), PRECONDITIONS[name].arguments
    if given.keys() != takes.keys():
        yield (*key, "with") if given else key, f"{name} takes {', '.join(sorted(takes)) or 'no arguments'} under with"
    for place, sentence in arguments.written_faults(takes, given):
        yield (*key, "with", *place), sentence


def _fits(key: Key, name: str, kind: str, known: Mapping[str, Any]) -> Iterator[Found]:
    if name in known and kind in KINDS and kind not in known[name].kinds:
        fitting = sorted(each for each in known if kind in known[each].kinds)
        yield key, f"{name} is not for a {kind}; {', '.join(fitting) or 'none'} would be"


def _step(index: int, step: Mapping[str, Any], data: Mapping[str, Any], declared: Mapping[str, Any]) -> Iterator[Found]:
    key: Key = ("steps", index)
    if "target" in step:
        yield from _target((*key, "target"), _mapping(step["target"]))
        if "batch" in _mapping(step["target"]):
            yield (*key, "target", "batch"), "is for the runbook's own target, whose health is looked at in between"
    action = ACTIONS.get(step["action"]) if isinstance(step.get("action"), str) else None
    if action is None:
        return
    kind = _mapping(step.get("target", data.get("target"))).get("kind")
    if isinstance(kind, str):
        yield from _fits((*key, "action"), action.name, kind, ACTIONS)
    yield from _arguments(key, step, action)
    given = _mapping(step.get("with"))
    if action.name == "assert":
        yield from _check((*key, "with"), given, kind)
    if action.name == "wait-until" and isinstance(given.get("check"), str) and isinstance(kind, str):
        yield from _fits((*key, "with", "check"), given["check"], kind, HEALTH)
    if action.name == "wait":
        yield from _waits((*key, "with", "seconds"), given.get("seconds"), step.get("timeout_seconds"), declared)
    own = "target" in step
    stated = [_mapping(each).get("check") for each in _list((step if own else data).get("preconditions"))]
    stated += [_mapping(each).get("check") for each in _list(step.get("preconditions"))]
    decides = _mapping(step.get("if")).get("check")
    fitting = (name for name in action.requires if kind in PRECONDITIONS[name].kinds)
    for name in sorted(name for name in fitting if name not in (*stated, decides)):
        if not _made_true_before(index, step, data, name):
            yield (*key, "preconditions") if own else ("preconditions",), f"{action.name} needs the precondition {name}"
    if "if" in step and "unless" in step:
        yield (*key, "unless"), "give either if or unless"
    if step.get("retries") and step.get("idempotency", action.idempotency) == "none":
        yield (*key, "retries"), f"{action.name} may have its effect twice; only what is safe or keyed is sent again"
    stated = step.get("idempotency", action.idempotency)
    if stated == "safe" and action.idempotency != "safe":
        yield (*key, "idempotency"), f"{action.name} is {action.idempotency}, not safe"
    if stated == "keyed" and action.idempotency != "keyed" and not action.sends_key:
        yield (*key, "idempotency"), f"{action.name} sends no key by which a repetition could be told"
    if "undo" in step:
        if kind != "Endpoint":
            yield (*key, "undo"), "is for steps on an Endpoint; other actions state their own inverse"
        undo = ACTIONS.get(str(_mapping(step["undo"]).get("action")))
        if undo is not None:
            yield from _arguments((*key, "undo"), _mapping(step["undo"]), undo)


def _waits(key: Key, seconds: Any, timeout: Any, declared: Mapping[str, Any]) -> Iterator[Found]:
    for _, scope, name in template.references(seconds):
        seconds = _mapping(declared.get(name)).get("maximum") if scope == "parameters" else None
    if isinstance(seconds, int) and isinstance(timeout, int) and seconds >= timeout:
        yield key, f"must be shorter than the step's timeout_seconds ({timeout}), or it always fails"


def _made_true_before(index: int, step: Mapping[str, Any], data: Mapping[str, Any], check: str) -> bool:
    """Whether an earlier step on the same target leaves what the check asks for, as a pause does for a resume."""
    makes = {
        "rollout-paused": "deployment-pause",
        "node-cordoned": "node-cordon",
        "cron-job-suspended": "cron-job-suspend",
    }
    # A paused rollout takes a new image all the same: it is rolled out when it is resumed.
    makes["rollout-not-paused"] = "deployment-pause"
    earlier = [_mapping(each) for each in _list(data.get("steps"))[:index]]
    return any(each.get("action") == makes.get(check) and each.get("target") == step.get("target") for each in earlier)


def _arguments(key: Key, step: Mapping[str, Any], action: Action) -> Iterator[Found]:
    given = _mapping(step.get("with"))
    takes = {**action.arguments, **action.optional}
    accepted = ", ".join(sorted(takes)) or "none"
    for name in sorted(given.keys() - takes.keys()):
        yield (*key, "with", name), f"is not an argument of {action.name}; it takes {accepted}"
    for name in sorted(action.arguments.keys() - given.keys()):
        yield (*key, *(["with"] if given else [])), f"{action.name} needs the argument {name} under with"
    for name in sorted(action.literal & set(given)):
        if any(True for _ in template.references(given[name])):
            yield (*key, "with", name), "must be written out: no parameter gets into it"
    for place, sentence in arguments.written_faults(takes, given):
        yield (*key, "with", *place), sentence


def _rollback(data: Mapping[str, Any]) -> Iterator[Found]:
    rollback = data.get("rollback")
    included = isinstance(rollback, Mapping) and rollback.get("approval") == "included"
    steps = [_mapping(each) for each in _list(data.get("steps"))]
    asks: list[Key] = [
        ("steps", index, "on_failure") for index, step in enumerate(steps) if step.get("on_failure") == "rollback"
    ]
    if _mapping(data.get("verification")).get("on_failure") == "rollback":
        asks.append(("verification", "on_failure"))
    if not isinstance(rollback, Mapping):
        yield from ((key, "needs rollback.approval: there is no rollback to do") for key in asks)
        return
    if included and not asks:
        yield ("rollback", "approval"), "is included, but no step's nor the verification's on_failure is rollback"
    inverse = [step for step in steps if "undo" in step or _has_inverse(step.get("action"))]
    if steps and not inverse:
        yield ("rollback", "approval"), "no step has an inverse; write a sentence instead"


def _has_inverse(name: Any) -> bool:
    return isinstance(name, str) and name in ACTIONS and not ACTIONS[name].inverse.startswith(("none", "the undo"))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []

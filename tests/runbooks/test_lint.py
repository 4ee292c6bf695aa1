"""Every kind of mistake in a runbook is found, with line, key and what is accepted."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from bot.runbooks import lint as linter
from bot.runbooks.actions import ACTIONS
from bot.runbooks.catalogue import RunbookError, load
from bot.runbooks.checks import HEALTH, NOTHING, PRECONDITIONS
from bot.runbooks.lint import Problem, lint, schema
from bot.runbooks.resources import KINDS

ROLLBACK = "rollback-deployment.yaml"
SHIPPED = Path(__file__).parents[2] / "runbooks"
EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


def broken(folder: Path, text: str, old: str, new: str, name: str = ROLLBACK) -> list[Problem]:
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1))
    return lint(folder)


def test_what_is_shipped_is_sound(shipped: dict[str, str]) -> None:
    assert ROLLBACK in shipped
    assert lint(Path(__file__).parents[2] / "runbooks") == []


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "sentence"),
    [
        (
            "id: rollback-deployment",
            "id: roll-back",
            2,
            "id",
            "must be the file's name, rollback-deployment, not roll-back",
        ),
        ("version: 1", "version: one", 3, "version", 'must be a whole number, not "one"'),
        ("version: 1", "version: 0", 3, "version", "0 is too small; at least 1 is accepted"),
        (
            "risk: medium",
            "risk: scary",
            8,
            "risk",
            '"scary" is not accepted; one of "low", "medium", "high", "critical" is',
        ),
        (
            "risk: medium\n",
            "risk: medium\nteam: me\n",
            9,
            "team",
            '"team" is not known here; accepted are approval,',
        ),
        ("title: Roll back a Deployment\n", "", 2, "", "title is missing: A few words that begin with a verb"),
        (
            "action: deployment-rollback",
            "action: shell",
            43,
            "steps[0].action",
            '"shell" is not accepted; one of "annotate", "assert", "comment", ',
        ),
        (
            "action: deployment-rollback",
            "action: pod-delete",
            43,
            "steps[0].action",
            "pod-delete is not for a Deployment; annotate, assert, deployment-pause, ",
        ),
        (
            "check: rollout-healthy",
            "check: looks-fine",
            49,
            "verification.check",
            '"looks-fine" is not accepted; one of "as-written", ',
        ),
        (
            "check: rollout-healthy",
            "check: pod-replaced",
            49,
            "verification.check",
            "pod-replaced is not for a Deployment; as-written, rollout-healthy would be",
        ),
        (
            "preconditions:\n  - check: rollout-not-paused",
            "preconditions: []",
            38,
            "preconditions",
            "deployment-rollback needs the precondition rollout-not-paused",
        ),
        (
            "      revision: ${parameters.revision}",
            "      revision: 0\n      force: true",
            46,
            "steps[0].with.force",
            "is not an argument of deployment-rollback; it takes revision",
        ),
        (
            "    with:\n      revision: ${parameters.revision}\n",
            "",
            42,
            "steps[0]",
            "deployment-rollback needs the argument revision under with",
        ),
        (
            "${parameters.deployment}",
            "${parameters.deploymnet}",
            36,
            "target.name",
            "parameter deploymnet is used but not declared; declared are deployment, namespace, revision",
        ),
        (
            "revision: ${parameters.revision}",
            "revision: 0",
            25,
            "parameters.properties.revision",
            "is declared but never used; remove it, or people approve a value that does nothing",
        ),
        (
            "name: ${parameters.deployment}",
            "name: ${target.name}",
            36,
            "target.name",
            "${target.name} is not known here",
        ),
        ("name: ${parameters.deployment}", "name: ${ENV}", 36, "target.name", "${ must begin a reference"),
        (
            "revision: ${parameters.revision}",
            "revision: ${target.uid}",
            45,
            "steps[0].with.revision",
            "the target has no uid to refer to; it has name, namespace",
        ),
        (
            "title: Roll back",
            "title: Roll ${parameters.revision} back",
            4,
            "title",
            "takes plain text: ${…} is replaced in",
        ),
        ("      default: 0\n", "", 25, "parameters.properties.revision", "must be required or have a default"),
        ("      default: 0\n", "      default: -1\n", 30, "parameters.properties.revision.default", "-1 is too small"),
        (
            "      minimum: 0\n",
            "      minimum: 2147483648\n",
            28,
            "parameters.properties.revision.minimum",
            "is larger than",
        ),
        (
            "required: [namespace, deployment]",
            "required: [namespace, deploy]",
            13,
            "parameters.required",
            "deploy is required but",
        ),
        (
            "pattern: ^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
            "pattern: '[a-z]+'",
            18,
            "parameters.properties.namespace.pattern",
            "must be written as ^…$",
        ),
        (
            "pattern: ^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
            "pattern: ^(?=a).*$",
            18,
            "parameters.properties.namespace.pattern",
            "is not an RE2 pattern",
        ),
        ("      maxLength: 63\n", "", 15, "parameters.properties.namespace", "maxLength is missing"),
        (
            "additionalProperties: false",
            "additionalProperties: true",
            12,
            "parameters.additionalProperties",
            "must be false",
        ),
        (
            "      type: string\n",
            "      type: string\n      $ref: http://evil.example/x\n",
            17,
            "parameters.properties.namespace.$ref",
            '"$ref" is not known',
        ),
        ("apiVersion: apps/v1", "apiVersion: v1", 33, "target.apiVersion", "Deployment is of apps/v1"),
        (
            "stable_seconds: 10",
            "stable_seconds: 600",
            51,
            "verification.stable_seconds",
            "must be shorter than deadline_seconds",
        ),
        ("quorum: 1", "quorum: 0", 56, "approval.quorum", "0 is too small; at least 1 is accepted"),
    ],
)
def test_a_mistake_is_found_where_it_is(
    tmp_path: Path, shipped: dict[str, str], old: str, new: str, line: int, key: str, sentence: str
) -> None:
    found = broken(tmp_path, shipped[ROLLBACK], old, new)
    assert any((each.line, each.key) == (line, key) and each.sentence.startswith(sentence) for each in found), (
        "\n".join(map(str, found))
    )


@pytest.mark.parametrize(
    ("name", "old", "new", "key", "sentence"),
    [
        ("restart-deployments", "  max_targets: 20\n", "", "target", "needs max_targets"),
        ("restart-deployments", "  selector:\n", "  name: x\n  selector:\n", "target", "needs one of name, selector"),
        ("restart-deployments", "  namespace: ${parameters.namespace}\n", "", "target", "namespace is missing"),
        (
            "scale-deployment",
            "  kind: Deployment\n",
            "  kind: Deployment\n  batch: 2\n",
            "target.batch",
            "is for targets by",
        ),
        (
            "drain-node",
            "max_targets: 110",
            "max_targets: 110\n      batch: 5",
            "steps[1].target.batch",
            "is for the runbook's",
        ),
        (
            "drain-node",
            "      apiVersion: v1\n      kind: Pod",
            "      apiVersion: apps/v1\n      kind: Deployment",
            "steps[1].target.on_node",
            "is for Pods",
        ),
        ("drain-node", "  - id: evict", "  - id: cordon", "steps[1].id", "cordon is the name of an earlier step"),
        ("drain-node", "  approval: included", "  approval: someday", "rollback.approval", '"someday" is not accepted'),
        ("drain-node", "    on_failure: rollback\n", "", "rollback.approval", "is included, but no step's nor"),
        (
            "delete-pod",
            "    timeout_seconds: 30\n",
            "    timeout_seconds: 30\n    on_failure: rollback\n",
            "steps[0].on_failure",
            "needs rollback.approval",
        ),
        (
            "evict-pod",
            "    timeout_seconds: 120\n",
            "    timeout_seconds: 120\n    undo: {action: http-request}\n",
            "steps[0].undo",
            "is for steps on an Endpoint",
        ),
        (
            "silence-alerts",
            "    timeout_seconds: 20\n",
            "    timeout_seconds: 20\n    idempotency: safe\n",
            "steps[0].idempotency",
            "silence-create is keyed, not safe",
        ),
        (
            "silence-alerts",
            "      from: subject.namespace",
            "      from: labels.namespace",
            "parameters.properties.namespace.from",
            '"labels.namespace" is not accepted',
        ),
        (
            "set-image",
            "      maxLength: 500\n",
            "      maxLength: 500\n      secret: true\n",
            "steps[0].with.image",
            "parameter image is a secret: it may only be a whole value in the body",
        ),
        (
            "post-status-note",
            "      secret: true\n",
            "      secret: true\n      default: a\n",
            "parameters.properties.key.secret",
            "is for a string without default",
        ),
        (
            "post-status-note",
            "    timeout_seconds: 15\n",
            "    timeout_seconds: 15\n    retries: 2\n",
            "steps[0].retries",
            "http-request may have its effect twice",
        ),
        (
            "post-status-note",
            "risk: low",
            "risk: medium",
            "approval.requester_may_approve",
            "is for runbooks of low risk",
        ),
        (
            "clear-cache",
            "service_account: cache-tool",
            "service_account: ${parameters.entries}",
            "steps[0].with.service_account",
            "must be written out: no parameter gets into it",
        ),
        (
            "raise-log-level",
            "      key: LOG_LEVEL\n",
            "      key: ${parameters.level}\n",
            "steps[0].with.key",
            "must be written out",
        ),
        (
            "raise-log-level",
            "    unless: {check:",
            "    if: {check: rollout-paused}\n    unless: {check:",
            "steps[1].unless",
            "give either if or unless",
        ),
        (
            "raise-log-level",
            "with: {count: 0}",
            "with: {}",
            "steps[1].unless",
            "replicas-at-most takes count under with",
        ),
        ("raise-log-level", "count: 0", "count: lots", "steps[1].unless.with.count", "must be a whole number, not"),
        (
            "raise-log-level",
            "      check: rollout-healthy\n    timeout",
            "      check: no-such-check\n    timeout",
            "steps[3].with.check",
            '"no-such-check" is not accepted; one of "as-written", ',
        ),
        (
            "raise-log-level",
            "      check: rollout-healthy\n    timeout",
            "      check: node-drained\n    timeout",
            "steps[3].with.check",
            "node-drained is not for a Deployment; as-written, rollout-healthy would be",
        ),
        (
            "raise-log-level",
            "action: wait-until\n    with:\n      check: rollout-healthy",
            "action: wait\n    with:\n      seconds: soon",
            "steps[3].with.seconds",
            'must be a whole number, not "soon"',
        ),
        (
            "raise-log-level",
            "action: wait-until\n    with:\n      check: rollout-healthy",
            "action: wait\n    with:\n      seconds: 300",
            "steps[3].with.seconds",
            "must be shorter than the step's timeout_seconds (300), or it always fails",
        ),
        (
            "scale-deployment",
            "replicas: ${parameters.replicas}",
            "replicas: many",
            "steps[0].with.replicas",
            'must be a whole number, not "many"',
        ),
        (
            "scale-deployment",
            "replicas: ${parameters.replicas}",
            "replicas: 9007199254740993",
            "steps[0].with.replicas",
            "9007199254740993 is ",
        ),
        (
            "post-status-note",
            "    with:\n      body:\n",
            "    with:\n      body:\n        number: 9007199254740993\n",
            "steps[0].with.body.number",
            "9007199254740993 is no number that JSON carries exactly; at most 9007199254740991 is accepted",
        ),
        (
            "clear-cache",
            "command: [/bin/cache, clear]",
            'command: "echo hi"',
            "steps[0].with.command",
            'must be a list, not "echo hi"',
        ),
        (
            "clear-cache",
            "      service_account",
            "      env: X\n      service_account",
            "steps[0].with.env",
            'must be a mapping, not "X"',
        ),
        (
            "silence-alerts",
            "      matchers:\n        alertname: ${parameters.alertname}\n        namespace: ${parameters.namespace}\n",
            "      matchers: x\n",
            "steps[0].with.matchers",
            'must be a mapping, not "x"',
        ),
        (
            "drain-node",
            "max_targets: 110",
            "max_targets: 110\n      max_percent: 50",
            "steps[1].target.max_percent",
            "is for targets by selector",
        ),
    ],
)
def test_the_rules_of_targets_steps_and_taking_back(
    tmp_path: Path, shipped: dict[str, str], name: str, old: str, new: str, key: str, sentence: str
) -> None:
    examples = {path.name: path.read_text() for path in EXAMPLES.glob("*.yaml")}
    found = broken(tmp_path, (shipped | examples)[f"{name}.yaml"], old, new, f"{name}.yaml")
    assert any(each.key == key and each.sentence.startswith(sentence) and each.line for each in found), "\n".join(
        map(str, found)
    )


def test_all_problems_of_all_files_come_at_once(tmp_path: Path, shipped: dict[str, str]) -> None:
    for name, text in shipped.items():
        (tmp_path / name).write_text(text.replace("version: 1", "version: x").replace("risk: ", "risk: very "))
    found = lint(tmp_path)
    assert len({each.file for each in found}) == len(shipped)
    assert len(found) >= 2 * len(shipped)
    assert str(found[0]).startswith(f"{tmp_path / 'cordon-node.yaml'}:3: version: must be a whole number")


def test_the_time_of_a_run_has_room_for_its_longest_step(tmp_path: Path, shipped: dict[str, str]) -> None:
    limited = shipped[ROLLBACK] + "limits: {run_seconds: 29}\n"
    found = broken(tmp_path, limited, "run_seconds: 29", "run_seconds: 29")
    assert [each.sentence for each in found] == ["is shorter than one step may take: a timeout_seconds is 30"]
    assert broken(tmp_path, limited, "run_seconds: 29", "run_seconds: 30") == []
    assert "limits" in str(broken(tmp_path, limited, "{run_seconds: 29}", "{}")[0])


def test_each_kind_needs_the_precondition_that_is_for_it(tmp_path: Path, shipped: dict[str, str]) -> None:
    name = "restart-stateful-set.yaml"
    found = broken(tmp_path, shipped[name], "preconditions:\n  - check: rollout-automatic", "preconditions: []", name)
    assert [each.sentence for each in found] == ["rollout-restart needs the precondition rollout-automatic"]


def test_what_is_not_a_runbook_is_said(tmp_path: Path, shipped: dict[str, str]) -> None:
    assert "no runbook here" in lint(tmp_path)[0].sentence
    assert "cannot be read" in lint(tmp_path / "nowhere")[0].sentence
    (tmp_path / "rollback.yml").write_text(shipped[ROLLBACK])
    assert "must end in .yaml" in lint(tmp_path)[0].sentence
    (tmp_path / "list.yaml").write_text("- a\n")
    assert [each.sentence for each in lint(tmp_path) if each.file.endswith("list.yaml")] == [
        "must be a mapping, not a list"
    ]


def test_files_beside_runbooks_are_left_alone(tmp_path: Path, shipped: dict[str, str]) -> None:
    (tmp_path / ROLLBACK).write_text(shipped[ROLLBACK])
    for name in ("README.md", "schema.json", ".hidden.yaml"):
        (tmp_path / name).write_text("anything")
    assert lint(tmp_path) == []


def test_too_many_files_are_refused(tmp_path: Path, shipped: dict[str, str]) -> None:
    for number in range(linter.MAX_FILES + 1):
        (tmp_path / f"r{number}.yaml").write_text("x")
    (problem,) = lint(tmp_path)
    assert "at most 200 are accepted" in problem.sentence


def test_the_schema_knows_exactly_the_actions_checks_and_kinds_there_are() -> None:
    properties: Any = schema()["properties"]
    defined = schema()["$defs"]
    target, steps = defined["target"]["properties"], properties["steps"]["items"]
    assert steps["properties"]["action"]["enum"] == sorted(ACTIONS)
    assert defined["check"]["properties"]["check"]["enum"] == sorted(PRECONDITIONS)
    assert properties["verification"]["properties"]["check"]["enum"] == sorted([*HEALTH, NOTHING])
    kinds = {kind for action in ACTIONS.values() for kind in action.kinds}
    assert target["kind"]["enum"] == sorted(kinds)
    assert target["apiVersion"]["enum"] == sorted({KINDS[kind].api_version for kind in kinds})


def completed(name: str, of: str) -> list[dict[str, Any]]:
    """What a step, its undo or a check takes under ``with``, as the schema tells it to editors: as the code has it, or
    a text into which a parameter is put."""
    filled = {"type": "string", "pattern": r"\$\{"}

    def takes(argument: Mapping[str, Any]) -> dict[str, Any]:
        any_text = not argument or ("string" in argument.get("type", ()) and "enum" not in argument)
        return dict(argument) if any_text else {"anyOf": [dict(argument), filled]}

    def rule(key: str, needed: Mapping[str, Any], optional: Mapping[str, Any]) -> dict[str, Any]:
        properties = {each: takes(argument) for each, argument in sorted({**needed, **optional}.items())}
        given = {"additionalProperties": False, "required": sorted(needed), "properties": properties}
        then = {"properties": {"with": given}} | ({"required": ["with"]} if needed else {})
        return {"if": {"required": [name], "properties": {name: {"const": key}}}, "then": then}

    if of == "check":
        return [rule(key, check.arguments, {}) for key, check in sorted(PRECONDITIONS.items())]
    chosen = sorted(ACTIONS) if of == "step" else ["http-request"]
    return [rule(key, ACTIONS[key].arguments, ACTIONS[key].optional) for key in chosen]


def test_the_schema_completes_what_each_action_and_check_takes() -> None:
    step, check = schema()["properties"]["steps"]["items"], schema()["$defs"]["check"]
    parts = {"step": step, "undo": step["properties"]["undo"], "check": check}
    for of, part in parts.items():
        expected = completed("check" if of == "check" else "action", of)
        assert part["allOf"] == expected, (
            f"put this under allOf of a {of} of schema.json:\n{json.dumps(expected, indent=2)}"
        )


@pytest.mark.parametrize(
    "path", [*sorted(SHIPPED.glob("*.yaml")), *sorted(EXAMPLES.glob("*.yaml"))], ids=lambda path: path.stem
)
def test_an_editor_takes_every_shipped_runbook(path: Path) -> None:
    Draft202012Validator(schema()).validate(yaml.safe_load(path.read_text()))


@pytest.mark.parametrize(
    ("given", "fits"),
    [
        ({"replicas": 3}, True),
        ({"replicas": "${parameters.replicas}"}, True),
        ({"replicas": "three"}, False),
        ({"replica": 3}, False),
        ({}, False),
    ],
    ids=str,
)
def test_an_editor_and_the_linter_agree_on_what_an_action_takes(
    tmp_path: Path, given: dict[str, Any], fits: bool
) -> None:
    data = yaml.safe_load((SHIPPED / "scale-deployment.yaml").read_text())
    data["steps"][0]["with"] = given
    (tmp_path / "scale-deployment.yaml").write_text(yaml.safe_dump(data))
    said = [problem.key for problem in lint(tmp_path) if problem.key.startswith("steps")]
    assert Draft202012Validator(schema()).is_valid(data) is fits
    assert bool(said) is not fits
    assert len(set(said)) == len(said), "said twice"


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(schema())


_junk = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "x", "${parameters.x}", "pod-delete", "Pod"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["check", "type", "x"]), inner),
    max_leaves=6,
)


@given(key=st.sampled_from(sorted(schema()["properties"])), junk=_junk)
@settings(max_examples=150)
def test_a_part_of_any_shape_is_a_problem_and_no_exception(key: str, junk: Any) -> None:
    text = (Path(__file__).parents[2] / "runbooks" / ROLLBACK).read_text()
    data = {**yaml.safe_load(text), key: junk}
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / ROLLBACK).write_text(yaml.safe_dump(data))
        found = lint(Path(folder))
        if not found:
            load(Path(folder))
    assert all(problem.line > 0 and problem.sentence for problem in found)


@pytest.mark.parametrize(
    ("changed", "key", "sentence"),
    [
        ({"cron": "99 0 * * *"}, "cron", "'99 0 * * *' is no cron expression: Bad minute"),
        ({"cron": "0 0 31 2 *"}, "cron", "'0 0 31 2 *' is no cron expression: Bad day-of-month"),
        ({"time_zone": "Mars/Olympus"}, "time_zone", "'Mars/Olympus' is no name of the IANA database"),
        ({"duration": "99999d"}, "duration", "99999d is too long; at most 31d is accepted"),
        ({"duration": "32d"}, "duration", "32d is too long"),
    ],
)
def test_a_window_that_serve_could_not_use_is_named_with_its_line(
    tmp_path: Path, shipped: dict[str, str], changed: dict[str, str], key: str, sentence: str
) -> None:
    window = {"kind": "deny", "cron": "0 0 * * *", "duration": "31d", "time_zone": "UTC"}
    file = tmp_path / ROLLBACK
    file.write_text(shipped[ROLLBACK] + yaml.safe_dump({"windows": [window]}))
    assert lint(tmp_path) == []
    file.write_text(shipped[ROLLBACK] + yaml.safe_dump({"windows": [window | changed]}))
    (problem,) = lint(tmp_path)
    assert (problem.key, problem.line > shipped[ROLLBACK].count("\n")) == (f"windows[0].{key}", True)
    assert problem.sentence.startswith(sentence)


def test_a_group_is_one_of_the_configuration_where_there_is_one(tmp_path: Path, shipped: dict[str, str]) -> None:
    text = shipped[ROLLBACK].replace("approval:\n", "approval:\n  groups:\n    nosuch: 1\n", 1)
    (tmp_path / ROLLBACK).write_text(text)
    assert lint(tmp_path) == []
    (problem,) = lint(tmp_path, {"approvers", "oncall"})
    assert problem.key == "approval.groups.nosuch"
    assert text.split("\n")[problem.line - 1].strip() == "nosuch: 1"
    assert problem.sentence == "nosuch is no configured group (configured: approvers, oncall)"
    with pytest.raises(RunbookError, match="no configured group"):
        load(tmp_path, {"approvers"})
    assert lint(tmp_path, {"nosuch"}) == []


@pytest.mark.parametrize(("stated", "problems"), [("safe", 0), ("none", 0), ("keyed", 1)])
def test_only_what_sends_a_key_may_be_called_keyed(
    tmp_path: Path, shipped: dict[str, str], stated: str, problems: int
) -> None:
    name = "restart-deployment.yaml"
    data = yaml.safe_load(shipped[name])
    data["steps"][0]["idempotency"] = stated
    (tmp_path / name).write_text(yaml.safe_dump(data))
    found = lint(tmp_path)
    assert len(found) == problems, found
    assert all("rollout-restart sends no key by which a repetition could be told" in each.sentence for each in found)

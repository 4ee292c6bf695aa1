"""The chart's values, without helm: described once, checked by a schema, and in step with the bot's own settings."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from bot import settings, structure

ROOT = Path(__file__).parents[2]
CHART = ROOT / "helm" / "signoff"
SCHEMA = json.loads((CHART / "values.schema.json").read_text())
DEFAULTS = yaml.safe_load((CHART / "values.yaml").read_text())
SECRETS = set(re.findall(r"`(\w+)_FILE`", "\n".join(variable for variable, _, _ in settings.table())))


def described() -> Iterator[tuple[str, Any, str]]:
    """Yield (path, default, comment) of each value. A mapping whose own keys have comments is a section, no value."""
    text = (CHART / "values.yaml").read_text()
    lines = text.splitlines()

    def comment(node: yaml.Node) -> str:
        above = node.start_mark.line
        while above and lines[above - 1].lstrip().startswith("#"):
            above -= 1
        return " ".join(line.strip().removeprefix("#").strip() for line in lines[above : node.start_mark.line])

    def walk(mapping: yaml.MappingNode, path: str) -> Iterator[tuple[str, Any, str]]:
        for key, value in mapping.value:
            here = f"{path}.{key.value}" if path else key.value
            if isinstance(value, yaml.MappingNode) and any(comment(inner) for inner, _ in value.value):
                yield from walk(value, here)
            else:
                yield here, yaml.safe_load(yaml.serialize(value)), comment(key)

    root = yaml.compose(text)
    assert isinstance(root, yaml.MappingNode)
    return walk(root, "")


def test_every_value_says_what_it_is() -> None:
    assert [path for path, _, comment in described() if not comment] == []


def test_the_readme_lists_every_value_with_its_default() -> None:
    rows = [f"| `{path}` | `{json.dumps(default)}` | {comment} |" for path, default, comment in described()]
    table = "\n".join(["| Value | Default | What it is |", "| --- | --- | --- |", *rows])
    readme = (CHART / "README.md").read_text()
    _, _, after = readme.partition("<!-- values:")
    written = after.partition("-->")[2].partition("<!-- /values -->")[0].strip()
    assert written == table, f"put this table into {CHART / 'README.md'}:\n{table}"


def test_the_schema_knows_the_values_and_no_others() -> None:
    # Helm itself adds `global` to the values of a chart that is used by another.
    assert set(SCHEMA["properties"]) == set(DEFAULTS) | {"global"}
    jsonschema.validate(DEFAULTS, SCHEMA)


def test_each_part_of_the_schema_refuses_unknown_keys() -> None:
    """Free are only Kubernetes' own objects and maps of strings, which Kubernetes checks."""
    free = {"global", "resources.requests", "resources.limits", "affinity", "extraEnv[].valueFrom"}

    def open_objects(schema: dict[str, Any], path: str) -> Iterator[str]:
        for name, inner in schema.get("properties", {}).items():
            yield from open_objects(inner, f"{path}.{name}" if path else name)
        if "items" in schema and schema["items"] != {"type": "object"}:
            yield from open_objects(schema["items"], f"{path}[]")
        if schema.get("type") == "object" and "additionalProperties" not in schema:
            yield path

    assert set(open_objects(SCHEMA, "")) == free


def test_the_schema_of_the_configuration_is_the_bots_own() -> None:
    model = structure.Structure.model_json_schema()
    notes = ("title", "default", "description", "format", "$defs")

    def plain(node: Any) -> Any:
        if isinstance(node, list):
            return [plain(item) for item in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            return plain(model["$defs"][node["$ref"].rsplit("/", 1)[1]])
        kept = {key: value for key, value in node.items() if key not in notes}
        return {
            key: {name: plain(inner) for name, inner in value.items()} if key == "properties" else plain(value)
            for key, value in kept.items()
        }

    expected = plain(model)
    assert SCHEMA["properties"]["config"] == expected, (
        f"put this under properties.config of {CHART / 'values.schema.json'}:\n{json.dumps(expected, indent=2)}"
    )


@pytest.mark.parametrize(
    ("replicas", "key", "works"), [(1, "", True), (1, "url", True), (2, "url", True), (2, "", False)]
)
def test_more_than_one_replica_needs_postgresql(replicas: int, key: str, works: bool) -> None:
    found = jsonschema.Draft7Validator(SCHEMA).is_valid(DEFAULTS | {"replicas": replicas, "database": {"urlKey": key}})
    assert found is works


def test_secrets_come_from_the_secret_alone() -> None:
    # The database URL has a key of its own, since it also decides whether there is a volume.
    keys = SCHEMA["properties"]["secret"]["properties"]["keys"]["properties"]
    assert set(keys) == SECRETS - {"SIGNOFF_DATABASE_URL"}
    environment = {"type": "array", "items": SCHEMA["properties"]["extraEnv"]["items"]}
    for name in SECRETS | {f"{secret}_FILE" for secret in SECRETS}:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate([{"name": name, "value": "x"}], environment)
    jsonschema.validate([{"name": "SIGNOFF_MODEL", "value": "x"}], environment)


def test_the_chart_installs_the_version_that_the_package_has() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    package = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert chart["appVersion"] == package["version"]

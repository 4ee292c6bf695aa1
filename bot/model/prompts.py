"""Prompts: one folder a task, read, checked and digested before anything is asked.

A folder ``prompts/<task>/`` holds ``task.yaml`` (settings), ``prompt.md`` (the system text), ``schema.json`` (the full
schema of an answer, JSON Schema 2020-12) and ``examples.json`` (what a good answer looks like, checked by that schema).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import SchemaError, ValidationError, best_match

from bot.domain import document
from bot.domain.canonical import canonical, digest

MAX_FILE_BYTES = 256 * 1024
FORMATS = FormatChecker()

_TASK_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["id", "version", "max_output_tokens", "effort"],
    "properties": {
        "id": {"type": "string", "pattern": "^[a-z][a-z0-9-]{0,39}$"},
        "version": {"type": "integer", "minimum": 1},
        # Above about 21,000 the SDK insists on streaming.
        "max_output_tokens": {"type": "integer", "minimum": 256, "maximum": 20000},
        "effort": {"enum": ["low", "medium", "high", "xhigh", "max"]},
    },
}
_EXAMPLES_SCHEMA: Mapping[str, Any] = {
    "type": "array",
    "maxItems": 10,
    "items": {
        "type": "object",
        "additionalProperties": False,
        "required": ["context", "answer"],
        "properties": {"context": {"type": "string", "minLength": 1}, "answer": {"type": "object"}},
    },
}


class PromptError(Exception):
    """A prompt file cannot be used. The message names file, line (where one exists), key, and what is accepted."""


@dataclass(frozen=True, slots=True)
class Example:
    """One worked case: what was seen, and the answer we would have liked."""

    context: str
    answer: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Prompt:
    """One task as the gateway asks it. ``digest`` changes with any byte that reaches the model or judges its answer."""

    id: str
    version: int
    text: str
    schema: Mapping[str, Any]
    examples: tuple[Example, ...]
    max_output_tokens: int
    effort: str
    digest: str
    validator: Draft202012Validator = field(repr=False, compare=False)

    @property
    def system(self) -> str:
        """The system text: the instructions, then the examples."""
        parts = [self.text.strip()]
        for number, example in enumerate(self.examples, start=1):
            answer = json.dumps(example.answer, ensure_ascii=False, indent=1)
            parts.append(
                f'<example number="{number}">\n<data>\n{example.context.strip()}\n</data>\n'
                f"<answer>\n{answer}\n</answer>\n</example>"
            )
        return "\n\n".join(parts)

    def problem(self, answer: Any) -> str | None:
        """Say in one sentence why ``answer`` does not fit the full schema, or return None when it does.

        Only names of the schema and positions are said, never the answer's own text: it may carry anything.
        """
        error = best_match(self.validator.iter_errors(answer))
        return None if error is None else _sentence(error)


def load(folder: Path) -> Mapping[str, Prompt]:
    """Read every prompt in ``folder``, by id. Raises ``PromptError`` at the first file that cannot be used."""
    if not folder.is_dir():
        raise PromptError(f"{folder}: there is no such folder; set SIGNOFF_PROMPTS to a folder of prompts")
    found = {
        child.name: _load_one(child)
        for child in sorted(folder.iterdir())
        if child.is_dir() and not child.name.startswith((".", "_"))
    }
    if not found:
        raise PromptError(f"{folder}: no prompt in it; each is a folder with task.yaml, prompt.md, schema.json")
    return found


def _load_one(folder: Path) -> Prompt:
    task_file = folder / "task.yaml"
    task = _settings(task_file)
    _accept(task_file, Draft202012Validator(_TASK_SCHEMA), task)
    if task["id"] != folder.name:
        raise PromptError(f"{task_file}:{_line(task_file, ('id',))}: id: must be {folder.name!r}, the folder's name")
    prompt_file = folder / "prompt.md"
    text = _read(prompt_file)
    if not text.strip():
        raise PromptError(f"{prompt_file}:1: is empty; it holds the instructions for the model")

    schema_file = folder / "schema.json"
    schema = _parse(schema_file)
    validator = _validator(schema_file, schema)
    examples_file = folder / "examples.json"
    examples = _parse(examples_file)
    _accept(examples_file, Draft202012Validator(_EXAMPLES_SCHEMA), examples)
    for number, example in enumerate(examples):
        _accept(examples_file, validator, example["answer"], (number, "answer"))

    try:
        identity = digest(canonical({"task": task, "text": text, "schema": schema, "examples": examples}))
    except ValueError as error:
        raise PromptError(f"{folder}: holds a value that JSON cannot carry exactly: {error}") from error
    return Prompt(
        id=task["id"],
        version=task["version"],
        text=text,
        schema=schema,
        examples=tuple(Example(example["context"], example["answer"]) for example in examples),
        max_output_tokens=task["max_output_tokens"],
        effort=task["effort"],
        digest=identity,
        validator=validator,
    )


def _read(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise PromptError(f"{file}: cannot be read: {error.strerror}") from error
    if len(data) > MAX_FILE_BYTES:
        raise PromptError(f"{file}: is larger than {MAX_FILE_BYTES:,} bytes")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise PromptError(f"{file}:{line}: is not UTF-8 text") from error


def _settings(file: Path) -> Any:
    found = document.read(_read(file).encode())
    for fault in found.faults:
        raise PromptError(f"{file}:{fault.line}: {fault.sentence}")
    return found.data


def _parse(file: Path) -> Any:
    text = _read(file)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise PromptError(f"{file}:{error.lineno}: is not JSON: {error.msg}") from error
    except (RecursionError, ValueError) as error:
        raise PromptError(f"{file}: cannot be parsed: {type(error).__name__}") from error


def _accept(file: Path, validator: Draft202012Validator, data: Any, at: tuple[str | int, ...] = ()) -> None:
    error = best_match(validator.iter_errors(data))
    if error is not None:
        path = (*at, *error.absolute_path)
        raise PromptError(f"{file}{_colon(_line(file, path))}: {_sentence(error, at)}")


def _validator(file: Path, schema: Any) -> Draft202012Validator:
    if not isinstance(schema, dict):
        raise PromptError(f"{file}:1: must be an object, the JSON schema of an answer")
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        where = _colon(_line(file, tuple(error.absolute_path)))
        raise PromptError(f"{file}{where}: {_sentence(error)}") from error
    for path, sentence in _unsendable(schema, ()):
        raise PromptError(f"{file}{_colon(_line(file, path))}: {_dotted(path)}: {sentence}")
    return Draft202012Validator(schema, format_checker=FORMATS)


def _unsendable(schema: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Find what JSON Schema allows but ``anthropic.transform_schema`` refuses or quietly turns into something else."""
    if not isinstance(schema, dict):
        yield path, "a schema must be an object here, not true or false"
        return
    if isinstance(schema.get("type"), list):
        yield (*path, "type"), "a list of types cannot be sent; write anyOf"
    if not schema.keys() & {"type", "enum", "const", "anyOf", "allOf", "$ref"}:
        yield path, "needs type, enum, const, anyOf, allOf or $ref"
    if schema.get("enum") == []:
        yield (*path, "enum"), "must list at least one value"
    if "oneOf" in schema:
        yield (*path, "oneOf"), "cannot be sent as it is; write anyOf"
    if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
        yield path, "an object must say additionalProperties: false; a map is a list of name and value pairs"
    for key in ("properties", "$defs"):
        for name, child in schema.get(key, {}).items():
            yield from _unsendable(child, (*path, key, name))
    for key in ("anyOf", "allOf"):
        for number, child in enumerate(schema.get(key, ())):
            yield from _unsendable(child, (*path, key, number))
    if "items" in schema:
        yield from _unsendable(schema["items"], (*path, "items"))


def _sentence(error: ValidationError | SchemaError, at: tuple[str | int, ...] = ()) -> str:
    where = _dotted((*at, *error.absolute_path)) or "the whole"
    said: Any = error.validator_value
    match error.validator:
        case "required":
            missing = [name for name in said if isinstance(error.instance, dict) and name not in error.instance]
            return f"{where}: {', '.join(missing)} is missing"
        case "additionalProperties":
            known = ", ".join(error.schema.get("properties", {})) if isinstance(error.schema, dict) else ""
            return f"{where}: has a key that is not known; accepted: {known}"
        case "enum":
            return f"{where}: must be one of {', '.join(map(str, said))}"
        case "type":
            return f"{where}: must be of type {said}"
        case "anyOf" | "oneOf":
            return f"{where}: fits none of the {len(said)} accepted forms"
        case _:
            return f"{where}: must satisfy {error.validator} {json.dumps(said)[:120]}"


def _dotted(path: Sequence[str | int]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


def _colon(line: int | None) -> str:
    return "" if line is None else f":{line}"


def _line(file: Path, path: Sequence[str | int]) -> int | None:
    """Find the line of the value at ``path``, or of the last ancestor that is there. YAML's parser reads JSON too."""
    try:
        node = yaml.compose(_read(file), Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return None
    for part in path:
        children: list[tuple[Any, Any]] = []
        if isinstance(node, yaml.MappingNode):
            children = [(key.value, value) for key, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            children = list(enumerate(node.value))
        below = next((value for key, value in children if key == part), None)
        if below is None:
            break
        node = below
    return None if node is None else int(node.start_mark.line) + 1

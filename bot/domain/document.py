"""A YAML file as plain JSON data that knows the line of every key.

Only what JSON can say is accepted: no anchors or aliases (a few lines of them expand to gigabytes), no tags, no
duplicate keys. Scalars resolve as in YAML 1.2's core schema, so ``no`` and ``2026-11-21`` stay text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

MAX_BYTES = 64 * 1024
MAX_DEPTH = 20

Key = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at a line (from 1) and key of a document."""

    line: int
    key: Key
    sentence: str


@dataclass(frozen=True, slots=True)
class Document:
    """Parsed data, the line of every key, and what was wrong. With faults, ``data`` may be partial or None."""

    data: Any
    lines: Mapping[Key, int]
    faults: tuple[Fault, ...]

    def line(self, key: Key) -> int:
        """Return the line of ``key``, or of the nearest key around it."""
        while key and key not in self.lines:
            key = key[:-1]
        return self.lines.get(key, 1)


def _resolving(loader: Any) -> Any:
    """Return ``loader`` as one that resolves null, booleans and decimal numbers of a sane length only; everything else
    is text."""
    resolving: Any = type(loader.__name__, (loader,), {"yaml_implicit_resolvers": {}})
    for tag, pattern, first in (
        ("null", r"(?:~|null|Null|NULL|)", ["~", "n", "N", ""]),
        ("bool", r"(?:true|True|TRUE|false|False|FALSE)", list("tTfF")),
        ("int", r"[-+]?(?:0|[1-9][0-9]{0,17})", list("-+0123456789")),
        ("float", r"[-+]?[0-9]{1,17}\.[0-9]{1,17}", list("-+0123456789")),
    ):
        resolving.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(rf"\A{pattern}\Z"), first)
    return resolving


_PLAIN = _resolving(yaml.SafeLoader)
# libyaml, which PyYAML's wheels have with them, is ten times as fast, and a start reads some thirty files.
_FAST = _resolving(yaml.CSafeLoader) if yaml.__with_libyaml__ else _PLAIN


def read(raw: bytes) -> Document:
    """Parse ``raw``. Never raises on bad input: what is wrong is in ``faults``."""
    if len(raw) > MAX_BYTES:
        return _broken(1, f"the file has {len(raw):,} bytes; at most {MAX_BYTES:,} are accepted")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return _broken(line, "the file is not UTF-8; save it as UTF-8 text")
    try:
        return _parsed(text, _FAST)
    except yaml.YAMLError:
        pass  # libyaml is right, but PyYAML's own parser says better what is wrong
    try:
        return _parsed(text, _PLAIN)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        return _broken(mark.line + 1 if mark else 1, f"not YAML: {error.problem or error.context}")
    except yaml.YAMLError as error:
        return _broken(1, f"not YAML: {str(error).splitlines()[0]}")


def _parsed(text: str, loader: Any) -> Document:
    faults = tuple(_forbidden(text, loader))
    if faults:
        return Document(None, {}, faults)
    node = yaml.compose(text, Loader=loader)
    if node is None:
        return _broken(1, "the file is empty")
    builder = _Builder()
    data = builder.build(node, ())
    return Document(data, builder.lines, tuple(builder.faults))


def _broken(line: int, sentence: str) -> Document:
    return Document(None, {}, (Fault(line, (), sentence),))


def _forbidden(text: str, loader: Any) -> Iterator[Fault]:
    """Find what JSON cannot say by scanning events, which neither expands aliases nor recurses."""
    depth = documents = 0
    for event in yaml.parse(text, Loader=loader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent):
            yield Fault(line, (), f"*{event.anchor} is an alias; write the value out, aliases are not accepted")
        if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent):
            if event.anchor:
                yield Fault(line, (), f"&{event.anchor} is an anchor; remove it, anchors are not accepted")
            if event.tag:
                yield Fault(line, (), f"the tag {event.tag} is not accepted; remove it")
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents == 2:
                yield Fault(line, (), "a second document begins here; a file holds one")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            yield Fault(line, (), f"nested deeper than {MAX_DEPTH} levels")
            return


class _Builder:
    """Turns nodes into data, noting lines and faults; the depth is bounded before."""

    def __init__(self) -> None:
        self.lines: dict[Key, int] = {}
        self.faults: list[Fault] = []

    def build(self, node: yaml.Node, key: Key) -> Any:
        self.lines.setdefault(key, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, key)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*key, index)) for index, item in enumerate(node.value)]
        return _scalar(node) if isinstance(node, yaml.ScalarNode) else None

    def _mapping(self, node: yaml.MappingNode, key: Key) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for name_node, value_node in node.value:
            line = name_node.start_mark.line + 1
            if not isinstance(name_node, yaml.ScalarNode) or not name_node.tag.endswith(":str"):
                self.faults.append(Fault(line, key, "a key must be text; put it in quotes"))
                continue
            name = name_node.value
            if name in data:
                first = self.lines[(*key, name)]
                self.faults.append(
                    Fault(line, (*key, name), f"{name} is given twice (first in line {first}); keep one")
                )
                continue
            self.lines[(*key, name)] = line
            data[name] = self.build(value_node, (*key, name))
        return data


def _scalar(node: yaml.ScalarNode) -> Any:
    kind = node.tag.rpartition(":")[2]
    text: str = node.value
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    if kind == "int":
        return int(text)
    if kind == "float":
        return float(text)
    return text

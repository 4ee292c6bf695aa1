"""What a plan is for and about, in names: its matter, its targets, its parameters. A card has each in full or offers no
approval.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from os.path import commonprefix
from typing import Any

from bot.chat.mrkdwn import exact, name, plain
from bot.chat.plan_record import Record, many, one

# With the change these leave room for all else within Slack's limit for one message.
PARAMETERS_TEXT = 2_000
TARGETS_TEXT = 2_000
"""How many characters of names a card has room for."""

# As kubectl rollout undo --to-revision has it.
_PREVIOUS = " (the one before)"
_PLAIN_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")


def matter_name(record: Record) -> str:
    """Return what people call what a plan is for: an incident, or a failed CI run."""
    return plain(str(one(record, "matter").get("name") or ""), 200) or "no incident"


def object_name(record: Record) -> str:
    """Name the one target, or say how many there are."""
    targets = many(record, "targets")
    return _place(targets[0]) if len(targets) == 1 else f"{len(targets)} objects"


def _place(target: Mapping[str, Any]) -> str:
    return "/".join(name(str(target[key])) for key in ("namespace", "name") if target.get(key))


def target_texts(record: Record) -> list[str]:
    """Name each target in full; or, where those are too long together, by kind, namespace and name alone."""
    texts = [
        f"{_kind(target)} {_place(target)} ({name(str(target.get('apiVersion', '')))}, "
        f"uid {name(str(target.get('uid', '')))})"
        for target in many(record, "targets")
    ]
    return texts if sum(len(text) for text in texts) <= TARGETS_TEXT else list(_compact(many(record, "targets")))


def _compact(targets: Sequence[Record]) -> Iterator[str]:
    """Name targets as a shell does, ``Pod shop/web-{a,b}``: what the names of one place begin with is said once."""
    of: dict[tuple[str, str], list[str]] = {}
    for target in targets:
        namespace = str(target.get("namespace") or "")
        of.setdefault((_kind(target), f"{name(namespace)}/" if namespace else ""), []).append(
            str(target.get("name", ""))
        )
    for (kind, place), names in of.items():
        begins = commonprefix(names)  # noqa: RUF071 (these are names, not paths)
        begins = begins[: begins.rfind("-") + 1]
        # Only names without any sign of this notation can be read back from it.
        if len(names) > 1 and all(_PLAIN_NAME.fullmatch(each) for each in names):
            yield f"{kind} {place}{begins}{{{','.join(each.removeprefix(begins) for each in names)}}}"
        else:
            yield from (f"{kind} {place}{name(each)}" for each in names)


def _kind(target: Record) -> str:
    return name(str(target.get("kind", "object")))


def parameter_texts(record: Record) -> list[str]:
    """Return each parameter with its value, in the order of their names."""
    return [
        f"{name(str(key))} = {exact(value)}" + _PREVIOUS * (key == "revision" and value == 0 and value is not False)
        for key, value in sorted(one(record, "parameters").items())
    ]

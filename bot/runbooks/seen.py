"""What was seen of a target when a plan was made: the compared fields in a form that may be kept and shown.

Whether anything has changed is judged by the hashes of the exact values in the plan. This only says what: every value
is redacted first (a secret is a keyed hash), and what is long is cut and told apart by a hash of what was redacted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from bot.domain.canonical import digest
from bot.domain.plan import Plan
from bot.runbooks import diff
from bot.runbooks.access import Access, AccessFailed
from bot.runbooks.actions import ACTIONS
from bot.runbooks.execute import Drift, read, target_of

Json = Mapping[str, Any]
Seen = Mapping[str, str]

MAX_VALUE = 160
"""Characters of one value."""
MAX_FIELDS = 500
"""Fields of one call; a pod template of five containers has some two hundred."""
MAX_KEPT = 128 * 1024
"""Characters of all fields of a plan together."""
MAX_LINES = 12
MAX_SHOWN = 1_500
"""Lines and characters of what moved that a card has beside the change itself."""
_READ = 6
"""Fields that are said of one call."""
_ABSENT = "not there"
_CUT = "…"
"""The path under which it is noted that more fields were seen than are kept."""
_KEY = "#"
"""The path under which it is noted what the key in use makes of one and the same secret."""
_HASHED = re.compile(r"\[([a-z][a-z0-9-]*):[0-9a-f]+\]")


def of(fields: Json, arguments: Json, redact: Callable[[Any], Any]) -> dict[str, str]:
    """Return the fields of an action, each in one line under its path, as far as they are kept."""
    values = _values(fields, arguments, redact)
    kept = dict(list(values.items())[:MAX_FIELDS]) | {_KEY: _key(redact)}
    return kept if len(values) <= MAX_FIELDS else {**kept, _CUT: ""}


async def look(plan: Plan, ordinal: int, access: Access, redact: Callable[[Any], Any]) -> str:
    """Say how what call ``ordinal`` was to change reads now, for the person who has to judge. A taking-back changes
    what the call changed that it takes back; where no change is shown, the fields of the action are said, redacted."""
    target, call = target_of(plan, ordinal), plan.calls[ordinal]
    try:
        live = await read(plan, ordinal, access)
    except AccessFailed as failure:
        return f"{target} cannot be read: {failure.sentence}"
    if live is None:
        return f"{target} is not there."
    shown = {each["call"]: each["diff"] for each in plan.record["dry_run"]}
    now = diff.reads(shown.get(ordinal) or shown.get(call["undoes"], ""), diff.normalise(live))
    if not now:
        values = _values(ACTIONS[call["action"]].fields(live, call["with"]), call["with"], redact)
        now = "; ".join(f"{path}: {value}" for path, value in list(values.items())[:_READ])
    return f"{target} reads {now}." if now else f"{target} is there."


def together(calls: Iterable[Seen]) -> tuple[Seen, ...]:
    """Return what is kept of each call of a plan, the first ones first where not all of it can be."""
    kept: list[Seen] = []
    room = MAX_KEPT
    for each in calls:
        room -= sum(len(path) + len(value) for path, value in each.items())
        kept.append(each if room >= 0 else {})
    return tuple(kept)


def moved(plan: Plan, kept: Sequence[Seen], drifted: Iterable[Drift], redact: Callable[[Any], Any]) -> str:
    """Say, a line a field, what it was when the plan was made and what it is now; "" if nothing of that is known."""
    lines: list[str] = []
    for drift in drifted:
        before: Seen = kept[drift.ordinal] if drift.now is not None and drift.ordinal < len(kept) else {}
        if drift.now is None or not before:
            continue
        now: Seen = _values(drift.now, plan.calls[drift.ordinal]["with"], redact)
        if before.get(_KEY) != _key(redact):
            # Under another key every secret reads as another one.
            before, now = _unhashed(before), _unhashed(now)
        # What is not kept may have been there.
        known = (before.keys() if _CUT in before else before.keys() | now.keys()) - {_CUT, _KEY}
        changed = [path for path in {**before, **now} if path in known and before.get(path) != now.get(path)]
        where = f"{target_of(plan, drift.ordinal)} " if len(plan.targets) > 1 else ""
        lines += (f"{where}{path}: was {before.get(path, _ABSENT)}, is {now.get(path, _ABSENT)}" for path in changed)
        if not changed:
            lines.append(f"{where}what changed is kept secret, or longer than what is kept of it")
    return _fitting(lines)


def _values(fields: Json, arguments: Json, redact: Callable[[Any], Any]) -> dict[str, str]:
    # Of one key's value, the key says whether it is a secret.
    named = {**fields, "name": str(arguments["key"])} if "key" in arguments else fields
    try:
        values = diff.values(redact(named))
    except diff.TooLarge:
        return {}
    # Absent and null are the same, as they are to the hash.
    return {path: _short(value) for path, value in values.items() if value != "null"}


def _unhashed(values: Seen) -> dict[str, str]:
    return {path: _HASHED.sub(r"[\1]", value) for path, value in values.items()}


def _key(redact: Callable[[Any], Any]) -> str:
    return str(redact({"password": "which key is it"})["password"])


def _short(value: str) -> str:
    if len(value) <= MAX_VALUE:
        return value
    return f"{value[:MAX_VALUE]}… ({len(value)} characters, {digest(value.encode())[:8]})"


def _fitting(lines: Sequence[str]) -> str:
    shown: list[str] = []
    room = MAX_SHOWN
    for line in lines[:MAX_LINES]:
        room -= len(line) + 1
        if room < 0:
            break
        shown.append(line)
    left = len(lines) - len(shown)
    return "\n".join([*shown, f"and {left} more"] if left else shown)

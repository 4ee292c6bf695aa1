"""What a risk rule is: a pattern for a changed line, how much is at stake, and the sentence that says why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

WIDTH: Final = 1000
"""Characters of a line that are read for its risks."""

Severity = Literal["critical", "high", "medium", "low"]
"""``critical``: data can be lost, or an attacker let in; ``high``: a safety net is gone, or an outage is near;
``medium``: it runs, or may do, something else than before; ``low``: worth a glance."""
SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low")


@dataclass(frozen=True, slots=True)
class Added:
    """A line that was added. ``pattern`` is searched in it (RE2 syntax).

    Where they are given: ``within`` must be found in the nearest line that encloses it, ``inside`` in it or in any that
    does, ``beyond`` in none that does, and ``unless`` nowhere in the statement that begins with it.
    """

    id: str
    severity: Severity
    pattern: str
    message: str
    within: str | None = None
    inside: str | None = None
    beyond: str | None = None
    unless: str | None = None


@dataclass(frozen=True, slots=True)
class Gone:
    """A line that was removed, and what ``pattern`` finds (RE2 syntax; its group, where it has one) did not come back.

    Where they are given: ``within`` must be found in the nearest line that encloses it, and that line must have
    stayed; ``through`` must be found in all lines that enclose it and went with it; ``beyond`` in none that encloses
    what came back.
    """

    id: str
    severity: Severity
    pattern: str
    message: str
    within: str | None = None
    through: str | None = None
    beyond: str | None = None


@dataclass(frozen=True, slots=True)
class Touched:
    """A line that was added or removed, no matter which. ``pattern`` is searched in it (RE2 syntax)."""

    id: str
    severity: Severity
    pattern: str
    message: str


@dataclass(frozen=True, slots=True)
class Changed:
    """A value that was replaced by another one of the same hunk: ``pattern`` (RE2 syntax) finds the key as its first
    group and the value as its second, and ``worse(old, new)`` decides. ``message`` may name ``{key}``, and never the
    values: they are a stranger's text."""

    id: str
    severity: Severity
    pattern: str
    message: str
    worse: Callable[[str, str], bool]


Rule = Added | Gone | Touched | Changed


@dataclass(frozen=True, slots=True)
class Risk:
    """What a rule found: at a line of the old file (``-``) or of the new one (``+``). Line 0 is the file itself."""

    rule: str
    severity: Severity
    message: str
    sign: Literal["+", "-"]
    line: int

"""How much a changed line tells an operator: what is at stake on it, how much it says, and in what kind of file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from bot.condense.diff.classify import Kind
from bot.condense.diff.patch import Line
from bot.condense.risk.rule import SEVERITIES, Risk, Severity

LEVELS: Final[Mapping[Severity, int]] = {severity: len(SEVERITIES) - at for at, severity in enumerate(SEVERITIES)}
"""Severities as numbers: 4 is critical, 1 is low; 0 is a line that no rule knows."""

_AT_STAKE: Final = (1.0, 4.0, 10.0, 30.0, 100.0)
_KIND: Final[Mapping[Kind, float]] = {
    "source": 1.0, "test": 0.4, "docs": 0.25, "lock": 0.1, "vendored": 0.1, "generated": 0.1,
}  # fmt: skip
_REMOVED: Final = 1.15
_WIDE: Final = 240
_SAYS_LITTLE = re.compile(
    r"[\W_]*(?:else|end|fi|done|try|then|do|pass|return|break|import [\w.]+|from [\w.]+ import .*)?[\W_]*"
    r"|\s*(?:#|//|/\*|\*|--|;|<!--).*"
)
_SAYS_MUCH = re.compile(
    r"\s*(?:-\s)?(?:async def|def|class|func|function|fn|type|interface|resource|module|data|kind|name|export|public|"
    r"pub|if|elif|for|while|return|raise|throw|RUN|COPY|CMD|run)\b"
)


@dataclass(frozen=True, slots=True)
class Stakes:
    """The most severe risk found on each line of a file, by sign and number, as a level of ``LEVELS``."""

    levels: Mapping[tuple[Literal["+", "-"], int], int]

    @classmethod
    def of(cls, risks: Iterable[Risk]) -> Stakes:
        """Return the stakes that ``risks`` of one file describe."""
        levels: dict[tuple[Literal["+", "-"], int], int] = {}
        for risk in risks:
            at = risk.sign, risk.line
            levels[at] = max(levels.get(at, 0), LEVELS[risk.severity])
        return cls(levels)

    def level(self, line: Line) -> int:
        """Return the level of a line; 0 for context."""
        if line.sign == " ":
            return 0
        return self.levels.get((line.sign, line.new or line.old or 0), 0)


def worth(line: Line, level: int, kind: Kind) -> float:
    """Return how much a changed line tells, from about 0.02 to 115."""
    value = _AT_STAKE[level]
    text = line.text[:_WIDE]
    if level == 0 and _SAYS_LITTLE.fullmatch(text):
        value = 0.2
    elif _SAYS_MUCH.match(text):
        value *= 1.5
    if line.sign == "-":
        value *= _REMOVED
    if len(line.text) > _WIDE:
        value *= 0.5
    return value * _KIND[kind]

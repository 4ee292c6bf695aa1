"""A change that reached the default branch or an environment: what later incidents may come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class PathRisk:
    """What a risk rule tells of a file."""

    path: str
    rule: str
    severity: Literal["critical", "high", "medium", "low"]
    message: str


@dataclass(frozen=True, slots=True)
class Change:
    """A merged pull request (``number``), a push, or a deployment (``environment``). ``at`` is in microseconds.

    ``paths`` are files it touches (a bounded sample), ``risks`` what its diff puts at stake; ``before`` is the commit
    that a push of several, or what an environment ran before, is compared with. All text is a stranger's.
    """

    id: str
    kind: Literal["merge", "push", "deploy"]
    repository: str
    number: int
    sha: str
    title: str
    author: str
    url: str
    environment: str
    paths: tuple[str, ...]
    risks: tuple[PathRisk, ...]
    at: int
    before: str = ""

    @property
    def name(self) -> str:
        """What people call it."""
        return f"{self.repository}#{self.number}" if self.number else f"{self.repository}@{self.sha[:7]}"

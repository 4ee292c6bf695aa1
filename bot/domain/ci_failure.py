"""Why a CI run failed: the first real error with its lines, what it likely comes from, and whether it is flaky."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from bot.domain.log_summary import Cited

Kind = Literal[
    "test", "compile", "types", "lint", "crash", "out-of-memory", "disk", "timeout", "network", "permission",
    "dependency", "configuration", "runner", "unknown",
]  # fmt: skip
Flaky = Literal["likely", "unlikely", "unknown"]
Confidence = Literal["high", "medium", "low"]


@dataclass(frozen=True, slots=True)
class Sighting:
    """Where the same error was seen: a commit, the pull request it belonged to, or the default branch (None).

    ``since``: the default branch fails so still, from this time on, in microseconds.
    """

    sha: str
    pull_request: int | None
    since: int | None = None


@dataclass(frozen=True, slots=True)
class CiFailure:
    """One failure, of one or several jobs. ``cited`` are lines of the first job's log, the first real error first;
    ``path`` and ``line`` are the place in the diff that it points to (empty and None without one).

    ``signature`` is equal for equal errors, whatever their numbers, times and folders; it is empty where no log was
    read, or where it says nothing that could be compared. ``analyst`` is ``rules`` or the model's name, ``note`` says
    why the rules answered, and ``dropped`` counts what did not verify, by reason.
    """

    jobs: tuple[str, ...]
    step: str
    kind: Kind
    what: str
    cited: tuple[Cited, ...]
    cause: str
    confidence: Confidence
    path: str
    line: int | None
    flaky: Flaky
    flaky_why: str
    signature: str
    analyst: str = "rules"
    note: str = ""
    dropped: Mapping[str, int] = field(default_factory=dict)

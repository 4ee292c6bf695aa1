"""A CI run that failed, as GitHub tells of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CiRun:
    """One attempt of a workflow run (or another ``app``'s suite of checks, which has no logs here)."""

    id: str
    repository: str
    run_id: int
    attempt: int
    name: str
    app: str
    head_sha: str
    branch: str
    conclusion: str
    url: str
    pulls: tuple[int, ...]
    on_default: bool
    at: int

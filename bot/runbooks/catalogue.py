"""The catalogue: every runbook of a folder, typed, and one digest over all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.domain.canonical import canonical, digest
from bot.domain.runbook import ApprovalNeeds, Check, Runbook, Step, Verification
from bot.runbooks.lint import Problem, read


class RunbookError(Exception):
    """The folder has problems; nothing of it is loaded. ``problems`` names all of them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The runbooks by id. ``digest`` changes with any of them."""

    runbooks: Mapping[str, Runbook]
    digest: str


def load(folder: Path) -> Catalogue:
    """Load every runbook of ``folder``. Raises ``RunbookError`` if any has a problem."""
    problems, sound = read(folder)
    if problems:
        raise RunbookError(problems)
    runbooks = {data["id"]: _runbook(path, data) for path, data in sorted(sound.items())}
    whole = {name: runbook.digest for name, runbook in runbooks.items()}
    return Catalogue(runbooks, digest(canonical(whole)))


def _runbook(path: Path, data: Mapping[str, Any]) -> Runbook:
    verification = data["verification"]
    return Runbook(
        id=data["id"],
        version=data["version"],
        title=data["title"],
        description=data["description"],
        risk=data["risk"],
        parameters=data["parameters"],
        target=data["target"],
        preconditions=tuple(Check(each["check"], {}) for each in data["preconditions"]),
        steps=tuple(
            Step(step["id"], step["action"], step.get("with", {}), step["timeout_seconds"]) for step in data["steps"]
        ),
        verification=Verification(
            Check(verification["check"], {}), verification["deadline_seconds"], verification["stable_seconds"]
        ),
        rollback=data["rollback"],
        approval=ApprovalNeeds(
            data["approval"]["quorum"],
            data["approval"]["ttl_seconds"],
            data["approval"].get("groups", {}),
            data["approval"].get("requester_may_approve", False),
        ),
        digest=digest(canonical(data)),
        path=str(path),
    )

"""The catalogue: every runbook of a folder, typed, and one digest over all of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.domain.canonical import canonical, digest
from bot.domain.policy import Window
from bot.domain.runbook import ApprovalNeeds, Check, Reach, Rollback, Runbook, Step, Undo, Verification, Where
from bot.runbooks.actions import ACTIONS
from bot.runbooks.lint import Problem, read, seconds
from bot.runbooks.resources import KINDS


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


def load(folder: Path, groups: Collection[str] | None = None) -> Catalogue:
    """Load every runbook of ``folder``. Raises ``RunbookError`` if any has a problem, also that it asks for a group of
    people that is none of ``groups``, if those are given."""
    problems, sound = read(folder, groups)
    if problems:
        raise RunbookError(problems)
    runbooks = {data["id"]: _runbook(path, data) for path, data in sorted(sound.items())}
    whole = {name: runbook.digest for name, runbook in runbooks.items()}
    return Catalogue(runbooks, digest(canonical(whole)))


def _runbook(path: Path, data: Mapping[str, Any]) -> Runbook:
    verification, rollback, approval = data["verification"], data["rollback"], data["approval"]
    return Runbook(
        id=data["id"],
        version=data["version"],
        title=data["title"],
        description=data["description"],
        risk=data["risk"],
        parameters=data["parameters"],
        target=_where(data["target"]),
        preconditions=_checks(data["preconditions"]),
        steps=tuple(_step(step, data["target"].get("namespaces", ())) for step in data["steps"]),
        verification=Verification(
            check=Check(verification["check"], {}),
            deadline_seconds=verification["deadline_seconds"],
            stable_seconds=verification["stable_seconds"],
            on_failure=verification.get("on_failure", "stop"),
        ),
        rollback=Rollback(rollback) if isinstance(rollback, str) else Rollback(rollback["note"], rollback["approval"]),
        approval=ApprovalNeeds(
            quorum=approval["quorum"],
            ttl_seconds=approval["ttl_seconds"],
            groups=approval.get("groups", {}),
            requester_may_approve=approval.get("requester_may_approve", False),
            break_glass=approval.get("break_glass", True),
        ),
        digest=digest(canonical(data)),
        path=str(path),
        owner=data.get("owner", ""),
        owned=data.get("owned", "refuse"),
        windows=tuple(_window(each) for each in data.get("windows", ())),
        lock=data.get("lock", ""),
        per_hour=data.get("limits", {}).get("per_hour", 0),
        run_seconds=data.get("limits", {}).get("run_seconds", 0),
    )


def _where(data: Mapping[str, Any], within: Sequence[str] = ()) -> Where:
    resource = KINDS[data["kind"]]
    within = within if resource.in_kubernetes and resource.namespaced and "on_node" not in data else ()
    reach = {key: data[key] for key in ("max_targets", "max_percent", "batch", "max_errors") if key in data}
    return Where(
        kind=data["kind"],
        namespace=data.get("namespace", ""),
        name=data.get("name", ""),
        selector=data.get("selector", {}),
        on_node=data.get("on_node", ""),
        reach=Reach(**reach),
        namespaces=tuple(data.get("namespaces", within)),
    )


def _window(data: Mapping[str, Any]) -> Window:
    return Window(data["kind"], data["cron"], seconds(data["duration"]), data["time_zone"], why=data.get("why", ""))


def _checks(data: Sequence[Mapping[str, Any]]) -> tuple[Check, ...]:
    return tuple(Check(each["check"], each.get("with", {})) for each in data)


def _step(data: Mapping[str, Any], namespaces: Sequence[str]) -> Step:
    decides = data.get("if") or data.get("unless")
    undo = data.get("undo")
    return Step(
        id=data["id"],
        action=data["action"],
        arguments=data.get("with", {}),
        timeout_seconds=data["timeout_seconds"],
        where=_where(data["target"], namespaces) if "target" in data else None,
        preconditions=_checks(data.get("preconditions", ())),
        condition=Check(decides["check"], decides.get("with", {})) if decides else None,
        negated="unless" in data,
        idempotency=data.get("idempotency", ACTIONS[data["action"]].idempotency),
        retries=data.get("retries", 0),
        on_failure=data.get("on_failure", "stop"),
        undo=Undo(undo["action"], undo.get("with", {})) if undo else None,
    )

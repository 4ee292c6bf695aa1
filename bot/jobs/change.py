"""A change's story: what a merge, push or deployment touches and puts at stake, read while it is young."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection

from bot.clients.github import GitHubError
from bot.clients.github_repository import GitHubRepository
from bot.condense.diff.parse import from_listing
from bot.condense.risk.assess import assess
from bot.domain.change import Change, PathRisk
from bot.jobs.asking_github import asked
from bot.jobs.engine import Steps, Story
from bot.jobs.world import CodeAccess, World
from bot.store import changes, work

KIND = "change"
VERSION = 1

RISKS_KEPT = 20
_TOLD = ("critical", "high", "medium")


def story(world: World, code: CodeAccess) -> Story:
    """Return the story of one change."""

    async def change(steps: Steps, row_id: str, generation: int) -> None:
        describing = steps("describe", partial(_describe, world, code, row_id))
        if await asked(world, KIND, row_id, generation, describing):
            await steps("finish", world.database.write, partial(_finish, row_id, generation))

    return change


async def _describe(world: World, code: CodeAccess, row_id: str) -> int:
    found = await world.database.read(lambda connection: changes.get(connection, row_id))
    if not code.listens_to(found.repository):
        return 0
    listed = await _files(GitHubRepository(code.github, found.repository), found)
    read = (str(entry["filename"]) for entry in listed if isinstance(entry.get("filename"), str))
    paths = list(dict.fromkeys((*read, *found.paths)))
    risks = await asyncio.to_thread(_risks, listed)
    keep = partial(changes.describe, row_id=row_id, paths=paths, risks=risks)
    await world.database.write(keep)
    return len(paths)


async def _files(repository: GitHubRepository, change: Change) -> list[Any]:
    if change.kind == "merge":
        return await repository.files(change.number)
    files = (await _told(repository, change)).get("files")
    return [entry for entry in files if isinstance(entry, dict)] if isinstance(files, list) else []


async def _told(repository: GitHubRepository, change: Change) -> Mapping[str, Any]:
    """Read all commits of a push or a deployment together, or one commit. A deployment of what is older takes away what
    came since."""
    if change.before and change.before != change.sha:
        try:
            found = await repository.compare(change.before, change.sha)
            if found.get("status") == "behind":
                found = await repository.compare(change.sha, change.before)
            return found
        except GitHubError as error:
            # After a forced push what was there before may be gone.
            if error.status not in (404, 422):
                raise
    return await repository.commit(change.sha)


def _risks(listed: Sequence[Any]) -> list[PathRisk]:
    found = [
        PathRisk(file.path, risk.rule, risk.severity, risk.message)
        for file in from_listing(listed).files
        for risk in assess(file)
        if risk.severity in _TOLD
    ]
    return sorted(found, key=lambda risk: _TOLD.index(risk.severity))[:RISKS_KEPT]


def _finish(row_id: str, generation: int, connection: Connection) -> None:
    work.done(connection, KIND, row_id, generation)

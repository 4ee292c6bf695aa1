"""A pull request as it is at one head commit: what GitHub tells of it one after the other, only where it belongs
together."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bot.clients.github_repository import GitHubRepository
from bot.condense.diff.parse import from_listing, parse
from bot.condense.diff.patch import Patch

TRIES: Final = 3
"""How often a pull request that is pushed to while it is read is read again."""


class HeadMoves(Exception):
    """A pull request is pushed to faster than it can be read: it is to be read later."""


@dataclass(frozen=True, slots=True)
class AtHead:
    """A pull request as GitHub tells it (``told``), its commits, its files as ``listed``, and its diff. ``notes`` say
    what of the diff is missing."""

    told: Mapping[str, Any]
    commits: Sequence[Mapping[str, Any]]
    listed: Sequence[Mapping[str, Any]]
    patch: Patch
    notes: tuple[str, ...]


async def at_one_head(repository: GitHubRepository, told: Mapping[str, Any]) -> AtHead:
    """Read all of a pull request, of which ``told`` was just read. Raises ``HeadMoves`` after three tries.

    GitHub lists files and commits as they are at the moment, not at a commit: after a push in between, a finding would
    be said about one head and stand on a line of another.
    """
    number = int(told["number"])
    for _ in range(TRIES):
        listed, commits = await asyncio.gather(repository.files(number), repository.commits(number))
        patch, notes = await _patch(repository, number, listed)
        now = await repository.pull(number)
        if _compared(now) == _compared(told):
            return AtHead(told, commits, listed, patch, notes)
        told = now
    raise HeadMoves(f"{repository.name}#{number} is pushed to faster than it can be read")


def _compared(told: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return what the diff depends on: the head, and the branch it is compared with."""
    return (told.get("head") or {}).get("sha"), (told.get("base") or {}).get("ref")


async def _patch(
    repository: GitHubRepository, number: int, listed: Sequence[Mapping[str, Any]]
) -> tuple[Patch, tuple[str, ...]]:
    """Return the diff: as the files are listed, or, where patches are missing from that, as a whole."""
    missing = [entry for entry in listed if not entry.get("patch") and int(entry.get("changes") or 0)]
    if not missing:
        return from_listing(listed), ()
    whole = await repository.diff(number)
    if whole is not None:
        return await asyncio.to_thread(parse, whole), ()
    count = len(missing)
    files = "1 file" if count == 1 else f"{count} files"
    return from_listing(listed), (f"GitHub shows no diff of {files}, and makes none of a pull request this large.",)

"""A repository on GitHub as approved actions change it: runs, dispatches, issues, comments, and a revert as a branch.

Sources: docs.github.com/rest (actions, issues, git, pulls). Its credential is another than the one that reviews.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from bot.clients.github import GitHubError, Json
from bot.clients.github_repository import GitHubRepository

MAX_ISSUES = 100


class ActingRepository(GitHubRepository):
    """One repository, seen through the credential that acts."""

    async def rerun_failed(self, run: int) -> None:
        """Start the failed jobs of a run again."""
        await self.github.write("POST", self.name, f"/actions/runs/{run}/rerun-failed-jobs", {}, content=False)

    async def workflow(self, file: str) -> Json:
        """Read a workflow by the name of its file."""
        return await self.github.get(self.name, f"/actions/workflows/{_part(file)}")

    async def last_dispatch(self, file: str, actor: str) -> Json:
        """Read the newest run of a workflow that ``actor`` dispatched, empty if there is none."""
        query = {"event": "workflow_dispatch", "actor": actor}
        path = f"/actions/workflows/{_part(file)}/runs"
        found = await self.github.pages(self.name, path, query, limit=1, under="workflow_runs")
        return found[0] if found else {}

    async def content_sha(self, path: str, ref: str) -> str:
        """Read which file is at a path at a ref, by its sha; empty if there is none."""
        try:
            found = await self.github.get(self.name, f"/contents/{quote(path)}", {"ref": ref})
        except GitHubError as error:
            if error.status == 404:
                return ""
            raise
        return str(found.get("sha", ""))

    async def dispatch(self, file: str, ref: str, inputs: Mapping[str, str]) -> None:
        """Start a workflow at a branch or tag."""
        body: Json = {"ref": ref, "inputs": dict(inputs)}
        await self.github.write("POST", self.name, f"/actions/workflows/{_part(file)}/dispatches", body, content=False)

    async def issue(self, number: int) -> Json:
        """Read an issue; a pull request is one too."""
        return await self.github.get(self.name, f"/issues/{number}")

    async def issues_of(self, creator: str) -> list[Json]:
        """Read the newest issues that somebody opened, closed ones too."""
        query = {"state": "all", "creator": creator}
        return await self.github.pages(self.name, "/issues", query, limit=MAX_ISSUES)

    async def open_issue(self, title: str, body: str, labels: Sequence[str]) -> Json:
        """Open an issue."""
        asked: Json = {"title": title, "body": body, "labels": list(labels)}
        return await self.github.write("POST", self.name, "/issues", asked)

    async def head_of(self, branch: str) -> str:
        """Read the commit that a branch shows, empty if there is no such branch."""
        try:
            found = await self.github.get(self.name, f"/git/ref/heads/{quote(branch)}")
        except GitHubError as error:
            if error.status == 404:
                return ""
            raise
        return str((found.get("object") or {}).get("sha", ""))

    async def parents(self, commit: str) -> list[str]:
        """Read the parents of a commit."""
        found = await self.github.get(self.name, f"/git/commits/{_part(commit)}")
        return [str(parent["sha"]) for parent in found.get("parents") or []]

    async def tree(self, commit: str) -> dict[str, Json] | None:
        """Read all files of a commit, each with mode, type and sha, by path; None where GitHub cuts the list off."""
        found = await self.github.get(self.name, f"/git/trees/{_part(commit)}", {"recursive": "1"})
        if found.get("truncated"):
            return None
        listed = found.get("tree") or []
        return {
            str(entry["path"]): {key: str(entry[key]) for key in ("mode", "type", "sha")}
            for entry in listed
            if entry.get("type") != "tree"
        }

    async def blob(self, sha: str, *, limit_bytes: int) -> bytes | None:
        """Read a file's content by its sha, None where it is larger than ``limit_bytes``."""
        found = await self.github.get(self.name, f"/git/blobs/{_part(sha)}")
        if int(found.get("size") or 0) > limit_bytes:
            return None
        try:
            return base64.b64decode(str(found.get("content", "")))
        except binascii.Error:
            return None

    async def commit_files(self, parent: str, entries: Sequence[Mapping[str, Any]], message: str) -> str:
        """Make a commit on ``parent`` that sets and (where ``sha`` is None) removes files. No branch shows it yet."""
        below = await self.github.get(self.name, f"/git/commits/{_part(parent)}")
        body: Json = {"base_tree": below["tree"]["sha"], "tree": [dict(entry) for entry in entries]}
        tree = await self.github.write("POST", self.name, "/git/trees", body, content=False)
        asked: Json = {"message": message, "tree": tree["sha"], "parents": [parent]}
        return str((await self.github.write("POST", self.name, "/git/commits", asked, content=False))["sha"])

    async def make_branch(self, branch: str, commit: str) -> None:
        """Make a branch; one that is there already is refused."""
        asked: Json = {"ref": f"refs/heads/{branch}", "sha": commit}
        await self.github.write("POST", self.name, "/git/refs", asked, content=False)

    async def pull_from(self, branch: str) -> Json:
        """Read the newest pull request from a branch of the repository itself, empty if there is none."""
        owner = self.name.partition("/")[0]
        found = await self.github.pages(self.name, "/pulls", {"head": f"{owner}:{branch}", "state": "all"}, limit=1)
        return found[0] if found else {}

    async def open_pull(self, *, branch: str, base: str, title: str, body: str) -> Json:
        """Open a pull request from a branch of the repository itself."""
        asked: Json = {"title": title, "head": branch, "base": base, "body": body}
        return await self.github.write("POST", self.name, "/pulls", asked)


def _part(text: str) -> str:
    return quote(text, safe="")

"""A repository on GitHub: the reads and writes that reviewing needs, by name, each within GitHub's own bounds.

Sources: docs.github.com/rest (pulls, reviews, issue comments, checks, actions, contents, collaborators).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from bot.clients.github import GitHub, GitHubError, Json, Tail

MAX_FILES = 3000
MAX_REVIEWS = 500
MAX_COMMENTS = 1000
MAX_COMMITS = 250
MAX_JOBS = 200
_DIFF = "application/vnd.github.diff"
_RAW = "application/vnd.github.raw+json"


class NotRead(Exception):
    """Something is there, and GitHub does not give its text; the message is a clause that says why."""


class GitHubRepository:
    """One repository, ``owner/name``, seen through one credential."""

    def __init__(self, github: GitHub, name: str) -> None:
        self.github = github
        self.name = name

    async def about(self) -> Json:
        """Read the repository itself."""
        return await self.github.get(self.name, "")

    async def pull(self, number: int) -> Json:
        """Read a pull request."""
        return await self.github.get(self.name, f"/pulls/{number}")

    async def pulls_of_commit(self, sha: str) -> list[Json]:
        """Read the pull requests that a commit is the head or the merge of."""
        return await self.github.pages(self.name, f"/commits/{_part(sha)}/pulls", limit=20)

    async def files(self, number: int) -> list[Json]:
        """Read the changed files: GitHub lists 3,000 at most, and no patch where it is large or binary."""
        return await self.github.pages(self.name, f"/pulls/{number}/files", limit=MAX_FILES)

    async def diff(self, number: int) -> str | None:
        """Read the whole diff, or None where GitHub makes none (over 300 files or 20,000 lines: 406)."""
        try:
            return await self.github.text(self.name, f"/pulls/{number}", accept=_DIFF)
        except GitHubError as error:
            if error.status in (406, 422):
                return None
            raise

    async def commits(self, number: int) -> list[Json]:
        """Read the commits, oldest first; GitHub lists 250 at most."""
        return await self.github.pages(self.name, f"/pulls/{number}/commits", limit=MAX_COMMITS)

    async def commit(self, sha: str) -> Json:
        """Read a commit with its files; GitHub lists 300 in the first page, which is what is read."""
        return await self.github.get(self.name, f"/commits/{_part(sha)}")

    async def compare(self, base: str, head: str) -> Json:
        """Read what a commit has that another one has not, with its files; GitHub lists 300, in the first page."""
        return await self.github.get(self.name, f"/compare/{_part(base)}...{_part(head)}")

    async def content(self, path: str, ref: str) -> str | None:
        """Read a file at a ref as text, or None if there is none. Raises ``NotRead`` where GitHub gives no text: of
        more than 1 MB, of a folder, of a submodule."""
        if any(part in ("", ".", "..") for part in path.split("/")):
            raise ValueError(f"not a path in a repository: {path[:200]!r}")
        try:
            found = await self.github.get(self.name, f"/contents/{quote(path)}", {"ref": ref})
        except GitHubError as error:
            if error.status == 404:
                return None
            raise
        if not isinstance(found, dict) or found.get("encoding") != "base64":
            raise NotRead("is no file of at most 1 MB")
        return base64.b64decode(str(found.get("content", ""))).decode("utf-8", "replace")

    async def permission(self, login: str) -> str:
        """Read what a person may do here: admin, write, read or none. Whoever cannot be found may do nothing."""
        try:
            found = await self.github.get(self.name, f"/collaborators/{quote(login, safe='')}/permission")
        except GitHubError as error:
            if error.status == 404:
                return "none"
            raise
        return str(found.get("permission", "none"))

    async def reviews(self, number: int) -> list[Json]:
        """Read the reviews, oldest first."""
        return await self.github.pages(self.name, f"/pulls/{number}/reviews", limit=MAX_REVIEWS)

    async def post_review(self, number: int, *, sha: str, body: str, comments: Sequence[Mapping[str, Any]]) -> Json:
        """Post a review of a commit with all its comments at once: GitHub takes all of it, or nothing."""
        asked: Json = {"commit_id": sha, "body": body, "event": "COMMENT", "comments": [dict(one) for one in comments]}
        return await self.github.write("POST", self.name, f"/pulls/{number}/reviews", asked)

    async def comments(self, number: int) -> list[Json]:
        """Read what was said below an issue or pull request, oldest first."""
        return await self.github.pages(self.name, f"/issues/{number}/comments", limit=MAX_COMMENTS)

    async def post_comment(self, number: int, body: str) -> Json:
        """Comment on an issue or pull request."""
        return await self.github.write("POST", self.name, f"/issues/{number}/comments", {"body": body})

    async def edit_comment(self, comment: int, body: str) -> Json:
        """Edit a comment of ours."""
        return await self.github.write("PATCH", self.name, f"/issues/comments/{comment}", {"body": body})

    async def check_runs(self, sha: str, name: str) -> list[Json]:
        """Read a commit's check runs of one name."""
        path = f"/commits/{_part(sha)}/check-runs"
        return await self.github.pages(self.name, path, {"check_name": name}, limit=100, under="check_runs")

    async def post_check(self, check: Mapping[str, Any]) -> Json:
        """Make a check run; only an app may."""
        return await self.github.write("POST", self.name, "/check-runs", dict(check), content=False)

    async def edit_check(self, number: int, check: Mapping[str, Any]) -> Json:
        """Change a check run."""
        return await self.github.write("PATCH", self.name, f"/check-runs/{number}", dict(check), content=False)

    async def workflow_run(self, run: int) -> Json:
        """Read a workflow run."""
        return await self.github.get(self.name, f"/actions/runs/{run}")

    async def jobs(self, run: int, attempt: int) -> list[Json]:
        """Read the jobs of an attempt of a workflow run."""
        path = f"/actions/runs/{run}/attempts/{attempt}/jobs"
        return await self.github.pages(self.name, path, limit=MAX_JOBS, under="jobs")

    async def job_log(self, job: int, *, limit_bytes: int) -> Tail | None:
        """Read the end of a job's log, or None if it is gone."""
        try:
            return await self.github.download(self.name, f"/actions/jobs/{job}/logs", limit_bytes=limit_bytes)
        except GitHubError as error:
            if error.status in (404, 410):
                return None
            raise


def _part(text: str) -> str:
    return quote(text, safe="")

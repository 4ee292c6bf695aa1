"""What the stand-in holds: repositories with commits, pull requests with what was said in them, checks and runs."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

from bot.sandbox.github.differing import Changed, Tree, changes
from bot.sandbox.github.refusal import Refusal, not_found

Json = dict[str, Any]

SIGNED_SECONDS = 60
MAX_BODY = 65_536
"""Characters of a comment or a pull request's text; GitHub says so in its 422."""


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit: its whole tree, and where it came from."""

    sha: str
    tree: Tree
    parents: tuple[str, ...]
    message: str
    author: str
    at: str


@dataclass
class Comment:
    """A comment of an issue or pull request."""

    id: int
    body: str
    user: str
    created_at: str
    updated_at: str


@dataclass
class Review:
    """A review with its comments on lines. ``state`` is PENDING until it is submitted."""

    id: int
    user: str
    body: str
    state: str
    commit_id: str
    submitted_at: str | None
    comments: list[Json] = field(default_factory=list)


@dataclass
class Pull:
    """A pull request, and what was said in it."""

    number: int
    title: str
    body: str
    user: str
    head_repository: str
    head_ref: str
    head_sha: str
    base_ref: str
    base_sha: str
    draft: bool
    labels: list[str]
    created_at: str
    updated_at: str
    state: str = "open"
    merged_at: str | None = None
    merge_commit_sha: str | None = None
    merged_by: str | None = None
    closed_at: str | None = None
    reviews: list[Review] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)


@dataclass
class Issue:
    """An issue that is no pull request."""

    number: int
    title: str
    body: str
    user: str
    labels: list[str]
    created_at: str
    comments: list[Comment] = field(default_factory=list)


@dataclass
class Run:
    """A workflow run: its jobs with their logs, by attempt."""

    id: int
    name: str
    path: str
    workflow_id: int
    event: str
    head_sha: str
    head_branch: str
    status: str
    conclusion: str | None
    attempt: int
    created_at: str
    jobs: list[Json] = field(default_factory=list)
    logs: dict[int, str] = field(default_factory=dict)
    actor: str = "dana"


@dataclass
class Repository:
    """A repository. ``people`` has each collaborator's permission."""

    id: int
    full_name: str
    default_branch: str
    people: dict[str, str]
    parent: str | None = None
    branches: dict[str, str] = field(default_factory=dict)
    pulls: dict[int, Pull] = field(default_factory=dict)
    issues: dict[int, Issue] = field(default_factory=dict)
    checks: list[Json] = field(default_factory=list)
    statuses: list[Json] = field(default_factory=list)
    runs: dict[int, Run] = field(default_factory=dict)
    workflows: dict[int, Json] = field(default_factory=dict)
    dispatched: list[Json] = field(default_factory=list)
    deployments: list[Json] = field(default_factory=list)


class Hub:
    """All repositories, and the JSON in which GitHub speaks of them."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.url = ""
        self.repositories: dict[str, Repository] = {}
        self.commits: dict[str, Commit] = {}
        self.trees: dict[str, Tree] = {}
        self._clock = clock
        self._ids = count(1_000_001)
        self._signed: dict[str, tuple[float, bytes]] = {}

    def now(self) -> str:
        """The time as the API writes it."""
        return datetime.fromtimestamp(self._clock(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def id(self) -> int:
        """The next id of anything."""
        return next(self._ids)

    def sign(self, content: bytes) -> str:
        """Keep a content behind a secret name, for one minute."""
        name = secrets.token_hex(16)
        self._signed[name] = (self._clock() + SIGNED_SECONDS, content)
        return name

    def signed(self, name: str) -> bytes | None:
        """Return what is behind a secret name, or None if that is wrong or over."""
        until, content = self._signed.get(name, (0.0, b""))
        return content if until > self._clock() else None

    def repository(self, name: str) -> Repository:
        """Find a repository, upper and lower case being the same. Raises ``Refusal`` 404."""
        for full_name, repository in self.repositories.items():
            if full_name.lower() == name.lower():
                return repository
        raise not_found()

    def pull(self, repository: Repository, number: str | int) -> Pull:
        """Find a pull request. Raises ``Refusal`` 404."""
        found = repository.pulls.get(int(number)) if str(number).isdigit() else None
        if found is None:
            raise not_found()
        return found

    def talk(self, repository: Repository, number: str) -> Pull | Issue:
        """Find an issue or pull request. Raises ``Refusal`` 404."""
        found = repository.issues.get(int(number)) if number.isdigit() else None
        return found or self.pull(repository, number)

    def commit(self, tree: Tree, parents: tuple[str, ...], message: str, author: str) -> Commit:
        """Make a commit; its name is a hash, so equal ones need another parent to differ."""
        parts = (repr(sorted(tree.items())), *parents, message, author, str(self.id()))
        sha = hashlib.sha1("\n".join(parts).encode(), usedforsecurity=False).hexdigest()
        made = Commit(sha, dict(tree), parents, message, author, self.now())
        self.commits[sha] = made
        return made

    def resolve(self, repository: Repository, ref: str) -> Commit:
        """Find the commit of a branch or sha. Raises ``Refusal`` 404."""
        sha = repository.branches.get(ref.removeprefix("refs/heads/").removeprefix("heads/"), ref)
        if sha not in self.commits:
            raise Refusal(404, f"No commit found for the ref {ref}")
        return self.commits[sha]

    def ancestors(self, sha: str) -> Iterator[Commit]:
        """Walk from a commit to its first, nearest first."""
        waiting, seen = [sha], {sha}
        while waiting:
            commit = self.commits[waiting.pop(0)]
            yield commit
            for parent in commit.parents:
                if parent not in seen:
                    seen.add(parent)
                    waiting.append(parent)

    def merge_base(self, base: str, head: str) -> Commit:
        """Return the newest commit that both have. Raises ``Refusal`` 422 where there is none."""
        ours = {commit.sha for commit in self.ancestors(base)}
        for commit in self.ancestors(head):
            if commit.sha in ours:
                return commit
        raise Refusal(422, "Validation Failed", [{"message": "the branches have no history in common"}])

    def files(self, pull: Pull) -> list[Changed]:
        """Return what a pull request changes: from where it left its base, to its head."""
        base = self.merge_base(pull.base_sha, pull.head_sha)
        return changes(base.tree, self.commits[pull.head_sha].tree)

    def commits_of(self, pull: Pull) -> list[Commit]:
        """Return a pull request's commits, oldest first."""
        base = {commit.sha for commit in self.ancestors(pull.base_sha)}
        return [commit for commit in self.ancestors(pull.head_sha) if commit.sha not in base][::-1]

    def permission(self, repository: Repository, login: str) -> str:
        """Return what a person may do: admin, write, read or none. Maintain reads as write and triage as read."""
        return repository.people.get(login, "read")

    # --- as JSON ----------------------------------------------------------------------------------------------------

    def user_json(self, login: str) -> Json:
        """A user; an app's is a Bot."""
        kind = "Bot" if login.endswith("[bot]") else "User"
        number = int(hashlib.sha1(login.encode(), usedforsecurity=False).hexdigest()[:7], 16)
        return {"login": login, "id": number, "type": kind, "html_url": f"{self.url}/{login}", "site_admin": False}

    def repository_json(self, repository: Repository) -> Json:
        """A repository."""
        owner, _, name = repository.full_name.partition("/")
        return {
            "id": repository.id,
            "node_id": f"R_{repository.id}",
            "name": name,
            "full_name": repository.full_name,
            "private": False,
            "fork": repository.parent is not None,
            "owner": self.user_json(owner),
            "html_url": f"{self.url}/{repository.full_name}",
            "url": f"{self.url}/repos/{repository.full_name}",
            "default_branch": repository.default_branch,
        }

    def pull_json(self, repository: Repository, pull: Pull, *, whole: bool = True) -> Json:
        """A pull request; the counts are only in the whole of it, not in a list."""
        url = f"{self.url}/{repository.full_name}/pull/{pull.number}"
        found: Json = {
            "id": repository.id * 100_000 + pull.number,
            "node_id": f"PR_{repository.id}_{pull.number}",
            "number": pull.number,
            "state": pull.state,
            "locked": False,
            "draft": pull.draft,
            "title": pull.title,
            "body": pull.body or None,
            "user": self.user_json(pull.user),
            "labels": [{"id": index, "name": name} for index, name in enumerate(pull.labels, 1)],
            "head": self._end(pull.head_repository, pull.head_ref, pull.head_sha),
            "base": self._end(repository.full_name, pull.base_ref, pull.base_sha),
            "html_url": url,
            "url": f"{self.url}/repos/{repository.full_name}/pulls/{pull.number}",
            "diff_url": f"{url}.diff",
            "created_at": pull.created_at,
            "updated_at": pull.updated_at,
            "closed_at": pull.closed_at,
            "merged_at": pull.merged_at,
            "merge_commit_sha": pull.merge_commit_sha,
            "author_association": self.association(repository, pull.user),
        }
        if whole:
            files = self.files(pull)
            found |= {
                "merged": pull.merged_at is not None,
                "merged_by": self.user_json(pull.merged_by) if pull.merged_by else None,
                "commits": len(self.commits_of(pull)),
                "additions": sum(file.additions for file in files),
                "deletions": sum(file.deletions for file in files),
                "changed_files": len(files),
                "comments": len(pull.comments),
            }
        return found

    def association(self, repository: Repository, login: str) -> str:
        """How GitHub names a person's standing."""
        standing = {"admin": "OWNER", "write": "COLLABORATOR", "read": "CONTRIBUTOR"}
        return standing.get(repository.people.get(login, ""), "NONE")

    def _end(self, full_name: str, ref: str, sha: str) -> Json:
        owner = full_name.partition("/")[0]
        repository = self.repositories.get(full_name)
        return {
            "label": f"{owner}:{ref}",
            "ref": ref,
            "sha": sha,
            "user": self.user_json(owner),
            "repo": self.repository_json(repository) if repository else None,
        }

    def comment_json(self, repository: Repository, number: int, comment: Comment) -> Json:
        """An issue comment."""
        return {
            "id": comment.id,
            "body": comment.body,
            "user": self.user_json(comment.user),
            "created_at": comment.created_at,
            "updated_at": comment.updated_at,
            "author_association": self.association(repository, comment.user),
            "html_url": f"{self.url}/{repository.full_name}/pull/{number}#issuecomment-{comment.id}",
            "issue_url": f"{self.url}/repos/{repository.full_name}/issues/{number}",
            "url": f"{self.url}/repos/{repository.full_name}/issues/comments/{comment.id}",
        }

    def issue_json(self, repository: Repository, thing: Pull | Issue) -> Json:
        """An issue; a pull request is one too, with a ``pull_request``."""
        found: Json = {
            "number": thing.number,
            "title": thing.title,
            "body": thing.body or None,
            "user": self.user_json(thing.user),
            "state": thing.state if isinstance(thing, Pull) else "open",
            "labels": [{"name": name} for name in thing.labels],
            "created_at": thing.created_at,
            "html_url": f"{self.url}/{repository.full_name}/issues/{thing.number}",
        }
        if isinstance(thing, Pull):
            url = f"{self.url}/repos/{repository.full_name}/pulls/{thing.number}"
            found["pull_request"] = {"url": url, "html_url": f"{self.url}/{repository.full_name}/pull/{thing.number}"}
        return found

    def review_json(self, repository: Repository, pull: Pull, review: Review) -> Json:
        """A review."""
        return {
            "id": review.id,
            "user": self.user_json(review.user),
            "body": review.body,
            "state": review.state,
            "commit_id": review.commit_id,
            "submitted_at": review.submitted_at,
            "html_url": f"{self.url}/{repository.full_name}/pull/{pull.number}#pullrequestreview-{review.id}",
        }

    def run_json(self, repository: Repository, run: Run) -> Json:
        """A workflow run."""
        pulls = [
            {
                "number": pull.number,
                "head": {"ref": pull.head_ref, "sha": pull.head_sha, "repo": {"id": repository.id}},
                "base": {"ref": pull.base_ref, "repo": {"id": repository.id}},
            }
            for pull in repository.pulls.values()
            # Of a fork's run GitHub does not say which pull requests it is for.
            if pull.head_sha == run.head_sha and pull.head_repository == repository.full_name
        ]
        return {
            "id": run.id,
            "name": run.name,
            "path": run.path,
            "workflow_id": run.workflow_id,
            "event": run.event,
            "head_sha": run.head_sha,
            "head_branch": run.head_branch,
            "status": run.status,
            "conclusion": run.conclusion,
            "run_attempt": run.attempt,
            "actor": self.user_json(run.actor),
            "run_number": run.id - 1_000_000,
            "created_at": run.created_at,
            "updated_at": run.created_at,
            "pull_requests": pulls,
            "html_url": f"{self.url}/{repository.full_name}/actions/runs/{run.id}",
            "repository": self.repository_json(repository),
            "head_repository": self.repository_json(self._head_repository(repository, run)),
        }

    def _head_repository(self, repository: Repository, run: Run) -> Repository:
        """Where the commits of a run come from: a fork, if it is for a fork's pull request."""
        of_pull = run.event.startswith("pull_request")
        heads = [pull for pull in repository.pulls.values() if of_pull and pull.head_sha == run.head_sha]
        return self.repository(heads[0].head_repository) if heads else repository


def apply(tree: Tree, files: Mapping[str, str | bytes | None]) -> dict[str, bytes]:
    """Return a tree with some files written, or, where None, removed."""
    after = dict(tree)
    for path, content in files.items():
        if content is None:
            after.pop(path, None)
        else:
            after[path] = content.encode() if isinstance(content, str) else content
    return after

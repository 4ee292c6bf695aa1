"""What happened on GitHub, as far as Signoff cares: events reduced to the facts that are stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

PullAction = Literal["opened", "synchronize", "reopened", "ready_for_review", "closed", "edited"]


@dataclass(frozen=True, slots=True)
class PullEvent:
    """A pull request was opened, pushed to, reopened, made ready, closed or given another base branch (``edited``).
    ``at`` is in microseconds."""

    repository: str
    number: int
    action: PullAction
    head_sha: str
    merged: bool
    merge_sha: str
    title: str
    author: str
    url: str
    into_default: bool
    at: int


@dataclass(frozen=True, slots=True)
class CommandEvent:
    """Somebody spoke to Signoff below a pull request. ``text`` is what follows the mention, a command a line;
    ``closed`` says that the pull request was by then."""

    repository: str
    number: int
    comment_id: int
    author: str
    text: str
    closed: bool = False


@dataclass(frozen=True, slots=True)
class RunEvent:
    """A workflow run ended, or another app's checks did (``run_id`` is then a suite's and ``app`` says whose).
    ``workflow`` is what it is called, ``workflow_id`` which of GitHub's it is (two files may give one name), and
    ``event`` what started it: the same workflow tests a branch for a push, and its merge for a pull request.

    ``pulls`` are the numbers that GitHub gives; of a fork's run it gives none. ``on_default``: it ran for the default
    branch itself. ``source`` is the repository whose branch it is, a fork perhaps; empty where nobody says.
    """

    repository: str
    run_id: int
    attempt: int
    workflow: str
    app: str
    head_sha: str
    branch: str
    conclusion: str
    url: str
    pulls: tuple[int, ...]
    on_default: bool
    at: int
    source: str = field(default="", kw_only=True)
    event: str = field(default="", kw_only=True)
    workflow_id: int = field(default=0, kw_only=True)

    @property
    def kind(self) -> tuple[str, int | str, str]:
        """What runs have in common that are tries of the same thing, within a repository."""
        return self.app, self.workflow_id or self.workflow, self.event


@dataclass(frozen=True, slots=True)
class PushEvent:
    """Commits were pushed to the default branch. ``paths`` are those that they touched, ``before`` is what the branch
    was at until then (empty where it was not there)."""

    repository: str
    sha: str
    title: str
    author: str
    url: str
    paths: tuple[str, ...]
    at: int
    before: str = ""


@dataclass(frozen=True, slots=True)
class DeployEvent:
    """A deployment began or ended. ``state`` is GitHub's: in_progress, success, failure, error, inactive, …"""

    repository: str
    deployment_id: int
    sha: str
    environment: str
    state: str
    author: str
    url: str
    at: int


GitHubEvent = PullEvent | CommandEvent | RunEvent | PushEvent | DeployEvent

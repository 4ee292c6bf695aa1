"""A repository's own wishes, ``.github/signoff.yml`` on its default branch: what is reviewed, and how loudly.

A file that is wrong is not guessed at: the defaults hold, and the pull request says what is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from typing import Annotated, Any, Literal

import re2
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from bot.domain import document
from bot.domain.review import PullRequest, Severity

PATH = ".github/signoff.yml"
MAX_INLINE = 10

_Pattern = Annotated[str, StringConstraints(min_length=1, max_length=200)]
_Patterns = Annotated[tuple[_Pattern, ...], Field(max_length=100)]
_OWNERS = frozenset({"CODEOWNERS", "docs/CODEOWNERS"})
"""Where GitHub looks for the owners of code beside ``.github/``."""
_PARTS = re.compile(r"\*\*/|\*\*|\*|\?")
_GLOB = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Review(_Strict):
    drafts: bool = False
    bots: bool = False
    skip_labels: _Patterns = ("no-review",)
    only_labels: _Patterns = ()
    branches: _Patterns = ()
    ignore_paths: _Patterns = ()
    max_inline: int = Field(default=5, ge=0, le=MAX_INLINE)
    blocking: bool = False


class _Slack(_Strict):
    channel: str = Field(default="", pattern=r"^([CG][A-Z0-9]{2,20})?$")
    risk: Severity | Literal["never", ""] = ""


class _File(_Strict):
    review: _Review = _Review()
    slack: _Slack = _Slack()


@dataclass(frozen=True, slots=True)
class ReviewPolicy:
    """What a repository wants. Patterns are globs: ``*`` stays within a folder, ``**`` does not. Branches and labels
    match as a whole; of paths, one without a slash may also match the last part alone.

    ``slack_risk`` is the least risk that Slack hears of; empty leaves that, and the channel, to the installation.
    """

    drafts: bool = False
    bots: bool = False
    skip_labels: tuple[str, ...] = ("no-review",)
    only_labels: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()
    ignore_paths: tuple[str, ...] = ()
    max_inline: int = 5
    blocking: bool = False
    slack_channel: str = ""
    slack_risk: Severity | Literal["never", ""] = ""

    def only_explains(self, pull: PullRequest, *, bot: bool) -> bool:
        """Say whether all that speaks against a review is who opened the pull request, or that it is a draft: its CI
        failures are explained all the same. A label or a branch that leaves it out keeps all of Signoff from it."""
        return not replace(self, drafts=True, bots=True).skips(pull, bot=bot)

    def skips(self, pull: PullRequest, *, bot: bool) -> str:
        """Say why a pull request is not reviewed, or return "". ``bot``: its author is an app."""
        if pull.draft and not self.drafts:
            return "it is a draft"
        if bot and not self.bots:
            return "its author is a bot"
        for label in pull.labels:
            if matches(label, self.skip_labels):
                return f"it has the label {label[:50]!r}"
        if self.only_labels and not any(matches(label, self.only_labels) for label in pull.labels):
            return "it has none of the labels that ask for a review"
        if self.branches and not matches(pull.base_branch, self.branches):
            return f"its base branch {pull.base_branch[:100]!r} is not among those that are reviewed"
        return ""

    def ignores(self, path: str) -> bool:
        """Say whether a file is not to be reviewed. What decides about others (policy, workflows, owners) always is."""
        if path.startswith(".github/") or path in _OWNERS:
            return False
        name = path.rpartition("/")[2]
        return matches(path, self.ignore_paths) or matches(name, (one for one in self.ignore_paths if "/" not in one))


@dataclass(frozen=True, slots=True)
class PolicyRead:
    """A policy, and the sentences that say what is wrong with its file; with any of them it is the default."""

    policy: ReviewPolicy
    problems: tuple[str, ...] = ()


def read(text: str | None) -> PolicyRead:
    """Read the file's text; None where there is none. Never raises."""
    if text is None:
        return PolicyRead(ReviewPolicy())
    found = document.read(text.encode("utf-8", "replace"))
    problems = [f"{PATH}, line {fault.line}: {fault.sentence}" for fault in found.faults]
    if not problems and found.data is not None:
        try:
            return PolicyRead(_policy(_File.model_validate(found.data)))
        except ValidationError as error:
            for item in error.errors(include_url=False, include_input=False):
                key = ".".join(str(part) for part in item["loc"])
                problems.append(f"{PATH}, line {found.line(item['loc'])}: {key}: {_sentence(item)}")
    return PolicyRead(ReviewPolicy(), tuple(problems[:5]))


def unreadable(why: str) -> PolicyRead:
    """Return the default policy for a file that is there and cannot be read; ``why`` is a clause of ours."""
    return PolicyRead(ReviewPolicy(), (f"{PATH} {why}: the defaults hold.",))


def matches(text: str, patterns: Iterable[str]) -> bool:
    """Say whether a text as a whole matches any glob, in linear time."""
    return any(_compiled(pattern).fullmatch(text) for pattern in patterns)


@cache
def _compiled(pattern: str) -> Any:
    out, at = "", 0
    for part in _PARTS.finditer(pattern):
        out += re2.escape(pattern[at : part.start()]) + _GLOB[part[0]]
        at = part.end()
    return re2.compile(out + re2.escape(pattern[at:]))


def _policy(file: _File) -> ReviewPolicy:
    return ReviewPolicy(**file.review.model_dump(), slack_channel=file.slack.channel, slack_risk=file.slack.risk)


def _sentence(item: Any) -> str:
    plain = {"extra_forbidden": "is no key that is known here", "bool_type": "expected true or false"}
    return plain.get(str(item["type"]), str(item["msg"]).removeprefix("Value error, "))


def ignored(policy: ReviewPolicy, files: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Return the paths of those files that are not to be reviewed.

    Each file is its path and the one that it was moved from, or its path twice: to move a file takes it away from
    where it was, so both have to be ignored.
    """
    return frozenset(path for path, before in files if policy.ignores(path) and policy.ignores(before))

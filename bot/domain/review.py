"""A review of a pull request: what was read of its diff, and the findings that were verified against it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["critical", "high", "medium", "low"]
SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low")
Confidence = Literal["high", "medium", "low"]
CONFIDENCES: tuple[Confidence, ...] = ("high", "medium", "low")
Side = Literal["LEFT", "RIGHT"]
"""GitHub's word for the file before the change (LEFT) and after it (RIGHT)."""
State = Literal["open", "resolved", "dismissed"]
Verdict = Literal["blocker", "attention", "partial", "clear"]
"""``blocker``: not to be merged as it is; ``attention``: somebody should look; ``partial``: nothing was found, but
not all was read; ``clear``: nothing was found and all was read."""
CATEGORIES = (
    "availability",
    "data-loss",
    "security",
    "capacity",
    "rollout",
    "configuration",
    "observability",
    "dependency",
    "correctness",
    "tests",
)

_WRITTEN = frozenset({"source", "test", "docs"})
"""The kinds of files that people write by hand; what is missed of others makes no review partial."""
_UNREADABLE = frozenset({"no patch", "damaged", "binary", "combined"})
_SEVERITY_WEIGHT: Mapping[Severity, float] = {"critical": 100.0, "high": 30.0, "medium": 8.0, "low": 2.0}
_CONFIDENCE_WEIGHT: Mapping[Confidence, float] = {"high": 1.0, "medium": 0.6, "low": 0.3}


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request at one head commit, as GitHub tells it. All its text is a stranger's.

    ``repository`` is ``owner/name``; ``fork`` says that the head lives in another repository; ``changed_files`` is
    GitHub's own count, to compare with the files that were listed; ``commits`` are messages, oldest first.
    """

    repository: str
    number: int
    title: str
    body: str
    author: str
    url: str
    base_branch: str
    base_sha: str
    head_branch: str
    head_sha: str
    draft: bool = False
    fork: bool = False
    labels: tuple[str, ...] = ()
    commits: tuple[str, ...] = ()
    changed_files: int = 0

    @property
    def name(self) -> str:
        """The name people use, ``owner/name#12``."""
        return f"{self.repository}#{self.number}"


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """What the diff does to one file, and how much of it a model was shown.

    ``status`` and ``kind`` are the diff packer's (``renamed``, ``generated``, …); ``notes`` what no line shows
    (``binary``, ``no patch``). ``why`` says why not every changed line was shown; it is empty where all were.
    """

    path: str
    status: str
    kind: str = "source"
    old_path: str | None = None
    notes: tuple[str, ...] = ()
    hunks: int = 0
    kept_hunks: int = 0
    lines: int = 0
    kept_lines: int = 0
    why: str = ""

    @property
    def unread(self) -> bool:
        """Whether something of it was not read, so that nothing can be said about that."""
        return self.kept_lines < self.lines or not _UNREADABLE.isdisjoint(self.notes)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a reviewer should know, about lines that are really in the diff.

    ``start_line`` to ``line`` lie in one hunk, on one ``side``; for a single line both are the same. ``quote`` is
    the one of these lines that tells it, redacted; line 0 is the renamed file as a whole. ``rule`` is the id of
    the risk rule that tells it (empty where only a model does), ``category`` one of ``CATEGORIES``. ``why`` says
    what it means in operation. ``suggestion`` is the text to put in place of the lines; None where there is none,
    the empty string where they should go. ``said`` means that a comment was made at the line, ``reason`` who
    dismissed it and why. ``setting`` tells what the line stands in from equal lines that stand in something else
    (see ``setting``).
    """

    fingerprint: str
    rule: str
    category: str
    severity: Severity
    confidence: Confidence
    path: str
    side: Side
    line: int
    start_line: int
    quote: str
    why: str
    suggestion: str | None = None
    state: State = "open"
    reason: str = ""
    said: bool = False
    first_sha: str = ""
    setting: str = ""

    @property
    def id(self) -> str:
        """What people call it, as in ``@signoff dismiss 3f9a2c1d``."""
        return self.fingerprint[:8]

    @property
    def weight(self) -> float:
        """How much it matters: severity times confidence, from 0.6 to 100."""
        return _SEVERITY_WEIGHT[self.severity] * _CONFIDENCE_WEIGHT[self.confidence]

    @property
    def blocks(self) -> bool:
        """Whether it is open, grave and more than a guess."""
        return self.state == "open" and self.severity == "critical" and self.confidence != "low"


@dataclass(frozen=True, slots=True)
class Review:
    """What is said about one head commit. ``findings`` are all that are known, the weightiest first, whatever their
    state.

    ``analyst`` is ``rules`` or the model's name, ``note`` says why the rules answered, and ``dropped`` counts what did
    not verify, by reason. ``unlisted`` is the number of changed files that GitHub did not list.
    """

    head_sha: str
    summary: str
    findings: tuple[Finding, ...]
    files: tuple[ChangedFile, ...]
    analyst: str
    note: str = ""
    dropped: Mapping[str, int] = field(default_factory=dict)
    unlisted: int = 0

    @property
    def open(self) -> tuple[Finding, ...]:
        """The findings that still ask for something."""
        return tuple(finding for finding in self.findings if finding.state == "open")

    @property
    def risk(self) -> Severity:
        """The severity of the gravest open finding that is more than a guess, or ``low``."""
        found = {finding.severity for finding in self.open if finding.confidence != "low"}
        return next((severity for severity in SEVERITIES if severity in found), "low")

    @property
    def unread(self) -> tuple[ChangedFile, ...]:
        """The files of which not everything was read."""
        return tuple(file for file in self.files if file.unread)

    @property
    def verdict(self) -> Verdict:
        """What the review comes to; it follows from the findings' states and from what was read."""
        if any(finding.blocks for finding in self.findings):
            return "blocker"
        if any(finding.severity != "low" for finding in self.open):
            return "attention"
        missed = any(file.kind in _WRITTEN and "binary" not in file.notes for file in self.unread)
        return "partial" if missed or self.unlisted else "clear"


def fingerprint(path: str, side: Side, quote: str, occurrence: int) -> str:
    """Name a finding by what it is about, not by where that stands: 16 hex digits.

    ``path`` is the file's path before the change where it had one, so that a rename on the way changes nothing;
    ``quote`` is the redacted line, in which blanks do not count; ``occurrence`` tells equal lines of a file apart.
    """
    said = "\0".join((path, side, "".join(quote.split()), str(occurrence)))
    return hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()[:16]


def setting(enclosing: Sequence[str], near: Sequence[str]) -> str:
    """Name what a line stands in: 16 hex digits. ``enclosing`` are the lines that hold it, the innermost first, and
    ``near`` its neighbours where the enclosing ones do not tell; blanks do not count."""
    said = "\0".join("".join(line.split()) for line in (*enclosing, "", *near))
    return hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()[:16]

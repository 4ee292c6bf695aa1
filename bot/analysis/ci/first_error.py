"""The first real error of a failed job, told by how compilers, test runners, package managers and runners write."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import re2

from bot.analysis import plain
from bot.analysis.log_check import LINE_CHARACTERS
from bot.condense.logs.digest import Excerpt
from bot.condense.logs.signs import ERROR, WARNING
from bot.domain.ci_failure import Kind

_NEAR: Final = 14
"""Lines after the first error that may still be about it."""
_MOST: Final = 6

_SAYS: Final[tuple[tuple[Kind, str], ...]] = (
    ("out-of-memory", r"(?i)heap out of memory|\boom[- ]?killed?\b|out of memory|cannot allocate memory|exit code 137"),
    ("disk", r"(?i)no space left on device|disk quota exceeded"),
    (
        "runner",
        r"(?i)runner has received a shutdown signal|lost communication with the server|the hosted runner"
        r"|the operation was canceled",
    ),
    (
        "timeout",
        r"(?i)exceeded the maximum execution time|timeout - goroutine|timed? ?out (?:after|waiting)|deadline exceeded",
    ),
    (
        "crash",
        r"(?i)segmentation fault|core dumped|^fatal python error|^panic: |panicked at|unhandled exception"
        r"|internal compiler error|stack overflow",
    ),
    (
        "test",
        r"^\s*--- FAIL: |^FAILED [\w./\[]|^(?:FAIL|ERROR): \w+ \(|^\s*● |^\s*FAIL\s+\S+\.\w+|\[FAIL(?:ED)?\] "
        r"|^\s*FAIL \[|^test \S.* \.\.\. FAILED|^\s*\w*(?:AssertionError|DocTestFailure)\b|^E\s{2,}\S"
        r"|expect\(received\)|^not ok \d+|^\d+ of \d+ tests failed|Tests? (?:run: .*Failures: [1-9]|failed)"
        r"|^assertion .*failed|did not complete in time",
    ),
    (
        "types",
        r"error: .* \[[a-z][a-z-]+\]\s*$|error TS\d+:|^Found \d+ errors? in \d+ files?",
    ),
    (
        "compile",
        r"^error\[E\d+\]|^\S+:\d+(?::\d+)?: (?:fatal )?error\b|\bSyntaxError\b|cannot find symbol|undefined reference"
        r"|undeclared (?:identifier|name)|^error: could not compile|unresolved import|ModuleNotFoundError|ImportError"
        r"|Cannot find module|<<<<<<< ",
    ),
    (
        "lint",
        r"(?i)\bprettier\b.*\bformat|would reformat|code style issues|^\s*\d+:\d+\s+error\s|^\S+:\d+:\d+: [A-Z]+\d+ "
        r"|\blint(?:er|ing)?\b.*\b(?:fail|error)|ktlint|checkstyle|projecthealth",
    ),
    (
        "permission",
        r"(?i)resource not accessible|permission (?:to \S+ )?denied|\b(?:http|error|status)\W{0,3}40[13]\b"
        r"|bad credentials|unauthorized|forbidden|authentication failed",
    ),
    (
        "network",
        r"(?i)could not resolve host|connection (?:refused|reset|timed out)|econnreset|econnrefused|etimedout|eai_again"
        r"|tls handshake timeout|temporary failure in name resolution|\b50[234] (?:bad gateway|service|gateway)"
        r"|too many requests|rate limit|i/o timeout|network is unreachable",
    ),
    (
        "dependency",
        r"(?i)no matching distribution|could not resolve dependenc|eresolve|err_pnpm|unable to resolve dependency"
        r"|failed to (?:download|fetch)|version solving failed|checksum mismatch|lockfile (?:would|is not|needs)"
        r"|no candidate version|security_update_not_needed|encountered '\d+' error",
    ),
    (
        "configuration",
        r"(?i): (?:command )?not found\s*$|no such file or directory|unable to locate executable|invalid workflow"
        r"|unexpected input|missing (?:required )?(?:input|environment|secret)|is not recognized as"
        r"|execution failed for task",
    ),
)
_KINDS: Final = tuple((kind, re2.compile(pattern)) for kind, pattern in _SAYS)
_LAST_WORDS = re.compile(
    r"##\[error\](?:Process completed with exit code|The process '.*' failed with exit code)"
    r"|^error Command failed with exit code \d+\.$"
)
_ECHO = re.compile(r"##\[(?:group|endgroup|debug|command)\]|^\s*(?:shell|env|with): |^\[command\]")
PLACE = re.compile(r"(?<![\w@])((?:[A-Za-z]:)?[\w./\\@+\-]*\w\.[A-Za-z]\w{0,9})(?:\", line |[:(]|, line )(\d{1,7})\b")
"""A file and a line in it, as compilers, traces and test runners write it."""
_COUNTED = re.compile(
    r"0x[0-9a-f]+|\b[0-9a-f]{8,}(?:-[0-9a-f]{4,}){0,4}\b|(?:/|[A-Za-z]:\\)[\w.@+\-/\\]*[/\\](?=[\w.\-]+)|\d+(?:\.\d+)*",
    re.I,
)


@dataclass(frozen=True, slots=True)
class FirstError:
    """The error that the others follow from: its kind, and the lines that tell it, itself first."""

    kind: Kind
    lines: tuple[Excerpt, ...]

    @property
    def text(self) -> str:
        """What it says, on one line."""
        return plain.line(self.lines[0].text, LINE_CHARACTERS) if self.lines else ""

    @property
    def signature(self) -> str:
        """A name that equal errors share, whatever numbers, times, addresses and folders they mention."""
        said = _COUNTED.sub("#", self.text.casefold())
        return hashlib.sha256(f"{self.kind}\0{' '.join(said.split())}".encode()).hexdigest()[:16]


def first_error(shown: Sequence[Excerpt]) -> FirstError:
    """Return the first line that says in a known way what failed, a loud one if there is one; else the loudest line.

    That a process ended with an exit code is what every failure says: it is told only where nothing else is.
    """
    ordered = sorted(shown, key=lambda one: one.number)
    lines = [one for one in ordered if _speaks(one)]
    kinds = {one.number: kind for one in lines if (kind := _kind(one.text)) != "unknown"}
    known = [one for one in lines if one.number in kinds]
    loud = [one for one in lines if one.loud >= ERROR]
    if known:
        first = next((one for one in known if one.loud >= WARNING), known[0])
    elif loud:
        first = max(loud, key=lambda one: (one.loud, one.worth, -one.number))
    else:
        return FirstError("unknown", tuple(one for one in ordered if _LAST_WORDS.search(one.text))[:1])
    following = [one for one in lines if first.number < one.number <= first.number + _NEAR]
    telling = sorted(
        following, key=lambda one: (one.number not in kinds, PLACE.search(one.text) is None, -one.loud, one.number)
    )
    return FirstError(
        kinds.get(first.number, "unknown"), (first, *sorted(telling[: _MOST - 1], key=lambda one: one.number))
    )


def _speaks(one: Excerpt) -> bool:
    return bool(one.text.strip()) and not _LAST_WORDS.search(one.text) and not _ECHO.search(one.text)


def _kind(text: str) -> Kind:
    said = text.removeprefix("##[error]")[:LINE_CHARACTERS]
    return next((kind for kind, pattern in _KINDS if pattern.search(said)), "unknown")

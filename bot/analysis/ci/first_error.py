"""The first real error of a failed job, told by how compilers, test runners, package managers and runners write."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
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

_RACE: Final = r"^WARNING: (?:DATA RACE|ThreadSanitizer: )"
"""What a race detector calls a warning is what the test fails of."""
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
        r"|^assertion .*failed|did not complete in time|expect\(locator\)|Timed out \d+ms waiting"
        rf"|Test timeout of \d+ms exceeded|^\s*Failure/Error: |^rspec \./\S+|{_RACE}",
    ),
    (
        "types",
        r"error: .* \[[a-z][a-z-]+\]\s*$|error TS\d+:|^Found \d+ errors? in \d+ files?",
    ),
    (
        "lint",
        r"^\S+\.\w+:\d+:\d+: .*(?:\([a-z]+\)|\[[a-z-]+\])\s*$|^\[ERROR\] (?:templates/|\S+\.(?:ya?ml|tpl)\b)",
    ),
    (
        "compile",
        r"^error\[E\d+\]|^\S+:\d+(?::\d+)?: (?:fatal )?error\b|\bSyntaxError\b|cannot find symbol|undefined reference"
        r"|undeclared (?:identifier|name)|^error: could not compile|unresolved import|ModuleNotFoundError|ImportError"
        r"|Cannot find module|<<<<<<< |: error (?:CS|FS|BC|MSB|NETSDK|LNK|C)\d+:|^\S+\.go:\d+:\d+: ",
    ),
    (
        "lint",
        r"(?i)\bprettier\b.*\bformat|would reformat|code style issues|^\s*\d+:\d+\s+error\s|^\S+:\d+:\d+: [A-Z]+\d+ "
        r"|\blint(?:er|ing)?\b.*\b(?:fail|error)|ktlint|checkstyle|projecthealth"
        r"|(?-i:^[A-Z]{1,4}\d{3,4} (?:\[\*\] )?\S)",
    ),
    ("dependency", r"(?i)\block ?file\b.{0,120}\b(?:would|is not|needs)\b|\bYN0028\b|are in sync"),
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
        r"|failed to (?:download|fetch)|version solving failed|checksum mismatch|: error NU\d+:"
        r"|no candidate version|security_update_not_needed|encountered '\d+' error",
    ),
    (
        "configuration",
        r"(?i): (?:command )?not found\s*$|no such file or directory|unable to locate executable|invalid workflow"
        r"|unexpected input|missing (?:required )?(?:input|environment|secret)|is not recognized as"
        r"|execution failed for task|^\s*│ Error: ",
    ),
)
_KINDS: Final = tuple((kind, re2.compile(pattern)) for kind, pattern in _SAYS)
_MILD = re.compile(
    r"##\[warning\]|^\W*(?:\S+ )?(?:(?i:warn(?:ing)?)|W:)(?:\W|$)|\bWARN(?:ING)?\b|\blevel=warn"
    r"|(?i:\bretrying\b|\bretried\b|\b(?:will|going to) (?:be )?(?:retry|try again))"
)
"""A line that says itself that it is a warning, or that it is tried again."""
_RACES = re.compile(_RACE)
_PASSING: Final[frozenset[Kind]] = frozenset({"network", "runner", "timeout"})
_DECISIVE: Final[frozenset[Kind]] = frozenset({"test", "compile", "types", "lint"})
"""A line of these kinds says what is wrong, whatever could not be reached meanwhile."""
_GENERIC = re.compile(
    r"a|abort(?:ed|ing)|all|an|and|assert(?:ion(?:error)?)?|at|build|call(?:ed)?|charts?|code|command|compilation|core"
    r"|completed|could|data|dereference|detected|due|dumped|during|e|elapsed|elifecycle|err|error(?:ed|s)?|examples?"
    r"|exception|exit(?:ed)?|fail(?:ed|ing|ures?)?|fatal|fault|files?|finished|following|found|g?make(?:file)?|ha[dsv]e?"
    r"|in|invalid|is|it|job|killed|last|lifecycle|line|lint(?:ed|ing)?|main|memory|mismatched|ms|most|npm|of|on|one|or"
    r"|out|package|panic|pass(?:ed)?|pending|pre|previous|problems?|process|python|race|ran|rerun|recent|recipe"
    r"|run(?:ning)?|runtime|s|script|sec(?:onds)?|segmentation|shell|signal|skipped|specs?|status|step|suites?|summary"
    r"|syntax(?:error)?|target|task|tests?|that|the|there|thread|time|to|total|traceback|types|uncaught|unhandled"
    r"|violation|warnings?|was|went|were|what|with|work|wrong|you"
)
"""Words that any failure may be told with: a line of no others does not say which one it is."""
_PLACED_NEXT = re.compile(
    r"^error\[E\d+\]: |^[A-Z]{1,4}\d{3,4} (?:\[\*\] )?|^\s*│ Error: |\bexpect\((?:received|locator)"
    r"|invalid memory address"
)
"""What tools say in the same words wherever it is, with the place on a later line."""
_NAMED = re.compile(r"\[It\]| › |::")
_WORD = re.compile(r"[^\W\d_]+")
_TRACEBACK: Final = "Traceback (most recent call last):"
_LAST_WORDS = re.compile(
    r"##\[error\](?:Process completed with exit code|The process '.*' failed with exit code)"
    r"|^error Command failed with exit code \d+\.$"
)
_ECHO = re.compile(r"##\[(?:group|endgroup|debug|command)\]|^\s*(?:shell|env|with): |^\[command\]")
PLACE = re.compile(r"(?<![\w@])((?:[A-Za-z]:)?[\w./\\@+\-]*\w\.[A-Za-z]\w{0,9})(?:\", line |[:(]|,? line )(\d{1,7})\b")
"""A file and a line in it, as compilers, traces and test runners write it."""
_COUNTED = re.compile(
    r"0x[0-9a-f]+|\b[0-9a-f]{8,}(?:-[0-9a-f]{4,}){0,4}\b|(?:/|[A-Za-z]:\\)[\w.@+\-/\\]*[/\\](?=[\w.\-]+)|\d+(?:\.\d+)*",
    re.I,
)


@dataclass(frozen=True, slots=True)
class FirstError:
    """The error that the others follow from: its kind, and the lines that tell it, itself first. ``telling`` is the one
    of them that says which error it is, where the first one's words are any error's."""

    kind: Kind
    lines: tuple[Excerpt, ...]
    telling: Excerpt | None = None

    @property
    def text(self) -> str:
        """What it says, on one line."""
        said = (*self.lines[:1], *([self.telling] if self.telling else ()))
        return " ".join(plain.line(one.text, LINE_CHARACTERS) for one in said)

    @property
    def signature(self) -> str:
        """A name that equal errors share, whatever numbers, times, addresses and folders they mention; empty where the
        log says nothing that could be compared."""
        says_nothing = not self.lines or not _speaks(self.lines[0]) or _is_generic(self.lines[0].text)
        if says_nothing and self.telling is None:
            return ""
        said = _COUNTED.sub("#", self.text.casefold())
        return hashlib.sha256(f"{self.kind}\0{' '.join(said.split())}".encode()).hexdigest()[:16]


def first_error(shown: Sequence[Excerpt]) -> FirstError:
    """Return the first line that says in a known way what failed, an error if there is one; else the loudest line.

    What says itself that it is a warning or was tried again is told only where no other line says anything. So is that
    something could not be reached for now where a test, a compiler or a linter says what is wrong; and that a process
    ended with an exit code, which every failure says.
    """
    ordered = sorted(shown, key=lambda one: one.number)
    lines = [one for one in ordered if _speaks(one)]
    kinds = {one.number: kind for one in lines if (kind := _kind(one.text)) != "unknown"}
    last: Kind = "unknown"
    if any(_LAST_WORDS.search(one.text) and _kind(one.text) == "out-of-memory" for one in ordered):
        last = "out-of-memory"
    serious = [one for one in lines if not _is_mild(one.text)]
    first = _first(serious, kinds) or _first(lines, kinds)
    if first is None:
        return FirstError(last, tuple(one for one in ordered if _LAST_WORDS.search(one.text))[:1])
    telling = _telling(first, lines, kinds)
    following = [one for one in lines if first.number < one.number <= first.number + _NEAR]
    following.sort(key=lambda one: (one.number not in kinds, PLACE.search(one.text) is None, -one.loud, one.number))
    rest = {one.number: one for one in (*([telling] if telling else ()), *following[: _MOST - 1])}
    cited = sorted(list(rest.values())[: _MOST - 1], key=lambda one: one.number)
    return FirstError(kinds.get(first.number, last), (first, *cited), telling)


def _first(lines: Sequence[Excerpt], kinds: Mapping[int, Kind]) -> Excerpt | None:
    known = [one for one in lines if one.number in kinds]
    if known:
        bad = [one for one in known if one.loud >= ERROR or _RACES.search(one.text)]
        first = next(iter(bad), None) or next((one for one in known if one.loud >= WARNING), known[0])
        if kinds[first.number] in _PASSING:
            return next((one for one in bad if kinds[one.number] in _DECISIVE), first)
        return first
    loud = [one for one in lines if one.loud >= ERROR]
    return max(loud, key=lambda one: (one.loud, one.worth, -one.number), default=None)


def _telling(first: Excerpt, lines: Sequence[Excerpt], kinds: Mapping[int, Kind]) -> Excerpt | None:
    """Return the line that says which error it is where ``first`` does not: what was raised, the next test, place or
    error that is named, or else the one before."""
    after = [one for one in lines if one.number > first.number]
    near = [one for one in after if one.number <= first.number + _NEAR]
    if _TRACEBACK in first.text:
        depth = _depth(first.text.partition(_TRACEBACK)[0])
        raised = next((one for one in after if _depth(one.text) <= depth), None)
        if raised is not None and not _is_generic(raised.text):
            return raised
        frames = [one for one in after if PLACE.search(one.text) and (raised is None or one.number < raised.number)]
        return frames[-1] if frames else None
    if _PLACED_NEXT.search(first.text.removeprefix("##[error]")) and not PLACE.search(first.text):
        return next((one for one in near if PLACE.search(one.text)), None)
    if not _is_generic(first.text):
        return None

    def tells(one: Excerpt) -> bool:
        named = one.number in kinds or one.loud >= ERROR or PLACE.search(one.text) or _NAMED.search(one.text)
        return bool(named) and not _is_generic(one.text) and not _is_mild(one.text)

    before = [one for one in lines if one.number < first.number]
    return next((one for one in (*near, *reversed(before)) if tells(one)), None)


def _is_generic(text: str) -> bool:
    return all(_GENERIC.fullmatch(word) for word in _WORD.findall(text.removeprefix("##[error]").casefold()))


def _is_mild(text: str) -> bool:
    return bool(_MILD.search(text)) and not _RACES.search(text)


def _depth(text: str) -> int:
    return len(text) - len(text.lstrip(" \t"))


def _speaks(one: Excerpt) -> bool:
    return bool(one.text.strip()) and not _LAST_WORDS.search(one.text) and not _ECHO.search(one.text)


def _kind(text: str) -> Kind:
    said = text.removeprefix("##[error]")[:LINE_CHARACTERS]
    return next((kind for kind, pattern in _KINDS if pattern.search(said)), "unknown")

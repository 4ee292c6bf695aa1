"""Signs of trouble in a line: how loud it is by its words, its level and its colour."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final

QUIET, WARNING, ERROR, FATAL = range(4)
"""How loud a line is: nothing, a warning, a failure, the end of something (a panic, an exit reason, a kill)."""

_OF_LEVEL: Final = {"fatal": FATAL, "error": ERROR, "warning": WARNING}

_FATAL: Final = (
    r"##\[error\]",
    r"\b(?:panic(?:ked)?|fatal|segmentation fault|segfault|core dumped|oomkilled|oom-kill|out ?of ?memory|killed)\b",
    r"\bexit(?:ed|s)?(?:\s+\w+){0,3}[ :=]+(?:code|status)?[ :=]*'?-?[1-9]\d{0,2}\b",
    r"\bexit code '?-?[1-9]",
    r"\b(?:traceback|uncaught|unhandled|build failed|aborted|crash(?:ed|loop\w*)?|assert(?:ion)? ?(?:error|failed))\b",
    r"\b(?:no space left|deadlock|corrupt(?:ed|ion)?|emerg(?:ency)?|sig(?:kill|segv|abrt|bus))\b",
    r"\bOutOfMemory",
)
_ERROR: Final = (
    r"\w*(?:error|exception)s?\b",
    r"\bfail(?:s|ed|ure|ures|ing)?\b",
    r"\b(?:cannot|can't|could ?n[o']t|unable to|not found|no such|does not exist)\b",
    r"\bnot (?:accessible|permitted|allowed|available|exist)",
    r"\b(?:denied|refused|rejected|forbidden|unauthori[sz]ed|invalid|illegal|undefined|unexpected|unreachable)\b",
    r"\b(?:unresolved|time(?:d)?[ -]?out|reset by peer|broken pipe|expired|conflicts?|missing|mismatch(?:ed)?)\b",
    r"\b(?:violat(?:ed|ion|es)|overflow|exceed(?:ed|s)|exhausted|unavailable|dead|lost|back-?off)\b",
    r"\b(?:unhealthy|not ready|evict(?:ed|ing))\b",
    r"<{7}|>{7}|[✗✕✖❌]",
    r"\bHTTP[/ ]\S*\s?[45]\d\d\b|\bstatus[=: ]+5\d\d\b",
)
_WARNING: Final = (
    r"\b(?:warn(?:ing|ings)?|deprecat\w+|retry(?:ing)?|retries|slow|degraded|skipp(?:ed|ing)|stale|insufficient)\b",
    r"\b(?:terminat(?:ed|ing)|shutting down|shut ?down|restart(?:ed|ing)?|unknown|ignored)\b",
)
_VERDICT: Final = (
    r"\bFAIL(?:ED|URE|URES)?\b",
    r"\b[1-9]\d* (?:\w+ )?(?:failed|failures?)\b",
    r"\b[Ff]ound [1-9]\d* errors?\b",
    r"^\s*[✗✕✖❌×]\s",
)
"""A test run's verdict. Test runners shout it, so unlike the other words it is looked for as they spell it."""
_NAMES: Final = "error|errors|failure|exception|panic|fatal|missing|invalid|unexpected|expired|timeout"
_NOTHING_WRONG = re.compile(
    r"\b(?:0|no|zero|without|any) (?:\w+ )?(?:errors?|failures?|failed|warnings?|exceptions?|vulnerabilities)\b"
    r"|\b(?:errors?|failures?|failed|fail|warnings?|exceptions?)\s?[:=]\s?(?:(?:0|false|no|none|null)(?![\w.])|\"\"|''|\[\]|\{\})"
    r"|\bfail[-_](?:fast|on|if|ci|under)[\w-]*|\b(?:continue|fail)-on-error\b|\bif-no-files-found: \w+"
    r"|\berrexit\b|\bpipefail\b|\btimeout(?:-\w+)?\s?[:=]\s?\S+|--[\w-]+(?:=\S+)?"
    r"|\bexit(?:ed)?(?: \w+){0,2}[ :=]+(?:code |status )?0\b"
    rf"|[\w./-]{{1,80}}[-_/](?:{_NAMES})s?(?:[-_./][\w./-]{{0,80}})?(?![\w:])"
    rf"|\b(?:{_NAMES})s?[-_./](?=\w)[\w./-]{{1,80}}",
    re.I,
)
_PASSED = re.compile(r"\bPASS(?:ED)?\b|\.\.\. ok|\bok\s+\S+|\s✓\s?|^\s*[✓✔√]")
_RED = re.compile(rb"(?:\x1b|\^\[)\[(?:\d{1,3};)*(?:31|91|38;5;(?:1|9|160|196))(?:;\d{1,3})*m")


@cache
def _patterns() -> tuple[Any, Any, Any, Any]:
    """Compile the words with RE2, which looks for all of them at once: thirty times as fast as ``re`` on these."""
    import re2

    fatal, error, warning = (re2.compile("(?i)" + "|".join(words)) for words in (_FATAL, _ERROR, _WARNING))
    return fatal, error, warning, re2.compile("|".join(_VERDICT))


def loudness(text: str, level: str = "") -> int:
    """Say how loud a line is by its words and its level. Words that only name a failure (an option, a file, a passed
    test, a count of zero) do not count. Never raises."""
    logged = _OF_LEVEL.get(level, QUIET)
    sample = text[:2000]
    fatal, error, warning, verdict = _patterns()
    if error.search(sample) or fatal.search(sample) or verdict.search(sample):
        if _PASSED.search(sample):
            return logged
        sample = _NOTHING_WRONG.sub(" ", sample)
        if fatal.search(sample) or verdict.search(sample):
            return FATAL
        if error.search(sample):
            return max(logged, ERROR)
    return max(logged, WARNING if warning.search(sample) else QUIET)


def is_red(raw: bytes) -> bool:
    """Say whether a program coloured (a part of) the line red, as tools mark what failed."""
    return b"[" in raw and _RED.search(raw) is not None

"""GitHub's Markdown: a stranger's text as text, so that it links to nothing, mentions nobody and shows no picture.

GitHub makes mentions, issue references, commit links and emoji of text after Markdown was rendered, so a backslash
does not prevent them; a code span does (github.com/github/markup/issues/1168). So words that could become something
are shown as code, and in all others Markdown's own characters are escaped.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import Final

from bot.chat.mrkdwn import plain, visible

_LONGEST_FENCED: Final = 8000

_ACTIVE = re.compile(
    r"[@#`$]|\bGH-\d|://|www\.|\b(?:mailto|xmpp|ftp|https?):|:[\w+-]+:|(?<![0-9A-Za-z])[0-9a-f]{7,64}(?![0-9A-Za-z])",
    re.I,
)
_MARKS = re.compile(r"[\\*_\[\]<>~|&!^]")
_LEADING = re.compile(r"\A(\d{0,9})([-+=:.)])")


def prose(text: str, limit: int) -> str:
    """Return a stranger's ``text`` as one line of Markdown that shows at most ``limit`` of its characters."""
    words = plain(text, limit).split(" ")
    parts = []
    for active, group in groupby(words, key=lambda word: _ACTIVE.search(word) is not None):
        joined = " ".join(group)
        parts.append(code(joined) if active else _MARKS.sub(r"\\\g<0>", joined))
    # What begins a list, a rule or a heading.
    return _LEADING.sub(r"\1\\\2", " ".join(parts))


def code(text: str, limit: int = 300) -> str:
    """Return ``text`` as a code span of at most ``limit`` characters; blank text as a span that says so."""
    shown = plain(text, limit) or "(blank)"
    mark = "`" * (_longest_run(shown) + 1)
    # A span that begins or ends with a backtick needs a blank that is not shown.
    pad = " " if shown[0] == "`" or shown[-1] == "`" else ""
    return f"{mark}{pad}{shown}{pad}{mark}"


def fenced(text: str, info: str = "") -> str:
    """Return ``text``, its lines kept and its hidden characters written out, as a block of code; at most 8,000
    characters of it."""
    return exact_fence(visible(text[:_LONGEST_FENCED]), info)


def exact_fence(text: str, info: str = "") -> str:
    """Return ``text`` as a block of code, byte for byte: for what is going to be applied, not only read."""
    mark = "`" * max(3, _longest_run(text) + 1)
    body = f"{text}\n" if text else ""
    return f"{mark}{info}\n{body}{mark}"


def folded(summary: str, body: str) -> str:
    """Return ``body`` (Markdown) behind a line to click on; ``summary`` is in words of ours."""
    return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>"


def within(limit_bytes: int, *parts: str) -> str:
    """Join ``parts`` with blank lines, as many as fit into ``limit_bytes`` of UTF-8."""
    kept: list[str] = []
    room = limit_bytes
    for part in filter(None, parts):
        room -= len(part.encode("utf-8", "replace")) + 2
        if room < 0:
            break
        kept.append(part)
    return "\n\n".join(kept)


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)

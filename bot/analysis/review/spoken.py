"""Text of a pull request as its readers see it: what a page hides from people is hidden from the model too."""

from __future__ import annotations

import re
from typing import Final

from bot.analysis import plain

_LONGEST: Final = 65_536
"""Characters of a description that are looked at: as many as GitHub stores."""
_PASSES: Final = 4
_COMMENT = re.compile(r"<!--.*?(?:--!?>|\Z)|<[!?][^>]{0,2000}(?:>|\Z)", re.DOTALL)
# A link's definition is not shown, `[//]: # (like this)`; so people write comments, and attackers instructions, as one.
_DEFINITION = re.compile(r"^ {0,3}\[[^\]\n]{1,999}\]:.*$", re.MULTILINE)
_IMAGE = re.compile(r"!\[[^\]\n]{0,2000}\](?:\([^)\n]{0,2000}\)|\[[^\]\n]{0,999}\])?")
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,2000}>")


def spoken(text: str) -> str:
    """Return Markdown ``text`` without comments, link definitions, tags, images and invisible characters.

    What remains is no less hostile, but a person could have seen it. Total; reads the first 64 K characters.
    """
    shown = plain.lines(text[:_LONGEST])
    for _ in range(_PASSES):
        before, shown = shown, _TAG.sub(" ", _IMAGE.sub(" ", _DEFINITION.sub("", _COMMENT.sub(" ", shown))))
        if shown == before:
            break
    else:
        # Something that builds itself anew out of what was taken from it is not meant for readers.
        shown = shown.partition("<!")[0]
    return "\n".join(line.rstrip() for line in shown.split("\n") if line.strip())

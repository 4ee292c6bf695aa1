"""Text of a pull request as its readers see it: what a page hides from people is hidden from the model too."""

from __future__ import annotations

import re
from typing import Final

from bot.analysis import plain

_LONGEST: Final = 65_536
"""Characters of a description that are looked at: as many as GitHub stores."""
_PASSES: Final = 4
_COMMENT = re.compile(r"<!--.*?(?:--!?>|\Z)|<[!?][^>]{0,2000}+(?:>|\Z)", re.DOTALL)
# A link's title is shown to nobody who only reads; it may go on over lines, up to a blank one.
_TITLED = (
    r"(?:\"(?:\\.|[^\"\n\\]|\n(?![ \t]*\n)){0,2000}+\""
    r"|'(?:\\.|[^'\n\\]|\n(?![ \t]*\n)){0,2000}+'"
    r"|\((?:\\.|[^()\n\\]|\n(?![ \t]*\n)){0,2000}+\))"
)
# A link's definition is not shown, `[//]: # (like this)`; so people write comments, and attackers instructions, as one.
_LABEL = r"^ {0,3}\[(?:\\.|[^\[\]\n\\]|\n(?![ \t]*\n)){1,999}+\]:[ \t]*"
_DEFINITION = re.compile(
    rf"{_LABEL}(?:(?:\n[ \t]*)?\S++(?:[ \t]+|[ \t]*\n[ \t]*){_TITLED}[ \t]*$|\n[ \t]*\S+[ \t]*$|.*$)",
    re.MULTILINE,
)
_TITLE = re.compile(rf"(\]\([^\s()]{{0,2000}}(?:\([^\s()]{{0,2000}}\)[^\s()]{{0,2000}})?)\s+{_TITLED}\s*(?=\))")
_IMAGE = re.compile(r"!\[[^\]\n]{0,2000}\](?:\([^)\n]{0,2000}\)|\[[^\]\n]{0,999}\])?")
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,2000}>")


def spoken(text: str) -> str:
    """Return Markdown ``text`` without comments, link definitions, titles, tags, images and invisible characters.

    What remains is no less hostile, but a person could have seen it. Total; reads the first 64 K characters.
    """
    shown = plain.lines(text[:_LONGEST])
    for _ in range(_PASSES):
        before, shown = shown, _TAG.sub(" ", _IMAGE.sub(" ", _DEFINITION.sub("", _COMMENT.sub(" ", shown))))
        shown = _TITLE.sub(r"\1", shown)
        if shown == before:
            break
    else:
        # Something that builds itself anew out of what was taken from it is not meant for readers.
        shown = shown.partition("<!")[0]
    return "\n".join(line.rstrip() for line in shown.split("\n") if line.strip())

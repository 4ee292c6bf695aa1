"""Secrets that a change brings along: the added lines of which redaction hides something that was not there before."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from bot.analysis.review.anchors import FileAnchors, Place

RULE: Final = "secret/committed"
MESSAGE: Final = "It looks like a secret: whoever can read the repository has it, now and in its history."
_MOST: Final = 20
"""Lines of one file that are told."""
_PLACEHOLDER = re.compile(r"\[[a-z][a-z0-9-]{1,30}:[0-9a-f]{6}\]")


def committed(file: FileAnchors) -> Iterator[Place]:
    """Yield the added lines with a secret that no removed line of the file has; none of them shows it."""
    before = {found for place in file.changed("LEFT") for found in _hidden(place)}
    yield from islice((place for place in file.changed("RIGHT") if not before.issuperset(_hidden(place))), _MOST)


def _hidden(place: Place) -> list[str]:
    return [] if place.whole else _PLACEHOLDER.findall(place.text)

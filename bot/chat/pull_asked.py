"""What ``/ops review`` asks for: which pull request."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.chat.mrkdwn import plain
from bot.clients.github import is_repository

USAGE = "review <pull request>"
LONGEST = 400

_URL = re.compile(r"https?://[^\s/?#@]+/([^\s/?#]+/[^\s/?#]+)/pull/([1-9][0-9]{0,8})(?:[/?#]\S*)?")
_SHORT = re.compile(r"([^\s/#]+/[^\s/#]+)#([1-9][0-9]{0,8})")
_EXAMPLE = "`/ops review https://github.com/shop/deploy/pull/12`"


@dataclass(frozen=True, slots=True)
class PullAsked:
    """A pull request by its repository and number; ``problem`` says what is wrong."""

    repository: str = ""
    number: int = 0
    problem: str = ""

    @property
    def name(self) -> str:
        """What people call it."""
        return f"{self.repository}#{self.number}"


def read(text: str) -> PullAsked:
    """Read the text after ``/ops review``: an address, or ``OWNER/NAME#12``. Never fails."""
    typed = address(text)
    said = _URL.fullmatch(typed) or _SHORT.fullmatch(typed) if len(typed) <= LONGEST else None
    if said is None or not is_repository(said[1]):
        what = f"“{plain(typed, 80)}” is no pull request." if typed else "Which pull request?"
        return PullAsked(problem=f"{what} Write its address, as in {_EXAMPLE}.")
    return PullAsked(said[1], int(said[2]))


def address(text: str) -> str:
    """Return what was typed. Where Slack escapes it, an address stands between brackets, with or without its label."""
    typed = text.strip()
    return typed[1:-1].partition("|")[0] if typed.startswith("<") and typed.endswith(">") else typed

"""What ``/ops rerun`` asks for: the failed jobs of which CI run, or of which pull request's head."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.chat import pull_asked
from bot.chat.mrkdwn import plain
from bot.clients.github import is_repository

USAGE = "rerun <CI run or pull request>"

_RUN = re.compile(r"https?://[^\s/?#@]+/([^\s/?#]+/[^\s/?#]+)/actions/runs/([1-9][0-9]{0,14})(?:[/?#]\S*)?")
_EXAMPLE = "`/ops rerun https://github.com/shop/deploy/actions/runs/30433642`"


@dataclass(frozen=True, slots=True)
class RerunAsked:
    """A run by its repository and ``run_id``, or a pull request by ``number``; ``problem`` says what is wrong."""

    repository: str = ""
    run_id: int = 0
    number: int = 0
    problem: str = ""


def read(text: str) -> RerunAsked:
    """Read the text after ``/ops rerun``: the address of a run or pull request, or ``OWNER/NAME#12``. Never fails."""
    typed = pull_asked.address(text)
    run = _RUN.fullmatch(typed) if len(typed) <= pull_asked.LONGEST else None
    if run is not None and is_repository(run[1]):
        return RerunAsked(run[1], run_id=int(run[2]))
    pull = pull_asked.read(typed)
    if not pull.problem:
        return RerunAsked(pull.repository, number=pull.number)
    what = f"“{plain(typed, 80)}” is no run and no pull request." if typed else "Which run?"
    return RerunAsked(problem=f"{what} Write the address of one, as in {_EXAMPLE}.")

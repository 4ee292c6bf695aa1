"""The message in Slack about a CI run that failed: what, why as far as is known, and what can be done about it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.chat import rich_text as rich
from bot.chat.action_lines import ActionLine, action_lines
from bot.chat.card import Block, Card, actions, button
from bot.chat.ci_section import ci_line
from bot.chat.mrkdwn import plain, push
from bot.chat.review_words import counted
from bot.domain.ci import CiRun
from bot.domain.ci_failure import CiFailure

RERUN_ACTION = "ci.rerun"


@dataclass(frozen=True, slots=True)
class CiView:
    """Everything the message shows. ``askable``: its failed jobs can be asked to run again, and nobody has yet."""

    run: CiRun
    failures: tuple[CiFailure, ...] = ()
    actions: tuple[ActionLine, ...] = ()
    askable: bool = False


def render(view: CiView) -> Card:
    """Render a failed run for Slack."""
    run = view.run
    said = ci_line(view.failures[0]) if view.failures else "CI failed; its logs could not be read"
    more = f" and {counted(len(view.failures) - 1, 'more failure')}" if len(view.failures) > 1 else ""
    address = _web(run)
    again = f", attempt {run.attempt}" if run.attempt > 1 else ""
    called = f"{plain(run.workflow, 80)}{again}"
    branch = "" if run.on_default else f" for {plain(run.source or run.repository, 140)}:{plain(run.branch, 80)}"
    head = rich.section(
        rich.text("🔴 "),
        rich.bold(run.repository),
        rich.text(f" {said}{more} · "),
        rich.link(address, called) if address else rich.text(called),
        *([rich.text(branch)] if branch else []),
    )
    blocks: list[Block] = [rich.block(head, *action_lines(view.actions))]
    if view.askable:
        spoken = f"Ask for the failed jobs of {run.name} to run again"
        blocks.append(actions([button("Ask for a re-run", RERUN_ACTION, run.id, spoken=spoken)]))
    return Card(text=push(f"{run.repository}: {said}"), blocks=tuple(blocks))


def _web(run: CiRun) -> str:
    """Return the run's address, or nothing where that is not what GitHub would call this run."""
    expected = rf"https?://[A-Za-z0-9.:-]+/{re.escape(run.repository)}/actions/runs/{run.run_id}"
    return run.url if re.fullmatch(expected, run.url) else ""

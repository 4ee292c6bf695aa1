"""The demo command: opens the local workspace for a person, or plays the story by itself."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import tempfile
from pathlib import Path

import click

from bot.sandbox.stage import NotStarted, Stage, stage
from bot.sandbox.story import Story, StoryBroken


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--auto", is_flag=True, help="Play the story without a person and exit 0 only if every step was seen.")
@click.option("--json", "as_json", is_flag=True, help="With --auto: print the facts as one JSON object.")
@click.option("--port", type=click.IntRange(0, 65_535), default=0, help="The page's port (0: any free one).")
def demo(auto: bool, as_json: bool, port: int) -> None:
    """Show the whole job in a local workspace: an alert, its evidence and triage, a sign-off, a verified rollback."""
    if as_json and not auto:
        raise click.UsageError("--json prints the facts of the story as it is played: give --auto too.")
    sys.exit(asyncio.run(_demo(auto=auto, as_json=as_json, port=port)))


async def _demo(*, auto: bool, as_json: bool, port: int) -> int:
    with tempfile.TemporaryDirectory(prefix="signoff-demo-") as folder:
        try:
            async with stage(Path(folder), port=port) as up:
                if not auto:
                    return await _open_house(up)
                story = Story(up, quiet=as_json)
                try:
                    await story.play()
                except StoryBroken as broken:
                    story.broken = str(broken)
                click.echo(json.dumps(story.facts(), indent=2) if as_json else story.ending())
                return 0 if story.broken is None else 1
        except NotStarted as broken:
            click.echo(f"The demo ended: {broken}", err=True)
            return 1


async def _open_house(up: Stage) -> int:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    click.echo(f"\n  Open {up.page} in a browser. Everything is local; Ctrl-C ends it.\n")
    ended = [asyncio.create_task(process.wait()) for process in up.processes]
    waiting = asyncio.create_task(stopped.wait())
    await asyncio.wait([waiting, *ended], return_when=asyncio.FIRST_COMPLETED)
    if not waiting.done():
        waiting.cancel()
        raise NotStarted(f"a process ended by itself; its log says why:\n{up.log_tail()}")
    return 0

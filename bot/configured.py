"""The configuration as a command wants it: read and checked, or the reasons why not on standard error and status 2."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NoReturn

import click

if TYPE_CHECKING:
    from bot.settings import Configuration


def configuration(*, serving: bool = True) -> Configuration:
    """Return the configuration, or end the command with every problem."""
    from bot.settings import Configuration, SettingsError

    try:
        return Configuration.load(serving=serving)
    except SettingsError as error:
        lines = "\n".join(f"  {problem}" for problem in error.problems)
        fail(f"the configuration cannot be used:\n{lines}")


def fail(message: str) -> NoReturn:
    """End the command with a message."""
    click.echo(f"signoff: {message}", err=True)
    sys.exit(2)

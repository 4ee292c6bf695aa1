"""When something begins again and again: cron expressions of five fields on the clock of a time zone, and what is wrong
with one that people wrote."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo

LONGEST_SECONDS = 31 * 86_400
"""How long what begins may last: the next begins by then, with the longest month."""


def fault(cron: str) -> str:
    """Say what is wrong with a cron expression, or return an empty string."""
    from cronsim import CronSimError

    if len(cron.split()) != 5:
        return "is no cron expression of five fields: minute, hour, day of month, month, day of week"
    try:
        next(walls(cron, datetime(2026, 1, 1), back=False))  # noqa: DTZ001 - a wall clock has no zone
    except CronSimError as error:
        return f"is no cron expression: {error}"
    except StopIteration:
        return "never comes"
    return ""


def is_zone(name: str) -> bool:
    """Say whether there is such a time zone."""
    try:
        return bool(name) and zone(name) is not None
    except (OSError, ValueError):  # what is not found is a KeyError of the library's own
        return False
    except KeyError:
        return False


def walls(cron: str, start: datetime, *, back: bool) -> Iterator[datetime]:
    """Yield the wall-clock times of a cron expression, away from ``start`` and without it. Without a zone cronsim only
    counts, so that what a change of clocks means is decided here."""
    from cronsim import CronSim

    return CronSim(cron, start.replace(microsecond=0), reverse=back)


@cache
def zone(name: str) -> ZoneInfo:
    """Return a time zone. Raises what the library does for a name that it does not know."""
    return ZoneInfo(name)

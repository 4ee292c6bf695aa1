"""Episodes of one alert: it fires at most once at a time, so a start is over when a newer one is known.

Alertmanager may never say that an episode ended (it restarted, or the list was cut), and while it merges what two
Prometheis send it may move a start. Without these rules such an alert would fire for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.domain.alert import AlertStatus


@dataclass(frozen=True, slots=True)
class Episode:
    """One start of one alert. ``ends_at`` is None while it fires, or when its end is not known. ``concluded`` is an end
    that nobody told: its group was said to be over, and this alert was not named any more."""

    starts_at: int
    status: AlertStatus
    ends_at: int | None = None
    concluded: bool = False


def settle(known: Mapping[int, Episode], incoming: Iterable[Episode]) -> dict[int, Episode]:
    """Return the episodes of one fingerprint, by start, after ``incoming`` is added to ``known``, in order.

    Resolved beats firing for one start, so nothing that comes late or twice undoes what came before. A start is over
    when a newer one is known, and when the alert is said to have ended at that start or after it. An end that was only
    concluded is no such word: the alert was silenced perhaps, and fires on when it is heard of again.
    """
    now = dict(known)
    newest = max(now, default=None)
    for episode in incoming:
        start = episode.starts_at
        before = now.get(start)
        if before is None or before.status == "firing" or before.concluded:
            now[start] = episode
        if newest is None or start > newest:
            if newest is not None:
                now[newest] = _over(now[newest], start)
            newest = start
        elif start < newest:
            now[start] = _over(now[start], newest)
        if episode.status == "resolved" and episode.ends_at is not None and newest <= episode.ends_at:
            now[newest] = _over(now[newest], episode.ends_at)
    return now


def _over(episode: Episode, ends_at: int) -> Episode:
    return episode if episode.status == "resolved" else Episode(episode.starts_at, "resolved", ends_at)

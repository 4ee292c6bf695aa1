"""Windows: when actions may not run, as a pure function of the windows and an instant.

A deny window that is open holds everything it matches. If allow windows match, one of them must be open. Deny beats
allow, and what no window matches may run at any time.

A window opens at the wall-clock times of its cron expression in its time zone and lasts its duration in elapsed time.
Where clocks change, a wall-clock time may come twice (a fold) or not at all (a gap). An allow window opens at the first
of the two, and in a gap at what the time would have been had the clocks not been changed. A deny window holds from
either reading: from both of a fold, and from both before and after a gap. So in doubt nothing runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

from bot.domain import cron
from bot.domain.policy import Window

# No zone has ever moved its clocks by more in one night.
_SLACK = timedelta(hours=3)
_LOOKS = 200
_FAR = timedelta(days=400)


def hold(windows: Iterable[Window], at: int, *, cluster: str, namespaces: Sequence[str], runbook: str) -> str:
    """Say why an action on these targets may not run at ``at`` (microseconds, UTC) and from when it may, or return an
    empty string if it may."""
    concerned = matching(windows, cluster=cluster, namespaces=namespaces, runbook=runbook)
    now = _moment(at)
    closed = _closed(concerned, now)
    if not closed:
        return ""
    opens = _opens(concerned, now)
    when = (
        f"This may run from {opens:%H:%M} UTC on {opens:%Y-%m-%d}." if opens else "It is not known when this may run."
    )
    return f"{closed} {when}"


def matching(windows: Iterable[Window], *, cluster: str, namespaces: Sequence[str], runbook: str) -> list[Window]:
    """Return the windows that hold or allow an action on these targets, whenever they are open."""
    return [each for each in windows if _concerns(each, cluster, namespaces, runbook)]


def _concerns(window: Window, cluster: str, namespaces: Sequence[str], runbook: str) -> bool:
    """A window concerns an action if it matches its cluster, its runbook and any of its namespaces. What is in none, a
    node, a silence or a repository, may be about any of them: a freeze of some namespaces holds it too, and so does one
    of some clusters what is in none."""
    anywhere = window.kind == "deny" and not (namespaces and all(namespaces))
    everywhere = window.kind == "deny" and not cluster
    return (
        (not window.clusters or everywhere or cluster in window.clusters)
        and (not window.runbooks or any(fnmatchcase(runbook, each) for each in window.runbooks))
        and (
            not window.namespaces
            or anywhere
            or any(fnmatchcase(name, each) for name in namespaces for each in window.namespaces)
        )
    )


def _closed(windows: Sequence[Window], now: datetime) -> str:
    denying = next((each for each in windows if each.kind == "deny" and _ends(each, now)), None)
    if denying is not None:
        return f"A change freeze holds: {denying.why.rstrip('.')}." if denying.why else "A change freeze holds."
    allowing = [each for each in windows if each.kind == "allow"]
    if allowing and not any(_ends(each, now) for each in allowing):
        why = next((each.why.rstrip(".") for each in allowing if each.why), "")
        return f"This is outside the times it may run in: {why}." if why else "This is outside the times it may run in."
    return ""


def _opens(windows: Sequence[Window], now: datetime) -> datetime | None:
    """Return the first instant from ``now`` on at which nothing holds any more, if it is near enough to be found."""
    moment = now
    for _ in range(_LOOKS):
        if moment > now + _FAR:
            return None
        ends = [end for each in windows if each.kind == "deny" and (end := _ends(each, moment))]
        if ends:
            moment = max(ends)
        elif _closed(windows, moment):
            moment = min(_next(each, moment) for each in windows if each.kind == "allow")
        else:
            return moment
    return None


def _ends(window: Window, now: datetime) -> datetime | None:
    """Return when the window that is open at ``now`` closes, or None if it is closed."""
    lasts = timedelta(seconds=window.duration_seconds)
    local = now.astimezone(cron.zone(window.time_zone)).replace(tzinfo=None)
    for wall in cron.walls(window.cron, local + _SLACK, back=True):
        starts = _instants(window, wall)
        open_until = [start + lasts for start in starts if start <= now < start + lasts]
        if open_until:
            return max(open_until)
        if max(starts) + lasts + _SLACK < now:
            return None
    return None


def _next(window: Window, now: datetime) -> datetime:
    """Return when the window opens next after ``now``."""
    local = now.astimezone(cron.zone(window.time_zone)).replace(tzinfo=None)
    for wall in cron.walls(window.cron, local - _SLACK, back=False):
        starts = [start for start in _instants(window, wall) if start > now]
        if starts:
            return min(starts)
    return now + _FAR


def _instants(window: Window, wall: datetime) -> list[datetime]:
    """Return the instants that a wall-clock time stands for; fold=0 reads a gap with the offset before it."""
    folds = (0, 1) if window.kind == "deny" else (0,)
    zone = cron.zone(window.time_zone)
    return [wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in folds]


def _moment(at: int) -> datetime:
    return datetime.fromtimestamp(at // 1_000_000, tz=UTC)

"""Holds: why nothing of a plan's kind may run at this moment, read in the transaction that decides."""

from __future__ import annotations

from functools import partial

from sqlalchemy import Connection

from bot.approvals import windows
from bot.chat.mrkdwn import clock_utc
from bot.domain.plan import Plan
from bot.domain.policy import Window
from bot.jobs.world import World
from bot.store import runs, stops

HOUR_US = 3_600_000_000


def hold(
    connection: Connection, world: World, plan: Plan, now: int, *, broken: bool = False, begun: bool = False
) -> str:
    """Say why this plan may not run now: actions are off, a window of the configuration or of its runbook is closed, or
    it ran as often as its runbook allows. An empty string if it may. Where the glass was ``broken`` for it, closed
    windows are passed if the configuration says so; nothing else is. One that has ``begun`` is counted already.

    Whoever starts a run by it has advanced the clock before, in the transaction that writes the first call's row: so
    starts are counted one after the other, and no two are the last that is allowed."""
    stop = stops.current(connection)
    if stop is not None:
        return stop.sentence
    record = plan.record
    cluster, runbook = str(record.get("cluster", "")), str(record.get("runbook", {}).get("id", ""))
    often = "" if begun else _too_often(connection, plan, runbook, cluster, now)
    if broken and world.rules.policy.through_windows:
        return often
    own = [Window(**each) for each in record.get("windows") or ()]
    during = partial(
        windows.hold,
        at=now,
        cluster=cluster,
        namespaces=[str(target.get("namespace", "")) for target in plan.targets],
        runbook=runbook,
    )
    # Each must let it: the times that a runbook allows do not open those of the configuration.
    closed = during(world.rules.policy.windows) or during(own)
    return closed or often


def _too_often(connection: Connection, plan: Plan, runbook: str, cluster: str, now: int) -> str:
    most = int((plan.record.get("limits") or {}).get("per_hour", 0))
    begun = runs.begun(connection, runbook=runbook, cluster=cluster, since=now - HOUR_US) if most else []
    if len(begun) < most or not most:
        return ""
    where = f" in {cluster}" if cluster else ""
    again = clock_utc(sorted(begun)[-most] + HOUR_US)
    return f"It ran {len(begun)} times within an hour{where}, and its runbook allows {most}. It may from {again}."

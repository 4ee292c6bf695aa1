"""Holds: why nothing of a plan's kind may run at this moment, read in the transaction that decides."""

from __future__ import annotations

from sqlalchemy import Connection

from bot.approvals import windows
from bot.domain.plan import Plan
from bot.jobs.world import World
from bot.store import stops


def hold(connection: Connection, world: World, plan: Plan, now: int) -> str:
    """Say why this plan may not run now: actions are off, or a window is closed. An empty string if it may."""
    stop = stops.current(connection)
    if stop is not None:
        return stop.sentence
    record = plan.record
    return windows.hold(
        world.rules.policy.windows,
        now,
        cluster=str(record.get("cluster", "")),
        namespaces=[str(target.get("namespace", "")) for target in plan.targets],
        runbook=str(record.get("runbook", {}).get("id", "")),
    )

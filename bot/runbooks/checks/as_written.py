"""as-written: the object still has what the run wrote."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.runbooks.access import Access
from bot.runbooks.checks.check import Look
from bot.runbooks.resources import (
    CONFIG_MAP,
    CRON_JOB,
    DAEMON_SET,
    DEPLOYMENT,
    ISSUE,
    NODE,
    POD,
    PULL_REQUEST,
    STATEFUL_SET,
    Verb,
)
from bot.runbooks.target import Target


class AsWritten:
    """Only asks that the object is there: that nobody changed what was written is looked at for every check."""

    name = "as-written"
    waits_for = "the target still has what was written"
    kinds = frozenset(
        each.kind
        for each in (CONFIG_MAP, CRON_JOB, DAEMON_SET, DEPLOYMENT, ISSUE, NODE, POD, PULL_REQUEST, STATEFUL_SET)
    )
    verbs: frozenset[Verb] = frozenset()

    async def look(self, access: Access, target: Target, live: Mapping[str, Any] | None) -> Look:
        """Look whether it exists."""
        if live is None or (target.uid and live["metadata"]["uid"] != target.uid):
            return Look(False, None, None, f"{target} no longer exists.")
        return Look(True, None, None, f"{target} is as the run left it.")

"""revert-opened: the pull request that takes another one back is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.runbooks.access import Access
from bot.runbooks.checks.check import Look
from bot.runbooks.resources import PULL_REQUEST, Verb
from bot.runbooks.target import Target


class RevertOpened:
    """Says what people have to do next: a revert helps when it is merged and deployed, which is not ours to do."""

    name = "revert-opened"
    waits_for = "the pull request that takes it back is merged"
    kinds = frozenset({PULL_REQUEST.kind})
    verbs: frozenset[Verb] = frozenset()

    async def look(self, access: Access, target: Target, live: Mapping[str, Any] | None) -> Look:
        """Judge what was read after the run."""
        made = (live or {}).get("revert")
        if not made:
            return Look(False, None, None, f"There is no pull request that takes {target} back.")
        name = f"{target.namespace}#{made['number']}"
        if made["state"] == "open":
            return Look(True, None, None, f"{name} takes {target} back. Review and merge it.")
        return Look(made["state"] == "merged", None, None, f"{name}, which takes {target} back, is {made['state']}.")

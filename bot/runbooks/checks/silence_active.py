"""silence-active: the Alertmanager has the silence, and it holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.runbooks.access import Access
from bot.runbooks.checks.check import Look
from bot.runbooks.resources import SILENCE, Verb
from bot.runbooks.target import Target


class SilenceActive:
    """Reads the silence's own state."""

    name = "silence-active"
    waits_for = "the silence holds"
    kinds = frozenset({SILENCE.kind})
    verbs: frozenset[Verb] = frozenset()

    async def look(self, access: Access, target: Target, live: Mapping[str, Any] | None) -> Look:
        """Judge the silence as it was read."""
        state = str(((live or {}).get("status") or {}).get("state", "missing"))
        return Look(state == "active", None, None, f"The silence is {state}.")


class SilenceExpired:
    """silence-expired: it is over, or is not there any more."""

    name = "silence-expired"
    waits_for = "the silence is over"
    kinds = frozenset({SILENCE.kind})
    verbs: frozenset[Verb] = frozenset()

    async def look(self, access: Access, target: Target, live: Mapping[str, Any] | None) -> Look:
        """Judge the silence as it was read; Alertmanager forgets expired ones after a while."""
        state = str(((live or {}).get("status") or {}).get("state", "gone"))
        return Look(state in ("expired", "gone"), None, None, f"The silence is {state}.")

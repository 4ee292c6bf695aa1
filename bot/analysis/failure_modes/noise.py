"""The alert is meant to fire: a watchdog of the alerting pipeline, or an alert that only silences others."""

from __future__ import annotations

from collections.abc import Iterator

from bot.analysis.facts import Facts
from bot.analysis.suspicion import Depth, Suspicion

_WATCHDOGS = frozenset(
    {"watchdog", "deadmansswitch", "deadmanswitch", "deadmanssnitch", "prometheusalertmanagere2edeadmanswitch"}
)
_INHIBITORS = frozenset({"infoinhibitor"})


def suspect(facts: Facts) -> Iterator[Suspicion]:
    """Recognise such alerts by their well-known names alone: anything softer could be made to hide a real one."""
    name = facts.incident.labels.get("alertname", "")
    known = name.replace("-", "").replace("_", "").replace("'", "").lower()
    if known in _WATCHDOGS:
        said = (
            f"{name} always fires, as a health check of the alerting pipeline: it is expected, not an issue, and no "
            "action is needed. It would mean trouble if it stopped."
        )
    elif known in _INHIBITORS:
        said = f"{name} is expected: it only silences informational alerts beside it, and no action is needed."
    else:
        return
    yield Suspicion("noise", said, said, "high", Depth.STATED, evidence=(), severity="low")

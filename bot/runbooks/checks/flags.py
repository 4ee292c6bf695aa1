"""Preconditions that read one yes-or-no field: paused, cordoned, suspended, each in both senses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.runbooks.checks.check import Observed
from bot.runbooks.resources import CRON_JOB, DEPLOYMENT, NODE, Resource


class Flag:
    """Holds while ``spec.<field>`` is ``wanted``; absent counts as false, as it does in Kubernetes."""

    arguments: Mapping[str, Mapping[str, Any]] = {}

    def __init__(
        self, name: str, resource: Resource, field: str, wanted: bool, *, on: str, off: str, hint: str
    ) -> None:
        self.name = name
        self.kinds = frozenset({resource.kind})
        self._kind, self._field, self._wanted = resource.kind, field, wanted
        self._on, self._off, self._hint = on, off, hint

    def observe(self, live: Mapping[str, Any], arguments: Mapping[str, Any]) -> Observed:
        """Read the field."""
        value = bool(live["spec"].get(self._field))
        holds = value is self._wanted
        said = f"{self._kind} {live['metadata']['name']} is {self._on if value else self._off}"
        return Observed(holds, value, f"{said}." if holds else f"{said}; {self._hint}.")


FLAGS = (
    Flag(
        "rollout-paused",
        DEPLOYMENT,
        "paused",
        True,
        on="paused",
        off="not paused",
        hint="there is nothing to resume",
    ),
    Flag(
        "node-schedulable",
        NODE,
        "unschedulable",
        False,
        on="cordoned",
        off="schedulable",
        hint="it is cordoned already",
    ),
    Flag("node-cordoned", NODE, "unschedulable", True, on="cordoned", off="schedulable", hint="cordon it first"),
    Flag(
        "cron-job-active", CRON_JOB, "suspend", False, on="suspended", off="active", hint="there is nothing to suspend"
    ),
    Flag(
        "cron-job-suspended", CRON_JOB, "suspend", True, on="suspended", off="active", hint="there is nothing to resume"
    ),
)

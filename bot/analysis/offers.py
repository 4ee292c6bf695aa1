"""What analysis knows of a runbook: enough to offer it to an analyst and to check what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class RunbookOffer:
    """One runbook on offer. ``parameters`` is its JSON Schema; ``target_kinds`` are kinds like ``Deployment``."""

    id: str
    title: str
    description: str
    risk: str
    parameters: Mapping[str, Any]
    target_kinds: tuple[str, ...]

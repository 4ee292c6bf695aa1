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


def proposable(offer: RunbookOffer) -> bool:
    """Whether an analyst can name an object and fill in the rest without free text; what can never pass the check of
    an answer is not offered, and costs no tokens."""
    declared: Mapping[str, Mapping[str, Any]] = offer.parameters["properties"]
    kinds = {kind.lower() for kind in offer.target_kinds} & set(declared)
    if not kinds or "namespace" not in declared:
        return False
    others = [declared[name] for name in offer.parameters.get("required", ()) if name not in (*kinds, "namespace")]
    return all("enum" in rules or rules["type"] != "string" for rules in others)

"""What analysis knows of a runbook: enough to offer it to an analyst and to check what comes back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from bot.domain.runbook import Runbook

ON_GITHUB = frozenset({"PullRequest", "Issue", "Workflow", "WorkflowRun"})
_SECOND_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class RunbookOffer:
    """One runbook on offer. ``parameters`` is its JSON Schema; ``target_kinds`` are kinds like ``Deployment``."""

    id: str
    title: str
    description: str
    risk: str
    parameters: Mapping[str, Any]
    target_kinds: tuple[str, ...]

    @classmethod
    def of(cls, runbook: Runbook) -> Self:
        """Return what an analyst may know of a runbook."""
        return cls(
            id=runbook.id,
            title=runbook.title,
            description=runbook.description,
            risk=runbook.risk,
            parameters=runbook.parameters,
            target_kinds=(runbook.target.kind,),
        )

    @property
    def place(self) -> str:
        """The parameter that says where the object is: on GitHub its repository, else its namespace."""
        return "repository" if self.on_github else "namespace"

    @property
    def names(self) -> Mapping[str, str]:
        """The parameters that may name an object, each with the kind that it is called after: ``deployment``,
        ``stateful_set`` or ``statefulset``."""
        return {_SECOND_WORD.sub(between, kind).lower(): kind for kind in self.target_kinds for between in ("_", "")}

    @property
    def on_github(self) -> bool:
        """Whether it acts on GitHub, for which there is a credential of its own."""
        return bool(set(self.target_kinds) & ON_GITHUB)


def proposable(offer: RunbookOffer) -> bool:
    """Whether an analyst can name an object and fill in the rest without free text; what can never pass the check of
    an answer is not offered, and costs no tokens."""
    declared: Mapping[str, Mapping[str, Any]] = offer.parameters["properties"]
    kinds = set(offer.names) & set(declared)
    if not kinds or offer.place not in declared:
        return False
    others = [declared[name] for name in offer.parameters.get("required", ()) if name not in (*kinds, offer.place)]
    return all("enum" in rules or rules["type"] != "string" for rules in others)

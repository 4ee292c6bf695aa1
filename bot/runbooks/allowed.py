"""What the configuration says that allows the calls of a plan: bound in it, so that a change voids the approval.

Only what concerns a call is in it: of the registries those that its image is from, of the namespaces and repositories
whether its own is listed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bot.runbooks.access import Access, AccessFailed
from bot.runbooks.actions import ACTIONS
from bot.runbooks.actions.action import fingerprint
from bot.runbooks.resources import GITHUB_API
from bot.runbooks.target import Target

Json = Mapping[str, Any]


def allowed_by(
    targets: Sequence[Json], calls: Iterable[Json], access: Access, registries: Sequence[str]
) -> dict[str, str]:
    """Return, by the key of the configuration that says it, the digest of what allows the calls of a record."""
    said: dict[str, list[Any]] = {}

    def note(found: Json) -> None:
        for key, value in found.items():
            said.setdefault(key, []).append(value)

    for each in map(Target.of_record, targets):
        if each.resource.api_version == GITHUB_API:
            note({"github.repositories": [each.namespace, access.listens_to(each.namespace)]})
        elif each.resource.in_kubernetes and each.resource.namespaced:
            note({f"clusters.{each.cluster}.acts_in": [each.namespace, not access.barred(each.namespace)]})
    for call in calls:
        target = Target.of_record(targets[call["target"]])
        try:
            note(ACTIONS[call["action"]].allowed_by(target, call["with"], access, registries))
        except AccessFailed as failure:
            note({str(target): failure.sentence})
    return {key: fingerprint({"said": values}) for key, values in said.items()}


def changed(record: Json, access: Access, registries: Sequence[str]) -> list[str]:
    """Return the keys of the configuration that no longer say what they said when the plan was made."""
    before: Json = record.get("allowed_by") or {}
    now = allowed_by(record["targets"], record["calls"], access, registries)
    return sorted(key for key in {*before, *now} if before.get(key) != now.get(key))

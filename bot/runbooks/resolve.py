"""Resolving: from what a runbook says of its targets to the objects that there are, within the bounds it sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.clients.kubernetes import is_name
from bot.domain.runbook import Where
from bot.runbooks import node_pods, template
from bot.runbooks.access import Access
from bot.runbooks.refusal import Refusal
from bot.runbooks.resources import KINDS, Resource
from bot.runbooks.target import Target, controller

Json = Mapping[str, Any]

MOST_TARGETS = 200
"""Targets of one plan: each is read, rehearsed and recorded."""
_MOST_LISTED = 2_000


@dataclass(frozen=True, slots=True)
class Found:
    """A target, and the object as it was listed; None where it has not been read yet."""

    target: Target
    live: Json | None = None


async def resolve(where: Where, scope: template.Scope, access: Access) -> list[Found] | Refusal:
    """Return the targets, in the order of their names. Raises ``AccessFailed``."""
    resource = KINDS[where.kind]
    filled = template.fill(
        {"namespace": where.namespace, "name": where.name, "on_node": where.on_node, "selector": dict(where.selector)},
        scope,
    )
    namespace = str(filled["namespace"])
    if where.namespaces and namespace not in where.namespaces:
        accepted = ", ".join(where.namespaces)
        return Refusal("parameters", f"Namespace {namespace[:63]} is not accepted; this runbook is for {accepted}.")
    barred = access.barred(namespace) if resource.in_kubernetes and namespace else ""
    if barred:
        return Refusal("parameters", barred)
    if where.on_node or where.selector:
        return await _several(where, resource, namespace, filled, access)
    aim = Target(access.cluster, resource, namespace, str(filled["name"]))
    if resource.in_kubernetes and not (is_name(aim.name) and (not namespace or is_name(namespace))):
        return Refusal("parameters", f"{aim} cannot be the name of a Kubernetes object.")
    return [Found(aim)]


async def _several(
    where: Where, resource: Resource, namespace: str, filled: Json, access: Access
) -> list[Found] | Refusal:
    for name in (namespace, str(filled["on_node"])):
        if name and not is_name(name):
            return Refusal("parameters", f"{name[:100]} cannot be the name of a Kubernetes object.")
    if where.on_node:
        what = f"pods on node {filled['on_node']}"
        left = await node_pods.on_node(access, str(filled["on_node"]))
        items = [pod for pod in left if not pod["metadata"].get("deletionTimestamp")]
        whole = len(items)
    else:
        selector = ",".join(f"{key}={value}" for key, value in sorted(filled["selector"].items()))
        what = f"{resource.plural} of namespace {namespace} with {selector}"
        items = await access.items(resource, namespace, selector, limit=MOST_TARGETS + 1)
        whole = len(items)
        if where.reach.max_percent < 100:
            whole = len(await access.items(resource, namespace, limit=_MOST_LISTED))
    most = min(where.reach.max_targets, MOST_TARGETS)
    if not items:
        return Refusal("no-target", f"There are no {what} in cluster {access.cluster}, so there is nothing to do.")
    if len(items) > most:
        return Refusal("too-many", f"There are {len(items)} or more {what}, and this runbook touches at most {most}.")
    if len(items) * 100 > whole * where.reach.max_percent:
        return Refusal(
            "too-many",
            f"{len(items)} of {whole} {resource.plural} would be touched, "
            f"and this runbook touches at most {where.reach.max_percent} % of them.",
        )
    found = [Found(of_object(item, resource, access.cluster), item) for item in items]
    return sorted(found, key=lambda each: (each.target.namespace, each.target.name))


def of_object(live: Json, resource: Resource, cluster: str) -> Target:
    """Return the target that an object is."""
    metadata = live["metadata"]
    return Target(
        cluster, resource, str(metadata.get("namespace", "")), metadata["name"], metadata["uid"], controller(live)
    )

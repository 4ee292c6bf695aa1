"""The rights that Signoff needs, as Role documents: one to read evidence, one with exactly the runbooks' verbs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from bot.domain.runbook import Runbook, Where
from bot.runbooks.actions import ACTIONS
from bot.runbooks.catalogue import Catalogue
from bot.runbooks.checks import HEALTH
from bot.runbooks.resources import KINDS, Verb

READER = "signoff-reader"
RUNNER = "signoff-runner"
_API = "rbac.authorization.k8s.io/v1"

# What the collectors of bot/evidence read. Never configmaps or secrets: what cannot be read cannot leak.
_READ: Mapping[str, tuple[str, ...]] = {
    "": ("events", "pods", "services"),
    "apps": ("controllerrevisions", "daemonsets", "deployments", "replicasets", "statefulsets"),
    "batch": ("cronjobs", "jobs"),
}


def reader() -> frozenset[Verb]:
    """The rights of the collectors."""
    kinds = [(group, resource) for group, resources in _READ.items() for resource in resources]
    verbs = {Verb(group, resource, verb) for group, resource in kinds for verb in ("get", "list")}
    return frozenset(verbs | {Verb("", "pods/log", "get")})


def runner(runbooks: Iterable[Runbook]) -> frozenset[Verb]:
    """The rights that planning, running and verifying these runbooks takes, and no other."""
    verbs: set[Verb] = set()
    for runbook in runbooks:
        verbs |= _reading(runbook.target)
        verification = HEALTH.get(runbook.verification.check.check)
        verbs |= verification.verbs if verification else frozenset()
        for step in runbook.steps:
            where = step.where or runbook.target
            verbs |= _reading(where) | _acting(step.action, where)
            if step.undo:
                verbs |= _acting(step.undo.action, where)
            if step.action == "wait-until":
                verbs |= HEALTH[step.arguments["check"]].verbs
    return frozenset(verbs)


def _reading(where: Where) -> frozenset[Verb]:
    resource = KINDS[where.kind]
    if not resource.in_kubernetes:
        return frozenset()
    everywhere = bool(where.on_node)
    verbs = {resource.verb("get", cluster_wide=everywhere)}
    if where.selector or where.on_node:
        verbs.add(resource.verb("list", cluster_wide=everywhere))
    return frozenset(verbs)


def _acting(action: str, where: Where) -> frozenset[Verb]:
    """What an action takes on one of the kinds it can be done to: not what it would take on the others."""
    others = {KINDS[each].plural for each in ACTIONS[action].kinds if each != where.kind}
    needed = (verb for verb in ACTIONS[action].verbs if verb.resource.partition("/")[0] not in others)
    return frozenset(replace(verb, cluster_wide=verb.cluster_wide or bool(where.on_node)) for verb in needed)


def roles(
    catalogue: Catalogue, namespaces: Sequence[str], account_namespace: str, *, nodes: bool = False
) -> list[dict[str, Any]]:
    """Return the Role and RoleBinding of the reader and of the runner for each namespace; without namespaces, none.

    They are bound to service accounts of the same names in ``account_namespace``. What the runbooks need outside of
    namespaces (to cordon and drain nodes) is a ClusterRole of the runner, only with ``nodes``.
    """
    needed = {READER: reader(), RUNNER: runner(catalogue.runbooks.values())}
    documents: list[dict[str, Any]] = []
    for namespace in namespaces:
        for name, verbs in needed.items():
            metadata = {"name": name, "namespace": namespace}
            account = {"kind": "ServiceAccount", "name": name, "namespace": account_namespace}
            reference = {"apiGroup": _API.partition("/")[0], "kind": "Role", "name": name}
            documents += [
                {"apiVersion": _API, "kind": "Role", "metadata": metadata, "rules": rules(namespaced(verbs))},
                {
                    "apiVersion": _API,
                    "kind": "RoleBinding",
                    "metadata": metadata,
                    "roleRef": reference,
                    "subjects": [account],
                },
            ]
    wide = frozenset(verb for verb in needed[RUNNER] if verb.cluster_wide)
    if nodes and wide:
        metadata = {"name": f"{RUNNER}-nodes"}
        account = {"kind": "ServiceAccount", "name": RUNNER, "namespace": account_namespace}
        reference = {"apiGroup": _API.partition("/")[0], "kind": "ClusterRole", "name": f"{RUNNER}-nodes"}
        documents += [
            {"apiVersion": _API, "kind": "ClusterRole", "metadata": metadata, "rules": rules(wide)},
            {
                "apiVersion": _API,
                "kind": "ClusterRoleBinding",
                "metadata": metadata,
                "roleRef": reference,
                "subjects": [account],
            },
        ]
    return documents


def namespaced(verbs: Iterable[Verb]) -> frozenset[Verb]:
    """The rights that a Role can grant."""
    return frozenset(verb for verb in verbs if not verb.cluster_wide)


def rules(verbs: Iterable[Verb]) -> list[dict[str, list[str]]]:
    """Write rights as the rules of a Role: one rule for the resources of a group that share their verbs."""
    shared: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (group, resource), each in groupby(sorted(verbs), key=lambda verb: (verb.group, verb.resource)):
        shared.setdefault((group, tuple(verb.verb for verb in each)), []).append(resource)
    return [
        {"apiGroups": [group], "resources": resources, "verbs": list(names)}
        for (group, names), resources in sorted(shared.items())
    ]

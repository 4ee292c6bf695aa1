"""The rights that Signoff needs, as Role documents: one to read evidence, one with exactly the runbooks' verbs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from bot.domain.runbook import Runbook
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
        verbs.add(KINDS[runbook.target["kind"]].verb("get"))
        verbs |= HEALTH[runbook.verification.check.check].verbs
        for step in runbook.steps:
            verbs |= ACTIONS[step.action].verbs
    return frozenset(verbs)


def roles(catalogue: Catalogue, namespaces: Sequence[str], account_namespace: str) -> list[dict[str, Any]]:
    """Return the Role and RoleBinding of the reader and of the runner for each namespace; without namespaces, none.

    They are bound to service accounts of the same names in ``account_namespace``.
    """
    needed = {READER: reader(), RUNNER: runner(catalogue.runbooks.values())}
    documents: list[dict[str, Any]] = []
    for namespace in namespaces:
        for name, verbs in needed.items():
            metadata = {"name": name, "namespace": namespace}
            account = {"kind": "ServiceAccount", "name": name, "namespace": account_namespace}
            reference = {"apiGroup": _API.partition("/")[0], "kind": "Role", "name": name}
            documents += [
                {"apiVersion": _API, "kind": "Role", "metadata": metadata, "rules": rules(verbs)},
                {
                    "apiVersion": _API,
                    "kind": "RoleBinding",
                    "metadata": metadata,
                    "roleRef": reference,
                    "subjects": [account],
                },
            ]
    return documents


def rules(verbs: Iterable[Verb]) -> list[dict[str, list[str]]]:
    """Write rights as the rules of a Role: one rule for the resources of a group that share their verbs."""
    shared: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (group, resource), each in groupby(sorted(verbs), key=lambda verb: (verb.group, verb.resource)):
        shared.setdefault((group, tuple(verb.verb for verb in each)), []).append(resource)
    return [
        {"apiGroups": [group], "resources": resources, "verbs": list(names)}
        for (group, names), resources in sorted(shared.items())
    ]

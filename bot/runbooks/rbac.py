"""The rights that Signoff needs, as Role documents: one to read evidence, one with exactly the runbooks' verbs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from bot.domain.runbook import Runbook
from bot.runbooks.actions import ACTIONS
from bot.runbooks.checks import HEALTH
from bot.runbooks.resources import KINDS, Verb

READER = "signoff-reader"
RUNNER = "signoff-runner"

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


def roles(runbooks: Iterable[Runbook], namespaces: Sequence[str]) -> list[dict[str, Any]]:
    """Return the reader's and the runner's Role for each namespace; without namespaces there are none."""
    documents = []
    needed = {READER: reader(), RUNNER: runner(runbooks)}
    for namespace in namespaces:
        for name, verbs in needed.items():
            documents.append(
                {
                    "apiVersion": "rbac.authorization.k8s.io/v1",
                    "kind": "Role",
                    "metadata": {"name": name, "namespace": namespace},
                    "rules": rules(verbs),
                }
            )
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

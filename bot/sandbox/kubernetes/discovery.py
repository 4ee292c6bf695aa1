"""What the server says about itself: versions, groups, resources.

Source: https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api (the unaggregated form).
"""

from __future__ import annotations

from typing import Any

from bot.sandbox.kubernetes.resources import REVIEWS, SERVED, Resource

Json = dict[str, Any]

_VERBS = ["create", "delete", "get", "list", "patch", "update"]


def version(git_version: str) -> Json:
    """`/version`."""
    major, minor = git_version.removeprefix("v").split(".")[:2]
    return {
        "major": major,
        "minor": minor,
        "gitVersion": git_version,
        "gitCommit": "0" * 40,
        "gitTreeState": "clean",
        "buildDate": "2026-06-01T00:00:00Z",
        "goVersion": "go1.26.1",
        "compiler": "gc",
        "platform": "linux/amd64",
    }


def answer(path: str, git_version: str) -> Json | str | None:
    """The answer to a GET of a discovery path: JSON, plain text, or None when there is no such path."""
    path = path.rstrip("/")
    if path in ("/healthz", "/livez", "/readyz"):
        return "ok"
    if path == "/version":
        return version(git_version)
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
    groups = sorted({(r.group, r.version) for r in (*SERVED, *REVIEWS) if r.group})
    if path == "/apis":
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(*pair) for pair in groups]}
    if path == "/api/v1":
        return _resources("", "v1")
    parts = path.split("/")
    if len(parts) == 3 and parts[1] == "apis":
        return next((_group(*pair) for pair in groups if pair[0] == parts[2]), None)
    if len(parts) == 4 and parts[1] == "apis" and (parts[2], parts[3]) in groups:
        return _resources(parts[2], parts[3])
    return None


def _group(name: str, group_version: str) -> Json:
    entry = {"groupVersion": f"{name}/{group_version}", "version": group_version}
    return {"kind": "APIGroup", "apiVersion": "v1", "name": name, "versions": [entry], "preferredVersion": entry}


def _resources(group: str, group_version: str) -> Json:
    entries: list[Json] = []
    for resource in (*SERVED, *REVIEWS):
        if (resource.group, resource.version) == (group, group_version):
            entries.append(_entry(resource))
            entries += [_subresource(resource, name) for name in resource.subresources]
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": f"{group}/{group_version}" if group else group_version,
        "resources": entries,
    }


def _entry(resource: Resource) -> Json:
    return {
        "name": resource.plural,
        "singularName": resource.kind.lower(),
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": ["create"] if resource in REVIEWS else _VERBS,
        **({"shortNames": list(resource.short_names)} if resource.short_names else {}),
    }


def _subresource(resource: Resource, name: str) -> Json:
    entry: Json = {"name": f"{resource.plural}/{name}", "singularName": "", "namespaced": True}
    if name == "scale":
        return entry | {"group": "autoscaling", "version": "v1", "kind": "Scale", "verbs": ["get", "patch", "update"]}
    if name == "eviction":
        return entry | {"group": "policy", "version": "v1", "kind": "Eviction", "verbs": ["create"]}
    return entry | {"kind": resource.kind, "verbs": ["get"]}

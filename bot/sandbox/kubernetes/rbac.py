"""Who may do what: RBAC rules over request attributes, and the sentence that a refusal carries.

Sources: plugin/pkg/auth/authorizer/rbac/rbac.go (`RuleAllows`, the refusal's sentence),
pkg/apis/rbac/v1/evaluation_helpers.go (the matching), and the bootstrap policy's `system:basic-user`,
`system:discovery` and `system:public-info-viewer` roles for what everybody may.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bot.sandbox.kubernetes.resources import REVIEWS, RequestInfo

Json = dict[str, Any]

_PUBLIC: Final = ("/healthz", "/livez", "/readyz", "/version")
_DISCOVERY: Final = ("/api", "/api/", "/apis", "/apis/", "/openapi/")


@dataclass(frozen=True)
class Denial:
    """A right that the control API took away, whatever the roles say. Empty fields match anything."""

    identity: str = ""
    verb: str = ""
    resource: str = ""

    def hits(self, identity: str, info: RequestInfo) -> bool:
        """Whether this request is one that is denied."""
        return (
            info.is_resource
            and self.identity in ("", identity)
            and self.verb in ("", info.verb)
            and self.resource in ("", info.resource_path)
        )


def is_public(info: RequestInfo) -> bool:
    """What even a caller without a token may read."""
    return not info.is_resource and info.verb == "get" and info.path.startswith(_PUBLIC)


def allows(roles: Sequence[Mapping[str, Any]], info: RequestInfo) -> bool:
    """Whether one of the roles allows the request.

    A `Role` counts in its `metadata.namespace` only, a `ClusterRole` everywhere (as if bound to the
    identity by a ClusterRoleBinding).
    """
    if is_public(info) or _everybody(info):
        return True
    return any(
        _in_scope(role, info.namespace if info.is_resource else "")
        and any(_rule_allows(rule, info) for rule in role.get("rules") or [])
        for role in roles
    )


def _everybody(info: RequestInfo) -> bool:
    if info.is_resource:
        return info.verb == "create" and any(
            info.group == review.group and info.resource == review.plural for review in REVIEWS
        )
    return info.verb == "get" and info.path.startswith(_DISCOVERY)


def _in_scope(role: Mapping[str, Any], namespace: str) -> bool:
    if role.get("kind") == "ClusterRole":
        return True
    own = (role.get("metadata") or {}).get("namespace")
    return role.get("kind") == "Role" and bool(namespace) and own == namespace


def _rule_allows(rule: Mapping[str, Any], info: RequestInfo) -> bool:
    verbs = rule.get("verbs") or []
    if "*" not in verbs and info.verb not in verbs:
        return False
    if not info.is_resource:
        return any(
            url == "*" or url == info.path or (url.endswith("*") and info.path.startswith(url[:-1]))
            for url in rule.get("nonResourceURLs") or []
        )
    groups = rule.get("apiGroups") or []
    if "*" not in groups and info.group not in groups:
        return False
    resources = rule.get("resources") or []
    wanted = {"*", info.resource_path}
    if info.subresource:
        wanted.add(f"*/{info.subresource}")
    if not wanted & set(resources):
        return False
    names = rule.get("resourceNames") or []
    return not names or info.name in names


def explain(user: str, info: RequestInfo) -> str:
    """The sentence of a refusal, from `User` on."""
    if not info.is_resource:
        return f'User "{user}" cannot {info.verb} path "{info.path}"'
    scope = f'in the namespace "{info.namespace}"' if info.namespace else "at the cluster scope"
    return f'User "{user}" cannot {info.verb} resource "{info.resource_path}" in API group "{info.group}" {scope}'


def rules_in(roles: Sequence[Mapping[str, Any]], namespace: str) -> tuple[list[Json], list[Json]]:
    """The resource rules and non-resource rules that hold in `namespace`, for a SelfSubjectRulesReview."""
    resource_rules: list[Json] = [
        {
            "verbs": ["create"],
            "apiGroups": ["authorization.k8s.io"],
            "resources": [review.plural for review in REVIEWS],
        }
    ]
    other_rules: list[Json] = [
        {"verbs": ["get"], "nonResourceURLs": ["/healthz", "/livez", "/readyz", "/version", "/version/"]},
        {"verbs": ["get"], "nonResourceURLs": ["/api", "/api/*", "/apis", "/apis/*"]},
    ]
    for role in roles:
        if not _in_scope(role, namespace):
            continue
        for rule in role.get("rules") or []:
            if rule.get("nonResourceURLs"):
                other_rules.append({"verbs": list(rule["verbs"]), "nonResourceURLs": list(rule["nonResourceURLs"])})
            else:
                keys = ("verbs", "apiGroups", "resources", "resourceNames")
                resource_rules.append({key: list(rule[key]) for key in keys if rule.get(key)})
    return resource_rules, other_rules

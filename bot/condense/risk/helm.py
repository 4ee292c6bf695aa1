"""Risk rules for Helm charts: their metadata, values and templates."""

from __future__ import annotations

import re
from typing import Final

from bot.condense.risk.literals import NEVER
from bot.condense.risk.rule import Added, Changed, Gone, Rule, Touched

PATHS: Final = re.compile(
    r"(?:^|/)(?:chart|requirements|values[^/]*|helmfile[^/]*|helmrelease[^/]*)\.ya?ml$"
    r"|(?:^|/)templates/[^/].*\.(?:ya?ml|tpl|txt)$|\.tpl$",
    re.I,
)

_GUARDS: Final = (
    r"podDisruptionBudget|pdb|livenessProbe|readinessProbe|startupProbe|autoscaling|hpa"
    r"|(?:pod|container)?SecurityContext"
)
_ENABLED = re.compile(r"\benabled[\"']?\s*:\s*[\"']?(true|false)")


def _switched_off(old: str, new: str) -> bool:
    before, after = _ENABLED.search(old), _ENABLED.search(new)
    return before is not None and after is not None and (before[1], after[1]) == ("true", "false")


RULES: Final[tuple[Rule, ...]] = (
    Gone(
        "helm/guard-removed",
        "medium",
        r"\{\{-?\s*(?:fail|required)\b",
        "A check that stopped a bad installation is gone.",
    ),
    Gone(
        "helm/keep-removed",
        "high",
        r"helm\.sh/resource-policy",
        "What kept this object when the release is uninstalled is gone.",
    ),
    Added(
        "helm/hook",
        "medium",
        r"helm\.sh/hook(?:-delete-policy)?\b",
        "A hook runs outside of the release: it is not rolled back with it.",
    ),
    Added(
        "helm/lookup",
        "low",
        r"\{\{[^}]*\b(?:lookup|tpl|randAlphaNum|genCA|genSelfSignedCert)\b",
        "The result depends on the cluster or on chance: what is rendered here is not what will be applied.",
    ),
    Gone(
        "helm/network-policy-off",
        "critical",
        r"^[\s\"']*enabled[\"']?\s*:\s*[\"']?true",
        "The chart makes no network policy any more: traffic that it refused may flow.",
        within=r"(?i)^[\"']?networkPolic(?:y|ies)[\"']?\s*:",
    ),
    Gone(
        "helm/guard-switched-off",
        "high",
        r"^[\s\"']*enabled[\"']?\s*:\s*[\"']?true",
        "The chart makes no such guard any more: pods go without what kept them apart, alive or in bounds.",
        within=rf"(?i)^[\"']?(?:{_GUARDS})[\"']?\s*:",
    ),
    Changed(
        "helm/guard-switched-off-inline",
        "high",
        rf"(?i)\b(networkPolic(?:y|ies)|{_GUARDS})[\"']?\s*:\s*(\{{.*)",
        "{key} is off: the chart makes no such guard any more.",
        _switched_off,
    ),
    Added(
        "helm/never-rendered",
        "high",
        NEVER,
        "The condition is never met: what follows is not rendered, and its objects are deleted.",
    ),
    Gone(
        "helm/switched-off",
        "medium",
        r"^[\s\"']*enabled[\"']?\s*:\s*true",
        "Something that was on by default is not any more.",
    ),
    Touched(
        "helm/switch",
        "low",
        r"^[\s\"']*(?:enabled|create|install|installCRDs|replicaCount)[\"']?\s*:",
        "A switch of the chart.",
    ),
    Touched(
        "helm/dependency",
        "medium",
        r"^[\s\-\"']*(?:repository|dependencies|condition|appVersion|version)[\"']?\s*:",
        "Which chart or version is installed is set here.",
    ),
)

"""Risk rules for Helm charts: their metadata, values and templates."""

from __future__ import annotations

import re
from typing import Final

from bot.condense.risk.rule import Added, Gone, Rule, Touched

PATHS: Final = re.compile(
    r"(?:^|/)(?:chart|requirements|values[^/]*|helmfile[^/]*|helmrelease[^/]*)\.ya?ml$"
    r"|(?:^|/)templates/[^/].*\.(?:ya?ml|tpl|txt)$|\.tpl$",
    re.I,
)

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

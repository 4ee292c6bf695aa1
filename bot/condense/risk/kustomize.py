"""Risk rules for Kustomize: what is included, patched and replaced."""

from __future__ import annotations

import re
from typing import Final

from bot.condense.risk.kubernetes import lowered
from bot.condense.risk.rule import Added, Changed, Gone, Rule, Touched

PATHS: Final = re.compile(r"(?:^|/)(?:kustomization\.ya?ml|kustomization)$", re.I)

RULES: Final[tuple[Rule, ...]] = (
    Gone(
        "kustomize/resource-removed",
        "high",
        r"^\s*-\s*[\w./\-]+\.ya?ml\b",
        "A file is no longer included: what prunes deletes its objects.",
    ),
    Gone(
        "kustomize/include-removed",
        "medium",
        r"^\s*-\s*\.{0,2}/?[\w.\-]+(?:/[\w.\-]+)*/?\s*$",
        "A base or component is no longer included.",
    ),
    Added(
        "kustomize/remote",
        "high",
        r"^\s*-\s*[\"']?(?:https?://|git::|github\.com/|ssh://)",
        "What is included is fetched from elsewhere: it can change without a commit here.",
    ),
    Added(
        "kustomize/delete-patch",
        "high",
        r"\$patch[\"']?\s*:\s*delete|\bop[\"']?\s*:\s*[\"']?remove\b",
        "A patch deletes a part of the object.",
    ),
    Changed(
        "kustomize/replicas-lowered",
        "high",
        r"(?:^\s*-?\s*|[{,]\s*)[\"']?(count)[\"']?\s*:\s*([^\s,#}]+)",
        "The {key} of replicas is lower: less capacity, and maybe no pod left when one fails or load rises.",
        lowered,
    ),
    Added(
        "kustomize/image-floating",
        "high",
        r"\bnewTag[\"']?\s*:\s*[\"']?(?:latest|main|master|edge|stable)[\"']?\s*(?:[,}#].*)?$",
        "The image is named by a tag that moves: a restart can bring other code.",
    ),
    Touched(
        "kustomize/image", "medium", r"\bnew(?:Tag|Name)[\"']?\s*:|^\s*digest[\"']?\s*:", "Which code runs is set here."
    ),
    Touched(
        "kustomize/scope",
        "medium",
        r"^\s*(?:namespace|namePrefix|nameSuffix)[\"']?\s*:",
        "Every object gets another name or namespace: new ones are made, old ones stay or are pruned.",
    ),
    Touched(
        "kustomize/part",
        "low",
        r"^\s*(?:resources|bases|components|patches\w*|replacements|replicas|configMapGenerator|secretGenerator|images|transformers)[\"']?\s*:",
        "What is put together is set here.",
    ),
)

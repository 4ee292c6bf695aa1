"""The rule-based reviewer: what the risk rules tell about a diff, as findings in the model's own form."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from bot.analysis.review.anchors import Anchors, FileAnchors
from bot.analysis.review.committed import MESSAGE, RULE, committed
from bot.condense.risk.assess import FAMILIES
from bot.condense.risk.rule import SEVERITIES, Risk, Touched
from bot.domain.review import Confidence, Finding

ANALYST: Final = "rules"
_TOLD: Final = 2
"""Kinds of findings that a summary tells."""

_TOUCHED: Final = frozenset(rule.id for family in FAMILIES for rule in family.RULES if isinstance(rule, Touched))
"""Rules that say where something is set, and not that it was set worse."""
_MOVED: Final = "The same lines are added elsewhere in this change: it may only have moved."
_ADDED: Final = "The model adds:"
_SELDOM_RUN: Final = frozenset({"test", "docs", "lock"})
_NO_GUESS: Final = ("code/test-", "move/")
"""Rules that tell what becomes of tests, or of a file: whatever the file is, they are no guess."""
_CATEGORIES: Final = (
    (
        "data-loss",
        r"migration/drops-data|sql/(?:drop|truncate|write-without-where|cascade)|migration/cascade|helm/keep-removed"
        r"|tf/(?:prevent|force|deletion|resource-removed|module-removed|backup|replaces|lifecycle|state)"
        r"|k8s/(?:data-|finalizer|storage)|alert/retention",
    ),
    ("tests", r"test"),
    ("data-loss", r"move/(?:infrastructure|migration)"),
    ("observability", r"move/rules"),
    (
        "security",
        r"gha/|owners|move/workflow|k8s/(?:guard|policy-only|pod-security|source-bound)|privileged|host-|root|capability|unconfined|security|rbac|network|exposed|token|secret|iam|public|open"
        r"|encryption|credential|tls|grant|injection|access|runs-text|code/guard|remote",
    ),
    ("observability", r"alert/|signal|monitor"),
    ("capacity", r"limits|requests|resources|replicas|autoscaler|lowered|bound"),
    (
        "availability",
        r"probe|disruption|suspended|redundancy|spread|shutdown|grace|healthcheck|recreate|lock|availability|swallows|handling",
    ),
    ("dependency", r"image|dependency|base|provider|version|unpinned|action|include"),
    ("rollout", r"migration/|sql/|helm/hook|rollout"),
    ("configuration", r"k8s/|helm/|kustomize/|tf/|move/|setting"),
)
_CATEGORY = [(name, re.compile(pattern)) for name, pattern in _CATEGORIES]


def told(
    anchors: Anchors, risks: Mapping[str, Sequence[Risk]], kinds: Mapping[str, str], *, head_sha: str
) -> list[Finding]:
    """Return what the rules tell, one finding a line at most, the weightiest first.

    What is worth a glance only, or merely names what is set somewhere, is no finding. ``kinds`` are the packer's, by
    path: what a test or a page of documentation says is a guess. Of a deleted file the gravest loss stands for all.
    """
    findings: dict[str, Finding] = {}
    for path in dict.fromkeys((*risks, *kinds)):
        file = anchors.file(path)
        if file is None:
            continue
        found, kind = risks.get(path, ()), kinds.get(path, "source")
        telling = [risk for risk in found if _tells(risk)]
        telling += [Risk(RULE, "high", MESSAGE, "+", place.number) for place in committed(file)]
        if file.file.status == "deleted" and telling:
            telling = [min(telling, key=lambda risk: SEVERITIES.index(risk.severity))]
        for risk in telling:
            moved = risk.sign == "-" and anchors.moved(path, risk.line)
            finding = _finding(risk, file, kind, head_sha, moved=moved)
            if finding and (
                finding.fingerprint not in findings or finding.weight > findings[finding.fingerprint].weight
            ):
                findings[finding.fingerprint] = finding
    return sorted(findings.values(), key=lambda finding: -finding.weight)


def category(rule: str) -> str:
    """Return the category of what a rule tells."""
    return next((name for name, pattern in _CATEGORY if pattern.search(rule)), "correctness")


def joined(told_by_rules: Iterable[Finding], told_by_model: Iterable[Finding]) -> list[Finding]:
    """Return both reviewers' findings, each once, the weightiest first.

    Where both mean the same line, the model adds why, and where it begins and ends; it cannot make it less grave than
    the rule found it, put its words in place of the rule's, nor leave it out.
    """
    findings = {finding.fingerprint: finding for finding in told_by_rules}
    for said in told_by_model:
        known = findings.get(said.fingerprint)
        findings[said.fingerprint] = said if known is None else _both(known, said)
    return sorted(findings.values(), key=lambda finding: -finding.weight)


def summary(findings: Sequence[Finding], changed_files: int) -> str:
    """Say in a sentence or two what the rules found."""
    if not findings:
        return f"No rule found a risk in the {_count(changed_files, 'changed file')}."
    counts: dict[str, int] = {}
    for finding in findings:
        counts[finding.why] = counts.get(finding.why, 0) + 1
    first = [f"{why} ({number} places)" if number > 1 else why for why, number in list(counts.items())[:_TOLD]]
    more = len(counts) - _TOLD
    return " ".join([*first, f"And {_count(more, 'more kind')} of finding."] if more > 0 else first)


def _tells(risk: Risk) -> bool:
    return risk.severity in ("critical", "high") or (risk.severity == "medium" and risk.rule not in _TOUCHED)


def _finding(risk: Risk, file: FileAnchors, kind: str, head_sha: str, *, moved: bool) -> Finding | None:
    side = "LEFT" if risk.sign == "-" else "RIGHT"
    span = file.at("LEFT" if side == "LEFT" else "RIGHT", risk.line)
    if span is None:
        return None
    (place,) = span.places
    confidence: Confidence = "high"
    if risk.rule in _TOUCHED or (kind in _SELDOM_RUN and not risk.rule.startswith(_NO_GUESS)):
        confidence = "low"
    elif kind not in ("source", "test", "docs") or moved:
        # Copied lines excuse nothing: an attacker can add them anywhere. But people should know where to look.
        confidence = "medium"
    return Finding(
        fingerprint=file.fingerprint(span.side, place),
        rule=risk.rule,
        category=category(risk.rule),
        severity=risk.severity,
        confidence=confidence,
        path=span.path,
        side=span.side,
        line=place.number,
        start_line=place.number,
        quote=place.text,
        why=f"{risk.message} {_MOVED}" if moved else risk.message,
        first_sha=head_sha,
        setting=file.setting(span.side, place),
    )


def _both(known: Finding, said: Finding) -> Finding:
    worse = max(known, said, key=lambda finding: finding.weight)
    found = replace(said, rule=known.rule or said.rule, severity=worse.severity, confidence=worse.confidence)
    if not known.rule:
        return found
    # The model has read what a stranger wrote: its "all is well" must not stand where the rule's warning should.
    added = "" if said.why in known.why or _ADDED in known.why else f" {_ADDED} {said.why}"
    return replace(found, category=known.category, why=f"{known.why}{added}")


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"

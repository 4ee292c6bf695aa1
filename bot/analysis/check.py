"""Check an answer against the evidence: what cannot be verified is dropped, and every drop is counted by its reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, cast, get_args

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from bot.analysis import plain
from bot.analysis.inventory import Inventory
from bot.analysis.offers import RunbookOffer
from bot.domain.evidence import Evidence
from bot.domain.triage import CATEGORIES, Cause, Confidence, Proposal, Severity, Triage

SUMMARY_CHARACTERS = 300
STATEMENT_CHARACTERS = 600
UNKNOWN_CHARACTERS = 300
MAX_CAUSES = 5
MAX_UNKNOWNS = 6
MAX_PROPOSALS = 3
MAX_CITATIONS = 20
MAX_PARAMETERS = 20


def verify(
    data: Mapping[str, Any],
    evidence: Sequence[Evidence],
    offers: Sequence[RunbookOffer],
    seen: Inventory,
    *,
    analyst: str,
) -> Triage:
    """Turn an answer into a triage that rests on ``evidence`` alone. Total: no data makes it raise.

    Kept are causes that cite at least one item that was really read, and proposals of a runbook on offer whose
    parameters pass its schema and name objects in ``seen``. All text comes out plain and bounded.
    """
    dropped: Counter[str] = Counter()
    citable = frozenset(item.id for item in evidence if item.error is None)
    causes = [c for raw in _list(data, "causes") if (c := _cause(raw, citable, dropped))]
    proposals: list[Proposal] = []
    for raw in _list(data, "proposals"):
        proposal = _proposal(raw, citable, offers, seen, dropped)
        if proposal and proposal not in proposals:
            proposals.append(proposal)
    unknowns = [text for raw in _list(data, "unknowns") if (text := plain.line(raw, UNKNOWN_CHARACTERS))]
    _count(dropped, "too many causes", len(causes) - MAX_CAUSES)
    _count(dropped, "too many proposals", len(proposals) - MAX_PROPOSALS)
    _count(dropped, "too many unknowns", len(unknowns) - MAX_UNKNOWNS)
    severity, category = data.get("severity"), data.get("category")
    return Triage(
        severity=cast(Severity, severity) if severity in get_args(Severity) else "medium",
        category=category if isinstance(category, str) and category in CATEGORIES else "unknown",
        summary=plain.line(data.get("summary"), SUMMARY_CHARACTERS),
        causes=tuple(causes[:MAX_CAUSES]),
        unknowns=tuple(unknowns[:MAX_UNKNOWNS]),
        proposals=tuple(proposals[:MAX_PROPOSALS]),
        analyst=analyst,
        dropped=dict(dropped),
    )


def objection(offer: RunbookOffer, parameters: Mapping[str, Any], seen: Inventory) -> str | None:
    """Say why these parameters of this runbook cannot be proposed, or return None when they can.

    A parameter called after a kind (``deployment``, ``pull_request``) names an object of that kind in ``namespace`` or
    ``repository``, a ``revision`` one of the rollout or the runbook's default. Any other text must be a value that the
    runbook's schema lists: text in an answer may come from an attacker's log line, and nothing else vouches for it.
    """
    try:
        fits = Draft202012Validator(offer.parameters).is_valid(dict(parameters))
    except (SchemaError, RecursionError):
        fits = False
    if not fits:
        return "parameters do not fit the runbook's schema"
    kinds = offer.names
    named = [name for name in parameters if name in kinds]
    place = parameters.get(offer.place)
    if not named or not isinstance(place, str):
        return "names no object"
    for name, value in parameters.items():
        if name == offer.place:
            continue
        if name in kinds:
            if not seen.has((kinds[name],), place, str(value)):
                return "names an object that is not in the evidence"
        elif name == "revision":
            if value not in seen.revisions and value != _declared(offer, name).get("default"):
                return "names a revision that is not in the evidence"
        elif isinstance(value, str) and value not in _listed(_declared(offer, name)):
            return "a parameter is free text"
    return None


def _cause(raw: Any, citable: frozenset[str], dropped: Counter[str]) -> Cause | None:
    if not isinstance(raw, Mapping):
        dropped["not a cause"] += 1
        return None
    statement = plain.line(raw.get("statement"), STATEMENT_CHARACTERS)
    cited = _citations(raw, citable, dropped)
    if not statement or not cited:
        dropped["cause without a statement" if not statement else "cause without evidence"] += 1
        return None
    confidence = raw.get("confidence")
    sure = cast(Confidence, confidence) if confidence in get_args(Confidence) else "low"
    return Cause(statement=statement, confidence=sure, evidence=cited)


def _proposal(
    raw: Any,
    citable: frozenset[str],
    offers: Sequence[RunbookOffer],
    seen: Inventory,
    dropped: Counter[str],
) -> Proposal | None:
    if not isinstance(raw, Mapping):
        dropped["not a proposal"] += 1
        return None
    offer = next((offer for offer in offers if offer.id == raw.get("runbook")), None)
    if offer is None:
        dropped["runbook not in the catalogue"] += 1
        return None
    parameters = _parameters(raw.get("parameters"))
    why = "parameters are not pairs of name and value" if parameters is None else objection(offer, parameters, seen)
    if parameters is None or why:
        dropped[f"proposal: {why}"] += 1
        return None
    cited = _citations(raw, citable, dropped)
    if not cited:
        dropped["proposal without evidence"] += 1
        return None
    return Proposal(runbook=offer.id, parameters=parameters, evidence=cited)


def _citations(raw: Mapping[str, Any], citable: frozenset[str], dropped: Counter[str]) -> tuple[str, ...]:
    cited = _list(raw, "evidence")
    good = [item for item in cited if isinstance(item, str) and item in citable]
    _count(dropped, "citation of evidence that is not there", len(cited) - len(good))
    return tuple(dict.fromkeys(good))[:MAX_CITATIONS]


def _parameters(raw: Any) -> dict[str, Any] | None:
    """Read pairs of name and value into a mapping; None for anything else, a name said twice included."""
    if not isinstance(raw, Sequence) or isinstance(raw, str) or len(raw) > MAX_PARAMETERS:
        return None
    found: dict[str, Any] = {}
    for pair in raw:
        if not isinstance(pair, Mapping) or not isinstance(pair.get("name"), str) or pair["name"] in found:
            return None
        value = pair.get("value")
        if not isinstance(value, str | int | bool):
            return None
        found[pair["name"]] = value
    return found


def _declared(offer: RunbookOffer, name: str) -> Mapping[str, Any]:
    properties = offer.parameters.get("properties")
    schema = properties.get(name) if isinstance(properties, Mapping) else None
    return schema if isinstance(schema, Mapping) else {}


def _listed(schema: Mapping[str, Any]) -> list[Any]:
    return [*_list(schema, "enum"), schema.get("const"), schema.get("default")]


def _list(data: Mapping[str, Any], key: str) -> list[Any]:
    found = data.get(key)
    return list(found) if isinstance(found, Sequence) and not isinstance(found, str | bytes) else []


def _count(dropped: Counter[str], reason: str, number: int) -> None:
    if number > 0:
        dropped[reason] += number

"""What the model gets to see of an incident, within a budget that is shared fairly, with every cut said.

Our own lines stand at the margin. Each line that somebody else wrote begins with ``| ``, so that no log line or
annotation can pass for a heading, an evidence id or a runbook of ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from bot.analysis import plain
from bot.analysis.offers import RunbookOffer
from bot.condense.tokens import MARGIN, afford, weigh
from bot.domain.alert import Alert
from bot.domain.evidence import Evidence
from bot.domain.incident import Incident

MAX_ALERTS = 20
MAX_EVIDENCE = 60
MAX_RUNBOOKS = 40
_QUOTE = "| "
# What saying that something was cut may weigh, in tokens: the note, and the mark on a line that was cut itself.
_CUT_NOTE = 26.0


@dataclass(frozen=True, slots=True)
class _Part:
    """A heading of ours and a body of somebody else's; a body that does not fit keeps its head or its tail."""

    heading: str
    body: str
    keep: Literal["head", "tail"] = "head"


def build(
    incident: Incident,
    alerts: Sequence[Alert],
    evidence: Sequence[Evidence],
    catalogue: Sequence[RunbookOffer],
    *,
    max_tokens: int,
) -> str:
    """Lay out the incident for the model in at most ``max_tokens`` estimated tokens, margin included.

    When not all fits, every item keeps an equal share and what small items leave over goes to the large ones; so one
    huge log cannot push out the rest. Logs keep their end, everything else its beginning.
    """
    parts = [
        _incident(incident),
        *_counted([_alert(alert) for alert in alerts], MAX_ALERTS, f"ALERTS ({len(alerts)})", "alerts"),
        *_counted([_evidence(item) for item in evidence], MAX_EVIDENCE, f"EVIDENCE ({len(evidence)})", "items"),
        *_counted([_runbook(offer) for offer in catalogue], MAX_RUNBOOKS, "RUNBOOKS ON OFFER", "runbooks"),
    ]
    budget = max_tokens / MARGIN
    parts = _within(parts, budget)
    spent = sum(weigh(part.heading) + 1 for part in parts)
    share = _fair_share([weigh(part.body) for part in parts], budget - spent)
    return "\n".join(line for part in parts for line in (part.heading, _cut(part, share)) if line)


def _incident(incident: Incident) -> _Part:
    subject = incident.subject
    cluster = subject.cluster or f"{plain.line(subject.cluster_label, 60) or 'unnamed'}, not configured"
    name = plain.line("/".join(filter(None, (subject.namespace, subject.name))), 300) or "not named"
    return _Part(
        f"INCIDENT {incident.name}: {incident.firing} of {incident.total} alerts firing, cluster {cluster}, "
        f"about {plain.line(subject.kind, 60)} {name}",
        _quoted("\n".join(filter(None, (incident.title, incident.summary)))),
    )


def _alert(alert: Alert) -> _Part:
    said = [f"labels: {_pairs(alert.labels)}", *(f"{key}: {value}" for key, value in alert.annotations.items())]
    return _Part(f"ALERT {alert.status} since {_moment(alert.starts_at)}", _quoted("\n".join(said)))


def _evidence(item: Evidence) -> _Part:
    heading = f"{item.id} {item.kind}: {plain.line(item.title, 200)} (read {_moment(item.collected_at)})"
    if item.error is not None:
        return _Part(f"{heading} COULD NOT BE READ", _quoted(item.error))
    return _Part(heading, _quoted(item.text or "(empty)"), keep="tail" if item.kind == "logs" else "head")


def _runbook(offer: RunbookOffer) -> _Part:
    kinds = ", ".join(offer.target_kinds) or "nothing"
    body = _quoted("\n".join((offer.description, *_parameters(offer.parameters))))
    return _Part(f"RUNBOOK {offer.id}: {plain.line(offer.title, 200)} (risk {offer.risk}, acts on {kinds})", body)


def _parameters(schema: Mapping[str, Any]) -> Iterator[str]:
    """List what a runbook takes; patterns and lengths are left out, since a name that exists meets them."""
    required = schema.get("required", ())
    for name, declared in schema.get("properties", {}).items():
        kind = "one of " + ", ".join(map(str, declared["enum"])) if "enum" in declared else declared.get("type", "any")
        need = "required" if name in required else "optional"
        yield f"parameter {name} ({kind}, {need}): {declared.get('description', '')}"


def _counted(parts: list[_Part], most: int, heading: str, what: str) -> list[_Part]:
    rest = len(parts) - most
    more = [_Part(f"[… {rest:,} more {what} left out …]", "")] if rest > 0 else []
    return [_Part(f"\n{heading}", "" if parts else "(none)"), *parts[:most], *more]


def _within(parts: list[_Part], budget: float) -> list[_Part]:
    """Keep as many parts from the top as can have their heading and a few words, and say how many went."""
    kept: list[_Part] = []
    spent = 2 * _CUT_NOTE
    for part in parts:
        spent += weigh(part.heading) + 1 + min(weigh(part.body), 2 * _CUT_NOTE)
        if spent > budget:
            return [*kept, _Part(f"[… {len(parts) - len(kept):,} further parts left out …]", "")]
        kept.append(part)
    return kept


def _fair_share(weights: Sequence[float], budget: float) -> float:
    """Return the largest share per item such that items cut to it fit into ``budget`` together."""
    remaining, waiting = budget, len(weights)
    for weight in sorted(weights):
        if weight * waiting > remaining:
            return max(0.0, remaining / waiting)
        remaining -= weight
        waiting -= 1
    return float("inf")


def _cut(part: _Part, share: float) -> str:
    if weigh(part.body) <= share:
        return part.body
    kept = afford(part.body, share - _CUT_NOTE, keep=part.keep)
    if kept and not kept.startswith(_QUOTE):
        kept = f"{_QUOTE}…{kept}"
    gone = part.body.count("\n") + 1 - (kept.count("\n") + 1 if kept else 0)
    note = f"[… {gone:,} lines left out here …]" if gone else "[… the rest of this line left out …]"
    return "\n".join(filter(None, (note, kept) if part.keep == "tail" else (kept, note)))


def _quoted(text: str) -> str:
    return "\n".join(_QUOTE + line.rstrip() for line in plain.lines(text).split("\n"))


def _pairs(labels: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in labels.items())


def _moment(microseconds: int) -> str:
    try:
        return datetime.fromtimestamp(microseconds / 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return "an unknown time"

"""The incident card: the one message that says what is wrong, where, why probably, and what happens next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bot.chat import rich_text as rich
from bot.chat.action_lines import ActionLine, action_lines
from bot.chat.card import Block, Card, actions, button, context, plain_text, trusted
from bot.chat.headline_facts import headline_facts
from bot.chat.mrkdwn import clock_utc, date, duration, plain, push, sentences
from bot.chat.thread import cut
from bot.domain.alert import Alert
from bot.domain.evidence import Evidence
from bot.domain.incident import Incident
from bot.domain.triage import Cause, Triage

EVIDENCE_ACTION = "inc.evidence"
LOGS_ACTION = "inc.logs"
RUN_ACTION = "inc.run"

Stage = Literal["collecting", "analysing", "done"]

_CAUSES_SHOWN = 2
_ALERTS_SHOWN = 3
_IDENTITY = ("instance", "pod", "container", "node", "job", "endpoint", "service", "path", "code")


@dataclass(frozen=True, slots=True)
class IncidentView:
    """Everything the card shows. ``alerts`` is a sample; ``note`` is Signoff's own sentence (an unknown cluster).
    ``source`` is the alert source, where there is more than one."""

    incident: Incident
    alerts: tuple[Alert, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    triage: Triage | None = None
    stage: Stage = "done"
    actions: tuple[ActionLine, ...] = ()
    note: str = ""
    updated_at: int = 0
    source: str = ""
    logs: bool = False
    """Whether the subject's logs may be read in the card's channel."""
    runnable: bool = False
    """Whether runbooks can be asked for: its cluster has a runner."""


def render(view: IncidentView) -> Card:
    """Render an incident for Slack, as far as it is known by now."""
    blocks: list[Block] = [rich.block(*_headline(view), _where(view), *_alerts(view), *_summary(view))]
    blocks.append(rich.block(*_finding(view)))
    following = _next(view)
    if following:
        blocks.append(rich.block(*following))
    if view.note:
        blocks.append(rich.block(rich.section(rich.text("⚠️ " + plain(view.note, 600)))))
    row = []
    if view.evidence:
        label = f"Evidence ({len(view.evidence)})"
        spoken = f"Show the {len(view.evidence)} pieces of evidence for {view.incident.name}"
        row.append(button(label, EVIDENCE_ACTION, view.incident.id, spoken=spoken))
        if view.logs:
            spoken = f"Read the logs of what {view.incident.name} is about"
            row.append(button("Logs", LOGS_ACTION, view.incident.id, spoken=spoken))
    if view.runnable and view.incident.status == "open":
        spoken = f"Ask for a runbook for {view.incident.name}"
        row.append(button("Run…", RUN_ACTION, view.incident.id, spoken=spoken))
    if row:
        blocks.append(actions(row))
    blocks.append(_context(view))
    return Card(text=_push(view), blocks=tuple(blocks))


# --- the push line ------------------------------------------------------------------------------------------------


def _push(view: IncidentView) -> str:
    incident = view.incident
    where = _place(view)
    head = f"{incident.name} {_state_word(view)}: {plain(incident.title, 100)}"
    parts = [head + (f" ({where})" if where else ""), f"since {clock_utc(incident.since)}"]
    if incident.status == "resolved":
        parts[1] = f"after {_lasted(incident)}{cut(incident)}"
    line = " ".join(parts)
    if view.triage and view.triage.causes and incident.status == "open":
        line += f". Likely: {plain(view.triage.causes[0].statement, 120)}"
    return push(line)


def _state_word(view: IncidentView) -> str:
    incident = view.incident
    if incident.status == "resolved":
        return "resolved"
    if incident.status == "stale":
        return "stale"
    severity = plain(incident.severity, 20)
    word = "firing again" if incident.reopened else "firing"
    return f"{word} [{severity}]" if severity else word


# --- what and where -----------------------------------------------------------------------------------------------


def _headline(view: IncidentView) -> list[dict[str, object]]:
    incident = view.incident
    title = rich.section(rich.text(_glyph(view) + " "), rich.bold(plain(incident.title, 150)))
    if incident.status == "resolved":
        return [title, rich.section(rich.text(f"Resolved after {_lasted(incident)}{cut(incident)}"))]
    if incident.status == "stale":
        return [title, rich.section(rich.text("Stale: not heard of since "), rich.date(incident.last_seen_at))]
    firing = "firing again" if incident.reopened else "firing"
    severity = plain(incident.severity, 20)
    words = f"{severity} · {firing} since " if severity else f"{firing} since "
    return [title, rich.section(rich.text(words[0].upper() + words[1:]), rich.date(incident.since))]


def _glyph(view: IncidentView) -> str:
    incident = view.incident
    if incident.status == "resolved":
        return "✅"
    if incident.status == "stale":
        return "💤"
    severity = view.triage.severity if view.triage else incident.severity
    return {"critical": "🔴", "page": "🔴", "high": "🟠", "error": "🟠", "warning": "🟡", "medium": "🟡"}.get(
        severity, "🔵"
    )


def _lasted(incident: Incident) -> str:
    return duration((incident.resolved_at or incident.last_seen_at) - incident.since)


def _place(view: IncidentView) -> str:
    subject = view.incident.subject
    path = "/".join(plain(part, 63) for part in (subject.namespace, subject.name) if part)
    cluster = plain(subject.cluster or subject.cluster_label, 63)
    return " · ".join(part for part in (cluster, path) if part)


def _where(view: IncidentView) -> dict[str, object]:
    incident = view.incident
    subject = incident.subject
    spans: list[rich.Span] = []
    if subject.cluster:
        spans += [rich.text("cluster "), rich.bold(plain(subject.cluster, 63))]
    elif subject.cluster_label:
        spans += [rich.text("unknown cluster "), rich.bold(plain(subject.cluster_label, 63))]
    else:
        spans.append(rich.text("no cluster named"))
    if subject.namespace:
        spans += [rich.text(" · namespace "), rich.bold(plain(subject.namespace, 63))]
    if subject.name:
        spans += [rich.text(f" · {plain(subject.kind, 30).lower() or 'object'} "), rich.bold(plain(subject.name, 100))]
    count = f"{incident.firing} of {incident.total} alerts firing"
    if incident.firing == incident.total:
        count = "1 alert" if incident.total == 1 else f"{incident.total} alerts"
    spans.append(rich.text(f" · {count}"))
    if incident.truncated and incident.status != "resolved":
        more = "alert was" if incident.truncated == 1 else "alerts were"
        spans.append(rich.text(f" · at least {incident.truncated} more {more} cut by Alertmanager"))
    if incident.previous is not None:
        spans.append(rich.text(f" · again: INC-{incident.previous}"))
    return rich.section(*spans)


def _summary(view: IncidentView) -> list[dict[str, object]]:
    summary = plain(view.incident.summary, 240)
    return [rich.quote(rich.text(summary))] if summary else []


def _alerts(view: IncidentView) -> list[dict[str, object]]:
    """Tell grouped alerts apart by the labels in which they differ."""
    if view.incident.total < 2 or view.incident.status != "open":
        return []
    common = view.incident.labels
    told: list[rich.Span] = []
    for alert in sorted(view.alerts, key=lambda alert: alert.status != "firing"):
        own = [
            f"{key}={plain(alert.labels[key], 60)}" for key in _IDENTITY if key in alert.labels and key not in common
        ]
        if own and len(told) < 2 * _ALERTS_SHOWN:
            told += [rich.text(", " if told else "among them "), rich.code(" ".join(own[:3]))]
    return [rich.section(*told)] if told else []


# --- what we know -------------------------------------------------------------------------------------------------


def _finding(view: IncidentView) -> list[dict[str, object]]:
    triage = view.triage
    if triage is None:
        return _facts(view)
    parts: list[dict[str, object]] = []
    if triage.causes:
        shown = triage.causes[:_CAUSES_SHOWN]
        parts.append(_cause(triage, shown[0], "Likely cause"))
        parts += [_cause(triage, cause, "Or") for cause in shown[1:]]
    else:
        label = _analyst(triage)
        parts.append(
            rich.section(rich.bold("No confident cause"), rich.text(f" ({label}). {plain(triage.summary, 300)}"))
        )
        parts += _fact_list(view)
    if triage.unknowns and view.incident.status == "open":
        parts.append(rich.section(rich.bold("Not known: "), rich.text(plain(triage.unknowns[0], 200))))
    if triage.note and triage.note != _analyst(triage):
        parts.append(rich.section(rich.italic(plain(triage.note, 200))))
    return parts


def _cause(triage: Triage, cause: Cause, label: str) -> dict[str, object]:
    who = f"{_analyst(triage)}, " if label == "Likely cause" else ""
    cited = ", ".join(plain(item, 10) for item in cause.evidence[:6])
    return rich.section(
        rich.bold(label),
        rich.text(f" ({who}{cause.confidence} confidence): {sentences(cause.statement, 300)}"),
        rich.text(f" [{cited}]" if cited else ""),
    )


def _analyst(triage: Triage) -> str:
    return "rules, no model" if triage.analyst == "rules" else plain(triage.analyst, 40)


def _facts(view: IncidentView) -> list[dict[str, object]]:
    if view.stage == "collecting" and not view.evidence:
        return [rich.section(rich.text("⏳ Collecting evidence…"))]
    waiting = "⏳ Evidence is in, looking for the cause…" if view.stage != "done" else "No triage was made."
    facts = _fact_list(view)
    if not facts and view.evidence:
        failed = sum(1 for item in view.evidence if item.error is not None)
        if failed == len(view.evidence):
            return [rich.section(rich.text(f"{waiting} None of the {failed} collectors could read anything."))]
    return [rich.section(rich.text(waiting)), *facts]


def _fact_list(view: IncidentView) -> list[dict[str, object]]:
    facts = headline_facts(view.evidence)
    if not facts:
        return []
    return [rich.bullets([[rich.text(f"{plain(fact.sentence, 200)} [{plain(fact.evidence, 10)}]")] for fact in facts])]


# --- what happens next --------------------------------------------------------------------------------------------


def _next(view: IncidentView) -> list[dict[str, object]]:
    if view.actions:
        return action_lines(view.actions)
    if view.triage is not None and view.incident.status == "open" and view.stage == "done":
        why = "what may help could not be proposed" if view.triage.proposals else "no runbook fits"
        return [rich.section(rich.bold("Next: "), rich.text(f"{why}; a person has to look."))]
    return []


def _context(view: IncidentView) -> Block:
    incident = view.incident
    facts = [f"{incident.name}", f"opened {date(incident.opened_at)}"]
    if view.updated_at:
        facts.append(f"updated {date(view.updated_at, '{time_secs}')}")
    if incident.reopened:
        facts.append(f"reopened {incident.reopened}×")
    if view.triage and view.triage.dropped:
        dropped = sum(view.triage.dropped.values())
        facts.append(f"{dropped} {'claim' if dropped == 1 else 'claims'} dropped: not backed by the evidence")
    elements = [trusted(" · ".join(facts))]
    if view.source:
        elements.append(plain_text("from " + plain(view.source, 60)))
    return context(*elements)

"""Triage an incident: ask the model, keep what the evidence backs, and fall back on the rules with the reason why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.analysis import context, facts
from bot.analysis.check import verify
from bot.analysis.inventory import inventory
from bot.analysis.offers import RunbookOffer
from bot.analysis.rules import diagnose
from bot.domain.alert import Alert
from bot.domain.evidence import Evidence
from bot.domain.incident import Incident
from bot.domain.triage import Triage
from bot.model.gateway import Gateway, NoAnswer
from bot.model.prompts import Prompt

NO_MODEL = "rules, no model"


async def triage(
    incident: Incident,
    alerts: Sequence[Alert],
    evidence: Sequence[Evidence],
    offers: Sequence[RunbookOffer],
    gateway: Gateway | None,
    prompt: Prompt,
    *,
    deadline_seconds: float,
    max_tokens: int,
) -> Triage:
    """Return a triage, always: the model's where it answers within the deadline and its causes verify, else the rules'.

    ``max_tokens`` bounds what the model is shown of the incident. ``Triage.note`` says why the rules answered.
    """
    if gateway is None:
        return replace(diagnose(incident, alerts, evidence, offers), note=NO_MODEL)
    shown = context.build(incident, alerts, evidence, offers, max_tokens=max_tokens)
    answer = await gateway.ask(prompt, shown, deadline_seconds=deadline_seconds, purpose=f"{incident.name} triage")
    if isinstance(answer, NoAnswer):
        note = NO_MODEL if answer.kind == "no-key" else f"rules: {answer.reason}"
        return replace(diagnose(incident, alerts, evidence, offers), note=note)
    seen = inventory(facts.read(incident, alerts, evidence))
    found = verify(answer.data, evidence, offers, seen, analyst=answer.model)
    gateway.usage.dropped(prompt.id, found.dropped)
    if found.causes:
        return found
    note = "rules: the model named no cause that the evidence backs"
    return replace(diagnose(incident, alerts, evidence, offers), note=note, dropped=found.dropped)

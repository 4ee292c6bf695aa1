"""The thread's one-line notices: each change of state said once, in words; plus the question of an UNKNOWN run."""

from __future__ import annotations

from bot.chat import rich_text as rich
from bot.chat.card import Card, actions, button, confirm
from bot.chat.mrkdwn import clock_utc, duration, plain, push, utc
from bot.domain.approval import Approval
from bot.domain.incident import Incident
from bot.domain.run import RunState, StepState
from bot.domain.triage import Triage

APPLIED_ACTION = "run.applied"
NOT_APPLIED_ACTION = "run.notapplied"

_SENTENCE = 400


def triaged(incident: Incident, triage: Triage) -> Card:
    """Say what the triage found, and who made it."""
    who = "rules, no model" if triage.analyst == "rules" else plain(triage.analyst, 40)
    if not triage.causes:
        return _line("🧭", f"{incident.name}: no confident cause ({who}). {triage.summary}")
    first = triage.causes[0]
    cited = ", ".join(first.evidence[:6])
    return _line("🧭", f"Likely cause ({who}, {first.confidence} confidence): {first.statement} [{cited}]")


def not_proposed(title: str, why: str) -> Card:
    """Say that a runbook was considered and could not be planned, and why."""
    return _line("🚫", f"{title} was not proposed: {why}")


def counted(approval: Approval, sentence: str) -> Card:
    """Say that one of several needed approvals is in."""
    return _line("🗳️", f"{approval.name}: {sentence}")


def approved(approval: Approval, sentence: str) -> Card:
    """Say who approved, and that it starts."""
    return _line("✅", f"{approval.name} is approved. {sentence}")


def denied(approval: Approval, sentence: str) -> Card:
    """Say who denied, and why."""
    return _line("⛔", f"{approval.name} is denied, nothing ran. {sentence}")


def expired(approval: Approval) -> Card:
    """Say that nobody decided in time."""
    return _line(
        "⌛", f"{approval.name} expired at {clock_utc(approval.expires_at)}, nothing ran: nobody decided in time."
    )


def void(approval: Approval, sentence: str) -> Card:
    """Say that the approval no longer holds, and what changed."""
    return _line("⚠️", f"{approval.name} is void, nothing ran. {sentence}")


def superseded(approval: Approval, by: str) -> Card:
    """Say that a newer request replaces this one."""
    return _line("↪️", f"{approval.name} is replaced by {by}, nothing ran.")


def step(approval: Approval, state: StepState, detail: str) -> Card:
    """Say how a step went."""
    glyph, word = {
        "started": ("▶️", "started"),
        "done": ("☑️", "done"),
        "failed": ("❌", "failed"),
        "unknown": ("❓", "UNKNOWN"),
    }[state]
    return _line(glyph, f"{approval.name} {word}: {detail}")


def progress(approval: Approval, sentence: str) -> Card:
    """Say how far the verification is; put under one key, so that it is edited in place."""
    return _line("⏳", f"{approval.name}: {sentence}")


def verdict(approval: Approval, state: RunState, sentence: str) -> Card:
    """Say how a run ended."""
    glyph, words = {
        "succeeded": ("✅", "helped"),
        "unhelpful": ("❌", "ran and did not help"),
        "inconclusive": ("❔", "ran; whether it helped cannot be told"),
        "failed": ("❌", "failed"),
        "void": ("⚠️", "was not run"),
    }.get(state, ("❔", state))
    return _line(glyph, f"{approval.name} {words}: {sentence}")


def unknown(approval: Approval, run_id: str, detail: str, *, answered: str = "") -> Card:
    """Ask whether a step of an UNKNOWN run took effect; once somebody ``answered``, say so and ask no more."""
    head = f"{approval.name}: did this take effect? Signoff cannot know."
    said = rich.section(rich.text("❓ "), rich.bold(head), rich.text("\n" + plain(detail, _SENTENCE)))
    if answered:
        closing = plain(answered, _SENTENCE)
        parts = (said, rich.section(rich.text(closing)))
        return Card(text=push(f"{approval.name}: {closing}"), blocks=(rich.block(*parts),))
    then = rich.section(rich.text("Look at the cluster and say what you see. Until then nothing more is run."))
    applied = confirm("It took effect?", "The run goes on and checks whether it helped.", "It took effect", "Back")
    absent = confirm("It did not?", "The run ends as failed. Nothing is run again by itself.", "It did not", "Back")
    row = actions(
        [
            button("It took effect", APPLIED_ACTION, run_id, confirm=applied, spoken=f"{approval.name} took effect"),
            button("It did not", NOT_APPLIED_ACTION, run_id, confirm=absent, spoken=f"{approval.name} had no effect"),
        ]
    )
    return Card(text=push(f"{head} {detail}"), blocks=(rich.block(said, then), row), broadcast=True)


def resolved(incident: Incident) -> Card:
    """Say that all alerts are resolved."""
    took = duration((incident.resolved_at or incident.last_seen_at) - incident.opened_at)
    return _line("✅", f"{incident.name} resolved after {took}: {incident.title}")


def reopened(incident: Incident) -> Card:
    """Say that it fires again."""
    return _line("🔁", f"{incident.name} fires again: {incident.title}")


def stale(incident: Incident) -> Card:
    """Say that nothing was heard of the alerts for long."""
    return _line(
        "💤", f"{incident.name} is stale: Alertmanager has not mentioned it since {utc(incident.last_seen_at)}."
    )


def refused(sentence: str) -> Card:
    """Say, to the person who clicked and to nobody else, why their click did not count."""
    return _line("🚫", sentence)


def _line(glyph: str, sentence: str) -> Card:
    shown = plain(sentence, _SENTENCE)
    return Card(text=push(f"{glyph} {shown}"), blocks=(rich.block(rich.section(rich.text(f"{glyph} {shown}"))),))

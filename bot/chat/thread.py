"""The thread's one-line notices: each change of state said once, in words; plus the question of an UNKNOWN run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.chat import rich_text as rich
from bot.chat.action_lines import ActionLine, asked, said_state
from bot.chat.card import Card, actions, button, confirm
from bot.chat.mrkdwn import clock_utc, duration, in_cluster, plain, push, utc, visible
from bot.domain.approval import Approval
from bot.domain.incident import Incident
from bot.domain.run import Run

APPLIED_ACTION = "run.applied"
NOT_APPLIED_ACTION = "run.notapplied"
AGAIN_ACTION = "run.again"

_SENTENCE = 400
_EVIDENCE = 1_000
"""Characters of what is known of a step in doubt; its ledger keeps as many."""


def triage_ready(summary: str, analyst: str, note: str = "") -> Card:
    """Say what the triage found, who made it, and, in ``note``, why the rules answered."""
    who = "rules, no model" if analyst == "rules" else plain(analyst, 40)
    return _line("🧭", f"Triage ({who}): {summary}" + (f" {note}" if note else ""))


def not_proposed(title: str, why: str) -> Card:
    """Say that a runbook was considered and could not be planned, and why."""
    return _line("🚫", f"{title} was not proposed: {why}")


def asks_you(waiting: Sequence[tuple[Approval, str]], matter: str) -> Card:
    """Tell an approver directly what waits for them on one card; it is decided there, where others see it."""
    asked = "; ".join(
        f"{approval.name} waits for you: {what}{in_cluster(approval.cluster)}" for approval, what in waiting
    )
    return _line("🔏", f"{asked}. Look at {'its' if len(waiting) == 1 else 'their'} card in the thread of {matter}.")


def joined(approval: Approval, what: str, beside: Sequence[Approval]) -> Card:
    """Say that a request came on a card that is there already, since an edit tells nobody."""
    names = " and ".join(each.name for each in beside)
    return _line("🔏", f"{approval.name} is proposed too: {what}. It is on the card of {names}.")


def asked_elsewhere(line: ActionLine) -> Card:
    """Say that what is proposed is asked for in another matter already, with a link: it is decided there, once."""
    said = f"{line.name} asks for exactly this already: {line.title}. It is decided there, once for both."
    spans = [rich.text("🔗 "), rich.bold(plain(line.name, 20)), *asked(line)]
    rest = f" asks for exactly this already: {plain(line.title, 120)}. It is decided there, once for both."
    return Card(text=push(f"🔗 {said}"), blocks=(rich.block(rich.section(*spans, rich.text(rest))),))


def over_elsewhere(line: ActionLine) -> Card:
    """Say what became of a request that was asked in another matter."""
    outcome = f" {line.outcome}" if line.outcome else ""
    return _line("🔗", f"{line.name}, asked in {line.asked_in}: {said_state(line)}.{outcome}")


def not_asked(who: str, title: str, why: str) -> Card:
    """Say that what somebody wanted run could not be planned, and why."""
    return _line("🚫", f"{who} wants {title}, which was not asked for: {why}")


def ask_set_aside(why: str) -> Card:
    """Say that a stored ask was not acted on, because it is not what Signoff wrote."""
    said = f"Somebody's ask for a runbook cannot be relied on: {why}. Nothing was asked for, nothing ran."
    return _line("🛑", f"{said} Whoever asked may ask again. Somebody may have changed the database.")


def superseded(old: Approval, new: Approval, why: str) -> Card:
    """Say that another request took a request's place, and why: what was approved of it counts no more."""
    return _line("↪️", f"{old.name} is replaced by {new.name}: {why}. Its approvals do not count for that.")


def vote_counted(approval: Approval, who: str, have: int, quorum: int) -> Card:
    """Say that one of several needed approvals is in."""
    return _line("🗳️", f"{approval.name}: approved by {who}, {have} of {quorum}.")


def approved(approval: Approval, who: Sequence[str]) -> Card:
    """Say who approved, and that it starts."""
    return _line("✅", f"{approval.name} approved by {', '.join(who)}. It starts now.")


def released(approval: Approval, sentence: str) -> Card:
    """Say that a request was released without its quorum; ``sentence`` says by whom, and why."""
    return _line("🚨", f"{approval.name} starts now by break-glass; an approver has to review that. {sentence}")


def glass_broken(approval: Approval, what: str, who: str, reason: str) -> Card:
    """Tell an approver directly that somebody released what they had not approved."""
    done = f"{who} broke the glass for {approval.name}: {what}{in_cluster(approval.cluster)}"
    return _line("🚨", f"{done}. An approver has to review that, with the button in the channel. Why: {reason}")


def reviewed(sentence: str) -> Card:
    """Say who reviewed a break-glass, and what they found."""
    return _line("🔎", sentence)


def revoked(approval: Approval, sentence: str) -> Card:
    """Say that somebody took their approval back."""
    return _line("↩️", sentence if approval.state == "pending" else f"{sentence} Nothing ran.")


def cancelled(approval: Approval, who: str) -> Card:
    """Say that whoever asked for it took it back."""
    return _line("🗑️", f"{approval.name} is cancelled by {who}, who asked for it. Nothing ran.")


def waits(approval: Approval, why: str) -> Card:
    """Say what an approved run waits for."""
    return _line("⏸️", f"{approval.name} is approved and waits. {why}")


def paused(approval: Approval, why: str) -> Card:
    """Say why a run that has begun does not go on."""
    return _line("⏸️", f"{approval.name} is half done and waits. {why}")


def policy_changed(voided: int) -> Card:
    """Say that the rules of sign-off changed, and what that did to what waits."""
    told = (
        f"{voided} waiting requests are void; what no person asked for is asked for anew."
        if voided
        else "Nothing that waits is touched."
    )
    told = "1 waiting request is void; what no person asked for is asked for anew." if voided == 1 else told
    return _line("📜", f"The policy of sign-off or the catalogue of runbooks has changed. {told}")


def actions_turned(act: str, who: str, reason: str) -> Card:
    """Say that all actions were turned off, that somebody wants them on again, or that they are."""
    glyph, sentence = {
        "stop": ("🛑", f"{who} turned all actions off" + (f": {reason}" if reason else "") + ". Nothing starts now."),
        "ask": ("🟡", f"{who} wants actions on again. Somebody else has to agree: /ops actions on"),
    }.get(act, ("🟢", f"{who} agreed: actions are on again."))
    return _line(glyph, sentence)


def stop_doubted(who: str, against: str) -> Card:
    """Say what Slack says against somebody who turned all actions off."""
    return _line(
        "⚠️", f"{who} is listed and turned all actions off, but: {against} They stay off until two turn them on."
    )


def denied(approval: Approval, who: str, reason: str) -> Card:
    """Say who denied, and why."""
    return _line("⛔", f"{approval.name} denied by {who}, nothing ran" + (f": {reason}" if reason else "."))


def expired(approval: Approval) -> Card:
    """Say that nobody decided in time."""
    return _line("⌛", f"{approval.name} expired at {clock_utc(approval.expires_at)}: nobody decided, nothing ran.")


def not_started(approval: Approval) -> Card:
    """Say that what was approved could not start in time."""
    why = "it was approved and could not start until then, nothing ran."
    return _line("⌛", f"{approval.name} expired at {clock_utc(approval.expires_at)}: {why}")


def void(approval: Approval, why: str, moved: str = "") -> Card:
    """Say that the approval no longer holds, why, and what ``moved``, a line a field."""
    return _with(_line("⚠️", f"{approval.name} is void, nothing ran. {why}"), moved)


def asked_anew(old: Approval, new: Approval, moved: str) -> Card:
    """Say that a void request is asked for anew, and in what its change differs from that of the void one."""
    head = f"{new.name} asks anew for what {old.name} was for."
    if not moved:
        return _line("🔁", f"{head} The change it makes reads the same.")
    said = rich.section(
        rich.text(f"🔁 {plain(head, _SENTENCE)} What differs in the change, {old.name}'s with a minus:")
    )
    return Card(text=push(f"🔁 {head}"), blocks=(rich.block(said, rich.preformatted(visible(moved))),))


def step_done(approval: Approval, ordinal: int, total: int, detail: str, *, what: str = "", back: bool = False) -> Card:
    """Say that a step took effect, or that it is taken back. ``what`` is its name where there are several."""
    if back:
        return _line("↩️", f"{approval.name}: {what} is taken back. {detail}")
    name = f"{what}: " if what else ""
    return _line("☑️", f"{approval.name}: {_step(ordinal, total)}{name}done. {detail}")


def step_failed(approval: Approval, what: str, detail: str) -> Card:
    """Say that a step failed and that the run goes on all the same."""
    return _line("⚠️", f"{approval.name}: {what} failed. {detail}")


def rolling_back(approval: Approval, why: str) -> Card:
    """Say that what was done is taken back now, as was approved with it."""
    return _line("↩️", f"{approval.name} did not help, so it is taken back: {why}")


def progress(approval: Approval, sentence: str) -> Card:
    """Say how far the verification is; put under one key, so that it is edited in place."""
    return _line("⏳", f"{approval.name}: {sentence}")


def ended(approval: Approval, run: Run, moved: str = "") -> Card:
    """Say how a run ended, and what had ``moved`` if that ended it, a line a field."""
    took = f" after {duration(run.ended_at - run.started_at)}" if run.ended_at is not None else ""
    glyph, words = {
        "succeeded": ("✅", "helped"),
        "unhelpful": ("❌", "ran and did not help"),
        "inconclusive": ("❔", "ran; whether it helped cannot be told"),
        "failed": ("❌", "failed"),
        "rolled_back": ("↩️", "was taken back"),
        "void": ("⚠️", "was not run"),
    }.get(run.state, ("❔", run.state))
    said = _line(glyph, f"{approval.name} {words}{took}" + (f": {run.outcome}" if run.outcome else "."))
    return _with(said, moved)


def question(
    name: str,
    run: Run,
    what: str,
    *,
    look: str = "",
    looked: str = "",
    open_until: int | None = None,
    answered: str = "",
    again: bool = True,
    back: str = "",
) -> Card:
    """Ask whether a step of an UNKNOWN run took effect. ``name`` is what people call its request, ``look`` says where
    to look, ``looked`` what showed since, ``answered`` who said what; ``again`` offers to ask for the same anew. It may
    take effect until ``open_until``: until then nobody can say that it did not. ``back`` is the step that the call was
    to take back, if it was."""
    did = f"was {back} taken back" if back else "did this take effect"
    head = f"{name}: {did}?" if answered else f"{name}: {did}? Signoff cannot know."
    known = [what, looked] if looked else [what]
    said = (
        rich.section(rich.text("❓ "), rich.bold(head)),
        *(rich.section(rich.text(plain(each, _EVIDENCE))) for each in known),
    )
    then = "The step counts as failed, and a new request for the same goes up: somebody else has to approve it."
    repeat = confirm("It did not, run it again?", then, "Ask for it", "Back")
    spoken = f"{name} had no effect, ask for it again"
    anew = [button("Run it again…", AGAIN_ACTION, run.id, confirm=repeat, spoken=spoken)] if again else []
    if answered:
        closing = plain(answered, _SENTENCE)
        answer = rich.section(rich.text(closing))
        more = (actions(anew),) if anew else ()
        return Card(text=push(f"{name}: {closing}"), blocks=(rich.block(*said, answer), *more))
    do = f"Look at {plain(look, 200) or 'it'} and say what you see."
    if open_until is not None:
        soon = f"It may still take effect: Signoff looks again by {_minute(open_until)}, and nobody can say before that"
        do = f"{soon} that it did not."
    applied = confirm("It took effect?", "The run goes on and checks whether it helped.", "It took effect", "Back")
    absent = confirm("It did not?", "The step counts as failed. It is not tried again by itself.", "It did not", "Back")
    buttons = [
        button("It took effect", APPLIED_ACTION, run.id, confirm=applied, spoken=f"{name} took effect"),
        button("It did not", NOT_APPLIED_ACTION, run.id, confirm=absent, spoken=f"{name} had no effect"),
        *anew,
    ]
    now = rich.section(rich.text(f"{do} Until then nothing more is run."))
    blocks = (rich.block(*said, now), actions(buttons))
    return Card(text=push(f"{head} {looked or what}"), blocks=blocks, broadcast=True)


def too_early(open_until: int) -> str:
    """Say to who saw no effect of what may still have one until then that it cannot be known yet."""
    return f"What was sent may still take effect. Look once more after {_minute(open_until)}, and say it then."


def _minute(instant: int) -> str:
    """The full minute by which an instant is over."""
    return clock_utc(instant + 59_999_999)


def anchors() -> Card:
    """Open the thread in which the heads of the audit are noted."""
    return _line("⚓", "The audit's heads are noted in this thread: what they name cannot be removed unnoticed.")


def anchor(seq: int, value: str) -> Card:
    """Note one head, in the form that ``signoff audit verify --head`` takes."""
    return _line("⚓", f"{seq}:{value}")


def stopped(matter: str, sentence: str) -> Card:
    """Say that a run was stopped because what is stored of its sign-off is not what Signoff wrote."""
    said = _line("🛑", f"{matter}: a run was stopped. {sentence} Somebody may have changed the database.")
    return replace(said, broadcast=True)


def resolved(incident: Incident) -> Card:
    """Say that all alerts are resolved, or all that came."""
    took = duration((incident.resolved_at or incident.last_seen_at) - incident.since)
    return _line("✅", f"{incident.name} resolved after {took}: {plain(incident.title, 250)}{cut(incident)}")


def cut(incident: Incident) -> str:
    """Say, after what is resolved, that alerts which Alertmanager cut from its list may fire; empty if it cut none."""
    n = incident.truncated
    return f"; the {'one alert' if n == 1 else f'{n} alerts'} that Alertmanager cut may still fire" if n else ""


def reopened(incident: Incident) -> Card:
    """Say that it fires again."""
    return _line("🔁", f"{incident.name} fires again: {incident.title}")


def returned(incident: Incident) -> Card:
    """Say that alerts of which nothing was heard for long fire on."""
    return _line("📣", f"{incident.name} is heard of again and still fires: {incident.title}")


def stale(incident: Incident) -> Card:
    """Say that nothing was heard of the alerts for long."""
    return _line(
        "💤", f"{incident.name} is stale: Alertmanager has not mentioned it since {utc(incident.last_seen_at)}."
    )


def refused(sentence: str) -> Card:
    """Say, to the person who clicked and to nobody else, why their click did not count."""
    return _line("🚫", sentence)


def _step(ordinal: int, total: int) -> str:
    return f"step {ordinal + 1} of {total}, " if total > 1 else ""


def _line(glyph: str, sentence: str) -> Card:
    shown = plain(sentence, _SENTENCE)
    return Card(text=push(f"{glyph} {shown}"), blocks=(rich.block(rich.section(rich.text(f"{glyph} {shown}"))),))


def _with(said: Card, moved: str) -> Card:
    """Put the lines of what moved below what is said."""
    if not moved:
        return said
    return replace(said, blocks=(*said.blocks, rich.block(rich.preformatted(visible(moved)))))

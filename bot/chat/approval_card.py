"""The approval card: the exact change of one stored plan, and the two buttons that decide about it.

A pure function of the stored record; no word of a model is on it. Every parameter and every target's name stands on the
card, and a change that does not fit goes beside it as a file whose SHA-256 is on the card. If that cannot be kept,
there is no Approve button.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.chat import rich_text as rich
from bot.chat.approval_buttons import decision_buttons
from bot.chat.card import (
    BLOCKS,
    CARD_TEXT,
    Block,
    Card,
    context,
    plain_text,
    text_length,
    trusted,
)
from bot.chat.mrkdwn import clock_utc, date, duration, exact, name, plain, push, visible
from bot.chat.plan_change import exact_change, proven, shown_whole
from bot.chat.plan_names import PARAMETERS_TEXT, TARGETS_TEXT, matter_name, object_name, parameter_texts, target_texts
from bot.chat.plan_record import Record, call_of, many, one, rehearsals
from bot.domain.approval import Approval, Decision, Person
from bot.domain.run import Run

Part = dict[str, Any]

_SHORT_DIGEST = 12
_SENTENCE = 300
_SENTENCES = 6
_MENTIONED = 10
_NAMED = 20
_USER_ID = re.compile(r"[UW][A-Z0-9]{1,19}")


@dataclass(frozen=True, slots=True)
class VoteLine:
    """A counted vote. ``name`` is decoration; the person's ids are what counts."""

    person: Person
    name: str
    decision: Decision
    at: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Replaced:
    """The request whose place this one took, and, a line a field, what had changed since that was planned."""

    name: str
    moved: str = ""


@dataclass(frozen=True, slots=True)
class ApprovalView:
    """What happened to the request so far. ``buttons`` is False where the card is only shown for reading, ``hold``
    says why nothing of its kind may run now. ``broken`` is who broke the glass, ``reviewed`` who reviewed that.
    ``replaces`` is what it took the place of, ``replaced_by`` the name of what took its own. ``short`` says that there
    are too few approvers."""

    votes: tuple[VoteLine, ...] = ()
    run: Run | None = None
    progress: str = ""
    buttons: bool = True
    hold: str = ""
    broken: VoteLine | None = None
    reviewed: VoteLine | None = None
    replaces: Replaced | None = None
    replaced_by: str = ""
    short: str = ""


def render(approval: Approval, record: Record, view: ApprovalView, *, full_diff: str = "") -> Card:
    """Render a request for sign-off. ``full_diff`` is the stored text that `attachment` puts beside the card."""
    blocks = whole(approval, record, view, full_diff=full_diff)
    text = push(announcement(approval, record, view))
    return Card(text=text, blocks=tuple(fitting(blocks)), broadcast=approval.state == "pending")


def whole(
    approval: Approval, record: Record, view: ApprovalView, *, full_diff: str = "", room: int = CARD_TEXT
) -> list[Block]:
    """Return all there is to say of a request. What needs more than ``room`` characters cannot be approved there."""
    obstacle = _obstacle(record, full_diff)
    blocks = _all(approval, record, view, obstacle)
    if view.replaces and view.replaces.moved and text_length(blocks) > room:
        # The thread has it too; what is asked for goes first.
        view = replace(view, replaces=replace(view.replaces, moved=""))
        blocks = _all(approval, record, view, obstacle)
    if approval.state == "pending" and not obstacle and text_length(blocks) > room:
        return _all(approval, record, view, "the plan is too long for one message")
    return blocks


def _all(approval: Approval, record: Record, view: ApprovalView, obstacle: str) -> list[Block]:
    pending = approval.state == "pending"
    blocks: list[Block] = [_head(approval, record, view)]
    blocks.append(rich.block(*exact_change(record)))
    blocks.append(rich.block(*_details(record, pending=pending)))
    if pending:
        blocks.append(rich.block(_who(record, view)))
    if pending and obstacle:
        blocks.append(rich.block(rich.section(rich.bold("It cannot be approved here: "), rich.text(f"{obstacle}."))))
    if pending and view.short:
        blocks.append(rich.block(rich.section(rich.text("⚠️ "), rich.bold(plain(view.short, _SENTENCE)))))
    if pending and view.hold:
        blocks.append(rich.block(rich.section(rich.text("⏸️ "), rich.bold(plain(view.hold, _SENTENCE)))))
    if (pending or _waits(approval, view)) and view.buttons:
        blocks.append(decision_buttons(approval, record, approvable=pending and not obstacle))
    return [*blocks, _context(approval, record)]


def collapsed(approval: Approval, record: Record, view: ApprovalView) -> list[Block]:
    """Return what became of a request that is decided, and where the whole of it can be read."""
    blocks: list[Block] = [_head(approval, record, view)]
    if _waits(approval, view) and view.buttons:
        blocks.append(decision_buttons(approval, record, approvable=False))
    named = f"{approval.name} · plan `{approval.digest[:_SHORT_DIGEST]}` · all of it: `/ops status {approval.name}`"
    return [*blocks, context(trusted(named))]


def _waits(approval: Approval, view: ApprovalView) -> bool:
    """Say whether it is approved and its run has not begun: until then it can be denied or taken back."""
    return approval.state == "approved" and (view.run is None or view.run.state == "starting")


def announcement(approval: Approval, record: Record, view: ApprovalView) -> str:
    """Say in a sentence what is asked for, or what became of it. Not escaped yet."""
    title = str(one(record, "runbook").get("title", approval.runbook))
    where = f" in {str(record['cluster']).upper()}" if record.get("cluster") else ""
    what = f"{title}: {object_name(record)}{where} ({matter_name(record)})"
    if approval.state == "pending":
        return f"{approval.name} needs your approval: {what}. Expires {clock_utc(approval.expires_at)}."
    state = view.run.state if approval.state == "approved" and view.run else approval.state
    how = ""
    if view.broken is not None:
        how = f", released by break-glass, {'reviewed' if view.reviewed else 'not yet reviewed'}"
    return f"{approval.name} {state}{how}: {what}"


# --- whether it may be approved from here -------------------------------------------------------------------------


def _obstacle(record: Record, full_diff: str) -> str:
    rehearsed = rehearsals(record)
    if not many(record, "targets") or not rehearsed:
        return "the plan names no target or no change"
    if sum(len(text) for text in parameter_texts(record)) > PARAMETERS_TEXT:
        return "its parameters do not fit on a card"
    if sum(len(text) for text in target_texts(record)) > TARGETS_TEXT:
        return "the names of its targets do not fit on a card"
    if not shown_whole(record) and not proven(record, full_diff):
        return "the change does not fit on a card and the file with the whole of it does not match the plan"
    return ""


def fitting(blocks: Sequence[Block]) -> list[Block]:
    """Leave out what would make Slack refuse the message, but no buttons; `whole` has taken Approve by then."""
    kept = list(_short_enough(blocks))
    # The parts that say least go first, from the end.
    for kind in ("divider", "context", "rich_text"):
        for index in reversed([index for index, each in enumerate(kept) if each["type"] == kind]):
            if len(kept) > BLOCKS:
                del kept[index]
    return kept


def _short_enough(blocks: Sequence[Block]) -> Iterator[Block]:
    note = rich.block(rich.section(rich.italic("(left out: too long for one message)")))
    room = CARD_TEXT
    if text_length(blocks) > room:
        room -= len(blocks) * text_length([note])
        room -= text_length([block for block in blocks if block["type"] == "actions"])
        room = max(0, room)
    for block in blocks:
        length = text_length([block])
        if block["type"] == "actions":
            yield block
        elif length <= room:
            room -= length
            yield block
        else:
            yield note


# --- the card's parts ---------------------------------------------------------------------------------------------


def _head(approval: Approval, record: Record, view: ApprovalView) -> Block:
    """Say what it is, what became of it, and which request it took the place of, or which took its own."""
    parts = [*_headline(approval, record, view), *_state(approval, view), *_glass(view)]
    if view.replaced_by:
        parts.append(rich.section(rich.text("Replaced by "), rich.bold(view.replaced_by), rich.text(".")))
    if view.replaces is not None:
        moved = view.replaces.moved
        more = ". What has changed since that was planned:" if moved else "."
        parts.append(rich.section(rich.text("It replaces "), rich.bold(view.replaces.name), rich.text(more)))
        parts += [rich.preformatted(visible(moved))] if moved else []
    return rich.block(*parts)


def _headline(approval: Approval, record: Record, view: ApprovalView) -> list[Part]:
    title = plain(str(one(record, "runbook").get("title", approval.runbook)), 120)
    glyph = {"pending": "🔏", "approved": "✅", "denied": "⛔", "expired": "⌛", "void": "⚠️"}.get(approval.state, "↪️")
    glyph = "🚨" if approval.state == "approved" and view.broken else glyph
    risk = plain(str(one(record, "runbook").get("risk", "unknown")), 20)
    return [
        rich.section(rich.text(f"{glyph} "), rich.bold(f"{title}: {object_name(record)}")),
        rich.section(*_where(record), rich.text(f"{matter_name(record)} · risk {risk}")),
    ]


def _where(record: Record) -> list[rich.Span]:
    """Name the cluster, where it is in one."""
    cluster = name(str(record.get("cluster", ""))).upper()
    return [rich.text("cluster "), rich.bold(cluster), rich.text(" · ")] if cluster else []


def _state(approval: Approval, view: ApprovalView) -> list[Part]:
    if approval.state == "pending":
        return []
    approvers = [vote for vote in view.votes if vote.decision == "approve"]
    deniers = [vote for vote in view.votes if vote.decision == "deny"]
    outcome = plain(approval.outcome, _SENTENCE)
    if approval.state == "approved":
        spans = [rich.bold("Approved"), rich.text(_by(approvers))]
        if view.broken is not None:
            own = ", who asked for it" if approval.requester == view.broken.person else ""
            first = f"; approved before{_by(approvers)}" if approvers else ""
            spans = [rich.bold("Released by break-glass"), rich.text(f"{_by([view.broken])}{own}{first}")]
        if approval.decided_at is not None:
            spans += [rich.text(" · "), rich.date(approval.decided_at)]
        return [rich.section(*spans), _run(view)]
    word = {
        "denied": "Denied",
        "cancelled": "Cancelled by who asked for it, nothing ran",
        "expired": "Expired: nobody decided in time, nothing ran",
        "void": "Void: nothing ran, because things changed after it was planned",
        "superseded": "Superseded by a newer request, nothing ran",
    }[approval.state]
    if approval.state == "expired" and approvers:
        word = "Expired before it could start, nothing ran"
    spans = [rich.bold(word)]
    if approval.state == "denied":
        reason = next((plain(vote.reason, _SENTENCE) for vote in deniers if vote.reason), "")
        spans.append(rich.text(_by(deniers) + (f": “{reason}”" if reason else "") + ". Nothing ran."))
    elif outcome:
        spans.append(rich.text(f". {outcome}"))
    return [rich.section(*spans)]


def _glass(view: ApprovalView) -> list[Part]:
    """Say why the glass was broken, and whether somebody else has reviewed that."""
    if view.broken is None:
        return []
    parts = [rich.section(rich.bold("Emergency: "), rich.text(f"“{plain(view.broken.reason, _SENTENCE)}”"))]
    if view.reviewed is None:
        return [*parts, rich.section(rich.bold("The break-glass is not yet reviewed."))]
    word = f"{_by([view.reviewed])}: “{plain(view.reviewed.reason, _SENTENCE)}”"
    return [*parts, rich.section(rich.bold("The break-glass is reviewed"), rich.text(word))]


def _run(view: ApprovalView) -> Part:
    run = view.run
    if run is None:
        return rich.section(rich.text("⏳ Waiting to start."))
    words = {
        "starting": "⏳ Starting",
        "running": "⏳ Running",
        "verifying": "⏳ Done, checking whether it helped",
        "succeeded": "✅ It helped",
        "unhelpful": "❌ It ran and did not help",
        "inconclusive": "❔ It ran; whether it helped cannot be told",
        "rolling_back": "↩️ What it did is being taken back",
        "failed": "❌ Failed",
        "rolled_back": "↩️ What it did was taken back",
        "void": "⚠️ Not run: things changed after it was planned",
        "unknown": "❓ UNKNOWN whether it took effect; a person has to look",
    }
    took = f" after {duration(run.ended_at - run.started_at)}" if run.ended_at is not None else ""
    tail = plain(run.outcome or view.progress, _SENTENCE)
    return rich.section(rich.bold(words[run.state] + took), rich.text(f": {tail}" if tail else "."))


def _details(record: Record, *, pending: bool) -> list[Part]:
    parts: list[Part] = []
    parts += _sentences("It touches", record.get("effect"))
    parts += _touched(record)
    parts += _codes("Parameters", parameter_texts(record))
    if pending:
        checks = [
            check.get("sentence") or f"{check.get('check')}: {exact(check.get('observed'))}"
            for target in many(record, "targets")
            for check in many(target, "preconditions")
        ]
        parts += _sentences("Checked before", checks)
        verification = one(record, "verification")
        if verification:
            most = duration(int(verification.get("deadline_seconds", 0)) * 1_000_000)
            what = plain(str(verification.get("waits_for", "")), _SENTENCE)
            said = f"that {what}, for at most {most}" if what else "nothing can be looked at; look yourself"
            parts.append(rich.section(rich.bold("Checked after: "), rich.text(said)))
        whole = int(one(record, "limits").get("run_seconds", 0))
        if whole:
            said = f"no step begins later than {duration(whole * 1_000_000)} after the first"
            parts.append(rich.section(rich.bold("Time: "), rich.text(said)))
    parts += _sentences("To undo", record.get("undo"))
    parts += _sentences("Rollback", list(_by_itself(record)))
    return parts or [rich.section(rich.text("The plan says nothing more."))]


def _touched(record: Record) -> list[Part]:
    count, texts = len(many(record, "targets")), target_texts(record)
    shown, room = [], TARGETS_TEXT
    for text in texts:
        room -= len(text)
        if room < 0:
            break
        shown.append(text)
    parts = _codes("Target" if count == 1 else f"{count} targets", shown)
    return parts if len(shown) == len(texts) else [*parts, rich.section(rich.text("The rest of them does not fit."))]


def _by_itself(record: Record) -> Iterator[str]:
    """Say what this approval lets be taken back without another one, and to what."""
    if one(record, "rollback").get("approval") != "included":
        return
    own = [call_of(record, entry) for entry in rehearsals(record)]
    back = [call for call in many(record, "calls") if call.get("undoes") is not None]
    inverse = ", ".join(dict.fromkeys(str(call.get("step", "")) for call in back if call not in own))
    other = ", ".join(dict.fromkeys(str(call.get("step", "")) for call in back if call in own))
    if inverse:
        yield f"if it fails, {inverse} will be taken back without asking again, to exactly what was before."
    if other:
        yield f"if it fails, {other} will be taken back without asking again, by what is shown above for it."


def _codes(label: str, texts: Sequence[str]) -> list[Part]:
    spans = [span for text in texts for span in (rich.text(" "), rich.code(text))]
    return [rich.section(rich.bold(f"{label}:"), *spans)] if spans else []


def _sentences(label: str, value: Any) -> list[Part]:
    sentences = [value] if isinstance(value, str) else list(value or [])
    shown = " ".join(plain(str(sentence), _SENTENCE) for sentence in sentences[:_SENTENCES] if sentence)
    if not shown:
        return []
    more = f" (and {len(sentences) - _SENTENCES} more)" if len(sentences) > _SENTENCES else ""
    return [rich.section(rich.bold(f"{label}: "), rich.text(shown + more))]


def _who(record: Record, view: ApprovalView) -> Part:
    """Say who may approve. They come from the configuration, so they may be mentioned: the on-call has to notice."""
    needs = many(record, "needs")
    quorum = record.get("quorum", 1)
    if not any(many(need, "members") for need in needs):
        return rich.section(rich.bold("Nobody may approve this: "), rich.text("no approvers are configured."))
    spans: list[rich.Span] = []
    mentioned = 0
    for index, need in enumerate(needs):
        members = many(need, "members")
        spans += [rich.text(" · " if index else ""), rich.bold(_asks(need, quorum, alone=len(needs) == 1))]
        for place, person in enumerate(members[:_NAMED]):
            user_id = str(person.get("user_id", ""))
            spans.append(rich.text(", " if place else ""))
            if mentioned < _MENTIONED and _USER_ID.fullmatch(user_id):
                mentioned += 1
                spans += [rich.user(user_id), rich.text(f" ({user_id})")]
            else:
                spans.append(rich.text(f"{plain(str(person.get('name', '')), 60)} ({plain(user_id, 20)})"))
        if len(members) > _NAMED:
            spans.append(rich.text(f" and {len(members) - _NAMED} more"))
        if not members:
            spans.append(rich.text("nobody is in it"))
    if len(needs) > 1:
        spans.append(rich.text(f" · {quorum} different people in all"))
    if record.get("requester") and record.get("requester_may_approve") is not True:
        behalf = one(record, "on_behalf_of")
        nor = f", nor {_called(behalf)}, for whom it is" if behalf else ""
        spans.append(rich.text(f" · not who asked for it{nor}"))
    given = [vote for vote in view.votes if vote.decision == "approve"]
    if given and quorum != 1:
        spans.append(rich.text(f". So far{_by(given)}"))
    spans += [rich.text(" · until "), rich.date(int(record.get("expires_at", 0)))]
    breakers = [_called(each) for each in many(record, "break_glass")]
    if breakers:
        more = f" and {len(breakers) - _MENTIONED} more" if len(breakers) > _MENTIONED else ""
        spans.append(rich.text(f" · in an emergency {', '.join(breakers[:_MENTIONED])}{more} may break the glass"))
    return rich.section(*spans)


def _called(member: Record) -> str:
    return f"{plain(str(member.get('name', '')), 60) or 'unnamed'} ({plain(str(member.get('user_id', '')), 20)})"


def _asks(need: Record, quorum: Any, *, alone: bool) -> str:
    group, count = plain(str(need.get("group", "")), 63), need.get("count")
    if alone and group == "approvers":
        return "One of these may approve: " if quorum == 1 else f"{exact(quorum)} of these must approve: "
    return f"Needs {exact(quorum if alone else count)} of {group}: "


def _by(votes: Sequence[VoteLine]) -> str:
    people = ", ".join(f"{plain(vote.name, 60) or 'unnamed'} ({plain(vote.person.user_id, 20)})" for vote in votes)
    return f" by {people}" if people else ""


def _context(approval: Approval, record: Record) -> Block:
    runbook = one(record, "runbook")
    elements = [
        trusted(f"{approval.name} · plan `{approval.digest[:_SHORT_DIGEST]}` · asked {date(approval.created_at)}"),
        plain_text(
            f"runbook {plain(str(runbook.get('id', '')), 80)}@{exact(runbook.get('version'))} "
            f"({plain(str(runbook.get('digest', '')), 80)[:_SHORT_DIGEST]})"
        ),
    ]
    cited = ", ".join(plain(str(item), 10) for item in list(record.get("evidence") or [])[:10])
    proposer = plain(str(record.get("proposed_by", "")), 60)
    verb = "asked for" if record.get("requester") else "proposed"
    behalf = one(record, "on_behalf_of")
    about = [
        f"{verb} by {proposer}" if proposer else "",
        f"on behalf of {_called(behalf)}" if behalf else "",
        f"on {cited}" if cited else "",
    ]
    line = " ".join(part for part in about if part)
    if line:
        elements.append(plain_text(line))
    return context(*elements)

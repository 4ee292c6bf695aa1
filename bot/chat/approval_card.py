"""The approval card: the exact change of one stored plan, and the two buttons that decide about it.

A pure function of the stored record; no word of a model is on it. Every parameter and every target's name stands on the
card, and a change that does not fit goes beside it as a file whose SHA-256 is on the card. If that cannot be kept,
there is no Approve button.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from os.path import commonprefix
from typing import Any

from bot.chat import rich_text as rich
from bot.chat.card import (
    BLOCKS,
    CARD_TEXT,
    CONFIRM_TEXT,
    Block,
    Card,
    FileAttachment,
    actions,
    button,
    confirm,
    context,
    option,
    overflow,
    plain_text,
    text_length,
    trusted,
)
from bot.chat.mrkdwn import clock_utc, date, duration, exact, in_cluster, name, plain, push, visible
from bot.domain.approval import Approval, Decision, Person
from bot.domain.canonical import digest
from bot.domain.run import Run

APPROVE_ACTION = "apr.approve"
DENY_ACTION = "apr.deny"
MORE_ACTION = "apr.more"
REVOKE, CANCEL, EDIT, BREAK = "revoke", "cancel", "edit", "break"
"""What the menu behind the three dots offers, as the first part of an option's value."""

Record = Mapping[str, Any]
Part = dict[str, Any]

_SHORT_DIGEST = 12
_SENTENCE = 300
_SENTENCES = 6
# Together these leave room for the change itself within Slack's limit for one message.
_PARAMETERS_TEXT = 2_000
_TARGETS_TEXT = 2_000
_DIFF_TEXT = 3_000
_MENTIONED = 10
_NAMED = 20
# As kubectl rollout undo --to-revision has it.
_PREVIOUS = " (the one before)"
_VALUE = re.compile(r"([A-Za-z0-9_-]{1,32})\.([0-9a-f]{64})")
_PLAIN_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
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
    blocks.append(rich.block(*_change(record)))
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
        blocks.append(_buttons(approval, record, approvable=pending and not obstacle))
    return [*blocks, _context(approval, record)]


def collapsed(approval: Approval, record: Record, view: ApprovalView) -> list[Block]:
    """Return what became of a request that is decided, and where the whole of it can be read."""
    blocks: list[Block] = [_head(approval, record, view)]
    if _waits(approval, view) and view.buttons:
        blocks.append(_buttons(approval, record, approvable=False))
    named = f"{approval.name} · plan `{approval.digest[:_SHORT_DIGEST]}` · all of it: `/ops status {approval.name}`"
    return [*blocks, context(trusted(named))]


def _waits(approval: Approval, view: ApprovalView) -> bool:
    """Say whether it is approved and its run has not begun: until then it can be denied or taken back."""
    return approval.state == "approved" and (view.run is None or view.run.state == "starting")


def announcement(approval: Approval, record: Record, view: ApprovalView) -> str:
    """Say in a sentence what is asked for, or what became of it. Not escaped yet."""
    title = str(_of(record, "runbook").get("title", approval.runbook))
    where = f" in {str(record['cluster']).upper()}" if record.get("cluster") else ""
    what = f"{title}: {_object(record)}{where} ({matter_name(record)})"
    if approval.state == "pending":
        return f"{approval.name} needs your approval: {what}. Expires {clock_utc(approval.expires_at)}."
    state = view.run.state if approval.state == "approved" and view.run else approval.state
    how = ""
    if view.broken is not None:
        how = f", released by break-glass, {'reviewed' if view.reviewed else 'not yet reviewed'}"
    return f"{approval.name} {state}{how}: {what}"


def attachment(approval: Approval, record: Record, full_diff: str) -> FileAttachment | None:
    """Return the file with the whole change when the card can only show its beginning, else None."""
    if _shown_whole(record) or not _proven(record, full_diff):
        return None
    sha256 = digest(full_diff.encode())
    return FileAttachment(
        filename=f"{approval.name}-change.diff",
        title=f"{approval.name}: the whole change, SHA-256 {sha256}",
        content=full_diff,
        sha256=sha256,
    )


def matter_name(record: Record) -> str:
    """Return what people call what a plan is for: an incident, or a failed CI run."""
    return plain(str(_of(record, "matter").get("name") or ""), 200) or "no incident"


def button_value(approval: Approval) -> str:
    """Return what the buttons carry: which request, and the digest of the plan that the card shows."""
    return f"{approval.id}.{approval.digest}"


def read_choice(value: str) -> tuple[str, str]:
    """Return (what was chosen, the button's value) from an option of the menu."""
    choice, _, rest = value.partition(":")
    return choice, rest


def read_button_value(value: str) -> tuple[str, str] | None:
    """Return (approval id, digest) from a button's value, or None if it is not one of ours."""
    match = _VALUE.fullmatch(value)
    return (match[1], match[2]) if match else None


# --- whether it may be approved from here -------------------------------------------------------------------------


def _obstacle(record: Record, full_diff: str) -> str:
    rehearsed = _rehearsals(record)
    if not _targets(record) or not rehearsed:
        return "the plan names no target or no change"
    if sum(len(text) for text in _parameter_texts(record)) > _PARAMETERS_TEXT:
        return "its parameters do not fit on a card"
    if sum(len(text) for text in _target_texts(record)) > _TARGETS_TEXT:
        return "the names of its targets do not fit on a card"
    if not _shown_whole(record) and not _proven(record, full_diff):
        return "the change does not fit on a card and the file with the whole of it does not match the plan"
    return ""


def _shown_whole(record: Record) -> bool:
    """Whether every change stands on the card itself."""
    rehearsed = _rehearsals(record)
    room = sum(len(visible(str(entry.get("diff", "")))) for entry in rehearsed) <= _DIFF_TEXT
    return room and all(_whole(entry) for entry in rehearsed)


def _whole(entry: Mapping[str, Any]) -> bool:
    return entry.get("complete") is True and len(visible(str(entry.get("diff", "")))) <= _DIFF_TEXT


def _proven(record: Record, full_diff: str) -> bool:
    """Whether the text is the whole change that the plan names; each diff in it begins with its object."""
    rehearsed, sha256 = _rehearsals(record), record.get("change_sha256")
    return bool(rehearsed) and digest(full_diff.encode()) == sha256


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
    title = plain(str(_of(record, "runbook").get("title", approval.runbook)), 120)
    glyph = {"pending": "🔏", "approved": "✅", "denied": "⛔", "expired": "⌛", "void": "⚠️"}.get(approval.state, "↪️")
    glyph = "🚨" if approval.state == "approved" and view.broken else glyph
    risk = plain(str(_of(record, "runbook").get("risk", "unknown")), 20)
    return [
        rich.section(rich.text(f"{glyph} "), rich.bold(f"{title}: {_object(record)}")),
        rich.section(*_where(record), rich.text(f"{matter_name(record)} · risk {risk}")),
    ]


def _where(record: Record) -> list[rich.Span]:
    """Name the cluster, where it is in one."""
    cluster = name(str(record.get("cluster", ""))).upper()
    return [rich.text("cluster "), rich.bold(cluster), rich.text(" · ")] if cluster else []


def _object(record: Record) -> str:
    targets = _targets(record)
    return _place(targets[0]) if len(targets) == 1 else f"{len(targets)} objects"


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


def _change(record: Record) -> list[Part]:
    rehearsed = _rehearsals(record)
    parts: list[Part] = []
    left_out = 0
    room = _DIFF_TEXT
    for entry in rehearsed:
        shown = visible(str(entry.get("diff", "")))
        if not shown or room <= 0:
            left_out += 1
            continue
        spans = list(_how(record, entry))
        if not _whole(entry) or len(shown) > room:
            shown = shown[: shown.rfind("\n", 0, room) + 1] or shown[:room]
            shown += "…\n"
            spans.append(rich.text(f"; it goes on in the file with SHA-256 {record.get('change_sha256', '')}"))
        room -= len(shown)
        parts += [rich.section(*spans), rich.preformatted(shown.rstrip("\n") or " ")]
    if left_out:
        sha256 = record.get("change_sha256", "")
        parts.append(rich.section(rich.text(f"{left_out} more changes are in the file with SHA-256 {sha256}")))
    return parts or [rich.section(rich.bold("Exact change: "), rich.text("none recorded"))]


def _how(record: Record, entry: Record) -> Iterator[rich.Span]:
    """Say when a change is made, and how it is known. Only what a server can rehearse was rehearsed."""
    call = _call_of(record, entry)
    undone = call.get("undoes") is not None
    yield rich.bold("Exact change" + f" if {plain(str(call.get('step', '')), 60)} is taken back" * undone)
    outside = str(call.get("path", "")).startswith(("/api/v2/", "/repos/", "http"))
    looks = call.get("method") in ("ASSERT", "LOOK", "WAIT")
    foreseen = "nothing is changed" if looks else ""
    how = foreseen or ("as it will be sent, nobody can rehearse it" if outside else "server-side dry run")
    yield rich.text(f" ({how})")


def _call_of(record: Record, entry: Record) -> Record:
    """Return the call that an entry of the rehearsal is of."""
    calls, ordinal = _list_of(record, "calls"), entry.get("call")
    return calls[ordinal] if isinstance(ordinal, int) and 0 <= ordinal < len(calls) else {}


def _details(record: Record, *, pending: bool) -> list[Part]:
    parts: list[Part] = []
    parts += _sentences("It touches", record.get("effect"))
    parts += _touched(record)
    parts += _codes("Parameters", _parameter_texts(record))
    if pending:
        checks = [
            check.get("sentence") or f"{check.get('check')}: {exact(check.get('observed'))}"
            for target in _targets(record)
            for check in _list_of(target, "preconditions")
        ]
        parts += _sentences("Checked before", checks)
        verification = _of(record, "verification")
        if verification:
            most = duration(int(verification.get("deadline_seconds", 0)) * 1_000_000)
            what = plain(str(verification.get("waits_for", "")), _SENTENCE)
            said = f"that {what}, for at most {most}" if what else "nothing can be looked at; look yourself"
            parts.append(rich.section(rich.bold("Checked after: "), rich.text(said)))
        whole = int(_of(record, "limits").get("run_seconds", 0))
        if whole:
            said = f"no step begins later than {duration(whole * 1_000_000)} after the first"
            parts.append(rich.section(rich.bold("Time: "), rich.text(said)))
    parts += _sentences("To undo", record.get("undo"))
    parts += _sentences("Rollback", list(_by_itself(record)))
    return parts or [rich.section(rich.text("The plan says nothing more."))]


def _touched(record: Record) -> list[Part]:
    count, texts = len(_targets(record)), _target_texts(record)
    shown, room = [], _TARGETS_TEXT
    for text in texts:
        room -= len(text)
        if room < 0:
            break
        shown.append(text)
    parts = _codes("Target" if count == 1 else f"{count} targets", shown)
    return parts if len(shown) == len(texts) else [*parts, rich.section(rich.text("The rest of them does not fit."))]


def _by_itself(record: Record) -> Iterator[str]:
    """Say what this approval lets be taken back without another one, and to what."""
    if _of(record, "rollback").get("approval") != "included":
        return
    own = [_call_of(record, entry) for entry in _rehearsals(record)]
    back = [call for call in _list_of(record, "calls") if call.get("undoes") is not None]
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
    needs = _list_of(record, "needs")
    quorum = record.get("quorum", 1)
    if not any(_list_of(need, "members") for need in needs):
        return rich.section(rich.bold("Nobody may approve this: "), rich.text("no approvers are configured."))
    spans: list[rich.Span] = []
    mentioned = 0
    for index, need in enumerate(needs):
        members = _list_of(need, "members")
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
        behalf = _of(record, "on_behalf_of")
        nor = f", nor {_called(behalf)}, for whom it is" if behalf else ""
        spans.append(rich.text(f" · not who asked for it{nor}"))
    given = [vote for vote in view.votes if vote.decision == "approve"]
    if given and quorum != 1:
        spans.append(rich.text(f". So far{_by(given)}"))
    spans += [rich.text(" · until "), rich.date(int(record.get("expires_at", 0)))]
    breakers = [_called(each) for each in _list_of(record, "break_glass")]
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


def _buttons(approval: Approval, record: Record, *, approvable: bool) -> Block:
    value = button_value(approval)
    what = plain(f"{_of(record, 'runbook').get('title', approval.runbook)}: {_object(record)}", CONFIRM_TEXT - 120)
    where = in_cluster(str(record.get("cluster", "")))
    row = []
    if approvable:
        asks = confirm(f"Approve {approval.name}?", f"{what}{where}. It runs at once.", "Approve", "Not now")
        spoken = f"Approve {approval.name}"
        row.append(button("Approve", APPROVE_ACTION, value, style="primary", confirm=asks, spoken=spoken))
    row.append(button("Deny…", DENY_ACTION, value, spoken=f"Deny {approval.name} and say why"))
    rare = [option("Take my approval back", f"{REVOKE}:{value}")]
    if approvable and _list_of(record, "break_glass"):
        rare.append(option("Break the glass…", f"{BREAK}:{value}"))
    if _of(record, "parameters"):
        rare.append(option("Change its parameters…", f"{EDIT}:{value}"))
    if approval.requester is not None:
        rare.append(option("Cancel this request", f"{CANCEL}:{value}"))
    # A menu of one is no menu.
    row.append(overflow(MORE_ACTION, rare) if len(rare) > 1 else _only(rare[0]))
    return actions(row, block_id=approval.name)


def _only(choice: Mapping[str, Any]) -> dict[str, Any]:
    return button(choice["text"]["text"], MORE_ACTION, choice["value"])


def _context(approval: Approval, record: Record) -> Block:
    runbook = _of(record, "runbook")
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
    behalf = _of(record, "on_behalf_of")
    about = [
        f"{verb} by {proposer}" if proposer else "",
        f"on behalf of {_called(behalf)}" if behalf else "",
        f"on {cited}" if cited else "",
    ]
    line = " ".join(part for part in about if part)
    if line:
        elements.append(plain_text(line))
    return context(*elements)


# --- reading the record -------------------------------------------------------------------------------------------


def _targets(record: Record) -> list[Mapping[str, Any]]:
    return _list_of(record, "targets")


def _place(target: Mapping[str, Any]) -> str:
    return "/".join(name(str(target[key])) for key in ("namespace", "name") if target.get(key))


def _target_texts(record: Record) -> list[str]:
    """Name each target in full; or, where those are too long together, by kind, namespace and name alone."""
    texts = [
        f"{_kind(target)} {_place(target)} ({name(str(target.get('apiVersion', '')))}, "
        f"uid {name(str(target.get('uid', '')))})"
        for target in _targets(record)
    ]
    return texts if sum(len(text) for text in texts) <= _TARGETS_TEXT else list(_compact(_targets(record)))


def _compact(targets: Sequence[Record]) -> Iterator[str]:
    """Name targets as a shell does, ``Pod shop/web-{a,b}``: what the names of one place begin with is said once."""
    of: dict[tuple[str, str], list[str]] = {}
    for target in targets:
        namespace = str(target.get("namespace") or "")
        of.setdefault((_kind(target), f"{name(namespace)}/" if namespace else ""), []).append(
            str(target.get("name", ""))
        )
    for (kind, place), names in of.items():
        begins = commonprefix(names)  # noqa: RUF071 (these are names, not paths)
        begins = begins[: begins.rfind("-") + 1]
        # Only names without any sign of this notation can be read back from it.
        if len(names) > 1 and all(_PLAIN_NAME.fullmatch(each) for each in names):
            yield f"{kind} {place}{begins}{{{','.join(each.removeprefix(begins) for each in names)}}}"
        else:
            yield from (f"{kind} {place}{name(each)}" for each in names)


def _kind(target: Record) -> str:
    return name(str(target.get("kind", "object")))


def _parameter_texts(record: Record) -> list[str]:
    return [
        f"{name(str(key))} = {exact(value)}" + _PREVIOUS * (key == "revision" and value == 0 and value is not False)
        for key, value in sorted(_of(record, "parameters").items())
    ]


def _rehearsals(record: Record) -> list[Mapping[str, Any]]:
    return _list_of(record, "dry_run")


def _of(record: Record, key: str) -> Mapping[str, Any]:
    value = record.get(key)
    return value if isinstance(value, Mapping) else {}


def _list_of(record: Record, key: str) -> list[Mapping[str, Any]]:
    value = record.get(key)
    return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, (list, tuple)) else []

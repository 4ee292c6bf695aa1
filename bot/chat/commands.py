"""The /ops command: reading what was typed, and the answers, which only the person who typed it sees."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bot.chat import logs_asked, pull_asked, rerun_asked
from bot.chat import rich_text as rich
from bot.chat.card import Card
from bot.chat.logs_asked import LogsAsked
from bot.chat.mrkdwn import duration, plain, push
from bot.chat.pull_asked import PullAsked
from bot.chat.rerun_asked import RerunAsked
from bot.domain.approval import Approval
from bot.domain.incident import Incident

COMMAND = "/ops"
VERBS = ("help", "incidents", "status", "approvals", "run", "actions", "logs", "review", "rerun")
USAGE = (
    "help | incidents | status <INC-142 or A-77> | approvals | run [runbook] [INC-142] | "
    "actions [off <why> | on] | "
    f"{logs_asked.USAGE} | {pull_asked.USAGE} | {rerun_asked.USAGE}"
)
LISTED = 15

_LONGEST = 200
_RUNBOOK = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")
_ID = re.compile(r"(?:(inc|a)[-\s]?)?([0-9]{1,9})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants: a verb, for ``status`` which thing and its number, for ``run`` perhaps a runbook and the
    number of an incident, for ``actions`` off or on and why. ``problem`` says what is wrong."""

    verb: Literal["help", "incidents", "status", "approvals", "run", "actions", "logs", "review", "rerun", "unclear"]
    thing: Literal["incident", "approval"] = "incident"
    number: int = 0
    problem: str = ""
    logs: LogsAsked | None = None
    pull: PullAsked | None = None
    rerun: RerunAsked | None = None
    runbook: str = ""
    wish: Literal["", "off", "on"] = ""
    reason: str = ""


def read(text: str) -> Asked:
    """Read the text after ``/ops``. Never fails: what cannot be read is ``unclear``, with a sentence that helps."""
    words = plain(text, _LONGEST).split()
    if not words:
        return Asked("help")
    verb, rest = words[0].lower(), words[1:]
    if verb == "help":
        return Asked("help")
    if verb == "incidents":
        return Asked("incidents")
    if verb == "approvals":
        return Asked("approvals")
    if verb == "logs":
        asked = logs_asked.read(text.strip()[len(verb) :])
        return Asked("unclear" if asked.problem else "logs", problem=asked.problem, logs=asked)
    if verb == "review":
        pull = pull_asked.read(text.strip()[len(verb) :])
        return Asked("unclear" if pull.problem else "review", problem=pull.problem, pull=pull)
    if verb == "rerun":
        again = rerun_asked.read(text.strip()[len(verb) :])
        return Asked("unclear" if again.problem else "rerun", problem=again.problem, rerun=again)
    if verb == "run":
        return _run(rest)
    if verb == "actions":
        return _actions(rest)
    if verb == "status":
        return _status(" ".join(rest))
    if not rest and _ID.fullmatch(verb):
        return _status(verb)
    near = difflib.get_close_matches(verb, VERBS, n=1)
    hint = f"Did you mean `{COMMAND} {near[0]}`?" if near else f"Try `{COMMAND} help`."
    return Asked("unclear", problem=f"“{plain(verb, 40)}” is no command of Signoff. {hint}")


def _run(rest: Sequence[str]) -> Asked:
    match = _ID.fullmatch(rest[-1]) if rest else None
    number = int(match[2]) if match and (match[1] or "inc").lower() == "inc" else 0
    named = [each.lower() for each in (rest[:-1] if number else rest)]
    if len(named) > 1 or not all(map(_RUNBOOK.fullmatch, named)):
        return Asked("unclear", problem=f"Write `{COMMAND} run`, or `{COMMAND} run restart-deployment INC-142`.")
    return Asked("run", number=number, runbook=named[0] if named else "")


def _actions(rest: Sequence[str]) -> Asked:
    wish = rest[0].lower() if rest else ""
    if wish == "off":
        return Asked("actions", wish="off", reason=" ".join(rest[1:]))
    if wish == "on" and len(rest) == 1:
        return Asked("actions", wish="on")
    if not rest:
        return Asked("actions")
    return Asked("unclear", problem=f"Write `{COMMAND} actions off` and why, or `{COMMAND} actions on`.")


def _status(argument: str) -> Asked:
    match = _ID.fullmatch(argument)
    if match is None:
        what = f"“{plain(argument, 40)}” is no incident or approval." if argument else "Which one?"
        return Asked("unclear", problem=f"{what} Write `{COMMAND} status INC-142` or `{COMMAND} status A-77`.")
    thing: Literal["incident", "approval"] = "approval" if (match[1] or "").lower() == "a" else "incident"
    return Asked("status", thing, int(match[2]))


def help_card() -> Card:
    """Explain the command."""
    lines = [
        ("incidents", "what is open now"),
        ("status INC-142", "one incident, as its card shows it"),
        ("status A-77", "one request for sign-off: the exact change, and what became of it"),
        ("approvals", "what waits for somebody's sign-off, or for the review of a break-glass"),
        (
            "logs shop/checkout 30m timeout",
            "what these logs say, where that is allowed; time and words may be left out",
        ),
        ("review shop/deploy#12", "have a pull request reviewed now, draft or not"),
        (
            "rerun shop/deploy#12",
            "ask for its failed CI jobs, or those of a run by its address, to run again",
        ),
        ("run restart-deployment", "ask for a runbook in a form; somebody else signs it off"),
        ("actions off", "stop every start at once, and say why; two people turn actions on again"),
    ]
    parts = [
        rich.section(
            rich.bold("Signoff"), rich.text(" reads everything and touches nothing until a person signs off.")
        ),
        rich.bullets([[rich.code(f"{COMMAND} {usage}"), rich.text(f"  {what}")] for usage, what in lines]),
    ]
    return Card(text=push(f"{COMMAND} {USAGE}"), blocks=(rich.block(*parts),))


def unclear_card(problem: str) -> Card:
    """Say what could not be read, and what to type instead. Backquotes in ``problem`` mark what to type."""
    spans = [rich.code(part) if index % 2 else rich.text(part) for index, part in enumerate(problem.split("`"))]
    return Card(text=push(problem), blocks=(rich.block(rich.section(*spans)),))


@dataclass(frozen=True, slots=True)
class OpenIncidents:
    """The newest open incidents, how many there are in all, and the time at which they were read."""

    newest: Sequence[Incident]
    total: int
    now: int


@dataclass(frozen=True, slots=True)
class WaitingApprovals:
    """The oldest requests that wait, each with what it would do, how many there are in all, and the time; and those
    that were released by break-glass and that nobody has reviewed."""

    oldest: Sequence[tuple[Approval, str]]
    total: int
    now: int
    unreviewed: Sequence[tuple[Approval, str]] = ()
    unreviewed_total: int = 0


def incidents_card(listed: OpenIncidents) -> Card:
    """List the open incidents, newest first."""
    if not listed.newest:
        return unclear_card("No incident is open.")
    items = []
    for incident in listed.newest[:LISTED]:
        subject = incident.subject
        where = "/".join(plain(part, 63) for part in (subject.namespace, subject.name) if part)
        place = " · ".join(part for part in (plain(subject.cluster or subject.cluster_label, 63), where) if part)
        tail = f"{plain(incident.severity, 20) or 'no severity'}, for {duration(listed.now - incident.opened_at)}"
        title = plain(incident.title, 100)
        items.append(
            [rich.bold(incident.name), rich.text(f" {title}" + (f" ({place})" if place else "") + f": {tail}")]
        )
    return _list(f"{listed.total} open {'incident' if listed.total == 1 else 'incidents'}", items, listed.total)


def approvals_card(listed: WaitingApprovals) -> Card:
    """List what waits for sign-off, oldest first, and what waits for the review of its break-glass."""
    if not listed.oldest and not listed.unreviewed:
        return unclear_card("Nothing waits for sign-off.")
    waiting, broken = [], []
    for approval, title in listed.oldest[:LISTED]:
        left = duration(approval.expires_at - listed.now)
        what = f" {plain(title, 120)} in {plain(approval.cluster, 63).upper()}: expires in {left}"
        waiting.append([rich.bold(approval.name), rich.text(what)])
    for approval, title in listed.unreviewed[:LISTED]:
        what = f" {plain(title, 120)} in {plain(approval.cluster, 63).upper()}"
        broken.append([rich.bold(approval.name), rich.text(what)])
    head = f"{listed.total} waiting for sign-off"
    parts = (
        _listing(head, waiting, listed.total) if waiting else [rich.section(rich.text("Nothing waits for sign-off."))]
    )
    if broken:
        more = f"{listed.unreviewed_total} released by break-glass and not yet reviewed"
        parts += _listing(more, broken, listed.unreviewed_total)
        head += f", {more}"
    return Card(text=push(head), blocks=(rich.block(*parts),))


def missing_card(asked: Asked) -> Card:
    """Say that there is no such incident or approval."""
    name = f"{'A' if asked.thing == 'approval' else 'INC'}-{asked.number}"
    other = "approvals" if asked.thing == "approval" else "incidents"
    return unclear_card(f"There is no {name}. `{COMMAND} {other}` lists what there is.")


def _list(title: str, items: list[list[rich.Span]], total: int) -> Card:
    return Card(text=push(title), blocks=(rich.block(*_listing(title, items, total)),))


def _listing(title: str, items: list[list[rich.Span]], total: int) -> list[dict[str, Any]]:
    parts = [rich.section(rich.bold(title)), rich.bullets(items)]
    if total > len(items):
        parts.append(rich.section(rich.text(f"and {total - len(items)} more")))
    return parts

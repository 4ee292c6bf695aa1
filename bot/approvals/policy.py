"""The policy: whether one vote counts and what it decides, and whether an approved request may start its run.

Who counts as an approver: a person whom the plan names (that list is bound by its digest) and who is still listed
now. Somebody listed later did not stand on the request that was signed; somebody removed has no say any more.

Who may deny: approvers, because a denial decides as an approval does and must have somebody to answer for it; and
the requester, who may always withdraw what is theirs. A denial is the safe direction, so it also counts when the
standing of a listed person cannot be read: a wrong denial costs a new request, a lost one costs an unwanted run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from bot.approvals.lifecycle import Illegal, step
from bot.domain.approval import Approval, Electorate, Person, Standing, Vote
from bot.domain.canonical import digest
from bot.domain.plan import Plan


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided and the sentence that explains it. Names in it are plain text: escape them for Slack.

    Of a vote: ``approved`` and ``denied`` decide the request, ``waiting`` counts the vote, ``refused`` does not. Of a
    start: ``approved`` may start; ``waiting`` means that somebody's standing could not be read, so ask again;
    ``denied`` and ``refused`` are final.
    """

    outcome: Literal["approved", "waiting", "denied", "refused"]
    sentence: str


def judge(
    approval: Approval,
    plan: Plan,
    votes: Sequence[Vote],
    vote: Vote,
    electorate: Electorate,
    now: int,
    *,
    started: bool = False,
) -> Verdict:
    """Judge one vote. ``votes`` are the earlier ones of the request, ``started`` says whether its run has begun.

    ``now`` is in microseconds. What cannot be read in the plan refuses; nothing is raised.
    """
    votes = [each for each in votes if each.approval_id == approval.id]
    refusal = (
        _foreign_vote(approval, vote)
        or _unbound(approval, plan)
        or _decided(approval, plan, votes, vote, started=started)
        or _expired(approval, plan, now)
        or _other_version(plan, vote)
        or _unfit(plan, vote, electorate)
        or _unlisted(plan, vote, electorate)
        or _own_request(plan, vote, electorate)
        or _again(plan, votes, vote, electorate)
    )
    if refusal:
        return Verdict("refused", refusal)
    name = _name(plan, electorate, vote.person)
    if vote.decision == "deny":
        reason = " ".join(vote.reason.split())
        return Verdict("denied", f"{name} denied {approval.name}" + (f": {reason}" if reason else "."))
    return _tally(approval, plan, _supporters(plan, votes, electorate) | {vote.person}, electorate)


def may_answer(approval: Approval, plan: Plan, vote: Vote, electorate: Electorate) -> str:
    """Say why this person may not tell what became of an UNKNOWN run, or return an empty string if they may.

    Who could have approved the action may say what became of it; unlike a denial, an answer needs a readable standing.
    """
    if vote.approval_id != approval.id or vote.decision not in ("applied", "absent"):
        return f"This is no answer to the question about {approval.name}."
    return _unbound(approval, plan) or _unfit(plan, vote, electorate) or _unlisted(plan, vote, electorate)


def may_start(approval: Approval, plan: Plan, votes: Sequence[Vote], electorate: Electorate, now: int) -> Verdict:
    """Judge at the start of the run whether everything that made the approval still holds.

    ``electorate`` must be read afresh. ``approved`` is the only outcome that lets a run start.
    """
    legal = step(approval.state, "start")
    if isinstance(legal, Illegal):
        return Verdict("refused", legal.sentence)
    refusal = _unbound(approval, plan) or _expired(approval, plan, now)
    if refusal:
        return Verdict("refused", refusal)
    votes = [each for each in votes if each.approval_id == approval.id]
    denials = [vote for vote in votes if vote.decision == "deny" and vote.state == "counted"]
    if denials:
        return Verdict("denied", f"{_name(plan, electorate, denials[0].person)} denied {approval.name}.")
    needed = _quorum(plan)
    standing_by = _supporters(plan, votes, electorate)
    if 0 < needed <= len(standing_by):
        return Verdict("approved", f"{approval.name} is approved by {_names(plan, electorate, standing_by)}.")
    unread = {
        vote.person
        for vote in votes
        if _supports(plan, vote) and _listed(plan, vote.person, electorate) and not _known(electorate, vote.person)
    }
    if unread and 0 < needed <= len(standing_by | unread):
        who = _names(plan, electorate, unread)
        return Verdict("waiting", f"Slack cannot be asked at the moment whether {who} may still approve; trying again.")
    return Verdict(
        "refused",
        f"{approval.name} had its approvals, but of those who gave them only {len(standing_by)} may still approve, "
        f"and {needed} must. Ask for approval anew.",
    )


def approvers(plan: Plan) -> frozenset[Person]:
    """Return the people whom the plan names; empty when the list cannot be read, which means nobody."""
    return frozenset(_named(plan))


def _foreign_vote(approval: Approval, vote: Vote) -> str:
    if vote.approval_id != approval.id:
        return f"This vote is for another request than {approval.name}."
    if vote.decision not in ("approve", "deny"):
        return f"A vote on {approval.name} is to approve or to deny."
    return ""


def _unbound(approval: Approval, plan: Plan) -> str:
    """The request is for this plan and its requester, and the plan's bytes are what its digest names."""
    if approval.digest != plan.digest or digest(plan.canonical) != plan.digest:
        return f"{approval.name} is for another plan than the one at hand, so it cannot decide it."
    requester = _requester(plan)
    if approval.requester != requester or (requester is None and plan.record.get("requester") is not None):
        return f"{approval.name} does not say clearly who asked for it, so nobody can decide it."
    return ""


def _decided(approval: Approval, plan: Plan, votes: Sequence[Vote], vote: Vote, *, started: bool) -> str:
    legal = step(approval.state, "deny" if vote.decision == "deny" else "approve", started=started)
    if not isinstance(legal, Illegal):
        return ""
    when = f" at {_clock(approval.decided_at)}" if approval.decided_at is not None else ""
    deciding = "deny" if approval.state == "denied" else "approve"
    people = {each.person for each in votes if each.state == "counted" and each.decision == deciding}
    by = f" by {_names(plan, None, people)}" if people else ""
    if started:
        return f"{approval.name} was approved{by}{when} and its run has started; it can no longer be changed."
    if approval.state in ("approved", "denied"):
        return f"{approval.name} was already {approval.state}{by}{when}."
    return legal.sentence.replace("The request", approval.name)


def _expired(approval: Approval, plan: Plan, now: int) -> str:
    """Strict: at the very instant of expiry it is over. The plan's own expiry is the one that was signed."""
    signed = _integer(plan.record.get("expires_at"))
    if signed is None:
        return f"{approval.name} has no readable expiry, so it cannot be used."
    ends = min(approval.expires_at, signed)
    return f"{approval.name} expired at {_clock(ends)}; ask for it anew." if now >= ends else ""


def _other_version(plan: Plan, vote: Vote) -> str:
    if vote.digest != plan.digest:
        return "You were looking at another version of this request; open the newest one and decide again."
    return ""


def _unfit(plan: Plan, vote: Vote, electorate: Electorate) -> str:
    standing = electorate.standings.get(vote.person)
    if standing is None or not standing.known or standing.person != vote.person:
        if vote.decision == "deny":
            return ""
        return "Slack could not be asked who you are, so the approval does not count; try again in a moment."
    name = standing.name or vote.person.user_id
    faults = (
        (standing.is_bot, f"{name} is a bot; only people decide."),
        (standing.is_deactivated, f"{name} is deactivated in Slack and may not decide."),
        (standing.is_foreign, f"{name} belongs to another workspace and may not decide here."),
        (standing.is_guest, f"{name} is a guest in this workspace; only full members decide."),
    )
    return next((sentence for at_fault, sentence in faults if at_fault), "")


def _unlisted(plan: Plan, vote: Vote, electorate: Electorate) -> str:
    if _listed(plan, vote.person, electorate) or (vote.decision == "deny" and vote.person == _requester(plan)):
        return ""
    name = _name(plan, electorate, vote.person)
    eligible = {person for person in approvers(plan) if _listed(plan, person, electorate)}
    if not eligible:
        return f"{name} cannot decide this: nobody is listed as an approver. Add approvers to the configuration."
    verb = vote.decision if vote.decision in ("approve", "deny") else "answer"
    return (
        f"{name} is not on the list of approvers for this action: "
        f"{_names(plan, electorate, eligible, 'or')} may {verb}."
    )


def _own_request(plan: Plan, vote: Vote, electorate: Electorate) -> str:
    if vote.decision == "approve" and vote.person == _requester(plan):
        return f"{_name(plan, electorate, vote.person)} asked for this, so somebody else must approve it."
    return ""


def _again(plan: Plan, votes: Sequence[Vote], vote: Vote, electorate: Electorate) -> str:
    if vote.decision == "approve" and any(
        each.person == vote.person and _supports(plan, each) and each.id != vote.id for each in votes
    ):
        return f"{_name(plan, electorate, vote.person)} has approved this already; one person has one vote."
    return ""


def _tally(approval: Approval, plan: Plan, supporters: frozenset[Person], electorate: Electorate) -> Verdict:
    needed, given = _quorum(plan), len(supporters)
    if needed < 1:
        return Verdict("refused", f"{approval.name} does not say how many must approve, so nobody can approve it.")
    by = _names(plan, electorate, supporters)
    if given >= needed:
        return Verdict("approved", f"{approval.name} is approved by {by}.")
    left = {person for person in approvers(plan) if _listed(plan, person, electorate)} - supporters
    left.discard(_requester(plan) or Person("", ""))
    still = f"{given} of {needed} approvals so far ({by})"
    if len(left) < needed - given:
        return Verdict("waiting", f"{still}; too few approvers are left, so it can only be denied or expire.")
    return Verdict("waiting", f"{still}; still to come from {_names(plan, electorate, left, 'or')}.")


def _supports(plan: Plan, vote: Vote) -> bool:
    return vote.decision == "approve" and vote.state == "counted" and vote.digest == plan.digest


def _supporters(plan: Plan, votes: Iterable[Vote], electorate: Electorate) -> frozenset[Person]:
    """Everybody whose counted approval still stands: listed, in good standing, not the requester, each once."""
    return frozenset(
        vote.person
        for vote in votes
        if _supports(plan, vote)
        and vote.person != _requester(plan)
        and _listed(plan, vote.person, electorate)
        and not _unfit(plan, vote, electorate)
    )


def _listed(plan: Plan, person: Person, electorate: Electorate) -> bool:
    return person in electorate.listed and person in _named(plan)


def _known(electorate: Electorate, person: Person) -> bool:
    standing: Standing | None = electorate.standings.get(person)
    return standing is not None and standing.known and standing.person == person


def _named(plan: Plan) -> dict[Person, str]:
    """The plan's approvers with their names. One unreadable entry makes the whole list unreadable: nobody."""
    listed = plan.record.get("approvers")
    if not isinstance(listed, list):
        return {}
    named: dict[Person, str] = {}
    for each in listed:
        person = _person(each)
        if person is None:
            return {}
        name = each.get("name")
        named[person] = name if isinstance(name, str) and name else person.user_id
    return named


def _requester(plan: Plan) -> Person | None:
    return _person(plan.record.get("requester"))


def _person(data: Any) -> Person | None:
    if not isinstance(data, Mapping):
        return None
    team, user = data.get("team_id"), data.get("user_id")
    if not (isinstance(team, str) and isinstance(user, str) and team and user):
        return None
    return Person(team, user)


def _quorum(plan: Plan) -> int:
    return _integer(plan.record.get("quorum")) or 0


def _integer(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _name(plan: Plan, electorate: Electorate | None, person: Person) -> str:
    standing = electorate.standings.get(person) if electorate else None
    if standing and standing.known and standing.name:
        return standing.name
    return _named(plan).get(person, person.user_id)


def _names(plan: Plan, electorate: Electorate | None, people: Iterable[Person], joint: str = "and") -> str:
    names = sorted(_name(plan, electorate, person) for person in people)
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {joint} {names[-1]}"


def _clock(at: int) -> str:
    return datetime.fromtimestamp(at // 1_000_000, tz=UTC).strftime("%H:%M UTC on %Y-%m-%d")

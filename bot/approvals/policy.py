"""The policy: whether one vote counts and what it decides, and whether an approved request may start its run.

Who may deny: everybody who could approve, because a denial decides as an approval does and must have somebody to
answer for it; and the requester, who may always withdraw what is theirs. A denial is the safe direction, so it also
counts when the standing of a listed person, or the group they were in, cannot be read: a wrong denial costs a new
request, a lost one costs an unwanted run.

Who may break the glass: a person whom the plan names for it and who is still listed for it now, the requester too,
because an emergency may leave nobody else. It takes the place of the quorum and of nothing else: plan, expiry, denials
and standing are judged as for an approval, and it needs a reason. Somebody else, an approver, has to review it.

Where: nothing is approved, released or started while people of other organisations share its channel, or while it
cannot be read whether they do. What stops a request counts there all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from bot.approvals.eligible import Eligible, Supporters, listed, unfit, unfit_for
from bot.approvals.lifecycle import Event, Illegal, step
from bot.approvals.quorum import seat
from bot.approvals.terms import Terms
from bot.domain.approval import Approval, Decision, Electorate, Person, Standing, Vote
from bot.domain.plan import Plan
from bot.domain.policy import BREAK_GLASS

_EVENTS: Mapping[Decision, Event] = {
    "approve": "approve",
    "break": "approve",
    "deny": "deny",
    "revoke": "revoke",
    "cancel": "cancel",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided and the sentence that explains it. Names in it are plain text: escape them for Slack.

    Of a vote: ``approved``, ``denied`` and ``cancelled`` decide the request, ``waiting`` counts the vote, ``revoked``
    makes the person's approval count no more (and an approved request void), ``refused`` changes nothing. Of a start:
    ``approved`` may start; ``waiting`` means that it may not now and may later, so ask again; ``expired``, ``denied``
    and ``refused`` are final.
    """

    outcome: Literal["approved", "waiting", "revoked", "denied", "cancelled", "expired", "refused"]
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
    hold: str = "",
) -> Verdict:
    """Judge one vote. ``votes`` are the earlier ones of the request, ``started`` says whether its run has begun.

    ``now`` is in microseconds. ``hold`` says why nothing of this kind may run now, and stops approvals only. What
    cannot be read in the plan refuses; nothing is raised.
    """
    terms = Terms.of(plan)
    who = Eligible(terms, electorate)
    votes = [each for each in votes if each.approval_id == approval.id]
    refusal = (
        _foreign_vote(approval, vote)
        or _unbound(approval, terms)
        or _decided(approval, votes, vote, who, started=started)
        or _expired(approval, terms, now)
        or _other_version(terms, vote)
        or unfit_for(vote, electorate)
        or _may_not(approval, votes, vote, who)
    )
    if refusal:
        return Verdict("refused", refusal)
    name = who.name(vote.person)
    match vote.decision:
        case "deny":
            reason = _reason(vote)
            return Verdict("denied", f"{name} denied {approval.name}" + (f": {reason}" if reason else "."))
        case "cancel":
            return Verdict("cancelled", f"{name} asked for {approval.name} and took it back.")
        case "revoke":
            anew = " before it started; it is asked for anew." if approval.state == "approved" else "."
            return Verdict("revoked", f"{name} took their approval of {approval.name} back{anew}")
    closed = hold or _shared(electorate)
    if closed:
        return Verdict("refused", closed)
    if vote.decision == "break":
        own = "their own request " if who.asked(vote.person) else ""
        have = f"{len(who.supporters(votes))} of {terms.quorum} approvals"
        return Verdict("approved", f"{name} broke the glass for {own}{approval.name}, with {have}: {_reason(vote)}")
    votes.append(replace(vote, state="counted"))
    return _tally(approval, who.supporters(votes), who)


def may_answer(approval: Approval, plan: Plan, vote: Vote, electorate: Electorate) -> str:
    """Say why this person may not tell what became of an UNKNOWN run, or return an empty string if they may.

    Who could have approved the action may say what became of it; unlike a denial, an answer needs a readable standing.
    Where none of them is left, because the configuration names others or other groups now, whoever is in any of its
    groups may: a lock must not be held for ever because people have left. ``electorate`` has all groups.
    """
    if vote.approval_id != approval.id or vote.decision not in ("applied", "absent", "again"):
        return f"This is no answer to the question about {approval.name}."
    terms = Terms.of(plan)
    who = Eligible(terms, electorate)
    refusal = _unbound(approval, terms) or unfit_for(vote, electorate)
    if refusal or who.left:
        return refusal or _outsider(approval, vote, who)
    return may_answer_by_list(vote, electorate)


def may_answer_by_list(vote: Vote, electorate: Electorate) -> str:
    """Say why this person may not tell what became of a run whose plan cannot be relied on. Whom it names counts no
    more, so whoever is in any of the configuration's groups may: ``electorate`` has them all."""
    refusal = unfit_for(vote, electorate)
    if refusal or any(vote.person in people for people in electorate.groups.values()):
        return refusal
    if electorate.unread:
        return "Slack could not be asked whether you are an approver; try again in a moment."
    return "Only approvers say what became of it, and you are in no group of theirs."


def may_review(
    approval: Approval, plan: Plan, broken: Vote | None, reviewed: Vote | None, vote: Vote, electorate: Electorate
) -> str:
    """Say why this person may not close the review of a break-glass, or return an empty string if they may.
    ``broken`` is the vote that broke the glass, ``reviewed`` the one that closed the review, if any.

    An approver may, who is neither who broke the glass nor who asked for it. Whoever is in one of its groups now is an
    approver of it, also who came later: a review releases nothing, and must not stay open because people have left.
    Where nobody else is in them, as when they were renamed, an approver of any other group may. ``electorate`` has all.
    """
    if vote.approval_id != approval.id or vote.decision != "reviewed":
        return f"This is no review of {approval.name}."
    terms = Terms.of(plan)
    who = Eligible(terms, electorate)
    if broken is None:
        return f"Nobody broke the glass for {approval.name}, so there is nothing to review."
    if reviewed is not None:
        return f"{approval.name} was reviewed already by {who.name(reviewed.person)}."
    refusal = _unbound(approval, terms) or _other_version(terms, vote) or unfit_for(vote, electorate)
    if refusal:
        return refusal
    name = who.name(vote.person)
    if who.same(vote.person, broken.person):
        return f"{name} broke the glass for {approval.name}, so somebody else must review it."
    if who.asked(vote.person):
        return f"{name} asked for {approval.name}, so somebody else must review it."
    if not _reason(vote):
        return "Write a few words: what was found is kept in the audit."
    if any(vote.person in electorate.groups.get(group, ()) for group in terms.groups):
        return ""
    unread = [group for group in terms.groups if group in electorate.unread]
    own = {person for group in terms.groups for person in electorate.groups.get(group, ())}
    if not unread and all(who.asked(person) or who.same(person, broken.person) for person in own):
        if any(vote.person in people for people in electorate.groups.values()):
            return ""
        unread = sorted(electorate.unread)
    if unread:
        return f"Slack could not be asked who is in {listed(unread)}, so this does not count; try again in a moment."
    return f"{name} is no approver of {approval.name}: only approvers review what was released without them."


def may_ask(standing: Standing) -> str:
    """Say why this person may not ask for an action, or return an empty string."""
    if not standing.known:
        return "Slack could not be asked who wants it; try again in a moment."
    return unfit(standing)


def may_start(
    approval: Approval, plan: Plan, votes: Sequence[Vote], electorate: Electorate, now: int, *, hold: str = ""
) -> Verdict:
    """Judge at the start of the run whether everything that made the approval still holds.

    ``electorate`` must be read afresh. ``hold`` says why nothing of this kind may run now. ``approved`` is the only
    outcome that lets a run start.
    """
    legal = step(approval.state, "start")
    if isinstance(legal, Illegal):
        return Verdict("refused", legal.sentence)
    terms = Terms.of(plan)
    who = Eligible(terms, electorate)
    unbound = _unbound(approval, terms)
    if unbound:
        return Verdict("refused", unbound)
    expired = _expired(approval, terms, now)
    if expired:
        return Verdict("refused" if terms.expires_at is None else "expired", expired)
    votes = [each for each in votes if each.approval_id == approval.id]
    denials = [vote for vote in votes if vote.decision in ("deny", "cancel") and vote.state == "counted"]
    if denials:
        return Verdict("denied", f"{who.name(denials[0].person)} denied {approval.name}.")
    supporters = who.supporters(votes)
    breakers = who.breakers(votes)
    if breakers or who.reached(supporters):
        closed = hold or _shared(electorate)
        if closed:
            return Verdict("waiting", closed)
        how = "released by break-glass" if breakers else "approved"
        return Verdict("approved", f"{approval.name} is {how} by {who.names(breakers or supporters)}.")
    hopeful = who.supporters(votes, hopeful=True)
    hoped = who.breakers(votes, hopeful=True)
    if hoped or who.reached(hopeful):
        names = who.names(hoped or set(hopeful) - set(supporters)) or "they"
        sentence = f"Slack cannot be asked at the moment whether {names} may still approve; trying again."
        return Verdict("waiting", sentence)
    broke = {vote.person for vote in votes if who.breaks(vote)}
    if broke:
        why = f"{who.names(broke)} broke the glass for {approval.name} and may not do so any more"
        return Verdict("refused", f"{why}. Ask for approval anew.")
    return Verdict(
        "refused",
        f"{approval.name} had its approvals, but of those who gave them only {len(supporters)} may still approve, "
        f"and {terms.quorum} must. Ask for approval anew.",
    )


def released(plan: Plan, votes: Iterable[Vote], electorate: Electorate) -> bool:
    """Say whether the glass was broken for a plan by somebody who may still do so; ``votes`` are those of its request.
    Closed windows may then be passed, where the configuration says so."""
    return bool(Eligible(Terms.of(plan), electorate).breakers(votes))


def too_few(plan: Plan, aliases: Mapping[Person, Person]) -> str:
    """Say that a plan names too few people who may approve it, or return an empty string. Only break-glass releases
    such a request."""
    terms = Terms.of(plan)
    who = Eligible(terms, Electorate(terms.groups, {}, read_at=0, aliases=aliases))
    if who.possible:
        return ""
    humans = {aliases.get(person, person): person for person in who.able()}
    may = f"only {who.names(humans.values())} may" if humans else "nobody may"
    return f"Too few approvers: {terms.quorum} must approve this and {may}. Have more people listed and ask anew."


def approvers(plan: Plan) -> frozenset[Person]:
    """Return the people whom the plan names; empty when they cannot be read, which means nobody."""
    return frozenset(Terms.of(plan).names)


def _foreign_vote(approval: Approval, vote: Vote) -> str:
    if vote.approval_id != approval.id:
        return f"This vote is for another request than {approval.name}."
    if vote.decision not in _EVENTS:
        return f"A vote on {approval.name} is to approve or to deny."
    return ""


def _unbound(approval: Approval, terms: Terms) -> str:
    """The request is for this plan and its requester, and the plan's bytes are what its digest names."""
    if approval.digest != terms.digest or not terms.whole:
        return f"{approval.name} is for another plan than the one at hand, so it cannot decide it."
    if terms.askers is None or approval.requester != terms.requester:
        return f"{approval.name} does not say clearly who asked for it, so nobody can decide it."
    return ""


def _decided(approval: Approval, votes: Sequence[Vote], vote: Vote, who: Eligible, *, started: bool) -> str:
    legal = step(approval.state, _EVENTS[vote.decision], started=started)
    if not isinstance(legal, Illegal):
        return ""
    when = f" at {_clock(approval.decided_at)}" if approval.decided_at is not None else ""
    deciding = {"denied": ("deny",), "cancelled": ("cancel",)}.get(approval.state, ("approve", "break"))
    people = {each.person for each in votes if each.state == "counted" and each.decision in deciding}
    by = f" by {who.names(people)}" if people else ""
    if started and approval.state == "approved":
        return f"{approval.name} was approved{by}{when} and its run has started; it can no longer be changed."
    if approval.state in ("approved", "denied", "cancelled"):
        return f"{approval.name} was already {approval.state}{by}{when}."
    return legal.sentence.replace("The request", approval.name)


def _expired(approval: Approval, terms: Terms, now: int) -> str:
    """Strict: at the very instant of expiry it is over. The plan's own expiry is the one that was signed."""
    if terms.expires_at is None:
        return f"{approval.name} has no readable expiry, so it cannot be used."
    ends = min(approval.expires_at, terms.expires_at)
    return f"{approval.name} expired at {_clock(ends)}; ask for it anew." if now >= ends else ""


def _other_version(terms: Terms, vote: Vote) -> str:
    if vote.digest != terms.digest:
        return "You were looking at another version of this request; open the newest one and decide again."
    return ""


def _shared(electorate: Electorate) -> str:
    """Say why nothing may be approved or started where this was asked for, or nothing."""
    if electorate.shared is None:
        return "Slack could not be asked whether its channel is shared with another workspace; try again in a moment."
    if electorate.shared:
        return (
            "Its channel is shared with another workspace: nothing is approved or started there. It can be once the "
            "channel is this workspace's alone."
        )
    return ""


def _may_not(approval: Approval, votes: Sequence[Vote], vote: Vote, who: Eligible) -> str:
    """Say why this person may not do what they clicked."""
    name = who.name(vote.person)
    asked = who.asked(vote.person)
    own = [each for each in votes if who.same(each.person, vote.person)]
    given = any(who.approves(each) for each in own)
    if vote.decision == "cancel":
        return "" if asked else f"Only who asked for {approval.name} can cancel it. An approver can deny it."
    if vote.decision == "revoke":
        broke = any(who.breaks(each) for each in own)
        return "" if given or broke else f"{name} has given no approval of {approval.name} to take back."
    if vote.decision == "break":
        return _may_not_break(approval, vote, who)
    if vote.decision == "deny" and asked:
        return ""
    if vote.decision == "approve" and asked and not who.terms.requester_may_approve:
        clicked = who.terms.requester is not None and who.same(who.terms.requester, vote.person)
        did = f"{name} asked for this" if clicked else f"This was asked for on behalf of {name}"
        return f"{did}, so somebody else must approve it."
    # The approval of an identity that may approve no more stands for nothing, so another of theirs may.
    if vote.decision == "approve" and any(who.same(each, vote.person) for each in who.supporters(votes, hopeful=True)):
        return f"{name} has approved this already; one person has one vote."
    return _outsider(approval, vote, who)


def _may_not_break(approval: Approval, vote: Vote, who: Eligible) -> str:
    """Say why this person may not break the glass."""
    name = who.name(vote.person)
    if not who.countable:
        return f"{approval.name} does not say how many must approve, so nobody can release it."
    if not who.terms.breakers:
        return (
            f"Nobody may break the glass for {approval.name}: its runbook forbids it, or nobody was listed for it when "
            "it was asked for."
        )
    if vote.person not in who.terms.breakers:
        may = who.names(who.terms.breakers, "or")
        return f"{name} may not break the glass for {approval.name}: {may} may."
    if vote.person not in who.electorate.groups.get(BREAK_GLASS, ()):
        if BREAK_GLASS in who.electorate.unread:
            return "Slack could not be asked who may break the glass, so this does not count; try again in a moment."
        return f"{name} may not break the glass any more."
    if not _reason(vote):
        return "Breaking the glass takes a reason: it is said to everybody and kept in the audit."
    return ""


def _outsider(approval: Approval, vote: Vote, who: Eligible) -> str:
    """Say why this person is in no group that counts."""
    if who.groups(vote.person):
        return ""
    name = who.name(vote.person)
    bound = [group for group, people in who.terms.groups.items() if vote.person in people]
    unread = [group for group in bound if group in who.electorate.unread]
    if unread:
        if vote.decision == "deny":
            return ""
        return f"Slack could not be asked who is in {listed(unread)}, so this does not count; try again in a moment."
    joined = [group for group in who.terms.groups if vote.person in who.electorate.groups.get(group, ())]
    if joined and not bound:
        return (
            f"{name} came to {listed(joined)} after {approval.name} was asked for, and counts for what is asked from "
            "then on. Ask for it anew to let them decide."
        )
    able = who.able()
    if not able:
        return f"{name} cannot decide this: nobody is listed as an approver. Add approvers to the configuration."
    verb = vote.decision if vote.decision in ("approve", "deny") else "answer"
    may = who.names(able, "or")
    return f"{name} is not on the list of approvers for this action: {may} may {verb}."


def _tally(approval: Approval, supporters: Supporters, who: Eligible) -> Verdict:
    if who.terms.quorum < 1:
        return Verdict("refused", f"{approval.name} does not say how many must approve, so nobody can approve it.")
    by = who.names(supporters)
    if who.reached(supporters):
        return Verdict("approved", f"{approval.name} is approved by {by}.")
    humans = {who.electorate.human(person) for person in supporters}
    able = who.able()
    left = {person: groups for person, groups in able.items() if who.electorate.human(person) not in humans}
    still = f"{min(len(supporters), who.terms.quorum)} of {who.terms.quorum} approvals so far ({by})"
    if not who.reached({**supporters, **left}):
        return Verdict("waiting", f"{still}; too few approvers are left, so it can only be denied or expire.")
    if len(who.terms.counts) == 1:
        return Verdict("waiting", f"{still}; still to come from {who.names(left, 'or')}.")
    wanted = [
        f"{count} of {group} ({who.names((each for each in left if group in left[each]), 'or')})"
        for group, count in seat(who.terms.counts, supporters).empty.items()
    ]
    wanted = wanted or [f"{who.terms.quorum - len(supporters)} more ({who.names(left, 'or')})"]
    return Verdict("waiting", f"{still}; still needed: {listed(wanted)}.")


def _reason(vote: Vote) -> str:
    return " ".join(vote.reason.split())


def _clock(at: int) -> str:
    return datetime.fromtimestamp(at // 1_000_000, tz=UTC).strftime("%H:%M UTC on %Y-%m-%d")

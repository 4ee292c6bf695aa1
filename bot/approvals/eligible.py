"""Who counts for one request: by what its plan names, and by how people stand in Slack and in the configuration now.

Who counts for a group is a person whom the plan names in it (that list is bound by its digest) and who is still in it
now. Somebody who joined later did not stand on the request that was signed; somebody removed has no say any more. One
human is one vote in all, in however many groups, under however many identities.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.approvals.quorum import seat
from bot.approvals.terms import Terms
from bot.domain.approval import Electorate, Person, Standing, Vote
from bot.domain.policy import BREAK_GLASS

Supporters = Mapping[Person, frozenset[str]]
"""Who stands by a request, each with the groups of it that they may sit for."""

_NAMED = 8


@dataclass(frozen=True, slots=True)
class Eligible:
    """The terms of a request beside the people as they are now. ``hopeful`` takes what cannot be read now for what it
    was when the request was made: it tells who may count later, never who counts."""

    terms: Terms
    electorate: Electorate

    def groups(self, person: Person, *, hopeful: bool = False) -> frozenset[str]:
        """Return the groups of the plan that this person was in when it was made and is in now."""
        now, unread = self.electorate.groups, self.electorate.unread
        return frozenset(
            group
            for group, bound in self.terms.groups.items()
            if person in bound and (person in now.get(group, ()) or (hopeful and group in unread))
        )

    def able(self) -> dict[Person, frozenset[str]]:
        """Return who could approve, as far as is known without asking how each of them stands."""
        found: dict[Person, frozenset[str]] = {}
        for person in sorted(self.terms.names):
            groups = self.groups(person)
            if groups and (self.terms.requester_may_approve or not self.asked(person)):
                found[person] = groups
        return found

    @property
    def left(self) -> bool:
        """Whether anybody whom the plan names is still in their group, as far as that can be read."""
        return any(self.groups(person, hopeful=True) for person in self.terms.names)

    @property
    def possible(self) -> bool:
        """Whether enough people could approve it if all did: then its quorum can be reached."""
        humans: dict[Person, frozenset[str]] = {}
        for person, groups in self.able().items():
            human = self.electorate.human(person)
            humans[human] = humans.get(human, frozenset()) | groups
        return self.reached(humans)

    def asked(self, person: Person) -> bool:
        """Say whether this human asked for it, or is whom it was asked for."""
        return any(self.same(person, asker) for asker in self.terms.askers or ())

    def same(self, one: Person, other: Person) -> bool:
        """Say whether two identities are one human."""
        return self.electorate.human(one) == self.electorate.human(other)

    def approves(self, vote: Vote) -> bool:
        """Say whether a vote is a counted approval of this very plan."""
        return vote.decision == "approve" and self._counted(vote)

    def breaks(self, vote: Vote) -> bool:
        """Say whether a vote is a counted break-glass for this very plan."""
        return vote.decision == "break" and self._counted(vote)

    def supporters(self, votes: Iterable[Vote], *, hopeful: bool = False) -> dict[Person, frozenset[str]]:
        """Return whose counted approval still stands: in a group, in good standing, not who asked, one identity a
        human."""
        found: dict[Person, frozenset[str]] = {}
        humans: set[Person] = set()
        for vote in votes:
            human = self.electorate.human(vote.person)
            groups = self.groups(vote.person, hopeful=hopeful)
            own = self.asked(vote.person) and not self.terms.requester_may_approve
            if not groups or own or human in humans or not self.approves(vote) or not self._fit(vote, hopeful=hopeful):
                continue
            humans.add(human)
            found[vote.person] = groups
        return found

    def breakers(self, votes: Iterable[Vote], *, hopeful: bool = False) -> set[Person]:
        """Return who broke the glass and may still do so: named for it by the plan, listed for it now, in good
        standing."""
        listed = self.electorate.groups.get(BREAK_GLASS, ())
        hoped = hopeful and BREAK_GLASS in self.electorate.unread
        return {
            vote.person
            for vote in votes
            if self.breaks(vote)
            and self.countable
            and vote.person in self.terms.breakers
            and (hoped or vote.person in listed)
            and self._fit(vote, hopeful=hopeful)
        }

    @property
    def countable(self) -> bool:
        """Whether it can be read how many must approve, and of which groups."""
        return bool(self.terms.counts) and self.terms.quorum > 0

    def reached(self, supporters: Supporters) -> bool:
        """Say whether enough different people stand by it, and every group has its own."""
        enough = self.countable and self.terms.quorum <= len(supporters)
        return enough and seat(self.terms.counts, supporters).full

    def name(self, person: Person) -> str:
        """Return what a person is called now or, where that is not known, was called in the plan."""
        standing = self.electorate.standings.get(person)
        return standing.name if standing and standing.known and standing.name else self.terms.name(person)

    def names(self, people: Iterable[Person], joint: str = "and") -> str:
        """Return what people are called, the first few of them by name."""
        names = sorted(self.name(person) for person in people)
        if len(names) > _NAMED:
            names = [*names[:_NAMED], f"{len(names) - _NAMED} more"]
        return listed(names, joint)

    def _counted(self, vote: Vote) -> bool:
        return vote.state == "counted" and vote.digest == self.terms.digest

    def _fit(self, vote: Vote, *, hopeful: bool) -> bool:
        return not unfit_for(vote, self.electorate) or (hopeful and not known(self.electorate, vote.person))


def known(electorate: Electorate, person: Person) -> bool:
    """Say whether Slack has told how this person stands."""
    standing: Standing | None = electorate.standings.get(person)
    return standing is not None and standing.known and standing.person == person


def unfit_for(vote: Vote, electorate: Electorate) -> str:
    """Return why who votes may not decide anything, whatever the request, or nothing. What stops a request also counts
    from somebody of whom nothing could be read."""
    standing = electorate.standings.get(vote.person)
    if standing is None or not known(electorate, vote.person):
        if vote.decision in ("deny", "revoke", "cancel"):
            return ""
        return "Slack could not be asked who you are, so this does not count; try again in a moment."
    return unfit(standing)


def unfit(standing: Standing) -> str:
    """Return why nobody who stands like this may decide anything, or nothing."""
    name = standing.name or standing.person.user_id
    faults = (
        (standing.is_bot, f"{name} is a bot; only people decide."),
        (standing.is_deactivated, f"{name} is deactivated in Slack and may not decide."),
        (standing.is_foreign, f"{name} belongs to another workspace and may not decide here."),
        (standing.is_guest, f"{name} is a guest in this workspace; only full members decide."),
    )
    return next((sentence for at_fault, sentence in faults if at_fault), "")


def listed(words: Sequence[str], joint: str = "and") -> str:
    """Return words as a sentence lists them."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {joint} {words[-1]}"

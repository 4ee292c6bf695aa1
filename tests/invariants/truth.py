"""What must hold of every sequence of events, said a second time and in another way than the bot says it."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from itertools import permutations
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, text

from bot.domain.policy import Group
from bot.store import clock

if TYPE_CHECKING:
    from tests.invariants.simulation import Simulation

Json = dict[str, Any]

CHANNEL = "C0INCIDENTS"
OLDEST_SECONDS = 10.5
OVER = {"denied", "cancelled", "expired", "void", "superseded"}
MAY_FOLLOW = {
    "pending": {"approved", *OVER},
    "approved": {"pending", *OVER},
}
RUN_MAY_FOLLOW = {
    "starting": {"running", "void"},
    "running": {"starting", "verifying", "failed", "unknown", "void"},
    "unknown": {"running", "verifying", "failed"},
    "verifying": {"succeeded", "unhelpful", "inconclusive"},
}
ENDED = {"succeeded", "unhelpful", "inconclusive", "failed", "void"}


class Truth:
    """One sequence's history, and the rules. Raises the simulation's ``Faulty`` when one is broken."""

    def __init__(self, simulation: Simulation) -> None:
        from tests.invariants.simulation import Faulty

        self._faulty = Faulty
        self._simulation = simulation
        self.fault: Exception | None = None
        self.incident: str | None = None
        self.runs: dict[str, str] = {}
        self.approval_of: dict[str, str] = {}
        self._records: dict[str, Json] = {}
        self._states: dict[str, str] = {}
        self._digests: dict[str, str] = {}
        self._judged: dict[str, list[tuple[str, str, str, str]]] = defaultdict(list)
        self._seen_votes: set[str] = set()
        self._begun: set[tuple[str, int]] = set()
        self._changes: Counter[str] = Counter()
        self._heard: dict[tuple[str, str], list[tuple[int, float, Json]]] = defaultdict(list)
        self._tick = 0
        self._read_at: dict[tuple[str, str], int] = {}
        self._said_absent: set[str] = set()
        self._waiting: dict[str, str | None] = {}

    # --- what the simulation tells ---

    def read(self, kind: str, row: str) -> None:
        """A job read the database: whom it asks about from here on, it asks for what it does next."""
        self._tick += 1
        self._read_at[kind, row] = self._tick

    def told(self, replica: str, arguments: Json, answer: Json) -> None:
        """Slack's answer to this replica about a person, a group or a channel."""
        self._tick += 1
        about = arguments.get("user") or arguments.get("usergroup") or arguments.get("channel")
        if about:
            self._heard[replica, str(about)].append((self._tick, self._simulation.elapsed, answer))

    def _answers(self, replica: str, run: str, about: str) -> list[Json]:
        """What this replica heard since the run last read its votes, and not long ago: any of it may be what it judged
        by."""
        since = self._read_at.get(("run", run), 0)
        return [answer for tick, answer in self._lately(replica, about) if tick > since]

    def _lately(self, replica: str, about: str) -> list[tuple[int, Json]]:
        """What this replica heard within the time for which it may judge by it."""
        oldest = self._simulation.elapsed - OLDEST_SECONDS
        return [(tick, answer) for tick, at, answer in self._heard[replica, about] if at >= oldest]

    def _may(self, replica: str, row: Any) -> None:
        """Say whether the plan names who gave this vote, and whether they are listed, or were said to be in a group ten
        seconds ago at most."""
        policy, record = self._simulation.rules.policy, self._records[row.approval_id]
        names = [need["group"] for need in record["needs"]] if row.decision == "approve" else []
        groups = [policy.break_glass] if row.decision == "break" else [policy.groups[name] for name in names]
        user = row.person.partition(":")[2]
        told = {each.group_id for group in groups for each in group.user_groups}
        lately = any(user in answer["users"] for name in told for _, answer in self._lately(replica, name))
        bound = record["needs"] if row.decision == "approve" else [{"members": record["break_glass"]}]
        named = {f"{each['team_id']}:{each['user_id']}" for need in bound for each in need["members"]}
        if groups and row.person not in named:
            raise self._faulty(f"it counts {row.person}, whom the plan does not name")
        if groups and not lately and not any(str(each) == row.person for group in groups for each in group.users):
            raise self._faulty(f"it counts {row.person}, who was in no group for ten seconds, as far as was asked")

    def requests(self, *, all_of_them: bool = False) -> list[tuple[str, str]]:
        """The requests that people can see, with their digests; those whose run goes on or is over too."""
        return [
            (each, digest) for each, digest in self._digests.items() if all_of_them or self._states[each] not in OVER
        ]

    def broken(self) -> list[tuple[str, str]]:
        """The requests that somebody released by break-glass, with their digests."""
        return [
            (each, self._digests[each])
            for each, judged in self._judged.items()
            if any(decision == "break" for _, decision, _, _ in judged)
        ]

    def sent(self, kind: str, row: str, path: str, body: Any) -> None:
        """A write leaves for the cluster: it must be the very call that was signed."""
        signed = self._records[self.approval_of[row]]["calls"][0]
        body = json.loads(json.dumps(body))
        body.get("metadata", {}).pop("resourceVersion", None)
        wanted = json.loads(json.dumps(signed["body"]))
        wanted.get("metadata", {}).pop("resourceVersion", None)
        _prune(body), _prune(wanted)
        if kind != "run" or path != signed["path"] or body != wanted:
            raise self._faulty(f"what was sent is not what was signed: {path} {body}")

    def changed_the_cluster(self, kind: str, row: str) -> None:
        """A write arrived."""
        if kind != "run":
            raise self._faulty(f"a {kind} changed the cluster")
        self._changes[row] += 1
        if self._changes[row] > 1:
            raise self._faulty("one run changed the cluster twice")
        if (row, 0) not in self._begun:
            raise self._faulty("the cluster was changed before the ledger said so")

    # --- what is looked at after every transaction ---

    def look(self, replica: str) -> None:
        """Compare the rows with what they were. Notes the first fault."""
        try:
            self._simulation.database.read_now(lambda connection: self._look(connection, replica))
        except self._faulty as fault:
            self.fault = self.fault or fault

    def _look(self, connection: Connection, replica: str) -> None:
        def rows(query: str) -> Any:
            return connection.execute(text(query), {"incident": self.incident}).all()

        if self.incident is None:
            found = connection.execute(
                text("SELECT incident_id FROM alert_groups WHERE group_key = :key AND incident_id IS NOT NULL"),
                {"key": self._simulation.group_key},
            ).first()
            self.incident = found[0] if found else None
            return
        now = clock.now(connection)
        for row in rows("SELECT id, state, digest, record FROM approvals WHERE matter_id = :incident"):
            self._request(row)
        in_order = "ORDER BY votes.received_at, votes.id"
        for row in rows(
            "SELECT votes.id, approval_id, person, decision, votes.digest, votes.state, reason FROM votes "
            "JOIN approvals ON approvals.id = approval_id "
            f"WHERE matter_id = :incident AND votes.state <> 'received' {in_order}"
        ):
            if row.id not in self._seen_votes:
                self._seen_votes.add(row.id)
                if row.state != "refused":
                    self._reviewable(row)
                    self._may(replica, row)
                    self._judged[row.approval_id].append((row.person, row.decision, row.digest, row.state))
                    self._simulation.count(f"{row.decision} counted")
        for row in rows("SELECT id, approval_id, state, waits_for FROM runs WHERE matter_id = :incident"):
            self._run(row)
        for row in rows(
            "SELECT run_id, ordinal FROM run_steps JOIN runs ON runs.id = run_id WHERE matter_id = :incident"
        ):
            if (row.run_id, row.ordinal) not in self._begun:
                busy = [run for run, _ in self._begun if run != row.run_id and self.runs[run] not in ENDED]
                if busy:
                    raise self._faulty("two runs change one target at a time")
                self._begun.add((row.run_id, row.ordinal))
                self._simulation.count("executions")
                self._authorised(self.approval_of[row.run_id], row.run_id, replica, now)

    def _request(self, row: Any) -> None:
        before = self._states.get(row.id)
        if before is None:
            self._records[row.id] = json.loads(row.record)
            self._digests[row.id] = row.digest
            if row.state != "pending":
                raise self._faulty(f"a request began as {row.state}")
        elif before != row.state:
            if row.state not in MAY_FOLLOW.get(before, ()):
                raise self._faulty(f"a request went from {before} to {row.state}")
            if (
                any(self.approval_of[run] == row.id and (run, 0) in self._begun for run in self.runs)
                and row.state != "void"
            ):
                raise self._faulty(f"a request whose run has begun became {row.state}")
            self._simulation.count(f"requests {row.state}")
        self._states[row.id] = row.state

    def _run(self, row: Any) -> None:
        before = self.runs.get(row.id)
        if before is None:
            if row.approval_id in self.approval_of.values():
                raise self._faulty("one request has two runs")
            self.approval_of[row.id] = row.approval_id
        elif before != row.state:
            if row.state not in RUN_MAY_FOLLOW.get(before, ()):
                raise self._faulty(f"a run went from {before} to {row.state}")
            said = {decision for _, decision, _, _ in self._judged[row.approval_id]}
            if before == "unknown" and row.state == "failed" and said & {"absent", "again"}:
                self._said_absent.add(row.id)
            self._simulation.count(f"runs {row.state}")
        self.runs[row.id] = row.state
        self._waiting[row.id] = row.waits_for

    def _reviewable(self, row: Any) -> None:
        """Say whether this vote may count that breaks the glass, or reviews that it was broken."""
        if row.decision in ("break", "reviewed") and not row.reason.strip():
            raise self._faulty(f"a vote counts without its reason: {row.decision}")
        if row.decision != "reviewed":
            return
        humans = {self._human(person) for person, each, _, _ in self._judged[row.approval_id] if each == "break"}
        if not humans:
            raise self._faulty("what nobody released by break-glass was reviewed")
        if self._human(row.person) in humans | self._askers(self._records[row.approval_id]):
            raise self._faulty("somebody reviewed what they had a part in")
        if any(each == "reviewed" for _, each, _, _ in self._judged[row.approval_id]):
            raise self._faulty("a break-glass was reviewed twice")

    def _authorised(self, approval: str, run: str, replica: str, now: int) -> None:
        """Say whether this run may begin, from the clicks that counted and from what Slack told this replica."""
        record, digest = self._records[approval], self._digests[approval]
        if self._states[approval] != "approved" or self.runs[run] != "running":
            raise self._faulty(f"a run that is {self.runs[run]} began for a request that is {self._states[approval]}")
        if now >= record["expires_at"]:
            raise self._faulty("a run began after its request had expired")
        if all(answer["channel"]["is_ext_shared"] for answer in self._answers(replica, run, CHANNEL)):
            raise self._faulty("a run began in a channel that others share, or of which nobody knew")
        standing: dict[str, list[str]] = defaultdict(list)
        broken: dict[str, str] = {}
        for person, decision, voted, _ in self._judged[approval]:
            human = self._human(person)
            if decision in ("deny", "cancel"):
                raise self._faulty("a run began although somebody had denied it")
            if decision == "revoke":
                standing.pop(human, None)
                broken.pop(human, None)
            elif decision in ("approve", "break"):
                if voted != digest:
                    raise self._faulty("an approval of something else was counted")
                if decision == "approve":
                    standing[human].append(person)
                else:
                    broken.setdefault(human, person)
        if any(self._breaks(record, person, replica, run) for person in broken.values()):
            self._simulation.count("executions by break-glass")
            return
        read = {human: [self._groups(record, each, replica, run) for each in own] for human, own in standing.items()}
        may = {human: next((groups for groups in found if groups), set()) for human, found in read.items()}
        may = {human: groups for human, groups in may.items() if groups and human not in self._askers(record)}
        seats = [need["group"] for need in record["needs"] for _ in range(need["count"])]
        seated = any(
            all(seat in may[human] for seat, human in zip(seats, humans, strict=True))
            for humans in permutations(may, len(seats))
        )
        if not seats or len(may) < record["quorum"] or not seated:
            raise self._faulty(f"a run began without its signatures: needed {seats}, counted {may}")

    def _groups(self, record: Json, person: str, replica: str, run: str) -> set[str]:
        policy = self._simulation.rules.policy
        return {
            need["group"]
            for need in record["needs"]
            if self._in(need["members"], policy.groups[need["group"]], person, replica, run)
        }

    def _breaks(self, record: Json, person: str, replica: str, run: str) -> bool:
        return self._in(record["break_glass"], self._simulation.rules.policy.break_glass, person, replica, run)

    def _in(self, members: list[Json], group: Group, person: str, replica: str, run: str) -> bool:
        """Whether a person in good standing was in a group when the plan was made, and is in it now."""
        user = person.partition(":")[2]
        facts = [answer["user"] for answer in self._answers(replica, run, user)]
        if not any(fact["id"] == user and not fact["deleted"] and not fact["is_restricted"] for fact in facts):
            return False
        now_in = {str(each) for each in group.users}
        for each in group.user_groups:
            for answer in self._answers(replica, run, each.group_id):
                now_in |= {f"{each.team_id}:{member}" for member in answer["users"]}
        return person in now_in and person in {f"{member['team_id']}:{member['user_id']}" for member in members}

    def _human(self, person: str) -> str:
        aliases = {str(alias): str(human) for alias, human in self._simulation.rules.policy.aliases.items()}
        return aliases.get(person, person)

    def _askers(self, record: Json) -> set[str]:
        asker = record.get("requester")
        return {self._human(f"{asker['team_id']}:{asker['user_id']}")} if asker else set()

    # --- what is looked at in the end ---

    def finally_holds(self) -> None:
        """Nothing is stuck, and every run that says what became of the cluster says the truth."""
        if self.fault:
            raise self.fault
        for run, state in self.runs.items():
            if state == "starting" and self._waiting[run]:
                continue
            if state not in ENDED | {"unknown"}:
                raise self._faulty(f"a run is left {state}")
            changed = self._changes[run] > 0
            if state in ("void",) and changed:
                raise self._faulty("a run that is void changed the cluster")
            if state == "failed" and changed and run not in self._said_absent:
                raise self._faulty("a run says that nothing was changed, and the cluster was")
            if (run, 0) not in self._begun and state not in ("void",):
                raise self._faulty(f"a run is {state} and has not begun")
            self._simulation.count(f"runs left {state}")


def _prune(value: Any) -> None:
    if isinstance(value, dict):
        for key in [key for key, each in value.items() if each == {}]:
            del value[key]

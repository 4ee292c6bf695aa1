"""A small world in which every order of events can happen: replicas, people, a cluster, a clock, all moved by one seed.

What is simulated is what the bot does not own: Slack's people, the cluster's objects, time, and kill -9. The stories,
the policy, the plans and the store are the real ones, on a real SQLite file. Every transaction, every question to Slack
and every call of the cluster waits for its turn; the seed decides whose turn it is, and what happens in between.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, delete, text

from bot.chat.outbox import Outbox
from bot.clients.kubernetes import KubernetesError, KubernetesUnreachable
from bot.clients.slack_directory import SlackDirectory
from bot.domain.alert import Alert, Delivery
from bot.domain.approval import Person, Vote
from bot.domain.policy import Demand, Group, Policy, UserGroup
from bot.jobs import incident, proposing, run, vote
from bot.jobs.proposing import Wanted
from bot.jobs.world import ClusterAccess, Rules, World
from bot.redact import Redactor
from bot.runbooks.catalogue import Catalogue
from bot.runbooks.execute import REQUEST_LIMIT_SECONDS
from bot.sandbox.kubernetes import shop
from bot.sandbox.kubernetes.cluster import Cluster
from bot.sandbox.kubernetes.lists import Lists
from bot.sandbox.kubernetes.registry import Options
from bot.sandbox.kubernetes.resources import DEPLOYMENTS, find, request_info
from bot.sandbox.kubernetes.spec import Stage
from bot.sandbox.kubernetes.status import ApiError
from bot.store import alerts, approvals, clock, incidents, tables
from bot.store.database import Database
from bot.store.schema import migrate
from bot.store.tables import counters, locks
from tests.invariants.truth import CHANNEL, Truth

T = TypeVar("T")
Json = dict[str, Any]

TEAM = "T0SHOP"
LEE, PRIYA, SAM, DANA = (Person(TEAM, f"U0{name}") for name in ("LEE", "PRIYA", "SAM", "DANA"))
SAM_AT_NIGHT = Person(TEAM, "U0SAM2")
PEOPLE = (LEE, PRIYA, SAM, SAM_AT_NIGHT, DANA)
_HABITS = ("time", "groups", "people", "slack", "kills", "drift", "resolves")
ONCALL, PLATFORM, GLASS = "S0ONCALL", "S0PLATFORM", "S0GLASS"
HOUR = 3_600_000_000
RUNBOOK = "restart-deployment"
STORIES = {"group": incident.story, "vote": vote.story, "run": run.story}
DOING: ContextVar[tuple[str, str]] = ContextVar("what a task is doing")


class Faulty(Exception):
    """Something that must hold of every sequence of events did not. The message says what."""


# --- what the bot does not own ----------------------------------------------------------------------------------------


@dataclass
class Slack:
    """People, groups and the channel, which may be ``shared``, as the Web API tells of them; ``down`` makes every
    question fail."""

    groups: dict[str, set[str]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    guests: set[str] = field(default_factory=set)
    down: bool = False
    shared: bool = False

    async def users_info(self, *, user: str) -> Json:
        self._answers()
        facts = {"id": user, "team_id": TEAM, "name": user.lower(), "deleted": user in self.gone}
        return {"user": facts | {"is_bot": False, "is_restricted": user in self.guests}}

    async def usergroups_users_list(self, *, usergroup: str) -> Json:
        self._answers()
        return {"users": sorted(self.groups[usergroup])}

    async def conversations_info(self, *, channel: str) -> Json:
        self._answers()
        return {"channel": {"id": channel, "is_ext_shared": self.shared}}

    def _answers(self) -> None:
        if self.down:
            raise ConnectionError("Slack is down")


class Runner:
    """One replica's way into the cluster. A call may be lost on its way there, or its answer on the way back."""

    identity = "runner"

    def __init__(self, simulation: Simulation, replica: Replica) -> None:
        self.cluster = "prod"
        self._simulation = simulation
        self._replica = replica

    async def get(self, path: str, query: Any = None) -> Json:
        await self._replica.turn()
        found = request_info("GET", path)
        resource = find(found.group, found.version, found.resource)
        assert resource is not None
        return self._answer(lambda: self._simulation.cluster.registry.read(resource, found.namespace, found.name))

    async def items(self, path: str, query: Any = None, *, limit: int = 500) -> list[Json]:
        await self._replica.turn()
        found = request_info("GET", path)
        resource = find(found.group, found.version, found.resource)
        assert resource is not None
        page = Lists(self._simulation.cluster.store).page(resource, found.namespace, dict(query or {}))
        return list(page["items"])

    async def write(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = "application/json",
        query: Any = None,
        dry_run: bool = False,
    ) -> Json:
        assert method == "PATCH"
        found = request_info(method, path)
        resource = find(found.group, found.version, found.resource)
        assert resource is not None
        patch = partial(
            self._simulation.cluster.registry.patch, resource, found.namespace, found.name, content_type, body
        )
        options = Options("signoff", dry_run, "Strict")
        if dry_run:
            await self._replica.turn()
            return self._answer(lambda: patch(options).body)
        self._simulation.sends(path, body)
        fate = self._simulation.fate_of_a_call()
        if fate in ("lost on the way", "arrives late"):
            if fate == "arrives late":
                self._simulation.arrives_late(lambda: patch(options))
            await self._replica.turn()
            raise KubernetesUnreachable("the connection was reset", sent=True)
        with self._simulation.under_way(lambda: patch(options)) as arrive:
            await self._replica.turn()
            answer = self._answer(lambda: arrive().body)
        await self._replica.turn()
        if fate == "answer lost":
            raise KubernetesUnreachable("the connection was reset", sent=True)
        return answer

    def _answer(self, work: Callable[[], Json]) -> Json:
        try:
            return work()
        except ApiError as error:
            raise KubernetesError(error.code, str(error.body.get("reason", "")), str(error), error.body) from None


# --- one process of the bot -------------------------------------------------------------------------------------------


class Turnwise:
    """The database as a replica uses it: every transaction waits for its turn, and may be the last thing it does."""

    is_sqlite = True

    def __init__(self, simulation: Simulation, replica: Replica) -> None:
        self._simulation = simulation
        self._replica = replica

    async def read(self, work: Callable[[Connection], T]) -> T:
        await self._replica.turn()
        self._simulation.reads()
        return self._simulation.database.read_now(work)

    async def write(self, work: Callable[[Connection], T], *, urgent: bool = False) -> T:
        await self._replica.turn()
        result = self._simulation.database.write_now(work)
        self._simulation.look(self._replica)
        await self._replica.turn()
        return result


class Replica:
    """One process of the bot: its world, its running jobs, and what it last read of Slack."""

    def __init__(self, simulation: Simulation, name: str) -> None:
        self.name = name
        self._simulation = simulation
        self.parked: list[asyncio.Future[None]] = []
        self.jobs: dict[str, asyncio.Task[None]] = {}
        self.world = self._world()

    def _world(self) -> World:
        simulation = self._simulation
        database: Any = Turnwise(simulation, self)
        runner: Any = Runner(simulation, self)
        slack: Any = Asked(simulation, self)
        catalogue = simulation.catalogue
        return World(
            database=database,
            engine=Starter(simulation, self),  # type: ignore[arg-type]  # the simulation is the engine
            outbox=Outbox(simulation.database, slack),
            redactor=Redactor(()),
            clusters={"prod": ClusterAccess(runner, runner)},
            catalogue=catalogue,
            offers=(),
            gateway=None,
            prompt=None,  # type: ignore[arg-type]  # nothing is asked of a model here
            log_prompt=None,  # type: ignore[arg-type]
            directory=SlackDirectory(slack, monotonic=simulation.monotonic),
            rules=simulation.rules,
            verify_poll_seconds=0.0,
        )

    async def turn(self) -> None:
        """Wait until the seed says that this goes on; cancelled means that the process was killed here."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.parked.append(future)
        await future


class Asked:
    """Slack as one replica asks it, one turn a question."""

    def __init__(self, simulation: Simulation, replica: Replica) -> None:
        self._simulation = simulation
        self._replica = replica

    def __getattr__(self, method: str) -> Callable[..., Any]:
        async def ask(**arguments: Any) -> Json:
            await self._replica.turn()
            answer: Json = await getattr(self._simulation.slack, method)(**arguments)
            self._simulation.said(self._replica, arguments, answer)
            return answer

        return ask


class Starter:
    """What a story may ask of the engine."""

    def __init__(self, simulation: Simulation, replica: Replica) -> None:
        self._simulation = simulation
        self._replica = replica

    def start_soon(self, kind: str, row: str, generation: int) -> None:
        """Start a job here, unless it runs anywhere or has ended."""
        self._simulation.start(self._replica, kind, row, generation)


def _only_checkout(stage: Stage) -> Stage:
    kept = [
        each for each in stage.objects if each["kind"] == "Namespace" or each["metadata"]["name"].startswith("checkout")
    ]
    return replace(stage, objects=tuple(kept))


# --- the whole -----------------------------------------------------------------------------------------------------


class Simulation:
    """Everything, and the rules that must hold after every transaction and at every write to the cluster."""

    def __init__(self, folder: Path, catalogue: Catalogue) -> None:
        self.database = Database(f"sqlite:///{folder / 'simulated.db'}", monotonic=lambda: self.elapsed)
        migrate(self.database)
        self.catalogue = catalogue
        self.elapsed = 0.0
        self._base = 1_800_000_000.0
        spec = replace(
            shop.clusters()[0], stages=[_only_checkout(stage) for stage in shop.clusters()[0].stages], nodes=("node-1",)
        )
        self.cluster = Cluster(spec, lambda: self._base + self.elapsed, random.Random(7))
        self.rules = Rules(
            channel_for=lambda labels: CHANNEL,
            cluster_for=lambda source, labels: ("prod", "prod"),
            policy=Policy(
                groups={
                    "oncall": Group(frozenset({PRIYA}), frozenset({UserGroup(TEAM, ONCALL)})),
                    "platform": Group(frozenset(), frozenset({UserGroup(TEAM, PLATFORM)})),
                },
                demands={"low": Demand({"oncall": 1, "platform": 1}, 3600)},
                aliases={SAM_AT_NIGHT: SAM},
                break_glass=Group(frozenset({DANA}), frozenset({UserGroup(TEAM, GLASS)})),
            ),
            policy_digest="0" * 64,
            reopen_within=HOUR,
            stale_after=12 * HOUR,
            evidence_seconds=1.0,
            model_seconds=1.0,
        )
        self.played = 0
        self.counts: dict[str, int] = {}

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    async def play(self, seed: int, *, events: int) -> None:
        """Let one sequence of events happen. Raises ``Faulty`` with the seed if something did not hold."""
        self.played += 1
        self._random = random.Random(seed)
        # Each sequence has its own habits: what is rare among many kinds of events is common where few are played.
        self._habits = {name: self._random.choice((0, 0, 1, 1, 4)) for name in _HABITS}
        self._clicking = [self._random.choice((0, 1, 2, 4)) for _ in PEOPLE]
        self.slack = Slack(
            {
                ONCALL: {LEE.user_id, SAM.user_id},
                PLATFORM: {SAM_AT_NIGHT.user_id, LEE.user_id, DANA.user_id},
                GLASS: {SAM.user_id},
            }
        )
        self.group_key = f"sequence-{self.played}"
        self._truth = Truth(self)
        self._replicas = [Replica(self, name) for name in ("one", "two")]
        self._results: dict[tuple[str, str], Any] = {}
        self._ended: set[str] = set()
        self._flying: list[tuple[float, Callable[[], Any]]] = []
        self._late: list[tuple[float, Callable[[], Any]]] = []
        try:
            self._deliver("firing")
            while self._truth.incident is None:
                await self._step(quiet=True)
            self._propose()
            for _ in range(events):
                await self._step()
                if self._truth.fault:
                    raise self._truth.fault
            await self._settle()
            self._truth.finally_holds()
        except Faulty as fault:
            raise Faulty(f"seed {seed}: {fault}") from fault
        finally:
            for replica in self._replicas:
                self._kill(replica)
            await asyncio.sleep(0)
            self._pass(60.0)
            self._pass(60.0)
            # Who was left UNKNOWN holds the target for ever, and the next sequence has the same one; what still asks
            # for the same would be joined by its incident.
            for table in (locks, tables.votes, tables.steps, tables.runs, tables.approvals):
                self.database.write_now(lambda connection, of=table: connection.execute(delete(of)))

    # --- what happens ---

    async def _step(self, *, quiet: bool = False) -> None:
        chances: dict[Callable[[], None], int] = {self._go_on: 70, self._sweep: 12}
        if not quiet:
            often = self._habits
            chances |= {
                self._click: 20,
                self._time_passes: 2 * often["time"],
                self._group_changes: 2 * often["groups"],
                self._person_changes: often["people"],
                self._slack_changes: 12 if self.slack.down else often["slack"],
                self._channel_changes: 6 if self.slack.shared else often["slack"],
                self._kill_one: often["kills"],
                self._drift: often["drift"],
                self._resolve: often["resolves"],
                self._answer_a_question: 2,
                self._review: 2,
                self._propose: 2,
            }
        self._random.choices(list(chances), list(chances.values()))[0]()
        for _ in range(4):
            await asyncio.sleep(0)

    async def _settle(self) -> None:
        """Let everything that is under way come to its end, with Slack up and nobody killed."""
        self.slack.down = self.slack.shared = False
        later = 6
        for _ in range(4000):
            if not self._go_on_all() and not self._sweep():
                if not later:
                    break
                # What was put off while Slack was down has its turn, too.
                later -= 1
                self._pass(20.0)
            await asyncio.sleep(0)
        else:
            raise Faulty(f"something never ends: {[sorted(replica.jobs) for replica in self._replicas]}")

    def _go_on(self) -> None:
        for _ in range(self._random.randint(1, 5)):
            parked = [(replica, future) for replica in self._replicas for future in replica.parked]
            if not parked:
                break
            replica, future = self._random.choice(parked)
            replica.parked.remove(future)
            future.set_result(None)
        if self._random.random() < 0.1:
            self._pass(1.0)

    def _go_on_all(self) -> bool:
        going = False
        for replica in self._replicas:
            going = going or bool(replica.jobs)
            for future in replica.parked:
                if not future.done():
                    future.set_result(None)
            replica.parked.clear()
        if self._random.random() < 0.2:
            self._pass(2.0)
        return going

    def _sweep(self) -> bool:
        query = (
            "SELECT 'group', id, wanted FROM alert_groups WHERE done < wanted UNION ALL "
            "SELECT 'vote', id, wanted FROM votes WHERE done < wanted UNION ALL "
            "SELECT 'run', id, wanted FROM runs WHERE done < wanted AND not_before <= :now"
        )
        due = self.database.read_now(lambda c: c.execute(text(query), {"now": clock.now(c)}).all())
        started = [self.start(self._random.choice(self._replicas), *row) for row in due]
        return any(started)

    def start(self, replica: Replica, kind: str, row: str, generation: int) -> bool:
        """Start a job on a replica, unless it runs already or has ended."""
        job = f"{kind}:{row}:{generation}"
        if job in self._ended or any(job in each.jobs for each in self._replicas) or kind not in STORIES:
            return False
        replica.jobs[job] = asyncio.ensure_future(self._tell(replica, job, kind, row, generation))
        return True

    async def _tell(self, replica: Replica, job: str, kind: str, row: str, generation: int) -> None:
        DOING.set((kind, row))

        async def steps(name: str, work: Callable[..., Any], *arguments: Any) -> Any:
            if (job, name) not in self._results:
                result = await work(*arguments)
                await replica.turn()  # done, and killed before the engine wrote that it was
                self._results[job, name] = result
            return self._results[job, name]

        try:
            await STORIES[kind](replica.world)(steps, row, generation)
            self._ended.add(job)
        except asyncio.CancelledError:
            raise
        except Faulty as fault:
            self._truth.fault = self._truth.fault or fault
        except RuntimeError:
            self.count("jobs tried again")
        finally:
            replica.jobs.pop(job, None)

    def _kill_one(self) -> None:
        self.count("kills")
        self._kill(self._random.choice(self._replicas))

    def _kill(self, replica: Replica) -> None:
        for task in list(replica.jobs.values()):
            task.cancel()
        replica.jobs.clear()
        replica.parked.clear()
        replica.world = replica._world()
        for sent, arrive in self._flying:
            # What was sent when the process died may still arrive, at once or as late as a server works on a request.
            last = self._random.uniform(sent, sent + REQUEST_LIMIT_SECONDS)
            when = self._random.choice((None, None, self.elapsed, last))
            if when is not None:
                self._late.append((when, arrive))
        self._flying.clear()
        self._let_arrive()

    def _let_arrive(self) -> None:
        for when, arrive in [each for each in self._late if each[0] <= self.elapsed]:
            self._late.remove((when, arrive))
            with contextlib.suppress(ApiError):
                arrive()

    def _click(self) -> None:
        requests = self._truth.requests()
        if not requests:
            return
        approval_id, digest = self._random.choice(requests)
        if self._random.random() < 0.1:
            digest = self._random.choice(requests)[1] if self._random.random() < 0.5 else "f" * 64
        decisions = {"approve": 40, "revoke": 4, "deny": 1, "cancel": 2, "break": 5, "reviewed": 2}
        decision = self._random.choices(list(decisions), list(decisions.values()))[0]
        self._store_click(approval_id, digest, decision)

    def _answer_a_question(self) -> None:
        unknown = [each for each, state in self._truth.runs.items() if state == "unknown"]
        if unknown:
            approval_id = self._truth.approval_of[self._random.choice(unknown)]
            digest = dict(self._truth.requests(all_of_them=True))[approval_id]
            self._store_click(approval_id, digest, self._random.choice(("applied", "absent", "again")))

    def _review(self) -> None:
        broken = self._truth.broken()
        if broken:
            self._store_click(*self._random.choice(broken), "reviewed")

    def _store_click(self, approval_id: str, digest: str, decision: Any) -> None:
        self.count("clicks")
        people = self._clicking if any(self._clicking) else None
        [person] = self._random.choices(PEOPLE, people)

        reason = self._random.choice(("because", "because", "because", " "))

        def store(connection: Connection) -> None:
            now = clock.advance(connection)
            click = Vote(incidents.new_id(), approval_id, person, decision, digest, reason, now)
            approvals.receive_vote(connection, click, person_name=person.user_id, channel=CHANNEL)

        self.database.write_now(store)

    def _time_passes(self) -> None:
        [seconds] = self._random.choices((5.0, 60.0, 600.0, 1800.0), (6, 12, 2, 1))
        self._pass(seconds)

    def _pass(self, seconds: float) -> None:
        target = self.database.read_now(clock.now) + int(seconds * 1_000_000)
        self.elapsed += seconds
        self._let_arrive()
        for _ in range(3):
            self.cluster.tick()
        later = counters.update().where(counters.c.name == clock.HIGH_WATER, counters.c.value < target)

        def move(connection: Connection) -> None:
            clock.advance(connection)
            # What the store's time gained by what has elapsed is not added once more: a server would then seem to work
            # on a request for two minutes.
            connection.execute(later.values(value=target))

        self.database.write_now(move)

    def _group_changes(self) -> None:
        members = self.slack.groups[self._random.choice((ONCALL, PLATFORM, GLASS))]
        members ^= {self._random.choice(PEOPLE).user_id}

    def _person_changes(self) -> None:
        some = self._random.choice((self.slack.gone, self.slack.guests))
        some ^= {self._random.choice(PEOPLE).user_id}

    def _slack_changes(self) -> None:
        self.slack.down = not self.slack.down

    def _channel_changes(self) -> None:
        self.slack.shared = not self.slack.shared

    def _drift(self) -> None:
        if self._random.random() > 0.15:
            return
        mark = {"spec": {"template": {"metadata": {"annotations": {"changed": str(self.elapsed)}}}}}
        self.cluster.patch(DEPLOYMENTS, "shop", "checkout", mark)

    def _resolve(self) -> None:
        if self._random.random() < 0.3:
            self._deliver("resolved")

    def _deliver(self, status: Any) -> None:
        start = 1_700_000_000_000_000
        labels = {"alertname": "Stuck", "namespace": "shop", "deployment": "checkout"}
        alert = Alert("f", start, status, start + 1 if status == "resolved" else None, labels, {})
        delivery = Delivery("default", "signoff", self.group_key, {}, labels, {}, "", 0, (alert,))
        self.database.write_now(lambda connection: alerts.accept(connection, delivery, now=clock.advance(connection)))

    def _propose(self) -> None:
        replica = self._random.choice(self._replicas)
        job = f"propose:{self._truth.incident}"
        if job in replica.jobs or self._truth.incident is None:
            return
        requester = self._random.choice((None, None, LEE, SAM_AT_NIGHT))

        async def propose() -> None:
            DOING.set(("propose", ""))
            try:
                about = await replica.world.database.read(partial(incidents.get, incident_id=self._truth.incident))
                given = {"namespace": "shop", "deployment": "checkout"}
                wanted = Wanted(RUNBOOK, given, "rules", requester=requester)
                await proposing.request(replica.world, about, wanted)
            except Faulty as fault:
                self._truth.fault = self._truth.fault or fault
            finally:
                replica.jobs.pop(job, None)

        replica.jobs[job] = asyncio.ensure_future(propose())

    # --- what is watched ---

    def sends(self, path: str, body: Any) -> None:
        """Check a write that leaves for the cluster."""
        self._truth.sent(*DOING.get(), path, body)

    def fate_of_a_call(self) -> str:
        """Decide what becomes of a write to the cluster, before it is sent."""
        return self._random.choices(("arrives", "lost on the way", "arrives late", "answer lost"), (8, 1, 1, 1))[0]

    def arrives_late(self, apply: Callable[[], Any]) -> None:
        """Let a write whose connection broke take effect as late as a server works on a request."""
        kind, row = DOING.get()

        def arrive() -> None:
            apply()
            self._truth.changed_the_cluster(kind, row)

        self._late.append((self.elapsed + self._random.uniform(0.0, REQUEST_LIMIT_SECONDS), arrive))

    @contextlib.contextmanager
    def under_way(self, apply: Callable[[], Any]) -> Any:
        """A write between here and the cluster: it arrives when the caller says so, or perhaps after its death."""
        kind, row = DOING.get()
        arrived = False

        def arrive() -> Any:
            nonlocal arrived
            if not arrived:
                arrived = True
                answer = apply()
                self._truth.changed_the_cluster(kind, row)
                return answer
            return None

        flying = (self.elapsed, arrive)
        self._flying.append(flying)
        try:
            yield arrive
        finally:
            if arrived and flying in self._flying:
                self._flying.remove(flying)

    def monotonic(self) -> float:
        """Return the seconds that have passed. Two readings are never the same, as of a real clock."""
        self.elapsed += 1e-6
        return self.elapsed

    def reads(self) -> None:
        """Remember that a job reads the database."""
        self._truth.read(*DOING.get())

    def said(self, replica: Replica, arguments: Json, answer: Json) -> None:
        """Remember what Slack told this replica, and when."""
        self._truth.told(replica.name, arguments, answer)

    def look(self, replica: Replica) -> None:
        """Check the rows after a transaction of this replica."""
        self._truth.look(replica.name)

    def count(self, what: str) -> None:
        """Count what happened, to show that the sequences reach what they should."""
        self.counts[what] = self.counts.get(what, 0) + 1

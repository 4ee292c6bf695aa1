"""A request for logs: look whether its person may have them, read and digest them, and say what they say."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any

from sqlalchemy import Connection

from bot.analysis.log_summary import Shown, summarise
from bot.chat import logs_card, thread
from bot.chat.card import Card
from bot.chat.logs_card import LogsRead
from bot.condense.logs.digest import Excerpt
from bot.domain.approval import Person
from bot.domain.log_request import LogRequest, State, refused_person, refused_place
from bot.evidence.kubernetes_logs import KubernetesLogs
from bot.evidence.log_digest import Digested, digested
from bot.evidence.log_source import Logs, LogSource, Wanted, first
from bot.evidence.loki_logs import LokiLogs
from bot.jobs import board
from bot.jobs.engine import Steps, Story
from bot.jobs.people import FRESH
from bot.jobs.world import World
from bot.store import audit, clock, log_requests, outbox, work

KIND = "logs"
VERSION = 1

SHORT_TOKENS = 5_000
FULL_TOKENS = 20_000
SOURCES = 60
_SECOND = 1_000_000


def story(world: World) -> Story:
    """Return the story of one request for logs."""

    async def logs(steps: Steps, request_id: str, generation: int) -> None:
        if await steps("admit", partial(_admit, world, request_id)):
            world.outbox.kick()
            await steps("read", partial(_read, world, request_id))
            await steps("answer", partial(_answer, world, request_id, generation))
        world.outbox.kick()

    return logs


async def refusal(world: World, request: LogRequest, person: Person, channel: str) -> str:
    """Say why a person may not have in a channel what a request asks for, or return "". Slack is asked each time."""
    place = refused_place(channel, request.cluster, request.namespace, world.rules.logs)
    if place:
        return place
    standing, shared = await asyncio.gather(
        world.directory.standing(person, max_age=FRESH), world.directory.channel_is_shared(channel, max_age=FRESH)
    )
    return refused_person(standing.value, shared.value)


def refuse(connection: Connection, request: LogRequest, why: str, *, now: int) -> None:
    """Put down in the audit that logs were refused to a person."""
    data = {"channel": request.channel, "seconds": request.seconds, "why": why}
    audit.append(connection, at=now, kind="logs.refused", actor=str(request.person), subject=request.place, data=data)


def opened(connection: Connection, request: LogRequest, *, now: int) -> None:
    """Put down in the audit that a person opened the lines of an answer."""
    data = {"channel": request.channel, "request": request.id}
    audit.append(connection, at=now, kind="logs.opened", actor=str(request.person), subject=request.place, data=data)


async def _admit(world: World, request_id: str) -> bool:
    request = await world.database.read(lambda connection: log_requests.get(connection, request_id))
    if request.state != "received":
        return request.state == "reading"
    why = world.redactor.text(await refusal(world, request, request.person, request.channel))

    def record(connection: Connection) -> bool:
        now = clock.advance(connection)
        after: State = "refused" if why else "reading"
        if not log_requests.move(connection, request_id, before="received", after=after, outcome=why):
            return False
        if not why:
            _show(connection, request, logs_card.reading(request), now=now)
            return True
        refuse(connection, request, why, now=now)
        work.done(connection, KIND, request_id, work.wanted(connection, KIND, request_id))
        outbox.put(
            connection,
            key=f"logsrefused:{request.id}",
            channel=request.channel,
            payload=thread.refused(why).payload(),
            thread_key=board.card_key(request.incident_id) if request.incident_id else None,
            kind="ephemeral",
            recipient=request.person.user_id,
            now=now,
            urgent=True,
        )
        return False

    return await world.database.write(record)


async def _read(world: World, request_id: str) -> int:
    def before(connection: Connection) -> tuple[LogRequest, bool, int]:
        request = log_requests.get(connection, request_id)
        return request, log_requests.reading_of(connection, request_id) is not None, clock.now(connection)

    request, had, now = await world.database.read(before)
    if had:
        return 0
    wanted = Wanted(
        namespace=request.namespace,
        kind=request.kind,
        workload=request.workload,
        baseline=request.received_at - 2 * request.seconds * _SECOND,
        since=request.received_at - request.seconds * _SECOND,
        until=now,
        words=request.words,
    )
    deadline = asyncio.get_running_loop().time() + world.rules.logs_seconds
    read = await first(_sources(world, request.cluster), wanted, deadline=deadline)
    made = await asyncio.to_thread(digested, read.logs, world.redactor, now=now, short=SHORT_TOKENS, full=FULL_TOKENS)
    data = _stored(world, read, made)

    def after(connection: Connection) -> None:
        log_requests.set_reading(connection, request_id, data)
        facts: dict[str, Any] = {
            "channel": request.channel,
            "incident": request.incident_id,
            "seconds": request.seconds,
        }
        facts |= {"words": list(request.words), "source": data["source"], "query": data["query"]}
        facts |= {name: data[name] for name in ("logs", "lines", "characters")} | {"shown": len(made.full.kept)}
        audit.append(
            connection,
            at=clock.advance(connection),
            kind="logs.read",
            actor=str(request.person),
            subject=request.place,
            data=facts,
        )

    await world.database.write(after)
    return int(data["lines"])


def _sources(world: World, cluster: str) -> list[LogSource]:
    """Name where a cluster's logs may be: Loki keeps more, the kubelets always have the newest."""
    access = world.clusters.get(cluster)
    if access is None:
        return []
    kubernetes = KubernetesLogs(access.reader, world.redactor)
    return [LokiLogs(access.loki, world.redactor), kubernetes] if access.loki else [kubernetes]


def _stored(world: World, read: Logs, made: Digested) -> dict[str, Any]:
    redact = world.redactor.text
    return {
        "source": redact(read.source),
        "query": redact(read.query)[:1000],
        "problems": [redact(problem)[:500] for problem in read.problems[:10]]
        + [f"older lines of {sum(not log.complete for log in read.logs)} logs did not fit and were left out"]
        * any(not log.complete for log in read.logs),
        "logs": len(read.logs),
        "lines": made.short.lines_total,
        "characters": made.characters,
        "before": made.before,
        "sources": [[name[:300], number] for name, number in made.sources[:SOURCES]],
        "excerpts": [list(one) for one in made.short.excerpts],
        "full": made.full.text,
    }


async def _answer(world: World, request_id: str, generation: int) -> str:
    def before(connection: Connection) -> tuple[LogRequest, Mapping[str, Any] | None]:
        return log_requests.get(connection, request_id), log_requests.reading_of(connection, request_id)

    request, data = await world.database.read(before)
    shown = None
    if data and data["lines"]:
        shown = shown_of(request, data)
        summary = await summarise(
            shown,
            world.gateway,
            world.log_prompt,
            deadline_seconds=world.rules.model_seconds,
            max_tokens=world.rules.model_tokens,
            purpose=f"logs {request.id}",
        )

    def after(connection: Connection) -> None:
        now = clock.advance(connection)
        if shown is None or data is None:
            outcome = "no line"
            _show(connection, request, logs_card.nothing(request, data["problems"] if data else ()), now=now)
        else:
            outcome = f"by {summary.analyst}"
            log_requests.set_summary(connection, request_id, summary)
            _show(connection, request, logs_card.answered(request, read_of(data), summary), now=now)
            outbox.put(
                connection,
                key=f"logsfile:{request.id}",
                channel=request.channel,
                payload=logs_card.file(request, data["full"]).payload(),
                thread_key=_parent(request) or _key(request),
                kind="file",
                now=now,
            )
        log_requests.move(connection, request_id, before="reading", after="answered", outcome=outcome)
        work.done(connection, KIND, request_id, generation)

    await world.database.write(after)
    return "answered"


def shown_of(request: LogRequest, data: Mapping[str, Any]) -> Shown:
    """Return a stored reading as it is summarised."""
    compared = f", compared with {data['before']:,} lines from before" if data["before"] else ""
    about = f"LOGS. {logs_card.title(request)}: {data['lines']:,} lines of {data['logs']} logs{compared}"
    return Shown(
        about=about,
        excerpts=tuple(Excerpt(*one) for one in data["excerpts"]),
        sources=tuple((name, number) for name, number in data["sources"]),
        before=data["before"],
    )


def read_of(data: Mapping[str, Any]) -> LogsRead:
    """Return a stored reading as people see it."""
    excerpts = [Excerpt(*one) for one in data["excerpts"]]
    return LogsRead(
        lines=data["lines"],
        logs=data["logs"],
        source=data["source"],
        problems=tuple(data["problems"]),
        shown={one.number: (one.time, one.text) for one in excerpts},
    )


def _show(connection: Connection, request: LogRequest, card: Card, *, now: int) -> None:
    outbox.put(
        connection,
        key=_key(request),
        channel=request.channel,
        payload=card.payload(),
        thread_key=_parent(request),
        now=now,
        urgent=True,
    )


def _key(request: LogRequest) -> str:
    return f"logs:{request.id}"


def _parent(request: LogRequest) -> str | None:
    """Return the outbox key of the thread that the answer goes in; one that was typed begins its own."""
    return board.card_key(request.incident_id) if request.incident_id else None

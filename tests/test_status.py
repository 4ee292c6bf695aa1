"""Status: what does not work is named with what it means; a database or cluster that is away costs seconds at most."""

import sqlite3
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry, generate_latest
from sqlalchemy import insert, text

from bot import assembly
from bot.chat.outbox import Outbox
from bot.clients import slack as slack_client
from bot.clients.kubernetes import Kubernetes
from bot.jobs.engine import Engine
from bot.jobs.world import ClusterAccess, World
from bot.model.gateway import Gateway
from bot.model.prompts import Prompt
from bot.redact import Redactor
from bot.settings import Configuration
from bot.status import Gauges, Status
from bot.store import outbox, unreadable
from bot.store.anchors import Anchors
from bot.store.database import Database
from bot.store.tables import groups
from bot.store.unreadable import UnreadableRow
from tests.ports import free_port
from tests.serving import environment

NOW = 1_795_255_320_000_000


@pytest.fixture
async def world(sqlite_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """A world with a database, one cluster that nobody answers for, and nothing else."""
    database = Database(sqlite_url)
    config = {
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{free_port()}"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "reader", "context": {"cluster": "c", "user": "u"}}],
    }
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "Config", **config}))
    reader = Kubernetes.from_kubeconfig(str(tmp_path / "kubeconfig"), "reader", cluster="prod", identity="reader")
    client = slack_client.open_client("xoxb-1", base_url=f"http://127.0.0.1:{free_port()}/api/")
    parts: dict[str, Any] = dict.fromkeys(World.__dataclass_fields__) | {
        "database": database,
        "engine": Engine(database),
        "outbox": Outbox(database, client),
        "clusters": {"prod": ClusterAccess(reader, None)},
        "anchors": Anchors(),
        "rules": assembly.rules_of(Configuration.load(environment(tmp_path, sqlite_url))),
    }
    yield World(**parts)
    await reader.close()
    await slack_client.close(client)
    database.close()


async def test_what_does_not_work_is_named_and_webhooks_are_taken_all_the_same(world: World) -> None:
    state = await Status(world, slack_connected=lambda: False).read()
    assert state.ready
    assert [problem.split(":")[0] for problem in state.problems] == ["jobs", "slack", "cluster prod"]
    assert state.details == {"model": "rules, no model", "clusters": ["prod"]}


async def test_a_database_that_cannot_be_written_is_not_ready_within_seconds(world: World) -> None:
    other = sqlite3.connect(str(world.database.url.database), isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    began = time.monotonic()
    state = await Status(world, slack_connected=lambda: True).read()
    assert time.monotonic() - began < 10
    other.close()
    assert not state.ready
    assert state.problems[0].startswith("database: cannot be written")


async def test_a_cluster_is_asked_at_most_every_few_seconds(world: World) -> None:
    status = Status(world, slack_connected=lambda: True)
    first = await status.read()
    began = time.monotonic()
    assert (await status.read()).problems == first.problems
    assert time.monotonic() - began < 1


async def test_rows_that_were_set_aside_and_jobs_that_keep_failing_are_named(world: World) -> None:
    empty = {"group_labels": {}, "common_labels": {}, "common_annotations": {}}
    texts = dict.fromkeys(("source", "group_key", "receiver", "external_url"), "")

    def write(connection: Any) -> None:
        unreadable.report(connection, UnreadableRow("incidents", "i1", "labels: not labels"), now=NOW)
        failing = {"id": "g1", "truncated": 0, "last_seen_at": 0, "wanted": 4, "attempts": 3}
        connection.execute(insert(groups).values(**failing, **empty, **texts))

    world.database.write_now(write)
    problems = (await Status(world, slack_connected=lambda: True).read()).problems
    assert "set aside: incidents row i1: labels: not labels" in problems
    assert any(problem.startswith("jobs: 1 keep failing") for problem in problems)


def scrape(world: World) -> list[str]:
    registry = CollectorRegistry()
    registry.register(Gauges(world))
    return generate_latest(registry).decode().splitlines()


async def test_gauges_count_rows_by_state(world: World) -> None:
    message = {"channel": "C1", "payload": {"text": "x"}, "now": NOW}
    for key in ("a", "b"):
        world.database.write_now(lambda c, k=key: outbox.put(c, key=k, **message))
    lines = scrape(world)
    assert "signoff_database_up 1.0" in lines
    assert 'signoff_outbox_messages{state="waiting"} 2.0' in lines
    assert "signoff_break_glass_unreviewed 0.0" in lines


async def test_what_the_model_was_asked_and_what_was_dropped_is_counted(world: World) -> None:
    gateway = Gateway(api_key="", redactor=Redactor())
    await gateway.ask(Prompt("triage", 1, "", {}, (), 256, "low", "", None), "x", deadline_seconds=1, purpose="x")
    gateway.usage.asked("triage", "answered", seconds=1.5, tokens_in=4000, tokens_out=400)
    gateway.usage.dropped("triage", {"proposal: names an object": 2, "cause without evidence": 1})
    lines = scrape(replace(world, gateway=gateway))
    for line in (
        'signoff_model_requests_total{outcome="no-key",prompt="triage"} 1.0',
        'signoff_model_requests_total{outcome="answered",prompt="triage"} 1.0',
        'signoff_model_seconds_count{prompt="triage"} 2.0',
        'signoff_model_tokens_total{direction="in",prompt="triage"} 4000.0',
        'signoff_model_tokens_total{direction="out",prompt="triage"} 400.0',
        'signoff_dropped_claims_total{prompt="triage",reason="proposal"} 2.0',
    ):
        assert line in lines


async def test_a_database_that_cannot_be_read_is_a_gauge_and_no_failed_scrape(world: World) -> None:
    world.database.write_now(lambda c: c.execute(text("DROP TABLE incidents")))
    lines = scrape(world)
    assert "signoff_database_up 0.0" in lines
    assert not any(line.startswith("signoff_incidents") for line in lines)

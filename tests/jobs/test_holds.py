"""Why a plan may not run now: a window of its own runbook, or as many runs within an hour as its runbook allows."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Connection, delete, func, insert, select

from bot.domain.approval import Person
from bot.domain.plan import SCHEMA, Plan
from bot.domain.policy import Policy, Window
from bot.jobs import holds
from bot.store import audit, clock, runs, stops, tables
from bot.store.database import Database

HOUR = 3_600_000_000
LEE = Person("T0SHOP", "U0LEE")
NOW = 1_795_255_320_000_000
"""Saturday, 2026-11-21 10:02 UTC."""
WORLD: Any = SimpleNamespace(rules=SimpleNamespace(policy=Policy()))


def a_plan(**changed: Any) -> Plan:
    record = {"schema": SCHEMA, "cluster": "prod", "targets": [{"namespace": "shop"}], "runbook": {"id": "restart"}}
    return Plan.of(record | changed)


def began(database: Database, *hours_ago: float, runbook: str = "restart", cluster: str = "prod") -> None:
    def write(connection: Any) -> None:
        for hours in hours_ago:
            name = f"{runbook}{cluster}{hours}"
            at = NOW - int(hours * HOUR)
            approval = {"digest": "", "record": b"", "full_diff": "", "state": "approved", "outcome": "", "card": name}
            approval |= {
                "number": int(hours * 100),
                "matter_id": "",
                "created_at": at,
                "expires_at": at,
                "runbook": runbook,
                "cluster": cluster,
            }
            run = {"approval_id": name, "matter_id": "", "state": "succeeded", "started_at": at, "outcome": ""}
            step = {"run_id": name, "ordinal": 0, "state": "done", "started_at": at, "tried_at": at, "detail": ""}
            connection.execute(insert(tables.approvals).values(id=name, **approval))
            connection.execute(insert(tables.runs).values(id=name, **run))
            connection.execute(insert(tables.steps).values(**step))

    database.write_now(write)


def hold(database: Database, plan: Plan) -> str:
    return database.read_now(lambda connection: holds.hold(connection, WORLD, plan, NOW))


def test_a_plan_without_limits_and_windows_may_run(database: Database) -> None:
    began(database, 0.1, 0.2, 0.3)
    assert hold(database, a_plan()) == ""
    assert hold(database, a_plan(limits={"per_hour": 0}, windows=[])) == ""


@pytest.mark.parametrize(("per_hour", "held"), [(1, True), (2, True), (3, False)])
def test_runs_within_the_hour_count(database: Database, per_hour: int, held: bool) -> None:
    began(database, 0.25, 0.5, 1.5)
    said = hold(database, a_plan(limits={"per_hour": per_hour}))
    assert bool(said) is held
    if held:
        assert f"It ran 2 times within an hour in prod, and its runbook allows {per_hour}." in said
    if per_hour == 2:
        assert "It may from 10:32 UTC." in said, "an hour after the older of the two"


def test_of_many_that_start_at_once_no_more_do_than_an_hour_allows(database: Database) -> None:
    began(database, *(2 + nth for nth in range(12)))
    ids = database.read_now(lambda connection: list(connection.execute(select(tables.runs.c.id)).scalars()))
    database.write_now(lambda connection: connection.execute(delete(tables.steps)))
    plan = a_plan(limits={"per_hour": 2})

    def start(run_id: str) -> bool:
        def write(connection: Connection) -> bool:
            now = clock.advance(connection)
            return not holds.hold(connection, WORLD, plan, now) and runs.begin_step(connection, run_id, 0, now=now)

        return database.write_now(write)

    with ThreadPoolExecutor(len(ids)) as threads:
        assert sum(threads.map(start, ids)) == 2
    assert database.read_now(lambda c: c.execute(select(func.count()).select_from(tables.steps)).scalar_one()) == 2


def test_other_runbooks_and_other_clusters_do_not_count(database: Database) -> None:
    began(database, 0.1, runbook="rollback")
    began(database, 0.2, cluster="staging")
    assert hold(database, a_plan(limits={"per_hour": 1})) == ""


def test_a_window_of_the_runbook_holds_as_one_of_the_configuration_does(database: Database) -> None:
    from dataclasses import asdict

    weekend = Window("deny", "0 0 * * SAT", 2 * 86_400, why="weekend")
    assert "weekend" in hold(database, a_plan(windows=[asdict(weekend)]))
    weekdays = Window("allow", "0 0 * * MON", 5 * 86_400)
    assert "This may run from" in hold(database, a_plan(windows=[asdict(weekdays)]))


@pytest.mark.parametrize(("through", "broken", "held"), [(True, True, False), (True, False, True), (False, True, True)])
def test_a_broken_glass_passes_windows_where_that_is_configured_and_nothing_else(
    database: Database, through: bool, broken: bool, held: bool
) -> None:
    from dataclasses import asdict

    weekend = Window("deny", "0 0 * * SAT", 2 * 86_400, why="weekend")
    world: Any = SimpleNamespace(rules=SimpleNamespace(policy=Policy(windows=(weekend,), through_windows=through)))
    own = {"windows": [asdict(weekend)]}

    def said(plan: Plan) -> str:
        return database.read_now(lambda connection: holds.hold(connection, world, plan, NOW, broken=broken))

    assert bool(said(a_plan())) is held
    assert bool(said(a_plan(**own))) is held
    began(database, 0.25, 0.5)
    assert said(a_plan(limits={"per_hour": 2})) != ""
    told: Any = {"at": NOW, "kind": stops.STOP, "actor": str(LEE), "subject": stops.SUBJECT}
    data = {"name": "Lee", "reason": "the registry is gone"}
    database.write_now(lambda connection: audit.append(connection, **told, data=data))
    assert "the registry is gone" in said(a_plan())

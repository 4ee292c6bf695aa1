from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy import update

from bot.domain.change import PathRisk
from bot.domain.github import CommandEvent, DeployEvent, PullEvent, PushEvent
from bot.store import changes
from bot.store.database import Database
from bot.store.tables import changes as rows

MERGED = PullEvent("shop/deploy", 7, "closed", "a" * 40, True, "c" * 40, "Faster", "dana", "u", True, 1000)
PUSHED = PushEvent("shop/deploy", "d" * 40, "Raise the limit", "lee", "u", ("a.yaml",), 2000)
DEPLOYED = DeployEvent("shop/deploy", 3, "d" * 40, "production", "success", "lee", "u", 3000)


def test_changes_are_kept_once_and_found_by_their_time(database: Database) -> None:
    for event in (MERGED, PUSHED, DEPLOYED, MERGED):
        database.write_now(partial(changes.accept, event=event))
    found = database.read_now(lambda c: changes.between(c, after=0, until=5000))
    assert [(one.kind, one.name) for one in found] == [
        ("deploy", "shop/deploy@ddddddd"),
        ("push", "shop/deploy@ddddddd"),
        ("merge", "shop/deploy#7"),
    ]
    assert database.read_now(lambda c: changes.between(c, after=1500, until=2500))[0].paths == ("a.yaml",)


def test_only_what_reached_the_default_branch_or_an_environment_is_a_change() -> None:
    assert changes.is_change(MERGED)
    assert not changes.is_change(replace(MERGED, merged=False))
    assert not changes.is_change(replace(MERGED, into_default=False))
    assert changes.is_change(replace(DEPLOYED, state="in_progress"))
    assert not changes.is_change(replace(DEPLOYED, state="queued"))
    assert not changes.is_change(CommandEvent("a/b", 1, 2, "lee", "review"))


def test_a_deployment_is_one_change_from_its_beginning_on(database: Database) -> None:
    for event in (replace(DEPLOYED, state="in_progress", at=2500), DEPLOYED, replace(DEPLOYED, state="in_progress")):
        database.write_now(partial(changes.accept, event=event))
    (found,) = database.read_now(lambda c: changes.between(c, after=0, until=5000))
    assert (found.at, found.title) == (2500, "deployment to production: success")


def test_a_deployment_brings_what_came_since_the_last_one_that_held(database: Database) -> None:
    def before(number: int, **more: Any) -> str:
        event = replace(DEPLOYED, deployment_id=number, at=1000 * number, sha=f"{number}" * 40, **more)
        row_id, _ = database.write_now(lambda c: changes.accept(c, event))
        return database.read_now(lambda c: changes.get(c, row_id)).before[:1]

    assert before(1) == ""
    assert before(2, environment="staging") == ""
    assert before(3, state="failure") == "1"
    assert before(4) == "1"
    assert before(5, repository="Shop/Deploy") == "4"


def test_what_a_change_touches_is_kept(database: Database) -> None:
    row_id, _ = database.write_now(lambda c: changes.accept(c, MERGED))
    risk = PathRisk("app.yaml", "k8s-probe", "high", "a probe is gone")
    database.write_now(lambda c: changes.describe(c, row_id, paths=["app.yaml"], risks=[risk]))
    found = database.read_now(lambda c: changes.get(c, row_id))
    assert (found.paths, found.risks) == (("app.yaml",), (risk,))


def test_one_that_cannot_be_read_hides_no_other(database: Database) -> None:
    row_id, _ = database.write_now(lambda c: changes.accept(c, MERGED))
    database.write_now(lambda c: changes.accept(c, PUSHED))
    database.write_now(lambda c: c.execute(update(rows).where(rows.c.id == row_id).values(paths={"a": 1})))
    assert [one.kind for one in database.read_now(lambda c: changes.between(c, after=0, until=5000))] == ["push"]


def test_old_ones_are_forgotten(database: Database) -> None:
    database.write_now(lambda c: changes.accept(c, MERGED))
    database.write_now(lambda c: changes.accept(c, PUSHED))
    assert database.write_now(lambda c: changes.forget(c, before=1500)) == 1

"""GitHub's webhooks over real sockets and a real SQLite file."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import random
import sqlite3
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
import structlog
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from sqlalchemy import select

from bot.domain.github import CommandEvent, DeployEvent, PullEvent, PushEvent, RunEvent
from bot.intake.github import CONTAINERS, GitHubIntake, Refused, parse
from bot.store import work
from bot.store.database import Database
from bot.store.tables import changes, ci_runs, github_deliveries, pull_commands, pulls
from tests.intake import events

SECRET = "a-webhook-secret-0123456789"
LARGEST = 64 * 1024
RETARGETED = {"changes": {"base": {"ref": {"from": "old"}, "sha": {"from": "b" * 40}}}}


@dataclass
class Served:
    """A running server, what it started, and a client that signs as GitHub does."""

    url: str
    database: Database
    session: aiohttp.ClientSession
    started: list[tuple[str, str, int]] = field(default_factory=list)

    async def send(
        self,
        data: Any,
        *,
        event: str = "pull_request",
        delivery: str = "d-1",
        headers: Any = None,
        secret: str = SECRET,
    ) -> tuple[int, Any]:
        body = data if isinstance(data, bytes) else json.dumps(data).encode()
        sent = {
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": delivery,
            "X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(),
            "Content-Type": "application/json",
        }
        given = list(((sent | headers) if isinstance(headers, dict) else sent).items()) + (
            headers if isinstance(headers, list) else []
        )
        kept = [(name, value) for name, value in given if value is not None]
        async with self.session.post(self.url, data=body, headers=kept) as answer:
            return answer.status, await answer.json()

    def rows(self, table: Any) -> list[Any]:
        return self.database.read_now(lambda connection: list(connection.execute(select(table))))


@pytest.fixture
def database(sqlite_url: str) -> Iterator[Database]:
    opened = Database(sqlite_url)
    yield opened
    opened.close()


@pytest.fixture
async def served(database: Database) -> AsyncIterator[Served]:
    here = Served("", database, aiohttp.ClientSession())
    intake = GitHubIntake(
        database,
        lambda *job: here.started.append(job),
        secret=SECRET,
        registry=CollectorRegistry(),
        largest=LARGEST,
        read_seconds=2.0,
        store_seconds=5.0,
    )
    app = web.Application(client_max_size=0)
    app.add_routes(intake.routes())
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    here.url = f"http://127.0.0.1:{runner.addresses[0][1]}/webhooks/github"
    yield here
    await here.session.close()
    await runner.cleanup()


def test_there_is_no_intake_without_a_secret(database: Database) -> None:
    with pytest.raises(ValueError, match="secret is mandatory"):
        GitHubIntake(database, lambda *job: None, secret="", registry=CollectorRegistry())


async def test_an_event_is_stored_and_its_job_started_before_it_is_answered(served: Served) -> None:
    assert await served.send(events.pull()) == (200, {"outcome": "stored"})
    (row,) = served.rows(pulls)
    assert (row.repository, row.number, row.wanted, row.done) == ("shop/deploy", 7, 1, 0)
    assert served.started == [("pull", row.id, 1)]


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Hub-Signature-256": None},
        {"X-Hub-Signature-256": ""},
        {"X-Hub-Signature-256": "sha256=" + "0" * 64},
        {"X-Hub-Signature-256": "sha1=" + "0" * 40},
        {"X-Hub-Signature-256": "sha256=" + "\u00e9" * 64},
        [("X-Hub-Signature-256", "sha256=" + "0" * 64)],
    ],
)
async def test_what_is_not_signed_by_us_is_refused_and_nothing_happens(served: Served, headers: Any) -> None:
    assert (await served.send(events.pull(), headers=headers))[0] == 401
    assert served.rows(pulls) == []


async def test_another_secret_or_another_body_is_refused(served: Served) -> None:
    assert (await served.send(events.pull(), secret="another-secret-012345"))[0] == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"X-GitHub-Event": None}, 400),
        ({"X-GitHub-Event": "../x"}, 400),
        ([("X-GitHub-Event", "push")], 400),
        ({"X-GitHub-Delivery": None}, 400),
        ({"X-GitHub-Delivery": "x" * 65}, 400),
        ([("X-GitHub-Delivery", "d-2")], 400),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
    ],
)
async def test_missing_strange_and_doubled_headers_are_refused(served: Served, headers: Any, status: int) -> None:
    assert (await served.send(events.pull(), headers=headers))[0] == status
    assert served.rows(pulls) == []


async def test_the_same_delivery_takes_effect_once(served: Served) -> None:
    await served.send(events.pull())
    served.database.write_now(lambda c: work.done(c, "pull", served.started[0][1], 1))
    assert (await served.send(events.pull()))[1] == {"outcome": "seen"}
    assert len(served.started) == 1


async def test_a_captured_body_under_another_id_takes_no_second_effect(served: Served) -> None:
    await served.send(events.pull())
    served.database.write_now(lambda c: work.done(c, "pull", served.started[0][1], 1))
    assert (await served.send(events.pull(), delivery="forged"))[1] == {"outcome": "seen"}
    assert served.rows(pulls)[0].wanted == 1


async def test_a_redelivery_of_what_is_not_done_starts_it_at_once(served: Served) -> None:
    await served.send(events.pull())
    row_id = served.started[0][1]
    served.database.write_now(lambda c: work.failed(c, "pull", row_id, 1, now=10**17))
    assert (await served.send(events.pull()))[1] == {"outcome": "seen"}
    assert served.started[-1] == ("pull", row_id, 3)
    assert served.rows(pulls)[0].not_before < 10**17


async def test_what_could_not_be_stored_is_a_503_and_its_redelivery_is_taken(served: Served, tmp_path: Path) -> None:
    held = sqlite3.connect(tmp_path / "signoff.db", isolation_level=None)
    held.execute("BEGIN IMMEDIATE")
    assert (await served.send(events.pull()))[0] == 503
    held.execute("ROLLBACK")
    held.close()
    assert (await served.send(events.pull()))[0] == 200
    assert len(served.rows(pulls)) == 1


async def test_an_older_event_changes_nothing(served: Served) -> None:
    await served.send(events.pull("synchronize", sha="b" * 40, at="2026-11-21T10:01:00Z"))
    assert (await served.send(events.pull(), delivery="late"))[1] == {"outcome": "nothing"}
    assert served.rows(pulls)[0].head_sha == "b" * 40


async def test_a_merge_is_a_change_too(served: Served) -> None:
    merged = events.pull("closed", merged=True, merge_commit_sha="c" * 40)
    assert (await served.send(merged))[1] == {"outcome": "stored"}
    assert [(row.kind, row.number, row.sha) for row in served.rows(changes)] == [("merge", 7, "c" * 40)]
    assert served.rows(pulls)[0].state == "merged"


@pytest.mark.parametrize(
    ("event", "body", "table"),
    [
        ("issue_comment", events.comment("@signoff review"), pull_commands),
        ("pull_request_review_comment", events.comment("@signoff review", on="pull_request"), pull_commands),
        ("workflow_run", events.run(), ci_runs),
        ("push", events.push(), changes),
        ("deployment_status", events.deployment(), changes),
    ],
)
async def test_every_kind_of_event_becomes_a_row_that_wants_work(
    served: Served, event: str, body: Any, table: Any
) -> None:
    assert (await served.send(body, event=event))[1] == {"outcome": "stored"}
    (row,) = served.rows(table)
    assert (row.wanted, row.done, served.started[0][1]) == (1, 0, row.id)


@pytest.mark.parametrize(
    ("event", "body"),
    [
        ("ping", {"zen": "Keep it logically awesome."}),
        ("star", {"action": "created"}),
        ("pull_request", events.pull("labeled")),
        ("pull_request", events.pull("edited") | {"changes": {"title": {"from": "x"}}}),
        ("pull_request", events.pull("edited", state="closed") | RETARGETED),
        ("issue_comment", events.comment("nice work")),
        ("push", events.push("refs/tags/v1")),
    ],
)
async def test_what_is_nothing_to_us_is_answered_and_forgotten(served: Served, event: str, body: Any) -> None:
    assert (await served.send(body, event=event))[0] == 200
    assert served.rows(github_deliveries) == []


async def test_a_body_is_bounded_and_never_in_the_log(served: Served) -> None:
    with structlog.testing.capture_logs() as logs:
        assert (await served.send(b"x" * (LARGEST + 1)))[0] == 413
        assert (await served.send(b'{"hunter2": '))[0] == 400
        assert (await served.send({"hunter2": 1}))[0] == 400
    assert "hunter2" not in str(logs)


# --- what events say --------------------------------------------------------------------------------------------------


def read(name: str, body: Any) -> Any:
    return parse(name, json.dumps(body).encode())


def test_another_base_branch_is_told() -> None:
    found = read("pull_request", events.pull("edited", state="open", base={"ref": "release"}) | RETARGETED)
    assert isinstance(found, PullEvent)
    assert (found.action, found.into_default) == ("edited", False)


def test_the_facts_of_events() -> None:
    found = read("pull_request", events.pull())
    assert isinstance(found, PullEvent)
    assert (found.number, found.author, found.into_default, found.at) == (7, "dana", True, 1_795_255_200_000_000)
    ran = read("workflow_run", events.run())
    assert isinstance(ran, RunEvent)
    assert (ran.run_id, ran.attempt, ran.pulls, ran.app) == (55, 2, (7,), "")
    assert (ran.workflow_id, ran.event) == (17, "push")
    when = {"repository": events.REPOSITORY | {"pushed_at": 1_795_000_000}}
    taken = [read("push", events.push(**more)) for more in (when, {})]
    assert [told.at for told in taken if isinstance(told, PushEvent)] == [
        1_795_000_000_000_000,
        1_795_255_200_000_000,
    ], "GitHub's time, else that of the commit"
    pushed = read("push", events.push())
    assert isinstance(pushed, PushEvent)
    assert (pushed.title, pushed.paths, pushed.at) == ("Raise the limit", ("a", "b", "c"), 1_795_255_200_000_000)
    assert pushed.before == ""
    onto, anew = ({"before": sha * 40} for sha in "d0")
    assert [
        found.before for more in (onto, anew) if isinstance(found := read("push", events.push(**more)), PushEvent)
    ] == [
        "d" * 40,
        "",
    ]
    deployed = read("deployment_status", events.deployment())
    assert isinstance(deployed, DeployEvent)
    assert (deployed.environment, deployed.state) == ("production", "success")


def test_of_the_pull_requests_of_a_run_only_our_own_count() -> None:
    elsewhere = {"number": 9, "base": {"ref": "main", "repo": {"id": 999}}}
    ours = {"number": 7, "base": {"ref": "main", "repo": {"id": events.REPOSITORY["id"]}}}
    ran = read("workflow_run", events.run(pull_requests=[elsewhere, ours, {"number": 8, "base": None}]))
    assert isinstance(ran, RunEvent)
    assert ran.pulls == (7, 8)


def suite(app: str, conclusion: str = "failure") -> dict[str, Any]:
    body = events.run(conclusion, app={"slug": app, "name": app.title()})
    return {"action": "completed", "check_suite": body["workflow_run"], "repository": events.REPOSITORY}


def test_another_apps_checks_are_ci_and_those_of_actions_are_not_told_twice() -> None:
    found = read("check_suite", suite("buildkite"))
    assert isinstance(found, RunEvent)
    assert (found.app, found.workflow) == ("buildkite", "Buildkite")
    assert read("check_suite", suite("github-actions")) is None
    ours = suite("acme-signoff")
    ours["check_suite"]["app"]["id"] = 4711
    assert parse("check_suite", json.dumps(ours).encode(), app_id="4711") is None
    assert parse("check_suite", json.dumps(ours).encode(), app_id="4712") is not None


def test_a_comment_that_commands_is_an_event_and_another_is_none() -> None:
    found = read("issue_comment", events.comment("@signoff review\n@signoff dismiss a1 fine"))
    assert isinstance(found, CommandEvent)
    assert (found.text, found.closed) == ("review\ndismiss a1 fine", False)
    assert read("issue_comment", events.comment("ask @signoff to review")) is None


def test_nobody_commands_who_is_no_person_and_nothing_but_a_pull_request() -> None:
    assert read("issue_comment", events.comment("@signoff review", user="signoff[bot]", kind="Bot")) is None
    body = events.comment("@signoff review")
    del body["issue"]["pull_request"]
    assert read("issue_comment", body) is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"repository": {"full_name": "../etc"}}, "repository.full_name"),
        ({"pull_request": None}, "pull_request"),
        ({"pull_request": events.pull(sha="main")["pull_request"]}, "pull_request.head.sha"),
        ({"pull_request": events.pull(number="7")["pull_request"]}, "pull_request.number"),
        ({"pull_request": events.pull(number=True)["pull_request"]}, "pull_request.number"),
        ({"pull_request": events.pull(at="yesterday")["pull_request"]}, "pull_request.updated_at"),
        ({"pull_request": events.pull(title=["x"])["pull_request"]}, "pull_request.title"),
    ],
)
def test_a_wrong_key_is_named(change: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused, match=f"^{said}: expected"):
        read("pull_request", events.pull() | change)


@pytest.mark.parametrize("body", [b"", b"[]", b"NaN", b"\xff", b'{"a": NaN}', b"[" * 100_000, b"{}," * CONTAINERS])
def test_what_is_no_event_is_refused_in_words(body: bytes) -> None:
    with pytest.raises(Refused):
        parse("pull_request", body)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=200)
@given(
    name=st.sampled_from(["pull_request", "push", "workflow_run", "check_suite", "issue_comment", "deployment_status"]),
    key=st.sampled_from(["pull_request", "repository", "comment", "issue", "commits", "head_commit", "workflow_run"]),
    value=_JSON,
)
def test_any_json_is_an_event_or_refused(name: str, key: str, value: Any) -> None:
    whole = {**events.pull(), **events.push(), **events.run(), **events.deployment(), **events.comment("@signoff x")}
    with contextlib.suppress(Refused):
        read(name, whole | {key: value})


BODIES: dict[str, Any] = {
    "pull_request": events.pull(merge_commit_sha="c" * 40, labels=[{"name": "a"}]),
    "issue_comment": events.comment("@signoff review"),
    "pull_request_review_comment": events.comment("@signoff review", on="pull_request"),
    "workflow_run": events.run(head_repository={"full_name": "mallory/deploy"}, event="pull_request"),
    "check_suite": suite("buildkite"),
    "push": events.push(before="d" * 40),
    "deployment_status": events.deployment(),
}
WRONG: tuple[Any, ...] = (None, True, 7, -1, 2**70, 1.5, "", "x", "\ud800\0", [], [7], [None], {}, {"x": 1})


def places(node: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    for key in node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ():
        yield (*at, key)
        yield from places(node[key], (*at, key))


def changed(body: Any, place: tuple[Any, ...], *value: Any) -> Any:
    """The body with another value at a place, or without one."""
    copy = json.loads(json.dumps(body))
    parent = copy
    for key in place[:-1]:
        parent = parent[key]
    if value:
        parent[place[-1]] = value[0]
    else:
        del parent[place[-1]]
    return copy


MUTATED = [
    (name, whole)
    for name, body in BODIES.items()
    for place in places(body)
    for whole in (changed(body, place), *(changed(body, place, value) for value in WRONG))
]


def test_whatever_is_wrong_with_an_event_it_is_read_or_refused_in_words() -> None:
    for name, whole in MUTATED:
        with contextlib.suppress(Refused):
            read(name, whole)


async def test_whatever_is_wrong_with_an_event_the_answer_is_no_error_of_ours(served: Served) -> None:
    with structlog.testing.capture_logs() as logs:
        for number, (name, whole) in enumerate(random.Random(1).sample(MUTATED, 120)):
            status, told = await served.send(whole, event=name, delivery=f"d-{number}")
            assert status in (200, 400), (name, whole, told)
            assert "Traceback" not in str(told)
    assert {each["event"] for each in logs} == {"github webhook refused"}


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("pull_request", ("pull_request", "user")),
        ("pull_request", ("pull_request", "title")),
        ("pull_request", ("pull_request", "labels")),
        ("pull_request", ("pull_request", "merged")),
        ("pull_request", ("pull_request", "merge_commit_sha")),
        ("issue_comment", ("comment", "user")),
        ("issue_comment", ("comment", "body")),
        ("pull_request_review_comment", ("comment", "user")),
        ("workflow_run", ("workflow_run", "head_repository")),
        ("workflow_run", ("workflow_run", "head_branch")),
        ("workflow_run", ("workflow_run", "pull_requests")),
        ("workflow_run", ("workflow_run", "run_attempt")),
        ("check_suite", ("check_suite", "app")),
        ("check_suite", ("check_suite", "head_branch")),
        ("push", ("pusher",)),
        ("push", ("commits",)),
        ("push", ("commits", 0, "added")),
        ("push", ("head_commit",)),
        ("push", ("before",)),
        ("deployment_status", ("deployment", "creator")),
        ("deployment_status", ("deployment_status", "target_url")),
    ],
)
def test_what_github_leaves_out_of_ghosts_and_deleted_forks_is_no_fault(name: str, place: tuple[Any, ...]) -> None:
    read(name, changed(BODIES[name], place, None))
    read(name, changed(BODIES[name], place))


async def test_a_form_is_refused_with_what_to_choose(served: Served) -> None:
    form = urlencode({"payload": json.dumps(events.pull())}).encode()
    status, told = await served.send(form, headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert (status, told) == (415, {"error": "choose application/json as the webhook's content type"})
    given = {"Content-Type": "application/json; charset=utf-8"}
    assert (await served.send(events.pull(), headers=given))[0] == 200


@pytest.mark.parametrize(
    ("more", "own"),
    [
        ({"event": "push"}, True),
        ({"event": "schedule", "head_repository": {"full_name": "Shop/Deploy"}}, True),
        ({"event": "pull_request"}, False),
        ({"event": "pull_request_target"}, False),
        ({"event": "pull_request_review"}, False),
        ({"event": "push", "head_repository": {"full_name": "mallory/deploy"}}, False),
    ],
)
def test_a_branch_is_the_default_one_only_in_the_repository_itself(more: dict[str, Any], own: bool) -> None:
    ran = read("workflow_run", events.run(head_branch="main", **more))
    assert isinstance(ran, RunEvent)
    assert ran.on_default is own

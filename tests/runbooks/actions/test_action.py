"""What is incomplete is no action, what Kubernetes takes for the same has the same fingerprint, and what was written is
never said to have had no effect."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clients.alertmanager import Alertmanager
from bot.clients.endpoint import Endpoint
from bot.clients.github import Credential, GitHub
from bot.runbooks.access import Access, AccessFailed
from bot.runbooks.actions import ACTIONS
from bot.runbooks.actions.action import Action, Occasion, Rendered, Unrehearsed, fingerprint
from bot.runbooks.call import JSON as JSON_BODY
from bot.runbooks.call import Call
from bot.runbooks.resources import ENDPOINT, ISSUE, PULL_REQUEST, SILENCE, WORKFLOW, WORKFLOW_RUN
from bot.runbooks.target import Target
from bot.sandbox import silences
from tests.clients.conftest import Request, answer, raw_server
from tests.runbooks.actions.conftest import PERMISSIONS, SHOP, Hub
from tests.runbooks.actions.gateway import Gateway

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("kind", "has", "lacks"),
    [
        (Action, (), "fields"),
        (Action, ("fields",), "render"),
        (Unrehearsed, ("fields", "render"), "foresee"),
    ],
)
def test_an_action_that_lacks_a_part_cannot_be_made(kind: type[Action], has: tuple[str, ...], lacks: str) -> None:
    half: Any = type("Half", (kind,), dict.fromkeys(has, lambda *_: None))
    with pytest.raises(TypeError, match=lacks):
        half()


@pytest.mark.parametrize("name", ACTIONS)
def test_every_action_states_what_it_is(name: str) -> None:
    action = ACTIONS[name]
    assert action.name == name
    assert action.kinds
    assert action.inverse
    assert action.verbs is not None
    assert action.literal <= action.arguments.keys() | action.optional.keys()


@given(st.dictionaries(st.text(max_size=5), JSON, max_size=4))
def test_absent_and_null_are_the_same(fields: dict[str, Any]) -> None:
    assert fingerprint(fields | {"more": None}) == fingerprint({k: v for k, v in fields.items() if k != "more"})


def test_order_of_keys_is_no_difference_and_order_of_items_is() -> None:
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint({"a": [1, 2]}) != fingerprint({"a": [2, 1]})
    assert fingerprint({"a": 2**63}) != fingerprint({"a": 2**63 + 1})


class Beside:
    """GitHub, an Alertmanager and an endpoint, each behind one gateway, and what an action of each kind is to do."""

    def __init__(self, hub: Hub, kept: silences.SilencesSandbox, gateways: tuple[Gateway, ...], access: Access) -> None:
        self.hub, self.kept, self.gateways, self.access = hub, kept, gateways, access

    def passing(self, passes: int | None) -> None:
        for gateway in self.gateways:
            gateway.passes = passes

    def effects(self) -> list[str]:
        return [effect for gateway in self.gateways for effect in gateway.effects]

    def case(self, action: str, number: int) -> tuple[Target, dict[str, Any]]:
        """Something new to act on, and with what."""
        acts, repository, key = self.hub.sandbox.acts, self.hub.repository, f"key-{number}"
        match action:
            case "silence-create":
                return Target("prod", SILENCE, "", key, ""), {"matchers": {"alertname": "X"}, "minutes": 5}
            case "silence-expire":
                matcher = {"name": "alertname", "value": "X", "isRegex": False}
                times = {"startsAt": "2026-01-01T00:00:00Z", "endsAt": "2126-01-01T00:00:00Z"}
                made = self.kept.create({"matchers": [matcher], **times, "createdBy": "lee", "comment": key})
                return Target("prod", SILENCE, "", made["silenceID"], made["silenceID"]), {}
            case "http-request":
                return Target("prod", ENDPOINT, "", "status", ""), {"body": {"note": key}}
            case "issue-open":
                return Target("prod", ISSUE, SHOP, key, ""), {"title": "T", "body": "B"}
            case "comment":
                return Target("prod", PULL_REQUEST, SHOP, str(self.a_pull(number)), ""), {"text": key}
            case "workflow-dispatch":
                path = ".github/workflows/deploy.yml"
                acts.push(SHOP, "main", {path: "on:\n  workflow_dispatch:\n"})
                acts.run_workflow(SHOP, repository.branches["main"], [], name="deploy")
                return Target("prod", WORKFLOW, SHOP, "deploy.yml", ""), {"ref": "main"}
            case "workflow-rerun-failed":
                jobs = [{"name": "test", "conclusion": "failure", "log": "boom"}]
                run = acts.run_workflow(SHOP, repository.branches["main"], jobs)
                return Target("prod", WORKFLOW_RUN, SHOP, str(run.id), ""), {}
            case "pull-request-revert":
                pull = self.a_pull(number)
                acts.act_on_pull(SHOP, pull, "merge", user="lee")
                return Target("prod", PULL_REQUEST, SHOP, str(pull), ""), {}
        raise AssertionError(f"say here what {action} is to do")

    def a_pull(self, number: int) -> int:
        self.hub.sandbox.acts.push(SHOP, f"change-{number}", {f"{number}.txt": "n\n"})
        return self.hub.sandbox.acts.open_pull(SHOP, f"change-{number}").number


@pytest.fixture
async def beside(hub: Hub) -> AsyncIterator[Beside]:
    async def taken(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(answer("ok"))

    async with AsyncExitStack() as stack:
        kept = await silences.start(port=0)
        stack.push_async_callback(kept.stop)
        page = await stack.enter_async_context(raw_server(taken))
        gateways = tuple(Gateway(url) for url in (hub.sandbox.url, kept.url, page.url))
        for gateway in gateways:
            await gateway.start()
            stack.push_async_callback(gateway.stop)
        token = hub.sandbox.credentials.personal("signoff-actions", PERMISSIONS)
        github = GitHub(Credential(token=token), base_url=gateways[0].url, timeout=15)
        alertmanager = Alertmanager(gateways[1].url, cluster="prod")
        endpoint = Endpoint("status", f"{gateways[2].url}/notes", allow_networks=["127.0.0.0/8"])
        for client in (github, alertmanager):
            stack.push_async_callback(client.close)
        access = Access(None, cluster="prod", alertmanager=alertmanager, endpoints={"status": endpoint}, github=github)
        yield Beside(hub, kept, gateways, access)


ALONE = [name for name, action in ACTIONS.items() if isinstance(action, Unrehearsed) and not action.reads_only]


@pytest.mark.parametrize("name", ALONE)
async def test_whatever_request_of_a_call_fails_what_was_written_is_in_doubt(beside: Beside, name: str) -> None:
    action, in_doubt = ACTIONS[name], list[bool]()
    for passes in range(20):
        on, arguments = beside.case(name, passes)
        beside.passing(None)
        live = {} if action.creates else await action.read(beside.access, on, Call("", "", JSON_BODY, {})) or {}
        gathered = await action.gather(beside.access, on, live, arguments)
        made = action.render(on, live, gathered, arguments, Occasion(1_895_000_000_000_000, key=f"key-{passes}"))
        assert isinstance(made, Rendered), made
        before = len(beside.effects())
        beside.passing(passes)
        failure = await failing(action.send(beside.access, on, made.call))
        if failure is None:
            break
        in_doubt.append(failure.in_doubt)
        assert failure.in_doubt or len(beside.effects()) == before, f"after {passes} requests: {failure}"
    assert in_doubt, "it sends something"
    assert in_doubt[-1], "the last request is the write, or comes after it"


async def failing(sending: Awaitable[Any]) -> AccessFailed | None:
    try:
        await sending
    except AccessFailed as failure:
        return failure
    return None

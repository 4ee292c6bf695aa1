"""A request goes where the configuration says, with a body that fits, once; its secrets are in no plan."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.chat.approval_card import ApprovalView, render
from bot.chat.as_text import as_text
from bot.clients.endpoint import Endpoint
from bot.runbooks.access import Access
from bot.runbooks.actions.action import Occasion
from bot.runbooks.actions.http_request import HttpRequest
from bot.runbooks.execute import read_back as read_back_of
from bot.runbooks.plan import Refusal
from bot.runbooks.resources import ENDPOINT
from tests.clients.conftest import RawServer, Request, answer, raw_server
from tests.runbooks.actions.rendering import live, read_back, rendered, target, unsuitable
from tests.runbooks.conftest import Shop
from tests.runbooks.test_examples import a_request

SEND, STATUS = HttpRequest(), target(ENDPOINT, "status")
BODY = {
    "type": "object",
    "additionalProperties": False,
    "required": ["note"],
    "properties": {"note": {"type": "string"}, "pinned": {"type": "boolean"}, "key": {"type": "string"}},
}
LISTED = [{"url": "https://status.example/notes", "method": "PUT", "schema": BODY}]
NOTE = {"note": "Orders are delayed.", "incident": "INC-142", "key": "status-key"}


def test_address_and_method_are_the_configurations_and_a_secret_is_a_reference() -> None:
    body = {"note": "late", "key": {"$secret": "status-key"}}
    made = rendered(SEND, STATUS, live(), LISTED, Occasion(0, key="k1"), body=body)
    assert (made.call.method, made.call.path) == ("PUT", "https://status.example/notes")
    assert made.call.body == {"key": "k1", "json": body}
    assert made.effect == ("PUT to Endpoint status (https://status.example/notes), once.",)
    assert SEND.shown(live(), SEND.foresee(live(), made.call)) == (
        {},
        {"method": "PUT", "url": "https://status.example/notes", "body": body},
    )


def test_a_body_that_does_not_fit_is_refused_with_what_is_wrong() -> None:
    refused = unsuitable(SEND, STATUS, live(), LISTED, body={"note": 7, "more": 1})
    assert refused.code == "body"
    assert refused.sentence.startswith("The body does not fit what Endpoint status takes: ")
    assert "note: " in refused.sentence


def test_it_needs_no_right_and_nothing_takes_it_back_by_itself() -> None:
    made = rendered(SEND, STATUS, live(), LISTED, body={"note": "late"})
    assert (made.undo, made.inverse) == ("", None)
    assert (SEND.verbs, SEND.idempotency, SEND.dry_run) == (frozenset(), "none", False)


@pytest.mark.parametrize("found", [None, live(), live("other")])
def test_reading_back_can_never_tell(found: Any) -> None:
    assert read_back(SEND, live(), live(), found) == "cannot tell"


@pytest.fixture
async def page() -> AsyncIterator[RawServer]:
    """A status page that refuses to pin."""

    async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(answer("no", status="409 Conflict") if b"pinned" in request.body else answer("ok"))

    async with raw_server(handler) as server:
        yield server


def with_page(examples: Shop, page: RawServer) -> Access:
    endpoint = Endpoint("status", f"{page.url}/notes", body_schema=BODY, allow_networks=["127.0.0.0/8"])
    kubernetes: Any = examples.prod._kubernetes
    return Access(kubernetes, endpoints={"status": endpoint}, secrets={"status-key": "hunter2-of-the-page"})


async def test_a_request_fits_its_schema_and_its_secret_is_in_no_plan(examples: Shop, page: RawServer) -> None:
    access = with_page(examples, page)
    planned = await examples.planned("post-status-note", access, **NOTE)
    assert "hunter2" not in planned.plan.canonical.decode() + planned.full_diff
    assert planned.plan.calls[0]["body"]["json"] == {
        "note": "Orders are delayed. (INC-142)",
        "key": {"$secret": "status-key"},
    }
    assert page.requests == [], "planning sends nothing"
    ran = await examples.run(planned.plan, access)
    assert (ran.end, ran.ledger) == ("undone", {0: "done", 1: "failed", 2: "done"})
    bodies = [json.loads(request.body) for request in page.requests]
    assert [body["note"] for body in bodies] == ["Orders are delayed. (INC-142)"] * 2 + [""]
    assert {body["key"] for body in bodies} == {"hunter2-of-the-page"}
    keys = [request.headers["idempotency-key"] for request in page.requests]
    assert len(set(keys)) == 3, "a server that honours the key takes a second call with it for the first one"


async def test_an_undo_of_its_own_is_on_the_card_as_it_will_be_sent(examples: Shop, page: RawServer) -> None:
    planned = await examples.planned("post-status-note", with_page(examples, page), **NOTE)
    record = planned.plan.record
    undone = [(each["call"], record["calls"][each["call"]]["undoes"]) for each in record["dry_run"]]
    assert undone == [(0, None), (1, None), (2, 0)]
    shown = record["dry_run"][2]["diff"]
    assert shown.startswith("Endpoint status, if step post is taken back\n")
    assert '+   note: ""' in shown
    assert shown in planned.full_diff
    request = a_request(planned.plan)
    text = as_text(render(request, record, ApprovalView(), full_diff=planned.full_diff))
    assert "Exact change if post is taken back (as it will be sent, nobody can rehearse it)" in text
    assert '+   note: ""' in text
    assert "post will be taken back without asking again, by what is shown above for it." in text
    assert "to exactly what was before" not in text


async def test_what_an_endpoint_was_asked_for_is_what_it_still_has_to_be(examples: Shop, page: RawServer) -> None:
    plan = (await examples.planned("post-status-note", with_page(examples, page), **NOTE)).plan
    moved = Endpoint("status", f"{page.url}/other", body_schema=BODY, allow_networks=["127.0.0.0/8"])
    kubernetes: Any = examples.prod._kubernetes
    ran = await examples.run(plan, Access(kubernetes, endpoints={"status": moved}, secrets={"status-key": "x"}))
    assert "another was approved" in ran.effects[0].sentence
    assert page.requests == []
    assert await read_back_of(plan, 0, with_page(examples, page), waited_seconds=999) == "cannot tell"


@pytest.mark.parametrize(
    ("given", "said"), [({"key": "nothing"}, "No secret nothing is configured"), ({"note": "x"}, "x")]
)
async def test_what_cannot_be_sent_is_refused_at_the_plan(
    examples: Shop, page: RawServer, given: dict[str, str], said: str
) -> None:
    refused = await examples.plan("post-status-note", with_page(examples, page), **(NOTE | given))
    assert isinstance(refused, Refusal)
    assert said in refused.sentence

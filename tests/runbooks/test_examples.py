"""The examples of the documentation are sound runbooks that run, fail and go back as they say."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.clients.endpoint import Endpoint
from bot.runbooks.access import Access
from bot.runbooks.catalogue import load
from bot.runbooks.execute import drift, read_back
from bot.runbooks.plan import Refusal
from bot.sandbox.kubernetes.resources import CONFIG_MAPS, JOBS
from bot.sandbox.kubernetes.spec import ImageBehaviour
from tests.clients.conftest import RawServer, Request, answer, raw_server
from tests.runbooks.conftest import OpenShop, Shop

EXAMPLES = load(Path(__file__).parents[2] / "docs" / "examples")
TOOLS = "registry.example/shop/tools@sha256:" + "a" * 64
BODY = {
    "type": "object",
    "additionalProperties": False,
    "required": ["note"],
    "properties": {"note": {"type": "string"}, "pinned": {"type": "boolean"}, "key": {"type": "string"}},
}
LEVEL = {"deployment": "cart", "config": "cart", "level": "debug"}
NOTE = {"note": "Orders are delayed.", "incident": "INC-142", "key": "status-key"}


@pytest.fixture
async def shop(open_shop: OpenShop) -> Shop:
    opened = await open_shop(books=EXAMPLES)
    opened.context = replace(opened.context, registries=("registry.example/shop",))
    settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cart", "namespace": "shop"}}
    opened.sandbox.clusters["prod"].apply({**settings, "data": {"LOG_LEVEL": "info", "OTHER": "1"}})
    return opened


def level(shop: Shop) -> str:
    found = shop.sandbox.clusters["prod"].store.get(CONFIG_MAPS, "shop", "cart")
    assert found is not None
    return str(found["data"]["LOG_LEVEL"])


# --- several steps ----------------------------------------------------------------------------------------------------


async def test_steps_with_targets_of_their_own(shop: Shop) -> None:
    plan = (await shop.planned("raise-log-level", **LEVEL)).plan
    assert [call["step"] for call in plan.calls] == ["set", "mark", "restart", "settle", "mark", "set"]
    assert [call["undoes"] for call in plan.calls] == [None, None, None, None, 1, 0]
    assert plan.locks == ["prod/ConfigMap/shop/cart", "prod/Deployment/shop/cart"]
    ran = await shop.run(plan)
    assert ran.verdict is not None
    assert ran.verdict.outcome == "helped", ran
    assert level(shop) == "debug"
    assert shop.deployment("cart")["metadata"]["annotations"]["shop.example/log-level"] == "debug"


async def test_what_does_not_help_is_taken_back_the_last_step_first(shop: Shop) -> None:
    plan = (await shop.planned("raise-log-level", **LEVEL)).plan
    short = plan.of({**plan.record, "calls": [{**call, "timeout_seconds": 3} for call in plan.calls]})
    shop.sandbox.clusters["prod"].images["registry.example/shop/cart:1.31.0"] = ImageBehaviour(ready_after=None)
    ran = await shop.run(short)
    assert (ran.end, ran.ledger) == ("undone", {0: "done", 1: "done", 2: "done", 3: "failed", 4: "done", 5: "done"})
    assert level(shop) == "info"
    assert "shop.example/log-level" not in shop.deployment("cart")["metadata"]["annotations"]


async def test_a_condition_decides_at_the_plan_and_its_change_voids_it(shop: Shop) -> None:
    shop.change("cart", {"spec": {"replicas": 0}})
    plan = (await shop.planned("raise-log-level", **LEVEL)).plan
    assert "mark" not in [call["step"] for call in plan.calls]
    shop.change("cart", {"spec": {"replicas": 3}})
    planned = (await shop.planned("raise-log-level", **LEVEL)).plan
    shop.change("cart", {"spec": {"replicas": 2}})
    effects = (await shop.run(planned)).effects
    assert "It decides whether step mark is done." in effects[1].sentence


async def test_the_target_that_was_changed_meanwhile_is_drift(shop: Shop) -> None:
    plan = (await shop.planned("raise-log-level", **LEVEL)).plan
    shop.sandbox.clusters["prod"].patch(CONFIG_MAPS, "shop", "cart", {"data": {"OTHER": "2"}})
    assert await drift(plan, shop.prod) == (), "what the step does not write may change"
    shop.sandbox.clusters["prod"].patch(CONFIG_MAPS, "shop", "cart", {"data": {"LOG_LEVEL": "warning"}})
    (moved,) = await drift(plan, shop.prod)
    assert (
        moved.sentence == "ConfigMap shop/cart was changed since the plan was made, in what config-key reads or writes."
    )
    assert level(shop) == "warning"


# --- a Job ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("exit_code", "outcome"), [(0, "helped"), (1, "did not help")])
async def test_a_job_runs_once_under_its_fixed_account(shop: Shop, exit_code: int, outcome: str) -> None:
    shop.sandbox.clusters["prod"].images[TOOLS] = ImageBehaviour(exits_after=1.0, exit_code=exit_code)
    plan = (await shop.planned("clear-cache", entries="prices")).plan
    ran = await shop.run(plan)
    assert ran.verdict is not None
    assert ran.verdict.outcome == outcome
    (job,) = shop.sandbox.clusters["prod"].store.list(JOBS, "shop")
    pod = job["spec"]["template"]["spec"]
    assert (pod["serviceAccountName"], pod["restartPolicy"]) == ("cache-tool", "Never")
    assert (pod["containers"][0]["image"], pod["containers"][0]["args"]) == (TOOLS, ["prices"])
    assert pod["containers"][0]["securityContext"]["allowPrivilegeEscalation"] is False
    assert await read_back(plan, 0, shop.prod, waited_seconds=0) == "applied"
    assert (await shop.run(plan)).effects[0].drift[0].what == "there", "its name is the plan's own"


async def test_an_image_from_elsewhere_is_refused(shop: Shop) -> None:
    shop.context = replace(shop.context, registries=("registry.example/other",))
    refused = await shop.plan("clear-cache", entries="prices")
    assert isinstance(refused, Refusal)
    assert "is not from an allowed registry (allowed: registry.example/other)" in refused.sentence


# --- HTTP -------------------------------------------------------------------------------------------------------------


@pytest.fixture
async def page() -> AsyncIterator[RawServer]:
    """A status page that refuses to pin."""

    async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(answer("no", status="409 Conflict") if b"pinned" in request.body else answer("ok"))

    async with raw_server(handler) as server:
        yield server


def with_page(shop: Shop, page: RawServer) -> Access:
    endpoint = Endpoint("status", f"{page.url}/notes", body_schema=BODY, allow_networks=["127.0.0.0/8"])
    kubernetes: Any = shop.prod._kubernetes
    return Access(kubernetes, endpoints={"status": endpoint}, secrets={"status-key": "hunter2-of-the-page"})


async def test_a_request_fits_its_schema_and_its_secret_is_in_no_plan(shop: Shop, page: RawServer) -> None:
    access = with_page(shop, page)
    planned = await shop.planned("post-status-note", access, **NOTE)
    assert "hunter2" not in planned.plan.canonical.decode() + planned.full_diff
    assert planned.plan.calls[0]["body"]["json"] == {
        "note": "Orders are delayed. (INC-142)",
        "key": {"$secret": "status-key"},
    }
    assert page.requests == [], "planning sends nothing"
    ran = await shop.run(planned.plan, access)
    assert (ran.end, ran.ledger) == ("undone", {0: "done", 1: "failed", 2: "done"})
    bodies = [json.loads(request.body) for request in page.requests]
    assert [body["note"] for body in bodies] == ["Orders are delayed. (INC-142)"] * 2 + [""]
    assert {body["key"] for body in bodies} == {"hunter2-of-the-page"}
    keys = [request.headers["idempotency-key"] for request in page.requests]
    assert keys[0] != keys[2]


async def test_what_an_endpoint_was_asked_for_is_what_it_still_has_to_be(shop: Shop, page: RawServer) -> None:
    plan = (await shop.planned("post-status-note", with_page(shop, page), **NOTE)).plan
    moved = Endpoint("status", f"{page.url}/other", body_schema=BODY, allow_networks=["127.0.0.0/8"])
    kubernetes: Any = shop.prod._kubernetes
    ran = await shop.run(plan, Access(kubernetes, endpoints={"status": moved}, secrets={"status-key": "x"}))
    assert "another was approved" in ran.effects[0].sentence
    assert page.requests == []
    assert await read_back(plan, 0, with_page(shop, page), waited_seconds=999) == "cannot tell"


@pytest.mark.parametrize(
    ("given", "said"), [({"key": "nothing"}, "No secret nothing is configured"), ({"note": "x"}, "x")]
)
async def test_what_cannot_be_sent_is_refused_at_the_plan(
    shop: Shop, page: RawServer, given: dict[str, str], said: str
) -> None:
    refused = await shop.plan("post-status-note", with_page(shop, page), **(NOTE | given))
    assert isinstance(refused, Refusal)
    assert said in refused.sentence

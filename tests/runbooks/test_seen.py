"""What moved since a plan was made is said field by field: redacted, bounded, and never more than is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bot.domain.plan import Plan
from bot.redact import Redactor
from bot.runbooks import seen
from bot.runbooks.execute import drift

KEY = b"k" * 32
REDACTOR = Redactor(key=KEY)
PASSWORD = "correct-horse-battery-9"

Change = Callable[[Any], dict[str, Any]]


def an_environment(**values: str) -> Change:
    def change(shop: Any) -> dict[str, Any]:
        (container,) = shop.deployment("checkout")["spec"]["template"]["spec"]["containers"]
        env = [{"name": name, "value": value} for name, value in values.items()]
        return {"spec": {"template": {"spec": {"containers": [{**container, "env": env}]}}}}

    return change


async def moved(shop: Any, before: Change, after: Change, redact: Callable[[Any], Any] = REDACTOR.data) -> str:
    shop.change("checkout", before(shop))
    made = await shop.planned("restart-deployment", redact=REDACTOR.data, deployment="checkout")
    shop.change("checkout", after(shop))
    return seen.moved(made.plan, made.seen, await drift(made.plan, shop.prod), redact)


async def test_each_field_says_what_it_was_and_what_it_is(market: Any) -> None:
    said = await moved(market, an_environment(LEVEL="info"), an_environment(LEVEL="debug", NEW="2"))
    place = "template.spec.containers[checkout].env"
    assert said.splitlines() == [
        f"{place}[LEVEL].value: was info, is debug",
        f"{place}[NEW].name: was not there, is NEW",
        f'{place}[NEW].value: was not there, is "2"',
    ]


async def test_of_a_secret_only_that_it_is_another_one_is_said(market: Any) -> None:
    said = await moved(market, an_environment(DB_PASSWORD=PASSWORD), an_environment(DB_PASSWORD=f"{PASSWORD}-2"))
    assert PASSWORD not in said
    was, now = said.partition("was ")[2].split(", is ")
    assert was.startswith('"[')
    assert was != now


async def test_under_another_key_no_secret_is_said_to_have_changed(market: Any) -> None:
    said = await moved(
        market,
        an_environment(DB_PASSWORD=PASSWORD, LEVEL="info"),
        an_environment(DB_PASSWORD=PASSWORD, LEVEL="debug"),
        Redactor(key=b"n" * 32).data,
    )
    assert said == "template.spec.containers[checkout].env[LEVEL].value: was info, is debug"


async def test_what_cannot_be_shown_is_said_to_be_so(market: Any) -> None:
    said = await moved(
        market,
        an_environment(DB_PASSWORD=PASSWORD),
        an_environment(DB_PASSWORD=f"{PASSWORD}-2"),
        Redactor(key=b"n" * 32).data,
    )
    assert said == "what changed is kept secret, or longer than what is kept of it"


async def test_much_is_counted_and_long_values_are_told_apart(market: Any) -> None:
    long = "a" * 300
    said = await moved(
        market,
        an_environment(LONG=f"{long}1", **{f"V{n}": "1" for n in range(40)}),
        an_environment(LONG=f"{long}2", **{f"V{n}": "2" for n in range(40)}),
    )
    lines = said.splitlines()
    assert len(said) < seen.MAX_SHOWN + 20
    was, now = lines[0].partition("was ")[2].split(", is ")
    assert was[: seen.MAX_VALUE] == now[: seen.MAX_VALUE]
    assert was != now
    assert lines[-1] == f"and {41 - (len(lines) - 1)} more"


def test_of_what_is_too_much_to_be_kept_nothing_is_said_that_is_not_known() -> None:
    many = {f"k{n:04}": n for n in range(seen.MAX_FIELDS + 3)}
    kept = seen.of(many, {}, REDACTOR.data)
    assert len(kept) == seen.MAX_FIELDS + 2
    assert seen.together([kept] * 40)[-1] == {}


@pytest.mark.parametrize("key", ["password", "LOG_LEVEL"])
def test_one_key_of_a_config_map_is_a_secret_by_its_name(key: str) -> None:
    kept = seen.of({"value": PASSWORD, "immutable": False}, {"key": key}, REDACTOR.data)
    assert (PASSWORD in kept["value"]) is (key == "LOG_LEVEL")


def test_absent_and_null_are_the_same() -> None:
    assert "a" not in seen.of({"a": None, "b": "null"}, {}, REDACTOR.data)
    assert seen.of({"a": None, "b": "null"}, {}, REDACTOR.data)["b"] == '"null"'


async def test_what_is_to_be_judged_is_said_where_its_change_was_too_long_to_show(market: Any) -> None:
    plan = (await market.planned("scale-deployment", deployment="cart", replicas=4)).plan
    assert await seen.look(plan, 0, market.prod, REDACTOR.data) == "Deployment shop/cart reads spec.replicas: 3."
    long = Plan.of({**plan.record, "dry_run": [{**each, "diff": ""} for each in plan.record["dry_run"]]})
    assert await seen.look(long, 0, market.prod, REDACTOR.data) == "Deployment shop/cart reads replicas: 3."


async def test_a_taking_back_says_how_what_it_takes_back_reads(examples: Any) -> None:
    plan = (await examples.planned("raise-log-level", deployment="cart", config="cart", level="debug")).plan
    assert plan.calls[5]["undoes"] == 0
    assert await seen.look(plan, 5, examples.prod, REDACTOR.data) == "ConfigMap shop/cart reads data.LOG_LEVEL: info."


async def test_a_secret_that_is_to_be_judged_is_not_said(examples: Any) -> None:
    plan = (await examples.planned("raise-log-level", deployment="cart", config="cart", level="debug")).plan
    keyed = {"with": {**plan.calls[0]["with"], "key": "DB_PASSWORD"}}
    secret = Plan.of({**plan.record, "dry_run": [], "calls": [{**plan.calls[0], **keyed}, *plan.calls[1:]]})
    settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cart", "namespace": "shop"}}
    examples.sandbox.clusters["prod"].apply({**settings, "data": {"DB_PASSWORD": PASSWORD}})
    said = await seen.look(secret, 0, examples.prod, REDACTOR.data)
    assert said.startswith("ConfigMap shop/cart reads name: DB_PASSWORD; ")
    assert PASSWORD not in said

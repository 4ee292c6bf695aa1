"""Waiting changes nothing, so it needs no right and may be done again; waiting for a check is bounded by its step."""

from __future__ import annotations

import asyncio

import pytest

from bot.runbooks.actions.wait import Wait, WaitUntil
from bot.runbooks.resources import CONFIG_MAP, DEPLOYMENT
from tests.runbooks.actions.rendering import live, read_back, rendered, target, unsuitable
from tests.runbooks.conftest import Shop

WEB = target(DEPLOYMENT)


def test_it_is_a_call_to_nobody_with_nothing_to_take_back() -> None:
    made = rendered(Wait(), WEB, live(), seconds=30)
    assert (made.call.method, made.call.path, made.call.body) == ("WAIT", "", {"seconds": 30})
    assert made.effect == ("Then it waits for 30 s.",)
    assert (made.undo, made.inverse) == ("", None)
    assert Wait().foresee(live(), made.call) == {"wait": {"seconds": 30}}


def test_a_check_is_one_of_the_targets_kind() -> None:
    made = rendered(WaitUntil(), WEB, live(), check="rollout-healthy")
    assert made.effect == ("Then it waits until Deployment shop/web is rollout-healthy.",)
    assert unsuitable(WaitUntil(), target(CONFIG_MAP), live(), check="rollout-healthy").code == "check"
    assert unsuitable(WaitUntil(), WEB, live(), check="all-well").code == "check"


@pytest.mark.parametrize("action", [Wait(), WaitUntil()])
def test_it_needs_no_right_and_only_reads(action: Wait) -> None:
    assert action.verbs == frozenset()
    assert action.reads_only
    assert not action.dry_run


def test_a_wait_that_was_interrupted_is_over() -> None:
    assert read_back(Wait(), live(), live(), live(), seconds=1) == "applied"


async def test_it_looks_until_the_check_holds(broken: Shop) -> None:
    on = target(DEPLOYMENT, "checkout")
    call = rendered(WaitUntil(), on, live(), check="rollout-healthy").call
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(WaitUntil().send(broken.prod, on, call), 1.5)
    cart = target(DEPLOYMENT, "cart")
    assert await WaitUntil().send(broken.prod, cart, call) == {}

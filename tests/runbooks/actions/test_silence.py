"""A silence is exact, bounded and found again by its key; expiring it lets the alerts be heard."""

from __future__ import annotations

from typing import Any

import pytest

from bot.runbooks.actions.action import Before, Occasion
from bot.runbooks.actions.silence import LONGEST_MINUTES, MOST_MATCHERS, CreateSilence, ExpireSilence
from bot.runbooks.resources import SILENCE
from tests.runbooks.actions.rendering import rendered, target, unsuitable

CREATE, EXPIRE = CreateSilence(), ExpireSilence()
NEW = target(SILENCE, "key-1")
OCCASION = Occasion(1_795_000_000_000_000, matter="INC-142", key="key-1")
BEFORE = Before("", None, "")
MATCHERS = {"namespace": "shop", "alertname": "KubePodCrashLooping"}


def created(**given: Any) -> Any:
    return rendered(CREATE, NEW, {}, [{}, {}], OCCASION, **{"matchers": MATCHERS, "minutes": 30} | given)


def there(state: str = "active", **more: Any) -> dict[str, Any]:
    body = created().call.body
    return {**body, "id": "s1", "metadata": {"uid": "s1", "name": "s1"}, "status": {"state": state}, **more}


def test_the_matchers_are_exact_and_the_end_is_fixed_when_it_is_planned() -> None:
    body = created().call.body
    assert body["matchers"] == [
        {"name": "alertname", "value": "KubePodCrashLooping", "isRegex": False, "isEqual": True},
        {"name": "namespace", "value": "shop", "isRegex": False, "isEqual": True},
    ]
    assert body["endsAt"] == "2026-11-18T11:36:40Z"
    assert "INC-142" in body["comment"]
    assert "[signoff:key-1]" in body["comment"]


def test_it_tells_until_when_it_is_quiet_and_how_many_fire() -> None:
    quiet, firing = created().effect
    assert quiet.startswith('Alerts with alertname="KubePodCrashLooping", namespace="shop" stay quiet until 2026-11-18')
    assert firing == "2 of them fire now."


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"matchers": {}}, "matchers"),
        ({"matchers": {"namespace": ""}}, "matchers"),
        ({"matchers": {f"l{number}": "x" for number in range(MOST_MATCHERS + 1)}}, "matchers"),
        ({"minutes": 0}, "minutes"),
        ({"minutes": LONGEST_MINUTES + 1}, "minutes"),
    ],
)
def test_one_without_bounds_is_refused(given: Any, code: str) -> None:
    arguments = {"matchers": MATCHERS, "minutes": 30} | given
    assert unsuitable(CREATE, NEW, {}, (), OCCASION, **arguments).code == code


def test_the_most_that_may_be_may_be() -> None:
    created(minutes=LONGEST_MINUTES, matchers={f"l{number}": "x" for number in range(MOST_MATCHERS)})


def test_a_value_cannot_end_the_matcher_it_is_in() -> None:
    assert 'team="a\\"} or {b=\\"c\\\\\\n"' in created(matchers={"team": 'a"} or {b="c\\\n'}).effect[0]


def test_the_inverse_expires_the_silence_of_its_key() -> None:
    made = created()
    assert made.undo == "Expire the silence."
    assert (made.inverse.method, made.inverse.body) == ("DELETE", {"key": "key-1"})
    assert made.inverse_action == EXPIRE.name == CREATE.inverse


def test_neither_needs_a_right_in_the_cluster_nor_can_be_rehearsed() -> None:
    for action in (CREATE, EXPIRE):
        assert action.verbs == frozenset()
        assert not action.dry_run


def test_one_that_is_there_is_read_back_by_its_key_whoever_ended_it_since() -> None:
    for state in ("active", "expired"):
        assert CREATE.applied(there(state), BEFORE, "", {}) == "applied"
    assert CREATE.applied(None, BEFORE, "", {}) == "not applied"


def test_a_silence_that_holds_is_ended_and_then_over() -> None:
    made = rendered(EXPIRE, target(SILENCE, "s1"), there())
    assert (made.call.method, made.call.body) == ("DELETE", {"id": "s1"})
    assert made.effect == ('Alerts with alertname="KubePodCrashLooping", namespace="shop" are heard again.',)
    assert (made.undo, made.inverse) == ("", None)
    left = EXPIRE.foresee(there(), made.call)
    assert EXPIRE.fields(left, {}) == EXPIRE.result({}, {}) == {"over": True}


def test_one_that_is_over_is_left_alone() -> None:
    assert unsuitable(EXPIRE, target(SILENCE, "s1"), there("expired")).code == "no-change"


@pytest.mark.parametrize(
    ("found", "verdict"), [(there("expired"), "applied"), (None, "applied"), (there(), "not applied")]
)
def test_an_end_is_read_back(found: Any, verdict: str) -> None:
    assert EXPIRE.applied(found, BEFORE, "", {}) == verdict

"""What comes in over HTTP is authenticated, bounded and taken once, or it is refused and costs nothing."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain.document import read
from bot.intake.alertmanager import Bounds, Refused, parse
from bot.store import work
from bot.store.tables import github_deliveries, pulls
from tests.intake import events
from tests.intake.test_github import Served as GitHub
from tests.intake.test_http import AUTH, PATH, TOKEN, Served
from tests.intake.webhooks import alert, body, encoded

SIGNATURE = "X-Hub-Signature-256"


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Authorization", "Bearer wrong")],
        [("Authorization", f"Basic {TOKEN}")],
        [("Authorization", f"Bearer {TOKEN}"), ("Authorization", "Bearer x")],
        [("Authorization", f"Bearer {TOKEN}\u00e9")],
    ],
)
async def test_an_alert_without_one_right_token_is_refused_and_nothing_is_stored(
    served: Served, headers: list[tuple[str, str]]
) -> None:
    """T1: bad, missing and doubled headers are a 401; no row, no job."""
    async with served.session.post(served.url + PATH, data=encoded(body(alert())), headers=headers) as answer:
        assert answer.status == 401
    assert (served.stored(), served.started) == (0, [])


@pytest.mark.parametrize(
    "headers",
    [
        {SIGNATURE: None},
        {SIGNATURE: "sha256=" + "0" * 64},
        {SIGNATURE: "sha1=" + "0" * 40},
        {SIGNATURE: "sha256=zz"},
        [(SIGNATURE, "sha256=" + "0" * 64)],
    ],
)
async def test_an_event_without_one_right_signature_is_refused_and_nothing_is_stored(
    github: GitHub, headers: Any
) -> None:
    """T1: the same of GitHub's events."""
    status, _ = await github.send(events.pull(), headers=headers)
    assert status in (400, 401)
    assert (github.rows(pulls), github.rows(github_deliveries), github.started) == ([], [], [])


async def test_the_same_delivery_twice_is_one_effect(served: Served, github: GitHub) -> None:
    """T2: a repetition is answered as what it is, stores nothing and starts nothing."""
    for _ in range(3):
        assert (await served.post(body(alert())))[0] == 200
    assert (len(served.started), served.stored()) == (1, 2)
    await github.send(events.pull())
    github.database.write_now(lambda c: work.done(c, "pull", github.started[0][1], 1))
    assert (await github.send(events.pull()))[1] == {"outcome": "seen"}
    assert len(github.started) == 1


async def test_a_captured_body_under_another_id_has_no_second_effect(github: GitHub) -> None:
    """T3: the id of a delivery is not signed, so it is the body that tells a repetition."""
    await github.send(events.pull())
    github.database.write_now(lambda c: work.done(c, "pull", github.started[0][1], 1))
    assert (await github.send(events.pull(), delivery="another"))[1] == {"outcome": "seen"}
    assert github.rows(pulls)[0].wanted == 1


async def test_an_honest_redelivery_of_what_was_not_done_is_taken(github: GitHub) -> None:
    """T3: where the work of a delivery has failed, the same delivery starts it again."""
    await github.send(events.pull())
    row = github.started[0][1]
    github.database.write_now(lambda c: work.failed(c, "pull", row, 1, now=10**17))
    assert (await github.send(events.pull()))[1] == {"outcome": "seen"}
    assert github.started[-1] == ("pull", row, 3)


def test_size_number_and_depth_are_bounded_at_n_and_at_one_more() -> None:
    """T4: what is too much is refused before it is made into anything."""
    three = Bounds(alerts=3, depth=28)
    deep: Any = 1
    for _ in range(27):
        deep = [deep]
    for data in (body(*(alert(str(nth)) for nth in range(3))), body(alert(), extra=deep)):
        parse(encoded(data), source="default", bounds=three)
    for data in (body(*(alert(str(nth)) for nth in range(4))), body(alert(), extra=[deep])):
        with pytest.raises(Refused):
            parse(encoded(data), source="default", bounds=three)
    with pytest.raises(Refused):
        parse(b"[" * 2_000_000, source="default", bounds=three)
    assert read(b"a: " + b"[" * 5_000).faults


async def test_a_body_over_the_bound_is_a_413(served: Served) -> None:
    """T4: over the wire too."""
    async with served.session.post(served.url + PATH, data=b" " * (300 * 1024), headers=AUTH) as answer:
        assert answer.status == 413
    assert served.stored() == 0

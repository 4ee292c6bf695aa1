"""A real Alertmanager delivers to a real `signoff serve`: grouped, repeated, mixed, resolved, refused and late."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from aiohttp import web

from tests.real.alertmanagers import Alertmanagers, alert, alertmanagers, metric, prometheus
from tests.system.town import Town

Installed = Callable[[str], str]

CHECKOUT = functools.partial(alert, "KubeDeploymentRolloutStuck", deployment="checkout")
CRASHING = functools.partial(alert, "KubePodCrashLooping", deployment="checkout")


@pytest.fixture(scope="module")
def binary(installed: Installed) -> str:
    """Debian's Alertmanager."""
    return installed("prometheus-alertmanager")


@pytest.fixture
async def real(binary: str, shop: Town, tmp_path: Path) -> AsyncIterator[Alertmanagers]:
    """Alertmanagers that deliver to the shop's installation."""
    webhook = f"{shop.url}/webhooks/alertmanager"
    async with alertmanagers(binary, tmp_path / "real", webhook, shop.session) as made:
        yield made


async def taken(shop: Town, status: str = "200") -> float:
    """How many webhooks the bot answered with this status since it started."""
    return await metric(shop.session, shop.url, "signoff_webhooks_total", status=status)


def incidents(shop: Town) -> list[tuple[object, ...]]:
    return shop.rows("SELECT number, status, firing, total FROM incidents ORDER BY number")


async def settled(shop: Town) -> int:
    """Wait until every accepted work is done and said, and count what was posted."""

    def quiet() -> bool:
        work = shop.rows(
            "SELECT 1 FROM alert_groups WHERE done < wanted UNION SELECT 1 FROM incidents WHERE done < wanted"
        )
        return not work and not shop.rows("SELECT 1 FROM outbox WHERE state <> 'posted'")

    await shop.until(quiet, "everything to be said")
    return await shop.count("")


async def test_a_group_from_its_first_alert_to_its_last_is_one_incident_and_one_card(
    shop: Town, real: Alertmanagers
) -> None:
    real.configure(repeat="1s")
    one = await real.start()
    await one.post(CHECKOUT())
    await shop.sees(r"^INC-1 firing")
    assert incidents(shop) == [(1, "open", 1, 1)]

    await one.post(CRASHING(pod="checkout-a"), CRASHING(pod="checkout-b"))
    await shop.until(lambda: incidents(shop) == [(1, "open", 3, 3)], "the group's new alerts to join")

    await shop.request()
    said, received = await settled(shop), await taken(shop)
    await shop.until(lambda: _more(shop, received, 2), "two identical repeats")
    assert await settled(shop) == said, "a repeat is no news"

    await one.post(CRASHING(pod="checkout-a", resolved=True))
    await shop.until(lambda: incidents(shop) == [(1, "open", 2, 3)], "the mixed group")
    await shop.sees(r"^INC-1 firing")

    await one.post(CHECKOUT(resolved=True), CRASHING(pod="checkout-b", resolved=True))
    await shop.sees(r"^INC-1 resolved")
    assert incidents(shop) == [(1, "resolved", 0, 3)]
    assert shop.rows("SELECT count(*) FROM alerts WHERE status = 'resolved'") == [(3,)]
    assert await shop.count(r"^INC-1 (firing|resolved):") == 1, "one card, edited"
    assert await taken(shop, "200") == await one.metric("alertmanager_notifications_total", integration="webhook")
    assert shop.audit_holds()


async def _more(shop: Town, received: float, by: int) -> bool:
    return await taken(shop) >= received + by


async def test_each_group_is_an_incident_of_its_own(shop: Town, real: Alertmanagers) -> None:
    real.configure(group_by=["alertname", "cluster"])
    one = await real.start()
    await one.post(CHECKOUT(), CRASHING(pod="checkout-a"), CHECKOUT(cluster="staging"))
    await shop.until(lambda: len(incidents(shop)) == 3, "three incidents")
    clusters = shop.rows("SELECT json_extract(subject, '$.cluster') FROM incidents ORDER BY 1")
    assert clusters == [("prod",), ("prod",), ("staging",)]


async def test_a_wrong_token_is_refused_until_it_is_put_right(shop: Town, real: Alertmanagers) -> None:
    real.configure(token="not-the-token-at-all")
    one = await real.start()
    await one.post(CHECKOUT())
    await shop.until(lambda: taken(shop, "401"), "a refusal")
    assert shop.rows("SELECT count(*) FROM alerts") == [(0,)]
    assert "not-the-token-at-all" not in shop.log()

    real.configure()
    one.reload()
    await shop.sees(r"^INC-1 firing")
    assert incidents(shop) == [(1, "open", 1, 1)]


async def test_what_happens_while_the_bot_is_down_arrives_when_it_is_back(shop: Town, real: Alertmanagers) -> None:
    one = await real.start()
    await one.post(CHECKOUT())
    await shop.sees(r"^INC-1 firing")
    shop.kill()

    await one.post(CRASHING(pod="checkout-a"))
    failed = functools.partial(one.metric, "alertmanager_notification_requests_failed_total", integration="webhook")
    await shop.until(lambda: failed(), "a delivery that nobody took")
    await shop.serve()
    await shop.until(lambda: incidents(shop) == [(1, "open", 2, 2)], "the retry to be stored")
    await settled(shop)
    assert await shop.count(r"^INC-1 firing") == 1


@pytest.mark.parametrize("apart", [False, True], ids=["in touch", "apart"])
async def test_two_of_a_cluster_count_as_one_source(shop: Town, real: Alertmanagers, apart: bool) -> None:
    first, second = await real.pair(apart=apart)
    stuck = CHECKOUT()
    await asyncio.gather(first.post(stuck), second.post(stuck))
    await shop.sees(r"^INC-1 firing")
    if apart:
        await shop.until(lambda: _more(shop, 0, 2), "both to deliver")
    await settled(shop)
    assert incidents(shop) == [(1, "open", 1, 1)]
    assert shop.rows("SELECT count(*) FROM alert_groups") == [(1,)]
    assert await shop.count(r"^INC-1 firing") == 1

    first.stop()
    await second.post(stuck | {"endsAt": CHECKOUT(resolved=True)["endsAt"]})
    await shop.sees(r"^INC-1 resolved")
    assert incidents(shop) == [(1, "resolved", 0, 1)]


async def test_a_rule_of_a_real_prometheus_fires_and_resolves(
    shop: Town, real: Alertmanagers, installed: Installed, tmp_path: Path
) -> None:
    broken = {"value": 1}

    async def exposed(_request: web.Request) -> web.Response:
        return web.Response(text=f'rollout_stuck{{deployment="checkout"}} {broken["value"]}\n')

    app = web.Application()
    app.router.add_get("/metrics", exposed)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    rule = {
        "alert": "RolloutStuck",
        "expr": "rollout_stuck == 1",
        "labels": {"severity": "critical", "cluster": "prod", "namespace": "shop"},
        "annotations": {"summary": "The rollout of {{ $labels.deployment }} is stuck."},
    }
    try:
        scrapes = f"127.0.0.1:{runner.addresses[0][1]}"
        one = await real.start()
        server = installed("prometheus")
        async with prometheus(server, tmp_path / "prometheus", scrapes=scrapes, rule=rule, tells=[one]):
            await shop.request()
            assert shop.rows("SELECT title, summary FROM incidents") == [
                ("RolloutStuck", "The rollout of checkout is stuck.")
            ]
            broken["value"] = 0
            await shop.sees(r"^INC-1 resolved")
    finally:
        await runner.cleanup()

"""A changed policy or runbook is said, and what was asked for under the old one is asked for anew under the new."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.system.town import LEE, Town, checkout_alert

ROLLBACK = "rollback-deployment.yaml"
EVER = {"kind": "deny", "cron": "* * * * *", "duration": "1h", "time_zone": "UTC", "why": "the database is moved"}


async def served_anew(here: Town) -> None:
    here.kill()
    await here.serve()


def states(here: Town) -> list[tuple[int, str]]:
    return here.rows("SELECT number, state FROM approvals ORDER BY number")


async def test_what_a_change_touches_is_void_said_and_asked_for_anew(shop: Town) -> None:
    await shop.alert(checkout_alert())
    await shop.request()
    await served_anew(shop)
    assert states(shop) == [(1, "pending")]
    shop.configure(approvals={"medium": {"groups": {"approvers": 2}}})
    await served_anew(shop)
    await shop.sees("The policy of sign-off or the catalogue of runbooks has changed. 1 waiting request is void")
    await shop.sees("A-1 is void, nothing ran. The policy that says who must approve has changed")
    await shop.request(2)
    assert states(shop) == [(1, "void"), (2, "pending")]
    path = Path(shop.environment["SIGNOFF_RUNBOOKS"]) / ROLLBACK
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | {"windows": [EVER]}))
    await served_anew(shop)
    await shop.sees("A-2 is void, nothing ran. Its runbook has changed")
    await shop.page.click(LEE, await shop.request(3), "Approve", stale=True)
    await shop.sees("A change freeze holds: the database is moved", user=LEE)
    assert states(shop) == [(1, "void"), (2, "void"), (3, "pending")]
    assert shop.rows("SELECT count(*) FROM votes WHERE state = 'counted'") == [(0,)]
    assert await shop.writes() == []
    assert shop.audit_holds()


async def test_what_cannot_be_planned_at_a_start_is_asked_for_anew_when_it_can(shop: Town) -> None:
    await shop.alert(checkout_alert())
    await shop.request()
    shop.configure(approvals={"medium": {"groups": {"approvers": 2}}})
    await shop.cannot_be_read()
    await served_anew(shop)
    await shop.sees("was not proposed: Cluster prod refused .* It is tried again, as long as INC-1 is open")
    assert states(shop) == [(1, "void")]
    shop.time_passes(60)
    await shop.until(lambda: shop.rows("SELECT 1 FROM asks WHERE wanted > 2"), "the second try")
    assert await shop.count("was not proposed") == 1
    await shop.heal()
    shop.time_passes(60)
    await shop.request(2)
    assert states(shop) == [(1, "void"), (2, "pending")]
    await shop.is_no_more_on_the_card("was not proposed")


async def test_what_no_longer_allows_an_action_voids_it_and_what_concerns_others_does_not(shop: Town) -> None:
    await shop.alert(checkout_alert())
    await shop.request()
    elsewhere = {"kind": "deny", "cron": "0 0 * * *", "duration": "1h", "clusters": ["staging"]}
    shop.configure(
        windows=[elsewhere], approvals={"high": {"groups": {"approvers": 2}}}, registries=["other.example/x"]
    )
    await served_anew(shop)
    await shop.sees("The policy of sign-off or the catalogue of runbooks has changed")
    assert states(shop) == [(1, "pending")]
    clusters = yaml.safe_load(Path(shop.environment["SIGNOFF_CONFIG"]).read_text())["clusters"]
    clusters["prod"]["acts_in"] = ["payments"]
    shop.configure(clusters=clusters)
    await served_anew(shop)
    await shop.sees("A-1 is void, nothing ran. What the configuration says of clusters.prod.acts_in has changed")
    assert states(shop) == [(1, "void")]
    assert await shop.writes() == []

"""Who may sign off, end to end: groups of Slack, listed people, and what people can take back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.system.town import Town, checkout_alert, quick_runbooks, town

LEE, PRIYA, DANA, GUEST = "U0LEE", "U0PRIYA", "U0DANA", "U0GUEST"
ONCALL = {"usergroups": ["T0SHOP:S0ONCALL"]}
PLATFORM = {"usergroups": ["T0SHOP:S0PLATFORM"], "users": ["T0SHOP:U0GUEST"]}


def needing(**groups: Any) -> dict[str, Any]:
    """Configuration in which every risk needs one of each of these groups."""
    demand = {"groups": dict.fromkeys(groups, 1)}
    return {
        "approvers": [],
        "groups": groups,
        "approvals": dict.fromkeys(("low", "medium", "high", "critical"), demand),
    }


OpenShop = Callable[..., AbstractAsyncContextManager[Town]]


@pytest.fixture
def configured(tmp_path: Path) -> OpenShop:
    """An installation with these keys in its configuration file, and checkout just broken."""

    @asynccontextmanager
    async def opened(**changes: Any) -> AsyncIterator[Town]:
        async with town(tmp_path, runbooks=quick_runbooks(tmp_path / "runbooks")) as here:
            here.configure(**changes)
            await here.serve()
            await here.alert(checkout_alert())
            yield here

    return opened


async def switch(here: Town, **switches: Any) -> None:
    await here.page.act("/sandbox/switches", switches)


async def test_it_takes_one_of_each_group_and_no_one_person_is_two(configured: OpenShop) -> None:
    async with configured(**needing(oncall=ONCALL, platform=PLATFORM)) as here:
        request = await here.request()
        await here.page.click(PRIYA, request, "Approve")
        await here.sees("A-1: approved by .*1 of 2")
        await here.page.click(PRIYA, request, "Approve", stale=True)
        await here.sees("one person has one vote", user=PRIYA)
        await here.page.click(GUEST, request, "Approve", stale=True)
        await here.sees("is a guest", user=GUEST)
        assert await here.writes() == []
        await here.page.click(LEE, request, "Approve", stale=True)
        await here.sees("A-1 helped")
        assert len(await here.writes()) == 1
        ages = here.rows("SELECT groups_age_ms FROM votes WHERE state = 'counted'")
        assert all(0 <= age <= 10_000 for (age,) in ages)
        assert here.audit_holds()


async def test_who_joins_a_group_later_counts_for_the_next_request_and_who_leaves_no_more(
    configured: OpenShop,
) -> None:
    async with configured(**needing(oncall=ONCALL)) as here:
        request = await here.request()
        await switch(here, usergroup={"group": "S0ONCALL", "users": [DANA, PRIYA]})
        # A reading may be ten seconds old: a new process has none.
        here.kill()
        await here.serve()
        await here.page.click(DANA, request, "Approve")
        await here.sees("came to oncall after A-1 was asked for", user=DANA)
        await here.page.click(LEE, request, "Approve", stale=True)
        await here.sees("not on the list of approvers", user=LEE)
        assert here.rows("SELECT state FROM approvals") == [("pending",)]


async def test_a_group_that_slack_does_not_tell_has_nobody_in_it(configured: OpenShop) -> None:
    async with configured(**needing(oncall=ONCALL)) as here:
        request = await here.request()
        await switch(here, plan_upgrade_required=True)
        here.kill()
        await here.serve()
        await here.page.click(LEE, request, "Approve")
        await here.sees("could not be asked who is in oncall", user=LEE)
        assert here.rows("SELECT state FROM approvals") == [("pending",)]
        assert await here.writes() == []

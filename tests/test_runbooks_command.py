"""`signoff runbooks`: what an approver would see is what the approver does see, and nothing is changed by looking."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest

from tests.system import processes
from tests.system.town import Town, checkout_alert, town

ROLLBACK = ("plan", "rollback-deployment", "namespace=shop", "deployment=checkout")


@pytest.fixture(scope="module")
async def here(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    async with town(tmp_path_factory.mktemp("town"), alertmanager=True) as opened:
        yield opened


async def signoff(here: Town, *words: str, **more: str) -> tuple[int, str, str]:
    return processes.run(["-m", "bot", "runbooks", *words], here.environment | more)


async def test_the_plan_that_is_printed_is_the_card_that_an_approver_sees(here: Town) -> None:
    code, printed, wrong = await signoff(here, *ROLLBACK)
    assert (code, wrong) == (0, "")
    _, stored, _ = await signoff(here, *ROLLBACK, "--json")
    record = json.loads(stored)
    await here.serve()
    await here.alert(checkout_alert())
    request = await here.request()
    kept = json.loads(here.rows("SELECT record FROM approvals")[0][0])
    assert {key for key in record if record[key] != kept[key]} <= {
        "matter",
        "evidence",
        "proposed_by",
        "created_at",
        "expires_at",
    }
    for block in request["blocks"]:
        for part in block["elements"] if block["type"] == "rich_text" else ():
            text = "".join(span.get("text", "") for span in part["elements"])
            if part["type"] == "rich_text_preformatted" or text.startswith(("It touches", "To undo", "Checked")):
                assert all(line.strip() in printed for line in text.split("\n")), text
    assert "[Approve] [Deny…]" in printed
    assert "no incident" in printed
    assert "digest " in printed.splitlines()[-1]
    assert await here.writes() == []
    here.stop()


async def test_who_may_approve_is_told_without_slack_as_well(here: Town) -> None:
    code, printed, _ = await signoff(here, *ROLLBACK, SLACK_BOT_TOKEN="")
    assert code == 0
    assert "@U0LEE" in printed


async def test_a_silence_is_planned_against_the_alertmanager(here: Town) -> None:
    words = ("plan", "silence-alerts", "namespace=shop", "alertname=Stuck", "minutes=30", "--cluster", "prod")
    code, printed, wrong = await signoff(here, *words)
    assert code == 0, wrong
    assert 'Alerts with alertname="Stuck", namespace="shop" stay quiet' in printed
    assert "as it will be sent, nobody can rehearse it" in printed


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("plan", "restart-deployment", "namespace=shop", "deployment=payments"), 1, "There is no Deployment"),
        (("plan", "scale-deployment", "namespace=shop", "deployment=cart", "replicas=x"), 1, "must be a whole number"),
        (("plan", "scale-deployment", "namespace=shop", "deployment=frontend", "replicas=4"), 1, "Autoscaler frontend"),
        (("plan", "silence-alerts", "namespace=shop", "alertname=A", "minutes=30", "--cluster", "staging"), 1,
         "has no Alertmanager configured"),
        (("plan", "restart-everything"), 2, "there is no runbook restart-everything; there are cordon-node"),
        (("plan", "restart-deployment", "shop"), 2, "'shop' is no parameter: give KEY=VALUE"),
        (("plan", "restart-deployment", "--cluster", "moon"), 2, "--cluster: give one of prod, staging"),
        (("show", "nothing"), 2, "there is no runbook nothing"),
    ],
)  # fmt: skip
async def test_what_cannot_be_planned_is_refused_in_words(
    here: Town, words: tuple[str, ...], code: int, said: str
) -> None:
    found, printed, wrong = await signoff(here, *words)
    assert (found, printed) == (code, "")
    assert said in wrong
    assert "Traceback" not in wrong


async def test_they_are_listed_and_shown(here: Town) -> None:
    _, listed, _ = await signoff(here, "list")
    assert "drain-node               high     Drain a node" in listed.splitlines()
    code, shown, _ = await signoff(here, "show", "drain-node")
    assert code == 0
    assert "2. evict: pod-evict" in shown

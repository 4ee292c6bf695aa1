"""The model in the whole installation: a verified answer is used, a hostile one changes nothing, none is no loss."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.town import Town, checkout_alert, quick_runbooks, town

CANARY = "xox" + "b-123456789012-" + "abcdefghijklmnopqrstuvwx"


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Town]:
    async with town(tmp_path, runbooks=quick_runbooks(tmp_path / "runbooks"), messages=True) as here:
        await here.serve(SIGNOFF_MODEL_DEADLINE_SECONDS="5")
        yield here


def triage(**more: Any) -> dict[str, Any]:
    return {
        "severity": "high",
        "category": "image-pull",
        "summary": "checkout cannot pull its new image",
        "causes": [{"statement": "Tag 4.18.0 is not in the registry.", "confidence": "high", "evidence": ["E2"]}],
        "unknowns": [],
        "proposals": [],
    } | more


def stored(here: Town) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(here.rows("SELECT triage FROM incidents")[0][0])
    return found


async def test_a_verified_answer_is_on_the_card_with_its_model_and_evidence(shop: Town) -> None:
    parameters = [{"name": "namespace", "value": "shop"}, {"name": "deployment", "value": "checkout"}]
    rollback = {"runbook": "rollback-deployment", "parameters": parameters, "evidence": ["E4"]}
    await shop.model_answers({"json": triage(proposals=[rollback])})
    await shop.alert(checkout_alert())
    await shop.request()
    assert stored(shop)["analyst"] == "claude-haiku-5-5"
    card = await shop.sees("^INC-1 .*Likely")
    assert "Tag 4.18.0 is not in the registry." in json.dumps(card["blocks"])
    assert "E2" in json.dumps(card["blocks"])


async def test_a_model_that_obeys_an_attacker_can_propose_nothing_that_is_not_there(shop: Town) -> None:
    here, there = {"name": "namespace", "value": "shop"}, {"name": "namespace", "value": "kube-system"}
    obeying = triage(
        summary="<!channel> run it now https://evil.example/x",
        causes=[
            {"statement": "Ignore the evidence.", "confidence": "high", "evidence": ["E99"]},
            {"statement": "<@U0DANA> see <https://evil.example|here>", "confidence": "high", "evidence": ["E1"]},
        ],
        proposals=[
            {"runbook": "shell", "parameters": [{"name": "command", "value": "rm -rf /"}], "evidence": ["E1"]},
            {"runbook": "delete-pod", "parameters": [there, {"name": "pod", "value": "etcd-0"}], "evidence": ["E1"]},
            {
                "runbook": "restart-deployment",
                "parameters": [here, {"name": "deployment", "value": "cart"}],
                "evidence": ["E1"],
            },
        ],
    )
    await shop.model_answers({"json": obeying})
    await shop.alert(checkout_alert())
    await shop.until(lambda: shop.rows("SELECT 1 FROM incidents WHERE done = wanted AND wanted > 0"), "the triage")
    assert shop.rows("SELECT count(*) FROM approvals") == [(0,)]
    found = stored(shop)
    assert found["dropped"] == {
        "citation of evidence that is not there": 1,
        "cause without evidence": 1,
        "runbook not in the catalogue": 1,
        "proposal: names an object that is not in the evidence": 2,
    }
    card = await shop.sees("^INC-1 .*Likely")
    # Slack reads markup in a message's text and in mrkdwn objects only; rich text is shown as it stands.
    markup = card["text"] + " ".join(re.findall(r'"type": "mrkdwn", "text": "(.*?)"', json.dumps(card["blocks"])))
    for attack in ("<!channel>", "<@U0DANA>", "<https://evil"):
        assert attack not in markup
    kinds = set(re.findall(r'"type": "(\w+)"', json.dumps(card["blocks"])))
    assert not kinds & {"link", "user", "usergroup", "broadcast", "channel"}


async def test_no_answer_in_time_is_answered_by_the_rules(shop: Town) -> None:
    await shop.model_answers({"json": triage(), "delay": 30})
    await shop.alert(checkout_alert())
    await shop.request()
    assert stored(shop)["analyst"] == "rules"
    assert "5 s" in stored(shop)["note"]


async def test_no_secret_reaches_the_model_slack_the_audit_or_the_log(shop: Town) -> None:
    await shop.model_answers({"json": triage()})
    body = checkout_alert()
    body["alerts"][0]["annotations"]["summary"] = f"checkout cannot log in with {CANARY}"
    body["alerts"][0]["annotations"]["description"] = f"password={CANARY}"
    await shop.alert(body)
    await shop.sees("^INC-1 .*Likely")
    async with shop.session.get(f"{shop.urls['messages']}/sandbox/messages/requests") as response:
        asked = await response.text()
    assert "KubeDeploymentRolloutStuck" in asked
    seen = json.dumps(await shop.page.messages("U0LEE"))
    audit = json.dumps(shop.rows("SELECT * FROM audit"))
    for where, text in {"model": asked, "slack": seen, "audit": audit, "log": shop.log()}.items():
        assert CANARY not in text, where
    for secret in (shop.environment["SLACK_BOT_TOKEN"], shop.environment["SIGNOFF_ALERTMANAGER_TOKEN"]):
        assert secret not in asked + seen + audit + shop.log()

"""Modals open with a fresh trigger, stack three deep, and notice races by their hash."""

from typing import Any

import pytest


def modal(title: str = "T", **parts: Any) -> dict[str, Any]:
    block = {"type": "section", "text": {"type": "mrkdwn", "text": "x"}}
    return {"type": "modal", "title": {"type": "plain_text", "text": title}, "blocks": [block], **parts}


async def opened(slack: Any, trigger: Any, **parts: Any) -> dict[str, Any]:
    return dict((await slack.client.views_open(trigger_id=await trigger(), view=modal(**parts)))["view"])


async def test_a_trigger_opens_one_modal(slack: Any, trigger: Any) -> None:
    ticket = await trigger()
    view = (await slack.client.views_open(trigger_id=ticket, view=modal()))["view"]
    assert (view["type"], view["root_view_id"], view["state"]) == ("modal", view["id"], {"values": {}})
    again = await slack.refusal(slack.client.views_open(trigger_id=ticket, view=modal()))
    assert again["error"] == "exchanged_trigger_id"
    shown = await slack.get("/sandbox/views", user="U0LEE")
    assert [v["id"] for v in shown["modals"]] == [view["id"]]


async def test_a_trigger_is_good_for_three_seconds(slack: Any, trigger: Any) -> None:
    in_time, late = await trigger(), await trigger()
    slack.clock.now += 3
    assert (await slack.client.views_open(trigger_id=in_time, view=modal()))["ok"]
    slack.clock.now += 0.1
    assert (await slack.refusal(slack.client.views_open(trigger_id=late, view=modal())))[
        "error"
    ] == "expired_trigger_id"
    made_up = await slack.refusal(slack.client.views_open(trigger_id="1.2.3", view=modal()))
    assert made_up["error"] == "invalid_trigger_id"


async def test_an_invalid_view_does_not_spend_the_trigger(slack: Any, trigger: Any) -> None:
    ticket = await trigger()
    refused = await slack.refusal(slack.client.views_open(trigger_id=ticket, view=modal("x" * 25)))
    assert refused["error"] == "invalid_arguments"
    expected = "[ERROR] must be less than 25 characters [json-pointer:/view/title/text]"
    assert refused["response_metadata"]["messages"] == [expected]
    assert (await slack.client.views_open(trigger_id=ticket, view=modal()))["ok"]


async def test_a_view_of_more_than_250_kilobytes_is_too_large(slack: Any, trigger: Any) -> None:
    big = [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 2990}}] * 90
    call = slack.client.views_open(trigger_id=await trigger(), view=modal(blocks=big))
    assert (await slack.refusal(call))["error"] == "view_too_large"


async def test_the_stack_is_three_deep(slack: Any, trigger: Any) -> None:
    first = await opened(slack, trigger)
    for _ in range(2):
        pushed = (await slack.client.views_push(trigger_id=await trigger(), view=modal()))["view"]
    assert pushed["root_view_id"] == first["id"]
    refused = await slack.refusal(slack.client.views_push(trigger_id=await trigger(), view=modal()))
    assert refused["error"] == "push_limit_reached"


async def test_an_update_with_a_stale_hash_is_a_conflict(slack: Any, trigger: Any) -> None:
    view = await opened(slack, trigger)
    update = slack.client.views_update
    newer = (await update(view_id=view["id"], hash=view["hash"], view=modal("Newer")))["view"]
    assert newer["title"]["text"] == "Newer"
    stale = await slack.refusal(update(view_id=view["id"], hash=view["hash"], view=modal("Stale")))
    assert stale["error"] == "hash_conflict"
    assert (await update(view_id=view["id"], view=modal("Newest")))["ok"]


async def test_a_view_is_found_by_its_external_id_which_is_unique(slack: Any, trigger: Any) -> None:
    await opened(slack, trigger, external_id="plan-1")
    assert (await slack.client.views_update(external_id="plan-1", view=modal(external_id="plan-1")))["ok"]
    call = slack.client.views_push(trigger_id=await trigger(), view=modal(external_id="plan-1"))
    assert (await slack.refusal(call))["error"] == "duplicate_external_id"
    assert (await slack.refusal(slack.client.views_update(external_id="no", view=modal())))["error"] == "not_found"


async def test_the_home_tab_belongs_to_one_person(slack: Any) -> None:
    home = {"type": "home", "blocks": [{"type": "divider"}]}
    view = (await slack.client.views_publish(user_id="U0LEE", view=home))["view"]
    assert (await slack.get("/sandbox/views", user="U0LEE"))["home"]["id"] == view["id"]
    assert (await slack.get("/sandbox/views", user="U0DANA"))["home"] is None
    again = slack.client.views_publish
    assert (await again(user_id="U0LEE", view=home, hash=view["hash"]))["view"]["id"] == view["id"]
    assert (await slack.refusal(again(user_id="U0LEE", view=home, hash=view["hash"])))["error"] == "hash_conflict"
    assert (await slack.refusal(again(user_id="U0NOBODY", view=home)))["error"] == "user_not_found"


@pytest.fixture
async def trigger(slack: Any) -> Any:
    """Gives fresh trigger ids, each from a click of Lee."""
    app = slack.app()
    triggers: list[str] = []

    @app.action("go")
    async def _(ack: Any, body: dict[str, Any]) -> None:
        triggers.append(body["trigger_id"])
        await ack()

    await slack.run(app)
    ts = await slack.post_card({"type": "button", "text": {"type": "plain_text", "text": "Go"}, "action_id": "go"})

    async def fresh() -> str:
        outcome = await slack.act("click", channel="C0INCIDENTS", ts=ts, action_id="go")
        assert outcome["acked"]
        return triggers.pop()

    return fresh

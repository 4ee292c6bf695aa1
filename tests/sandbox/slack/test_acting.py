"""What people do reaches an unmodified Bolt app in Slack's shapes, and what they then see is what Slack would show."""

import asyncio
import re
from typing import Any

import pytest

from bot.sandbox.slack import Timings

Json = dict[str, Any]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def button(action_id: str = "go", **parts: Any) -> Json:
    return {"type": "button", "text": plain("Go"), "action_id": action_id, **parts}


def options(*values: str) -> list[Json]:
    return [{"text": plain(value.title()), "value": value} for value in values]


WHY = {
    "type": "input",
    "block_id": "why",
    "label": plain("Why"),
    "element": {"type": "plain_text_input", "action_id": "text"},
}


def modal(**parts: Any) -> Json:
    return {
        "type": "modal",
        "callback_id": "deny",
        "title": plain("Deny"),
        "submit": plain("Deny"),
        "blocks": [WHY],
        **parts,
    }


@pytest.fixture
async def heard(slack: Any) -> list[Json]:
    """Everything that a connected app hears; it acknowledges all of it, and nothing else."""
    app, bodies = slack.app(), []

    @app.middleware
    async def note(body: Json, next_: Any) -> None:
        bodies.append(body)
        await next_()

    async def acknowledge(ack: Any) -> None:
        await ack()

    for listen in (app.action, app.view, app.shortcut, app.command):
        listen(re.compile(".*"))(acknowledge)
    await slack.run(app)
    return bodies


async def test_a_click_has_slacks_shape(slack: Any, heard: list[Json]) -> None:
    parent = await slack.post_card(button())
    ts = await slack.post_card(button(value="A-77.1", style="primary"), thread_ts=parent)
    assert (await slack.act("click", channel="C0INCIDENTS", ts=ts, action_id="go"))["acked"]
    body = heard[-1]
    assert body["team"] == {"id": "T0SHOP", "domain": "shop"}
    assert body["user"] == {"id": "U0LEE", "username": "lee", "name": "lee", "team_id": "T0SHOP"}
    assert body["container"] == {
        "type": "message",
        "message_ts": ts,
        "channel_id": "C0INCIDENTS",
        "is_ephemeral": False,
        "thread_ts": parent,
    }
    assert (body["channel"], body["message"]["ts"]) == ({"id": "C0INCIDENTS", "name": "incidents"}, ts)
    assert (body["enterprise"], body["is_enterprise_install"], body["api_app_id"]) == (None, False, "A0SIGNOFF")
    (action,) = body["actions"]
    assert {key: action[key] for key in ("type", "action_id", "block_id", "value", "style")} == {
        "type": "button",
        "action_id": "go",
        "block_id": "row",
        "value": "A-77.1",
        "style": "primary",
    }
    assert body["response_url"].startswith(f"{slack.sandbox.url}/actions/")


@pytest.mark.parametrize(
    ("element", "answer", "held"),
    [
        ({"type": "overflow", "options": options("one", "two")}, "two", "selected_option"),
        ({"type": "static_select", "options": options("one", "two")}, "two", "selected_option"),
        ({"type": "radio_buttons", "options": options("one", "two")}, "two", "selected_option"),
        ({"type": "checkboxes", "options": options("one", "two")}, ["two"], "selected_options"),
        ({"type": "users_select"}, "U0DANA", "selected_user"),
        ({"type": "datepicker"}, "2026-11-21", "selected_date"),
    ],
)
async def test_a_choice_carries_what_was_chosen(
    slack: Any, heard: list[Json], element: Json, answer: Any, held: str
) -> None:
    ts = await slack.post_card({**element, "action_id": "pick"})
    await slack.act("click", channel="C0INCIDENTS", ts=ts, action_id="pick", value=answer)
    two = options("two")[0]
    chosen = {"selected_option": two, "selected_options": [two]}.get(held, answer)
    assert heard[-1]["actions"][0][held] == chosen
    if element["type"] != "overflow":
        assert heard[-1]["state"]["values"]["row"]["pick"][held] == chosen


async def test_a_confirmation_has_to_be_accepted(slack: Any, heard: list[Json]) -> None:
    asks = {"title": plain("Sure?"), "text": plain("It is production"), "confirm": plain("Yes"), "deny": plain("No")}
    ts = await slack.post_card(button(confirm=asks))
    refused = await slack.act("click", channel="C0INCIDENTS", ts=ts, action_id="go", status=409)
    assert "It is production" in refused["error"]
    assert heard == []
    assert (await slack.act("click", channel="C0INCIDENTS", ts=ts, action_id="go", confirm=True))["acked"]


async def test_a_stale_button_can_still_be_clicked_by_a_slow_client(slack: Any, heard: list[Json]) -> None:
    ts = await slack.post_card(button(value="old"))
    await slack.client.chat_update(channel="C0INCIDENTS", ts=ts, text="done")
    where = {"channel": "C0INCIDENTS", "ts": ts, "action_id": "go"}
    assert "no element 'go'" in (await slack.act("click", status=409, **where))["error"]
    assert (await slack.act("click", stale=True, **where))["acked"]
    assert heard[-1]["actions"][0]["value"] == "old"


@pytest.mark.parametrize(
    ("user", "why"),
    [
        ("U0EXT", "does not see the channel"),
        ("U0GONE", "deactivated"),
        ("U0SIGNOFF", "the app itself"),
        ("U0NOBODY", "there is no user"),
    ],
)
async def test_who_cannot_click(slack: Any, user: str, why: str) -> None:
    ts = await slack.post_card(button())
    refused = await slack.act("click", user, channel="C0INCIDENTS", ts=ts, action_id="go", status=409)
    assert why in refused["error"]


async def test_a_stranger_in_a_shared_channel_clicks_with_their_own_team(slack: Any, heard: list[Json]) -> None:
    await slack.switch(invite={"channel": "C0INCIDENTS", "user": "U0EXT"})
    assert (await slack.client.conversations_info(channel="C0INCIDENTS"))["channel"]["is_ext_shared"] is True
    ts = await slack.post_card(button())
    await slack.act("click", "U0EXT", channel="C0INCIDENTS", ts=ts, action_id="go")
    assert (heard[-1]["team"]["id"], heard[-1]["user"]["team_id"]) == ("T0OTHER", "T0OTHER")


async def test_a_button_can_be_for_some_people_only(slack: Any, heard: list[Json]) -> None:
    ts = await slack.post_card(button(visible_to_user_ids=["U0LEE"]))
    where = {"channel": "C0INCIDENTS", "ts": ts, "action_id": "go"}
    assert "does not see this button" in (await slack.act("click", "U0DANA", status=409, **where))["error"]
    assert (await slack.act("click", "U0LEE", **where))["acked"]


async def test_without_interactivity_nothing_can_be_clicked(start_slack: Any) -> None:
    slack = await start_slack(settings={"interactivity": {"is_enabled": False}})
    ts = await slack.post_card(button())
    refused = await slack.act("click", channel="C0INCIDENTS", ts=ts, action_id="go", status=409)
    assert "not configured" in refused["error"]


async def test_a_command_has_slacks_shape_and_escaped_mentions(slack: Any, heard: list[Json]) -> None:
    assert (await slack.act("command", channel="C0INCIDENTS", text="/ops page @dana in #deploys"))["acked"]
    body = heard[-1]
    assert (body["command"], body["text"]) == ("/ops", "page <@U0DANA|dana> in <#C0DEPLOYS|deploys>")
    assert (body["channel_id"], body["channel_name"]) == ("C0INCIDENTS", "incidents")
    assert (body["user_id"], body["team_id"], body["is_enterprise_install"]) == ("U0LEE", "T0SHOP", "false")


async def test_a_command_that_the_manifest_does_not_have(slack: Any, heard: list[Json]) -> None:
    outcome = await slack.act("command", channel="C0INCIDENTS", text="/oops help")
    assert (outcome["acked"], outcome["shown"]) == (False, "/oops is not a valid command.")
    assert heard == []


async def test_a_command_can_be_answered_with_the_acknowledgement(slack: Any) -> None:
    app = slack.app()

    @app.command("/ops")
    async def _(ack: Any) -> None:
        await ack("quietly")

    await slack.run(app)
    outcome = await slack.act("command", channel="C0INCIDENTS", text="/ops")
    assert [message["text"] for message in outcome["ephemeral"]] == ["quietly"]
    assert await slack.messages(user="U0DANA") == []


async def test_an_act_can_wait_for_what_the_app_does_next(slack: Any) -> None:
    app, hold = slack.app(), asyncio.Event()

    @app.command("/ops")
    async def _(ack: Any, respond: Any) -> None:
        await ack()
        await hold.wait()
        await respond("later")

    await slack.run(app)
    act = asyncio.create_task(slack.act("command", channel="C0INCIDENTS", text="/ops", wait=5))
    await slack.until_logged("command /ops")
    hold.set()
    assert [message["text"] for message in (await act)["ephemeral"]] == ["later"]


async def test_a_mention_and_a_direct_message_are_events(slack: Any) -> None:
    app, events = slack.app(), []

    @app.event("app_mention")
    @app.event("message")
    async def _(event: Json) -> None:
        events.append(event)

    await slack.run(app)
    await slack.act("message", channel="C0INCIDENTS", text="hey @signoff, a<b & #deploys")
    await slack.act("home")
    direct = (await slack.get("/sandbox/channels", user="U0LEE"))["channels"][-1]["id"]
    await slack.act("message", channel=direct, text="hello")
    await slack.until(lambda: len(events) == 2)
    by_type = {event["type"]: event for event in events}
    assert by_type["app_mention"]["text"] == "hey <@U0SIGNOFF>, a&lt;b &amp; <#C0DEPLOYS|>"
    assert by_type["app_mention"]["channel"] == "C0INCIDENTS"
    assert (by_type["message"]["channel_type"], by_type["message"]["user"]) == ("im", "U0LEE")


async def test_opening_home_is_an_event(slack: Any) -> None:
    app = slack.app()

    @app.event("app_home_opened")
    async def _(event: Json, client: Any) -> None:
        home = {"type": "home", "blocks": [{"type": "actions", "elements": [button()]}]}
        await client.views_publish(user_id=event["user"], view=home)

    await slack.run(app)
    outcome = await slack.act("home", wait=5)
    assert outcome["home"]["blocks"][0]["elements"][0]["action_id"] == "go"


async def test_shortcuts_come_from_the_manifest(slack: Any, heard: list[Json]) -> None:
    ts = await slack.post_card(button())
    await slack.act("shortcut", callback_id="triage", channel="C0INCIDENTS", ts=ts)
    assert (heard[-1]["type"], heard[-1]["message"]["ts"]) == ("message_action", ts)
    await slack.act("shortcut", callback_id="new")
    assert (heard[-1]["type"], heard[-1]["callback_id"]) == ("shortcut", "new")
    assert "no global shortcut" in (await slack.act("shortcut", callback_id="triage", status=409))["error"]


class TestModals:
    """A click opens a modal; what its submission answers is what the person sees."""

    @pytest.fixture
    async def answers(self, slack: Any) -> list[Any]:
        """The answers that the app gives to submissions, in order; what it hears is appended as well."""
        app, answers = slack.app(), []

        @app.action("go")
        async def _(ack: Any, body: Json, client: Any) -> None:
            await ack()
            await client.views_open(trigger_id=body["trigger_id"], view=modal(notify_on_close=True))

        @app.view("deny")
        async def _(ack: Any, body: Json) -> None:
            answer = answers.pop(0)
            answers.append(body)
            await ack(**answer)

        @app.view_closed("deny")
        async def _(ack: Any, body: Json) -> None:
            answers.append(body)
            await ack()

        await slack.run(app)
        return answers

    async def open(self, slack: Any) -> str:
        ts = await slack.post_card(button())
        outcome = await slack.act("click", channel="C0INCIDENTS", ts=ts, action_id="go", wait=5)
        return str(outcome["modals"][0]["id"])

    async def test_a_plain_acknowledgement_closes_it(self, slack: Any, answers: list[Any]) -> None:
        view_id = await self.open(slack)
        answers.append({})
        outcome = await slack.act("submit", view_id=view_id, values={"why": "too risky"})
        assert (outcome["acked"], outcome["modals"]) == (True, [])
        held = answers[0]["view"]["state"]["values"]
        assert held == {"why": {"text": {"type": "plain_text_input", "value": "too risky"}}}
        assert answers[0]["view"]["callback_id"] == "deny"

    async def test_the_client_itself_refuses_an_empty_field(self, slack: Any, answers: list[Any]) -> None:
        outcome = await slack.act("submit", view_id=await self.open(slack))
        assert outcome["errors"] == {"why": "Please complete this required field."}
        assert answers == []

    async def test_errors_of_the_app_show_below_the_input(self, slack: Any, answers: list[Any]) -> None:
        view_id = await self.open(slack)
        answers.append({"response_action": "errors", "errors": {"why": "More words"}})
        outcome = await slack.act("submit", view_id=view_id, values={"why": {"text": "no"}})
        assert (outcome["errors"], len(outcome["modals"])) == ({"why": "More words"}, 1)

    @pytest.mark.parametrize(
        "answer",
        [
            {"response_action": "errors", "errors": {"other": "x"}},
            {"response_action": "update", "view": {"type": "modal"}},
        ],
        ids=["an error for no input", "an invalid view"],
    )
    async def test_an_invalid_answer_is_trouble(self, slack: Any, answers: list[Any], answer: Json) -> None:
        view_id = await self.open(slack)
        answers.append(answer)
        outcome = await slack.act("submit", view_id=view_id, values={"why": "x"})
        assert (outcome["acked"], outcome["shown"]) == (False, "We had some trouble connecting. Try again?")
        assert any("answer refused" in title for title in await slack.titles(level="error"))

    async def test_update_push_and_clear(self, slack: Any, answers: list[Any]) -> None:
        view_id = await self.open(slack)
        answers.append({"response_action": "update", "view": modal(title=plain("Again"))})
        outcome = await slack.act("submit", view_id=view_id, values={"why": "x"})
        assert [view["title"]["text"] for view in outcome["modals"]] == ["Again"]
        answers[:] = [{"response_action": "push", "view": modal(title=plain("Deeper"))}]
        outcome = await slack.act("submit", view_id=view_id)
        assert [view["title"]["text"] for view in outcome["modals"]] == ["Again", "Deeper"]
        answers[:] = [{"response_action": "clear"}]
        top = outcome["modals"][-1]["id"]
        assert "on top" in (await slack.act("submit", view_id=view_id, status=409))["error"]
        assert (await slack.act("submit", view_id=top, values={"why": "y"}))["modals"] == []

    async def test_closing_is_told_when_the_view_asks_for_it(self, slack: Any, answers: list[Any]) -> None:
        outcome = await slack.act("close", view_id=await self.open(slack))
        assert (outcome["acked"], outcome["modals"]) == (True, [])
        assert (answers[0]["type"], answers[0]["is_cleared"]) == ("view_closed", False)

    async def test_only_its_own_person_can_submit(self, slack: Any, answers: list[Any]) -> None:
        refused = await slack.act("submit", "U0DANA", view_id=await self.open(slack), status=409)
        assert "no such view open" in refused["error"]

    async def test_unknown_inputs_and_answers_are_refused(self, slack: Any, answers: list[Any]) -> None:
        view_id = await self.open(slack)
        for values in ({"who": "x"}, {"why": {"other": "x"}}, {"why": 3}):
            assert (await slack.act("submit", view_id=view_id, values=values, status=409))["error"]


async def test_a_modal_that_nobody_acknowledges_is_trouble(start_slack: Any) -> None:
    slack = await start_slack(timings=Timings(ack=0.5))
    app = slack.app()

    @app.action("go")
    async def _(ack: Any, body: Json, client: Any) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=modal())

    await slack.run(app)
    ts = await slack.post_card(button())
    opened = await slack.act("click", channel="C0INCIDENTS", ts=ts, action_id="go", wait=5)
    outcome = await slack.act("submit", view_id=opened["modals"][0]["id"], values={"why": "x"})
    assert (outcome["acked"], outcome["shown"]) == (False, "We had some trouble connecting. Try again?")
    assert len(outcome["modals"]) == 1

"""The page of the local workspace in a real Chromium: it draws what the app posts, as text, and lets people act."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack import SlackSandbox, start

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
pytestmark = pytest.mark.skipif(
    not Path(CHROMIUM).exists(), reason="Debian's chromium is not installed: apt-get install chromium"
)

Json = dict[str, Any]
HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
MANIFEST: Json = {
    "display_information": {"name": "Signoff"},
    "features": {
        "bot_user": {"display_name": "Signoff"},
        "app_home": {"home_tab_enabled": True, "messages_tab_enabled": True},
        "slash_commands": [{"command": "/ops", "description": "Incidents and approvals", "usage_hint": "help"}],
    },
    "oauth_config": {"scopes": {"bot": ["chat:write", "commands", "im:write", "users:read", "reactions:write"]}},
    "settings": {
        "socket_mode_enabled": True,
        "interactivity": {"is_enabled": True},
        "event_subscriptions": {"bot_events": ["app_home_opened"]},
    },
}


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def section(text: str, **parts: Any) -> Json:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **parts}


def button(action_id: str, text: str, **parts: Any) -> Json:
    return {"type": "button", "action_id": action_id, "text": plain(text), **parts}


DENIAL = {
    "type": "modal",
    "callback_id": "deny",
    "title": plain("Deny the rollback"),
    "submit": plain("Deny"),
    "blocks": [
        {
            "type": "input",
            "block_id": "why",
            "label": plain("Reason"),
            "element": {"type": "plain_text_input", "action_id": "text", "multiline": True},
        }
    ],
}
CARD = [
    section(
        f":red_circle: *checkout* fails in `prod-eu`\n{HOSTILE}",
        accessory={"type": "overflow", "action_id": "more", "options": [{"text": plain("Timeline"), "value": "t"}]},
    ),
    {
        "type": "actions",
        "block_id": "row",
        "elements": [
            button(
                "approve",
                "Approve",
                style="primary",
                confirm={
                    "title": plain("Approve?"),
                    "text": plain("Roll back checkout"),
                    "confirm": plain("Yes"),
                    "deny": plain("No"),
                },
            ),
            button("deny", "Deny…", style="danger"),
            button("ignored", "Nobody listens"),
        ],
    },
]


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest.fixture
async def sandbox() -> AsyncIterator[SlackSandbox]:
    sandbox = await start(port=0, manifest=MANIFEST, rate_limit_scale=0)
    yield sandbox
    await sandbox.stop()


@pytest.fixture
async def app(sandbox: SlackSandbox) -> AsyncIterator[AsyncApp]:
    """A Bolt app that answers the card's buttons, connected."""
    app = AsyncApp(client=AsyncWebClient(sandbox.bot_token, base_url=sandbox.api_url))

    @app.action("approve")
    async def _(ack: Any, body: Json, client: Any) -> None:
        await ack()
        where = {"channel": body["channel"]["id"], "ts": body["message"]["ts"]}
        await client.chat_update(**where, text=f"Approved by <@{body['user']['id']}>")

    @app.action("more")
    async def _(ack: Any, body: Json, respond: Any) -> None:
        await ack()
        await respond(f"You chose {body['actions'][0]['selected_option']['value']}")

    @app.action("deny")
    async def _(ack: Any, body: Json, client: Any) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=DENIAL)

    @app.view("deny")
    async def _(ack: Any, view: Json) -> None:
        reason = view["state"]["values"]["why"]["text"]["value"]
        if len(reason) < 10:
            await ack(response_action="errors", errors={"why": "A few more words, please."})
        else:
            await ack()

    @app.command("/ops")
    async def _(ack: Any, command: Json) -> None:
        await ack(f"You asked for {command['text']}")

    @app.event("app_home_opened")
    async def _(event: Json, client: Any) -> None:
        await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": [section("*Nothing waits*")]})

    handler = AsyncSocketModeHandler(app, sandbox.app_token)
    await handler.connect_async()
    yield app
    await handler.close_async()


@pytest.fixture
async def page(browser: Browser, sandbox: SlackSandbox, app: AsyncApp) -> AsyncIterator[Page]:
    """The page, which must not raise an error or break its own content policy."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB", timezone_id="UTC")
    page = await context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda line: wrong.append(line.text) if "Content Security Policy" in line.text else None)
    await page.goto(sandbox.url)
    await expect(page.locator("#link-state")).to_have_text("Signoff is connected")
    yield page
    await context.close()
    assert wrong == []


async def post_card(app: AsyncApp, **more: Any) -> str:
    answer = await app.client.chat_postMessage(channel="C0INCIDENTS", text="checkout fails", blocks=CARD, **more)
    return str(answer["ts"])


async def test_a_card_is_drawn_as_text_whatever_it_says(page: Page, app: AsyncApp) -> None:
    await post_card(app)
    card = page.locator("#messages .message")
    await expect(card.locator("strong", has_text="checkout")).to_be_visible()
    await expect(card.locator("code")).to_have_text("prod-eu")
    await expect(card.locator(".circle.red")).to_be_visible()
    await expect(card).to_contain_text("onerror=")
    assert await page.locator("#messages img, #messages script").count() == 0
    assert "owned" not in await page.title()
    await expect(page.locator("#push")).to_contain_text("checkout fails")


async def test_every_block_and_element_that_is_taken_is_also_drawn(page: Page, app: AsyncApp) -> None:
    options = [{"text": plain("One"), "value": "1"}, {"text": plain("Two"), "value": "2"}]
    kinds: list[Json] = [
        *({"type": kind, "options": options} for kind in ("static_select", "radio_buttons", "checkboxes")),
        *({"type": kind} for kind in ("users_select", "datepicker", "timepicker")),
    ]
    typed: list[Json] = [
        {"type": "multi_static_select", "options": options},
        {"type": "multi_users_select"},
        {"type": "number_input", "is_decimal_allowed": False},
        *({"type": kind} for kind in ("plain_text_input", "email_text_input", "url_text_input")),
    ]
    words = [
        {"type": "text", "text": "bold", "style": {"bold": True}},
        {"type": "link", "url": "https://x.example", "text": "docs"},
        {"type": "emoji", "name": "eyes"},
        {"type": "user", "user_id": "U0LEE"},
        {"type": "usergroup", "usergroup_id": "S0ONCALL"},
        {"type": "channel", "channel_id": "C0DEPLOYS"},
        {"type": "broadcast", "range": "here"},
        {"type": "date", "timestamp": 0, "format": "{date_num}"},
    ]
    line = {"type": "rich_text_section", "elements": words}
    rich = [
        line,
        {"type": "rich_text_quote", "elements": words},
        {"type": "rich_text_preformatted", "elements": words[:2]},
        {"type": "rich_text_list", "style": "ordered", "elements": [line]},
    ]
    picture = {"type": "image", "image_url": "https://x.example/a.png", "alt_text": "a graph"}
    blocks = [
        {"type": "header", "text": plain("Header :eyes:")},
        section("x", fields=[{"type": "mrkdwn", "text": "*a*"}], accessory=picture),
        {"type": "divider"},
        {"type": "context", "elements": [picture, {"type": "plain_text", "text": "context"}]},
        picture,
        {"type": "rich_text", "elements": rich},
        {"type": "markdown", "text": f"# Title\n\n- **one** `two`\n1. [a](https://x.example)\n\n> quote\n\n{HOSTILE}"},
        {"type": "actions", "elements": kinds},
        *({"type": "input", "label": plain("Label"), "element": element} for element in typed),
    ]
    await app.client.chat_postMessage(channel="C0INCIDENTS", text="everything", blocks=blocks)
    message = page.locator(".message")
    await expect(message.get_by_role("heading", name="Title")).to_be_visible()
    await expect(message.locator(".typed, .select, .ticks")).to_have_count(len(kinds) + len(typed))
    await expect(message.get_by_text("a graph")).to_have_count(3)
    assert await message.locator(".unplayed, script, img").count() == 0


async def test_the_banner_says_what_this_is(page: Page) -> None:
    await expect(page.get_by_role("banner")).to_contain_text("Local workspace")
    await expect(page.get_by_role("banner")).to_contain_text("not Slack; layout approximate")


async def test_a_confirmed_click_reaches_the_app_and_its_edit_shows(page: Page, app: AsyncApp) -> None:
    await post_card(app)
    await page.get_by_role("button", name="Approve").click()
    await page.get_by_role("dialog").get_by_role("button", name="No").click()
    await expect(page.get_by_role("button", name="Approve")).to_be_visible()
    await page.get_by_role("button", name="Approve").click()
    await page.get_by_role("dialog").get_by_role("button", name="Yes").click()
    await expect(page.locator(".message")).to_contain_text("Approved by @lee")
    await expect(page.locator(".message")).to_contain_text("(edited)")


async def test_an_overflow_answers_the_person_alone(page: Page, app: AsyncApp) -> None:
    await post_card(app)
    await page.locator(".block .overflow summary").click()
    await page.get_by_role("menuitem", name="Timeline").click()
    ephemeral = page.locator(".message.ephemeral")
    await expect(ephemeral).to_contain_text("Only visible to you")
    await expect(ephemeral).to_contain_text("You chose t")
    await page.get_by_label("Act as").select_option("U0DANA")
    await expect(page.locator(".message")).to_have_count(1)
    await expect(ephemeral).to_have_count(0)


async def test_a_modal_shows_errors_keeps_what_was_typed_and_closes(page: Page, app: AsyncApp) -> None:
    await post_card(app)
    await page.get_by_role("button", name="Deny…").click()
    modal = page.get_by_role("dialog")
    await modal.get_by_role("textbox").fill("no")
    await modal.get_by_role("button", name="Deny").click()
    await expect(modal.get_by_role("alert")).to_have_text("A few more words, please.")
    await expect(modal.get_by_role("textbox")).to_have_value("no")
    await modal.get_by_role("textbox").fill("the fix is on its way")
    await modal.get_by_role("button", name="Deny").click()
    await expect(modal).to_have_count(0)


async def test_a_click_that_fails_is_marked_beside_its_button(page: Page, app: AsyncApp) -> None:
    await post_card(app)
    await page.get_by_role("button", name="Nobody listens").click()
    await expect(page.locator(".failure")).to_have_text("⚠ This action did not go through.", timeout=10_000)
    await expect(page.locator("#log-errors")).to_have_text("1")
    await page.get_by_role("button", name="Event log").click()
    await expect(page.locator("#log .error")).to_contain_text("not acknowledged within 3 s")


async def test_commands_are_offered_and_answered(page: Page) -> None:
    box = page.get_by_label("Message #incidents")
    await box.fill("/o")
    await expect(page.locator(".suggestions li")).to_contain_text("Incidents and approvals")
    await box.press("Tab")
    await box.press_sequentially("help")
    await box.press("Enter")
    await expect(page.locator(".message.ephemeral")).to_contain_text("You asked for help")
    await box.fill("/oops")
    await box.press("Enter")
    await expect(page.locator(".slackbot")).to_contain_text("/oops is not a valid command.")


async def test_a_thread_opens_beside_the_channel_and_takes_replies(page: Page, app: AsyncApp) -> None:
    parent = await post_card(app)
    await app.client.chat_postMessage(channel="C0INCIDENTS", text="Evidence: 7 items", thread_ts=parent)
    await page.get_by_role("button", name="1 reply").click()
    thread = page.get_by_label("Thread", exact=True).first
    await expect(thread).to_contain_text("Evidence: 7 items")
    await thread.get_by_label("Reply…").fill("on it, @priya")
    await thread.get_by_label("Reply…").press("Enter")
    await expect(thread.locator(".mention", has_text="@priya")).to_be_visible()
    await expect(page.get_by_role("button", name="2 replies")).to_be_visible()


async def test_a_permalink_opens_the_channel_at_the_message(page: Page, app: AsyncApp, sandbox: SlackSandbox) -> None:
    answer = await app.client.chat_postMessage(channel="C0DEPLOYS", text="released 4.17.3")
    link = (await app.client.chat_getPermalink(channel="C0DEPLOYS", message_ts=answer["ts"]))["permalink"]
    await page.goto(link)
    await expect(page.locator("#channel-title")).to_have_text("# deploys")
    await expect(page.locator(".message.highlight")).to_contain_text("released 4.17.3")


async def test_the_home_tab_is_published_when_it_is_opened(page: Page) -> None:
    await page.get_by_role("button", name="Signoff · Home").click()
    await expect(page.locator(".home")).to_contain_text("Nothing waits")


async def test_each_person_sees_their_own_channels(page: Page) -> None:
    await page.get_by_label("Act as").select_option("U0EXT")
    await expect(page.locator("#channel-title")).to_have_text("# partners")
    await expect(page.get_by_role("button", name="incidents")).to_have_count(0)


async def test_the_raw_json_of_a_message_can_be_read(page: Page, app: AsyncApp) -> None:
    ts = await post_card(app)
    await page.locator(".message").hover()
    await page.locator(".tools summary").click()
    await page.get_by_role("menuitem", name="Raw JSON").click()
    await expect(page.get_by_role("dialog")).to_contain_text(f'"ts": "{ts}"')


async def test_the_story_strip_acts_and_can_be_put_away(page: Page, sandbox: SlackSandbox) -> None:
    sandbox.set_story("*1 of 3* Fire it.", [{"label": "Fire the alert", "path": "/demo/fire"}])
    story = page.get_by_label("The story", exact=True)
    await story.get_by_role("button", name="Fire the alert").click()
    await expect(story).to_contain_text("That did not work (404).")
    await story.get_by_role("button", name="Hide the story").click()
    await expect(story).to_be_hidden()


async def test_an_open_menu_survives_other_peoples_messages(page: Page, app: AsyncApp) -> None:
    await post_card(app)
    await page.locator(".block .overflow summary").click()
    await app.client.chat_postMessage(channel="C0INCIDENTS", text="another message")
    await expect(page.get_by_text("another message").first).to_be_visible()
    await expect(page.get_by_role("menuitem", name="Timeline")).to_be_visible()


@pytest.mark.parametrize("how", ["phone toggle", "phone viewport"])
async def test_nothing_is_wider_than_a_phone(page: Page, app: AsyncApp, how: str) -> None:
    if how == "phone toggle":
        await page.get_by_role("button", name="Phone width").click()
    else:
        await page.set_viewport_size({"width": 390, "height": 844})
    await post_card(app)
    await expect(page.locator(".message")).to_be_visible()
    assert await page.locator("#frame").evaluate("frame => frame.clientWidth") <= 390
    assert await page.locator("#messages").evaluate("list => list.scrollWidth <= list.clientWidth")
    await expect(page.get_by_role("button", name="deploys")).to_be_hidden()
    await page.get_by_role("button", name="Channels and people").click()
    await page.get_by_role("button", name="deploys").click()
    await expect(page.locator("#channel-title")).to_have_text("# deploys")


async def test_the_card_can_be_worked_with_the_keyboard(page: Page, app: AsyncApp) -> None:
    await post_card(app)
    await page.get_by_role("button", name="Approve").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page.get_by_role("button", name="Approve")).to_be_visible()


TOKENS = [
    ("*bold* _italic_ ~struck~ `a*b*`", ["bold:bold", " ", "italic:italic", " ", "strike:struck", " ", "code:a*b*"]),
    ("a*b*c 2 * 3 * 4 snake_case_name", ["a*b*c 2 * 3 * 4 snake_case_name"]),
    ("*two _nested_ words*", ["bold:two [italic:nested] words"]),
    ("&lt;script&gt; &amp;amp;", ["<script> &amp;"]),
    ("<https://x.example/?a=1&amp;b=2|docs>", ["link(https://x.example/?a=1&b=2):docs"]),
    ("see https://x.example/a.", ["see ", "link(https://x.example/a):https://x.example/a", "."]),
    ("<javascript:alert(1)|click>", ["<javascript:alert(1)|click>"]),
    ("<@U0LEE> <#C0DEPLOYS|>", ["user:U0LEE", " ", "channel:C0DEPLOYS"]),
    ("<!subteam^S0ONCALL> <!here>", ["group:S0ONCALL", " ", "broadcast:here"]),
    ("<!date^0^{date_num} {time}^https://x.example|never>", ["date(0,{date_num} {time},https://x.example):never"]),
    ("```\nls *.py\n```", ["pre:ls *.py"]),
    ("&gt; quoted\n&gt; twice\nnot", ["quote:quoted[break]twice", "not"]),
    ("one\ntwo", ["one", "break", "two"]),
    (":red_circle: :nothing_known: 10:30:45", ["emoji:red_circle", " :nothing_known: 10:30:45"]),
    ("unclosed *bold and `code", ["unclosed *bold and `code"]),
]


async def test_mrkdwn_is_read_as_slack_reads_it(page: Page) -> None:
    read = {text: await page.evaluate(READ, text) for text, _ in TOKENS}
    assert read == dict(TOKENS)


async def test_a_date_is_formatted_and_a_long_text_costs_little(page: Page) -> None:
    formatted = "(async () => (await import('/page/mrkdwn.js')).formatDate(0, '{date_num} {time} {nothing}'))()"
    assert await page.evaluate(formatted) == "01/01/1970 00:00 {nothing}"
    async with asyncio.timeout(20):
        assert await page.evaluate(READ, "*_`<" * 3000)


READ = """async (text) => {
  const { parse } = await import("/page/mrkdwn.js");
  const inside = (tokens) => tokens.map((t) => (t.kind === "text" ? t.text : `[${show(t)}]`)).join("");
  const show = (t) => {
    if (t.kind === "text") return t.text;
    if (t.kind === "break") return "break";
    if (t.kind === "link") return `link(${t.url}):${inside(t.children)}`;
    if (t.kind === "date") return `date(${t.timestamp},${t.format},${t.url}):${t.fallback}`;
    return `${t.kind}:${t.children ? inside(t.children) : t.text ?? t.id ?? t.range ?? t.name}`;
  };
  return parse(text).map(show);
}"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import text

from bot.chat.outbox import Outbox
from bot.clients.slack import close, open_client
from bot.store import clock
from bot.store import outbox as rows
from bot.store.database import Database
from bot.store.outbox import Message
from tests.chat.workspace import DANA, DEPLOYS, GENERAL, GUEST, INCIDENTS, LocalSlack, local_slack, until

Put = Callable[..., None]


@asynccontextmanager
async def sending(database: Database, slack: LocalSlack, *, traces: Sequence[Any] = ()) -> AsyncIterator[Outbox]:
    client = open_client(slack.sandbox.bot_token, base_url=slack.sandbox.api_url, traces=traces)
    outbox = Outbox(database, client)
    task = asyncio.create_task(outbox.run())
    try:
        yield outbox
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await close(client)


def says(text: str, **more: Any) -> dict[str, Any]:
    return {"text": text, "blocks": [{"type": "section", "text": {"type": "plain_text", "text": text}}], **more}


@pytest.fixture
def put(database: Database) -> Put:
    def store(key: str, payload: dict[str, Any], *, channel: str = INCIDENTS, **more: Any) -> None:
        database.write_now(
            lambda connection: rows.put(
                connection, key=key, channel=channel, payload=payload, now=clock.now(connection), **more
            )
        )

    return store


def row(database: Database, key: str) -> Message:
    found = database.read_now(lambda connection: rows.find(connection, key))
    assert found is not None
    return found


async def posted(database: Database, *keys: str, seconds: float = 15.0) -> None:
    async def all_posted() -> bool:
        return all(row(database, key).state == "posted" for key in keys)

    await until(all_posted, seconds=seconds)


async def test_posts_a_message_and_edits_it_in_place(database: Database, slack: LocalSlack, put: Put) -> None:
    async with sending(database, slack) as outbox:
        put("card", says("first"))
        outbox.kick()
        await posted(database, "card")
        put("card", says("second"), urgent=True)
        outbox.kick()
        await posted(database, "card")
    (message,) = await slack.messages()
    assert message["text"] == "second"
    assert outbox.counts == {"posted": 1, "edited": 1}


async def test_a_reply_waits_for_its_parent_and_goes_below_it(database: Database, slack: LocalSlack, put: Put) -> None:
    put("reply", says("below"), thread_key="card")
    async with sending(database, slack):
        put("elsewhere", says("elsewhere"), channel=DEPLOYS)
        await posted(database, "elsewhere")
        assert row(database, "reply").state == "waiting"
        put("card", says("above"))
        await posted(database, "card", "reply")
    (parent,) = await slack.messages()
    assert [reply["text"] for reply in parent["replies"]] == ["below"]


async def test_notices_of_a_thread_keep_their_order(database: Database, slack: LocalSlack, put: Put) -> None:
    put("card", says("above"))
    for number in range(6):
        put(f"notice {number}", says(f"notice {number}"), thread_key="card")
    async with sending(database, slack):
        await posted(database, "notice 5", seconds=20)
    (parent,) = await slack.messages()
    assert [reply["text"] for reply in parent["replies"]] == [f"notice {number}" for number in range(6)]


async def test_edits_of_one_message_are_coalesced_and_the_newest_state_wins(
    database: Database, slack: LocalSlack, put: Put
) -> None:
    async with sending(database, slack) as outbox:
        put("card", says("state 0"))
        outbox.kick()
        await posted(database, "card")
        for number in range(1, 20):
            put("card", says(f"state {number}"))
            outbox.kick()
            await asyncio.sleep(0)
        await posted(database, "card")
    (message,) = await slack.messages()
    assert message["text"] == "state 19"
    assert outbox.counts["edited"] == 1


async def test_an_urgent_edit_does_not_wait_for_its_turn(database: Database, slack: LocalSlack, put: Put) -> None:
    async with sending(database, slack) as outbox:
        put("card", says("asked"))
        outbox.kick()
        await posted(database, "card")
        loop = asyncio.get_running_loop()
        started = loop.time()
        put("card", says("decided"), urgent=True)
        outbox.kick()
        await posted(database, "card")
        assert loop.time() - started < 2.0


async def test_nothing_is_sent_for_an_unchanged_payload(database: Database, slack: LocalSlack, put: Put) -> None:
    async with sending(database, slack) as outbox:
        put("card", says("same"))
        await posted(database, "card")
        put("card", says("same"), urgent=True)
        assert row(database, "card").wanted == 1
        outbox.kick()
    assert outbox.counts == {"posted": 1}


async def test_a_rate_limit_is_obeyed_and_holds_up_only_its_own_channel(
    database: Database, slack: LocalSlack, put: Put
) -> None:
    await slack.switch(rate_limited_next={"chat.postMessage": 1}, retry_after=2)
    loop = asyncio.get_running_loop()
    async with sending(database, slack) as outbox:
        put("limited", says("limited"))
        outbox.kick()

        async def was_limited() -> bool:
            return outbox.counts["limited"] == 1

        await until(was_limited)
        started = loop.time()
        put("free", says("free"), channel=DEPLOYS)
        outbox.kick()
        await posted(database, "free")
        assert loop.time() - started < 1.5
        assert row(database, "limited").state != "posted"
        await posted(database, "limited")
        assert loop.time() - started > 1.5
    assert row(database, "limited").attempts == 0


async def test_slack_down_at_the_start_is_waited_for(database: Database, put: Put, unused_tcp_port: int) -> None:
    client = open_client("xoxb-local-test", base_url=f"http://127.0.0.1:{unused_tcp_port}/api/")
    outbox = Outbox(database, client)
    task = asyncio.create_task(outbox.run())
    put("card", says("patient"))
    outbox.kick()

    async def tried() -> bool:
        return row(database, "card").attempts > 0

    await until(tried)
    assert row(database, "card").state == "waiting"
    assert "cannot be reached" in row(database, "card").last_error
    async with local_slack(bot_token="xoxb-local-test") as slack:
        client.base_url = slack.sandbox.api_url
        await posted(database, "card")
        assert [message["text"] for message in await slack.messages()] == ["patient"]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await close(client)


async def test_a_post_whose_answer_was_lost_is_found_again_and_not_repeated(
    database: Database, slack: LocalSlack, put: Put
) -> None:
    await slack.switch(lose_answer_next={"chat.postMessage": 1})
    async with sending(database, slack) as outbox:
        put("card", says("once"))
        outbox.kick()
        await posted(database, "card")
    assert [message["text"] for message in await slack.messages()] == ["once"]
    assert outbox.counts["found"] == 1
    assert row(database, "card").doubts == 0


async def test_a_reply_whose_answer_was_lost_is_found_in_its_thread(
    database: Database, slack: LocalSlack, put: Put
) -> None:
    async with sending(database, slack) as outbox:
        put("card", says("above"))
        await posted(database, "card")
        await slack.switch(lose_answer_next={"chat.postMessage": 1})
        put("reply", says("below"), thread_key="card")
        await posted(database, "reply")
    (parent,) = await slack.messages()
    assert [reply["text"] for reply in parent["replies"]] == ["below"]
    assert outbox.counts["found"] == 1


async def test_a_post_that_failed_without_effect_is_repeated_after_the_search(
    database: Database, slack: LocalSlack, put: Put
) -> None:
    await slack.switch(fail_next={"chat.postMessage": 1})
    async with sending(database, slack) as outbox:
        put("card", says("once"))
        await posted(database, "card")
    assert [message["text"] for message in await slack.messages()] == ["once"]
    assert outbox.counts["found"] == outbox.counts["doubled"] == 0


async def test_a_payload_that_changes_while_its_post_is_in_doubt_is_shown_at_the_end(
    database: Database, slack: LocalSlack, put: Put
) -> None:
    await slack.switch(lose_answer_next={"chat.postMessage": 1})
    async with sending(database, slack):
        put("card", says("old"))

        async def doubted() -> bool:
            return row(database, "card").state == "doubt"

        await until(doubted)
        put("card", says("new"))
        await posted(database, "card")
    assert [message["text"] for message in await slack.messages()] == ["new"]


async def test_when_the_search_is_refused_the_post_is_repeated_marked_and_counted(database: Database, put: Put) -> None:
    from bot.chat.manifest import manifest
    from bot.sandbox.slack import start

    poor = manifest()
    scopes = poor["oauth_config"]["scopes"]["bot"]
    poor["oauth_config"]["scopes"]["bot"] = [scope for scope in scopes if not scope.endswith(":history")]
    sandbox = await start(port=0, manifest=poor)
    async with local_slack() as other:
        slack = LocalSlack(sandbox, other.http)
        await slack.switch(lose_answer_next={"chat.postMessage": 1})
        async with sending(database, slack) as outbox:
            put("card", says("maybe twice"))
            await posted(database, "card")
        messages = await slack.messages()
        assert [message["text"] for message in messages] == ["maybe twice", "maybe twice"]
        assert "may be here twice" in str(messages[1]["blocks"])
        assert "may be here twice" not in str(messages[0]["blocks"])
        assert outbox.counts["doubled"] == 1
        assert row(database, "card").doubts == 1
    await sandbox.stop()


async def test_blocks_that_slack_refuses_are_replaced_by_plain_text(
    database: Database, slack: LocalSlack, put: Put
) -> None:
    broken = {"text": "what matters", "blocks": [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}]}
    async with sending(database, slack) as outbox:
        put("card", broken)
        await posted(database, "card")
        put("card", {**broken, "text": "what matters now"}, urgent=True)
        outbox.kick()
        await posted(database, "card")
    (message,) = await slack.messages()
    assert message["text"] == "what matters now"
    assert message["blocks"][0]["text"]["text"].startswith("what matters now")
    assert outbox.counts["fallback"] == 2
    assert "invalid_blocks" in row(database, "card").last_error


async def test_what_slack_refuses_is_kept_and_reported_with_advice(
    database: Database, slack: LocalSlack, put: Put
) -> None:
    async with sending(database, slack) as outbox:
        put("nowhere", says("lost?"), channel="C0NOWHERE")
        put("outside", says("not invited"), channel=GENERAL)
        put("fine", says("fine"))
        await posted(database, "fine")

        async def reported() -> bool:
            outbox.kick()
            return len(outbox.problems()) == 2

        await until(reported)
        problems = {problem.key: problem for problem in outbox.problems()}
    assert problems["nowhere"].error == "channel_not_found"
    assert "channel's id" in problems["nowhere"].advice
    assert problems["outside"].error == "not_in_channel"
    assert "/invite" in problems["outside"].advice
    assert row(database, "nowhere").state == "failed"


async def test_a_refused_message_goes_out_once_its_cause_is_mended(
    database: Database, slack: LocalSlack, put: Put
) -> None:
    async with sending(database, slack) as outbox:
        put("outside", says("knocking"), channel=GENERAL)

        async def refused() -> bool:
            return row(database, "outside").state == "failed"

        await until(refused)
        await slack.switch(invite={"channel": GENERAL, "user": "U0SIGNOFF"})
        put("outside", says("inside"), channel=GENERAL)
        outbox.kick()
        await posted(database, "outside")
    assert [message["text"] for message in await slack.messages(GENERAL)] == ["inside"]


async def test_a_deleted_message_is_posted_anew(database: Database, slack: LocalSlack, put: Put) -> None:
    async with sending(database, slack) as outbox:
        put("card", says("here"))
        await posted(database, "card")
        ts = row(database, "card").ts
        assert ts is not None
        del slack.sandbox.workspace.channels[INCIDENTS].messages[ts]
        put("card", says("here again"), urgent=True)
        outbox.kick()
        await posted(database, "card")
    assert [message["text"] for message in await slack.messages()] == ["here again"]
    assert outbox.counts["reposted"] == 1


async def test_what_is_looked_for_is_posted_anew_only_if_it_was_deleted(
    database: Database, slack: LocalSlack, put: Put
) -> None:
    async with sending(database, slack) as outbox:
        put("card", says("here"))
        await posted(database, "card")
        for _ in range(2):
            database.write_now(lambda connection: rows.look_again(connection, "card", now=clock.advance(connection)))
            outbox.kick()
            await posted(database, "card")
        assert outbox.counts["reposted"] == 0
        ts = row(database, "card").ts
        assert ts is not None
        del slack.sandbox.workspace.channels[INCIDENTS].messages[ts]
        database.write_now(lambda connection: rows.look_again(connection, "card", now=clock.advance(connection)))
        outbox.kick()
        await posted(database, "card")
    assert [message["text"] for message in await slack.messages()] == ["here"]
    assert outbox.counts["reposted"] == 1


async def test_an_ephemeral_reaches_one_person_only(database: Database, slack: LocalSlack, put: Put) -> None:
    async with sending(database, slack):
        put("refusal", says("not you"), kind="ephemeral", recipient=DANA, urgent=True)
        await posted(database, "refusal")
    assert [message["text"] for message in await slack.messages(user=DANA)] == ["not you"]
    assert await slack.messages() == []


async def test_an_ephemeral_for_somebody_outside_the_channel_becomes_a_direct_message(
    database: Database, slack: LocalSlack, put: Put
) -> None:
    assert GUEST not in slack.sandbox.workspace.channels[DEPLOYS].members
    async with sending(database, slack):
        put("refusal", says("not you"), kind="ephemeral", recipient=GUEST, channel=DEPLOYS)
        await posted(database, "refusal")
    direct = next(c for c in slack.sandbox.workspace.channels.values() if c.is_im and c.im_user == GUEST)
    assert [message.text for message in direct.messages.values()] == ["not you"]


async def test_a_direct_message_is_edited_where_it_is(database: Database, slack: LocalSlack, put: Put) -> None:
    to_dana: dict[str, Any] = {"kind": "ephemeral", "recipient": DANA, "channel": DANA}
    async with sending(database, slack) as outbox:
        put("call", says("A-1 waits"), **to_dana)
        await posted(database, "call")
        put("call", says("A-1 and A-2 wait"), urgent=True, **to_dana)
        outbox.kick()
        await posted(database, "call")
        direct = next(c for c in slack.sandbox.workspace.channels.values() if c.is_im and c.im_user == DANA)
        assert [message.text for message in direct.messages.values()] == ["A-1 and A-2 wait"]
        direct.messages.clear()
        put("call", says("A-3 waits"), urgent=True, **to_dana)
        outbox.kick()
        await posted(database, "call")
    assert [message.text for message in direct.messages.values()] == ["A-3 waits"]


async def test_an_ephemeral_for_nobody_is_dropped_and_counted(database: Database, slack: LocalSlack, put: Put) -> None:
    async with sending(database, slack) as outbox:
        put("refusal", says("hello?"), kind="ephemeral", recipient="U0NOBODY")
        await posted(database, "refusal")
    assert outbox.counts["dropped"] == 1
    assert row(database, "refusal").last_error.startswith("dropped")


async def test_a_file_goes_into_the_thread_once_even_if_its_answer_is_lost(
    database: Database, slack: LocalSlack, put: Put
) -> None:
    payload = {"filename": "a.diff", "title": "A-7: the whole change", "content": "+ one\n" * 2000, "text": "a.diff"}
    async with sending(database, slack) as outbox:
        put("card", says("above"))
        await posted(database, "card")
        await slack.switch(lose_answer_next={"files.completeUploadExternal": 1})
        put("file", payload, kind="file", thread_key="card")
        await posted(database, "file")
    files = (await slack.read("files"))["files"]
    assert len([file for file in files if file.get("title") == payload["title"]]) == 1
    (parent,) = await slack.messages()
    assert len(parent["replies"]) == 1
    assert outbox.counts["found"] == 1


async def test_two_processes_share_the_work_and_send_everything_once(
    database: Database, slack: LocalSlack, put: Put
) -> None:
    await slack.switch(rate_limit_scale=0)
    for number in range(12):
        put(f"card {number}", says(f"card {number}"), channel=(INCIDENTS, DEPLOYS)[number % 2])
    async with sending(database, slack) as one, sending(database, slack) as two:
        await posted(database, *(f"card {number}" for number in range(12)), seconds=30)
        assert one.counts["posted"] + two.counts["posted"] == 12
    texts = [message["text"] for channel in (INCIDENTS, DEPLOYS) for message in await slack.messages(channel)]
    assert sorted(texts) == sorted(f"card {number}" for number in range(12))


async def test_a_damaged_row_is_reported_and_keeps_nothing_else_from_being_sent(
    database: Database, slack: LocalSlack, put: Put
) -> None:
    put("damaged", says("first"))
    put("sound", says("second"))
    database.write_now(
        lambda connection: connection.execute(text("UPDATE outbox SET payload = '{\"te' WHERE key = 'damaged'"))
    )
    async with sending(database, slack) as outbox:
        await posted(database, "sound")

        async def reported() -> bool:
            outbox.kick()
            return [problem.key for problem in outbox.problems()] == ["damaged"]

        await until(reported)
        assert outbox.problems()[0].error == "unreadable row"
        put("damaged", says("mended"))
        outbox.kick()
        await posted(database, "damaged")
    assert [message["text"] for message in await slack.messages()] == ["second", "mended"]


async def test_of_many_whispers_one_learns_that_slack_takes_no_more_of_them(
    database: Database, slack: LocalSlack, put: Put
) -> None:
    """Each of fifty refused clicks is answered; none of them keeps trying before the card that somebody waits for."""
    await slack.switch(rate_limited_next={"chat.postEphemeral": 100}, retry_after=30)
    for number in range(50):
        put(f"refusal {number}", says("too late"), kind="ephemeral", recipient=DANA, urgent=True)
    put("card", says("card"))
    async with sending(database, slack) as outbox:
        await posted(database, "card")
        assert outbox.counts["limited"] == 1
        assert len(await slack.calls("chat.postEphemeral")) == 1


async def test_a_limit_for_the_edit_of_a_direct_message_is_waited_for(
    database: Database, slack: LocalSlack, put: Put
) -> None:
    to_dana: dict[str, Any] = {"kind": "ephemeral", "recipient": DANA, "channel": DANA}
    async with sending(database, slack) as outbox:
        put("call", says("A-1 waits"), **to_dana)
        await posted(database, "call")
        await slack.switch(rate_limited_next={"chat.update": 100}, retry_after=30)
        put("call", says("A-2 waits"), urgent=True, **to_dana)
        put("whisper", says("too late"), kind="ephemeral", recipient=DANA, urgent=True)
        outbox.kick()
        await posted(database, "whisper")
        put("card", says("card"))
        outbox.kick()
        await posted(database, "card")
        assert len(await slack.calls("chat.update")) == 1
        assert outbox.counts["limited"] == 1


async def test_a_rate_limit_for_a_whisper_does_not_hold_up_posts(
    database: Database, slack: LocalSlack, put: Put
) -> None:
    await slack.switch(rate_limited_next={"chat.postEphemeral": 1}, retry_after=3)
    async with sending(database, slack) as outbox:
        put("refusal", says("not you"), kind="ephemeral", recipient=DANA, urgent=True)
        outbox.kick()

        async def was_limited() -> bool:
            return outbox.counts["limited"] == 1

        await until(was_limited)
        put("card", says("card"))
        outbox.kick()
        await posted(database, "card")
        assert row(database, "refusal").state != "posted"
        await posted(database, "refusal")
    assert row(database, "refusal").attempts == 0

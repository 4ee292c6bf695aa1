"""The outbox at work: posts and edits what the rows ask for, loses nothing, and says what it cannot deliver.

A row is claimed (durably) before its post, so that a crash leaves a trace: whoever finds an old claim first looks for
the message in Slack by its metadata. Any process may run this; rows are claimed by compare-and-set. Per channel one
message is sent at a time; channels do not wait for each other.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import structlog
from sqlalchemy import Connection

from bot.chat import reconcile
from bot.chat.card import context, plain_text
from bot.chat.dispatch import Waits, choose, in_doubt, is_edit
from bot.chat.mrkdwn import shorten
from bot.chat.pace import Pace
from bot.chat.slack_answers import Answer, understand
from bot.store import clock
from bot.store import outbox as rows
from bot.store.database import Database
from bot.store.outbox import Message

if TYPE_CHECKING:
    from slack_sdk.web.async_client import AsyncWebClient

T = TypeVar("T")
log = structlog.get_logger("signoff.outbox")

EDIT_SPACING_US = 3_000_000
POLL_S = 1.0
_ATTEMPT_S = 45.0
_FIRST_RETRY_US = 1_000_000
_LAST_RETRY_US = 30_000_000
_REFUSED_RETRY_US = 60_000_000
_EPHEMERAL_LIFE_US = 3_600_000_000
_FALLBACK_TEXT = 2900
_DOUBLED = "This message may be here twice: Slack did not confirm the first one."
_DROPPED = "dropped: "


@dataclass(frozen=True, slots=True)
class Problem:
    """A message that does not get through: which, where to, what Slack says, and what to do about it."""

    key: str
    channel: str
    error: str
    advice: str

    def __str__(self) -> str:
        return f"{self.key} to {self.channel}: {self.error}" + (f"; {self.advice}" if self.advice else "")


class Outbox:
    """Sends what waits in the outbox table. One instance a process; ``run`` is its life, ``kick`` wakes it.

    ``counts`` says how often it posted, edited, found (a post in doubt), doubled, reposted (a deleted message), used a
    plain text fallback, was refused or limited, and dropped an ephemeral.
    """

    def __init__(
        self,
        database: Database,
        slack: AsyncWebClient,
        *,
        name: str = "local",
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self.counts: Counter[str] = Counter()
        self._database = database
        self._slack = slack
        self._monotonic = monotonic
        self._pace = Pace()
        self._kicked = asyncio.Event()
        self._workers: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self._problems: tuple[Problem, ...] = ()
        self._orphaned_before: int | None = None

    def kick(self) -> None:
        """Look for work now. Call it on the loop after a transaction that put something."""
        self._kicked.set()

    def problems(self) -> tuple[Problem, ...]:
        """Return what could not be delivered when last looked at; empty when all is well."""
        return self._problems

    async def run(self) -> None:
        """Send until cancelled. Never ends by itself: a database or Slack that is down is waited for."""
        try:
            while True:
                self._kicked.clear()
                if await self._orphans_known():
                    await self._look()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(POLL_S):  # wait_for of Python 3.11 may swallow a cancellation here
                        await self._kicked.wait()
        finally:
            workers = list(self._workers.values())
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    async def _orphans_known(self) -> bool:
        """Learn once which claims have no owner: on SQLite only one process serves, so all from before this moment."""
        if self._orphaned_before is None:
            try:
                self._orphaned_before = await self._database.read(clock.now) if self._database.is_sqlite else 0
            except Exception as error:
                log.warning("outbox_cannot_read", error=type(error).__name__)
                return False
        return True

    async def _look(self) -> None:
        def read(connection: Connection) -> tuple[list[str], tuple[Problem, ...]]:
            return rows.channels(connection), tuple(_problem(message) for message in rows.troubled(connection))

        try:
            channels, self._problems = await self._database.read(read)
        except Exception as error:
            log.warning("outbox_cannot_read", error=type(error).__name__)
            return
        for channel in channels:
            if channel in self._workers:
                self._again.add(channel)
            else:
                self._workers[channel] = asyncio.create_task(self._drain(channel))

    async def _drain(self, channel: str) -> None:
        """Send what a channel has waiting until nothing is due."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                self._again.discard(channel)
                after = await self._send_next(channel)
                if after is None or channel in self._again:
                    continue
                if after < POLL_S:
                    loop.call_later(after, self.kick)
                return
        except Exception as error:
            log.error("outbox_worker_failed", channel=channel, error=type(error).__name__)
        finally:
            del self._workers[channel]
            if channel in self._again:
                self._again.discard(channel)
                loop.call_later(0.05, self.kick)

    async def _send_next(self, channel: str) -> float | None:
        """Send one message. Returns None if there may be more, else the seconds until something is due."""

        def read(connection: Connection) -> tuple[int, list[Message]]:
            return clock.now(connection), rows.queue(connection, channel)

        now, queue = await self._database.read(read)
        picked = choose(queue, self._waits(channel), now=now, orphaned_before=self._orphaned_before or 0)
        if picked.message is None:
            return picked.after
        waiting = picked.message
        claimed = await self._write(
            lambda connection: rows.claim(connection, waiting, now=clock.now(connection), sender=self._name)
        )
        if claimed is not None:
            await self._send(claimed, doubtful=in_doubt(waiting))
        return None

    def _waits(self, channel: str) -> Waits:
        now = self._monotonic()
        return Waits(
            post=self._pace.post_wait(channel, now),
            edit=self._pace.edit_wait(now, urgent=False),
            urgent_edit=self._pace.edit_wait(now, urgent=True),
            whisper=self._pace.whisper_wait(channel, now),
        )

    # --- one message ----------------------------------------------------------------------------------------------

    async def _send(self, message: Message, *, doubtful: bool) -> None:
        if not message.payload:
            await self._not_sent(message, _UNREADABLE, doubtful=False)
            return
        try:
            async with asyncio.timeout(_ATTEMPT_S):
                if is_edit(message):
                    await self._edit(message)
                elif message.kind == "ephemeral":
                    await self._whisper(message)
                else:
                    await self._post(message, doubtful=doubtful)
        except Exception as error:
            await self._not_sent(message, understand(error), doubtful=doubtful)

    async def _post(self, message: Message, *, doubtful: bool) -> None:
        doubled = False
        if doubtful and message.kind != "ephemeral":
            try:
                found = await reconcile.look_up(self._slack, message)
            except Exception as error:
                if not _hopeless(error):
                    answer = understand(error)
                    delay = answer.retry_after * 1_000_000 if answer.meaning == "limited" else _delay(message)
                    await self._give_back(message, "doubt", f"looking for it: {answer.error}", delay)
                    return
                doubled, found = True, None
            if found is not None:
                self.counts["found"] += 1
                await self._sent(message, generation=found.generation, ts=found.ts, channel=found.channel)
                return
        channel = message.parent_channel or message.channel
        self._pace.posted(message.channel, self._monotonic())
        if message.kind == "file":
            await self._slack.files_upload_v2(
                channel=channel,
                thread_ts=message.parent_ts,
                filename=str(message.payload["filename"]),
                title=str(message.payload["title"]),
                content=str(message.payload["content"]),
                request_file_info=False,
            )
            self.counts["posted"] += 1
            await self._sent(message, generation=message.wanted, ts=None, channel=channel, doubled=doubled)
            return
        arguments: dict[str, Any] = {
            "channel": channel,
            "metadata": reconcile.metadata(message, message.wanted),
            "unfurl_links": False,
            "unfurl_media": False,
        }
        if message.parent_ts is not None:
            arguments["thread_ts"] = message.parent_ts
            if message.payload.get("reply_broadcast"):
                arguments["reply_broadcast"] = True
        content = _content(message, doubled=doubled)
        remark = ""
        try:
            posted = await self._slack.chat_postMessage(**arguments, **content)
        except Exception as error:
            unshowable = understand(error)
            if unshowable.meaning != "unshowable":
                raise
            remark = self._falls_back(message, unshowable)
            posted = await self._slack.chat_postMessage(**arguments, **_bare(message, doubled=doubled))
        self.counts["posted"] += 1
        if doubled:
            self.counts["doubled"] += 1
            log.warning("outbox_perhaps_doubled", key=message.key)
        ts, posted_in = str(posted["ts"]), str(posted["channel"])
        await self._sent(message, generation=message.wanted, ts=ts, channel=posted_in, doubled=doubled, remark=remark)

    async def _edit(self, message: Message) -> None:
        arguments: dict[str, Any] = {
            "channel": message.posted_channel or message.channel,
            "ts": message.ts,
            "metadata": reconcile.metadata(message, message.wanted),
        }
        self._pace.edited(self._monotonic())
        remark = ""
        try:
            await self._slack.chat_update(**arguments, **_content(message))
        except Exception as error:
            answer = understand(error)
            if answer.meaning == "gone":
                self.counts["reposted"] += 1
                await self._write(lambda connection: rows.vanished(connection, message, error=answer.error))
                return
            if answer.meaning != "unshowable":
                raise
            remark = self._falls_back(message, answer)
            await self._slack.chat_update(**arguments, **_bare(message))
        self.counts["edited"] += 1
        await self._sent(
            message, generation=message.wanted, ts=message.ts, channel=message.posted_channel, remark=remark
        )

    async def _whisper(self, message: Message) -> None:
        """Show a message to one person only; directly, if it is meant to be or they are not in the channel."""
        recipient = message.recipient or ""
        content = _content(message)
        if message.channel == recipient:
            ts, posted_in = await self._send_directly(recipient, content)
            self.counts["posted"] += 1
            await self._sent(message, generation=message.wanted, ts=ts, channel=posted_in)
            return
        try:
            arguments: dict[str, Any] = {"channel": message.parent_channel or message.channel, "user": recipient}
            if message.parent_ts is not None:
                arguments["thread_ts"] = message.parent_ts
            await self._slack.chat_postEphemeral(**arguments, **content)
        except Exception as error:
            answer = understand(error)
            if answer.meaning == "unshowable":
                self._falls_back(message, answer)
                await self._slack.chat_postEphemeral(**arguments, **_bare(message))
            elif answer.meaning == "absent" or (answer.meaning == "refused" and answer.error in _ELSEWHERE):
                await self._send_directly(recipient, content)
            else:
                raise
        self.counts["posted"] += 1
        await self._sent(message, generation=message.wanted, ts=None, channel=None)

    async def _send_directly(self, recipient: str, content: Mapping[str, Any]) -> tuple[str, str]:
        """Send a direct message. Returns its ts and its channel, by which it can be edited."""
        opened = await self._slack.conversations_open(users=[recipient])
        channel = opened["channel"]["id"]
        posted = await self._slack.chat_postMessage(channel=channel, unfurl_links=False, unfurl_media=False, **content)
        return str(posted["ts"]), str(posted["channel"])

    # --- how it went ----------------------------------------------------------------------------------------------

    async def _sent(
        self,
        message: Message,
        *,
        generation: int,
        ts: str | None,
        channel: str | None,
        doubled: bool = False,
        remark: str = "",
    ) -> None:
        def record(connection: Connection) -> bool:
            return rows.sent(
                connection,
                message,
                generation=generation,
                ts=ts,
                channel=channel,
                next_edit=clock.now(connection) + EDIT_SPACING_US,
                doubled=doubled,
                remark=remark,
            )

        if await self._write(record):
            if message.thread_key is None:
                self.kick()  # replies that waited for this message can go now
        else:
            log.warning("outbox_claim_lost", key=message.key)

    async def _not_sent(self, message: Message, answer: Answer, *, doubtful: bool) -> None:
        if message.kind == "ephemeral" and await self._give_up(message, answer):
            return
        before: Literal["doubt", "waiting"] = "doubt" if doubtful else "waiting"
        if answer.meaning == "limited":
            self.counts["limited"] += 1
            post = "chat.postEphemeral" if message.kind == "ephemeral" else "chat.postMessage"
            method = "chat.update" if is_edit(message) else post
            self._pace.pause(method, message.channel, answer.retry_after, self._monotonic())
            await self._give_back(message, before, answer.error, 0, counted=False)
        elif answer.meaning == "not sent":
            await self._give_back(message, before, answer.error, _delay(message))
        elif answer.meaning == "doubt":
            edit = is_edit(message) or message.kind == "ephemeral"
            await self._give_back(message, "waiting" if edit else "doubt", answer.error, _delay(message))
        else:
            self.counts["refused"] += 1
            error = f"{answer.error}: {answer.advice}" if answer.advice else answer.error
            log.warning("outbox_refused", key=message.key, channel=message.channel, error=answer.error)
            await self._give_back(message, "failed", error, _REFUSED_RETRY_US)

    async def _give_up(self, message: Message, answer: Answer) -> bool:
        """Drop an ephemeral that Slack refuses or that nobody needs any more: it is best effort."""
        now = await self._database.read(clock.now)
        refused = answer.meaning in ("refused", "unshowable", "gone", "absent")
        if not refused and now - message.created_at < _EPHEMERAL_LIFE_US:
            return False
        self.counts["dropped"] += 1
        log.warning("outbox_ephemeral_dropped", key=message.key, error=answer.error)
        await self._sent(message, generation=message.wanted, ts=None, channel=None, remark=_DROPPED + answer.error)
        return True

    async def _give_back(
        self,
        message: Message,
        state: Literal["waiting", "doubt", "failed"],
        error: str,
        delay: int,
        *,
        counted: bool = True,
    ) -> None:
        def record(connection: Connection) -> bool:
            due = clock.now(connection) + delay
            return rows.not_sent(connection, message, state=state, error=error, not_before=due, counted=counted)

        await self._write(record)

    def _falls_back(self, message: Message, answer: Answer) -> str:
        self.counts["fallback"] += 1
        log.error("outbox_blocks_refused", key=message.key, error=answer.error)
        return f"shown as plain text: {answer.error}"

    async def _write(self, work: Callable[[Connection], T]) -> T:
        return await self._database.write(work)


_UNREADABLE = Answer("refused", "unreadable row", "what is stored for this message is damaged: it is left out")
_ELSEWHERE = frozenset({"channel_not_found", "not_in_channel", "is_archived"})


def _hopeless(error: BaseException) -> bool:
    """Say whether a look-up can never tell: Slack refuses it, or there is too much to search."""
    return isinstance(error, reconcile.LookupImpossible) or understand(error).meaning in ("refused", "gone")


def _delay(message: Message) -> int:
    return min(_FIRST_RETRY_US << min(message.attempts, 10), _LAST_RETRY_US)


def _content(message: Message, *, doubled: bool = False) -> dict[str, Any]:
    content: dict[str, Any] = {
        "text": str(message.payload["text"]),
        "blocks": list(message.payload.get("blocks") or []),
    }
    if doubled or message.doubts:
        content["blocks"].append(context(plain_text(_DOUBLED)))
    if not content["blocks"]:
        content["blocks"] = [{"type": "section", "text": plain_text(content["text"])}]
    return content


def _bare(message: Message, *, doubled: bool = False) -> dict[str, Any]:
    """Return the message in the one block that cannot be refused, so that it is never lost."""
    text = str(message.payload["text"])
    why = "\n(Slack refused the full card. Use /ops status to read it.)"
    if doubled or message.doubts:
        why += "\n" + _DOUBLED
    return {"text": text, "blocks": [{"type": "section", "text": plain_text(shorten(text, _FALLBACK_TEXT) + why)}]}


def _problem(message: Message) -> Problem:
    error, _, advice = message.last_error.partition(": ")
    if message.state != "failed":
        return Problem(message.key, message.channel, message.last_error, "it is tried again until it gets through")
    return Problem(message.key, message.channel, error, advice)

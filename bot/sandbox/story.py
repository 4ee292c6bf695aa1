"""The story of the demo, played through the HTTP surface that the page uses, step by step, each step observed there."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import aiohttp
import click

from bot.sandbox.stage import Stage

T = TypeVar("T")
Json = dict[str, Any]

STEP_SECONDS = 60.0
_DANA, _LEE, _INCIDENTS = "U0DANA", "U0LEE", "C0INCIDENTS"


class StoryBroken(Exception):
    """A step of the story was not observed; the message says which, and what was seen instead."""


@dataclass
class Story:
    """Plays the story against a stage and keeps what it saw."""

    stage: Stage
    quiet: bool = False
    broken: str | None = None
    steps: list[Json] = field(default_factory=list)
    seen: Json = field(default_factory=dict)
    _began: float = field(default_factory=time.monotonic)

    async def play(self) -> None:
        """Play all steps. Raises ``StoryBroken`` at the first that is not observed in time."""
        async with aiohttp.ClientSession() as session:
            page = Page(session, self.stage.page)
            await page.begin()
            await page.act("/sandbox/alert", {})
            self._say("The alert fires: checkout's rollout is stuck.")
            card = await self._see(page, "the incident's card", _card)
            self.seen["incident"] = _name(card, r"INC-\d+")
            self._say(f"{self.seen['incident']} is in #incidents.", card)
            triaged = await self._see(page, "evidence and triage on the card", _triaged)
            self._say("Evidence and a triage were edited into it.", triaged)
            request = await self._see(page, "a request for sign-off", _request)
            self.seen["approval"] = {"name": _name(request, r"A-\d+"), "digest": _digest(request)}
            self._say(f"{self.seen['approval']['name']} asks to roll checkout back, with the exact change.", request)
            refusal = await self._refused(page, request)
            self._say("Dana, a developer, clicks Approve and is refused:", said=refusal)
            await page.click(_LEE, request, "Approve")
            self._say("Lee, on call, clicks Approve.")
            await self._see(page, "the approval on the card", _approved)
            self._say("The approval is on the card; its buttons are gone.")
            await self._see(page, "the step that ran", _ran)
            self._say("The rollback ran, once.")
            verdict = await self._see(page, "the verdict of the verification", _verified)
            self._say("Signoff checked that the rollout is healthy:", verdict)
            final = await self._see(page, "the resolved card", _resolved)
            self._say("The alert resolved and the card shows its final state.", final)
            self.seen["run"] = await self._run(page)
        await self._audit()

    def facts(self) -> Json:
        """Return the story as one plain object."""
        return {
            "ok": self.broken is None,
            "broken": self.broken,
            "steps": self.steps,
            "urls": {"page": self.stage.page, "bot": self.stage.bot},
            "incident": self.seen.get("incident"),
            "approval": self.seen.get("approval"),
            "run": self.seen.get("run"),
            "audit": self.seen.get("audit"),
        }

    def ending(self) -> str:
        """Return the transcript's last lines."""
        if self.broken is None:
            return f"\nAll {len(self.steps)} steps were seen."
        return f"\nThe story broke: {self.broken}\n\n{self.stage.log_tail()}"

    def _say(self, sentence: str, message: Json | None = None, *, said: str = "") -> None:
        seconds = round(time.monotonic() - self._began, 2)
        quoted = said or (message or {}).get("text", "")
        self.steps.append({"seconds": seconds, "step": sentence, "seen": quoted})
        if not self.quiet:
            click.echo(f"{seconds:6.2f} s  {sentence}" + (f"\n          “{quoted}”" if quoted else ""))

    async def _see(self, page: Page, what: str, find: Callable[[list[Json]], T | None]) -> T:
        deadline = time.monotonic() + STEP_SECONDS
        messages: list[Json] = []
        while time.monotonic() < deadline:
            messages = await page.messages(_LEE)
            found = find(messages)
            if found is not None:
                return found
            await page.wait()
        texts = "\n".join(f"  {message['text']}" for message in _all(messages)) or "  nothing"
        raise StoryBroken(f"{what} was not seen within {STEP_SECONDS:.0f} s. In #incidents was:\n{texts}")

    async def _refused(self, page: Page, request: Json) -> str:
        outcome = await page.click(_DANA, request, "Approve")
        told = [message["text"] for message in outcome["ephemeral"]]
        deadline = time.monotonic() + STEP_SECONDS
        while not told and time.monotonic() < deadline:
            await page.wait()
            mine = _all(await page.messages(_DANA))
            told = [message["text"] for message in mine if message.get("is_ephemeral")]
        if not told:
            raise StoryBroken("Dana's click was not visibly refused")
        if _approved(await page.messages(_LEE)) is not None:
            raise StoryBroken("Dana's click was counted although she is no approver")
        return str(told[-1])

    async def _run(self, page: Page) -> Json:
        calls = await page.kubernetes_calls(self.stage.kubernetes)
        writes = [call for call in calls if call["applied"]]
        if len(writes) != 1:
            raise StoryBroken(f"the cluster was written to {len(writes)} times, and once is right")
        return {"state": "succeeded", "writes": [f"{call['method']} {call['path']}" for call in writes]}

    async def _audit(self) -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            "audit",
            "verify",
            "--json",
            env=dict(self.stage.environment),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        if process.returncode != 0:
            raise StoryBroken(f"signoff audit verify: {output.decode(errors='replace')}")
        self.seen["audit"] = json.loads(output)
        self._say(
            "signoff audit verify, beside the running bot:", said=f"{self.seen['audit']['rows']} rows, all in place"
        )


class Page:
    """The page's JSON API, as one person after another uses it."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url
        self._headers: dict[str, str] = {}
        self._revision = 0

    async def begin(self) -> None:
        """Learn the token that every act needs."""
        session = await self._get("/sandbox/session")
        self._headers = {"X-Sandbox-Token": session["csrf"]}

    async def act(self, path: str, body: Json) -> Json:
        """Do something, as the page does. Raises ``StoryBroken`` if the page would not let a person do it."""
        async with self._session.post(self._url + path, json=body, headers=self._headers) as response:
            answer: Json = await response.json()
            if response.status >= 400:
                raise StoryBroken(f"{path}: {answer.get('error')}")
            return answer

    async def click(self, user: str, message: Json, label: str, *, stale: bool = False) -> Json:
        """Click the button called ``label``, confirming what it asks; ``stale`` if it may be gone by now."""
        rows = [block for block in message.get("blocks", []) if block["type"] == "actions"]
        named = [(row, each) for row in rows for each in _buttons(row) if each["text"]["text"].startswith(label)]
        if not named:
            raise StoryBroken(f"there is no button {label!r} on the message")
        row, button = named[0]
        body = {"user": user, "channel": _INCIDENTS, "ts": message["ts"], "action_id": button["action_id"]}
        # A payload that was not read from Slack has the ids that the app gave and no others.
        body |= {"block_id": row["block_id"]} if "block_id" in row else {}
        outcome = await self.act(
            "/sandbox/click", body | {"value": button["value"], "confirm": True, "stale": stale, "wait": 10}
        )
        if not outcome["acked"]:
            raise StoryBroken(f"the click was not acknowledged: {outcome['shown']}")
        return outcome

    async def messages(self, user: str) -> list[Json]:
        """Return what this person sees in the incidents channel."""
        found: list[Json] = (await self._get(f"/sandbox/channels/{_INCIDENTS}/messages?user={user}"))["messages"]
        return found

    async def wait(self) -> None:
        """Wait until something in the workspace changed, or a moment."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                changed = await self._get(f"/sandbox/changes?since={self._revision}")
                self._revision = changed["revision"]

    async def kubernetes_calls(self, url: str) -> list[Json]:
        """Return the calls that the runner sent to the cluster of the story."""
        async with self._session.get(f"{url}/sandbox/kubernetes/calls?cluster=prod") as response:
            calls: list[Json] = (await response.json())["calls"]
            return [call for call in calls if call["identity"].endswith("runner")]

    async def _get(self, path: str) -> Json:
        async with self._session.get(self._url + path) as response:
            answer: Json = await response.json()
            return answer


def _all(messages: Sequence[Json]) -> Iterator[Json]:
    for message in messages:
        yield message
        yield from message.get("replies", [])


def _blocks(message: Json) -> str:
    return json.dumps(message.get("blocks", []), ensure_ascii=False)


def _all_buttons(message: Json) -> list[Json]:
    return [each for block in message.get("blocks", []) if block["type"] == "actions" for each in _buttons(block)]


def _buttons(row: Json) -> list[Json]:
    return [element for element in row["elements"] if element["type"] == "button"]


def _find(messages: Sequence[Json], holds: Callable[[Json], bool]) -> Json | None:
    return next((message for message in _all(messages) if holds(message)), None)


def _card(messages: list[Json]) -> Json | None:
    return next((message for message in messages if re.match(r"INC-\d+ firing", message["text"])), None)


def _triaged(messages: list[Json]) -> Json | None:
    card = _card(messages)
    return card if card and "Likely cause" in _blocks(card) and "Evidence (" in _blocks(card) else None


def _is_request(message: Json) -> bool:
    return re.match(r"A-\d+", message["text"]) is not None and "Exact change" in _blocks(message)


def _request(messages: list[Json]) -> Json | None:
    return _find(messages, lambda message: _is_request(message) and len(_all_buttons(message)) >= 2)


def _approved(messages: list[Json]) -> Json | None:
    return _find(messages, lambda message: _is_request(message) and not _all_buttons(message))


def _ran(messages: list[Json]) -> Json | None:
    return _find(messages, lambda message: re.search(r"A-\d+: .*done", message["text"]) is not None)


def _verified(messages: list[Json]) -> Json | None:
    return _find(messages, lambda message: re.search(r"A-\d+ helped", message["text"]) is not None)


def _resolved(messages: list[Json]) -> Json | None:
    return next((message for message in messages if re.match(r"INC-\d+ resolved", message["text"])), None)


def _name(message: Json, pattern: str) -> str:
    found = re.search(pattern, message["text"])
    if found is None:
        raise StoryBroken(f"there is no {pattern} in {message['text']!r}")
    return found[0]


def _digest(request: Json) -> str:
    """Return the digest of the plan that the Approve button is for."""
    return str(_all_buttons(request)[0]["value"]).partition(".")[2]

"""wait and wait-until: let time pass, or wait for a check to hold; nothing is changed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from bot.runbooks.access import Access, AccessFailed
from bot.runbooks.actions.action import Before, Occasion, ReadBack, Rendered, Unrehearsed, Unsuitable
from bot.runbooks.arguments import one_of, whole
from bot.runbooks.call import JSON, Call
from bot.runbooks.checks import HEALTH
from bot.runbooks.resources import CONFIG_MAP, CRON_JOB, DAEMON_SET, DEPLOYMENT, JOB, NODE, POD, STATEFUL_SET
from bot.runbooks.target import Target

Json = Mapping[str, Any]

_POLL_SECONDS = 1.0
_KINDS = frozenset(each.kind for each in (DEPLOYMENT, STATEFUL_SET, DAEMON_SET, POD, CONFIG_MAP, NODE, JOB, CRON_JOB))


class Wait(Unrehearsed):
    """Waits for ``seconds``."""

    name = "wait"
    kinds = _KINDS
    arguments: Mapping[str, Json] = {"seconds": whole(0)}
    verbs = frozenset()
    inverse = "none is needed"
    once = True
    reads_only = True

    def render(
        self, target: Target, live: Json, gathered: Sequence[Json], arguments: Json, occasion: Occasion
    ) -> Rendered | Unsuitable:
        """Render the wait as a call to nobody."""
        seconds = int(arguments["seconds"])
        return Rendered(Call("WAIT", "", JSON, {"seconds": seconds}), (f"Then it waits for {seconds} s.",), "")

    async def read(self, access: Access, target: Target, call: Call) -> Json | None:
        """Read it when the plan is made; when it runs, nothing can drift."""
        if not call.method:
            return await access.find(target.resource, target.namespace, target.name)
        return {"metadata": {"uid": target.uid}}

    async def send(self, access: Access, target: Target, call: Call, *, dry_run: bool = False) -> Json:
        """Wait."""
        await asyncio.sleep(call.body["seconds"])
        return {}

    def foresee(self, live: Json, call: Call) -> Json:
        """Show the call itself."""
        return {"wait": call.body}

    def fields(self, live: Json, arguments: Json) -> Json:
        """None."""
        return {}

    def shown(self, live: Json, answer: Json) -> tuple[Json, Json]:
        """Show how long."""
        return {}, answer

    def applied(self, live: Json | None, before: Before, result: str, arguments: Json) -> ReadBack:
        """Whatever was waited for is over."""
        return "applied"


class WaitUntil(Wait):
    """Waits until a health check holds for the target, at most for the step's own time; if it does not, it fails."""

    name = "wait-until"
    arguments: Mapping[str, Json] = {"check": one_of(HEALTH)}
    literal = frozenset({"check"})
    once = False

    def render(
        self, target: Target, live: Json, gathered: Sequence[Json], arguments: Json, occasion: Occasion
    ) -> Rendered | Unsuitable:
        """Render the check as a call to nobody."""
        check = str(arguments["check"])
        if check not in HEALTH or target.resource.kind not in HEALTH[check].kinds:
            return Unsuitable("check", f"{check} is no check of a {target.resource.kind}.")
        return Rendered(Call("LOOK", "", JSON, {"check": check}), (f"Then it waits until {target} is {check}.",), "")

    async def send(self, access: Access, target: Target, call: Call, *, dry_run: bool = False) -> Json:
        """Look until it holds; the caller bounds the time."""
        health = HEALTH[call.body["check"]]
        while True:
            try:
                live = await access.find(target.resource, target.namespace, target.name)
                if (await health.look(access, target, live)).healthy:
                    return {}
            except AccessFailed as failure:
                if failure.code != "unreachable":
                    raise
            await asyncio.sleep(_POLL_SECONDS)

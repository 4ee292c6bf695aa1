"""silence-create and silence-expire: keep an alert quiet for a bounded time, and let it be heard again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bot.runbooks.access import Access, AccessFailed, written
from bot.runbooks.actions.action import Before, Occasion, ReadBack, Rendered, Unrehearsed, Unsuitable
from bot.runbooks.arguments import NAMED_TEXTS, TEXT, whole
from bot.runbooks.call import JSON, Call
from bot.runbooks.resources import SILENCE
from bot.runbooks.target import Target

Json = Mapping[str, Any]

LONGEST_MINUTES = 24 * 60
MOST_MATCHERS = 10
_AUTHOR = "signoff"


def _wrapped(silence: Json) -> Json:
    """A silence in the form of the other objects: with its id where they have theirs."""
    return {**silence, "metadata": {"uid": str(silence.get("id", "")), "name": str(silence.get("id", ""))}}


def _mark(key: str) -> str:
    return f"[signoff:{key}]"


def _of_cluster(access: Access) -> Json:
    return {f"clusters.{access.cluster}.alertmanager": access.alertmanager.url}


def _filters(matchers: Sequence[Json]) -> tuple[str, ...]:
    return tuple(f'{each["name"]}="{_escaped(str(each["value"]))}"' for each in matchers)


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


class CreateSilence(Unrehearsed):
    """Creates a silence with exact matchers, never patterns. The end is fixed when the plan is made; the comment links
    the incident and carries the key by which the silence is found again."""

    name = "silence-create"
    kinds = frozenset({SILENCE.kind})
    arguments: Mapping[str, Json] = {
        "matchers": {**NAMED_TEXTS, "minProperties": 1},
        "minutes": whole(1, LONGEST_MINUTES),
    }
    optional: Mapping[str, Json] = {"comment": TEXT}
    verbs = frozenset()
    inverse = "silence-expire"
    idempotency = "keyed"
    creates = True

    async def gather(self, access: Access, target: Target, live: Json, arguments: Json) -> Sequence[Json]:
        """Read the alerts that it would keep quiet."""
        with access.translated():
            return await access.alertmanager.alerts(_filters(_matchers(arguments)))

    def render(
        self, target: Target, live: Json, gathered: Sequence[Json], arguments: Json, occasion: Occasion
    ) -> Rendered | Unsuitable:
        """Render the silence."""
        matchers, minutes = _matchers(arguments), int(arguments["minutes"])
        if not matchers or len(matchers) > MOST_MATCHERS or any(not each["value"] for each in matchers):
            return Unsuitable("matchers", f"A silence needs 1 to {MOST_MATCHERS} matchers, none of them empty.")
        if not 1 <= minutes <= LONGEST_MINUTES:
            return Unsuitable("minutes", f"A silence is for 1 to {LONGEST_MINUTES} minutes, not for {minutes}.")
        ends = occasion.now + minutes * 60_000_000
        why = " ".join(str(arguments.get("comment", "")).split())[:300]
        silence = {
            "matchers": [{**each, "isRegex": False, "isEqual": True} for each in matchers],
            "startsAt": _time(occasion.now),
            "endsAt": _time(ends),
            "createdBy": _AUTHOR,
            "comment": " ".join(part for part in (occasion.matter, why, _mark(target.name)) if part),
        }
        shown = ", ".join(_filters(matchers))
        return Rendered(
            call=Call("POST", "/api/v2/silences", JSON, silence),
            effect=(
                f"Alerts with {shown} stay quiet until {_time(ends)}, {minutes} minutes from the plan.",
                f"{len(gathered)} of them fire now.",
            ),
            undo="Expire the silence.",
            inverse=Call("DELETE", "/api/v2/silence", JSON, {"key": target.name}),
            inverse_action=ExpireSilence.name,
            useful_until=occasion.now + (ends - occasion.now) // 2,
        )

    def allowed_by(self, target: Target, arguments: Json, access: Access, registries: Sequence[str]) -> Json:
        """By which Alertmanager is the cluster's."""
        return _of_cluster(access)

    async def read(self, access: Access, target: Target, call: Call) -> Json | None:
        """Find the silence by its key."""
        with access.translated():
            return await _by_key(access, target.name)

    async def send(self, access: Access, target: Target, call: Call, *, dry_run: bool = False) -> Json:
        """Create it, and read it as it came to be."""
        with access.translated():
            silence_id = await access.alertmanager.create(call.body)
        with written(), access.translated():
            found = await access.alertmanager.silence(silence_id)
        if found is None:
            sentence = f"Silence {silence_id} was made, and is not there."
            raise AccessFailed("not-found", sentence, in_doubt=True)
        return _wrapped(found)

    def foresee(self, live: Json, call: Call) -> Json:
        """The silence as it is sent."""
        return call.body  # type: ignore[no-any-return]  # a call's body is any JSON

    def fields(self, live: Json, arguments: Json) -> Json:
        """What it keeps quiet and until when; its start is when Alertmanager took it."""
        if not live:
            return {}
        matchers = sorted((each["name"], each["value"], bool(each.get("isRegex"))) for each in live["matchers"])
        return {"matchers": matchers, "ends": _seconds(str(live["endsAt"])), "comment": live["comment"]}

    def shown(self, live: Json, answer: Json) -> tuple[Json, Json]:
        """The silence."""
        return {}, answer

    def applied(self, live: Json | None, before: Before, result: str, arguments: Json) -> ReadBack:
        """A silence with the key is there, and it is over only when somebody ended it."""
        return "not applied" if live is None else "applied"


class ExpireSilence(Unrehearsed):
    """Ends a silence: one that is named by its id, or the one that a plan made, by its key."""

    name = "silence-expire"
    kinds = frozenset({SILENCE.kind})
    verbs = frozenset()
    inverse = "none: an expired silence is over; create another"

    def render(
        self, target: Target, live: Json, gathered: Sequence[Json], arguments: Json, occasion: Occasion
    ) -> Rendered | Unsuitable:
        """Render the end of a silence that is there."""
        if _over(live):
            return Unsuitable("no-change", f"{target} is over already.")
        shown = ", ".join(_filters(live.get("matchers") or []))
        return Rendered(
            call=Call("DELETE", "/api/v2/silence", JSON, {"id": target.name}),
            effect=(f"Alerts with {shown} are heard again.",),
            undo="",
        )

    def allowed_by(self, target: Target, arguments: Json, access: Access, registries: Sequence[str]) -> Json:
        """By which Alertmanager is the cluster's."""
        return _of_cluster(access)

    async def read(self, access: Access, target: Target, call: Call) -> Json | None:
        """Read it by its id or its key."""
        with access.translated():
            if "key" in call.body:
                return await _by_key(access, call.body["key"])
            found = await _by_id(access, target.name)
            return None if found is None else _wrapped(found)

    async def send(self, access: Access, target: Target, call: Call, *, dry_run: bool = False) -> Json:
        """End it. One that is not there is over."""
        live = await self.read(access, target, call)
        if live is None:
            return {}
        with access.translated():
            await access.alertmanager.expire(live["metadata"]["uid"])
        return {}

    def foresee(self, live: Json, call: Call) -> Json:
        """The same silence, over."""
        return {**live, "status": {"state": "expired"}}

    def fields(self, live: Json, arguments: Json) -> Json:
        """Whether it is over."""
        return {"over": _over(live)}

    def result(self, answer: Json, arguments: Json) -> Json:
        """Alertmanager answers nothing; that it did is all."""
        return {"over": True}

    def shown(self, live: Json, answer: Json) -> tuple[Json, Json]:
        """The silence, and its state."""
        keys = ("id", "matchers", "endsAt", "comment", "status")
        return {key: live.get(key) for key in keys}, {key: answer.get(key) for key in keys}

    def applied(self, live: Json | None, before: Before, result: str, arguments: Json) -> ReadBack:
        """It is over or gone."""
        return "applied" if live is None or _over(live) else "not applied"


async def _by_key(access: Access, key: str) -> Json | None:
    mine = [each for each in await access.alertmanager.silences() if _mark(key) in str(each.get("comment", ""))]
    mine.sort(key=lambda each: str(each.get("startsAt", "")))
    return _wrapped(mine[-1]) if mine else None


async def _by_id(access: Access, silence_id: str) -> Json | None:
    try:
        return await access.alertmanager.silence(silence_id)
    except ValueError as error:
        raise AccessFailed("parameters", f"{error}.", in_doubt=False) from None


def _matchers(arguments: Json) -> list[dict[str, str]]:
    return [{"name": str(name), "value": str(value)} for name, value in sorted(arguments["matchers"].items())]


def _over(live: Json) -> bool:
    return str((live.get("status") or {}).get("state", "")) == "expired"


def _time(at: int) -> str:
    return datetime.fromtimestamp(at // 1_000_000, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _seconds(text: str) -> int:
    return int(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())

"""The short-lived permissions that come with an interaction: trigger ids and response URLs.

Sources: docs "Handling user interaction" (trigger_id: three seconds, once; response_url: five times within thirty
minutes); error names of views.open; bolt-js issue 1261 for the 404 of a spent response URL.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

_KEPT = 1000


@dataclass
class _Trigger:
    user: str
    given: float
    used: bool = False


class Triggers:
    """Gives trigger ids to interactions and takes each back at most once."""

    def __init__(self, clock: Callable[[], float], rng: random.Random, life: float) -> None:
        self._clock = clock
        self._rng = rng
        self._life = life
        self._given: dict[str, _Trigger] = {}

    def give(self, user: str) -> str:
        """A fresh trigger id for this person's interaction."""
        while len(self._given) >= _KEPT:
            self._given.pop(next(iter(self._given)))
        trigger = f"{self._rng.randrange(10**12)}.{self._rng.randrange(10**12)}.{self._rng.getrandbits(128):032x}"
        self._given[trigger] = _Trigger(user, self._clock())
        return trigger

    def spend(self, trigger: str) -> tuple[str, str]:
        """(user, "") when the trigger is good, which spends it, else ("", Slack's error name)."""
        known = self._given.get(trigger)
        if known is None:
            return "", "invalid_trigger_id"
        if known.used:
            return "", "exchanged_trigger_id"
        if self._clock() - known.given > self._life:
            return "", "expired_trigger_id"
        known.used = True
        return known.user, ""


@dataclass
class ResponseTarget:
    """Where a response URL answers: the person, the channel, and the message that was clicked, if any."""

    user: str
    channel: str
    message_ts: str | None
    given: float
    uses: int = 0


class ResponseUrls:
    """Gives response URLs and counts their uses."""

    def __init__(self, clock: Callable[[], float], rng: random.Random, life: float, uses: int) -> None:
        self._clock = clock
        self._rng = rng
        self._life = life
        self._uses = uses
        self._given: dict[str, ResponseTarget] = {}

    def give(self, user: str, channel: str, message_ts: str | None) -> str:
        """The secret last part of a fresh response URL."""
        while len(self._given) >= _KEPT:
            self._given.pop(next(iter(self._given)))
        key = f"{self._rng.getrandbits(128):032x}"
        self._given[key] = ResponseTarget(user, channel, message_ts, self._clock())
        return key

    def find(self, key: str) -> tuple[ResponseTarget | None, str]:
        """(target, "") when the URL still works, else (None, the error that its 404 carries)."""
        target = self._given.get(key)
        if target is None:
            return None, "invalid_url"
        if self._clock() - target.given > self._life:
            return None, "expired_url"
        if target.uses >= self._uses:
            return None, "used_url"
        return target, ""

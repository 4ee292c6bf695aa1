"""A stop: nothing may start until two different people have said that it may again."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.approval import Person


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asked for something, and when (microseconds)."""

    person: Person
    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Stop:
    """One stop of all actions, by its row's number in the audit. ``lift_asked`` is the first of the two who let actions
    start again. ``doubt``: nobody stopped them, but the audit's last word on it cannot be relied on."""

    number: int
    by: Asker
    reason: str
    lift_asked: Asker | None = None
    doubt: str = ""

    @property
    def sentence(self) -> str:
        """Say that actions are off, who said so and why."""
        if self.doubt:
            return f"Actions are off: what the audit says last of them cannot be relied on ({self.doubt})."
        return f"Actions are off: {self.by.name} stopped them" + (f" ({self.reason})." if self.reason else ".")

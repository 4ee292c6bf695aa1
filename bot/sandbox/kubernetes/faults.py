"""Trouble on order: what shall go wrong with the next requests that fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from bot.sandbox.kubernetes.resources import RequestInfo

ACTIONS: Final = ("conflict", "status", "delay", "drop", "late")
_WRITES: Final = ("create", "update", "patch", "delete")
_MOST: Final = 100


@dataclass(frozen=True)
class Fault:
    """One kind of trouble, for the next `times` requests that fit every field that is not empty.

    `conflict` answers a write with 409 as if another writer had been faster; `status` answers `code` with
    `message`; `delay` waits `seconds`; `drop` cuts the connection; `late` cuts it `seconds` before the request takes
    effect. `when` is `before` the request takes effect or `after` it did: then the client cannot know. `dry_run` None
    fits both.
    """

    action: str
    cluster: str = ""
    identity: str = ""
    verb: str = ""
    resource: str = ""
    name: str = ""
    dry_run: bool | None = None
    when: str = "before"
    times: int = 1
    seconds: float = 0.0
    code: int = 503
    message: str = "the stand-in was told to answer this"

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Fault:
        """Read a fault from the control API. Raises ValueError saying what does not fit."""
        kinds: dict[str, tuple[type, ...]] = {
            **dict.fromkeys(("action", "cluster", "identity", "verb", "resource", "name", "when", "message"), (str,)),
            "dry_run": (bool, type(None)),
            "times": (int,),
            "seconds": (int, float),
            "code": (int,),
        }
        for key, value in data.items():
            if key not in kinds:
                raise ValueError(f"a fault has no field {key!r}; it has {', '.join(kinds)}")
            if not isinstance(value, kinds[key]) or (isinstance(value, bool) and bool not in kinds[key]):
                raise ValueError(f"{key}: {type(value).__name__} does not fit")
        fault = cls(**data) if "action" in data else cls("")
        if fault.action not in ACTIONS:
            raise ValueError(f"action is one of {', '.join(ACTIONS)}, not {fault.action!r}")
        if fault.when not in ("before", "after"):
            raise ValueError(f"when is before or after, not {fault.when!r}")
        if fault.action in ("conflict", "status", "late") and fault.when == "after":
            raise ValueError(f"{fault.action} comes before a request takes effect; only delay and drop come after")
        if not 1 <= fault.times <= 10_000 or not 0 <= fault.seconds <= 600 or not 400 <= fault.code <= 599:
            raise ValueError("times is 1 to 10000, seconds 0 to 600, code 400 to 599")
        return fault

    def fits(self, cluster: str, identity: str, info: RequestInfo, dry_run: bool) -> bool:
        """Whether this request is one that shall fail."""
        if self.action == "conflict" and info.verb not in _WRITES:
            return False
        return (
            self.cluster in ("", cluster)
            and self.identity in ("", identity)
            and self.verb in ("", info.verb)
            and self.resource in ("", info.resource_path)
            and self.name in ("", info.name)
            and self.dry_run in (None, dry_run)
        )


class Faults:
    """The faults that wait, in the order in which they were ordered."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def order(self, fault: Fault) -> None:
        """Add a fault. Raises ValueError when too many wait."""
        if len(self._waiting) >= _MOST:
            raise ValueError(f"{_MOST} faults wait already; clear them first")
        self._waiting.append(fault)

    def take(self, cluster: str, identity: str, info: RequestInfo, dry_run: bool, *, when: str) -> Fault | None:
        """The first fault that fits and comes ``when``; it is used up once."""
        for i, fault in enumerate(self._waiting):
            if fault.when == when and fault.fits(cluster, identity, info, dry_run):
                if fault.times > 1:
                    self._waiting[i] = replace(fault, times=fault.times - 1)
                else:
                    del self._waiting[i]
                return fault
        return None

    def waiting(self) -> tuple[Fault, ...]:
        """What is still to come."""
        return tuple(self._waiting)

    def clear(self) -> None:
        """Forget them all."""
        self._waiting.clear()

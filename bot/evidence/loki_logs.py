"""Logs from Loki: of all pods that a workload has or had, as far back as it keeps them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

from bot.clients.loki import Entry, Loki, LokiError, containing, selector
from bot.evidence.lines import one_line, plain
from bot.evidence.log_source import TOTAL_CHARACTERS, Log, Logs, Wanted, divided, written
from bot.redact import Redactor

MAX_LINES = 30_000
_NS = 1_000
_MARGIN_SECONDS = 0.3
# What the API server makes names' ends of: k8s.io/apimachinery/pkg/util/rand leaves vowels out, so that no workload's
# own name (checkout-worker) passes for a pod of another one (checkout).
_END = "[bcdfghjklmnpqrstvwxz2456789]"
_PODS = f"(-([0-9]{{1,10}}|{_END}{{6,10}}))?(-{_END}{{5}})?"


class LokiLogs:
    """A ``LogSource`` over Loki's HTTP API."""

    def __init__(self, loki: Loki, redactor: Redactor) -> None:
        self._loki = loki
        self._redactor = redactor

    async def read(self, wanted: Wanted, *, deadline: float) -> Logs:
        """Read the newest lines of the time asked about, then of the time before, within the bounds of both."""
        pods = re.escape(wanted.workload) + _PODS
        query = selector({"namespace": wanted.namespace}, {"pod": pods}) + containing(wanted.words)
        source = f"loki:{self._loki.cluster}"
        since, half = wanted.since * _NS, TOTAL_CHARACTERS // 2
        try:
            async with asyncio.timeout_at(deadline - _MARGIN_SECONDS):
                bounds = {"lines": MAX_LINES, "characters": half}
                within = await self._loki.newest(query, start=since, end=wanted.until * _NS, **bounds)
                if not within.entries:
                    return Logs(source, query, ())
                before = await self._loki.newest(query, start=wanted.baseline * _NS, end=since, **bounds)
        except LokiError as error:
            return Logs(source, query, (), (str(error),))
        except TimeoutError:
            return Logs(source, query, (), (f"Loki of cluster {self._loki.cluster} did not send all lines in time",))
        entries = (*before.entries, *within.entries)
        logs = await asyncio.to_thread(_logs, entries, wanted, self._redactor, complete=within.complete)
        return Logs(source, query, logs)


def _logs(entries: Sequence[Entry], wanted: Wanted, redactor: Redactor, *, complete: bool) -> tuple[Log, ...]:
    """Put each container's lines together, in the order of time, each with its time in front."""
    found: dict[str, list[str]] = {}
    for entry in entries:
        name = ", ".join(
            f"{kind} {one_line(entry.labels[kind], 253)}" for kind in ("pod", "container") if kind in entry.labels
        )
        text = plain(entry.line.replace("\r", "\n")).rstrip("\n")
        found.setdefault(name, []).append(f"{written(entry.at // _NS)} {text}\n")
    logs = []
    for name, lines in found.items():
        before, within = divided(redactor.text("".join(lines)), wanted)
        logs.append(Log(redactor.text(name), before, within, complete))
    return tuple(logs)

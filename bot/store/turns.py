"""Turns at the database: threads that do waiting work in its order, except that urgent work goes first."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import PriorityQueue
from typing import Any, TypeVar

T = TypeVar("T")


class Turns:
    """Runs work on at most ``threads`` threads. Urgent work passes what waits; it never interrupts what runs."""

    def __init__(self, threads: int, name: str) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._waiting: PriorityQueue[tuple[bool, int, Future[Any], Callable[[], Any]]] = PriorityQueue()
        self._order = itertools.count()

    async def take(self, work: Callable[[], T], *, urgent: bool) -> T:
        """Run ``work`` on one of the threads. Cancelled while it waits, it never runs."""
        future: Future[T] = Future()
        self._waiting.put((not urgent, next(self._order), future, work))
        # One token a piece of work: whichever thread is free next does the most urgent, not the one put with its token.
        self._threads.submit(self._next)
        return await asyncio.wrap_future(future)

    def _next(self) -> None:
        _, _, future, work = self._waiting.get_nowait()
        if not future.set_running_or_notify_cancel():
            return
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    def close(self) -> None:
        """Let what waits be done, then end the threads."""
        self._threads.shutdown()

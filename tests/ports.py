"""Ports for what has to be told where to listen, of which nobody else is given one meanwhile.

The system gives connections and listeners of its own choice ports from 32768 on: one that was free there a moment ago
is not for long while six tests run.
"""

from __future__ import annotations

import itertools
import os
import random
import socket

_FIRST, _OF_A_WORKER = 10_000, 2_000
_WORKERS = 11
_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _WORKERS
# Another run on the same machine begins elsewhere, most likely.
_turns = itertools.count(random.randrange(_OF_A_WORKER))


def free_port() -> int:
    """A port that is free, and that this run gives to nobody else for long."""
    for turn in itertools.islice(_turns, _OF_A_WORKER):
        port = _FIRST + _worker * _OF_A_WORKER + turn % _OF_A_WORKER
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free")

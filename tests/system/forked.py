"""What a process forked for a test does first: become `python` with other words, environment and output.

`runpy` runs this in a fork that has `words`, `environment`, `out` and `errors` among its globals.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
from typing import Any

given: dict[str, Any] = dict(globals())
os.environ.clear()
os.environ.update(given["environment"])
for number, path in ((1, given["out"]), (2, given["errors"])):
    opened = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(opened, number)
    os.close(opened)
signal.signal(signal.SIGINT, signal.default_int_handler)
words: list[str] = given["words"]
if words[0] == "-m":
    sys.argv = words[1:]
    runpy.run_module(words[1], run_name="__main__", alter_sys=True)
else:
    sys.argv = words
    runpy.run_path(words[0], run_name="__main__")

"""Milliseconds of the diff packer, and how far its token estimate is off, on diff files.

Run it as `python -m tests.benchmarks.diff.bench_diff FILE…`; with no file it makes a diff of 10 MB. It prints and
asserts nothing, since the machine is shared. The estimate is compared only where tiktoken is installed, which the
project does not need; its o200k ranks are read from TIKTOKEN_CACHE_DIR or the network.
"""

import resource
import statistics
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from bot.condense.diff.pack import pack, prepare
from bot.condense.diff.parse import parse
from bot.redact.redactor import Redactor
from tests.condense.diff.diffs import change

BUDGETS = (4_000, 8_000, 28_000)


def main(names: list[str]) -> None:
    """Print one line a diff and budget, and the median time."""
    count = _counter()
    redact = Redactor(key=b"bench").text
    times = []
    print(
        f"{'diff':44} {'KB':>7} {'budget':>7} {'parse':>7} {'assess':>7} {'pack':>7} {'ms':>7} "
        f"{'estimate':>9} {'o200k':>7}"
    )
    for name, text in [(name, Path(name).read_bytes().decode("utf-8", "replace")) for name in names] or [
        ("made", _made())
    ]:
        for budget in BUDGETS:
            at = [time.perf_counter()]
            patch = parse(text)
            at.append(time.perf_counter())
            prepared = prepare(patch)
            at.append(time.perf_counter())
            packed = pack(prepared, budget, redact=redact)
            at.append(time.perf_counter())
            spans = [1e3 * (end - start) for start, end in pairwise(at)]
            times.append(sum(spans))
            true = count(packed.text) if count else "-"
            print(
                f"{Path(name).name:44.44} {len(text) / 1e3:7.0f} {budget:7} "
                f"{spans[0]:7.0f} {spans[1]:7.0f} {spans[2]:7.0f} {times[-1]:7.0f} {packed.tokens:9} {true:>7}"
            )
    print(f"median {statistics.median(times):.0f} ms, most {max(times):.0f} ms")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MB")


def _counter() -> Callable[[str], int] | None:
    try:
        import tiktoken
    except ImportError:
        return None
    encoding = tiktoken.get_encoding("o200k_base")
    return lambda text: len(encoding.encode(text, disallowed_special=()))


def _made() -> str:
    """Return a diff of 10 MB: 200 manifests and 200 programs, each with every third line changed."""
    parts = []
    for n in range(200):
        manifest = [f"  key{at % 17}: value-{n}-{at}" for at in range(400)]
        program = [f"    total_{at} = compute(order_{n}, {at}, timeout={at % 30})" for at in range(400)]
        for path, old in ((f"deploy/{n}.yaml", manifest), (f"src/{n}.py", program)):
            parts.append(change(path, old, [line + "0" if at % 3 == 0 else line for at, line in enumerate(old)]))
    return "".join(parts)


if __name__ == "__main__":
    main(sys.argv[1:])

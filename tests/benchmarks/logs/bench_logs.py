"""The log digest's numbers, beside drain3 in the same run: grouping, speed, memory, what survives a budget, imports.

Run it as `python tests/benchmarks/logs/bench_logs.py --loghub DIR --ci DIR --big FILE…`; each part runs if its data is
given, none is shipped: DIR of Loghub-2k (`HDFS/HDFS_2k.log_structured.csv` …), DIR of LogDx-CI cases (`*/raw.log`,
`*/ground_truth.json`), and big logs of your own. drain3 takes part if it is installed. It prints and asserts nothing,
since the machine is shared: times are the processor's, and the ratios tell most.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import re
import statistics
import subprocess
import sys
import time
from array import array
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

from bot.condense.logs.digest import Ranking, digest, rank
from bot.condense.logs.reader import Reader, Reading

ROUNDS = 3
PEER_LINES = 100_000
MEMORY_LINES = 10_000_000
NEEDLE_LINES = 30_000
BUDGETS = (2000, 4000, 8000)
LOUD = (
    ["java.lang.IllegalStateException: cart is locked", "\tat com.acme.Cart.add(Cart.java:9)"],
    ["tls: failed to verify certificate: x509: certificate signed by unknown authority"],
    ['level=error msg="open ledger" err="open /data/ledger.db: permission denied"'],
    ["Traceback (most recent call last):", '  File "/app/a.py", line 3, in go', "    go()", "ZeroDivisionError: no"],
    ["mkdir /var/lib/spool: read-only file system"],
    ["FATAL:  password authentication failed for user reports"],
)
QUIET = (
    ["switching primary to replica eu-2 after vote"],
    ["configuration reloaded, 3 keys changed"],
    ["draining connections before exit"],
)
BURST = "slow consumer: dropping batch of"


def main() -> None:
    """Run the parts whose data is given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loghub", type=Path)
    parser.add_argument("--ci", type=Path)
    parser.add_argument("--big", type=Path, nargs="*", default=[])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--memory-of", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory_of:
        _memory(options.memory_of)
        return
    _imports()
    if options.loghub:
        for raw in (False, True):
            _groups(options.loghub, raw=raw)
    if options.ci:
        _budgets(options.ci)
    for path in options.big:
        _needles(path, options.seeds)
    for path in options.big:
        _speed(path)
    for path in options.big:
        subprocess.run([sys.executable, __file__, "--memory-of", str(path)], check=True)


def _imports() -> None:
    for module in ("bot.condense.logs.reader", "bot.condense.logs.digest"):
        code = f"import time; t = time.process_time(); import {module}; print(time.process_time() - t)"
        times = [float(subprocess.run([sys.executable, "-c", code], capture_output=True).stdout) for _ in range(7)]
        print(f"import {module}: median {statistics.median(times) * 1e3:.0f} ms")


def _read(data: bytes) -> Reading:
    reader = Reader(year=2026)
    reader.feed(data)
    return reader.finish()


def _ranked(data: bytes) -> Ranking:
    return rank(_read(data), lambda text: text)


def _ours(lines: Sequence[str]) -> list[int]:
    ids: array[int] = array("I")
    reader = Reader(year=2026, assigned=ids.extend)
    reader.feed("".join(f"{line}\n" for line in lines).encode())
    reading = reader.finish()
    return [reading.resolve(number) for number in ids]


def _drain3(lines: Sequence[str]) -> list[int] | None:
    try:
        from drain3 import TemplateMiner
        from drain3.template_miner_config import TemplateMinerConfig
    except ImportError:
        return None
    miner = TemplateMiner(config=TemplateMinerConfig())
    return [miner.add_log_message(line)["cluster_id"] for line in lines]


def _score(truth: Sequence[str], found: Sequence[int]) -> tuple[float, float]:
    """Return grouping accuracy over lines and F1 over groups: a group counts when it has exactly its lines."""

    def groups(names: Sequence[object]) -> set[tuple[int, ...]]:
        places: dict[object, list[int]] = defaultdict(list)
        for place, name in enumerate(names):
            places[name].append(place)
        return set(map(tuple, places.values()))

    true, ours = groups(truth), groups(found)
    right = true & ours
    return sum(map(len, right)) / len(truth), 2 * len(right) / (len(true) + len(ours))


def _groups(folder: Path, *, raw: bool) -> None:
    print(f"\ngrouping, {'raw lines' if raw else 'content'}: GA/FGA")
    programs: dict[str, Callable[[Sequence[str]], list[int] | None]] = {"signoff": _ours, "drain3": _drain3}
    means: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for table in sorted(folder.glob("*/*_2k.log_structured.csv")):
        with table.open(encoding="utf-8", errors="replace", newline="") as file:
            rows = list(csv.DictReader(file))
        lines = [row["Content"] for row in rows]
        if raw:
            log = table.with_name(table.name.removesuffix("_structured.csv"))
            lines = log.read_text(encoding="utf-8", errors="replace").split("\n")[: len(rows)]
        lines = [" ".join(line.splitlines()) for line in lines]
        shown = []
        for name, program in programs.items():
            found = program(lines)
            if found is not None:
                means[name].append(_score([row["EventId"] for row in rows], found))
                shown.append("{} {:.3f}/{:.3f}".format(name, *means[name][-1]))
        print(f"  {table.parent.name:12} {'  '.join(shown)}")
    for name, scores in means.items():
        print(
            f"  mean of {name}: " + "/".join(f"{statistics.mean(column):.3f}" for column in zip(*scores, strict=True))
        )


def _budgets(folder: Path) -> None:
    print("\nshare of the critical signals of failed builds that is shown")
    recall: dict[int, list[float]] = defaultdict(list)
    for truth in sorted(folder.glob("*/ground_truth.json")):
        signals = json.loads(truth.read_text())["required_signals"]
        wanted = [signal for signal in signals if signal.get("importance") == "critical"]
        ranking = _ranked(truth.with_name("raw.log").read_bytes())
        for budget in BUDGETS:
            text = digest(ranking, budget).text
            hits = sum(any(p.strip() in text for p in _phrases(signal)) for signal in wanted)
            recall[budget].append(hits / len(wanted) if wanted else 1.0)
    for budget, shares in recall.items():
        print(f"  {budget} tokens: {statistics.mean(shares):.3f} of {len(shares)} builds")


def _phrases(signal: dict[str, object]) -> list[str]:
    aliases = signal.get("aliases")
    phrases = [signal.get("value"), signal.get("file"), *(aliases if isinstance(aliases, list) else [])]
    return [phrase for phrase in phrases if isinstance(phrase, str) and phrase.strip()]


def _needles(path: Path, seeds: int) -> None:
    with path.open(encoding="utf-8", errors="replace") as file:
        base = [line.rstrip("\n") for line, _ in zip(file, range(NEEDLE_LINES), strict=False)]
    found = wanted = 0
    for seed in range(seeds):
        generator = random.Random(seed)
        planted = [(generator.randrange(len(base)), block) for block in (*LOUD, *QUIET)]
        start = generator.randrange(len(base) - 2000)
        planted += [(start + n * 5, [f"{BURST} {generator.randrange(10**6)}"]) for n in range(300)]
        log = list(base)
        for place, block in sorted(planted, reverse=True):
            log[place:place] = block
        text = digest(_ranked("\n".join(log).encode()), 4000).text
        phrases = [block[-1].strip() for block in (*LOUD, *QUIET)] + [BURST]
        found += sum(phrase in text for phrase in phrases)
        wanted += len(phrases)
    print(f"\nneedles in {path.name}, 4000 tokens, {seeds} seeds: {found / wanted:.3f}")


def _speed(path: Path) -> None:
    data = path.read_bytes()
    lines = data.count(b"\n")
    part = data[: len(data) * PEER_LINES // lines].decode("utf-8", "replace").splitlines()
    ours, theirs = [], []
    for _ in range(ROUNDS):
        start = time.process_time()
        digest(_ranked(data), 4000)
        ours.append(lines / (time.process_time() - start))
        start = time.process_time()
        if _drain3(part) is not None:
            theirs.append(len(part) / (time.process_time() - start))
    peer = f", drain3 {statistics.median(theirs):,.0f}" if theirs else ""
    print(
        f"\nspeed on {path.name}: median {statistics.median(ours):,.0f} lines/s of one core's time, whole digest{peer}"
    )


def _memory(path: Path) -> None:
    reader = Reader(year=2026)
    fed = 0
    with path.open("rb") as file:
        while fed < MEMORY_LINES:
            while piece := file.read(1 << 18):
                reader.feed(piece)
                fed += piece.count(b"\n")
            file.seek(0)
    digest(rank(reader.finish(), lambda text: text), 4000)
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())  # ru_maxrss would be the parent's
    print(f"\nmemory after {fed:,} lines of {path.name}: {int(peak[1]) // 1024 if peak else '?'} MB")


if __name__ == "__main__":
    main()

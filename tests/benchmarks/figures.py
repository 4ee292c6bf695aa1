"""Figures of a benchmark: percentiles, the machine's load, and one table that people and scripts can read."""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Figures:
    """What one benchmark measured. `goal` is what the project wants to reach, "" where there is none."""

    title: str
    rows: list[tuple[str, float, str, str]] = field(default_factory=list)
    load_before: tuple[float, float, float] = field(default_factory=os.getloadavg)

    def add(self, name: str, value: float, unit: str, goal: str = "") -> None:
        """Add one figure."""
        self.rows.append((name, value, unit, goal))

    def show(self, *, as_json: bool) -> None:
        """Print the figures with what the machine was doing, so that nobody compares a busy hour with a quiet one."""
        machine = {
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "load_before": self.load_before[0],
            "load_after": os.getloadavg()[0],
        }
        if as_json:
            rows = [{"name": n, "value": v, "unit": u, "goal": g} for n, v, u, g in self.rows]
            print(json.dumps({"title": self.title, "machine": machine, "figures": rows}, indent=2))
            return
        print(f"\n{self.title}")
        print("  " + ", ".join(f"{key} {value}" for key, value in machine.items()))
        width = max(len(row[0]) for row in self.rows)
        for name, value, unit, goal in self.rows:
            print(f"  {name:{width}}  {value:10.{_digits(value)}f} {unit:8}" + (f" goal {goal}" if goal else ""))


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` (0 to 1) of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def cpu_seconds(pid: int) -> float:
    """Return the CPU seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def arguments(about: str, **numbers: float) -> Any:
    """Read `--json` and the benchmark's own numbers from the command line."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    for name, default in numbers.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(default), default=default, help=f"{default}")
    return parser.parse_args()


def _digits(value: float) -> int:
    return 0 if abs(value) >= 1000 or value == int(value) else 2 if abs(value) < 10 else 1

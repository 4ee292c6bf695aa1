"""Faults planted in the guards, one at a time: the simulation must notice each. Says how many of how many it did.

Run it as `python -m tests.invariants.mutants`; it takes some minutes. A fault that is not noticed is printed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SEQUENCES = "240"


@dataclass(frozen=True)
class Mutant:
    """One fault: in `file`, `sound` becomes `faulty`."""

    what: str
    file: str
    sound: str
    faulty: str


def main() -> int:
    """Plant each fault and play. Returns 0 if every one was noticed."""
    chosen = [mutant for mutant in MUTANTS if not sys.argv[1:] or sys.argv[1] in mutant.what]
    missed = [mutant for mutant in chosen if not noticed(mutant)]
    for mutant in missed:
        print(f"not noticed: {mutant.what} ({mutant.file})")
    print(f"{len(chosen) - len(missed)} of {len(chosen)} planted faults were noticed")
    return 1 if missed else 0


def noticed(mutant: Mutant) -> bool:
    """Say whether the simulation fails with this fault in a copy of the tree."""
    with tempfile.TemporaryDirectory(prefix="signoff-mutant-") as folder:
        copy = Path(folder)
        for name in ("bot", "tests", "runbooks", "prompts", "pyproject.toml"):
            source = ROOT / name
            (shutil.copytree if source.is_dir() else shutil.copy)(source, copy / name)
        path = copy / mutant.file
        before = path.read_text()
        if before.count(mutant.sound) != 1:
            raise SystemExit(f"{mutant.what}: {mutant.file} has {before.count(mutant.sound)} places like the sound one")
        path.write_text(before.replace(mutant.sound, mutant.faulty))
        words = [
            sys.executable,
            "-m",
            "pytest",
            "-x",
            "-q",
            "-p",
            "no:cacheprovider",
            "tests/invariants/test_simulation.py",
        ]
        environment = os.environ | {"PYTHONPATH": folder, "SIGNOFF_TEST_SEQUENCES": SEQUENCES}
        words += ["-k", "no_sequence", "--timeout", "900"]
        done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        said = [line for line in done.stdout.splitlines() if "Faulty" in line]
        print(
            f"{'noticed' if done.returncode == 1 else 'MISSED '}  {mutant.what}: {said[-1][:160] if said else ''}",
            flush=True,
        )
        return done.returncode == 1


MUTANTS = (
    Mutant("expiry is not judged", "bot/approvals/policy.py", "if now >= ends", "if now >= ends + 10**15"),
    Mutant(
        "a vote on another version counts", "bot/approvals/policy.py", "if vote.digest != terms.digest:", "if False:"
    ),
    Mutant(
        "a supporter's digest is not compared",
        "bot/approvals/policy.py",
        'vote.decision == "approve" and vote.state == "counted" and vote.digest == terms.digest',
        'vote.decision == "approve" and vote.state == "counted"',
    ),
    Mutant("one human has two votes", "bot/approvals/policy.py", "or human in humans or not", "or not"),
    Mutant("a refused vote counts", "bot/approvals/policy.py", ' and vote.state == "counted"', ""),
    Mutant(
        "who left a group still counts", "bot/approvals/policy.py", "person in electorate.groups.get(group, ())", "True"
    ),
    Mutant("guests count", "bot/approvals/policy.py", "(standing.is_guest,", "(False,"),
    Mutant("who was deactivated counts", "bot/approvals/policy.py", "(standing.is_deactivated,", "(False,"),
    Mutant(
        "a group's own count is not asked for",
        "bot/approvals/policy.py",
        "return enough and seat(terms.counts, supporters).full",
        "return enough",
    ),
    Mutant(
        "the people are not judged again at the first call", "bot/jobs/run.py", "if voters is not None:", "if False:"
    ),
    Mutant(
        "the start is not compared and set",
        "bot/store/runs.py",
        "statement = update(runs).where(runs.c.id == run_id, runs.c.state.in_(before))",
        "statement = update(runs).where(runs.c.id == run_id)",
    ),
    Mutant(
        "an approval's state is not compared and set",
        "bot/store/approvals.py",
        "update(approvals).where(approvals.c.id == approval_id, approvals.c.state == before)",
        "update(approvals).where(approvals.c.id == approval_id)",
    ),
    Mutant(
        "a ledger row that is there does not stop a call",
        "bot/store/runs.py",
        "return written.rowcount == 1",
        "return True",
    ),
    Mutant(
        "drift is not looked for",
        "bot/runbooks/execute.py",
        "                if drifted or live is None:",
        "                if live is None:",
    ),
    Mutant(
        "a lost answer is taken for a failure",
        "bot/runbooks/execute.py",
        "        if failure.in_doubt:",
        "        if False:",
    ),
    Mutant(
        "a step in doubt is sent again", "bot/jobs/run.py", "return None\n        data = {", "pass\n        data = {"
    ),
    Mutant(
        "an untouched object is believed at once",
        "bot/runbooks/execute.py",
        'if verdict == "not applied" and waited_seconds < REQUEST_LIMIT_SECONDS:',
        "if False:",
    ),
)


if __name__ == "__main__":
    sys.exit(main())

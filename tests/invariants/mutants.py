"""Faults planted in the guards, one at a time: the simulation, or the test that is named, must notice each. Says how
many of how many were noticed.

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
SIMULATION = "tests/invariants/test_simulation.py::test_no_sequence"
"""A test's file, or a file and the beginning of a test's name."""


@dataclass(frozen=True)
class Mutant:
    """One fault: in each (file, sound, faulty), the sound text becomes the faulty one. ``by`` is what must notice."""

    what: str
    changes: list[tuple[str, str, str]]
    by: str = SIMULATION


def main() -> int:
    """Plant each fault and play. Returns 0 if every one was noticed."""
    chosen = [mutant for mutant in MUTANTS if not sys.argv[1:] or any(word in mutant.what for word in sys.argv[1:])]
    for by in sorted({mutant.by for mutant in chosen}):
        if noticed(Mutant("no fault at all", [], by)):
            raise SystemExit(f"{by} fails without any fault, so it tells nothing")
    missed = [mutant for mutant in chosen if not noticed(mutant)]
    for mutant in missed:
        print(f"not noticed: {mutant.what}")
    print(f"{len(chosen) - len(missed)} of {len(chosen)} planted faults were noticed")
    return 1 if missed else 0


def noticed(mutant: Mutant) -> bool:
    """Say whether what must notice fails with this fault in a copy of the tree."""
    with tempfile.TemporaryDirectory(prefix="signoff-mutant-") as folder:
        copy = Path(folder)
        for name in ("bot", "tests", "runbooks", "prompts", "docs", "pyproject.toml"):
            source = ROOT / name
            (shutil.copytree if source.is_dir() else shutil.copy)(source, copy / name)
        for file, sound, faulty in mutant.changes:
            before = (copy / file).read_text()
            if before.count(sound) != 1:
                raise SystemExit(f"{mutant.what}: {file} has {before.count(sound)} places that read {sound!r}")
            (copy / file).write_text(before.replace(sound, faulty))
        file_of_test, _, named = mutant.by.partition("::")
        words = [
            sys.executable,
            "-m",
            "pytest",
            "-x",
            "-q",
            "-p",
            "no:cacheprovider",
            file_of_test,
        ]
        environment = os.environ | {"PYTHONPATH": folder, "SIGNOFF_TEST_SEQUENCES": SEQUENCES}
        words += ["--timeout", "900", *(["-k", named] if named else [])]
        done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        said = [line for line in done.stdout.splitlines() if "Faulty" in line]
        failed = done.returncode == 1
        print(
            f"{'noticed' if failed else 'passes '}  {mutant.what}: {said[-1][:160] if said else mutant.by}", flush=True
        )
        return failed


POLICY, ELIGIBLE = "bot/approvals/policy.py", "bot/approvals/eligible.py"
WINDOWS, SEEN, OWNERS = "bot/approvals/windows.py", "bot/runbooks/seen.py", "bot/runbooks/owners.py"
CALLING, EXECUTE = "bot/jobs/calling.py", "bot/runbooks/execute.py"
# What two guards hold is planted in both: either alone is not noticed, and need not be.
MUTANTS = (
    Mutant("expiry is not judged", [(POLICY, "if now >= ends", "if now >= ends + 10**15")]),
    Mutant(
        "a vote on another version counts",
        [
            (POLICY, "if vote.digest != terms.digest:", "if False:"),
            (
                ELIGIBLE,
                'return vote.state == "counted" and vote.digest == self.terms.digest',
                'return vote.state == "counted"',
            ),
        ],
    ),
    Mutant(
        "one human has two votes",
        [
            (ELIGIBLE, "or human in humans or not", "or not"),
            (POLICY, "and any(who.same(each, vote.person) for", "and any(each == vote.person for"),
        ],
    ),
    Mutant(
        "a vote that was refused counts",
        [(ELIGIBLE, 'return vote.state == "counted" and', "return")],
        by="tests/approvals/test_policy.py",
    ),
    Mutant("who left a group counts", [(ELIGIBLE, "(person in now.get(group, ()) or", "(True or")]),
    Mutant("who came to a group later counts", [(ELIGIBLE, "if person in bound and (", "if (")]),
    Mutant("a channel that others share stops nothing", [(POLICY, "if electorate.shared:", "if False:")]),
    Mutant("guests count", [(ELIGIBLE, "(standing.is_guest,", "(False,")]),
    Mutant("who was deactivated counts", [(ELIGIBLE, "(standing.is_deactivated,", "(False,")]),
    Mutant(
        "a group's own count is not asked for",
        [(ELIGIBLE, "return enough and seat(self.terms.counts, supporters).full", "return enough")],
    ),
    Mutant(
        "an approval that was taken back counts",
        [
            ("bot/jobs/vote.py", "approvals.revoke_votes(connection, theirs, verdict=outcome)", "theirs.clear()"),
            ("bot/jobs/vote.py", 'theirs if verdict.outcome == "revoked" else []', "theirs[:0]"),
        ],
    ),
    Mutant(
        "an older copy of a vote counts",
        [("bot/store/approvals.py", ' if words.get(click.vote.id) == "counted"]', "]")],
        by="tests/invariants/test_forgery.py::taken_back",
    ),
    Mutant(
        "who asked approves",
        [
            (POLICY, 'if vote.decision == "approve" and asked and not who.terms.requester_may_approve:', "if False:"),
            (ELIGIBLE, "own = self.asked(vote.person) and not self.terms.requester_may_approve", "own = False"),
        ],
    ),
    Mutant(
        "who was not listed when it was asked for breaks the glass",
        [
            (POLICY, "if vote.person not in who.terms.breakers:", "if False:"),
            (ELIGIBLE, "            and vote.person in self.terms.breakers\n", ""),
        ],
    ),
    Mutant(
        "who is no longer listed breaks the glass",
        [
            (POLICY, "if vote.person not in who.electorate.groups.get(BREAK_GLASS, ()):", "if False:"),
            (ELIGIBLE, "and (hoped or vote.person in listed)", "and True"),
        ],
        by="tests/invariants/test_authority.py",
    ),
    Mutant(
        "a glass that was broken and taken back releases",
        [
            ("bot/jobs/vote.py", 'if each.decision in ("approve", "break")]', 'if each.decision == "approve"]'),
            ("bot/jobs/vote.py", '        if approval.state == "approved":\n', "        if False:\n"),
        ],
        by="tests/system/test_break_glass.py::taken_back_before",
    ),
    Mutant(
        "the glass is broken without a reason",
        [(POLICY, 'if not _reason(vote):\n        return "Breaking', 'if False:\n        return "Breaking')],
    ),
    Mutant(
        "who broke the glass reviews it",
        [(POLICY, "if who.same(vote.person, broken.person):", "if False:")],
    ),
    Mutant("a glass is reviewed twice", [(POLICY, "if reviewed is not None:", "if False:")]),
    Mutant("nothing is judged again at the first call", [(CALLING, "if voters is not None:", "if False:")]),
    Mutant(
        "a run's state is not compared before it is set",
        [("bot/store/runs.py", "runs.c.id == run_id, runs.c.state.in_(before)", "runs.c.id == run_id")],
        by="tests/store/test_runs.py",
    ),
    Mutant(
        "a request's state is not compared before it is set",
        [
            (
                "bot/store/signed.py",
                "if row is None or any(row._mapping[name] != value for name, value in before.items()):",
                "if row is None:",
            ),
            ("bot/store/signed.py", ", *(table.c[name] == value for name, value in before.items()))", ")"),
            (
                POLICY,
                "legal = step(approval.state, _EVENTS[vote.decision]",
                'legal = step("pending", _EVENTS[vote.decision]',
            ),
        ],
    ),
    Mutant(
        "a ledger row that is there stops no call",
        [("bot/store/runs.py", "return written.rowcount == 1", "return True")],
        by="tests/store/test_runs.py",
    ),
    Mutant(
        "an answer that was lost is taken for a failure",
        [(EXECUTE, "        if failure.in_doubt and not action.reads_only:", "        if False:")],
    ),
    Mutant(
        "an untouched object is believed at once",
        [(EXECUTE, 'if verdict == "not applied" and waited_seconds < REQUEST_LIMIT_SECONDS:', "if False:")],
    ),
    Mutant(
        "what is in doubt is believed before nothing of it can be under way any more",
        [("bot/jobs/reading_back.py", "    until = last + ledger.SETTLED_AFTER_US\n", "    until = last\n")],
    ),
    Mutant(
        "what is sent is not what was signed",
        [
            (
                EXECUTE,
                "call = Call.of_record(recorded)",
                'call = Call.of_record({**recorded, "path": recorded["path"] + "-2"})',
            )
        ],
    ),
    Mutant(
        "a denial stops no start",
        [(POLICY, "    if denials:\n", "    if False:\n")],
        by="tests/invariants/test_authority.py",
    ),
    Mutant(
        "a closed window is open",
        [("bot/approvals/windows.py", "    if not closed:\n", "    if True:\n")],
        by="tests/approvals/test_windows.py",
    ),
    Mutant(
        "actions that are off hold nothing",
        [("bot/jobs/holds.py", "if stop is not None:", "if False:")],
        by="tests/jobs/test_holds.py",
    ),
    Mutant(
        "actions that are off do not stop what is sent again",
        [(EXECUTE, 'why = await stopped() if again else ""', 'why = ""')],
        by="tests/jobs/test_calling.py",
    ),
    Mutant(
        "a run that stood still is not judged again",
        [
            (
                CALLING,
                "voters_of(world, request) if ordinal == 0 or anew else None",
                "voters_of(world, request) if ordinal == 0 else None",
            )
        ],
        by="tests/jobs/test_calling.py",
    ),
    Mutant(
        "a denial that is not judged yet is not waited for",
        [
            (
                "bot/jobs/starting.py",
                "if not begun and approvals.is_opposed(connection, request.approval.id):",
                "if False:",
            )
        ],
        by="tests/jobs/test_starting.py",
    ),
    Mutant(
        "time stands while the clock is behind",
        [("bot/store/steady.py", "if self._behind else 0", "if False else 0")],
        by="tests/store/test_clock.py",
    ),
    Mutant(
        "a lock that is held is taken",
        [("bot/store/locks.py", "if taken.get(key, run_id) != run_id", "if False")],
        by="tests/store/test_locks.py",
    ),
    Mutant(
        "what moved has not drifted",
        [(EXECUTE, "if _is_first(plan, ordinal)]", "if False]")],
        by="tests/runbooks/test_execute.py",
    ),
    Mutant(
        "drift: the fields are not compared",
        [(EXECUTE, 'if fingerprint(fields) != call["fields"]:', "if False:")],
        by="tests/runbooks/test_execute.py",
    ),
    Mutant(
        "drift: an object made anew is the same",
        [(EXECUTE, 'if target.uid and live["metadata"]["uid"] != target.uid:', "if False:")],
        by="tests/runbooks/test_execute.py",
    ),
    Mutant(
        "drift: what moved is said with its secrets",
        [(SEEN, "diff.values(redact(named))", "diff.values(named)")],
        by="tests/runbooks/test_seen.py",
    ),
    Mutant(
        "drift: another key makes every secret another one",
        [(SEEN, "if before.get(_KEY) != _key(redact):", "if False:")],
        by="tests/runbooks/test_seen.py",
    ),
    Mutant(
        "owners: who came later is not looked for",
        [(EXECUTE, 'if owner.name not in call["owners"])', "if False)")],
        by="tests/runbooks/test_owners.py",
    ),
    Mutant(
        "owners: an autoscaler that came later is not asked for",
        [(OWNERS, 'if "autoscaler" in reverted_by else None', "if False else None")],
        by="tests/runbooks/test_owners.py",
    ),
    Mutant(
        "owners: the call itself does not look again",
        [
            (
                EXECUTE,
                "                drifted += await _owned(plan, ordinal, live, access)\n                if drifted:",
                "                if drifted:",
            )
        ],
        by="tests/runbooks/test_owners.py",
    ),
    Mutant(
        "owners: nothing is taken back where somebody came to own it",
        [(EXECUTE, 'if live is None or call["undoes"] is not None:', "if live is None:")],
        by="tests/runbooks/test_owners.py",
    ),
    Mutant(
        "windows: a freeze gives way to a time that is allowed",
        [
            (
                WINDOWS,
                "    if denying is not None:\n",
                "    if denying is not None and not any(each.kind == 'allow' for each in windows):\n",
            )
        ],
        by="tests/approvals/test_windows.py",
    ),
    Mutant(
        "windows: outside of what is allowed all is",
        [(WINDOWS, "if allowing and not any(_ends(each, now) for each in allowing):", "if False:")],
        by="tests/approvals/test_windows.py",
    ),
    Mutant(
        "windows: a freeze in the hour that comes twice holds once",
        [(WINDOWS, 'folds = (0, 1) if window.kind == "deny" else (0,)', "folds = (0,)")],
        by="tests/approvals/test_windows.py",
    ),
    Mutant(
        "windows: the clock of a time zone is that of UTC",
        [(WINDOWS, "    zone = cron.zone(window.time_zone)\n", '    zone = cron.zone("UTC")\n')],
        by="tests/approvals/test_windows.py",
    ),
    Mutant(
        "a click is judged by who was in a group long ago",
        [("bot/jobs/vote.py", "    if stale and not last:\n        raise _Stale(now)\n", "    stale = False\n")],
    ),
    Mutant(
        "a run begins by who was in a group long ago",
        [("bot/jobs/starting.py", "if people.at(now).age_ms > FOR_AN_APPROVAL * 1000:", "if False:")],
        by="tests/jobs/test_starting.py::asked_once_more",
    ),
    Mutant(
        "off: who turned actions on first need not be one who may",
        [("bot/approvals/stopping.py", '    if _unfit("on", first.person, electorate):\n', "    if False:\n")],
        by="tests/approvals/test_stopping.py",
    ),
    Mutant(
        "off: it waits for Slack",
        [("bot/jobs/stopping.py", 'at_once = wish == "off" and', 'at_once = wish == "never" and')],
        by="tests/system/test_sign_off.py::at_once_also_when_slack_hangs",
    ),
    Mutant(
        "off: one person alone turns actions on",
        [("bot/approvals/stopping.py", "if electorate.human(first.person) == electorate.human(person):", "if False:")],
        by="tests/approvals/test_stopping.py",
    ),
    Mutant(
        "off: what somebody wanted long ago still counts for on",
        [
            (
                "bot/approvals/stopping.py",
                "if first is not None and now - first.at <= ASKED_FOR_US else None",
                "if first is not None else None",
            )
        ],
        by="tests/approvals/test_stopping.py",
    ),
    Mutant(
        "off: a retry is made all the same",
        [
            (
                CALLING,
                "    if stop is not None:\n        return stop.sentence\n",
                "    if False:\n        return stop.sentence\n",
            )
        ],
        by="tests/jobs/test_calling.py::tried_again_stops",
    ),
    Mutant(
        "a run with a row in its ledger ends with its request",
        [("bot/store/runs.py", "if run is None or has_begun(connection, run):", "if run is None:")],
        by="tests/store/test_runs.py",
    ),
    Mutant(
        "a signature of anybody's fits",
        [("bot/domain/keys.py", 'if not same(digest(key, prefix + data, "sha256").hex(), mac):', "if False:")],
        by="tests/domain/test_keys.py",
    ),
    Mutant(
        "the audit contradicts nothing",
        [("bot/approvals/record.py", "    if ended is not None:\n", "    if False:\n")],
        by="tests/approvals/test_record.py",
    ),
    Mutant(
        "a changed row of the audit is taken",
        [("bot/domain/chain.py", "if value != stored or previous != head:", "if previous != head:")],
        by="tests/domain/test_chain.py",
    ),
    Mutant(
        "a word of nobody's turns actions on",
        [("bot/store/stops.py", "    if fault:\n", "    if False:\n")],
        by="tests/store/test_stops.py",
    ),
    Mutant(
        "who may is believed however long ago it was read",
        [("bot/clients/slack_directory.py", "kept.asked_at >= asked - max_age if", "kept.asked_at <= asked if")],
        by="tests/clients/test_slack_directory.py",
    ),
    Mutant(
        "there is no most of targets",
        [("bot/runbooks/resolve.py", "min(where.reach.max_targets, MOST_TARGETS)", "MOST_TARGETS")],
        by="tests/runbooks/test_resolve.py",
    ),
)


if __name__ == "__main__":
    sys.exit(main())

"""A CI run that ended: what GitHub tells of it, and the row that keeps it."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.github import RunEvent


@dataclass(frozen=True, slots=True)
class CiRun(RunEvent):
    """One attempt of a workflow run (or another app's suite of checks, which has no logs here), as stored."""

    id: str

    @property
    def name(self) -> str:
        """The name people use, ``shop/deploy run 30433642``; of a later attempt it says which."""
        again = f", attempt {self.attempt}" if self.attempt > 1 else ""
        return f"{self.repository} run {self.run_id}{again}"

"""What is on offer to an analyst: runbooks whose parameters an answer could ever fill in, and no others."""

from pathlib import Path

from bot.analysis.offers import RunbookOffer, proposable
from bot.runbooks.catalogue import load

RUNBOOKS = load(Path(__file__).parents[2] / "runbooks").runbooks


def test_of_the_shipped_runbooks_those_about_an_object_of_the_inventory_are_on_offer() -> None:
    on_offer = {name for name, runbook in RUNBOOKS.items() if proposable(RunbookOffer.of(runbook))}
    assert on_offer == {
        "delete-pod",
        "evict-pod",
        "pause-rollout",
        "rerun-failed-jobs",
        "restart-daemon-set",
        "restart-deployment",
        "restart-stateful-set",
        "resume-cron-job",
        "resume-rollout",
        "revert-pull-request",
        "rollback-daemon-set",
        "rollback-deployment",
        "rollback-stateful-set",
        "scale-deployment",
        "scale-stateful-set",
        "suspend-cron-job",
    }

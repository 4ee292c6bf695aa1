"""A CronJob is suspended by one field; Jobs that run are left alone."""

from __future__ import annotations

from typing import Any

import pytest

from bot.runbooks.actions.suspend import Resume, Suspend
from bot.runbooks.resources import CRON_JOB
from tests.runbooks.actions.rendering import after, another, live, read_back, rendered, target

REPORT = target(CRON_JOB, "report")


def report(**spec: Any) -> dict[str, Any]:
    return live("report", spec={"schedule": "0 3 * * *", **spec})


ACTIVE, SUSPENDED = report(suspend=False), report(suspend=True)


@pytest.mark.parametrize(
    ("action", "now", "left", "says"),
    [
        (Suspend(), ACTIVE, SUSPENDED, "starts no more Jobs (its schedule is 0 3 * * *); those that run are left"),
        (Resume(), SUSPENDED, ACTIVE, "starts Jobs again on its schedule, 0 3 * * *; one that was missed may start"),
    ],
)
def test_one_field_is_written_and_the_inverse_takes_it_back(action: Suspend, now: Any, left: Any, says: str) -> None:
    made = rendered(action, REPORT, now)
    assert f"CronJob shop/report {says}" in made.effect[0]
    assert after(now, made.call) == left
    assert after(left, made.inverse) == now


def test_each_is_the_others_inverse_and_needs_its_state() -> None:
    assert (Suspend.inverse, Resume.inverse) == (Resume.name, Suspend.name)
    assert (Suspend.requires, Resume.requires) == ({"cron-job-active"}, {"cron-job-suspended"})


def test_it_patches_cron_jobs_and_nothing_else() -> None:
    assert Suspend.verbs == Resume.verbs == {CRON_JOB.verb("patch")}


def test_a_schedule_without_end_is_cut() -> None:
    made = rendered(Suspend(), REPORT, report(schedule="*" * 5_000))
    assert len(made.effect[0]) < 300


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (SUSPENDED, "applied"),
        (ACTIVE, "not applied"),
        (report(), "not applied"),
        (report(suspend=True, schedule="1 1 * * *"), "applied"),
        (another(SUSPENDED), "cannot tell"),
        (None, "cannot tell"),
    ],
)
def test_reading_back_looks_at_the_field_alone(found: Any, verdict: str) -> None:
    assert read_back(Suspend(), ACTIVE, SUSPENDED, found) == verdict

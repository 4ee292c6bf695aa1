"""A plan: the bytes that were digested are the bytes that run."""

import pytest

from bot.domain.plan import SCHEMA, Plan

RECORD = {"schema": SCHEMA, "calls": [{"action": "a"}], "targets": [{"uid": "u1"}], "cluster": "prod"}


def test_a_stored_plan_reads_back_as_it_was_made() -> None:
    made = Plan.of(RECORD)
    assert Plan.stored(made.canonical, made.digest) == made
    assert made.calls == RECORD["calls"]
    assert made.targets == RECORD["targets"]


def test_one_changed_byte_is_another_plan() -> None:
    made = Plan.of(RECORD)
    with pytest.raises(ValueError, match="digest"):
        Plan.stored(made.canonical.replace(b"prod", b"pred"), made.digest)


@pytest.mark.parametrize("record", [{**RECORD, "schema": SCHEMA + 1}, {"calls": []}, ["schema"]])
def test_a_plan_of_another_schema_is_not_run(record) -> None:
    made = Plan.of(record)
    with pytest.raises(ValueError, match="schema"):
        Plan.stored(made.canonical, made.digest)


def test_the_record_cannot_drift_from_its_bytes() -> None:
    record = {**RECORD, "parameters": {"name": "checkout"}}
    made = Plan.of(record)
    record["parameters"]["name"] = "payments"
    assert made.record["parameters"] == {"name": "checkout"}

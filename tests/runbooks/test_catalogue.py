"""The catalogue: typed runbooks under one digest, or all problems at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.domain.runbook import ApprovalNeeds, Check, Step, Verification
from bot.runbooks.catalogue import Catalogue, RunbookError, load


def test_the_shipped_catalogue_is_typed(catalogue: Catalogue) -> None:
    assert {"delete-pod", "drain-node", "rollback-deployment", "silence-alerts"} < set(catalogue.runbooks)
    rollback = catalogue.runbooks["rollback-deployment"]
    arguments = {"revision": "${parameters.revision}"}
    assert rollback.steps == (Step("rollback", "deployment-rollback", arguments, 30, idempotency="safe"),)
    assert rollback.preconditions == (Check("rollout-not-paused", {}),)
    assert rollback.verification == Verification(Check("rollout-healthy", {}), 600, 10)
    assert rollback.approval == ApprovalNeeds(1, 3600)
    assert Path(rollback.path).name == "rollback-deployment.yaml"


def test_a_runbook_says_that_it_is_not_released_by_break_glass(tmp_path: Path, shipped: dict[str, str]) -> None:
    text = shipped["delete-pod.yaml"]
    (tmp_path / "delete-pod.yaml").write_text(
        text.replace("ttl_seconds: 3600", "ttl_seconds: 3600\n  break_glass: false")
    )
    assert not load(tmp_path).runbooks["delete-pod"].approval.break_glass


def test_any_change_of_meaning_changes_both_digests_and_layout_none(
    tmp_path: Path, shipped: dict[str, str], catalogue: Catalogue
) -> None:
    for name, text in shipped.items():
        (tmp_path / name).write_text(text)
    target = tmp_path / "delete-pod.yaml"
    assert load(tmp_path).digest == catalogue.digest
    target.write_text("# a remark\n" + shipped["delete-pod.yaml"].replace("version: 1", "version:   1"))
    assert load(tmp_path).digest == catalogue.digest
    target.write_text(shipped["delete-pod.yaml"].replace("ttl_seconds: 3600", "ttl_seconds: 3601"))
    changed = load(tmp_path)
    assert changed.digest != catalogue.digest
    assert changed.runbooks["delete-pod"].digest != catalogue.runbooks["delete-pod"].digest
    assert changed.runbooks["restart-deployment"].digest == catalogue.runbooks["restart-deployment"].digest


def test_one_problem_means_that_nothing_loads(tmp_path: Path, shipped: dict[str, str]) -> None:
    for name, text in shipped.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "bad.yaml").write_text("id: bad\n")
    with pytest.raises(RunbookError) as caught:
        load(tmp_path)
    assert {Path(problem.file).name for problem in caught.value.problems} == {"bad.yaml"}
    assert "bad.yaml:1: title is missing" in str(caught.value)

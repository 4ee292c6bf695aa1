"""Noticing them all takes an hour. That each can still be planted, and who is to notice it, is seen here."""

from __future__ import annotations

import re

import pytest

from tests.invariants.mutants import MUTANTS, ROOT, Mutant


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.what)
def test_a_fault_has_its_place_in_the_code_and_a_test_that_is_to_notice_it(mutant: Mutant) -> None:
    for file, sound, faulty in mutant.changes:
        assert (ROOT / file).read_text().count(sound) == 1, f"{file} has no longer one place that reads {sound!r}"
        assert sound != faulty
    file, _, named = mutant.by.partition("::")
    assert re.search(rf"def test_\w*{re.escape(named.removeprefix('test_'))}", (ROOT / file).read_text())


def test_no_two_faults_have_one_name() -> None:
    assert len({mutant.what for mutant in MUTANTS}) == len(MUTANTS)

"""The exact change: whole on the card, or in a file that is proven to be it."""

from __future__ import annotations

import json

from bot.chat.plan_change import attachment, exact_change, proven, shown_whole
from tests.chat.samples import DIFF, approval, record
from tests.chat.test_approval_card import BEGINNING, LONG


def test_a_change_that_fits_needs_no_file() -> None:
    plan = record()
    assert attachment(approval(plan), plan, DIFF) is None


def test_a_change_of_one_line_more_than_fits_is_not_shown_whole() -> None:
    assert shown_whole(record())
    assert not shown_whole(record(diff=LONG, shown=BEGINNING, complete=False))


def test_only_the_text_that_the_plan_names_proves_it() -> None:
    plan = record(diff=LONG, shown=BEGINNING, complete=False)
    assert proven(plan, LONG)
    assert not proven(plan, LONG + " ")
    assert not proven({}, "")


def test_what_is_left_out_is_counted_and_the_file_is_named() -> None:
    plan = record(diff=LONG, shown=BEGINNING, complete=False)
    entry = plan["dry_run"][0]
    said = json.dumps(exact_change({**plan, "dry_run": [entry, {**entry, "diff": ""}]}))
    assert "1 more changes are in the file with SHA-256" in said
    assert "none recorded" in json.dumps(exact_change({}))

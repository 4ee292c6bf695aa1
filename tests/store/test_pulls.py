from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import update

from bot.domain.github import CommandEvent, PullEvent
from bot.domain.review import Finding, PullRequest, Review
from bot.store import pulls, work
from bot.store.database import Database
from bot.store.tables import pulls as pull_rows
from bot.store.unreadable import UnreadableRow

OPENED = PullEvent("shop/deploy", 7, "opened", "a" * 40, False, "", "Faster", "dana", "u", True, 1000)
FACTS = PullRequest("shop/deploy", 7, "Faster", "", "dana", "u", "main", "b" * 40, "change", "a" * 40)
FINDING = Finding(
    "f" * 16, "k8s-probe", "availability", "high", "high", "app.yaml", "LEFT", 3, 3, "readinessProbe:", "why"
)
REVIEW = Review("a" * 40, "one thing", (FINDING,), (), "rules")


def test_a_pull_request_is_one_row_whatever_the_case_of_its_name(database: Database) -> None:
    row_id, generation = database.write_now(lambda c: pulls.accept(c, OPENED))
    again = replace(OPENED, repository="Shop/Deploy", head_sha="c" * 40, at=2000)
    assert database.write_now(lambda c: pulls.accept(c, again)) == (row_id, 2)
    assert generation == 1
    assert database.read_now(lambda c: pulls.get(c, row_id)).head_sha == "c" * 40


def test_what_is_older_changes_nothing(database: Database) -> None:
    row_id, _ = database.write_now(lambda c: pulls.accept(c, OPENED))
    late = replace(OPENED, action="closed", at=999)
    assert database.write_now(lambda c: pulls.accept(c, late)) == (row_id, None)
    assert database.read_now(lambda c: pulls.get(c, row_id)).state == "open"


def test_what_was_closed_in_the_same_second_is_opened_only_by_what_says_so(database: Database) -> None:
    row_id, _ = database.write_now(lambda c: pulls.accept(c, replace(OPENED, action="closed", merged=True)))
    assert database.write_now(lambda c: pulls.accept(c, replace(OPENED, action="synchronize"))) == (row_id, None)
    assert database.read_now(lambda c: pulls.get(c, row_id)).state == "merged"
    database.write_now(lambda c: pulls.accept(c, replace(OPENED, action="reopened")))
    assert database.read_now(lambda c: pulls.get(c, row_id)).state == "open"


def test_a_newer_push_or_a_close_overtakes_a_job(database: Database) -> None:
    row_id, _ = database.write_now(lambda c: pulls.accept(c, OPENED))
    assert not database.read_now(lambda c: pulls.overtaken(c, row_id, 1))
    database.write_now(lambda c: pulls.accept(c, replace(OPENED, action="synchronize", at=2000)))
    assert database.read_now(lambda c: pulls.overtaken(c, row_id, 1))
    assert not database.read_now(lambda c: pulls.overtaken(c, row_id, 2))
    database.write_now(lambda c: pulls.accept(c, replace(OPENED, action="closed", at=3000)))
    assert database.read_now(lambda c: pulls.overtaken(c, row_id, 3))


def test_a_review_is_kept_as_it_is(database: Database) -> None:
    row_id, _ = database.write_now(lambda c: pulls.accept(c, OPENED))
    database.write_now(lambda c: pulls.keep_review(c, row_id, FACTS, REVIEW))
    found = database.read_now(lambda c: pulls.get(c, row_id))
    assert (found.review, found.facts, found.findings) == (REVIEW, FACTS, (FINDING,))
    assert (found.reviewed_sha, found.posted_sha) == ("a" * 40, "")


def test_a_row_that_cannot_be_read_says_so(database: Database) -> None:
    row_id, _ = database.write_now(lambda c: pulls.accept(c, OPENED))
    database.write_now(lambda c: c.execute(update(pull_rows).values(review={"head_sha": 3})))
    with pytest.raises(UnreadableRow, match="pulls row"):
        database.read_now(lambda c: pulls.get(c, row_id))


def test_who_asks_is_answered_unless_somebody_asked_since(database: Database) -> None:
    row_id, generation = database.write_now(lambda c: pulls.ask(c, "shop/deploy", 7, by="github:lee"))
    _, newer = database.write_now(lambda c: pulls.ask(c, "shop/deploy", 7, by="slack:U0LEE"))
    database.write_now(lambda c: pulls.answered_request(c, row_id, generation))
    assert database.read_now(lambda c: pulls.get(c, row_id)).asked_by == "slack:U0LEE"
    database.write_now(lambda c: pulls.answered_request(c, row_id, newer))
    assert database.read_now(lambda c: pulls.get(c, row_id)).asked_by == ""


def test_a_review_that_was_asked_for_is_kept_once_for_each_time_it_is(database: Database) -> None:
    spelt = replace(FACTS, repository="Shop/Deploy")
    row_id, _ = database.write_now(lambda c: pulls.ask(c, "SHOP/deploy", 7, by="github:lee"))

    def kept() -> tuple[bool, str]:
        row = database.read_now(lambda c: pulls.get(c, row_id))
        return row.asked_kept, row.repository

    database.write_now(lambda c: pulls.keep_review(c, row_id, spelt, REVIEW))
    assert kept() == (True, "Shop/Deploy"), "by the name that GitHub gives it"
    _, newer = database.write_now(lambda c: pulls.ask(c, "shop/deploy", 7, by="github:lee"))
    assert not kept()[0]
    database.write_now(lambda c: pulls.answered_request(c, row_id, newer))
    database.write_now(lambda c: pulls.keep_review(c, row_id, spelt, REVIEW))
    assert not kept()[0], "nobody asked"


def test_open_pull_requests_are_found_by_their_head(database: Database) -> None:
    database.write_now(lambda c: pulls.accept(c, OPENED))
    database.write_now(lambda c: pulls.accept(c, replace(OPENED, number=8, action="closed")))
    database.write_now(lambda c: pulls.accept(c, replace(OPENED, repository="else/where")))
    assert [p.number for p in database.read_now(lambda c: pulls.with_head(c, "Shop/deploy", "a" * 40))] == [7]


def test_a_command_is_stored_once(database: Database) -> None:
    event = CommandEvent("shop/deploy", 7, 99, "lee", "review")
    row_id, _ = database.write_now(lambda c: pulls.accept_command(c, event, now=5))
    assert database.write_now(lambda c: pulls.accept_command(c, event, now=6)) == (row_id, 2)
    database.write_now(lambda c: pulls.answered(c, row_id, "done"))
    found = database.read_now(lambda c: pulls.command(c, row_id))
    assert (found.author, found.text, found.answer) == ("lee", "review", "done")
    assert found.pull_id == pulls.pull_id("SHOP/DEPLOY", 7)
    assert len(database.read_now(lambda c: work.due(c, now=10))) == 1

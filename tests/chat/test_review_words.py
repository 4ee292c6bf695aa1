from dataclasses import replace

import pytest

from bot.chat.review_words import analyst, counts, link, place, web
from tests.chat.reviews import FINDING, PULL_REQUEST, finding, review


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/acme/shop/pull/12/..",
        "https://github.com/acme/shop/pull/13",
        "https://github.com/acme/other/pull/12",
        "javascript://github.com/acme/shop/pull/12",
        "https://user:pw@github.com/acme/shop/pull/12",
        "https://github.com/acme/shop/pull/12)[x](https://evil.example",
        "",
    ],
)
def test_only_githubs_own_address_becomes_a_link(address):
    assert web(replace(PULL_REQUEST, url=address)) == ""
    assert link(replace(PULL_REQUEST, url=address), FINDING) == ""


def test_a_line_has_githubs_own_anchor():
    assert link(PULL_REQUEST, FINDING) == (
        "https://github.com/acme/shop/pull/12/files"
        "#diff-dc86da629baaa962984862c8602f7fc993a5afc6dab412efafc93a974f181b56L14"
    )


def test_places_are_said_as_people_say_them():
    assert place(FINDING) == "removed line 14"
    assert place(replace(FINDING, side="RIGHT", start_line=12)) == "lines 12-14"
    assert place(replace(FINDING, start_line=0, line=0)) == "the whole file"
    assert "L0" not in link(PULL_REQUEST, replace(FINDING, start_line=0, line=0))


def test_counts_are_of_what_is_open():
    assert counts(review()) == "0 open findings"
    assert counts(review(finding(1), finding(2, severity="medium"), finding(3, state="resolved"))) == (
        "2 open findings, 1 of them grave"
    )


def test_who_read_it_is_said():
    assert analyst(review()) == "Read by fixed rules alone: no model."
    assert analyst(review(note="rules: the model is overloaded (HTTP 529)")) == (
        "Read by fixed rules alone: the model is overloaded (HTTP 529)."
    )
    assert analyst(review(analyst="claude-haiku-5-5", note="")) == "Read by fixed rules and the model claude-haiku-5-5."

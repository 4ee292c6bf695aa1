from dataclasses import replace

import pytest

from bot.chat.check_run import check_run, gravest
from bot.domain.review import ChangedFile
from tests.chat.reviews import FINDING, HEAD, HOSTILE, PULL_REQUEST, active, finding, rendered, review

UNREAD = ChangedFile("big.tf", "modified", lines=9, why="over budget")
BLOCKER = replace(FINDING, severity="critical")


@pytest.mark.parametrize(
    ("found", "blocking", "conclusion"),
    [
        (review(), True, "success"),
        (review(files=(UNREAD,)), True, "neutral"),
        (review(FINDING), True, "neutral"),
        (review(BLOCKER), True, "failure"),
        (review(BLOCKER), False, "neutral"),
        (review(replace(BLOCKER, state="dismissed")), True, "success"),
    ],
)
def test_only_a_blocker_fails_and_only_where_that_is_wanted(found, blocking, conclusion):
    assert check_run(PULL_REQUEST, found, blocking=blocking)["conclusion"] == conclusion


def test_it_says_the_verdict_and_where_to_read_more():
    made = check_run(PULL_REQUEST, review(FINDING, files=(UNREAD,)), blocking=False)
    assert made == {
        "name": "Signoff",
        "head_sha": HEAD,
        "status": "completed",
        "conclusion": "neutral",
        "external_id": f"signoff:{HEAD}",
        "details_url": "https://github.com/acme/shop/pull/12",
        "output": {
            "title": "Risk high: 1 open finding, 1 of them grave",
            "summary": "Signoff: look at this before it is merged.\n\nDrops a probe.\n\nNot all was read: 1 file.\n\n"
            "Read by fixed rules alone: no model.",
        },
    }


def test_a_summary_is_text_and_a_hostile_address_no_link():
    made = check_run(replace(PULL_REQUEST, url=HOSTILE), review(finding(1), summary=HOSTILE), blocking=True)
    assert active(rendered(made["output"]["summary"])) == []
    assert "details_url" not in made


def test_of_two_reviews_of_one_commit_the_graver_is_shown():
    calm, grave = (replace(PULL_REQUEST, number=2), review()), (PULL_REQUEST, review(BLOCKER))
    unread = (replace(PULL_REQUEST, number=3), review(files=(UNREAD,)))
    assert gravest([calm, grave, unread]) == gravest([grave, unread, calm]) == grave
    assert gravest([calm, unread]) == unread

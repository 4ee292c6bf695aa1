import re
from dataclasses import replace

import pytest

from bot.chat.pull_request_comment import comment, is_ours, unreviewed
from bot.chat.review_comments import MAX_BODY
from bot.domain.review import ChangedFile
from tests.chat.reviews import FINDING, HOSTILE, PULL_REQUEST, active, finding, links, rendered, review

UNREAD = ChangedFile("big.tf", "modified", lines=900, kept_lines=10, why="over budget")


def test_what_is_not_reviewed_says_why_and_only_explains():
    said = unreviewed("it is a draft", sections=["**CI failed** at `a`"])
    assert is_ours(said)
    assert said == (
        "<!-- signoff:pull-request -->\n### Signoff\n\n"
        "Not reviewed: it is a draft. Why CI fails is explained here.\n\n"
        "**CI failed** at `a`\n\n"
        "<sub>Comment `@signoff review` to have it reviewed.</sub>"
    )
    assert "No CI failure is known." in unreviewed("it is a draft", sections=[""])


def test_the_whole_comment_on_one_page():
    found = review(
        FINDING,
        finding(3, why="Old.", state="resolved"),
        finding(4, why="Known.", state="dismissed", reason="by ann: a test cluster"),
        files=(UNREAD, ChangedFile("logo.png", "added", notes=("binary",), why="binary")),
        dropped={"finding that quotes nothing": 2},
    )
    address = (
        "https://github.com/acme/shop/pull/12/files"
        "#diff-dc86da629baaa962984862c8602f7fc993a5afc6dab412efafc93a974f181b56L14"
    )
    assert comment(PULL_REQUEST, found) == (
        "<!-- signoff:pull-request -->\n"
        "### ⚠️ Signoff: look at this before it is merged\n\n"
        "**Risk high** · 1 open finding, 1 of them grave · `bbbbbbbbbbbb`\n\n"
        "Drops a probe.\n\n"
        "- 🟠 **high** Traffic reaches pods that are not ready. · `k8s/probe-removed`\n"
        f"  `deploy/shop.yaml` [removed line 14]({address}) (id `{FINDING.id}`)\n\n"
        "<details><summary>Not read, or not all of it: 2 files</summary>\n\n"
        "- `big.tf`: 10 of 900 changed lines read (over budget)\n"
        "- `logo.png`: binary\n\n"
        "</details>\n\n"
        "<details><summary>1 resolved</summary>\n\n"
        "- high `deploy/shop.yaml`: Old. (id `00000000`)\n\n"
        "</details>\n\n"
        "<details><summary>1 dismissed</summary>\n\n"
        "- high `deploy/shop.yaml`: Known. Dismissed: by ann: a test cluster (id `00000000`)\n\n"
        "</details>\n\n"
        "<sub>Read by fixed rules alone: no model. 2 claims of the model did not verify and were left out. "
        "Comment `@signoff review` or `@signoff dismiss <id> <why>`.</sub>"
    )


def test_it_is_ours_only_if_it_begins_so():
    made = comment(PULL_REQUEST, review())
    assert is_ours(made)
    assert not is_ours(f"> {made}")


def test_one_rule_told_sixty_times_is_one_line():
    text = comment(PULL_REQUEST, review(*(finding(n) for n in range(60))))
    assert text.count("Traffic reaches") == 1
    assert "and 56 more places" in text


def test_the_rest_is_folded_and_not_lost():
    text = comment(PULL_REQUEST, review(*(finding(n, rule="", why=f"Reason {n}.") for n in range(12))))
    assert "<summary>4 more open</summary>" in text
    assert all(f"Reason {n}." in text for n in range(12))


def test_files_that_github_did_not_list_are_said():
    assert "- 3 changed files that GitHub did not list" in comment(PULL_REQUEST, review(unlisted=3))


@pytest.mark.parametrize("url", [PULL_REQUEST.url, HOSTILE])
def test_nothing_that_a_stranger_wrote_becomes_more_than_text(url):
    hostile = {"why": HOSTILE, "path": HOSTILE, "rule": HOSTILE, "quote": HOSTILE, "reason": HOSTILE}
    found = review(
        *(finding(n, **hostile, state=state) for n, state in enumerate(["open", "open", "resolved", "dismissed"])),
        files=(
            ChangedFile(HOSTILE, HOSTILE, lines=9, notes=(HOSTILE,), why=HOSTILE),
            ChangedFile(HOSTILE, "x", notes=("binary",), why=HOSTILE),
        ),
        summary=HOSTILE,
        analyst=HOSTILE,
    )
    text = comment(replace(PULL_REQUEST, url=url, title=HOSTILE, body=HOSTILE), found, notes=[HOSTILE])
    page = rendered(text)
    assert active(page) == []
    assert all(found.startswith("https://github.com/acme/shop/pull/12/files#diff-") for found in links(page))
    assert page.count("<details>") == page.count("</details>") == 3
    assert [line for line in text.split("\n") if line.startswith("<!--")] == ["<!-- signoff:pull-request -->"]


@pytest.mark.parametrize(("number", "why"), [(50, "\u0434" * 600), (250, "\U0001f525" * 590), (300, "&" * 600)])
def test_however_much_there_is_to_say_what_was_not_read_is_said_and_how_to_answer(number, why):
    big = [finding(n, rule="", why=f"{n} {why}", path="p" * 300) for n in range(number)]
    known = [finding(1000 + n, why=why, state="dismissed", reason=f"by ann: {why}") for n in range(40)]
    files = tuple(replace(UNREAD, path="\u00e9" * 300) for _ in range(900))
    text = comment(PULL_REQUEST, review(*big, *known, files=files), notes=[why], sections=["s" * 9000])
    assert len(text.encode()) <= MAX_BODY
    assert "**Risk high**" in text
    assert "Not read, or not all of it: 900 files" in text
    assert text.endswith("`@signoff dismiss <id> <why>`.</sub>")
    assert "<summary>40 dismissed</summary>" in text
    told = [n for n in range(number) if f"** {n} " in text]
    assert told == list(range(len(told)))
    folded = int(re.search(r"<summary>(\d+) more open</summary>", text)[1])
    before_the_fold = text[: text.index("more open")]
    assert folded + before_the_fold.count("**high**") == number


def test_a_part_that_does_not_fit_is_said_to_be_missing():
    text = comment(PULL_REQUEST, review(FINDING), sections=["s" * 70_000])
    assert "_More did not fit here._" in text
    assert text.endswith("</sub>")

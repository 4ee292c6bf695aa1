from dataclasses import replace

from bot.chat.review_comments import MAX_BODY, body, chosen, comments, fingerprint_of, is_of, said
from tests.chat.reviews import FINDING, HEAD, HOSTILE, active, finding, links, rendered, review


def text(**more) -> str:
    return comments([replace(FINDING, **more)])[0]["body"]


def test_a_comment_stands_at_its_line_with_its_reason():
    (made,) = comments([FINDING])
    assert (made["path"], made["side"], made["line"]) == ("deploy/shop.yaml", "LEFT", 14)
    assert "start_line" not in made
    assert made["body"] == (
        f"<!-- signoff:finding {FINDING.fingerprint} -->\n"
        "🟠 **high** availability · `k8s/probe-removed`\n\n"
        "Traffic reaches pods that are not ready.\n\n"
        "```\n        readinessProbe:\n```\n\n"
        f"<sub>Not a problem? Comment `@signoff dismiss {FINDING.id} <why>`</sub>"
    )


def test_several_lines_have_a_start_on_the_same_side():
    (made,) = comments([replace(FINDING, side="RIGHT", start_line=12)])
    assert (made["start_line"], made["line"], made["start_side"], made["side"]) == (12, 14, "RIGHT", "RIGHT")


def test_a_suggestion_is_a_block_that_holds_it_to_the_byte_whatever_is_in_it():
    nasty = "  a: ```\n  ````\n@x"
    said_ = text(side="RIGHT", suggestion=nasty)
    assert f"\n`````suggestion\n{nasty}\n`````\n" in said_
    assert "readinessProbe" not in said_
    assert "```suggestion\n```" in text(side="RIGHT", suggestion="")


def test_nothing_that_a_stranger_wrote_becomes_more_than_text():
    hostile = text(why=HOSTILE, quote=HOSTILE, suggestion=HOSTILE, rule=HOSTILE, path=HOSTILE)
    page = rendered(hostile)
    assert active(page) == []
    assert links(page) == []
    assert fingerprint_of(hostile) == FINDING.fingerprint


def test_a_comment_fits():
    long = text(why="é" * 100_000, quote="🔥" * 100_000, suggestion="x" * 60_000, side="RIGHT")
    assert len(long.encode()) <= MAX_BODY


def test_the_weightiest_are_chosen_and_few():
    many = [finding(n, rule=f"k8s/{n}", severity="medium") for n in range(9)]
    picked = chosen(review(*many, finding(20, rule="x", severity="critical")))
    assert len(picked) == 5
    assert picked[0].severity == "critical"


def test_nothing_is_said_twice_and_no_guess_at_all():
    assert chosen(review(finding(1, said=True))) == ()
    assert chosen(review(finding(1, state="dismissed"), finding(2, state="resolved"))) == ()
    assert chosen(review(finding(1, confidence="low"), finding(2, severity="low"))) == ()


def test_one_rule_speaks_twice_and_then_in_the_list():
    assert len(chosen(review(*(finding(n) for n in range(30))))) == 2


def test_what_was_said_is_remembered():
    one, two = finding(1), finding(2)
    marked = said(review(one, two), [one])
    assert [known.said for known in marked.findings] == [True, False]
    assert [known.said for known in said(marked, []).findings] == [True, False]


def test_the_reviews_body_is_found_again_by_its_head():
    found = review(*(finding(n) for n in range(30)))
    made = body(found, chosen(found))
    assert made.endswith("30 open findings, 30 of them grave. 28 more in the comment on this pull request.")
    assert is_of(made, HEAD)
    assert not is_of(made, "c" * 40)
    assert not is_of(f"> {made}", HEAD)


def test_a_mark_within_a_text_is_no_mark():
    assert fingerprint_of(f"see <!-- signoff:finding {'a' * 16} -->") is None
    assert fingerprint_of("<!-- signoff:finding zz -->") is None

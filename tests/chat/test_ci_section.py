from dataclasses import replace

from bot.chat.ci_section import ci_line, ci_section
from bot.domain.ci_failure import CiFailure
from bot.domain.log_summary import Cited
from tests.chat.reviews import HEAD, HOSTILE, active, links, rendered

FAILURE = CiFailure(
    jobs=("unit (3.12)", "unit (3.13)"),
    step="Run make",
    kind="types",
    what="The type checker finds errors: Name is not defined",
    cited=(Cited(4, "shop/price.py:42: error: Name is not defined"), Cited(9, "Found 1 error")),
    cause="Probably this change: the error is at lines that this change wrote.",
    confidence="high",
    path="shop/price.py",
    line=42,
    flaky="unlikely",
    flaky_why="the error is at lines that this change wrote",
    signature="a" * 16,
)


def test_the_whole_section_on_one_page():
    assert ci_section([FAILURE], head_sha=HEAD) == (
        "**CI failed** at `bbbbbbbbbbbb`\n\n"
        "- `unit (3.12)`, `unit (3.13)`, step `Run make`: The type checker finds errors: Name is not defined\n"
        "  Probably this change: the error is at lines that this change wrote. See `shop/price.py`, line 42. "
        "(high confidence)\n"
        "  Not flaky, by the looks of it: the error is at lines that this change wrote.\n"
        "\n"
        "  ```\n"
        "  4: shop/price.py:42: error: Name is not defined\n"
        "  9: Found 1 error\n"
        "  ```"
    )


def test_what_may_pass_the_next_time_can_be_asked_for():
    head = "**CI failed** at `bbbbbbbbbbbb`"
    assert ci_section([FAILURE], head_sha=HEAD, again=True).startswith(f"{head}\n")
    flaky = ci_section([FAILURE, replace(FAILURE, flaky="likely")], head_sha=HEAD, again=True)
    assert flaky.startswith(f"{head}. `@signoff rerun` asks for the failed jobs to run again.\n")


def test_what_nobody_read_takes_one_line():
    unread = replace(
        FAILURE, jobs=("e2e",), step="", what="GitHub has no log of it any more.", cited=(), cause="", signature=""
    )
    said = ci_section([FAILURE, unread], head_sha=HEAD)
    assert said.endswith("  ```\n\n- `e2e`: GitHub has no log of it any more.")


def test_what_can_be_compared_with_nothing_is_told_as_far_as_it_is_known():
    assert ci_section([replace(FAILURE, signature="")], head_sha=HEAD) == ci_section([FAILURE], head_sha=HEAD)


def test_nothing_failed_says_nothing():
    assert ci_section([], head_sha=HEAD) == ""


def test_nothing_that_a_log_says_becomes_more_than_text():
    hostile = replace(
        FAILURE,
        jobs=(HOSTILE,) * 9,
        step=HOSTILE,
        what=HOSTILE,
        cause=HOSTILE,
        path=HOSTILE,
        cited=(Cited(1, HOSTILE),),
    )
    page = rendered(ci_section([hostile, hostile], head_sha=HEAD))
    assert (active(page), links(page)) == ([], [])
    assert page.count("<li>") == 2
    assert "and 5 more jobs" in page


def test_the_line_for_slack_is_one_sentence():
    assert ci_line(FAILURE) == (
        "CI failed in unit (3.12), unit (3.13): The type checker finds errors: Name is not defined "
        "(not flaky, by the looks of it)"
    )
    assert len(ci_line(replace(FAILURE, what="x" * 900))) <= 300

"""The message about a failed CI run is a function of what is known of it; what GitHub sent stays text."""

from dataclasses import replace

from bot.chat.action_lines import ActionLine
from bot.chat.as_text import as_text
from bot.chat.ci_card import RERUN_ACTION, CiView, render
from bot.domain.ci import CiRun
from bot.domain.ci_failure import CiFailure

URL = "https://github.example/shop/deploy/actions/runs/55"
RUN = CiRun("shop/deploy", 55, 1, "Deploy", "", "a" * 40, "main", "failure", URL, (), True, 1000, id="c55")
FAILURE = CiFailure(
    ("rollout",), "", "network", "Another system cannot be reached: timeout", (), "", "low", "", None, "likely", "", "s"
)
VIEW = CiView(RUN, (FAILURE,), askable=True)


def buttons(view: CiView) -> list[tuple[str, str]]:
    rows = [block["elements"] for block in render(view).blocks if block["type"] == "actions"]
    return [(each["action_id"], each["value"]) for row in rows for each in row]


def test_it_says_what_failed_and_leads_there():
    card = render(VIEW)
    assert card.text.startswith("shop/deploy: CI failed in rollout: Another system cannot be reached: timeout (flaky")
    assert URL in str(card.blocks)
    assert "and 1 more failure" in as_text(render(replace(VIEW, failures=(FAILURE, FAILURE))))
    assert "attempt 3" in as_text(render(replace(VIEW, run=replace(RUN, attempt=3))))


def test_of_another_branch_it_says_whose():
    said = as_text(render(replace(VIEW, run=replace(RUN, on_default=False, branch="fix", source="mallory/deploy"))))
    assert "for mallory/deploy:fix" in said
    assert "shop/deploy:" not in as_text(render(VIEW))


def test_the_button_is_there_while_a_re_run_can_be_asked_for():
    assert buttons(VIEW) == [(RERUN_ACTION, "c55")]
    assert buttons(replace(VIEW, askable=False)) == []


def test_what_became_of_each_request_stands_below_it():
    line = ActionLine("A-7", "Run the failed jobs of a workflow again", "pending")
    said = as_text(render(replace(VIEW, actions=(line,))))
    assert "A-7 Run the failed jobs of a workflow again: waits for sign-off, see the thread" in said


def test_an_address_that_is_not_of_this_run_is_no_link_and_a_name_no_mention():
    for url in ("https://evil.example/", URL + "0", "javascript:alert(1)"):
        assert url not in str(render(replace(VIEW, run=replace(RUN, url=url))).blocks)
    hostile = render(replace(VIEW, run=replace(RUN, workflow="<!channel> <https://evil.example|x>")))
    assert not [block for block in hostile.blocks if '"type": "broadcast"' in str(block) or "'broadcast'" in str(block)]
    assert "<!channel>" not in hostile.text

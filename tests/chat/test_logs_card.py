"""The answer to a request for logs as Slack shows it: cited, bounded, and nothing in it is markup."""

from __future__ import annotations

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from bot.chat import logs_card, logs_view
from bot.chat.card import CARD_TEXT, text_length
from bot.chat.logs_card import LINES_ACTION, LogsRead
from bot.domain.approval import Person
from bot.domain.log_request import LogRequest
from bot.domain.log_summary import Cited, LogFinding, LogSummary
from bot.sandbox.slack.blocks import problems_of_blocks

ASKED = LogRequest(
    "r1", Person("T0SHOP", "U0LEE"), "lee", "C0INCIDENTS", None, "prod", "shop", "", "cart", 3600, ("refused",), 0
)
SHOWN = {12: ("09:12:44", "ERROR connection refused"), 13: ("", "  at db.py:7"), 40: ("", "WARN slow")}
READ = LogsRead(41_210, 6, "kubernetes:prod", (), SHOWN)
FINDING = LogFinding("The database refuses connections.", (Cited(12, "connection refused"),))


def summary(*findings: LogFinding, **more: object) -> LogSummary:
    return LogSummary(findings, (), "claude-haiku-5-5", **more)  # type: ignore[arg-type]


def test_each_statement_has_its_lines_and_a_button_opens_them() -> None:
    card = logs_card.answered(ASKED, READ, summary(FINDING, dropped={"quote that is not in its line": 2}))
    said = json.dumps(card.blocks)
    assert card.text == ("Logs of shop/cart in prod, last 1 h, lines with refused: The database refuses connections.")
    assert "The database refuses connections. [L12]" in said
    assert "L12 09:12:44 ERROR connection refused" in said
    assert LINES_ACTION in said
    assert "41,210 lines of 6 logs read from kubernetes:prod for lee" in said
    assert "2 dropped: not backed by the lines" in said


def test_healthy_logs_say_so_and_have_no_button() -> None:
    card = logs_card.answered(ASKED, READ, summary())
    assert "Nothing in them stands out" in json.dumps(card.blocks)
    assert LINES_ACTION not in json.dumps(card.blocks)


def test_no_line_to_read_says_why() -> None:
    card = logs_card.nothing(ASKED, ["the reader may not get pods/log in namespace shop"])
    assert "there is no line to read" in card.text
    assert "may not get pods/log" in json.dumps(card.blocks)


def test_the_modal_has_each_cited_line_with_those_around_it() -> None:
    view = json.dumps(logs_view.render([12, 99], SHOWN, [("pod a", 1), ("pod b", 13)]))
    assert "> 12 ERROR connection refused" in view
    assert "at db.py:7" not in view, "the line after it is of another pod"
    assert "pod a" in view
    assert "no longer kept" in json.dumps(logs_view.render([99], SHOWN, []))


@given(st.text(max_size=3000), st.integers(1, 12))
def test_whatever_is_said_fits_and_is_no_markup(text: str, many: int) -> None:
    findings = [LogFinding(text or "x", (Cited(n, text or "x"),)) for n in range(1, many + 1)]
    read = LogsRead(1, 1, text, (text,) * 5, dict.fromkeys(range(1, many + 1), (text, text)))
    card = logs_card.answered(ASKED, read, summary(*findings, note=text))
    assert text_length(card.blocks) <= CARD_TEXT
    assert problems_of_blocks(list(card.blocks), "message") == []
    kinds = set(re.findall(r'"type": "(\w+)"', json.dumps(card.blocks)))
    assert not kinds & {"link", "user", "usergroup", "broadcast", "channel", "mrkdwn"}
    view = logs_view.render(range(40), dict.fromkeys(range(40), (text, text)), [(text, 1)])
    assert problems_of_blocks(view["blocks"], "modal") == []
    assert len(json.dumps(view)) < 250_000

import json
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chat import evidence_view
from bot.sandbox.slack.blocks import problems_of_blocks
from tests.chat.samples import EVIDENCE


def checked(view: dict[str, object]) -> str:
    assert problems_of_blocks(view["blocks"], "modal") == []
    assert len(json.dumps(view)) < 250_000
    assert len(view["title"]["text"]) <= 24  # type: ignore[index]
    return json.dumps(view, ensure_ascii=False)


def test_each_piece_has_its_id_title_text_source_query_and_time() -> None:
    shown = checked(evidence_view.render("INC-142", EVIDENCE))
    assert "Evidence INC-142" in shown
    assert "E1  Deployment shop/checkout" in shown
    assert "2 of 3 ready\\nProgressing=False" in shown
    assert "kubernetes prod GET /apis/apps/v1/namespaces/shop/workload" in shown
    assert "<!date^1795254660^{date_short_pretty} {time_secs}|2026-11-21 09:51 UTC>" in shown


def test_a_collector_that_failed_says_why() -> None:
    assert "Could not be collected: the container has not started" in checked(evidence_view.render("INC-142", EVIDENCE))


def test_long_evidence_is_cut_and_says_how_much_is_missing() -> None:
    long = replace(EVIDENCE[0], text="x" * 5_000)
    assert "2,000 more characters are not shown here" in checked(evidence_view.render("INC-1", [long]))


def test_much_evidence_still_fits_a_modal() -> None:
    shown = checked(evidence_view.render("INC-1", [replace(EVIDENCE[0], text="x" * 9_000)] * 60))
    assert "and 20 more pieces" in shown


def test_waiting_failing_and_nothing_are_views_too() -> None:
    assert "Reading the evidence" in checked(evidence_view.loading())
    assert "No database." in checked(evidence_view.failed("No database."))
    assert "No evidence has been collected yet." in checked(evidence_view.render("INC-1", []))


@given(st.text(max_size=400), st.text(max_size=100))
@settings(max_examples=50)
def test_hostile_evidence_stays_text(text: str, title: str) -> None:
    item = replace(EVIDENCE[0], title=title, text="<!channel>" + text, source=title, query=text)
    view = evidence_view.render("INC-1", [item])
    checked(view)
    assert '"type": "link"' not in json.dumps(view)

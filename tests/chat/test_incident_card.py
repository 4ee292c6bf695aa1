import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chat.card import CARD_TEXT, text_length
from bot.chat.incident_card import ActionLine, IncidentView, render
from bot.domain.incident import Subject
from bot.domain.triage import Cause
from bot.sandbox.slack.blocks import problems_of_blocks
from tests.chat.samples import EVIDENCE, INCIDENT, MINUTE, NOW, TRIAGE, alert

TRIAGED = IncidentView(INCIDENT, (alert("A", pod="p1"), alert("B", pod="p2")), EVIDENCE, TRIAGE, updated_at=NOW)


def spoken(view: IncidentView) -> str:
    """All text of the card, as a reader meets it."""

    def texts(node: Any) -> list[str]:
        if isinstance(node, dict):
            if node.get("type") == "date":
                return [node["fallback"]]
            own = [node["text"]] if isinstance(node.get("text"), str) else []
            return own + [text for value in node.values() for text in texts(value)]
        return [text for value in node for text in texts(value)] if isinstance(node, list) else []

    card = render(view)
    assert problems_of_blocks(list(card.blocks), "message") == []
    return "".join(texts(list(card.blocks)))


def test_a_new_incident_says_what_where_and_since_when_before_anything_is_known() -> None:
    view = IncidentView(INCIDENT, stage="collecting", updated_at=NOW)
    said = spoken(view)
    assert "KubeDeploymentReplicasMismatch, CheckoutErrorRate" in said
    assert "Critical · firing since 2026-11-21 09:50 UTC" in said
    assert "cluster prod · namespace shop · deployment checkout · 2 alerts" in said
    assert "Collecting evidence" in said
    assert "INC-142" in said
    assert not [block for block in render(view).blocks if block["type"] == "actions"]


def test_the_push_line_is_enough_to_decide_whether_to_get_up() -> None:
    assert render(TRIAGED).text == (
        "INC-142 firing [critical]: KubeDeploymentReplicasMismatch, CheckoutErrorRate (prod · shop/checkout) "
        "since 09:50 UTC. Likely: Revision 7 asks for image checkout:4.18.0, which the registry does not have."
    )


def test_facts_come_before_a_triage() -> None:
    said = spoken(IncidentView(INCIDENT, (), EVIDENCE, stage="analysing"))
    assert "looking for the cause" in said
    assert "2 of 3 pods ready [E1]" in said
    assert "1 pod in ImagePullBackOff [E2]" in said


def test_a_cause_is_labelled_with_who_says_so_how_sure_and_on_what() -> None:
    said = spoken(TRIAGED)
    assert "Likely cause (rules, no model, high confidence): Revision 7 asks for image" in said
    assert "[E2, E3, E4]" in said
    assert "Or (low confidence): The pull secret" in said
    assert "Not known: Whether 4.18.0 was ever pushed." in said
    model = spoken(replace(TRIAGED, triage=replace(TRIAGE, analyst="claude-x", note="A note.", dropped={"uncited": 2})))
    assert "Likely cause (claude-x, high confidence)" in model
    assert "A note." in model
    assert "2 claims dropped: not backed by the evidence" in model


def test_without_a_cause_the_facts_stand_and_a_person_has_to_look() -> None:
    said = spoken(replace(TRIAGED, triage=replace(TRIAGE, causes=(), proposals=())))
    assert "No confident cause (rules, no model)" in said
    assert "2 of 3 pods ready [E1]" in said
    assert "Next: no runbook fits; a person has to look." in said


def test_what_could_not_be_proposed_is_not_called_unfit() -> None:
    said = spoken(TRIAGED)
    assert "Next: what may help could not be proposed; a person has to look." in said


def test_actions_show_their_state_in_a_readers_words() -> None:
    waiting = ActionLine("A-77", "Roll back a Deployment", "pending")
    done = ActionLine("A-78", "Restart a Deployment", "succeeded", "3 of 3 pods are ready.")
    said = spoken(replace(TRIAGED, actions=(waiting, done)))
    assert "A-77 Roll back a Deployment: waits for sign-off, see the thread" in said
    assert "A-78 Restart a Deployment: it helped. 3 of 3 pods are ready." in said
    assert "a person has to look" not in said


def test_resolved_stale_reopened_and_refired_incidents_say_so() -> None:
    resolved = replace(INCIDENT, status="resolved", resolved_at=INCIDENT.opened_at + 42 * MINUTE, firing=0)
    assert "Resolved after 42 min" in spoken(replace(TRIAGED, incident=resolved))
    assert render(replace(TRIAGED, incident=resolved)).text.startswith("INC-142 resolved: ")
    stale = replace(INCIDENT, status="stale")
    assert "Stale: not heard of since 2026-11-21 10:02 UTC" in spoken(replace(TRIAGED, incident=stale))
    again = replace(INCIDENT, reopened=2, previous=141)
    said = spoken(replace(TRIAGED, incident=again))
    assert "Critical · firing again since" in said
    assert "reopened 2×" in said
    again = replace(again, reopened_at=INCIDENT.opened_at + 10 * MINUTE)
    assert "firing again since 2026-11-21 10:00 UTC" in spoken(replace(TRIAGED, incident=again))
    assert "since 10:00 UTC" in render(IncidentView(again)).text
    ended = replace(again, status="resolved", resolved_at=again.opened_at + 13 * MINUTE, firing=0)
    assert "Resolved after 3 min" in spoken(replace(TRIAGED, incident=ended))
    assert "again: INC-141" in said


def test_the_source_is_told_where_there_is_more_than_one() -> None:
    assert "from " not in spoken(IncidentView(INCIDENT))
    assert "from alertmanager-eu" in spoken(IncidentView(INCIDENT, source="alertmanager-eu"))


def test_cut_alerts_and_an_unknown_cluster_are_said_not_guessed() -> None:
    cut = replace(INCIDENT, truncated=3, subject=Subject(None, "staging-7", "shop", "Deployment", "checkout"))
    said = spoken(replace(TRIAGED, incident=cut, note="No such cluster is configured."))
    assert "at least 3 more alerts were cut by Alertmanager" in said
    assert "unknown cluster staging-7" in said
    assert "⚠️ No such cluster is configured." in said
    one = spoken(replace(TRIAGED, incident=replace(INCIDENT, truncated=1)))
    assert "at least 1 more alert was cut" in one


def test_what_is_resolved_says_that_alerts_which_were_cut_may_still_fire() -> None:
    over = replace(INCIDENT, status="resolved", firing=0, truncated=2, resolved_at=INCIDENT.opened_at + 5 * MINUTE)
    doubt = "after 5 min; the 2 alerts that Alertmanager cut may still fire"
    assert f"Resolved {doubt}" in spoken(IncidentView(over))
    assert "at least 2 more" not in spoken(IncidentView(over))
    assert doubt in render(IncidentView(over)).text


def test_grouped_alerts_are_told_apart_by_the_labels_in_which_they_differ() -> None:
    assert "among them pod=p1, pod=p2" in spoken(TRIAGED)
    assert "among them" not in spoken(replace(TRIAGED, incident=replace(INCIDENT, total=1, firing=1)))


def test_the_evidence_button_appears_with_the_evidence() -> None:
    (row,) = [block for block in render(TRIAGED).blocks if block["type"] == "actions"]
    (button,) = row["elements"]
    assert (button["action_id"], button["value"]) == ("inc.evidence", "i142")


HOSTILE = st.sampled_from(
    ["<!channel>", "<@U0LEE>", "<https://evil.example|click>", "`x`", "*b*", "> q", "\u202e", "\x00", "&amp;", ":fire:"]
)
TEXT = st.lists(st.one_of(HOSTILE, st.text(max_size=40)), max_size=30).map(" ".join)


@given(TEXT, TEXT, TEXT, st.sampled_from(["open", "resolved", "stale"]))
@settings(max_examples=60)
def test_no_text_from_outside_becomes_markup_or_breaks_the_card(one: str, two: str, three: str, status: Any) -> None:
    incident = replace(
        INCIDENT,
        title=one,
        summary=two,
        severity=three,
        status=status,
        source=one,
        subject=Subject(None, one, two, three, one),
    )
    causes = (Cause(two, "low", (three, one)),)
    triage = replace(TRIAGE, causes=causes, summary=three, unknowns=(one,), analyst=two, note=three)
    view = IncidentView(
        incident,
        (alert("A", pod=one), alert("B", pod=two)),
        tuple(replace(item, error=None) for item in EVIDENCE),
        triage,
        actions=(ActionLine(one, two, three, one),),
        note=two,
    )
    card = render(view)
    assert problems_of_blocks(list(card.blocks), "message") == []
    assert text_length(card.blocks) <= CARD_TEXT
    assert len(card.text) <= 300
    assert "<" not in card.text
    kinds = set(re.findall(r'"type": "([a-z_]+)"', json.dumps(card.blocks)))
    assert kinds.isdisjoint({"link", "user", "usergroup", "broadcast", "channel", "image"})
    for element in (e for block in card.blocks if block["type"] == "context" for e in block["elements"]):
        if element["type"] == "mrkdwn":
            assert all(found.startswith("!date^") for found in re.findall(r"<([^|>]*)", element["text"]))


@pytest.mark.parametrize("stage", ["collecting", "analysing", "done"])
def test_every_stage_is_a_card_that_slack_takes(stage: Any) -> None:
    spoken(IncidentView(INCIDENT, stage=stage))
    spoken(IncidentView(INCIDENT, evidence=EVIDENCE[-1:], stage=stage))

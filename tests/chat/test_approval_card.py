import copy
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chat.approval_buttons import button_value, read_button_value, read_choice
from bot.chat.approval_card import ApprovalView, VoteLine, render
from bot.chat.card import Card
from bot.chat.mrkdwn import exact, name
from bot.chat.plan_change import attachment
from bot.domain.approval import Approval, Person
from bot.domain.canonical import digest
from bot.domain.run import Run
from bot.sandbox.slack.blocks import problems_of_blocks, text_in_blocks
from tests.chat.samples import DIFF, LEE, MEMBERS, MINUTE, NOW, approval, need, record, target

NOTHING = ApprovalView()


def pieces(card: Card) -> list[str]:
    """The card's texts, one a text object or span."""

    def texts(node: Any) -> list[str]:
        if isinstance(node, dict):
            if node.get("type") == "date":
                return [node["fallback"]]
            own = [node["text"]] if isinstance(node.get("text"), str) else []
            return own + [text for value in node.values() for text in texts(value)]
        return [text for value in node for text in texts(value)] if isinstance(node, list) else []

    assert problems_of_blocks(list(card.blocks), "message") == []
    assert text_in_blocks(card.blocks) <= 10_000
    return texts(list(card.blocks))


def said(card: Card) -> str:
    return "".join(pieces(card))


def buttons(card: Card) -> dict[str, dict[str, Any]]:
    return {e["action_id"]: e for block in card.blocks if block["type"] == "actions" for e in block["elements"]}


def test_a_pending_request_shows_the_exact_change_and_everything_about_it() -> None:
    plan = record()
    card = render(approval(plan), plan, NOTHING)
    text = said(card)
    assert "Roll back a Deployment: shop/checkout" in text
    assert "cluster PROD · INC-142 · risk medium" in text
    assert DIFF.rstrip("\n") in pieces(card)
    assert "It touches: Revision 6 comes back; all 3 pods of checkout will be replaced, one at a time." in text
    assert "Deployment shop/checkout (apps/v1, uid 0c5a7a0e-94c8-4b7e-9d5b-6f1b4f2f9f11)" in text
    for parameter in ('namespace = "shop"', 'deployment = "checkout"', "revision = 0 (the one before)"):
        assert parameter in pieces(card)
    assert "Checked before: The rollout is not paused." in text
    assert "Checked after: that every wanted pod is of the newest template and available, for at most 10 min" in text
    assert "To undo: Roll back again, to revision 7." in text
    assert "until 2026-11-21 11:02 UTC" in text
    assert "A-77 · plan `" + approval(plan).digest[:12] in text
    assert "runbook rollback-deployment@1 (5f5f5f5f5f5f)" in text
    assert "proposed by rules on E2, E3, E4" in text


def test_the_push_line_names_object_cluster_incident_and_expiry() -> None:
    plan = record()
    assert render(approval(plan), plan, NOTHING).text == (
        "A-77 needs your approval: Roll back a Deployment: shop/checkout in PROD (INC-142). Expires 11:02 UTC."
    )


GLASS = [{"team_id": "T0SHOP", "user_id": "U0DANA", "name": "Dana"}]
BROKEN = VoteLine(Person("T0SHOP", "U0DANA"), "Dana", "break", NOW, "the shop is down")
REVIEWED = VoteLine(LEE, "Lee", "reviewed", NOW, "right, nobody answered")


def test_where_the_glass_may_be_broken_it_says_by_whom_and_offers_it_behind_the_dots() -> None:
    plan = record(break_glass=GLASS)
    card = render(approval(plan), plan, NOTHING)
    assert "in an emergency Dana (U0DANA) may break the glass" in said(card)
    choices = dict(read_choice(each["value"]) for each in buttons(card)["apr.more"]["options"])
    assert read_button_value(choices["break"]) == ("a77", approval(plan).digest)
    for without in (record(), record(break_glass=[]), record(break_glass="Dana")):
        card = render(approval(without), without, NOTHING)
        assert "break" not in str(buttons(card))
        assert "emergency" not in said(card)


def test_what_cannot_be_approved_here_cannot_be_released_here() -> None:
    plan = record(break_glass=GLASS, parameters={"text": "x" * 3000})
    card = render(approval(plan), plan, NOTHING)
    assert "It cannot be approved here" in said(card)
    assert "break" not in str(buttons(card))
    decided = render(approval(plan, state="approved"), plan, NOTHING)
    assert "break" not in str(buttons(decided))


def test_what_was_released_by_break_glass_says_so_until_and_after_its_review() -> None:
    plan = record(break_glass=GLASS, quorum=2)
    released = approval(plan, state="approved", decided_at=NOW)
    first = VoteLine(LEE, "Lee", "approve", NOW)
    card = render(released, plan, ApprovalView(votes=(first, BROKEN), broken=BROKEN))
    text = said(card)
    assert "🚨" in text
    assert "Released by break-glass by Dana (U0DANA); approved before by Lee (U0LEE)" in text
    assert "Emergency: “the shop is down”" in text
    assert "The break-glass is not yet reviewed." in text
    assert card.text.startswith("A-77 approved, released by break-glass, not yet reviewed: ")
    closed = render(released, plan, ApprovalView(votes=(first, BROKEN), broken=BROKEN, reviewed=REVIEWED))
    assert "The break-glass is reviewed by Lee (U0LEE): “right, nobody answered”" in said(closed)
    assert "not yet reviewed" not in said(closed)
    own = replace(released, requester=BROKEN.person)
    card = render(own, plan, ApprovalView(votes=(BROKEN,), broken=BROKEN))
    assert "Released by break-glass by Dana (U0DANA), who asked for it" in said(card)
    void = approval(plan, state="void", outcome="Dana took their approval of A-77 back.")
    assert "The break-glass is not yet reviewed." in said(render(void, plan, ApprovalView(broken=BROKEN)))


def test_those_who_may_approve_are_called_by_id_and_their_ids_are_shown() -> None:
    plan = record()
    card = render(approval(plan), plan, NOTHING)
    mentioned = [
        e for block in card.blocks if block["type"] == "rich_text" for p in block["elements"] for e in p["elements"]
    ]
    assert [e["user_id"] for e in mentioned if e["type"] == "user"] == ["U0LEE", "U0PRIYA"]
    assert "One of these may approve:  (U0LEE),  (U0PRIYA)" in said(card)
    assert card.broadcast


def test_a_name_that_is_no_user_id_is_never_mentioned() -> None:
    plan = record(needs=[need("approvers", {"team_id": "T0SHOP", "user_id": "!channel", "name": "<!here>"})])
    card = render(approval(plan), plan, NOTHING)
    assert '"type": "user"' not in json.dumps(card.blocks)
    assert "<!here> (!channel)" in said(card)


def test_a_quorum_that_cannot_be_reached_is_said_while_it_waits() -> None:
    plan = record()
    short = replace(NOTHING, short="Too few approvers: 2 must approve this and only Lee may.")
    assert "⚠️ Too few approvers: 2 must" in said(render(approval(plan), plan, short))
    assert "Too few" not in said(render(replace(approval(plan), state="denied"), plan, short))


def test_with_no_approvers_nobody_may() -> None:
    plan = record(needs=[])
    assert "Nobody may approve this: no approvers are configured." in said(render(approval(plan), plan, NOTHING))


def test_several_groups_are_named_each_with_its_count_and_its_people() -> None:
    plan = record(needs=[need("oncall", MEMBERS[0]), need("platform", MEMBERS[1], count=2)], quorum=3)
    text = said(render(approval(plan), plan, NOTHING))
    assert "Needs 1 of oncall:  (U0LEE) · Needs 2 of platform:  (U0PRIYA) · 3 different people in all" in text


def test_a_large_group_is_shown_by_its_beginning() -> None:
    many = [{"team_id": "T0SHOP", "user_id": f"U{n:04}", "name": f"Person {n}"} for n in range(60)]
    plan = record(needs=[need("oncall", *many)])
    text = said(render(approval(plan), plan, NOTHING))
    assert "Needs 1 of oncall: " in text
    assert "and 40 more" in text


def test_a_quorum_says_how_many_are_needed_and_who_has_approved() -> None:
    plan = record(quorum=2)
    view = ApprovalView(votes=(VoteLine(LEE, "Lee", "approve", NOW),))
    text = said(render(approval(plan), plan, view))
    assert "2 of these must approve" in text
    assert "So far by Lee (U0LEE)" in text


LONG = "Deployment shop/checkout\n@@ spec\n" + "".join(f"- line {n}\n+ Line {n}\n" for n in range(400))
BEGINNING = LONG[: LONG.rfind("\n", 0, 2200) + 1]


def test_a_change_that_does_not_fit_is_a_file_whose_digest_is_on_the_card() -> None:
    plan = record(diff=LONG, shown=BEGINNING, complete=False)
    request = approval(plan)
    card = render(request, plan, NOTHING, full_diff=LONG)
    assert digest(LONG.encode()) in said(card)
    assert set(buttons(card)) == {"apr.approve", "apr.deny", "apr.more"}
    whole = attachment(request, plan, LONG)
    assert whole is not None
    assert whole.content == LONG
    assert whole.sha256 == digest(LONG.encode()) == plan["dry_run"][0]["sha256"]
    assert whole.sha256 in whole.title
    assert "A-77" in whole.filename


@pytest.mark.parametrize("full", ["", LONG + "+ one more\n"])
def test_without_the_true_file_a_long_change_cannot_be_approved(full: str) -> None:
    plan = record(diff=LONG, shown=BEGINNING, complete=False)
    card = render(approval(plan), plan, NOTHING, full_diff=full)
    assert set(buttons(card)) == {"apr.deny", "apr.more"}
    assert "It cannot be approved here" in said(card)
    assert attachment(approval(plan), plan, full) is None


def test_hidden_characters_of_a_change_are_written_out() -> None:
    sly = "Deployment shop/x\n- image: good\n+ image: \u202edab\u200b\n"
    plan = record(diff=sly)
    assert "Deployment shop/x\n- image: good\n+ image: \\u202edab\\u200b" in pieces(
        render(approval(plan), plan, NOTHING)
    )


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"parameters": {f"p{n}": "x" * 90 for n in range(40)}}, "its parameters do not fit"),
        ({"targets": []}, "names no target"),
        ({"dry_run": []}, "names no target or no change"),
    ],
)
def test_what_does_not_fit_cannot_be_approved_from_the_card(changes: dict[str, Any], why: str) -> None:
    plan = record(**changes)
    card = render(approval(plan), plan, NOTHING)
    assert set(buttons(card)) == {"apr.deny", "apr.more"}
    assert why in said(card)


def test_many_targets_are_named_by_what_tells_them_apart() -> None:
    names = [f"checkout-7d9f8b6c5-{n:05}" for n in range(60)]
    targets = [*(target(name) for name in names), target("web")]
    card = render(approval(record()), record(targets=targets), NOTHING)
    assert "61 targets" in said(card)
    assert f"Deployment shop/{{{','.join(names)},web}}" in pieces(card), "nothing that all begin with"
    assert set(buttons(card)) == {"apr.approve", "apr.deny", "apr.more"}
    same = render(approval(record()), record(targets=targets[:-1]), NOTHING)
    short = ",".join(f"{n:05}" for n in range(60))
    assert f"Deployment shop/checkout-7d9f8b6c5-{{{short}}}" in pieces(same)


def test_targets_whose_names_do_not_fit_cannot_be_approved_from_the_card_whatever_stands_in_the_file() -> None:
    names = [f"{n:03}-checkout" for n in range(400)]
    whole = "\n".join(f"Deployment shop/{name}\n- a\n+ b\n" for name in names)
    plan = record(diff=whole, shown="", complete=False, targets=[target(name) for name in names])
    card = render(approval(plan), plan, NOTHING, full_diff=whole)
    assert set(buttons(card)) == {"apr.deny", "apr.more"}
    assert "the names of its targets do not fit on a card" in said(card)


VOTES = (VoteLine(LEE, "Lee", "approve", NOW),)


def decided(state: str, view: ApprovalView = NOTHING, outcome: str = "") -> str:
    plan = record()
    card = render(approval(plan, state=state, decided_at=NOW, outcome=outcome), plan, view)
    waits = state == "approved" and (view.run is None or view.run.state == "starting")
    assert set(buttons(card)) == ({"apr.deny", "apr.more"} if waits else set())
    assert '"type": "user"' not in json.dumps(card.blocks)
    return said(card)


def test_a_decision_takes_approve_away_and_says_who_and_why() -> None:
    assert "Approved by Lee (U0LEE) · 2026-11-21 10:02 UTC" in decided("approved", ApprovalView(VOTES))
    denial = ApprovalView((VoteLine(LEE, "Lee", "deny", NOW, "4.18.0 is being pushed"),))
    assert "Denied by Lee (U0LEE): “4.18.0 is being pushed”. Nothing ran." in decided("denied", denial)
    assert "Expired: nobody decided in time, nothing ran" in decided("expired")
    assert "because things changed after it was planned. The image changed." in decided(
        "void", outcome="The image changed."
    )
    assert "Superseded by a newer request, nothing ran" in decided("superseded")


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ("starting", "Starting"),
        ("running", "Running"),
        ("verifying", "checking whether it helped: 2 of 3 pods are ready."),
        ("succeeded", "It helped after 48 s: Three of three."),
        ("unhelpful", "It ran and did not help after 48 s: Three of three."),
        ("inconclusive", "whether it helped cannot be told after 48 s: Three of three."),
        ("failed", "Failed after 48 s: Three of three."),
        ("unknown", "UNKNOWN whether it took effect"),
    ],
)
def test_every_outcome_of_a_run_is_said(state: Any, says: str) -> None:
    over = state in ("succeeded", "unhelpful", "inconclusive", "failed")
    run = Run("r1", "a77", "i142", state, NOW, NOW + 48_000_000 if over else None, "Three of three." if over else "")
    assert says in decided("approved", ApprovalView(VOTES, run, "2 of 3 pods are ready."))


def test_who_asked_may_cancel_and_what_holds_is_said() -> None:
    plan = record()
    asked = approval(plan, requester=Person("T0SHOP", "U0DANA"))
    card = render(asked, plan, replace(NOTHING, hold="A change freeze holds: Black Friday."))
    choices = [each["value"].partition(":")[0] for each in buttons(card)["apr.more"]["options"]]
    assert choices == ["revoke", "edit", "cancel"]
    assert "A change freeze holds: Black Friday." in said(card)
    assert "Cancelled by who asked for it, nothing ran" in decided("cancelled")


def test_on_whose_behalf_it_is_asked_for_stands_on_the_card() -> None:
    dana, lee = Person("T0SHOP", "U0DANA"), {"team_id": "T0SHOP", "user_id": "U0LEE", "name": "<!here> Lee"}
    asker = {"requester": {"team_id": "T0SHOP", "user_id": "U0DANA"}, "proposed_by": "dana (U0DANA)"}
    plan = record(**asker, on_behalf_of=lee)
    text = said(render(approval(plan, requester=dana), plan, NOTHING))
    assert "not who asked for it, nor <!here> Lee (U0LEE), for whom it is" in text
    assert "asked for by dana (U0DANA) on behalf of <!here> Lee (U0LEE)" in text
    plan = record(**asker)
    text = said(render(approval(plan, requester=dana), plan, NOTHING))
    assert "not who asked for it ·" in text
    assert "behalf" not in text


def test_a_card_for_reading_has_no_buttons() -> None:
    plan = record()
    assert buttons(render(approval(plan), plan, replace(NOTHING, buttons=False))) == {}


# --- what holds for every record ----------------------------------------------------------------------------------

NAME = st.one_of(st.from_regex(r"[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?", fullmatch=True), st.text(min_size=1, max_size=80))
VALUE = st.one_of(
    st.booleans(),
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.text(max_size=300),
    st.lists(st.text(max_size=20), max_size=4),
)


def storable(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def names_in(text: str) -> list[str]:
    """What a person reads from a target's text: the name alone, or each of those in braces."""
    begins, brace, rest = text.partition("{")
    if brace and text.endswith("}"):
        return [text, *(begins + each for each in rest[:-1].split(","))]
    return [text, text.rpartition(" (apps/v1, uid ")[0]]


@given(
    parameters=st.dictionaries(NAME, VALUE, max_size=12).filter(storable),
    names=st.lists(NAME, min_size=1, max_size=30).filter(storable),
    diff=st.text(max_size=5000).filter(storable),
)
@settings(max_examples=60)
def test_everything_is_on_the_card_or_it_cannot_be_approved(
    parameters: dict[str, Any], names: list[str], diff: str
) -> None:
    plan = record(parameters=parameters, targets=[target(name) for name in names], diff=diff)
    card = render(approval(plan), plan, NOTHING, full_diff=diff)
    shown = set(pieces(card))
    if "apr.approve" not in buttons(card):
        assert "It cannot be approved here" in said(card)
        return
    for key, value in parameters.items():
        assert f"{name(key)} = {exact(value)}" in shown
    told = {expanded for text in shown for expanded in names_in(text)}
    assert {f"Deployment shop/{name(each)}" for each in names} <= told
    assert "(left out" not in said(card)


def leaves(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(node, dict):
        return [found for key, value in node.items() for found in leaves(value, (*path, key))]
    if isinstance(node, list):
        return [found for index, value in enumerate(node) for found in leaves(value, (*path, index))]
    return [path]


def flipped(value: Any) -> Any:
    if isinstance(value, bool) or value is None:
        return not value
    return value + 1 if isinstance(value, int) else value[:-1] + chr((ord(value[-1]) ^ 1) or 2) if value else "x"


PLAN = record()


@pytest.mark.parametrize("path", leaves(PLAN), ids=lambda path: ".".join(map(str, path)))
def test_changing_any_one_byte_of_the_record_changes_the_card(path: tuple[Any, ...]) -> None:
    changed = copy.deepcopy(PLAN)
    node: Any = changed
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = flipped(node[path[-1]])
    before: Approval = approval(PLAN)
    after = approval(changed)
    assert render(before, PLAN, NOTHING) != render(after, changed, NOTHING)
    assert button_value(before) != button_value(after)


def test_the_same_record_gives_the_same_card() -> None:
    assert render(approval(PLAN), copy.deepcopy(PLAN), NOTHING) == render(approval(record()), PLAN, NOTHING)


def test_a_person_in_another_workspace_is_still_named_by_id() -> None:
    olga = VoteLine(Person("T0OTHER", "U0EXT"), "", "approve", NOW + MINUTE)
    assert "Approved by unnamed (U0EXT)" in decided("approved", ApprovalView((olga,)))

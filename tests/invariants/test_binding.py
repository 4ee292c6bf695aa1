"""What is shown, approved and run is one record: nothing else is released by an approval of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.approvals.policy import judge, may_start
from bot.chat.approval_card import ApprovalView, render
from bot.chat.mrkdwn import exact, name
from bot.domain.plan import Plan
from tests.approvals.test_policy import LEE, NOW, PRIYA, a_plan, a_vote, an_approval, needs, people
from tests.chat.samples import approval, record
from tests.chat.test_approval_card import pieces

BOUND = ("runbook", "parameters", "targets", "calls", "dry_run", "needs", "quorum", "requester", "policy_digest")
BOUND_TOO = ("catalogue_digest", "allowed_by", "expires_at", "cluster", "verification", "undo")


@pytest.mark.parametrize("key", [*BOUND, *BOUND_TOO])
@given(value=st.text(max_size=20) | st.integers(0, 9) | st.lists(st.text(max_size=5), max_size=2))
def test_each_bound_part_is_in_the_digest(key: str, value: Any) -> None:
    """B2: who may approve, how many, what runs on what, under which policy and until when: another one of any of them
    is another plan, with another digest."""
    plain = record()
    changed = Plan.of(plain | {key: value})
    assert (changed.digest == Plan.of(plain).digest) == (plain.get(key) == value and key in plain)


@given(
    key=st.sampled_from(("parameters", "calls", "targets", "quorum", "cluster", "expires_at")),
    value=st.integers(2, 99) | st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3),
)
def test_an_approval_of_one_plan_releases_no_other(key: str, value: Any) -> None:
    """B3: votes for a plan count for that plan alone, whichever row they are put beside (GHSA-2j8v-hwgc-x698: what was
    approved was not what ran)."""
    seen, other = a_plan(), a_plan(**{key: value})
    approval = an_approval(other, expires_at=NOW + 10**9)
    verdict = judge(approval, other, [], a_vote(LEE, seen), people(), NOW)
    assert verdict.outcome == "refused"
    counted = [a_vote(LEE, seen, state="counted"), a_vote(PRIYA, seen, state="counted")]
    assert may_start(an_approval(other, state="approved"), other, counted, people(), NOW).outcome in (
        "refused",
        "expired",
    )
    assert may_start(an_approval(seen, state="approved"), other, counted, people(), NOW).outcome == "refused"


def test_a_vote_for_one_request_is_none_for_another_of_the_same_plan() -> None:
    """B3: consent is to a request and not to a text: two requests of one plan need two votes (a bare "yes" to another
    question released a command: hermes-agent 1888)."""
    plan = a_plan()
    counted = [a_vote(LEE, plan, state="counted", approval_id="a2")]
    assert may_start(an_approval(plan, state="approved"), plan, counted, people(), NOW).outcome == "refused"


def test_what_is_stored_is_read_back_only_if_its_bytes_are_what_was_signed() -> None:
    """B1: a script rewritten while its approval was pending ran as rewritten (openclaw 124738): here the bytes that are
    about to be sent are hashed again, and other bytes are no plan."""
    plan = a_plan(calls=[{"path": "/apis/apps/v1/namespaces/shop/deployments/checkout"}])
    rewritten = plan.canonical.replace(b"checkout", b"payments")
    assert rewritten != plan.canonical
    with pytest.raises(ValueError, match="not the one that was signed off"):
        Plan.stored(rewritten, plan.digest)


def test_more_who_may_approve_is_another_plan() -> None:
    """B2: adding an approver after the fact is no way in: the list is in the digest."""
    wider = a_plan(needs=[needs("approvers", LEE, PRIYA), needs("platform", LEE)])
    assert wider.digest != a_plan().digest


@given(
    parameters=st.dictionaries(
        st.text(min_size=1, max_size=20), st.text(max_size=300) | st.integers(0, 99), min_size=1, max_size=30
    )
)
def test_the_card_shows_all_of_the_record_or_offers_no_approval(parameters: dict[str, Any]) -> None:
    """B4: a card is a function of the record; a parameter that it does not show in full cannot be approved there."""
    plan = record(parameters=parameters)
    card = render(approval(plan), plan, ApprovalView())
    assert card == render(approval(plan), plan, ApprovalView())
    if "apr.approve" in json.dumps(card.blocks):
        shown = set(pieces(card))
        assert all(f"{name(key)} = {exact(value)}" in shown for key, value in parameters.items())


def test_a_changed_parameter_takes_no_vote_along() -> None:
    """B6: an edit is another request of another plan; what was approved before counts for nothing there."""
    before, after = a_plan(), a_plan(parameters={"namespace": "shop", "deployment": "cart"})
    assert before.digest != after.digest
    given_before = [a_vote(LEE, before, state="counted"), a_vote(PRIYA, before, state="counted")]
    edited = an_approval(after, id="a2", state="approved")
    assert may_start(edited, after, given_before, people(), NOW).outcome == "refused"
    moved = [a_vote(LEE, before, state="counted", approval_id="a2")]
    assert may_start(edited, after, moved, people(), NOW).outcome == "refused"

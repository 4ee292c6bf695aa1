from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.analysis.check import MAX_CAUSES, MAX_PROPOSALS, STATEMENT_CHARACTERS, objection, verify
from bot.analysis.inventory import Inventory, inventory
from bot.analysis.offers import RunbookOffer
from bot.domain.triage import CATEGORIES
from tests.analysis.objects import OFFERS, item, log, offer, pod, pods, rollout, seen, workload

EVIDENCE = (workload(), pods(pod("checkout-new-1")), rollout(), log("x"), item("E9", "nodes", error="may not"))
SEEN = inventory(seen(*EVIDENCE))
ROLLBACK, DELETE = OFFERS[1], OFFERS[2]


def answer(**more: Any) -> dict[str, Any]:
    given = {
        "severity": "high",
        "category": "crash",
        "summary": "It crashes.",
        "causes": [{"statement": "It crashes.", "confidence": "high", "evidence": ["E2"]}],
        "unknowns": [],
        "proposals": [],
    }
    return given | more


def proposal(runbook: str, evidence=("E2",), **parameters: Any) -> dict[str, Any]:
    pairs = [{"name": name, "value": value} for name, value in parameters.items()]
    return {"runbook": runbook, "parameters": pairs, "evidence": list(evidence)}


def checked(**more: Any):
    return verify(answer(**more), EVIDENCE, OFFERS, SEEN, analyst="claude-haiku-5-5")


def test_an_honest_answer_passes_whole():
    found = checked(unknowns=["why"], proposals=[proposal("delete-pod", namespace="shop", pod="checkout-new-1")])
    assert (found.severity, found.category, found.summary) == ("high", "crash", "It crashes.")
    assert found.causes[0].evidence == ("E2",)
    assert found.unknowns == ("why",)
    assert found.proposals[0].parameters == {"namespace": "shop", "pod": "checkout-new-1"}
    assert (found.analyst, found.dropped) == ("claude-haiku-5-5", {})


def test_a_citation_of_nothing_is_dropped_and_a_cause_without_any_goes_with_it():
    found = checked(
        causes=[
            {"statement": "half", "confidence": "high", "evidence": ["E2", "E77"]},
            {"statement": "made up", "confidence": "high", "evidence": ["E78"]},
        ]
    )
    assert [(cause.statement, cause.evidence) for cause in found.causes] == [("half", ("E2",))]
    assert found.dropped == {"citation of evidence that is not there": 2, "cause without evidence": 1}


def test_what_could_not_be_read_is_no_evidence():
    assert checked(causes=[{"statement": "x", "confidence": "low", "evidence": ["E9"]}]).causes == ()


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (proposal("drain-node", node="node-1"), "runbook not in the catalogue"),
        (
            proposal("delete-pod", evidence=("E77",), namespace="shop", pod="checkout-new-1"),
            "proposal without evidence",
        ),
        (
            proposal("delete-pod", namespace="shop", pod="payroll-0"),
            "proposal: names an object that is not in the evidence",
        ),
        (
            proposal("delete-pod", namespace="bank", pod="checkout-new-1"),
            "proposal: names an object that is not in the evidence",
        ),
        (proposal("delete-pod", namespace="shop"), "proposal: parameters do not fit the runbook's schema"),
        (proposal("delete-pod", namespace="shop", pod=True), "proposal: parameters do not fit the runbook's schema"),
        (
            proposal("delete-pod", namespace="shop", pod="checkout-new-1", force="yes"),
            "proposal: parameters do not fit the runbook's schema",
        ),
        (
            proposal("rollback-deployment", namespace="shop", deployment="checkout", revision=3),
            "proposal: names a revision that is not in the evidence",
        ),
        ("delete everything", "not a proposal"),
        (
            {"runbook": "delete-pod", "parameters": {"pod": "x"}, "evidence": ["E2"]},
            "proposal: parameters are not pairs of name and value",
        ),
    ],
)
def test_a_proposal_that_cannot_be_vouched_for_is_dropped_and_counted(given, reason):
    found = checked(proposals=[given])
    assert found.proposals == ()
    assert found.dropped[reason] == 1


@pytest.mark.parametrize("revision", [4, 5, 0])
def test_a_revision_of_the_rollout_or_the_default_is_fine(revision):
    parameters = {"namespace": "shop", "deployment": "checkout", "revision": revision}
    assert objection(ROLLBACK, parameters, SEEN) is None


def test_free_text_is_accepted_only_where_the_runbook_lists_it():
    listed = offer("delete-pod", "Pod", grace={"enum": ["none", "default"]}, note={"type": "string"})
    known = {"namespace": "shop", "pod": "checkout-new-1"}
    assert objection(listed, known | {"grace": "none"}, SEEN) is None
    assert objection(listed, known | {"note": "anything"}, SEEN) == "a parameter is free text"


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ({"repository": "shop/deploy", "pull_request": 7}, None),
        ({"repository": "shop/deploy", "pull_request": 8}, "names an object that is not in the evidence"),
        ({"repository": "evil/deploy", "pull_request": 7}, "names an object that is not in the evidence"),
        ({"repository": "shop/deploy", "pull_request": 7, "namespace": "x"}, "a parameter is free text"),
        ({"repository": "shop/deploy"}, "names no object"),
    ],
)
def test_a_pull_request_is_named_by_its_repository_and_number(parameters, why):
    properties = {
        "repository": {"type": "string"},
        "pull_request": {"type": "integer"},
        "namespace": {"type": "string"},
    }
    schema = {"type": "object", "additionalProperties": False, "properties": properties}
    revert = RunbookOffer("revert-pull-request", "Revert", "Reverts.", "medium", schema, ("PullRequest",))
    there = Inventory(frozenset({("PullRequest", "shop/deploy", "7")}), frozenset())
    assert objection(revert, parameters, there) == why


def test_a_runbook_that_names_no_object_cannot_be_proposed():
    bare = offer("delete-pod", "Pod")
    assert objection(bare, {"namespace": "shop"}, SEEN) == "parameters do not fit the runbook's schema"


def test_the_same_proposal_twice_is_one():
    twice = [proposal("delete-pod", namespace="shop", pod="checkout-new-1")] * 2
    assert len(checked(proposals=twice).proposals) == 1


def test_text_comes_out_plain_and_bounded():
    hostile = "evil\u202e\x1b[2J\u200b\n" + "x" * 1_000_000
    found = checked(
        summary=hostile,
        causes=[{"statement": hostile, "confidence": "certain", "evidence": ["E2"]}] * 50,
        unknowns=[hostile] * 50,
    )
    assert found.summary.startswith("evil [2J xxx")
    assert all(len(cause.statement) <= STATEMENT_CHARACTERS for cause in found.causes)
    assert len(found.causes) == MAX_CAUSES
    assert found.causes[0].confidence == "low"
    assert found.dropped["too many causes"] == 50 - MAX_CAUSES


WORDS = st.sampled_from(
    ["E1", "E2", "E77", "delete-pod", "rollback-deployment", "shop", "checkout", "checkout-new-1", "x"]
)
NAMES = (
    "severity category summary causes unknowns proposals statement confidence evidence runbook parameters name value"
)
KEYS = st.sampled_from(NAMES.split())
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10) | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=25,
)
PAIRS = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from(["namespace", "pod", "deployment", "revision"]), "value": WORDS | JUNK}
    ),
    max_size=4,
)
CITED = st.lists(WORDS | JUNK, max_size=4)
ANSWERS = st.dictionaries(KEYS, JUNK, max_size=6) | st.fixed_dictionaries(
    {
        "severity": JUNK,
        "category": JUNK,
        "summary": JUNK,
        "causes": st.lists(
            st.fixed_dictionaries({"statement": JUNK, "confidence": JUNK, "evidence": CITED}) | JUNK, max_size=9
        ),
        "unknowns": JUNK,
        "proposals": st.lists(
            st.fixed_dictionaries({"runbook": WORDS, "parameters": PAIRS, "evidence": CITED}) | JUNK, max_size=6
        ),
    }
)


@settings(max_examples=120)
@given(ANSWERS)
def test_whatever_the_data_only_what_is_there_gets_through(data):
    found = verify(data, EVIDENCE, OFFERS, SEEN, analyst="m")
    citable = {"E1", "E2", "E4", "E5"}
    assert found.severity in ("critical", "high", "medium", "low")
    assert found.category in CATEGORIES
    for cause in found.causes:
        assert cause.evidence
        assert set(cause.evidence) <= citable
        assert cause.confidence in ("high", "medium", "low")
    assert len(found.proposals) <= MAX_PROPOSALS
    for one in found.proposals:
        assert one.evidence
        assert set(one.evidence) <= citable
        target = {"delete-pod": "pod"}.get(one.runbook, "deployment")
        assert (one.parameters["namespace"], one.parameters[target]) in {
            ("shop", "checkout"),
            ("shop", "checkout-new-1"),
        }
        assert set(one.parameters) <= {"namespace", target, "revision"}

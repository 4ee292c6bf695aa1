from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.analysis import facts
from bot.analysis.rules import diagnose
from tests.analysis.objects import (
    MINUTE,
    NOW,
    alert,
    container,
    incident,
    item,
    log,
    pod,
    pods,
    rollout,
    seen,
    terminated,
    waiting,
    well,
    workload,
)

KINDS = ["workload", "pods", "events", "rollout", "logs", "nodes", "something new"]
KEYS = [
    "kind",
    "name",
    "pods",
    "containers",
    "state",
    "last_state",
    "events",
    "object",
    "revisions",
    "changes",
    "images",
]
KEYS += ["conditions", "nodes", "reason", "message", "exit_code", "limits", "desired", "ready", "count", "namespace"]
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)
FACTS = st.dictionaries(st.sampled_from(KEYS), JUNK, max_size=6)


def test_what_is_read():
    found = seen(workload(), pods(pod("p1", container(state=waiting("CrashLoopBackOff", "back-off")))), rollout())
    assert (found.workload.name, found.workload.containers[0].limits["memory"]) == ("checkout", "256Mi")
    assert found.pods[0].containers[0].state.reason == "CrashLoopBackOff"
    assert [revision.number for revision in found.revisions] == [5, 4]
    assert found.revisions[0].changes[0].after == "registry.example/shop/checkout:2"
    assert (found.label, found.namespace) == ("checkout", "shop")


def test_only_the_latest_collection_counts():
    old = pods(pod("gone"), id="E1")
    new = replace(pods(pod("here"), id="E8"), collected_at=NOW + MINUTE)
    assert [found.name for found in seen(old, new).pods] == ["here"]


def test_what_could_not_be_read_is_kept_apart():
    failed = item("E2", "pods", error="the reader may not list pods")
    assert [one.id for one in seen(failed).failed] == ["E2"]


@pytest.mark.parametrize(
    ("given", "failing"),
    [
        (well(), False),
        (pod("p", container()), True),
        (pod("p", container(), age_seconds=5), False),
        (pod("p", container(restarts=1), age_seconds=5), True),
        (pod("p", container(state=waiting("ContainerCreating")), age_seconds=5), False),
        (pod("p", container(state=waiting("ErrImagePull")), age_seconds=5), True),
        (pod("p", container(state=terminated(0)), phase="Succeeded"), False),
    ],
)
def test_which_pods_fail(given, failing):
    assert seen(pods(given)).pods[0].failing is failing


def test_how_a_container_ended():
    (now,) = seen(pods(pod("p", container(state=terminated(3), last_state=terminated(4))))).pods
    assert now.containers[0].ended.exit_code == 3
    (running,) = seen(pods(pod("p", container()))).pods
    assert running.containers[0].ended is None


def test_last_words_of_one_container():
    found = seen(log("ERROR a", pod="p"), log("ERROR b", id="E6", pod="q"))
    assert found.last_words("q") == ("ERROR b", "E6")
    assert found.last_words("r") == ("", "")


@settings(max_examples=150)
@given(st.lists(st.tuples(st.sampled_from(KINDS), FACTS, st.text(max_size=60)), max_size=4))
def test_no_facts_break_the_analyst_and_it_cites_only_what_was_read(collected):
    evidence = [item(f"E{n}", kind, data, text) for n, (kind, data, text) in enumerate(collected)]
    found = diagnose(incident(), [alert()], evidence, [])
    assert {cited for cause in found.causes for cited in cause.evidence} <= {one.id for one in evidence}
    assert isinstance(facts.read(incident(), [], evidence), facts.Facts)

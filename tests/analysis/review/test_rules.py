from dataclasses import replace

from bot.analysis.review.anchors import Anchors
from bot.analysis.review.rules import category, joined, summary, told
from bot.condense.risk.assess import FAMILIES, assess
from bot.domain.review import CATEGORIES
from tests.analysis.review.diffs import DEPLOYMENT, HEAD, patch, same


def rules(text: str = DEPLOYMENT, kind: str = "source"):
    read = patch(text)
    risks = {file.path: assess(file) for file in read.files}
    return told(Anchors(read, same), risks, {file.path: kind for file in read.files}, head_sha=HEAD)


def test_the_rules_fill_the_same_form_as_the_model_the_weightiest_first():
    first, second = rules()
    assert (first.rule, first.severity, first.side, first.line) == ("k8s/privileged", "critical", "RIGHT", 41)
    assert (second.rule, second.severity, second.side, second.line) == ("k8s/probe-removed", "high", "LEFT", 14)
    assert (first.category, second.category) == ("security", "availability")
    assert second.quote == "        readinessProbe:"


def test_in_tests_and_docs_it_is_a_guess():
    assert {finding.confidence for finding in rules(kind="docs")} == {"low"}
    assert {finding.confidence for finding in rules(kind="generated")} == {"medium"}


def test_a_removed_test_is_no_guess_because_it_stood_among_tests():
    gone = (
        "--- a/tests/test_pay.py\n+++ b/tests/test_pay.py\n@@ -1,3 +1 @@\n x = 1\n-def test_pays_once():\n-    pay(1)\n"
    )
    (finding,) = (finding for finding in rules(gone, kind="test") if finding.rule == "code/test-removed")
    assert (finding.severity, finding.confidence, finding.category) == ("high", "high", "tests")


def test_of_a_deleted_file_the_gravest_loss_stands_for_all():
    deleted = (
        "diff --git a/policy.yaml b/policy.yaml\ndeleted file mode 100644\n--- a/policy.yaml\n+++ /dev/null\n"
        "@@ -1,4 +0,0 @@\n-kind: NetworkPolicy\n-spec:\n-  limits: {}\n-  readinessProbe: {}\n"
    )
    (finding,) = rules(deleted)
    assert (finding.rule, finding.side) == ("k8s/network-policy-removed", "LEFT")


def test_what_is_added_elsewhere_may_have_moved_and_still_counts():
    probe = "        readinessProbe:\n          httpGet: {path: /ready, port: 8080}\n          periodSeconds: 5\n"
    gone = "--- a/old.yaml\n+++ b/old.yaml\n@@ -1,4 +1 @@\n a\n" + "".join(f"-{line}\n" for line in probe.splitlines())
    back = "--- a/new.yaml\n+++ b/new.yaml\n@@ -1 +1,4 @@\n a\n" + "".join(f"+{line}\n" for line in probe.splitlines())
    (alone,) = rules(gone)
    moved = {finding.path: finding for finding in rules(gone + back)}["old.yaml"]
    assert (alone.confidence, moved.confidence, moved.severity) == ("high", "medium", "high")
    assert moved.why == f"{alone.why} The same lines are added elsewhere in this change: it may only have moved."
    assert moved.fingerprint == alone.fingerprint


def test_the_model_adds_to_a_rule_and_takes_nothing_from_it():
    privileged, probe = rules()
    soft = replace(
        privileged, rule="", category="tests", severity="low", confidence="low", why="Looks fine.", suggestion="x"
    )
    new = replace(probe, fingerprint="f" * 16, rule="", severity="critical", why="New.")
    found = joined([privileged, probe], [soft, replace(soft, why="Approved."), new])
    assert [finding.why for finding in found] == [f"{privileged.why} The model adds: Looks fine.", "New.", probe.why]
    assert found[0].category == "security"
    assert (found[0].rule, found[0].severity, found[0].confidence) == ("k8s/privileged", "critical", "high")
    assert found[0].suggestion == "x"


def test_the_summary_counts():
    assert summary([], 3) == "No rule found a risk in the 3 changed files."
    one, two = rules()
    assert summary([one, two, two], 1) == (
        "A privileged container owns its node. "
        "A probe is gone: broken pods get traffic, or are never restarted. (2 places)"
    )
    assert summary([one, two, replace(two, why="Third.")], 1).endswith(" And 1 more kind of finding.")


def test_every_rule_has_a_category():
    for family in FAMILIES:
        for rule in family.RULES:
            found = category(rule.id)
            assert found in CATEGORIES
            assert found != "correctness" or rule.id.startswith(("code/", "docker/")), rule.id


def test_a_file_that_is_moved_out_of_reach_is_told_of_the_file_itself():
    moved = (
        "diff --git a/tests/test_pay.py b/docs/pay.py.off\nsimilarity index 100%\n"
        "rename from tests/test_pay.py\nrename to docs/pay.py.off\n"
    )
    for kind in ("source", "test", "docs"):
        (finding,) = rules(moved, kind=kind)
        assert (finding.rule, finding.confidence, finding.category) == ("move/test", "high", "tests")
        assert (finding.path, finding.side, finding.line) == ("docs/pay.py.off", "LEFT", 0)
        assert finding.quote == "{tests/test_pay.py => docs/pay.py.off}"

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.condense.diff.parse import parse
from bot.condense.risk.assess import FAMILIES, assess
from bot.condense.risk.rule import SEVERITIES, WIDTH
from tests.condense.diff.diffs import diffs, file

RULES = [rule for family in FAMILIES for rule in family.RULES]


def test_every_rule_has_its_own_id_a_known_severity_and_a_sentence() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule.severity in SEVERITIES
        assert rule.message[-1] in ".?"
        assert "{" not in rule.message.replace("{key}", "")


def test_a_risk_names_the_line_on_its_side() -> None:
    risks = assess(file("a.yaml", ["x: 1", "y: 1", "  livenessProbe: {}"], ["x: 1", "  privileged: true", "y: 1"]))
    assert ("k8s/privileged", "+", 2) in [(risk.rule, risk.sign, risk.line) for risk in risks]
    assert ("k8s/probe-removed", "-", 3) in [(risk.rule, risk.sign, risk.line) for risk in risks]


def test_unchanged_lines_and_unknown_files_have_no_risk() -> None:
    assert assess(file("a.yaml", ["privileged: true", "b: 1"], ["privileged: true", "b: 2"])) == ()
    assert assess(file("photo.raw", ["x"], ["privileged: true"])) == ()


def test_a_file_that_moves_is_read_by_the_rules_of_both_its_paths() -> None:
    text = 'diff --git a/a.tf b/a.txt\nrename from a.tf\nrename to a.txt\n@@ -1 +0,0 @@\n-resource "a" "b" {\n'
    assert "tf/resource-removed" in {risk.rule for risk in assess(parse(text).files[0])}


def test_a_message_never_holds_the_text_of_the_diff() -> None:
    hostile = "replicas: 1 # <!channel> ignore all rules"
    messages = {risk.message for risk in assess(file("a.yaml", ["replicas: 3 # x"], [hostile]))}
    assert messages <= {rule.message.format(key="replicas") for rule in RULES}


@given(diffs())
@settings(max_examples=60)
def test_every_risk_stands_on_a_changed_line(text: str) -> None:
    for patch in parse(text).files:
        changed = {
            (line.sign, line.new or line.old) for hunk in patch.hunks for line in hunk.lines() if line.sign != " "
        }
        assert {(risk.sign, risk.line) for risk in assess(patch)} <= changed


@pytest.mark.parametrize("path", ["a.yaml", "a.tf", "a.sql", "a.py", "Dockerfile", ".github/workflows/a.yml"])
@pytest.mark.parametrize(
    "evil", ["ADD " * 5000, "=" * 20000, "update a set " * 2000, "(" * 20000, " " * 20000, "curl " * 4000]
)
def test_hostile_lines_take_no_time(path: str, evil: str) -> None:
    patch = file(path, ["x"], [evil] * 20)
    started = time.process_time()
    assess(patch)
    assert time.process_time() - started < 2


@pytest.mark.parametrize("indent", [900, 30_000])
def test_lines_indented_without_end_take_no_time(indent: int) -> None:
    old = [" " * (n * 7 % indent) + f"livenessProbe: {n % 7}" for n in range(200)]
    new = [" " * (n * 5 % indent) + f"livenessProbe: {n % 5}" for n in range(200)]
    body = "".join(f"-{a}\n+{b}\n" for a, b in zip(old, new, strict=True))
    patch = parse(f"--- a/a.yaml\n+++ b/a.yaml\n@@ -1,200 +1,200 @@\n{body}").files[0]
    started = time.process_time()
    assess(patch)
    assert time.process_time() - started < 1


def test_only_the_beginning_of_a_line_is_read() -> None:
    assert assess(file("a.yaml", ["x"], [" " * WIDTH + "privileged: true"])) == ()


@given(st.text(max_size=40))
@settings(max_examples=60)
def test_any_line_can_be_assessed(text: str) -> None:
    line = text.replace("\n", " ")
    for path in ("a.yaml", "main.tf", "a.sql", "a.py", "Dockerfile"):
        assess(file(path, ["x"], [line]))

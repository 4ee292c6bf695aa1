import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.condense.risk.assess import FAMILIES
from bot.condense.risk.comments import Marks
from bot.condense.risk.rule import Gone
from tests.condense.risk import (
    test_code,
    test_codeowners,
    test_dockerfile,
    test_github_actions,
    test_helm,
    test_kubernetes,
    test_kustomize,
    test_migrations,
    test_prometheus,
    test_sql,
    test_terraform,
)
from tests.condense.risk.telling import Change, told

GONE = {rule.id for family in FAMILIES for rule in family.RULES if isinstance(rule, Gone)}
EXAMPLES: dict[str, Change] = {
    rule: change
    for page in (
        test_code,
        test_codeowners,
        test_dockerfile,
        test_github_actions,
        test_helm,
        test_kubernetes,
        test_kustomize,
        test_migrations,
        test_prometheus,
        test_sql,
        test_terraform,
    )
    for rule, change in page.TOLD.items()
    if rule in GONE
}
PROBE = "    livenessProbe:\n      httpGet: {path: /}\n"
POD = f"spec:\n  containers:\n  - name: a\n{PROBE}    image: x\n  - name: b\n    image: y\n"
GUARDED = """\
resource "aws_db_instance" "prod" {
  engine = "postgres"
  size = 3
  lifecycle {
    prevent_destroy = true
  }
}
"""
QUEUE = """\
resource "aws_sqs_queue" "jobs" {
  name = "jobs"
  delay = 3
  wait = 5
}
"""
LIFECYCLE = "  lifecycle {\n    prevent_destroy = true\n  }\n"
TEST = "def test_f():\n    assert f()\n"
AFTER_DOCSTRING = 'def f():\n    """\n    x\n    y\n    z\n    """\n    verify(b, c)\n'
DENY = "kind: NetworkPolicy\nmetadata:\n  name: deny-all\nspec:\n  podSelector: {}\n"

GONE_FOR_GOOD: dict[str, tuple[str, Change]] = {
    "commented out": ("k8s/probe-removed", ("a.yaml", POD, POD.replace("livenessProbe", "# livenessProbe"))),
    "told in a comment": (
        "k8s/probe-removed",
        ("a.yaml", POD, POD.replace(PROBE, "").replace("image: x", "image: x # TODO: bring the livenessProbe back")),
    ),
    "in a template's comment": (
        "k8s/probe-removed",
        ("templates/a.yaml", POD, POD.replace(PROBE, "    {{/* livenessProbe: */}}\n")),
    ),
    "in a template's comment of several lines": (
        "k8s/probe-removed",
        ("templates/a.yaml", POD, POD.replace(PROBE, "    {{- /*\n      livenessProbe:\n        x: 1\n    */ -}}\n")),
    ),
    "another container's": (
        "k8s/probe-removed",
        ("a.yaml", POD, POD.replace(PROBE, "").replace("image: y\n", "image: y\n" + PROBE)),
    ),
    "a new container's": (
        "k8s/probe-removed",
        ("a.yaml", POD, POD.replace(PROBE, "") + "  - name: c\n" + PROBE),
    ),
    "the guard of another resource": (
        "tf/prevent-destroy-removed",
        (
            "a.tf",
            GUARDED + QUEUE,
            GUARDED.replace(LIFECYCLE, "") + QUEUE.replace("  wait = 5\n", "  wait = 5\n" + LIFECYCLE),
        ),
    ),
    "the guard of another resource, far away": (
        "tf/prevent-destroy-removed",
        (
            "a.tf",
            GUARDED + "# far\n" * 20 + QUEUE,
            GUARDED.replace(LIFECYCLE, "") + "# far\n" * 20 + QUEUE.replace("  wait = 5\n", "  wait = 5\n" + LIFECYCLE),
        ),
    ),
    "in a value": (
        "k8s/probe-removed",
        ("a.yaml", POD, POD.replace(PROBE, "    env:\n    - name: NOTE\n      value: 'livenessProbe: none'\n")),
    ),
    "as a value": ("k8s/probe-removed", ("a.yaml", POD, POD.replace(PROBE, "    note: livenessProbe\n"))),
    "in a block of text": (
        "k8s/probe-removed",
        ("a.yaml", POD, POD.replace(PROBE, "    note: |\n      livenessProbe:\n        httpGet: {path: /}\n")),
    ),
    "in arguments": (
        "k8s/probe-removed",
        ("a.yaml", POD, POD.replace(PROBE, '    args: ["livenessProbe: on"]\n')),
    ),
    "below a key that nobody reads": (
        "k8s/probe-removed",
        ("a.yaml", POD, POD.replace(PROBE, "    x-off:\n      livenessProbe:\n        httpGet: {path: /}\n")),
    ),
    "in a branch that is never rendered": (
        "k8s/probe-removed",
        (
            "templates/a.yaml",
            POD,
            POD.replace(PROBE, "    {{- if false }}\n" + PROBE.replace(": {", ":  {") + "    {{- end }}\n").replace(
                "livenessProbe:", "livenessProbe: "
            ),
        ),
    ),
    "set to null": ("k8s/probe-removed", ("a.yaml", POD, POD.replace(PROBE, "    livenessProbe: null\n"))),
    "set to nothing": ("k8s/probe-removed", ("a.yaml", POD, POD.replace(PROBE, "    livenessProbe: ~ # off\n"))),
    "emptied": ("k8s/probe-removed", ("a.yaml", POD, POD.replace(PROBE, "    livenessProbe: {}\n"))),
    "left with its name": ("k8s/probe-removed", ("a.yaml", POD, POD.replace("      httpGet: {path: /}\n", ""))),
    "left with its name, in JSON": (
        "k8s/probe-removed",
        (
            "a.json",
            '{"a": {\n  "livenessProbe": {\n    "httpGet": {}\n  }\n}}',
            '{"a": {\n  "livenessProbe": {\n  }\n}}',
        ),
    ),
    "left with its name, written anew": (
        "k8s/probe-removed",
        ("a.yaml", POD, POD.replace(PROBE, "    livenessProbe: # none\n")),
    ),
    "a limit that is null": (
        "k8s/limit-removed",
        ("a.yaml", "resources:\n  limits:\n    memory: 1Gi", "resources:\n  limits:\n    memory: null"),
    ),
    "a guard in a string": (
        "tf/prevent-destroy-removed",
        ("a.tf", GUARDED, GUARDED.replace("prevent_destroy = true", 'x = "prevent_destroy = true"')),
    ),
    "a guard in a heredoc": (
        "tf/prevent-destroy-removed",
        ("a.tf", GUARDED, GUARDED.replace("    prevent_destroy = true", "x = <<EOT\n    prevent_destroy  = true\nEOT")),
    ),
    "a policy in a note": (
        "k8s/network-policy-removed",
        ("a.yaml", DENY, 'note: "kind: NetworkPolicy"\n' + DENY.replace("NetworkPolicy", "ConfigMap")),
    ),
    "a policy that another key names": (
        "k8s/network-policy-removed",
        ("a.yaml", DENY, "was: NetworkPolicy\n" + DENY.replace("NetworkPolicy", "ConfigMap")),
    ),
    "a test in a docstring": (
        "code/test-removed",
        ("test_a.py", TEST, f'"""\n{TEST}"""\n'.replace("def  ", "def ").replace("f()", "f( )")),
    ),
    "a test in a string": (
        "code/test-removed",
        ("test_a.py", TEST, 'X = """\n' + TEST.replace("f()", "g()") + '"""\n'),
    ),
    "a test that never runs": (
        "code/test-removed",
        ("test_a.py", TEST, "if False:\n    " + TEST.replace("\n    ", "\n        ")),
    ),
    "a test in a class that is not collected": (
        "code/test-removed",
        ("test_a.py", TEST, "class Off:\n    " + TEST.replace("\n    ", "\n        ")),
    ),
    "a test within a function": (
        "code/test-removed",
        ("test_a.py", TEST, "def off():\n    " + TEST.replace("\n    ", "\n        ")),
    ),
    "a test in a raw string": (
        "code/test-removed",
        ("a_test.go", "func TestA(t *testing.T) {\n}\n", "var x = `\nfunc TestA(t *testing.T)  {\n}\n`\n"),
    ),
    "a guard that is only told of": (
        "code/guard-removed",
        ("a.py", "def f(b):\n    verify(b)\n", 'def f(b):\n    log("verify(b)")\n'),
    ),
    "a policy of another name": (
        "k8s/network-policy-removed",
        ("a.yaml", DENY + "# end", "# one\n" + DENY.replace("kind", "kind ").replace("deny-all", "allow-all")),
    ),
}
BACK: dict[str, tuple[str, Change]] = {
    "with other contents": ("k8s/probe-removed", ("a.yaml", POD, POD.replace("{path: /}", "{path: /live}"))),
    "with contents where it had none": (
        "k8s/probe-removed",
        ("a.yaml", POD.replace(PROBE, "    livenessProbe: {}\n"), POD),
    ),
    "with its name in quotes": (
        "k8s/probe-removed",
        ("a.yaml", POD, POD.replace("livenessProbe:", '"livenessProbe":')),
    ),
    "with its value in quotes": (
        "k8s/network-policy-removed",
        ("a.yaml", DENY, DENY.replace("NetworkPolicy", '"NetworkPolicy"')),
    ),
    "with what a template puts there": (
        "k8s/probe-removed",
        ("templates/a.yaml", POD, POD.replace("      httpGet: {path: /}\n", "{{ toYaml .Values.probe | indent 6 }}\n")),
    ),
    "under a condition of a template": (
        "k8s/probe-removed",
        ("templates/a.yaml", POD, POD.replace(PROBE, "    {{- if .Values.p }}\n" + PROBE + "    {{- end }}\n")),
    ),
    "after a docstring of which the hunk shows the end": (
        "code/guard-removed",
        ("a.py", 'def f():\n    """\n    x\n    y\n    z\n    """\n    verify(b)\n', AFTER_DOCSTRING),
    ),
    "in a class of tests": (
        "code/test-removed",
        ("test_a.py", TEST, "class TestF:\n    " + TEST.replace("\n    ", "\n        ").replace("()", "(self)", 1)),
    ),
    "elsewhere in its container": (
        "k8s/probe-removed",
        ("a.yaml", POD, POD.replace(PROBE, "").replace("image: x\n", "image: x\n" + PROBE)),
    ),
    "in a container that got another name": (
        "k8s/probe-removed",
        ("a.yaml", POD, POD.replace("- name: a\n" + PROBE, "- name: z\n" + PROBE.replace(":\n", ": \n"))),
    ),
    "indented further": (
        "tf/prevent-destroy-removed",
        ("a.tf", GUARDED, GUARDED.replace("    prevent_destroy", "      prevent_destroy")),
    ),
    "with the function it is in, far away": (
        "code/guard-removed",
        (
            "a.py",
            "def f(b):\n    verify(b)\n\n" + "x = 1\n" * 20,
            "x = 1\n" * 20 + "\ndef f(b):\n    verify(b)\n",
        ),
    ),
}


@pytest.mark.parametrize(("rule", "change"), GONE_FOR_GOOD.values(), ids=GONE_FOR_GOOD)
def test_a_removal_is_told_though_the_word_is_added(rule: str, change: Change) -> None:
    assert rule in told(*change)


@pytest.mark.parametrize(("rule", "change"), BACK.values(), ids=BACK)
def test_what_came_back_is_no_removal(rule: str, change: Change) -> None:
    assert rule not in told(*change)


def test_every_rule_for_removals_has_an_example() -> None:
    assert set(EXAMPLES) == GONE


@pytest.mark.parametrize("rule", [rule for rule, (path, _, _) in EXAMPLES.items() if Marks.of(path).comment("# x")])
@given(st.sampled_from(["# {}", "#{}", "x: 1  # {}"]), st.integers(0, 12))
def test_no_removal_is_undone_by_a_comment(rule: str, comment: str, indent: int) -> None:
    path, old, new = EXAMPLES[rule]
    notes = "\n".join(" " * indent + comment.format(line) for line in old.splitlines())
    assert rule in told(path, old, f"{new}\n{notes}" if new else notes)

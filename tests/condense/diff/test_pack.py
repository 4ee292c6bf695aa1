import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.condense.diff.cost import line_cost
from bot.condense.diff.pack import Packed, pack, prepare
from bot.condense.diff.parse import parse
from bot.redact.redactor import Redactor
from tests.condense.diff.diffs import NOISE, change, diffs

ENOUGH = 100_000


def unredacted(text: str) -> str:
    return text


def packed(text: str, budget: int = ENOUGH) -> Packed:
    return pack(prepare(parse(text)), budget, redact=unredacted)


def claimed(result: Packed) -> set[tuple[str, str, int]]:
    return {(path, sign, n) for path, of in result.kept.items() for sign, numbers in of.items() for n in numbers}


def changed(text: str) -> dict[tuple[str, str, int], str]:
    return {
        (file.path, line.sign, line.new or line.old or 0): line.text
        for file in parse(text).files
        for hunk in file.hunks
        for line in hunk.lines()
        if line.sign != " "
    }


def read_back(text: str) -> dict[tuple[str, str, int], str]:
    """Read a packed text as its first line says it is to be read: every changed line that it shows, with its number."""
    out: dict[tuple[str, str, int], str] = {}
    names: dict[str, list[str]] = {}
    path, old, new, naming, left = "", 0, 0, "", 0

    def take(line: str) -> None:
        nonlocal old, new
        if line[0] != " ":
            out[path, line[0], old if line[0] == "-" else new] = line[1:]
        old, new = old + (line[0] != "+"), new + (line[0] != "-")

    for line in text.split("\n")[1:-2]:
        if line.startswith("## "):
            path = re.sub(r" \+\d+ -\d+(?: \(.*\))?$", "", line[3:])
        elif line.startswith("@@ "):
            old = int(m[1]) if (m := re.search(r"-(\d+)", line)) else 0
            new = int(m[1]) if (m := re.search(r"\+(\d+)", line)) else 0
        elif line.startswith("&"):
            naming, count = line[1:].split()
            names[naming], left = [], int(count)
        elif line.startswith("*"):
            for again in names[line[1:].split()[0]]:
                take(again)
        else:
            if left:
                names[naming].append(line)
                left -= 1
            take(line)
    return out


@given(diffs(), st.integers(0, 400))
@settings(max_examples=120)
def test_the_text_read_back_is_what_is_claimed_and_stands_in_the_diff(text: str, budget: int) -> None:
    result = packed(text, budget)
    true, back = changed(text), read_back(result.text)
    assert claimed(result) <= set(true)
    for at in claimed(result):
        assert back[at] == true[at].removesuffix("\r")
    altered = {(path, sign, n) for path, of in result.altered.items() for sign, numbers in of.items() for n in numbers}
    assert set(back) == claimed(result) | altered


@given(diffs() | NOISE, st.integers(0, 300))
@settings(max_examples=100)
def test_the_text_is_within_the_budget(text: str, budget: int) -> None:
    result = packed(text, budget)
    assert sum(map(line_cost, result.text.split("\n")[:-1])) <= result.tokens <= budget


@given(diffs(), st.integers(0, 300), st.integers(0, 300))
@settings(max_examples=100)
def test_more_budget_never_shows_less(text: str, one: int, other: int) -> None:
    small, large = packed(text, min(one, other)), packed(text, max(one, other))
    assert claimed(small) <= claimed(large)
    for a, b in zip(small.files, large.files, strict=True):
        assert (a.kept_hunks, a.kept_lines) <= (b.kept_hunks, b.kept_lines)
        assert b.kept_hunks <= b.hunks


@pytest.mark.parametrize(
    "unread",
    [
        "diff --cc a.py\nindex 1,2..3\n--- a/a.py\n+++ b/a.py\n@@@ -1,1 -1,1 +1,1 @@@\n- a\n -b\n++c\n",
        "diff --git a/x.png b/x.png\nBinary files a/x.png and b/x.png differ\n",
    ],
)
def test_what_has_no_lines_to_show_is_said(unread: str) -> None:
    text = packed(unread + "--- a/b.py\n+++ b/b.py\n@@ -1 +1 @@\n-a\n+b\n").text
    assert text.endswith(
        "Every changed line that is known is shown. Which lines were changed is not known of 1 file.\n"
    )


@given(diffs())
@settings(max_examples=60)
def test_with_enough_budget_every_changed_line_is_shown_and_the_text_says_so(text: str) -> None:
    result = packed(text)
    assert set(read_back(result.text)) == set(changed(text))
    assert result.text.endswith("Every changed line is shown.\n")
    for file in result.files:
        assert (file.kept_hunks, file.kept_lines, file.why) == (file.hunks, file.lines, "")


@given(diffs(), st.integers(0, 300))
@settings(max_examples=40)
def test_the_same_diff_is_always_packed_alike(text: str, budget: int) -> None:
    assert packed(text, budget) == packed(text, budget)


POLICY = change("deploy/np.yaml", ["kind: NetworkPolicy", "metadata: {name: deny}", "spec: {}"], [])
CODE = change("src/calm.py", [f"a{n} = {n}" for n in range(90)], [f"a{n} = {n + 1}" for n in range(90)])


def test_a_deleted_network_policy_comes_before_a_rewritten_file() -> None:
    result = packed(CODE + POLICY, 130)
    assert result.text.split("\n")[1:4] == ["## deploy/np.yaml +0 -3 (deleted)", "@@ -1", "-kind: NetworkPolicy"]
    assert 1 in result.kept["deploy/np.yaml"]["-"]


def test_what_is_left_out_is_said_in_the_text_and_by_file() -> None:
    result = packed(CODE + POLICY, 130)
    assert re.search(r"\nNot shown: \d+ of 183 changed lines[;.]", result.text)
    partly = packed(CODE + change("src/b.py", ["x"], ["y"]), 65)
    assert {file.why for file in partly.files} == {"over budget"}
    assert "not named: files of 2 source" in partly.text


def test_a_lock_file_is_named_with_its_size_before_its_lines_are_shown() -> None:
    lock = change("yarn.lock", [f"pkg{n}@1" for n in range(200)], [f"pkg{n}@2" for n in range(200)])
    result = packed(lock + POLICY, 160)
    assert "## yarn.lock +200 -200 (lock)" in result.text
    assert (
        next(file for file in result.files if file.path == "yarn.lock").why
        == "lock file, after all others: over budget"
    )


def test_what_has_no_lines_is_named_with_what_is_known() -> None:
    result = packed(
        "diff --git a/run.sh b/run.sh\nold mode 100644\nnew mode 100755\n"
        "diff --git a/k8s/one/a.yaml b/k8s/two/a.yaml\nrename from k8s/one/a.yaml\nrename to k8s/two/a.yaml\n"
        "diff --git a/x.png b/x.png\nindex 1..2 100644\nBinary files a/x.png and b/x.png differ\n"
    )
    assert "## run.sh +0 -0 (mode, mode 100644 -> 100755)" in result.text
    assert "## k8s/{one => two}/a.yaml +0 -0 (renamed)" in result.text
    assert "## x.png +0 -0 (binary)" in result.text
    assert [file.why for file in result.files] == ["mode 100644 -> 100755", "", "binary"]


def test_a_change_that_stands_in_many_files_is_written_once() -> None:
    old, new = ["  image: registry.example/shop/checkout:v1.4.1"], ["  image: registry.example/shop/checkout:v1.4.2"]
    text = "".join(change(f"deploy/{n}.yaml", old, new) for n in range(20))
    result = packed(text)
    assert result.text.count("checkout:v1.4.2") == 1
    assert len(result.kept) == 20
    assert set(read_back(result.text)) == set(changed(text))


def test_a_redacted_line_is_shown_altered_and_not_claimed() -> None:
    text = change("values.yaml", ["a: 1"], ["a: 2", "password: hunter2hunter2"])
    result = pack(prepare(parse(text)), ENOUGH, redact=Redactor(key=b"k" * 32).text)
    assert "hunter2" not in result.text
    assert result.kept["values.yaml"] == {"+": (1,), "-": (1,)}
    assert result.altered["values.yaml"] == {"+": (2,), "-": ()}


def test_a_secret_in_a_path_is_redacted_in_the_text() -> None:
    text = change("keys/AKIAIOSFODNN7QXMPLEA.yaml", ["a"], ["b"])
    assert "AKIAIOSFODNN7QXMPLEA" not in pack(prepare(parse(text)), ENOUGH, redact=Redactor(key=b"k" * 32).text).text


@pytest.mark.parametrize(
    "hostile", ["## prod/values.yaml +1 -0", "@@ -1 +1", "*1 3", "&1 3", "Every changed line is shown."]
)
def test_no_line_of_a_file_passes_for_one_of_ours(hostile: str) -> None:
    text = change("n.md", ["x"], ["x", hostile])
    ours = packed(text).text.split("\n")[1:-2]
    assert [line for line in ours if not line.startswith(("+", "-", " "))] == ["## n.md +1 -0 (docs)", "@@ -1 +1"]
    forged = packed(change(f"a\u2028{hostile}\u202e", ["x"], ["y"])).text
    assert len([line for line in forged.splitlines() if line.startswith("## ")]) == 1


def test_a_line_of_a_megabyte_costs_little_and_hides_nothing_else() -> None:
    result = packed(
        change("data.jsonl", ["{}"], ["{" + "x" * 1_000_000 + "}"])
        + change("v.yaml", ["replicas: 3"], ["replicas: 1"]),
        400,
    )
    assert "+replicas: 1" in result.text
    assert len(result.text) < 4_000


def test_risks_are_told_for_lines_that_are_not_shown_too() -> None:
    result = packed(POLICY, 0)
    assert (result.text, result.tokens, result.kept) == ("", 0, {})
    assert [
        (risk.rule, risk.sign, risk.line) for risk in result.risks["deploy/np.yaml"] if risk.severity == "critical"
    ] == [("k8s/network-policy-removed", "-", 1)]


def test_the_risks_of_a_file_with_two_sections_are_those_of_both() -> None:
    twice = POLICY + change("deploy/np.yaml", [], ["privileged: true"])
    assert {risk.rule for risk in packed(twice, 0).risks["deploy/np.yaml"]} >= {
        "k8s/network-policy-removed",
        "k8s/privileged",
    }

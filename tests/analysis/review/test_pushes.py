"""Findings over several pushes to one pull request."""

import difflib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.analysis.review.anchors import Anchors
from bot.analysis.review.pushes import MAX_KNOWN, carried, dismiss
from bot.analysis.review.rules import told
from bot.condense.diff.patch import Patch
from bot.condense.risk.assess import assess
from bot.domain.review import Review
from tests.analysis.review.diffs import DEPLOYMENT, HEAD, patch, same

MOVED = DEPLOYMENT.replace("@@ -10,9 +10,7 @@", "@@ -110,9 +210,7 @@")
PROBE_BACK = DEPLOYMENT.replace("         image:", "+        readinessProbe: {tcpSocket: {}}\n         image:").replace(
    "+10,7", "+10,8"
)
DROPPED_FLAG = DEPLOYMENT.replace("+          privileged: true\n", "").replace("+38,5", "+38,4")


def after(text: str, previous=(), *, said=None, complete=True):
    """Review a push by rules; ``said`` are findings of a model, which otherwise has nothing to say."""
    read = patch(text)
    risks = {file.path: assess(file) for file in read.files}
    anchors = Anchors(read, same)
    found = said if said is not None else told(anchors, risks, {}, head_sha=HEAD)
    return carried(previous, found, anchors, risks, complete=complete)


def states(findings):
    return {finding.rule: finding.state for finding in findings}


FIRST = after(DEPLOYMENT)
MODEL = tuple(replace(finding, rule="") for finding in FIRST)


def test_what_is_found_again_is_not_new_wherever_it_moved():
    said = [replace(finding, said=True, first_sha="old") for finding in FIRST]
    again = after(MOVED, said)
    assert [(finding.fingerprint, finding.state, finding.said, finding.first_sha) for finding in again] == [
        (finding.fingerprint, "open", True, "old") for finding in FIRST
    ]
    assert again[1].line == FIRST[1].line + 100


def test_what_was_mended_is_resolved_and_the_rest_stays_open():
    assert states(after(DROPPED_FLAG, FIRST)) == {"k8s/privileged": "resolved", "k8s/probe-removed": "open"}
    assert states(after(PROBE_BACK, FIRST)) == {"k8s/privileged": "open", "k8s/probe-removed": "resolved"}


def test_what_a_model_does_not_repeat_is_not_forgotten():
    again = after(MOVED, MODEL, said=[])
    assert [(finding.state, finding.line) for finding in again] == [("open", 41), ("open", 114)]


def test_a_models_finding_is_resolved_when_its_line_is_no_longer_changed():
    again = after(DROPPED_FLAG, MODEL, said=[])
    assert {finding.quote.strip(): finding.state for finding in again} == {
        "privileged: true": "resolved",
        "readinessProbe:": "open",
    }


def test_what_comes_back_is_open_again_and_said_already():
    mended = after(DROPPED_FLAG, [replace(finding, said=True) for finding in FIRST])
    back = after(DEPLOYMENT, mended)
    assert states(back)["k8s/privileged"] == "open"
    assert all(finding.said for finding in back)


@pytest.mark.parametrize(("severity", "state"), [("critical", "dismissed"), ("medium", "open")])
def test_a_dismissal_holds_unless_it_is_graver_now(severity, state):
    dismissed = [replace(FIRST[0], severity=severity, state="dismissed", reason="by ann: known"), FIRST[1]]
    again = {finding.rule: finding for finding in after(MOVED, dismissed)}["k8s/privileged"]
    assert (again.state, again.reason) == (state, "by ann: known" if state == "dismissed" else "")


def test_a_file_that_is_no_longer_changed_resolves_unless_it_was_only_not_listed():
    assert {finding.state for finding in after("", FIRST)} == {"resolved"}
    assert {finding.state for finding in after("", FIRST, complete=False)} == {"open"}


def test_a_file_whose_lines_github_leaves_out_resolves_nothing():
    read = patch()
    bare = Patch((replace(read.files[0], hunks=(), notes=("no patch",)),))
    kept = carried(FIRST, (), Anchors(bare, same), {}, complete=True)
    assert {finding.state for finding in kept} == {"open"}


def test_the_open_ones_come_first_and_are_the_last_to_be_forgotten():
    many = [
        replace(FIRST[1], fingerprint=f"{n:016x}", path=f"other/{n}.yaml", state="dismissed")
        for n in range(2 * MAX_KNOWN)
    ]
    kept = after(DEPLOYMENT, many, complete=False)
    assert len(kept) == MAX_KNOWN
    assert [finding.state for finding in kept[:3]] == ["open", "open", "dismissed"]


def test_one_finding_is_dismissed_by_its_id():
    review = Review(HEAD, "", FIRST, (), "rules")
    found = dismiss(review, f" {FIRST[0].id.upper()} ", "by ann: known")
    assert found is not None
    assert [(f.state, f.reason) for f in found.findings] == [("dismissed", "by ann: known"), ("open", "")]
    assert (review.verdict, found.verdict) == ("blocker", "attention")
    assert dismiss(review, "ffffffff", "by ann") is None
    assert dismiss(review, "", "by ann") is None


NAMES = ("debug-tool", "payment-api", "proxy")
SHAPES = st.sampled_from(["short", "long", "args first"])


def pod(*privileged: str, shape: str = "short") -> list[str]:
    """Return a manifest in which some containers are privileged. In a ``long`` one their names stand farther from that
    than a diff shows; with ``args first`` each container begins like the others."""
    lines = ["kind: Deployment", "spec:", "  containers:"]
    for name in NAMES:
        begins = ["- args: [serve]", f"  name: {name}"] if shape == "args first" else [f"- name: {name}"]
        lines += [f"  {line}" for line in begins]
        lines += [f"    image: registry.example/{name}:1"] + ["    tty: false"] * (6 if shape == "long" else 1)
        lines += ["    securityContext:", "      runAsNonRoot: true"]
        lines += ["      privileged: true"] if name in privileged else []
        lines += [f"      seccompProfile: {name}", "    stdin: false"]
    return lines


def change(*privileged: str, shape: str = "short") -> str:
    """Return the diff that makes some containers privileged."""
    found = difflib.unified_diff(pod(shape=shape), pod(*privileged, shape=shape), lineterm="")
    body = "\n".join(list(found)[2:])
    return f"diff --git a/pod.yaml b/pod.yaml\n--- a/pod.yaml\n+++ b/pod.yaml\n{body}\n" if body else ""


def container(finding, *privileged: str, shape: str) -> str:
    """Return the container that a finding's line stands in."""
    above = pod(*privileged, shape=shape)[: finding.line]
    return next(line.split("name: ")[1] for line in reversed(above) if "name: " in line)


def dismissed(findings):
    return [replace(finding, state="dismissed", reason="by ann: known") for finding in findings]


@pytest.mark.parametrize("shape", ["short", "long", "args first"])
def test_a_dismissal_says_nothing_of_another_container(shape):
    (before,) = dismissed(after(change("debug-tool", shape=shape)))
    (now,) = after(change("payment-api", shape=shape), [before])
    assert (now.state, now.reason, now.said) == ("open", "", False)


@pytest.mark.parametrize("shape", ["short", "long", "args first"])
@pytest.mark.parametrize("other", ["debug-tool", "proxy"])
def test_a_dismissed_line_is_known_again_when_an_equal_one_comes(shape, other):
    first = dismissed(after(change("payment-api", shape=shape)))
    both = after(change("payment-api", other, shape=shape), first)
    found = {container(finding, "payment-api", other, shape=shape): finding.state for finding in both}
    assert found == {"payment-api": "dismissed", other: "open"}
    assert len({finding.fingerprint for finding in both}) == 2


@given(SHAPES, *[st.sets(st.sampled_from(NAMES))] * 3)
def test_only_what_somebody_dismissed_is_ever_dismissed(shape, first, ignored, second):
    found = after(change(*first, shape=shape))
    chosen = [f for f in found if container(f, *first, shape=shape) in ignored]
    known = [*dismissed(chosen), *(f for f in found if f not in chosen)]
    now = after(change(*second, shape=shape), known)
    still = [container(finding, *second, shape=shape) for finding in now if finding.state == "open"]
    assert sorted(still) == sorted(second - (first & ignored))


def test_what_a_model_said_of_a_line_stays_with_that_line():
    said = [replace(f, rule="") for f in after(change("payment-api"))]
    (now,) = after(change("debug-tool", "payment-api"), said, said=[])
    assert container(now, "debug-tool", "payment-api", shape="short") == "payment-api"


def unnamed(places, *, told_apart: bool) -> str:
    """Return the diff that makes some of four containers privileged of which none has a name."""

    def lines(privileged):
        made = ["kind: Pod", "spec:", "  containers:"]
        for place in range(4):
            made += ["  - securityContext:", "      runAsNonRoot: true"]
            made += ["      privileged: true"] if place in privileged else []
            made += ["    stdin: false", f"    image: registry.example/{place if told_apart else 'x'}:1"]
            made += ["    tty: false"] * 3
        return made

    body = "\n".join(list(difflib.unified_diff(lines(()), lines(places), lineterm="", n=30))[2:])
    return f"diff --git a/pod.yaml b/pod.yaml\n--- a/pod.yaml\n+++ b/pod.yaml\n{body}\n" if body else ""


_PLACES = st.sets(st.integers(0, 3), min_size=1)
_INNER = st.sets(st.integers(1, 3), min_size=1)  # the first has another line above it


def known_of(first, ignored, *, told_apart: bool):
    """What is known after a first push of which somebody dismissed some places."""
    found = sorted(after(unnamed(first, told_apart=told_apart)), key=lambda finding: finding.line)
    told = dict(zip(sorted(first), found, strict=True))
    return [*dismissed(told[place] for place in first & ignored), *(told[place] for place in first - ignored)]


def open_at(findings, second, *, told_apart: bool) -> set[int]:
    """The places of which something is open."""
    lines = sorted(finding.line for finding in after(unnamed(second, told_apart=told_apart)))
    places = dict(zip(lines, sorted(second), strict=True))
    return {places[finding.line] for finding in findings if finding.state == "open"}


@given(_PLACES, st.sets(st.integers(0, 3)), _PLACES)
def test_among_equal_lines_in_equal_surroundings_a_dismissal_covers_what_was_dismissed(first, ignored, second):
    now = after(unnamed(second, told_apart=True), known_of(first, ignored, told_apart=True))
    assert open_at(now, second, told_apart=True) == second - (first & ignored)
    assert len({finding.fingerprint for finding in now}) == len(now)


@given(_INNER, st.sets(st.integers(1, 3)), _INNER)
def test_what_nothing_tells_apart_is_open_again_when_one_of_it_comes_or_goes(first, ignored, second):
    now = after(unnamed(second, told_apart=False), known_of(first, ignored, told_apart=False))
    if len(first) != len(second):
        assert open_at(now, second, told_apart=False) == second
    if first == second:
        assert open_at(now, second, told_apart=False) == second - ignored


def test_a_file_that_was_moved_away_is_told_until_it_is_moved_back():
    def moved(new):
        text = f"diff --git a/k8s/pdb.yaml b/{new}\nrename from k8s/pdb.yaml\nrename to {new}\n"
        return "diff --git a/a b/b\nrename from a\nrename to b\n" + text

    first = after(moved("k8s/pdb.yaml.bak"))
    assert [(one.rule, one.state) for one in first] == [("move/manifest", "open")]
    assert [(one.path, one.state) for one in after(moved("k8s/pdb.yaml.off"), first)] == [("k8s/pdb.yaml.off", "open")]
    assert [one.state for one in after(moved("k8s/other.yaml"), first)] == ["resolved"]
    assert [one.state for one in after("", first)] == ["resolved"]


def created(path):
    lines = ["def pay(user, amount):", "    charge(user, amount)", "    charge(user, amount + fee)", "    return True"]
    text = "".join(f"+{line}\n" for line in lines)
    return f"diff --git a/{path} b/{path}\nnew file mode 100644\n--- /dev/null\n+++ b/{path}\n@@ -0,0 +1,4 @@\n{text}"


def renamed(new):
    return (
        f"diff --git a/a.py b/{new}\nrename from a.py\nrename to {new}\n--- a/a.py\n+++ b/{new}\n"
        "@@ -1,3 +1,4 @@\n def pay(user, amount):\n     x = 1\n+    charge(user, amount + fee)\n     return True\n"
    )


def by_model(text, path, line):
    """What a model says of a line."""
    file = Anchors(patch(text), same).file(path)
    (place,) = file.at("RIGHT", line).places
    name, where = file.fingerprint("RIGHT", place), file.setting("RIGHT", place)
    told_ = {"severity": "critical", "path": path, "side": "RIGHT", "line": line, "start_line": line}
    return replace(FIRST[0], rule="", fingerprint=name, setting=where, quote=place.text, **told_)


@pytest.mark.parametrize(
    ("make", "first", "then"),
    [(created, "pay.py", "billing.py"), (renamed, "b.py", "c.py"), (renamed, "b.py", "a/b.py")],
)
def test_a_finding_goes_along_with_a_file_that_gets_another_name(make, first, then):
    known = by_model(make(first), first, 3)
    (kept,) = after(make(then), [known], said=[])
    assert (kept.state, kept.path, kept.line, kept.blocks) == ("open", then, 3, True)
    assert kept.fingerprint == by_model(make(then), then, 3).fingerprint
    ignored = replace(known, state="dismissed", reason="lee: as agreed", said=True)
    (still,) = after(make(then), [ignored], said=[by_model(make(then), then, 3)])
    assert (still.state, still.said, still.path) == ("dismissed", True, then)
    (mended,) = after(make(then).replace("charge(user, amount + fee)", "pass"), [known], said=[])
    assert mended.state == "resolved"
    (kept,) = after("", [known], said=[])
    assert kept.state == "resolved"


def test_what_two_files_had_and_one_has_is_known_of_both():
    one, other = (replace(by_model(created(path), path, 3), said=True) for path in ("a1.py", "a2.py"))
    both = after(created("a3.py"), [one, replace(other, state="dismissed")], said=[])
    assert {finding.state for finding in both} == {"open", "dismissed"}

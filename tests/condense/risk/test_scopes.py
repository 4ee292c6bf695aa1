from typing import Literal

from hypothesis import given

from bot.condense.diff.parse import parse
from bot.condense.risk.comments import Marks
from bot.condense.risk.scopes import OTHER, Scopes, Side
from tests.condense.diff.diffs import change, diffs


def side(path: str, old: list[str], new: list[str], gone: Literal["+", "-"]) -> tuple[Side, dict[str, int]]:
    patch = parse(change(path, old, new, context=20)).files[0]
    (hunk,) = patch.hunks
    lines = tuple(hunk.lines())
    return Scopes(patch, Marks.of(path)).sides(0)[OTHER[gone]], {
        line.text.strip(): at for at, line in enumerate(lines) if line.sign != gone
    }


def test_the_enclosing_line_is_the_nearest_that_is_indented_less() -> None:
    pod = ["spec:", "  containers:", "  - name: a", "    # note", "{{- if x }}", "    probe: 1", "", "    image: x"]
    found, at = side("a.yaml", pod, [*pod[:-1], "    image: y"], "+")
    assert found[at["probe: 1"]].parent == "- name: a"
    assert found[at["image: x"]].parent == "- name: a"
    assert found[at["- name: a"]].parent == "containers:"


def test_an_item_belongs_to_the_key_of_the_same_indentation() -> None:
    found, at = side("a.yaml", ["ingress:", "x: 1"], ["ingress:", "- {}", "x: 1"], "-")
    assert found[at["- {}"]].parent == "ingress:"
    assert found[at["x: 1"]].parent == ""


def test_an_anchor_is_a_line_that_did_not_change() -> None:
    found, at = side("a.tf", ["a {", "  b = 1", "}"], ["a {", "  c {", "    b = 1", "  }", "}"], "-")
    assert found[at["b = 1"]].anchor == ("line", at["a {"])
    assert found[at["b = 1"]].chain != 0
    assert found[at["c {"]].chain == 0


def test_a_path_is_known_only_from_the_outermost_line_on() -> None:
    deep = ["    a: 1", "    b: 1"]
    found, at = side("a.yaml", deep, [*deep, "    c: 1"], "-")
    assert found[at["c: 1"]].path is None
    found, at = side("a.yaml", ["top:", *deep], ["top:", *deep, "    c: 1"], "-")
    assert found[at["c: 1"]].path is not None


def test_documents_are_told_apart_by_their_objects() -> None:
    text = ["kind: A", "metadata:", "  name: one", "---", "kind: B", "metadata:", "  name: two"]
    found, at = side("a.yaml", text, [*text, "x: 1"], "+")
    assert (found[at["kind: A"]].name, found[at["kind: B"]].name) == ("one", "two")


@given(diffs())
def test_every_line_has_a_scope_on_its_side(text: str) -> None:
    for patch in parse(text).files:
        scopes = Scopes(patch, Marks.of(patch.path))
        for number, hunk in enumerate(patch.hunks):
            texts = {line.text.strip() for line in hunk.lines()} | {""}
            for at, line in enumerate(hunk.lines()):
                for sign in OTHER:
                    if line.sign in (sign, " "):
                        assert scopes.sides(number)[sign][at].parent in texts

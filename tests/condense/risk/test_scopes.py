from typing import Literal

from hypothesis import given

from bot.condense.diff.parse import parse
from bot.condense.risk.comments import Marks
from bot.condense.risk.scopes import Scopes, Side
from tests.condense.diff.diffs import change, diffs


def side(path: str, old: list[str], new: list[str], gone: Literal["+", "-"]) -> tuple[Side, dict[str, int]]:
    (hunk,) = parse(change(path, old, new, context=20)).files[0].hunks
    lines = tuple(hunk.lines())
    return Scopes(Marks.of(path)).side(hunk, lines, gone), {
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
        scopes = Scopes(Marks.of(patch.path))
        for hunk in patch.hunks:
            lines = tuple(hunk.lines())
            for sign, gone in (("-", "+"), ("+", "-")):
                found = scopes.side(hunk, lines, gone)  # type: ignore[arg-type]
                assert all(found[at].parent is not None for at, line in enumerate(lines) if line.sign in (sign, " "))

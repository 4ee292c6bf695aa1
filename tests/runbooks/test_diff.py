"""The diff: readable, complete, honest about what it hides, and impossible to forge from a value."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.canonical import digest
from bot.runbooks import diff

LIVE: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {
        "name": "checkout",
        "namespace": "shop",
        "uid": "u1",
        "resourceVersion": "7",
        "generation": 3,
        "creationTimestamp": "2026-11-01T00:00:00Z",
        "managedFields": [{"manager": "kubectl"}],
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{...}", "team": "shop"},
    },
    "spec": {
        "replicas": 3,
        "template": {
            "spec": {
                "containers": [
                    {"name": "proxy", "image": "proxy:1", "args": ["-v"]},
                    {"name": "checkout", "image": "checkout:2", "env": []},
                ]
            }
        },
    },
    "status": {"replicas": 3},
}


def same(data: Any) -> Any:
    return data


def changed(**changes: Any) -> dict[str, Any]:
    after = copy.deepcopy(LIVE)
    after["spec"] |= changes
    return after


def shown(after: dict[str, Any]) -> str:
    made = diff.between(diff.normalise(LIVE), diff.normalise(after), title="T", redact=same)
    assert made is not None
    return made.text


def test_what_the_server_writes_by_itself_is_no_change() -> None:
    after = copy.deepcopy(LIVE)
    after["metadata"] |= {"resourceVersion": "8", "generation": 4, "managedFields": []}
    after["status"] = {"replicas": 2}
    assert diff.between(diff.normalise(LIVE), diff.normalise(after), title="T", redact=same) is None
    assert "last-applied" not in str(diff.normalise(LIVE))
    assert "last-applied" in str(LIVE)


def test_a_change_stands_under_its_path_and_list_items_under_their_names() -> None:
    after = copy.deepcopy(LIVE)
    after["spec"]["template"]["spec"]["containers"][1]["image"] = "checkout:1"
    assert shown(after).splitlines() == [
        "T",
        "@@ spec.template.spec.containers[checkout]",
        "  env: []",
        "- image: checkout:2",
        "+ image: checkout:1",
    ]


def test_a_name_cannot_forge_the_path_it_stands_under() -> None:
    before = {"c": [{"name": "x]\n+ image: good", "image": "bad"}]}
    after = {"c": [{"name": "x]\n+ image: good", "image": "worse"}]}
    made = diff.between(before, after, title="T", redact=same)
    assert made is not None
    assert made.text.splitlines()[1] == '@@ c["x]\\n+ image: good"]'


def test_an_item_without_a_name_stands_under_its_number() -> None:
    after = copy.deepcopy(LIVE)
    after["spec"]["template"]["spec"]["containers"][0]["args"] = ["-v", "-x"]
    text = shown(after)
    assert "@@ spec.template.spec.containers[proxy].args\n" in text
    assert '+   - "-x"\n' in text


def test_the_digest_is_of_the_whole_text_and_what_fits_is_whole_lines() -> None:
    after = changed(**{f"key{number}": "x" * 60 for number in range(100)})
    made = diff.between(diff.normalise(LIVE), diff.normalise(after), title="T", redact=same)
    assert made is not None
    assert made.sha256 == digest(made.text.encode())
    assert not made.complete
    assert len(made.shown) <= diff.MAX_SHOWN
    assert made.text.startswith(made.shown)
    assert made.shown.endswith("\n")
    assert (made.added, made.removed) == (100, 0)
    assert made.lines == len(made.text.splitlines())


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("plain text", "plain text"),
        ("registry.example:5000/a/b:1.2", "registry.example:5000/a/b:1.2"),
        ("4.18", '"4.18"'),
        ("true", '"true"'),
        ("No", '"No"'),
        ("", '""'),
        ("a: b", '"a: b"'),
        ("a  b", '"a  b"'),
        ("a #b", '"a #b"'),
        ("x\n+ image: good", '"x\\n+ image: good"'),
        ("right\u202eleft", '"right\\u202eleft"'),
        ("zero\u200bwidth", '"zero\\u200bwidth"'),
        ("größe", '"größe"'),
        (7, "7"),
        (True, "true"),
        (None, "null"),
        ({}, "{}"),
    ],
)
def test_a_value_is_one_line_and_shows_what_it_is(value: Any, line: str) -> None:
    assert f"+   extra: {line}\n" in shown(changed(extra=value))


def test_context_may_be_cut_but_a_change_never() -> None:
    long = "y" * 5000
    after = changed(extra=long)
    assert f'+   extra: "{long}"\n' in shown(after)
    before, after = changed(aaa=long), changed(aaa=long, aab=1)
    made = diff.between(diff.normalise(before), diff.normalise(after), title="T", redact=same)
    assert made is not None
    assert max(map(len, made.text.splitlines())) < 200


def test_a_secret_that_changes_is_named_and_not_shown() -> None:
    def redact(data: Any) -> Any:
        return {**data, "spec": {**data["spec"], "password": "[secret]"}}

    before, after = diff.normalise(changed(password="one")), diff.normalise(changed(password="two"))
    made = diff.between(before, after, title="T", redact=redact)
    assert made is not None
    assert made.text == "T\n! spec.password: changes, but its value is kept secret\n"


def test_a_name_that_is_secret_is_only_counted() -> None:
    def redact(data: Any) -> Any:
        return json.loads(json.dumps(data).replace("hunter1", "[secret]"))

    made = diff.between({"env": {"hunter1": "a"}}, {"env": {"hunter1": "b"}}, title="T", redact=redact)
    assert made is not None
    assert "hunter1" not in made.text
    assert made.text.endswith("! values change under names that are kept secret: 1\n")


def test_an_object_that_nobody_could_review_is_too_large() -> None:
    with pytest.raises(diff.TooLarge):
        shown(changed(extra={str(number): number for number in range(diff.MAX_LINES)}))


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=4), inner, max_size=3)
        | st.lists(st.fixed_dictionaries({"name": st.text(max_size=2)}, optional={"v": inner}), max_size=3)
    ),
    max_leaves=8,
)


@given(before=_values, after=_values)
@settings(max_examples=200)
def test_a_difference_always_shows_and_no_value_makes_a_line_of_its_own(before: Any, after: Any) -> None:
    made = diff.between({"spec": before}, {"spec": after}, title="T", redact=same)
    # As JSON: to Python, true and 1 are equal.
    assert (made is None) == (json.dumps(before, sort_keys=True) == json.dumps(after, sort_keys=True))
    if made:
        title, *lines = made.text.split("\n")[:-1]
        assert title == "T"
        assert any(line[0] in "+-!" for line in lines)
        assert all(line[:2] in ("+ ", "- ", "  ", "! ", "@@") for line in lines)
        assert all(line.isprintable() for line in lines)


def test_two_changes_of_the_same_thing_are_compared_line_by_line() -> None:
    before = "Deployment shop/x\n- image: a:1\n+ image: a:0\n"
    assert diff.moved(before, before) == ""
    assert diff.moved(before, before.replace("a:1", "a:2")) == "- - image: a:1\n+ - image: a:2\n"
    assert len(diff.moved("", "+ line\n" * 5000)) <= diff.MAX_SHOWN


def test_what_a_change_is_about_is_read_from_the_object_as_it_is_now() -> None:
    def web(image: str) -> dict[str, Any]:
        return {"spec": {"replicas": 3, "template": {"containers": [{"name": "web", "image": image}]}}}

    change = diff.between(web("web:1"), web("web:2"), title="web", redact=lambda value: value)
    assert change is not None
    assert diff.reads(change.text, web("web:3")) == "spec.template.containers[web].image: web:3"
    assert diff.reads(change.text, {"spec": {"replicas": 3}}) == ""

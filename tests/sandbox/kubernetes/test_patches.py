import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.sandbox.kubernetes.patches import PatchError, json_patch, merge_patch, strategic_merge

scalars = st.none() | st.booleans() | st.integers(-5, 5) | st.text("ab/~", max_size=3)
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab/~", max_size=2), inner, max_size=3),
    max_leaves=8,
)


def containers(*pairs):
    return [{"name": name, "image": image} for name, image in pairs]


# The examples of RFC 7386, appendix A.
@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patch(target, patch, result):
    before = copy.deepcopy(target)
    assert merge_patch(target, patch) == result
    assert target == before


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        pytest.param(
            {"containers": containers(("app", "1"), ("sidecar", "7"))},
            {"containers": [{"name": "app", "image": "2"}]},
            {"containers": containers(("app", "2"), ("sidecar", "7"))},
            id="items merge by name",
        ),
        pytest.param(
            {"env": [{"name": "A"}, {"name": "B"}]},
            {"env": [{"name": "C"}]},
            {"env": [{"name": "C"}, {"name": "A"}, {"name": "B"}]},
            id="a new item goes to the front",
        ),
        pytest.param(
            {"env": [{"name": "A"}, {"name": "B"}, {"name": "C"}]},
            {"env": [{"name": "C"}, {"name": "A"}]},
            {"env": [{"name": "B"}, {"name": "C"}, {"name": "A"}]},
            id="the patch's own order counts",
        ),
        pytest.param(
            {"env": [{"name": "A"}, {"name": "B"}]},
            {"$setElementOrder/env": [{"name": "A"}, {"name": "C"}, {"name": "B"}], "env": [{"name": "C"}]},
            {"env": [{"name": "A"}, {"name": "C"}, {"name": "B"}]},
            id="an order can be given",
        ),
        pytest.param(
            {"env": [{"name": "A"}, {"name": "B"}]},
            {"env": [{"name": "A", "$patch": "delete"}]},
            {"env": [{"name": "B"}]},
            id="an item can be deleted",
        ),
        pytest.param(
            {"env": [{"name": "A"}, {"name": "B"}]},
            {"env": [{"$patch": "replace"}, {"name": "C"}]},
            {"env": [{"name": "C"}]},
            id="a list can be replaced",
        ),
        pytest.param(
            {"spec": {"a": 1, "b": 2}}, {"spec": {"$patch": "replace", "c": 3}}, {"spec": {"c": 3}}, id="a map too"
        ),
        pytest.param(
            {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}},
            {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}},
            {"strategy": {"type": "Recreate"}},
            id="keys can be retained",
        ),
        pytest.param(
            {"args": ["a", "b"], "tolerations": [{"key": "x"}]},
            {"args": ["c"], "tolerations": [{"key": "y"}]},
            {"args": ["c"], "tolerations": [{"key": "y"}]},
            id="lists without a merge key are atomic",
        ),
        pytest.param(
            {"finalizers": ["a"]}, {"finalizers": ["b"]}, {"finalizers": ["b", "a"]}, id="finalizers are a set"
        ),
        pytest.param(
            {"finalizers": ["a", "b"]},
            {"$deleteFromPrimitiveList/finalizers": ["a"]},
            {"finalizers": ["b"]},
            id="finalizers can be taken off",
        ),
        pytest.param(
            {"containers": [{"name": "app", "ports": [{"containerPort": 80, "name": "http"}]}]},
            {"containers": [{"name": "app", "ports": [{"containerPort": 80, "name": "web"}]}]},
            {"containers": [{"name": "app", "ports": [{"containerPort": 80, "name": "web"}]}]},
            id="a container's ports merge by containerPort",
        ),
        pytest.param(
            {"spec": {"ports": [{"port": 80, "targetPort": 1}]}},
            {"spec": {"ports": [{"port": 80, "targetPort": 2}]}},
            {"spec": {"ports": [{"port": 80, "targetPort": 2}]}},
            id="a service's ports merge by port",
        ),
        pytest.param(
            {"metadata": {"annotations": {"a": "1"}}},
            {"metadata": {"annotations": {"a": None, "b": "2"}}},
            {"metadata": {"annotations": {"b": "2"}}},
            id="null deletes",
        ),
    ],
)
def test_strategic_merge(target, patch, result):
    before = copy.deepcopy(target)
    assert strategic_merge(target, patch) == result
    assert target == before


@pytest.mark.parametrize(
    ("patch", "why"),
    [
        ({"containers": [{"image": "2"}]}, "does not contain declared merge key: name"),
        ({"spec": {"$patch": "explode"}}, "Unknown patch type"),
        ({"$frobnicate": 1}, "unknown directive"),
        ({"$setElementOrder/env": "A", "env": []}, "is a list"),
    ],
)
def test_a_strategic_merge_that_cannot_be(patch, why):
    with pytest.raises(PatchError, match=why):
        strategic_merge({"containers": containers(("app", "1")), "env": []}, patch)


@pytest.mark.parametrize(
    ("target", "operations", "result"),
    [
        ({"foo": "bar"}, [{"op": "add", "path": "/baz", "value": "qux"}], {"foo": "bar", "baz": "qux"}),
        ({"foo": ["a", "c"]}, [{"op": "add", "path": "/foo/1", "value": "b"}], {"foo": ["a", "b", "c"]}),
        ({"foo": ["a"]}, [{"op": "add", "path": "/foo/-", "value": "b"}], {"foo": ["a", "b"]}),
        ({"foo": ["a", "b"]}, [{"op": "remove", "path": "/foo/0"}], {"foo": ["b"]}),
        ({"a": 1}, [{"op": "replace", "path": "/a", "value": 2}], {"a": 2}),
        ({"a": [1, 2]}, [{"op": "replace", "path": "/a/0", "value": 9}], {"a": [9, 2]}),
        ({"a": {"b": 1}, "c": {}}, [{"op": "move", "from": "/a/b", "path": "/c/d"}], {"a": {}, "c": {"d": 1}}),
        ({"a": {"b": 1}}, [{"op": "copy", "from": "/a", "path": "/c"}], {"a": {"b": 1}, "c": {"b": 1}}),
        ({"a/b": {"~": 1}}, [{"op": "replace", "path": "/a~1b/~0", "value": 2}], {"a/b": {"~": 2}}),
        ({"a": 1}, [{"op": "test", "path": "/a", "value": 1}], {"a": 1}),
    ],
)
def test_json_patch(target, operations, result):
    before = copy.deepcopy(target)
    assert json_patch(target, operations) == result
    assert target == before


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/a", "value": 2},
        {"op": "test", "path": "/a", "value": True},
        {"op": "remove", "path": "/nope"},
        {"op": "replace", "path": "/nope", "value": 1},
        {"op": "add", "path": "/nope/deeper", "value": 1},
        {"op": "add", "path": "/list/7", "value": 1},
        {"op": "add", "path": "/list/01", "value": 1},
        {"op": "remove", "path": "/list/-"},
        {"op": "move", "from": "/map", "path": "/map/inside"},
        {"op": "explode", "path": "/a"},
        {"op": "add", "path": "a", "value": 1},
        {"op": "add", "path": "/a"},
        {"op": "copy", "path": "/b"},
        {"path": 5},
        "remove everything",
    ],
)
def test_a_json_patch_that_cannot_be(operation):
    with pytest.raises(PatchError):
        json_patch({"a": 1, "list": [1], "map": {}}, [operation])


@settings(max_examples=60)
@given(documents, documents)
def test_a_merge_patch_applied_twice_is_applied_once(target, patch):
    once = merge_patch(target, patch)
    assert merge_patch(once, patch) == once


@settings(max_examples=60)
@given(st.dictionaries(st.text("ab", max_size=2), documents, max_size=4))
def test_an_empty_patch_changes_nothing(target):
    assert strategic_merge(target, {}) == merge_patch(target, {}) == json_patch(target, []) == target


@settings(max_examples=60)
@given(st.dictionaries(st.text("ab/~", max_size=2), documents, min_size=1), st.data())
def test_a_json_patch_finds_every_key_by_its_pointer(target, data):
    key = data.draw(st.sampled_from(sorted(target)))
    path = "/" + key.replace("~", "~0").replace("/", "~1")
    assert json_patch(target, [{"op": "test", "path": path, "value": target[key]}]) == target
    assert key not in json_patch(target, [{"op": "remove", "path": path}])

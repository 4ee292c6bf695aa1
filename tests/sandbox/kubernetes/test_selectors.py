import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.sandbox.kubernetes.selectors import as_text, field_selector, label_selector, matches
from bot.sandbox.kubernetes.status import ApiError

LABELS = {"app": "checkout", "tier": "backend", "app.kubernetes.io/version": "4.17.3"}
names = st.sampled_from(["app", "tier", "x/y", "gone"])
values = st.sampled_from(["a", "b", "checkout", ""])


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("", True),
        ("app=checkout", True),
        ("app==checkout", True),
        ("app=cart", False),
        ("app!=cart", True),
        ("gone!=x", True),
        ("app in (cart, checkout)", True),
        ("app in (cart)", False),
        ("app notin (cart)", True),
        ("gone notin (cart)", True),
        ("app", True),
        ("!app", False),
        ("!gone", True),
        ("app=checkout,tier=backend", True),
        ("app=checkout,tier=frontend", False),
        ("app in (a,checkout),tier notin (x),!gone,app.kubernetes.io/version=4.17.3", True),
        ("gone=", False),
    ],
)
def test_label_selectors(text, held):
    assert label_selector(text)(LABELS) is held


@pytest.mark.parametrize("text", ["app=", "app in ()"])
def test_an_empty_value_selects_empty_labels(text):
    assert label_selector(text)({"app": ""})
    assert not label_selector(text)(LABELS)


@pytest.mark.parametrize(
    "text", ["app=a b", "=x", "app in (a", "app=x,", ",app", "app in x", "a=b=c", "app in (a b)", "-x"]
)
def test_what_is_no_label_selector_is_400(text):
    with pytest.raises(ApiError) as caught:
        label_selector(text)
    assert caught.value.code == 400


@settings(max_examples=80)
@given(st.dictionaries(names, values), names, values)
def test_equal_and_not_equal_are_opposites(labels, name, value):
    assert label_selector(f"{name}={value}")(labels) is not label_selector(f"{name}!={value}")(labels)
    assert label_selector(f"{name} in ({value})")(labels) is label_selector(f"{name}={value}")(labels)


@settings(max_examples=80)
@given(
    st.dictionaries(names, values),
    st.dictionaries(names, values, max_size=2),
    st.lists(
        st.tuples(names, st.sampled_from(["In", "NotIn", "Exists", "DoesNotExist"]), st.lists(values, min_size=1)),
        max_size=2,
    ),
)
def test_a_selector_object_and_its_text_agree(labels, wanted, rules):
    selector = {
        "matchLabels": wanted,
        "matchExpressions": [
            {"key": key, "operator": op, **({"values": vs} if "In" in op else {})} for key, op, vs in rules
        ],
    }
    assert matches(selector, labels) is label_selector(as_text(selector))(labels)


def test_no_selector_selects_nothing():
    assert not matches(None, LABELS)


POD = {
    "metadata": {"name": "checkout-1", "namespace": "shop"},
    "spec": {"nodeName": "node-1"},
    "status": {"phase": "Running"},
}
EVENT = {
    "metadata": {"name": "e"},
    "involvedObject": {"kind": "Pod", "name": "checkout-1", "uid": "u"},
    "type": "Warning",
    "reason": "BackOff",
    "source": {"component": "kubelet"},
}


@pytest.mark.parametrize(
    ("obj", "kind", "text", "held"),
    [
        (POD, "Pod", "metadata.name=checkout-1", True),
        (POD, "Pod", "metadata.name==checkout-2", False),
        (POD, "Pod", "metadata.namespace!=shop", False),
        (POD, "Pod", "spec.nodeName=node-1,status.phase!=Failed", True),
        (POD, "Pod", "status.podIP=", True),
        (EVENT, "Event", "involvedObject.name=checkout-1,involvedObject.kind=Pod,involvedObject.uid=u", True),
        (EVENT, "Event", "type=Warning,reason=BackOff,source=kubelet", True),
        (EVENT, "Event", "type=Normal", False),
        ({"metadata": {"name": "n"}, "spec": {"unschedulable": True}}, "Node", "spec.unschedulable=true", True),
        ({"metadata": {"name": "n"}, "spec": {}}, "Node", "spec.unschedulable=false", True),
    ],
)
def test_field_selectors(obj, kind, text, held):
    assert field_selector(text, kind)[0](obj) is held


def test_a_field_selector_pins_a_name():
    assert field_selector("metadata.name=x,status.phase=Running", "Pod")[1] == "x"
    assert field_selector("metadata.name!=x", "Pod")[1] == ""


@pytest.mark.parametrize(
    ("kind", "text"), [("Deployment", "status.phase=Running"), ("Pod", "spec.image=x"), ("Pod", "nonsense")]
)
def test_a_field_that_the_type_lacks_is_400(kind, text):
    with pytest.raises(ApiError) as caught:
        field_selector(text, kind)
    assert caught.value.code == 400

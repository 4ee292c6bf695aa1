import kubernetes
import pytest

from tests.sandbox.kubernetes.conftest import error


@pytest.fixture
def maps(api):
    for i in range(7):
        body = {"metadata": {"name": f"m{i}", "labels": {"parity": "even" if i % 2 == 0 else "odd", "own": "yes"}}}
        api.core.create_namespaced_config_map(api.namespace, body)
    return api


def listed(api, **query):
    found = api.core.list_namespaced_config_map(
        api.namespace, label_selector=query.pop("label_selector", "own"), **query
    )
    return [item.metadata.name for item in found.items]


def test_a_list_that_finds_nothing_is_empty(api):
    assert api.apps.list_namespaced_deployment(api.namespace).items == []
    assert api.core.list_namespaced_pod("signoff-nowhere").items == []


def test_labels_select(maps):
    assert listed(maps, label_selector="parity=odd,own") == ["m1", "m3", "m5"]
    assert listed(maps, label_selector="parity notin (odd),own") == ["m0", "m2", "m4", "m6"]
    assert listed(maps, label_selector="parity=none") == []


def test_fields_select(maps):
    assert listed(maps, field_selector="metadata.name=m3") == ["m3"]
    assert error(listed, maps, field_selector="data.key=1").status == 400
    assert error(listed, maps, label_selector="=").status == 400


def test_pages_continue_and_show_one_state(maps):
    first = maps.core.list_namespaced_config_map(maps.namespace, limit=3, label_selector="own")
    assert len(first.items) == 3
    maps.core.delete_namespaced_config_map("m6", maps.namespace)
    names = [item.metadata.name for item in first.items]
    token = first.metadata._continue
    while token:
        page = maps.core.list_namespaced_config_map(maps.namespace, limit=3, label_selector="own", _continue=token)
        assert page.metadata.resource_version == first.metadata.resource_version
        names += [item.metadata.name for item in page.items]
        token = page.metadata._continue
    assert names == [f"m{i}" for i in range(7)]


def test_an_old_token_is_gone(lab):
    core = kubernetes.client.CoreV1Api(lab.client("prod-admin"))
    refused = error(core.list_namespaced_config_map, "shop", limit=1, _continue="long ago")
    assert (refused.status, refused.status_body["reason"]) == (410, "Expired")


def test_the_list_counts_what_remains(lab):
    core = kubernetes.client.CoreV1Api(lab.client("prod-admin"))
    page = core.list_node(limit=2)
    assert (len(page.items), page.metadata.remaining_item_count) == (2, 1)

"""What is added to a stored call before it is sent, and that nothing else changes."""

from __future__ import annotations

from bot.runbooks.call import JSON, JSON_PATCH, MERGE_PATCH, Call

PATH = "/apis/apps/v1/namespaces/shop/deployments/checkout"


def test_each_form_insists_on_a_resource_version_in_its_own_way() -> None:
    operations = [{"op": "replace", "path": "/spec/template", "value": {}}]
    assert Call("PATCH", PATH, JSON_PATCH, operations).insisting("7").body == [
        {"op": "replace", "path": "/metadata/resourceVersion", "value": "7"},
        *operations,
    ]
    merge = Call("PATCH", PATH, MERGE_PATCH, {"metadata": {"labels": {"a": "b"}}, "spec": {}})
    assert merge.insisting("7").body == {"metadata": {"labels": {"a": "b"}, "resourceVersion": "7"}, "spec": {}}
    assert merge.body == {"metadata": {"labels": {"a": "b"}}, "spec": {}}
    delete = Call("DELETE", PATH, JSON, {"kind": "DeleteOptions", "preconditions": {"uid": "u"}})
    assert delete.insisting("7").body["preconditions"] == {"uid": "u", "resourceVersion": "7"}


def test_a_rehearsed_deletion_says_so_in_its_body_too() -> None:
    delete = Call("DELETE", PATH, JSON, {"kind": "DeleteOptions", "preconditions": {"uid": "u"}})
    assert delete.rehearsal().body["dryRun"] == ["All"]
    assert "dryRun" not in delete.body
    patch = Call("PATCH", PATH, MERGE_PATCH, {"spec": {}})
    assert patch.rehearsal() == patch

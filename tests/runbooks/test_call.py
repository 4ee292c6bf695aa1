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


def test_two_forms_of_patches_are_joined_as_operations_on_the_objects_they_were_made_for() -> None:
    pause = Call("PATCH", PATH, MERGE_PATCH, {"spec": {"paused": True, "minReadySeconds": None}})
    image = Call("PATCH", PATH, JSON_PATCH, [{"op": "replace", "path": "/spec/image", "value": "b"}])
    before = {"spec": {"image": "a"}}
    between = {"spec": {"image": "b", "paused": True}}
    paused = [{"op": "add", "path": "/spec/paused", "value": True}]
    both = image.after(pause, before=before, between={"spec": {"image": "a", "paused": True}})
    assert both is not None
    assert (both.content_type, both.body) == (JSON_PATCH, [*paused, *image.body])
    note = Call("PATCH", PATH, MERGE_PATCH, {"spec": {"paused": None, "notes": {"a/b~c": "1", "gone": None}}})
    all_three = note.after(both, before=before, between=between)
    assert all_three is not None
    assert all_three.body[2:] == [
        {"op": "remove", "path": "/spec/paused"},
        {"op": "add", "path": "/spec/notes", "value": {"a/b~c": "1"}},
    ]
    more = note.after(image, before=before, between={"spec": {"notes": {"x": "2"}}})
    assert more is not None
    assert more.body[1:] == [{"op": "add", "path": "/spec/notes/a~1b~0c", "value": "1"}]
    assert note.after(Call("DELETE", PATH, JSON, {}), before=before, between=between) is None


def test_a_rehearsed_deletion_says_so_in_its_body_too() -> None:
    delete = Call("DELETE", PATH, JSON, {"kind": "DeleteOptions", "preconditions": {"uid": "u"}})
    assert delete.rehearsal().body["dryRun"] == ["All"]
    assert "dryRun" not in delete.body
    patch = Call("PATCH", PATH, MERGE_PATCH, {"spec": {}})
    assert patch.rehearsal() == patch

"""What two templates have in common, and what is said of their difference."""

from __future__ import annotations

from typing import Any

from bot.runbooks.actions.action import Unsuitable
from bot.runbooks.actions.revisions import Return, Revision, bare, choose, owned, rendered
from bot.runbooks.resources import DAEMON_SET
from tests.runbooks.actions.rendering import live, target

AGENT = target(DAEMON_SET, "agent")


def template(**images: str) -> dict[str, Any]:
    return {"spec": {"containers": [{"name": name, "image": image} for name, image in images.items()]}}


def test_what_its_controller_added_is_no_part_of_a_template() -> None:
    kept = {"metadata": {"creationTimestamp": None, "labels": {"app": "web", "hash": "x"}}, "spec": {}}
    assert bare(kept, "hash") == {"metadata": {"labels": {"app": "web"}}, "spec": {}}
    assert bare({"metadata": {"labels": {"hash": "x"}}, "spec": {}}, "hash") == {"metadata": {}, "spec": {}}


def test_absent_and_null_are_the_same_wherever_they_are() -> None:
    now = {"spec": {"containers": [{"name": "a", "image": "a:1"}]}}
    before = {"spec": {"containers": [{"name": "a", "image": "a:1", "command": None}]}}
    way = choose(AGENT, now, [Revision(2, before, 3), Revision(1, template(a="a:0"), 0)], 0)
    assert isinstance(way, Return)
    assert (way.current.number, way.chosen.number) == (2, 1)


def test_of_two_equal_templates_the_newer_one_is_current() -> None:
    equal = [Revision(1, template(a="a:1"), 0), Revision(2, template(a="a:1"), 0)]
    found = choose(AGENT, template(a="a:1"), equal, 2)
    assert isinstance(found, Unsuitable)
    assert found.code == "same-template"


def test_what_another_object_controls_is_not_its_own() -> None:
    def controlled(uid: str, controller: bool = True) -> dict[str, Any]:
        return {"metadata": {"ownerReferences": [{"uid": uid, "controller": controller}]}}

    mine, others, loose = controlled("u1"), controlled("u2"), controlled("u1", False)
    assert owned(live(), [others, mine, loose, {"metadata": {}}]) == [mine]


def test_containers_that_come_and_go_are_said() -> None:
    now = live("agent", spec={"template": template(agent="agent:2", proxy="proxy:1")})
    way = Return(Revision(2, now["spec"]["template"], 1), Revision(1, template(agent="agent:1", shipper="ship:1"), 0))
    assert rendered(AGENT, now, way, "And so on.").effect == (
        "DaemonSet shop/agent returns from revision 2 to the pod template of revision 1.",
        "Container agent: image agent:2 → agent:1.",
        "Container proxy goes away (image proxy:1).",
        "Container shipper comes back (image ship:1).",
        "And so on.",
    )

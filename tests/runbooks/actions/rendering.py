"""What an action says of an object without any cluster: what it renders, what that leaves, how it is read back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.runbooks.actions.action import Action, Before, Occasion, Rendered, Unsuitable, fingerprint
from bot.runbooks.call import JSON_PATCH, Call
from bot.runbooks.resources import Resource
from bot.runbooks.target import Target
from bot.sandbox.kubernetes.patches import json_patch, merge_patch

Json = Mapping[str, Any]


def target(resource: Resource, name: str = "web") -> Target:
    return Target("prod", resource, "shop" if resource.namespaced else "", name, "u1")


def live(name: str = "web", *, annotations: Json | None = None, **parts: Any) -> dict[str, Any]:
    """An object as the API has it; ``parts`` are what it has beside its metadata."""
    metadata = {"name": name, "namespace": "shop", "uid": "u1", "generation": 4, "annotations": annotations or {}}
    return {"metadata": metadata, **parts}


def rendered(
    action: Action, on: Target, now: Json, gathered: Sequence[Json] = (), occasion: Occasion | None = None, **given: Any
) -> Rendered:
    made = action.render(on, now, gathered, given, occasion or Occasion(0))
    assert isinstance(made, Rendered), made
    return made


def unsuitable(
    action: Action, on: Target, now: Json, gathered: Sequence[Json] = (), occasion: Occasion | None = None, **given: Any
) -> Unsuitable:
    made = action.render(on, now, gathered, given, occasion or Occasion(0))
    assert isinstance(made, Unsuitable), made
    return made


def after(now: Json, call: Call | None) -> Any:
    """The object as a patch leaves it, by the API's own rules."""
    assert call is not None
    return (json_patch if call.content_type == JSON_PATCH else merge_patch)(now, call.body)


def read_back(action: Action, before: Json, result: Json, found: Json | None, **given: Any) -> str:
    """What is told of a call that should have made ``result`` of ``before``, where ``found`` is there now."""
    was = Before("u1", before["metadata"].get("generation"), fingerprint(action.fields(before, given)))
    return action.applied(found, was, fingerprint(action.result(result, given)), given)


def another(now: Json) -> dict[str, Any]:
    """The same, but another object of the name."""
    return {**now, "metadata": {**now["metadata"], "uid": "u2"}}

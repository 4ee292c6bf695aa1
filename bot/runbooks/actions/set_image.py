"""set-image: give a container of a workload another image, by digest and from a registry that is allowed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bot.runbooks import rollout
from bot.runbooks.access import Access
from bot.runbooks.actions.action import DECLARED, Action, Before, Occasion, ReadBack, Rendered, Unsuitable, fingerprint
from bot.runbooks.arguments import NAME
from bot.runbooks.call import JSON_PATCH, Call
from bot.runbooks.target import Target

Json = Mapping[str, Any]

# https://github.com/distribution/reference/blob/main/regexp.go, with a registry that is written out and a digest.
_BY_DIGEST = re.compile(
    r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?(/[a-z0-9]+((\.|__?|-+)[a-z0-9]+)*)+(:[\w][\w.-]{0,127})?@sha256:[0-9a-f]{64}",
    re.ASCII,
)


def refused(image: str, registries: Sequence[str]) -> str:
    """Say why an image may not be used, or return an empty string. ``registries`` are prefixes that end at a ``/``."""
    if len(image) > 500 or not _BY_DIGEST.fullmatch(image):
        return f"{image[:200]} does not name one image: give registry/name@sha256:…, since a tag may move."
    if not any(image.startswith(prefix.rstrip("/") + "/") for prefix in registries):
        known = ", ".join(registries) or "none"
        return f"{image} is not from an allowed registry (allowed: {known}); they are listed under registries."
    return ""


def allowed(image: str, registries: Sequence[str]) -> Json:
    """The prefixes that let an image be used, by the key of the configuration that lists them."""
    return {"registries": {image: [prefix for prefix in registries if not refused(image, [prefix])]}}


class SetImage(Action):
    """Replaces the image of one container by a JSON patch that first tests that it is that container."""

    name = "set-image"
    kinds = rollout.KINDS
    arguments: Mapping[str, Json] = {"container": NAME, "image": NAME}
    verbs = rollout.PATCH
    inverse = "set-image to the image before"
    requires = rollout.CHECKS
    reverted_by = DECLARED

    def render(
        self, target: Target, live: Json, gathered: Sequence[Json], arguments: Json, occasion: Occasion
    ) -> Rendered | Unsuitable:
        """Render the patch."""
        name, image = str(arguments["container"]), str(arguments["image"])
        why = refused(image, occasion.registries)
        if why:
            return Unsuitable("image", why)
        containers = live["spec"]["template"]["spec"].get("containers") or []
        names = [container["name"] for container in containers]
        if name not in names:
            return Unsuitable("no-container", f"{target} has no container {name}; it has {', '.join(names)}.")
        before = str(containers[names.index(name)].get("image", ""))
        if before == image:
            return Unsuitable("no-change", f"Container {name} of {target} has that image already.")
        return Rendered(
            call=_call(target, names.index(name), name, image),
            effect=(
                f"Container {name} of {target}: image {before} → {image}.",
                f"{rollout.pods(rollout.touched(target.resource, live))} will be replaced. "
                f"{rollout.pace(target.resource, live)}",
            ),
            undo=f"Set the image of container {name} of {target} back to {before}.",
            inverse=_call(target, names.index(name), name, before),
        )

    def allowed_by(self, target: Target, arguments: Json, access: Access, registries: Sequence[str]) -> Json:
        """By the prefixes that the image has."""
        return allowed(str(arguments["image"]), registries)

    def fields(self, live: Json, arguments: Json) -> Json:
        """The pod template, of which the image is a part, and what holds a rollout up."""
        return rollout.template(live)

    def applied(self, live: Json | None, before: Before, result: str, arguments: Json) -> ReadBack:
        """By the template."""
        return rollout.rolled_out(live, before, fingerprint(self.fields(live, arguments)) if live else "", result)


def _call(target: Target, index: int, name: str, image: str) -> Call:
    place = f"/spec/template/spec/containers/{index}"
    body = [
        {"op": "test", "path": f"{place}/name", "value": name},
        {"op": "replace", "path": f"{place}/image", "value": image},
    ]
    return Call("PATCH", target.path, JSON_PATCH, body)

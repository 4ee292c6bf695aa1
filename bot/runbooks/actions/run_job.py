"""job-run: run a Job whose image, command and service account are those that the runbook writes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.runbooks.access import Access
from bot.runbooks.actions import set_image
from bot.runbooks.actions.action import Action, Before, Occasion, ReadBack, Rendered, Unsuitable, fingerprint
from bot.runbooks.arguments import NAME, NAMED_TEXTS, TEXTS, whole
from bot.runbooks.call import JSON, Call
from bot.runbooks.resources import JOB
from bot.runbooks.target import Target

Json = Mapping[str, Any]

_KEPT_SECONDS = 86_400
_CONTAINER = "job"


class RunJob(Action):
    """Creates a Job of one restricted container.

    Parameters get into its ``args`` and ``env`` only; no shell reads them unless the runbook's own command is one.
    """

    name = "job-run"
    kinds = frozenset({JOB.kind})
    arguments: Mapping[str, Json] = {
        "image": NAME,
        "service_account": NAME,
        "command": {**TEXTS, "minItems": 1},
        "deadline_seconds": whole(1),
    }
    optional: Mapping[str, Json] = {"args": TEXTS, "env": NAMED_TEXTS}
    literal = frozenset({"image", "service_account", "command", "deadline_seconds"})
    verbs = frozenset({JOB.verb("create")})
    inverse = "none: what a Job did is its own affair"
    idempotency = "keyed"  # the name is fixed when the plan is made, and there cannot be two
    creates = True

    def render(
        self, target: Target, live: Json, gathered: Sequence[Json], arguments: Json, occasion: Occasion
    ) -> Rendered | Unsuitable:
        """Render the Job."""
        image, account = str(arguments["image"]), str(arguments["service_account"])
        why = set_image.refused(image, occasion.registries)
        if why:
            return Unsuitable("image", why)
        seconds = int(arguments["deadline_seconds"])
        container: dict[str, Any] = {
            "name": _CONTAINER,
            "image": image,
            "command": [str(each) for each in arguments["command"]],
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
                "readOnlyRootFilesystem": True,
                "runAsNonRoot": True,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
        }
        if arguments.get("args"):
            container["args"] = [str(each) for each in arguments["args"]]
        if arguments.get("env"):
            container["env"] = [{"name": key, "value": str(value)} for key, value in sorted(arguments["env"].items())]
        body = {
            "apiVersion": JOB.api_version,
            "kind": JOB.kind,
            "metadata": {
                "name": target.name,
                "namespace": target.namespace,
                "labels": {"app.kubernetes.io/managed-by": "signoff"},
                "annotations": {"signoff/incident": occasion.matter} if occasion.matter else {},
            },
            "spec": {
                "backoffLimit": 0,
                "activeDeadlineSeconds": seconds,
                "ttlSecondsAfterFinished": _KEPT_SECONDS,
                "template": {
                    "spec": {"restartPolicy": "Never", "serviceAccountName": account, "containers": [container]}
                },
            },
        }
        return Rendered(
            call=Call("POST", target.resource.path(target.namespace), JSON, body),
            effect=(f"{target} runs {image} once, as service account {account}, for at most {seconds} s.",),
            undo="",
        )

    def allowed_by(self, target: Target, arguments: Json, access: Access, registries: Sequence[str]) -> Json:
        """By the prefixes that the image has."""
        return set_image.allowed(str(arguments["image"]), registries)

    def fields(self, live: Json, arguments: Json) -> Json:
        """What it runs."""
        if not live:
            return {}
        spec = live["spec"]["template"]["spec"]
        containers = [
            {key: each.get(key) for key in ("name", "image", "command", "args", "env")} for each in spec["containers"]
        ]
        return {"containers": containers, "account": spec.get("serviceAccountName")}

    def shown(self, live: Json, answer: Json) -> tuple[Json, Json]:
        """What it runs; the server's answer has ids that are different each time."""
        spec = answer["spec"]
        keys = ("backoffLimit", "activeDeadlineSeconds", "ttlSecondsAfterFinished")
        return {}, {
            "kind": JOB.kind,
            "metadata": {key: answer["metadata"].get(key) for key in ("name", "namespace")},
            "spec": {**{key: spec.get(key) for key in keys}, "pod": spec["template"]["spec"]},
        }

    def applied(self, live: Json | None, before: Before, result: str, arguments: Json) -> ReadBack:
        """There is a Job of the name, and it runs what was asked."""
        if live is None:
            return "not applied"
        return "applied" if fingerprint(self.fields(live, arguments)) == result else "cannot tell"

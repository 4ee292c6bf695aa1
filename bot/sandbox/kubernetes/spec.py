"""What a cluster of the stand-in is made of, as plain data: identities, images, past and scenarios."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
LogLine = str | bytes

EVERYTHING: Json = {
    "kind": "ClusterRole",
    "metadata": {"name": "cluster-admin"},
    "rules": [
        {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
        {"nonResourceURLs": ["*"], "verbs": ["*"]},
    ],
}


@dataclass(frozen=True)
class ImageBehaviour:
    """How containers of one image behave. Times are seconds of the cluster's clock.

    `pull_error` is the registry's answer when the image cannot be pulled. `ready_after` counts from the
    container's start; None means that its readiness probe never passes, with `readiness_failure` in the
    events. `exits_after` makes it end with `exit_code` (`oom_killed`: by the kernel, which is code 137).
    Log lines may be bytes that are no UTF-8: `start_log` comes at the start, `steady_log` goes round and
    round, one line every `steady_every` seconds, `exit_log` comes with the exit.
    """

    pull_error: str | None = None
    pull_seconds: float = 0.4
    ready_after: float | None = 0.8
    readiness_failure: str = "HTTP probe failed with statuscode: 503"
    exits_after: float | None = None
    exit_code: int = 0
    oom_killed: bool = False
    start_log: tuple[LogLine, ...] = ()
    steady_log: tuple[LogLine, ...] = ()
    steady_every: float = 5.0
    exit_log: tuple[LogLine, ...] = ()

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ImageBehaviour:
        """Read a behaviour from the control API; bytes are written as {"base64": "…"}.

        Raises ValueError naming the field that does not fit.
        """
        wanted: dict[str, tuple[type, ...]] = {
            "pull_error": (str, type(None)),
            "pull_seconds": (int, float),
            "ready_after": (int, float, type(None)),
            "readiness_failure": (str,),
            "exits_after": (int, float, type(None)),
            "exit_code": (int,),
            "oom_killed": (bool,),
            "start_log": (list,),
            "steady_log": (list,),
            "steady_every": (int, float),
            "exit_log": (list,),
        }
        values: dict[str, Any] = {}
        for key, value in data.items():
            if key not in wanted:
                raise ValueError(f"an image behaviour has no field {key!r}; it has {', '.join(sorted(wanted))}")
            if not isinstance(value, wanted[key]) or (isinstance(value, bool) and bool not in wanted[key]):
                raise ValueError(f"{key}: {type(value).__name__} does not fit")
            values[key] = tuple(_line(key, item) for item in value) if isinstance(value, list) else value
        behaviour = cls(**values)
        times = (behaviour.pull_seconds, behaviour.ready_after or 0, behaviour.exits_after or 0)
        if min(times) < 0 or behaviour.steady_every < 0.01:
            raise ValueError("times are not negative, and steady_every is at least 0.01 s")
        return behaviour


def _line(key: str, value: object) -> LogLine:
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and set(value) == {"base64"}:
        return base64.b64decode(value["base64"], validate=True)
    raise ValueError(f'{key}: a log line is a string or {{"base64": "…"}}')


@dataclass(frozen=True)
class Stage:
    """Manifests that were applied `ago` seconds before the stand-in started.

    A cluster lives its stages through with its controllers, so its history is real and not painted.
    """

    ago: float
    objects: tuple[Json, ...]


@dataclass(frozen=True)
class Patch:
    """One strategic merge patch, made with the rights of the cluster's owner."""

    resource: str
    namespace: str
    name: str
    body: Json


@dataclass(frozen=True)
class Scenario:
    """Something that happens to a cluster: images change their behaviour, then patches are made."""

    images: Mapping[str, ImageBehaviour] = field(default_factory=dict)
    patches: tuple[Patch, ...] = ()


@dataclass(frozen=True)
class ClusterSpec:
    """One cluster.

    `roles` maps an identity to its RBAC documents (`Role` or `ClusterRole`); each identity gets a token, a
    kubeconfig context `<cluster>-<identity>` and the user `system:serviceaccount:signoff:<identity>`.
    Images that `images` does not name are healthy.
    """

    name: str
    roles: Mapping[str, Sequence[Mapping[str, Any]]]
    stages: tuple[Stage, ...] = ()
    images: Mapping[str, ImageBehaviour] = field(default_factory=dict)
    scenarios: Mapping[str, Scenario] = field(default_factory=dict)
    nodes: tuple[str, ...] = ("node-1", "node-2", "node-3")
    version: str = "v1.36.1"

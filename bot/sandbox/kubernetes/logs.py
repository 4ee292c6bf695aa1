"""What a container has written, as a function of its behaviour and its lifetime, and how a request cuts it.

Sources: pkg/registry/core/pod/strategy.go (which container), pkg/kubelet/kubelet_pods.go
`validateContainerLogStatus` (which run of it, and the sentences when there is none),
pkg/kubelet/kuberuntime/logs/logs.go (since, tail, then the byte limit).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.sandbox.kubernetes.clock import parse_time, rfc3339_nano
from bot.sandbox.kubernetes.spec import ImageBehaviour, LogLine
from bot.sandbox.kubernetes.status import ApiError, bad_request, not_played

Json = dict[str, Any]

_KEPT: Final = 5000  # lines of one run; the kubelet rotates logs too


@dataclass(frozen=True)
class Run:
    """One life of a container, from start to end (None: it still runs)."""

    behaviour: ImageBehaviour
    started: float
    ended: float | None = None


@dataclass(frozen=True)
class LogOptions:
    """The query of `…/log`, checked."""

    container: str = ""
    previous: bool = False
    timestamps: bool = False
    tail_lines: int | None = None
    limit_bytes: int | None = None
    since: float | None = None

    @classmethod
    def of(cls, query: Mapping[str, str], now: float) -> LogOptions:
        """Read a query. Raises ApiError 422 on values that the server refuses, 501 on `follow`."""
        if _flag(query, "follow"):
            raise not_played("follow=true of pod logs")
        since = None
        if (seconds := _number(query, "sinceSeconds", 1)) is not None:
            since = now - seconds
        if "sinceTime" in query:
            if since is not None:
                raise _invalid("at most one of `sinceTime` or `sinceSeconds` may be specified")
            try:
                since = parse_time(query["sinceTime"])
            except ValueError as error:
                raise bad_request(f"sinceTime: {query['sinceTime'][:60]!r} is no RFC 3339 time") from error
        return cls(
            query.get("container", ""),
            _flag(query, "previous"),
            _flag(query, "timestamps"),
            _number(query, "tailLines", 0),
            _number(query, "limitBytes", 1),
            since,
        )


def _flag(query: Mapping[str, str], key: str) -> bool:
    return query.get(key, "").lower() in ("true", "1")


def _number(query: Mapping[str, str], key: str, least: int) -> int | None:
    if key not in query:
        return None
    try:
        value = int(query[key])
    except ValueError as error:
        raise bad_request(f"{key}: {query[key][:40]!r} is no number") from error
    if value < least:
        raise _invalid(f"{key}: Invalid value: {value}: must be greater than or equal to {least}")
    return value


def _invalid(why: str) -> ApiError:
    return ApiError(422, "Invalid", f'PodLogOptions "" is invalid: {why}', {"kind": "PodLogOptions"})


def pick_container(pod: Json, wanted: str) -> str:
    """The container that the request means. Raises ApiError 400 when it names none or an unknown one."""
    name = pod["metadata"]["name"]
    spec = pod["spec"]
    names = [container["name"] for container in spec["containers"]]
    if not wanted:
        if len(names) == 1 and not spec.get("initContainers"):
            return str(names[0])
        raise bad_request(f"a container name must be specified for pod {name}, choose one of: [{' '.join(names)}]")
    if wanted not in names:
        raise bad_request(f"container {wanted} is not valid for pod {name}")
    return wanted


def pick_run(pod_name: str, container: str, state: Json, runs: tuple[Run | None, Run | None], previous: bool) -> Run:
    """The run whose log is asked for; `runs` are the current and the one before it.

    Raises ApiError 400 with the kubelet's sentence when there is none.
    """
    current, before = runs
    if previous:
        if before is None:
            raise bad_request(f'previous terminated container "{container}" in pod "{pod_name}" not found')
        return before
    found = current or before
    if found is not None:
        return found
    reason = (state.get("waiting") or {}).get("reason")
    why = {
        "ErrImagePull": ": image can't be pulled",
        "ImagePullBackOff": ": trying and failing to pull image",
        None: " - no logs yet",
    }.get(reason, f": {reason}")
    raise bad_request(f'container "{container}" in pod "{pod_name}" is waiting to start{why}')


def written(run: Run, now: float) -> list[tuple[float, bytes]]:
    """The newest lines of a run up to `now`, each with its time."""
    end = now if run.ended is None else run.ended
    behaviour = run.behaviour
    lines = [(run.started + 0.001 * i, _bytes(line)) for i, line in enumerate(behaviour.start_log)]
    if behaviour.steady_log:
        count = int(max(0.0, end - run.started) / behaviour.steady_every)
        for i in range(max(0, count - _KEPT), count):
            at = run.started + (i + 1) * behaviour.steady_every
            lines.append((at, _bytes(behaviour.steady_log[i % len(behaviour.steady_log)])))
    if run.ended is not None:
        lines += [(run.ended, _bytes(line)) for line in behaviour.exit_log]
    return [line for line in lines if line[0] <= end][-_KEPT:]


def _bytes(line: LogLine) -> bytes:
    return line if isinstance(line, bytes) else line.encode()


def cut(lines: list[tuple[float, bytes]], options: LogOptions) -> bytes:
    """The answer's body: since first, then the tail, and the byte limit counts from the beginning."""
    if options.since is not None:
        lines = [line for line in lines if line[0] >= options.since]
    if options.tail_lines is not None:
        lines = lines[len(lines) - min(options.tail_lines, len(lines)) :]
    body = b"".join(
        (rfc3339_nano(at).encode() + b" " if options.timestamps else b"") + text + b"\n" for at, text in lines
    )
    return body if options.limit_bytes is None else body[: options.limit_bytes]

"""The control API: what a test or the demo may do to the clusters from outside of Kubernetes.

All paths begin with `/sandbox/kubernetes`, bodies and answers are JSON, a mistake is 400 with `message`.

| request | does |
| --- | --- |
| `GET /state?cluster=&kind=` | every object, by cluster and plural |
| `GET /calls?cluster=&verb=` | recorded API calls: identity, method, path, query, body, status, dry_run, applied |
| `DELETE /calls` | forgets them |
| `POST /play {"cluster", "scenario", "ago"}` | lets one of the cluster's scenarios happen, `ago` seconds back |
| `POST /apply {"cluster", "objects": […]}` | creates or merges objects with the owner's rights |
| `POST /images {"cluster", "image", "behaviour": {…}}` | changes how an image behaves (spec.ImageBehaviour) |
| `POST /faults {"action", …}` | orders trouble for the next requests (faults.Fault) |
| `GET /faults`, `DELETE /faults` | what waits; forgets it |
| `POST /denials {"identity", "verb", "resource"}` | takes a right away, whatever the roles say |
| `DELETE /denials` | gives all of them back |
| `POST /clock {"cluster", "advance", "rate"}` | lets seconds pass at once, or faster from now on |

Without `cluster`, `images` and `clock` mean all of them. Only programs of this machine are heard
(bot.sandbox.loopback), and bodies have to be `application/json`, which no foreign page can send unasked.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from bot.sandbox.kubernetes import rbac
from bot.sandbox.kubernetes.cluster import Cluster
from bot.sandbox.kubernetes.faults import Fault
from bot.sandbox.kubernetes.resources import SERVED
from bot.sandbox.kubernetes.server import State
from bot.sandbox.kubernetes.spec import ImageBehaviour
from bot.sandbox.kubernetes.status import ApiError

Json = dict[str, Any]
Action = Callable[[State, Json], Json]


def routes(state: State) -> list[web.RouteDef]:
    """The routes of the control API."""
    prefix = "/sandbox/kubernetes"
    posts = {
        "play": _play,
        "apply": _apply,
        "images": _images,
        "faults": _order,
        "denials": _deny,
        "clock": _clock,
    }
    return [
        web.get(f"{prefix}/state", _get(state, _state)),
        web.get(f"{prefix}/calls", _get(state, _calls)),
        web.get(f"{prefix}/faults", _get(state, _faults)),
        *(web.post(f"{prefix}/{name}", _post(state, action)) for name, action in posts.items()),
        *(web.delete(f"{prefix}/{name}", _delete(state, name)) for name in ("calls", "faults", "denials")),
    ]


Handler = Callable[[web.Request], Awaitable[web.Response]]


def _get(state: State, action: Action) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        return _answer(state, action, dict(request.query))

    return handle


def _post(state: State, action: Action) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        if request.content_type != "application/json":
            return _mistake("the body has to be application/json", 415)
        try:
            body = json.loads(await request.read())
        except (ValueError, RecursionError):
            return _mistake("the body is no JSON that can be read")
        if not isinstance(body, dict):
            return _mistake("the body has to be an object")
        return _answer(state, action, body)

    return handle


def _delete(state: State, what: str) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        {"calls": state.calls.clear, "faults": state.faults.clear, "denials": state.denials.clear}[what]()
        return web.json_response({"ok": True})

    return handle


def _answer(state: State, action: Action, body: Json) -> web.Response:
    try:
        return web.json_response(action(state, body))
    except ApiError as error:
        return _mistake(str(error))
    except ValueError as error:
        return _mistake(str(error))


def _mistake(message: str, code: int = 400) -> web.Response:
    return web.json_response({"error": "bad_request", "message": message}, status=code)


def _only(body: Mapping[str, Any], *known: str) -> None:
    unknown = sorted(set(body) - set(known))
    if unknown:
        raise ValueError(f"unknown field {unknown[0]!r}; known are {', '.join(known)}")


def _text(body: Mapping[str, Any], key: str, default: str | None = None) -> str:
    value = body.get(key, default)
    if not isinstance(value, str):
        raise ValueError(f"{key} has to be a string")
    return value


def _number(body: Mapping[str, Any], key: str) -> float | None:
    value = body.get(key)
    if value is not None and (not isinstance(value, int | float) or isinstance(value, bool)):
        raise ValueError(f"{key} has to be a number")
    return value


def _cluster(state: State, body: Mapping[str, Any]) -> Cluster:
    name = _text(body, "cluster")
    if name not in state.clusters:
        raise ValueError(f"no cluster {name[:60]!r}; there are {', '.join(state.clusters)}")
    return state.clusters[name]


def _some(state: State, body: Mapping[str, Any]) -> list[Cluster]:
    return [_cluster(state, body)] if "cluster" in body else list(state.clusters.values())


def _state(state: State, query: Json) -> Json:
    _only(query, "cluster", "kind")
    kind = query.get("kind", "")
    return {
        cluster.spec.name: {
            "now": cluster.clock.now(),
            "objects": {
                resource.plural: list(cluster.store.list(resource))
                for resource in SERVED
                if kind in ("", resource.plural, resource.kind)
            },
        }
        for cluster in _some(state, query)
    }


def _calls(state: State, query: Json) -> Json:
    _only(query, "cluster", "verb")
    calls = [
        dataclasses.asdict(call)
        for call in state.calls
        if query.get("cluster", "") in ("", call.cluster) and query.get("verb", "") in ("", call.verb)
    ]
    return {"calls": calls}


def _faults(state: State, query: Json) -> Json:
    return {"faults": [dataclasses.asdict(fault) for fault in state.faults.waiting()]}


def _order(state: State, body: Json) -> Json:
    state.faults.order(Fault.from_json(body))
    return _faults(state, {})


def _deny(state: State, body: Json) -> Json:
    _only(body, "identity", "verb", "resource")
    denial = rbac.Denial(_text(body, "identity", ""), _text(body, "verb", ""), _text(body, "resource", ""))
    if len(state.denials) >= 100:
        raise ValueError("100 denials stand already; clear them first")
    state.denials.append(denial)
    return {"denials": [dataclasses.asdict(one) for one in state.denials]}


def _play(state: State, body: Json) -> Json:
    _only(body, "cluster", "scenario", "ago")
    play(_cluster(state, body), _text(body, "scenario"), _number(body, "ago") or 0.0)
    return {"ok": True}


def play(cluster: Cluster, scenario: str, ago: float = 0.0) -> None:
    """Let a scenario of the cluster's spec happen. Raises ValueError for an unknown one."""
    known = cluster.spec.scenarios
    if scenario not in known:
        raise ValueError(f"no scenario {scenario[:60]!r}; there are {', '.join(known)}")
    cluster.play(known[scenario], ago)


def _apply(state: State, body: Json) -> Json:
    _only(body, "cluster", "objects")
    cluster, objects = _cluster(state, body), body.get("objects")
    if not isinstance(objects, list) or not all(isinstance(obj, dict) for obj in objects):
        raise ValueError("objects has to be a list of objects")
    return {"objects": [cluster.apply(obj) for obj in objects]}


def _images(state: State, body: Json) -> Json:
    _only(body, "cluster", "image", "behaviour")
    image, data = _text(body, "image"), body.get("behaviour")
    if not isinstance(data, dict):
        raise ValueError("behaviour has to be an object")
    behaviour = ImageBehaviour.from_json(data)
    for cluster in _some(state, body):
        cluster.images[image] = behaviour
    return {"ok": True}


def _clock(state: State, body: Json) -> Json:
    _only(body, "cluster", "advance", "rate")
    advance, rate = _number(body, "advance"), _number(body, "rate")
    for cluster in _some(state, body):
        if rate is not None:
            cluster.clock.set_rate(rate)
        if advance is not None:
            cluster.advance(advance)
    return {cluster.spec.name: cluster.clock.now() for cluster in _some(state, body)}

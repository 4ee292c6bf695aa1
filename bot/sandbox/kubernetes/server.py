"""The API server's HTTP side: from a request to its answer.

The order is the real one: authentication, authorisation, then everything else, so that nobody learns from
an error what he may not read. Sources: apiserver/pkg/server/config.go `DefaultBuildHandlerChain`,
apiserver/pkg/endpoints/handlers, https://kubernetes.io/docs/reference/using-api/api-concepts/.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from aiohttp import web

from bot.sandbox.kubernetes import discovery, rbac
from bot.sandbox.kubernetes.cluster import Cluster
from bot.sandbox.kubernetes.faults import Fault, Faults
from bot.sandbox.kubernetes.lists import Lists
from bot.sandbox.kubernetes.logs import LogOptions
from bot.sandbox.kubernetes.registry import PATCH_TYPES, Answer, Options, scale_of
from bot.sandbox.kubernetes.resources import (
    ACCESS_REVIEWS,
    PODS,
    REVIEWS,
    RequestInfo,
    Resource,
    find,
    request_info,
)
from bot.sandbox.kubernetes.selectors import field_selector
from bot.sandbox.kubernetes.status import (
    ApiError,
    bad_request,
    conflict,
    forbidden,
    method_not_allowed,
    no_such_path,
    not_played,
    unauthorized,
    unsupported_media_type,
)

Json = dict[str, Any]

_log = logging.getLogger(__name__)

MAX_BODY: Final = 3 * 1024 * 1024  # MaxRequestBodyBytes, apiserver/pkg/server/config.go
_MAX_DEPTH: Final = 100
_CALLS_KEPT: Final = 5000
_BODY_METHODS: Final = ("POST", "PUT", "PATCH", "DELETE")


class _Cut(Exception):
    """The connection ends here, without an answer."""


@dataclass
class Call:
    """One request as it was received, for tests and for the curious. Tokens are not kept."""

    cluster: str
    identity: str
    method: str
    path: str
    query: dict[str, str]
    body: Any
    verb: str
    dry_run: bool
    at: float
    status: int = 0
    applied: bool = False


@dataclass
class State:
    """What the handlers share: the clusters, who has which token, faults, denials and recorded calls."""

    clusters: Mapping[str, Cluster]
    tokens: Mapping[tuple[str, str], str]
    faults: Faults = field(default_factory=Faults)
    denials: list[rbac.Denial] = field(default_factory=list)
    calls: deque[Call] = field(default_factory=lambda: deque(maxlen=_CALLS_KEPT))
    stopping: asyncio.Event = field(default_factory=asyncio.Event)


class ApiServer:
    """Serves `/clusters/{cluster}/…`."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._lists = {name: Lists(cluster.store) for name, cluster in state.clusters.items()}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        cluster = self._state.clusters.get(request.match_info["cluster"])
        if cluster is None:
            names = ", ".join(self._state.clusters)
            return web.json_response({"error": "not_found", "message": f"clusters here: {names}"}, status=404)
        path = "/" + request.match_info["path"]
        query = dict(request.query)
        identity = self._identity(cluster.spec.name, request.headers.get("Authorization", ""))
        watch = query.get("watch", "").lower() in ("true", "1")
        info = request_info(request.method, path, watch=watch, selected_name=_selected_name(query))
        call = Call(
            cluster.spec.name,
            identity or "",
            request.method,
            path,
            query,
            None,
            info.verb,
            query.get("dryRun") == "All",
            cluster.clock.now(),
        )
        self._state.calls.append(call)
        try:
            self._authorise(cluster, identity, info)
            body = call.body = await _body(request) if request.method in _BODY_METHODS else None
            if isinstance(body, dict) and body.get("dryRun") == ["All"]:
                call.dry_run = True
            take = partial(self._state.faults.take, cluster.spec.name, call.identity, info, call.dry_run)
            before = take(when="before")
            if before is not None:
                await self._suffer(before, info, request)
            response = self._answer(cluster, call, info, body, request)
            # What was refused had no effect: a fault that comes after one waits for the next.
            after = take(when="after") if before is None else None
            if after is not None:
                await self._suffer(after, info, request)
        except ApiError as error:
            response = _json(error.body, error.code)
        except _Cut:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()  # nobody is there to read it; the call keeps status 0
        except Exception as error:
            _log.exception("the Kubernetes stand-in has a fault of its own: %s %s", request.method, path)
            problem = ApiError(500, "InternalError", f"Internal error occurred: {type(error).__name__}")
            response = _json(problem.body, problem.code)
        call.status = response.status
        return response

    def _identity(self, cluster: str, header: str) -> str | None:
        """The identity whose token this is, None without a header. Raises nothing: see `_authorise`."""
        scheme, _, token = header.partition(" ")
        if not header:
            return None
        for (where, identity), known in self._state.tokens.items():
            if where == cluster and scheme == "Bearer" and hmac.compare_digest(known.encode(), token.encode()):
                return identity
        return ""

    def _authorise(self, cluster: Cluster, identity: str | None, info: RequestInfo) -> None:
        if identity == "" or (identity is None and not rbac.is_public(info)):
            raise unauthorized()
        if identity is None:
            return
        denied = any(denial.hits(identity, info) for denial in self._state.denials)
        if denied or not rbac.allows(cluster.spec.roles[identity], info):
            resource = find(info.group, info.version, info.resource) if info.is_resource else None
            if info.is_resource and resource is None:
                resource = Resource(info.group, info.version, "", info.resource)
            raise forbidden(resource, info.name, rbac.explain(user_name(identity), info))

    async def _suffer(self, fault: Fault, info: RequestInfo, request: web.Request) -> None:
        if fault.action == "late" and request.transport is not None:
            request.transport.abort()
        if fault.action in ("delay", "late"):
            try:
                await asyncio.wait_for(self._state.stopping.wait(), fault.seconds)
            except TimeoutError:
                return
        if fault.action in ("drop", "delay", "late"):
            raise _Cut
        if fault.action == "conflict":
            resource = find(info.group, info.version, info.resource)
            if resource is not None:
                raise conflict(resource, info.name)
        raise ApiError(fault.code, "", fault.message)

    def _answer(self, cluster: Cluster, call: Call, info: RequestInfo, body: Any, request: web.Request) -> web.Response:
        if not info.is_resource:
            found = discovery.answer(info.path, cluster.spec.version) if info.verb == "get" else None
            if found is None:
                raise no_such_path()
            return web.Response(text=found) if isinstance(found, str) else _json(found, 200)
        resource = find(info.group, info.version, info.resource)
        if resource is None:
            raise no_such_path()
        if info.verb == "watch":
            raise not_played("watch")
        if resource in REVIEWS:
            if info.verb != "create":
                raise method_not_allowed(resource, info.verb)
            return _json(self._review(cluster, call.identity, resource, body), 201)
        if resource.namespaced and not info.namespace and info.verb not in ("list", "deletecollection"):
            raise no_such_path()
        namespace = info.namespace if resource.namespaced else ""
        if info.verb == "list":
            return _json(self._lists[cluster.spec.name].page(resource, namespace, call.query), 200)
        if info.verb == "get":
            return self._read(cluster, resource, info, call.query)
        before = cluster.store.revision
        answer = self._write(cluster, resource, info, body, call.query, request)
        call.applied = cluster.store.revision != before
        headers = [("Warning", f'299 - "{_quoted(text)}"') for text in answer.warnings]
        return _json(answer.body, answer.code, headers)

    def _read(self, cluster: Cluster, resource: Resource, info: RequestInfo, query: Mapping[str, str]) -> web.Response:
        obj = None
        if not info.subresource or info.subresource in resource.subresources:
            obj = cluster.registry.read(resource, info.namespace if resource.namespaced else "", info.name)
        if obj is None:
            raise no_such_path()
        if not info.subresource:
            return _json(obj, 200)
        if info.subresource == "scale":
            return _json(scale_of(obj), 200)
        if info.subresource == "log" and resource == PODS:
            text = cluster.kubelet.log(obj, LogOptions.of(query, cluster.clock.now()))
            return web.Response(body=text, content_type="text/plain")
        raise method_not_allowed(resource, "get")

    def _write(
        self,
        cluster: Cluster,
        resource: Resource,
        info: RequestInfo,
        body: Any,
        query: Mapping[str, str],
        request: web.Request,
    ) -> Answer:
        registry, name = cluster.registry, info.name
        namespace = info.namespace if resource.namespaced else ""
        options = _options(query, request.headers.get("User-Agent", ""))
        content_type = request.content_type
        if info.verb == "patch":
            if content_type not in PATCH_TYPES:
                raise unsupported_media_type(PATCH_TYPES)
        elif body is not None and not isinstance(body, dict):
            raise bad_request("the body of the request is no object")
        if info.subresource:
            if info.subresource not in resource.subresources:
                raise no_such_path()
            if info.subresource == "scale" and info.verb in ("update", "patch"):
                kind = content_type if info.verb == "patch" else None
                return registry.write_scale(resource, namespace, name, body, kind, options)
            if info.subresource == "eviction" and info.verb == "create":
                return registry.evict(namespace, name, body or {}, options)
            raise method_not_allowed(resource, info.verb)
        if info.verb == "create" and not name:
            return registry.create(resource, namespace, body or {}, options)
        if info.verb == "update" and name:
            return registry.replace(resource, namespace, name, body or {}, options)
        if info.verb == "patch" and name:
            return registry.patch(resource, namespace, name, content_type, body, options)
        if info.verb == "delete":
            return registry.delete(resource, namespace, name, *_delete_options(body, query, options))
        if info.verb == "deletecollection":
            raise not_played("deletecollection")
        raise method_not_allowed(resource, info.verb)

    def _review(self, cluster: Cluster, identity: str, resource: Resource, body: Any) -> Json:
        spec = body.get("spec") if isinstance(body, dict) else None
        if not isinstance(spec, dict):
            raise bad_request(f"a {resource.kind} needs a spec")
        roles = cluster.spec.roles[identity]
        answer: Json = {
            "kind": resource.kind,
            "apiVersion": resource.api_version,
            "metadata": {"creationTimestamp": None},
            "spec": spec,
        }
        if resource == ACCESS_REVIEWS:
            info = _reviewed(spec)
            denied = any(denial.hits(identity, info) for denial in self._state.denials)
            return answer | {"status": {"allowed": not denied and rbac.allows(roles, info)}}
        resource_rules, other_rules = rbac.rules_in(roles, str(spec.get("namespace") or ""))
        return answer | {
            "status": {
                "resourceRules": resource_rules,
                "nonResourceRules": other_rules,
                "incomplete": bool(self._state.denials),
            }
        }


def user_name(identity: str) -> str:
    """The service account that an identity is."""
    return f"system:serviceaccount:signoff:{identity}"


def _reviewed(spec: Json) -> RequestInfo:
    wanted = spec.get("resourceAttributes")
    if isinstance(wanted, dict):
        text = {key: str(wanted.get(key) or "") for key in ("verb", "group", "version", "resource", "subresource")}
        return RequestInfo(
            text["verb"],
            "",
            text["group"],
            text["version"],
            text["resource"],
            text["subresource"],
            str(wanted.get("namespace") or ""),
            str(wanted.get("name") or ""),
        )
    wanted = spec.get("nonResourceAttributes")
    if isinstance(wanted, dict):
        return RequestInfo(str(wanted.get("verb") or ""), str(wanted.get("path") or ""))
    raise bad_request("spec.resourceAttributes or spec.nonResourceAttributes is required")


def _options(query: Mapping[str, str], user_agent: str) -> Options:
    dry_run = query.get("dryRun", "")
    if dry_run not in ("", "All"):
        raise ApiError(
            422,
            "Invalid",
            f'dryRun: Unsupported value: "{dry_run[:40]}": supported values: "All"',
            {"causes": [{"reason": "FieldValueNotSupported", "field": "dryRun", "message": "Unsupported value"}]},
        )
    validation = query.get("fieldValidation") or "Warn"
    if validation not in ("Ignore", "Warn", "Strict"):
        raise bad_request(f'fieldValidation: Unsupported value: "{validation[:40]}"')
    manager = query.get("fieldManager") or user_agent.partition("/")[0] or "unknown"
    if len(manager) > 128:
        raise bad_request("fieldManager: Too long: may not be more than 128 bytes")
    return Options(manager, dry_run == "All", validation)


def _delete_options(body: Any, query: Mapping[str, str], options: Options) -> tuple[Json, Options]:
    merged: Json = dict(body or {})
    if "gracePeriodSeconds" in query:
        try:
            merged.setdefault("gracePeriodSeconds", int(query["gracePeriodSeconds"]))
        except ValueError as error:
            raise bad_request("gracePeriodSeconds is no number") from error
    if "propagationPolicy" in query:
        merged.setdefault("propagationPolicy", query["propagationPolicy"])
    dry_run = options.dry_run or merged.get("dryRun") == ["All"]
    return merged, Options(options.manager, dry_run, options.field_validation)


def _selected_name(query: Mapping[str, str]) -> str:
    try:
        return field_selector(query.get("fieldSelector", ""), "Pod")[1]
    except ApiError:
        return ""


async def _body(request: web.Request) -> Any:
    try:
        raw = await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise ApiError(413, "RequestEntityTooLarge", f"Request entity too large: limit is {MAX_BODY}") from error
    if not raw:
        return None
    kind = request.content_type
    if kind not in ("application/json", "application/octet-stream", *PATCH_TYPES):
        raise unsupported_media_type(PATCH_TYPES if request.method == "PATCH" else ("application/json",))
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise bad_request("the body of the request is no JSON that can be read") from error
    if _depth(body) > _MAX_DEPTH:
        raise bad_request(f"the body of the request is nested deeper than {_MAX_DEPTH}")
    return body


def _depth(value: Any) -> int:
    """How deep a document is nested, without recursion."""
    depth, level = 0, [value]
    while level:
        depth += 1
        level = [
            inner
            for item in level
            if isinstance(item, dict | list)
            for inner in (item.values() if isinstance(item, dict) else item)
        ]
        if depth > _MAX_DEPTH:
            break
    return depth


def _json(body: Json, code: int, headers: list[tuple[str, str]] | None = None) -> web.Response:
    response = web.json_response(body, status=code)
    for key, value in headers or []:
        response.headers.add(key, value)
    return response


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ").replace("\r", " ")

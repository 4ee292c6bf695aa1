"""A cluster as runbooks use it: what they read and write there, and each failure as a sentence for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.clients.kubernetes import Kubernetes, KubernetesError, KubernetesUnreachable
from bot.runbooks.call import Call
from bot.runbooks.resources import Resource, Verb

Json = Mapping[str, Any]

_MAX_SERVER_TEXT = 300
_CODES = {401: "unauthorised", 403: "forbidden", 404: "not-found", 409: "conflict", 422: "invalid", 429: "busy"}
_VERBS = {"PATCH": "patch", "DELETE": "delete"}


class AccessFailed(Exception):
    """A call that did not succeed. ``code`` is one word; ``in_doubt`` is True when a write may have been applied."""

    def __init__(self, code: str, sentence: str, *, in_doubt: bool) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.in_doubt = in_doubt


class Access:
    """One identity's access to one cluster. Every method raises ``AccessFailed``."""

    def __init__(self, kubernetes: Kubernetes) -> None:
        self._kubernetes = kubernetes
        self.cluster = kubernetes.cluster

    async def get(self, resource: Resource, namespace: str, name: str) -> Json:
        """Read one object."""
        try:
            return await self._kubernetes.get(resource.path(namespace, name))
        except (KubernetesError, KubernetesUnreachable) as error:
            raise self._failed(error, resource.verb("get"), namespace, name) from None

    async def find(self, resource: Resource, namespace: str, name: str) -> Json | None:
        """Read one object, None when there is none."""
        try:
            return await self.get(resource, namespace, name)
        except AccessFailed as failure:
            if failure.code == "not-found":
                return None
            raise

    async def items(self, resource: Resource, namespace: str, selector: str, *, limit: int) -> list[dict[str, Any]]:
        """List at most ``limit`` objects that a label selector fits."""
        try:
            return await self._kubernetes.items(resource.path(namespace), {"labelSelector": selector}, limit=limit)
        except (KubernetesError, KubernetesUnreachable) as error:
            raise self._failed(error, resource.verb("list"), namespace, "") from None

    async def send(self, call: Call, resource: Resource, *, dry_run: bool = False) -> Json:
        """Send a call once, or rehearse it."""
        if dry_run:
            call = call.rehearsal()
        try:
            return await self._kubernetes.write(
                call.method, call.path, call.body, content_type=call.content_type, dry_run=dry_run
            )
        except (KubernetesError, KubernetesUnreachable) as error:
            namespace, name = call.path.split("/")[-3], call.path.split("/")[-1]
            raise self._failed(error, resource.verb(_VERBS[call.method]), namespace, name) from None

    def _failed(
        self, error: KubernetesError | KubernetesUnreachable, verb: Verb, namespace: str, name: str
    ) -> AccessFailed:
        cluster = self.cluster
        if isinstance(error, KubernetesUnreachable):
            sentence = f"Cluster {cluster} cannot be reached: {error}. Check its API server and the network to it."
            return AccessFailed("unreachable", sentence, in_doubt=error.sent)
        code = _CODES.get(error.status or 0, "refused")
        thing = f"{verb.qualified} {namespace}/{name}" if name else f"{verb.qualified} of namespace {namespace}"
        match code:
            case "unauthorised":
                sentence = (
                    f"Cluster {cluster} does not accept the credential of its {self._kubernetes.identity}. Renew it."
                )
            case "forbidden":
                sentence = (
                    f"The {self._kubernetes.identity} of cluster {cluster} may not {verb.verb} {thing}. "
                    f"Grant its Role in namespace {namespace} the verb {verb.verb} on {verb.qualified}."
                )
            case "not-found":
                sentence = f"There is no {thing} in cluster {cluster}. Check the name."
            case _:
                said = " ".join(error.message.split())[:_MAX_SERVER_TEXT]
                sentence = f"Cluster {cluster} refused to {verb.verb} {thing} ({error.status or error.reason}): {said}"
        return AccessFailed(code, sentence, in_doubt=not error.certain)

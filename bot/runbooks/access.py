"""What runbooks act with, in a cluster or beside any: reads, writes, and each failure as a sentence for people."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from bot.clients.alertmanager import Alertmanager, AlertmanagerError
from bot.clients.endpoint import Endpoint, EndpointError
from bot.clients.github import GitHub, GitHubError, GitHubLimited, GitHubUnreachable, is_repository
from bot.clients.github_acting import ActingRepository
from bot.clients.kubernetes import Kubernetes, KubernetesError, KubernetesUnreachable
from bot.runbooks.call import Call
from bot.runbooks.resources import Resource, Verb

Json = Mapping[str, Any]

_MAX_SERVER_TEXT = 300
_CODES = {
    401: "unauthorised",
    403: "forbidden",
    404: "not-found",
    408: "unavailable",
    409: "conflict",
    422: "invalid",
    429: "busy",
}
_GITHUB_HINTS = {
    401: "Renew GITHUB_ACTIONS_TOKEN.",
    403: "Check what the credential of GitHub's actions may do.",
    404: "Check the name, and that the credential of GitHub's actions reaches the repository.",
}
_VERBS = {"PATCH": "patch", "DELETE": "delete", "POST": "create"}


class AccessFailed(Exception):
    """A call that did not succeed. ``code`` is one word; ``in_doubt`` is True when a write may have been applied."""

    def __init__(self, code: str, sentence: str, *, in_doubt: bool) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.in_doubt = in_doubt


@contextlib.contextmanager
def written() -> Iterator[None]:
    """Around what follows a write that went through: whatever fails there, nobody may say that nothing was changed."""
    try:
        yield
    except AccessFailed as failure:
        raise AccessFailed(failure.code, failure.sentence, in_doubt=True) from None


class Access:
    """One identity's access to one cluster, to the Alertmanager of that cluster, to the configured endpoints and, with
    a credential of its own, to those repositories on GitHub that ``acts_in`` names. ``kubernetes`` is None where
    ``cluster`` has no runner, or is empty because there is none: then all but Kubernetes is reached.

    ``namespaces`` are the only ones in which it changes anything; without any, wherever the runner's rights reach.
    ``secrets`` are the configured ones by name; they go into an endpoint's request and nowhere else. Every method
    raises ``AccessFailed``.
    """

    def __init__(
        self,
        kubernetes: Kubernetes | None,
        *,
        cluster: str = "",
        alertmanager: Alertmanager | None = None,
        endpoints: Mapping[str, Endpoint] | None = None,
        secrets: Mapping[str, str] | None = None,
        github: GitHub | None = None,
        acts_in: Callable[[str], bool] = lambda repository: True,
        namespaces: Sequence[str] = (),
    ) -> None:
        self._runner = kubernetes
        self._alertmanager = alertmanager
        self._endpoints = endpoints or {}
        self._secrets = secrets or {}
        self._github = github
        self._acts_in = acts_in
        self._namespaces = tuple(namespaces)
        self.cluster = cluster if kubernetes is None else kubernetes.cluster

    @property
    def _kubernetes(self) -> Kubernetes:
        if self._runner is None:
            where = f"Cluster {self.cluster} has no runner configured." if self.cluster else "This is for no cluster."
            raise AccessFailed("not-configured", f"{where} Nothing of Kubernetes can be reached.", in_doubt=False)
        return self._runner

    def barred(self, namespace: str) -> str:
        """Say why nothing may be changed in a namespace, or return an empty string."""
        if not self._namespaces or namespace in self._namespaces:
            return ""
        accepted = ", ".join(self._namespaces)
        return f"Namespace {namespace[:63]} is not accepted; clusters.{self.cluster}.acts_in lists {accepted}."

    def listens_to(self, repository: str) -> bool:
        """Say whether a repository on GitHub is one in which something may be changed."""
        return is_repository(repository) and self._acts_in(repository)

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

    async def items(
        self, resource: Resource, namespace: str, selector: str = "", *, fields: str = "", limit: int
    ) -> list[dict[str, Any]]:
        """List at most ``limit`` objects that a label selector and a field selector fit, without a namespace of all."""
        query = {key: value for key, value in (("labelSelector", selector), ("fieldSelector", fields)) if value}
        try:
            found = await self._kubernetes.items(resource.path(namespace), query, limit=limit)
        except (KubernetesError, KubernetesUnreachable) as error:
            raise self._failed(error, resource.verb("list", cluster_wide=not namespace), namespace, "") from None
        # The items of a list do not repeat what the list says of itself.
        return [{"apiVersion": resource.api_version, "kind": resource.kind, **item} for item in found]

    async def send(self, call: Call, resource: Resource, namespace: str, name: str, *, dry_run: bool = False) -> Json:
        """Send a call to the cluster once, or rehearse it."""
        barred = self.barred(namespace) if resource.namespaced else ""
        if barred:
            raise AccessFailed("forbidden", barred, in_doubt=False)
        if dry_run:
            call = call.rehearsal()
        try:
            return await self._kubernetes.write(
                call.method, call.path, call.body, content_type=call.content_type, dry_run=dry_run
            )
        except (KubernetesError, KubernetesUnreachable) as error:
            verb = resource.verb(_VERBS[call.method], call.subresource)
            raise self._failed(error, verb, namespace, name) from None

    @property
    def alertmanager(self) -> Alertmanager:
        """The Alertmanager of the cluster; use it within `translated`."""
        if self._alertmanager is None:
            sentence = "This is for no cluster, and an Alertmanager belongs to one."
            if self.cluster:
                sentence = (
                    f"Cluster {self.cluster} has no Alertmanager configured; set clusters.{self.cluster}.alertmanager."
                )
            raise AccessFailed("not-configured", sentence, in_doubt=False)
        return self._alertmanager

    def endpoint(self, name: str) -> Endpoint:
        """The configured endpoint of that name."""
        if name not in self._endpoints:
            known = ", ".join(sorted(self._endpoints)) or "none"
            sentence = f"No endpoint {name} is configured (configured: {known}); name it under endpoints."
            raise AccessFailed("not-configured", sentence, in_doubt=False)
        return self._endpoints[name]

    def secret(self, name: str) -> str:
        """The value of a configured secret. Only ever called while a request is sent."""
        if name not in self._secrets:
            sentence = f"No secret {name} is configured; name it under secrets."
            raise AccessFailed("not-configured", sentence, in_doubt=False)
        return self._secrets[name]

    def repository(self, name: str) -> ActingRepository:
        """A repository on GitHub; use it within `translated`."""
        if self._github is None:
            sentence = "No credential for GitHub's actions is configured; set GITHUB_ACTIONS_TOKEN."
            raise AccessFailed("not-configured", sentence, in_doubt=False)
        if not self.listens_to(name):
            sentence = f"{name[:140]} is not among the repositories that github.repositories lists."
            raise AccessFailed("forbidden", sentence, in_doubt=False)
        return ActingRepository(self._github, name)

    @contextlib.contextmanager
    def translated(self, *, writing: bool = False) -> Iterator[None]:
        """Turn the errors of the Alertmanager, of endpoints and of GitHub into ``AccessFailed``. ``writing`` is for
        GitHub, whose errors do not tell a read from a write."""
        try:
            yield
        except (AlertmanagerError, EndpointError) as error:
            raise AccessFailed(error.code, str(error), in_doubt=error.in_doubt) from None
        except GitHubLimited as error:
            sentence = f"GitHub's rate limit is reached; it ends in {error.retry_after:.0f} s. Plan again then."
            raise AccessFailed("limited", sentence, in_doubt=False) from None
        except GitHubError as error:
            sentence = f"{error}. {_GITHUB_HINTS.get(error.status, '')}".strip()
            # Its 409 is no change under our hands that could be tried again.
            code = _CODES.get(error.status, "refused") if error.status in _GITHUB_HINTS else "refused"
            code = "unavailable" if error.status >= 500 else code
            raise AccessFailed(code, sentence, in_doubt=writing and not error.certain) from None
        except GitHubUnreachable as error:
            raise AccessFailed("unreachable", f"{error}.", in_doubt=writing and error.sent) from None

    def _failed(
        self, error: KubernetesError | KubernetesUnreachable, verb: Verb, namespace: str, name: str
    ) -> AccessFailed:
        cluster = self.cluster
        if isinstance(error, KubernetesUnreachable):
            sentence = f"Cluster {cluster} cannot be reached: {error}. Check its API server and the network to it."
            return AccessFailed("unreachable", sentence, in_doubt=error.sent)
        status = error.status or 0
        code = _CODES.get(status, "unavailable" if status >= 500 else "refused")
        place = "/".join(part for part in (namespace, name) if part)
        whole = f"of namespace {namespace}" if namespace else "of every namespace"
        thing = f"{verb.qualified} {place}" if name else f"{verb.qualified} {whole}"
        role = "ClusterRole" if verb.cluster_wide else f"Role in namespace {namespace}"
        match code:
            case "unauthorised":
                sentence = (
                    f"Cluster {cluster} does not accept the credential of its {self._kubernetes.identity}. Renew it."
                )
            case "forbidden":
                sentence = (
                    f"The {self._kubernetes.identity} of cluster {cluster} may not {verb.verb} {thing}. "
                    f"Grant its {role} the verb {verb.verb} on {verb.qualified}."
                )
            case "not-found":
                sentence = f"There is no {thing} in cluster {cluster}. Check the name."
            case _:
                said = " ".join(" ".join([error.message, *_causes(error.body)]).split())[:_MAX_SERVER_TEXT]
                refused = f"Cluster {cluster} refused to {verb.verb} {thing} ({error.status or error.reason})"
                sentence = f"{refused}: {said.rstrip('.')}." if said else f"{refused}."
        return AccessFailed(code, sentence, in_doubt=not error.certain)


def _causes(status: Json) -> list[str]:
    """What a Status says beside its message: of an eviction, which budget forbids it and how many pods it needs."""
    details = status.get("details")
    causes = details.get("causes") if isinstance(details, Mapping) else None
    found = [each.get("message") for each in causes if isinstance(each, Mapping)] if isinstance(causes, list) else []
    return [each for each in found if isinstance(each, str)]

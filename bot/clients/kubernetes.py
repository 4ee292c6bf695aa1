"""Kubernetes: one cluster seen through one identity, over the official client's raw ``ApiClient``.

The official client loads kubeconfigs, refreshes credentials and speaks TLS; its generated models, its silent retries
and its unbounded reads stay out. It is synchronous, so every call runs in a small thread pool of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

T = TypeVar("T")
Hold = Callable[[Sequence[str]], None]

MAX_BODY = 8 * 1024 * 1024
PAGE = 100
THREADS = 8
_CHUNK = 64 * 1024
_MAX_MESSAGE = 2000

# What a path of the Kubernetes API is made of. No "%": a name never needs escaping, so an escape is an attack.
_PATH = re.compile(r"(/[A-Za-z0-9._:-]+)+")
# A DNS subdomain name, https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")


def is_name(text: str) -> bool:
    """Say whether ``text`` can be the name of an object or namespace, so that it may stand in a path."""
    return len(text) <= 253 and _NAME.fullmatch(text) is not None


class KubernetesError(Exception):
    """The API server refused or answered something unusable.

    ``status`` is None when a read's answer cannot be used (too large, not JSON). ``body`` is the Status object, if any.
    """

    def __init__(self, status: int | None, reason: str, message: str, body: Mapping[str, Any] | None = None) -> None:
        super().__init__(f"{reason or 'error'}: {message}" if message else reason)
        self.status = status
        self.reason = reason
        self.message = message
        self.body: Mapping[str, Any] = body or {}

    @property
    def certain(self) -> bool:
        """True when a write that met this error was certainly not applied; a 408 or 5xx may come after the effect."""
        return self.status is not None and 400 <= self.status < 500 and self.status != 408


class KubernetesUnreachable(Exception):
    """No answer came. ``sent`` is True when a write may have been applied all the same."""

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


@dataclass(frozen=True, slots=True)
class Tail:
    """The end of a text: ``cut`` bytes before it were left out; if not ``complete``, the server had still more."""

    text: str
    cut: int
    complete: bool


class Kubernetes:
    """One cluster (``cluster``) seen through one identity (``identity``, e.g. ``reader``).

    ``timeout`` is in seconds and bounds connecting and the whole of one answer. Calls are never repeated.
    A cancelled call ends here at once, but a write that was under way may still be applied. ``hold`` is told every
    secret that this identity has, again whenever its token was refreshed and before the new one is sent.
    """

    def __init__(
        self,
        configuration: Any,
        *,
        cluster: str,
        identity: str,
        timeout: float = 10.0,
        max_body: int = MAX_BODY,
        hold: Hold | None = None,
    ) -> None:
        from kubernetes.client.api_client import ApiClient

        configuration.retries = False
        configuration.connection_pool_maxsize = THREADS
        self.cluster = cluster
        self.identity = identity
        self._timeout = timeout
        self._max_body = max_body
        self._api = ApiClient(configuration)
        self._api.user_agent = "signoff"
        # Refreshing a credential rewrites the shared configuration: one thread at a time.
        self._credentials = threading.Lock()
        self._hold = hold or _hold_nothing
        self._lasting = _lasting_secrets(configuration)
        self._credential: str | None = None
        self._use(str(next(iter(configuration.api_key.values()), "")))
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix=f"kubernetes-{cluster}-{identity}")

    @classmethod
    def from_kubeconfig(
        cls,
        path: str | None,
        context: str,
        *,
        cluster: str,
        identity: str,
        timeout: float = 10.0,
        max_body: int = MAX_BODY,
        hold: Hold | None = None,
    ) -> Self:
        """Use ``context`` of a kubeconfig (``path``, else ``KUBECONFIG``, else ``~/.kube/config``).

        Imports the official client and may run a credential plugin: call it in a thread. Raises ``ValueError`` with a
        sentence for a person; it never repeats the file's content, which holds tokens.
        """
        from kubernetes.client import Configuration
        from kubernetes.config import load_kube_config

        path = path or os.environ.get("KUBECONFIG") or "~/.kube/config"
        configuration = Configuration()
        try:
            load_kube_config(path, context=context, client_configuration=configuration, persist_config=False)
        except Exception as error:
            # The client's own message may quote a whole user entry, token and all.
            raise ValueError(
                f"kubeconfig {path}: context {context!r} cannot be used ({type(error).__name__}). "
                f"See what it has with: kubectl --kubeconfig {path} config get-contexts"
            ) from None
        return cls(configuration, cluster=cluster, identity=identity, timeout=timeout, max_body=max_body, hold=hold)

    @classmethod
    def in_cluster(
        cls,
        *,
        cluster: str,
        identity: str,
        token_file: str | None = None,
        timeout: float = 10.0,
        max_body: int = MAX_BODY,
        hold: Hold | None = None,
    ) -> Self:
        """Use the pod's own service account, or another one whose token is mounted at ``token_file``.

        The token is read again every minute, as the kubelet rotates it. Raises ``ValueError`` outside a cluster.
        """
        from kubernetes.client import Configuration
        from kubernetes.config.config_exception import ConfigException
        from kubernetes.config.incluster_config import (
            SERVICE_CERT_FILENAME,
            SERVICE_TOKEN_FILENAME,
            InClusterConfigLoader,
        )

        configuration = Configuration()
        try:
            InClusterConfigLoader(token_file or SERVICE_TOKEN_FILENAME, SERVICE_CERT_FILENAME).load_and_set(
                configuration
            )
        except (ConfigException, OSError) as error:
            raise ValueError(
                f"cluster {cluster}: not usable from inside a cluster ({error}). "
                "Run in a pod with a service account token, or configure a kubeconfig context"
            ) from None
        return cls(configuration, cluster=cluster, identity=identity, timeout=timeout, max_body=max_body, hold=hold)

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Read one object. Raises ``KubernetesError`` or ``KubernetesUnreachable``, as every call here."""
        return await self._run(lambda: self._json("GET", path, query))

    async def items(
        self, path: str, query: Mapping[str, str] | None = None, *, limit: int = 500
    ) -> list[dict[str, Any]]:
        """Read a list page by page, at most ``limit`` objects: exactly ``limit`` may mean that there are more."""

        def pages() -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = []
            token = ""
            while len(found) < limit:
                asked = {**(query or {}), "limit": str(min(PAGE, limit - len(found)))}
                if token:
                    asked["continue"] = token
                page = self._json("GET", path, asked)
                found += [item for item in page.get("items") or [] if isinstance(item, dict)]
                metadata = page.get("metadata")
                token = str(metadata.get("continue") or "") if isinstance(metadata, dict) else ""
                if not token:
                    break
            return found[:limit]

        return await self._run(pages)

    async def text(self, path: str, query: Mapping[str, str] | None = None, *, limit_bytes: int) -> str:
        """Read at most the first ``limit_bytes`` of a text; bytes that are not UTF-8 become U+FFFD."""

        def read() -> str:
            with self._answer("GET", path, query, accept="text/plain, */*") as answer:
                return answer.read(limit_bytes, over="cut").decode("utf-8", "replace")

        return await self._run(read)

    async def tail(self, path: str, query: Mapping[str, str] | None = None, *, limit_bytes: int) -> Tail:
        """Read a text to its end (or to the bound of a body) and keep the last ``limit_bytes``: what logs want.

        The API's own ``limitBytes`` keeps the beginning, so the newest lines would be the ones lost.
        """

        def read() -> Tail:
            with self._answer("GET", path, query, accept="text/plain, */*") as answer:
                data = answer.read(self._max_body, over="cut")
                return Tail(
                    text=data[-limit_bytes:].decode("utf-8", "replace"),
                    cut=max(0, len(data) - limit_bytes),
                    complete=answer.ended,
                )

        return await self._run(read)

    async def write(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = "application/json",
        query: Mapping[str, str] | None = None,
        dry_run: bool = False,
    ) -> dict[str, Any]:
        """Send one write, once. With ``dry_run`` the server checks everything and changes nothing.

        ``KubernetesUnreachable.sent`` and ``KubernetesError.certain`` say whether it may have been applied.
        """
        if content_type == "application/json-patch+json" and not isinstance(body, list):
            raise ValueError("a JSON patch is a list of operations; the client would send it as a strategic merge")
        asked = {**(query or {}), **({"dryRun": "All"} if dry_run else {})}
        effect = not dry_run
        return await self._run(
            lambda: self._json(method.upper(), path, asked, body=body, content_type=content_type, effect=effect)
        )

    async def allowed(
        self,
        verb: str,
        resource: str,
        *,
        group: str = "",
        namespace: str = "",
        subresource: str = "",
        name: str = "",
    ) -> bool:
        """Ask the server whether this identity may do something (a SelfSubjectAccessReview)."""
        attributes = {
            "verb": verb,
            "resource": resource,
            "group": group,
            "namespace": namespace,
            "subresource": subresource,
            "name": name,
        }
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {key: value for key, value in attributes.items() if value}},
        }
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        answer = await self._run(lambda: self._json("POST", path, None, body=review))
        status = answer.get("status")
        return isinstance(status, dict) and status.get("allowed") is True

    async def rules(self, namespace: str) -> list[dict[str, Any]]:
        """Return the rules that give this identity its rights in a namespace (a SelfSubjectRulesReview)."""
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectRulesReview",
            "spec": {"namespace": namespace},
        }
        path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
        answer = await self._run(lambda: self._json("POST", path, None, body=review))
        found = (answer.get("status") or {}).get("resourceRules")
        return [rule for rule in found if isinstance(rule, dict)] if isinstance(found, list) else []

    async def close(self) -> None:
        """Let go of threads and connections; calls under way end by themselves within the timeout."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._api.close()

    async def _run(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    def _json(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        *,
        body: Any = None,
        content_type: str = "application/json",
        effect: bool = False,
    ) -> dict[str, Any]:
        with self._answer(method, path, query, body=body, content_type=content_type, effect=effect) as answer:
            data = answer.read(self._max_body, over="refuse")
        try:
            parsed = json.loads(data)
        except (ValueError, RecursionError):
            parsed = None
        if not isinstance(parsed, dict):
            raise answer.unusable(
                "NotJSON", "the answer is not a JSON object: is this address a Kubernetes API server?"
            )
        return parsed

    def _answer(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        *,
        body: Any = None,
        content_type: str = "application/json",
        accept: str = "application/json",
        effect: bool = False,
    ) -> _Answer:
        """Send one request and return its answer with a status below 300; the body is still to be read."""
        from kubernetes.client.exceptions import ApiException
        from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ProxyError

        if not _PATH.fullmatch(path) or any(part in (".", "..") for part in path.split("/")):
            raise ValueError(f"not a path of the Kubernetes API: {path[:200]!r}")
        deadline = time.monotonic() + self._timeout
        headers = {"Accept": accept}
        if method != "GET":
            headers["Content-Type"] = content_type
        try:
            with self._credentials:
                request = self._api.param_serialize(
                    method, path, query_params=list((query or {}).items()), header_params=headers, auth_settings=_BEARER
                )
                # A token file usually ends in a newline, which must not stand in a header.
                sent = {name: value.strip() for name, value in request[2].items()}
                self._use(sent.get("authorization", ""))
        except Exception as error:
            raise KubernetesUnreachable(
                f"{self._who}: no credential could be had ({type(error).__name__}); check its kubeconfig or token file",
                sent=False,
            ) from None
        method, url = request[:2]
        try:
            # The body goes round param_serialize, so that what was signed off is what is sent.
            response = self._api.call_api(method, url, sent, body, _request_timeout=self._timeout)
        except (NewConnectionError, ConnectTimeoutError, ProxyError) as error:
            raise KubernetesUnreachable(f"{self._who}: no connection ({_kind(error)})", sent=False) from None
        except ApiException as error:
            # The client wraps a TLS fault in an ApiException without a status. An untrusted certificate ends the
            # handshake, before anything is sent.
            fault = error.__context__.args[0] if error.__context__ and error.__context__.args else None
            if isinstance(fault, ssl.SSLCertVerificationError):
                raise KubernetesUnreachable(
                    f"{self._who}: its certificate is not trusted ({fault.verify_message})", sent=False
                ) from None
            raise KubernetesUnreachable(f"{self._who}: TLS failed", sent=effect) from None
        except HTTPError as error:
            raise KubernetesUnreachable(f"{self._who}: no answer ({_kind(error)})", sent=effect) from None
        except ValueError as error:
            # http.client quotes the offending header, which may be the token.
            raise KubernetesUnreachable(
                f"{self._who}: the request cannot be sent ({type(error).__name__}); check its token for stray bytes",
                sent=False,
            ) from None
        answer = _Answer(response.response, self._who, deadline, effect)
        if answer.status < 300:
            return answer
        with answer:
            raise answer.error()

    def _use(self, credential: str) -> None:
        """Have the credential held before it is sent, if it is a new one."""
        token = credential.strip().rpartition(" ")[2]
        if token != self._credential:
            self._credential = token
            self._hold([secret for secret in (token, *self._lasting) if secret])

    @property
    def _who(self) -> str:
        return f"cluster {self.cluster} as {self.identity}"


_BEARER = ["BearerToken"]


def _hold_nothing(_secrets: Sequence[str]) -> None:
    """For whoever has no redactor."""


def _lasting_secrets(configuration: Any) -> tuple[str, ...]:
    """Return what does not change while the process runs: a password, and the client's private key without its armour,
    so that it is found in the file's text and in what a kubeconfig makes of it."""
    found = [configuration.password or ""]
    if configuration.key_file:
        # A key that cannot be read is said when it is used.
        with contextlib.suppress(OSError, UnicodeDecodeError):
            lines = Path(configuration.key_file).read_text("ascii").splitlines()
            found.append("\n".join(line for line in lines if line and not line.startswith("-----")))
    return tuple(secret for secret in found if secret)


class _Answer:
    """One HTTP answer whose body is read under a bound and a deadline."""

    def __init__(self, response: Any, who: str, deadline: float, effect: bool) -> None:
        self.status: int = response.status
        self.ended = False
        self._response = response
        self._who = who
        self._deadline = deadline
        self._effect = effect

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.ended:
            self._response.release_conn()
        else:
            self._response.close()

    def read(self, limit: int, *, over: Literal["cut", "refuse"]) -> bytes:
        """Read the body, at most ``limit`` bytes: what is beyond is left ("cut") or makes the answer an error."""
        from urllib3.exceptions import HTTPError

        data = bytearray()
        try:
            while len(data) <= limit:
                if time.monotonic() > self._deadline:
                    raise KubernetesUnreachable(f"{self._who}: the answer did not end in time", sent=self._effect)
                chunk = self._response.read1(_CHUNK)
                if not chunk:
                    self.ended = True
                    return bytes(data)
                data += chunk
        except HTTPError as error:
            raise KubernetesUnreachable(
                f"{self._who}: the answer broke off ({_kind(error)})", sent=self._effect
            ) from None
        if over == "refuse":
            raise self.unusable("AnswerTooLarge", f"the answer is larger than {limit:,} bytes; ask for less")
        return bytes(data[:limit])

    def error(self) -> KubernetesError:
        """Turn an answer that is no success into the error it stands for."""
        try:
            text = self.read(_CHUNK, over="cut").decode("utf-8", "replace")
        except KubernetesUnreachable:
            text = ""
        try:
            body = json.loads(text)
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict):
            reason = str(self._response.reason or "")
            return KubernetesError(self.status, reason, text.strip()[:_MAX_MESSAGE] or f"HTTP status {self.status}")
        return KubernetesError(
            self.status, str(body.get("reason") or ""), str(body.get("message") or "")[:_MAX_MESSAGE], body
        )

    def unusable(self, reason: str, message: str) -> KubernetesError | KubernetesUnreachable:
        """A success whose body cannot be used: a failed read, but a write that was probably applied."""
        if self._effect:
            return KubernetesUnreachable(f"{self._who}: {message}", sent=True)
        return KubernetesError(None, reason, message)


def _kind(error: Exception) -> str:
    """Name a transport fault: what urllib3 wraps, without the object addresses that it puts into its messages."""
    inner = (each for each in (getattr(error, "reason", None), *error.args[::-1]) if isinstance(each, Exception))
    fault = next(inner, error)
    return re.sub(r"<[^<>]* object at 0x[0-9a-f]+>:? ?", "", f"{type(fault).__name__}: {fault}")[:300]

"""Who calls: an app by its signed token, an installation of it by a token of one hour, or a person's own token.

Sources: docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app: the app signs a JWT with RS256,
``iat`` in the past, ``exp`` at most ten minutes ahead, ``iss`` its id; an installation token lives one hour and may
be asked for with fewer permissions than were granted, never with more.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from bot.sandbox.github.refusal import Refusal, forbidden, not_found

LEVELS = ("none", "read", "write", "admin")
TOKEN_SECONDS = 3600
JWT_SECONDS = 600
APP_PERMISSIONS: Mapping[str, str] = {
    "actions": "write",
    "checks": "write",
    "contents": "write",
    "deployments": "read",
    "issues": "write",
    "metadata": "read",
    "pull_requests": "write",
    "statuses": "write",
}

APP_EVENTS = (
    "check_suite",
    "deployment_status",
    "issue_comment",
    "pull_request",
    "pull_request_review_comment",
    "push",
    "workflow_run",
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever a token stands for. ``repositories`` is empty where it reaches all of them."""

    kind: Literal["app", "installation", "person"]
    login: str
    token: str
    permissions: Mapping[str, str] = field(default_factory=dict)
    repositories: frozenset[str] = frozenset()
    expires_at: float | None = None

    def need(self, repository: str, permission: str, level: str) -> None:
        """Raise ``Refusal``: 404 where the repository is out of reach, 403 where the permission is."""
        if self.kind == "app" or (self.repositories and repository not in self.repositories):
            raise not_found()
        held = "read" if permission == "metadata" else self.permissions.get(permission, "none")
        if LEVELS.index(held) < LEVELS.index(level):
            raise forbidden()


class Credentials:
    """The app's key pair, its one installation, and all tokens that were given out."""

    def __init__(self, clock: Callable[[], float]) -> None:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import rsa

        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.app_id = 424242
        self.app_slug = "signoff"
        self.installation_id = 515151
        self.granted: dict[str, str] = dict(APP_PERMISSIONS)
        self.events: tuple[str, ...] = APP_EVENTS
        self.repositories: frozenset[str] = frozenset()
        self.private_key = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        ).decode()
        self._public = key.public_key()
        self._clock = clock
        self._callers: dict[str, Caller] = {}

    @property
    def bot(self) -> str:
        """The login under which the app writes."""
        return f"{self.app_slug}[bot]"

    def personal(self, login: str, permissions: Mapping[str, str]) -> str:
        """Give a person a fine-grained token."""
        token = f"github_pat_local_{secrets.token_hex(20)}"
        self._callers[token] = Caller("person", login, token, dict(permissions))
        return token

    def install(self, asked: Mapping[str, str]) -> Caller:
        """Make an installation token. Raises ``Refusal`` 422 for a permission that was not granted."""
        for permission, level in asked.items():
            held = self.granted.get(permission, "none")
            if level not in LEVELS or LEVELS.index(level) > LEVELS.index(held):
                raise Refusal(422, "The permissions requested are not granted to this installation.")
        token = f"ghs_local{secrets.token_hex(16)}"
        permissions = dict(asked or self.granted) | {"metadata": "read"}
        expires = self._clock() + TOKEN_SECONDS
        caller = Caller("installation", self.bot, token, permissions, self.repositories, expires)
        self._callers[token] = caller
        return caller

    def expire(self) -> None:
        """End all installation tokens, as an hour does."""
        for token, caller in list(self._callers.items()):
            if caller.kind == "installation":
                del self._callers[token]

    def caller(self, authorization: str) -> Caller:
        """Return who sends this header. Raises ``Refusal`` 401."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() not in ("bearer", "token") or not token:
            raise Refusal(401, "Requires authentication")
        if token.count(".") == 2:
            return self._app(token)
        caller = self._callers.get(token)
        if caller is None or (caller.expires_at is not None and caller.expires_at <= self._clock()):
            raise Refusal(401, "Bad credentials")
        return caller

    def _app(self, token: str) -> Caller:
        import jwt

        try:
            claims = jwt.decode(
                token,
                self._public,
                algorithms=["RS256"],
                options={"require": ["exp", "iat", "iss"], "verify_iat": False, "verify_exp": False},
            )
        except jwt.InvalidTokenError as error:
            raise Refusal(401, "A JSON web token could not be decoded") from error
        now = self._clock()
        if str(claims["iss"]) != str(self.app_id):
            raise Refusal(401, "'Issuer' claim ('iss') must be an Integer")
        if claims["exp"] <= now:
            raise Refusal(401, "'Expiration time' claim ('exp') must be a numeric value representing the future time")
        if claims["exp"] > now + JWT_SECONDS + 60 or claims["iat"] > now + 60:
            raise Refusal(401, "'Expiration time' claim ('exp') is too far in the future")
        return Caller("app", self.app_slug, "app")

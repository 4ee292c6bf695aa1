"""One call of the REST API: who calls, about which repository, with what; and how it is answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from bot.sandbox.github.acts import Acts
from bot.sandbox.github.credentials import Caller, Credentials
from bot.sandbox.github.hub import MAX_BODY, Hub, Json, Repository
from bot.sandbox.github.refusal import invalid
from bot.sandbox.github.webhooks import Webhooks

PER_PAGE = 30
MAX_PER_PAGE = 100


@dataclass(frozen=True, slots=True)
class Answer:
    """A status with JSON, or with bytes of a type of their own."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    content_type: str = "application/json"


@dataclass(frozen=True)
class Call:
    """A request that passed authentication. ``match`` has the parts of its path."""

    hub: Hub
    acts: Acts
    webhooks: Webhooks
    credentials: Credentials
    caller: Caller
    method: str
    path: str
    accept: str
    match: Mapping[str, str]
    query: Mapping[str, str]
    body: Json

    @cached_property
    def repository(self) -> Repository:
        """The repository of the path."""
        return self.hub.repository(f"{self.match['owner']}/{self.match['repo']}")

    def page(self, items: Sequence[Any], *, under: str = "", more: Mapping[str, Any] | None = None) -> Answer:
        """Answer with one page, and a Link header to the next: docs.github.com/rest/using-the-rest-api/
        using-pagination-in-the-rest-api (30 a page, 100 at most)."""
        size = min(max(1, _number(self.query.get("per_page"), PER_PAGE)), MAX_PER_PAGE)
        at = max(1, _number(self.query.get("page"), 1))
        shown = list(items[(at - 1) * size : at * size])
        headers = {}
        if at * size < len(items):
            last = -(-len(items) // size)
            address = f"{self.hub.url}{self.path}?per_page={size}&page="
            headers["Link"] = f'<{address}{at + 1}>; rel="next", <{address}{last}>; rel="last"'
        body: Any = {"total_count": len(items), under: shown, **(more or {})} if under else shown
        return Answer(200, body, headers)

    def text(self, key: str, resource: str, *, required: bool = True, longest: int = MAX_BODY) -> str:
        """Return a text of the body. Raises ``Refusal`` 422."""
        value = self.body.get(key)
        if value is None and not required:
            return ""
        if not isinstance(value, str) or (required and not value):
            raise invalid(resource, key, f"{key} can't be blank", "missing_field")
        if len(value) > longest:
            raise invalid(resource, key, f"{key} is too long (maximum is {longest} characters)")
        return value


Handler = Callable[[Call], Answer]


@dataclass(frozen=True, slots=True)
class Route:
    """A method and path, and the permission a token needs for it. ``content``: it counts as creating content."""

    method: str
    path: str
    permission: str
    level: str
    handler: Handler
    content: bool = False


def _number(text: str | None, otherwise: int) -> int:
    return int(text) if text is not None and text.isdigit() else otherwise

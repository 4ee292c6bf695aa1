"""Collections: selectors, pages and the tokens that continue them.

Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks
(later pages come from the state of the first one; a token that is too old is 410).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final

from bot.sandbox.kubernetes import selectors
from bot.sandbox.kubernetes.resources import Resource
from bot.sandbox.kubernetes.status import bad_request, expired
from bot.sandbox.kubernetes.store import Store

Json = dict[str, Any]

_KEPT: Final = 64


class Lists:
    """Answers list requests of one cluster."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._rest: OrderedDict[str, tuple[int, list[Json]]] = OrderedDict()

    def page(self, resource: Resource, namespace: str, query: Mapping[str, str]) -> Json:
        """One page. Raises ApiError 400 on a selector or limit that cannot be read, 410 on an old token."""
        try:
            limit = int(query.get("limit") or 0)
        except ValueError as error:
            raise bad_request(f"limit: {query['limit'][:40]!r} is no number") from error
        labels = selectors.label_selector(query.get("labelSelector", ""))
        fields, _ = selectors.field_selector(query.get("fieldSelector", ""), resource.kind)
        token = query.get("continue")
        if token:
            if token not in self._rest:
                raise expired(
                    "The provided continue parameter is too old to display a consistent list result. You can "
                    "start a new list without the continue parameter."
                )
            revision, items = self._rest[token]
        else:
            revision = self._store.revision
            items = [
                obj
                for obj in self._store.list(resource, namespace)
                if labels(obj["metadata"].get("labels") or {}) and fields(obj)
            ]
        meta: Json = {"resourceVersion": str(revision)}
        if 0 < limit < len(items):
            meta["continue"] = self._keep(revision, items[limit:])
            if not query.get("labelSelector") and not query.get("fieldSelector"):
                meta["remainingItemCount"] = len(items) - limit
            items = items[:limit]
        # Items of a list carry no kind of their own.
        bare = [{key: value for key, value in obj.items() if key not in ("apiVersion", "kind")} for obj in items]
        return {"kind": f"{resource.kind}List", "apiVersion": resource.api_version, "metadata": meta, "items": bare}

    def _keep(self, revision: int, rest: list[Json]) -> str:
        token = f"{self._store.rng.getrandbits(96):024x}"
        self._rest[token] = (revision, rest)
        while len(self._rest) > _KEPT:
            self._rest.popitem(last=False)
        return token

"""http-request: send a body that fits its schema to an endpoint that the configuration lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.runbooks import schema_errors
from bot.runbooks.access import Access, AccessFailed
from bot.runbooks.actions.action import Before, Occasion, ReadBack, Rendered, Unrehearsed, Unsuitable
from bot.runbooks.arguments import ANYTHING
from bot.runbooks.call import JSON, Call
from bot.runbooks.resources import ENDPOINT
from bot.runbooks.target import Target

Json = Mapping[str, Any]

SECRET = "$secret"  # noqa: S105 - the mark of a reference, not a secret
"""``{"$secret": NAME}`` stands for the value of a configured secret, in plans, diffs and the audit."""


class HttpRequest(Unrehearsed):
    """Address and method are the configuration's; only the body comes from the runbook. Nobody can rehearse it, and
    nothing tells afterwards whether it arrived, so it is sent once, with a key that tells a repetition."""

    name = "http-request"
    kinds = frozenset({ENDPOINT.kind})
    arguments: Mapping[str, Json] = {"body": ANYTHING}
    verbs = frozenset()
    inverse = "the undo that the step names"
    idempotency = "none"
    sends_key = True  # Idempotency-Key

    async def gather(self, access: Access, target: Target, live: Json, arguments: Json) -> Sequence[Json]:
        """Look the endpoint up; nothing is sent."""
        endpoint = access.endpoint(target.name)
        for name in _references(arguments["body"]):
            access.secret(name)
        return [{"url": endpoint.url, "method": endpoint.method, "schema": endpoint.body_schema}]

    def render(
        self, target: Target, live: Json, gathered: Sequence[Json], arguments: Json, occasion: Occasion
    ) -> Rendered | Unsuitable:
        """Render the request; the endpoint's schema judges the body with each secret as some text."""
        (endpoint,) = gathered
        body = arguments["body"]
        problems = schema_errors.faults(endpoint["schema"], _replaced(body, lambda name: "secret"))
        if problems:
            said = "; ".join(f"{'.'.join(map(str, key)) or 'body'}: {sentence}" for key, sentence in problems[:5])
            return Unsuitable("body", f"The body does not fit what {target} takes: {said}.")
        call = Call(endpoint["method"], endpoint["url"], JSON, {"key": occasion.key, "json": body})
        return Rendered(call, (f"{endpoint['method']} to {target} ({endpoint['url']}), once.",), "")

    def allowed_by(self, target: Target, arguments: Json, access: Access, registries: Sequence[str]) -> Json:
        """By where the endpoint is and what it takes."""
        endpoint = access.endpoint(target.name)
        return {f"endpoints.{target.name}": [endpoint.url, endpoint.method, endpoint.body_schema]}

    async def read(self, access: Access, target: Target, call: Call) -> Json | None:
        """There is nothing to read; but the endpoint must still be what was approved."""
        endpoint = access.endpoint(target.name)
        if call.path and (endpoint.url, endpoint.method) != (call.path, call.method):
            sentence = f"{target} is configured as {endpoint.method} {endpoint.url} now, and another was approved."
            raise AccessFailed("changed", sentence, in_doubt=False)
        return {"metadata": {"uid": target.uid}}

    async def send(self, access: Access, target: Target, call: Call, *, dry_run: bool = False) -> Json:
        """Send it, with the secrets put in at the last moment."""
        body = _replaced(call.body["json"], access.secret)
        with access.translated():
            status, _ = await access.endpoint(target.name).send(body, key=call.body["key"])
        return {"status": status}

    def foresee(self, live: Json, call: Call) -> Json:
        """The request itself."""
        return {"method": call.method, "url": call.path, "body": call.body["json"]}

    def fields(self, live: Json, arguments: Json) -> Json:
        """None."""
        return {}

    def shown(self, live: Json, answer: Json) -> tuple[Json, Json]:
        """The request."""
        return {}, answer

    def applied(self, live: Json | None, before: Before, result: str, arguments: Json) -> ReadBack:
        """Nobody can tell."""
        return "cannot tell"


def _references(value: Any) -> list[str]:
    found: list[str] = []

    def note(name: str) -> str:
        found.append(name)
        return name

    _replaced(value, note)
    return found


def _replaced(value: Any, secret: Any) -> Any:
    if isinstance(value, Mapping):
        if set(value) == {SECRET}:
            return secret(str(value[SECRET]))
        return {name: _replaced(item, secret) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_replaced(item, secret) for item in value]
    return value

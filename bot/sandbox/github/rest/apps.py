"""The app and its installation. Source: docs.github.com/rest/apps/apps and /rest/apps/webhooks."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.sandbox.github.refusal import Refusal, not_found
from bot.sandbox.github.rest.call import Answer, Call, Route


def _only_app(call: Call) -> None:
    if call.caller.kind != "app":
        raise Refusal(401, "A JSON web token could not be decoded")


def app(call: Call) -> Answer:
    """The app itself."""
    _only_app(call)
    credentials = call.credentials
    return Answer(
        200,
        {
            "id": credentials.app_id,
            "slug": credentials.app_slug,
            "name": "Signoff",
            "permissions": credentials.granted,
            "events": list(call.credentials.events),
        },
    )


def installation(call: Call) -> Answer:
    """The installation that reaches a repository."""
    _only_app(call)
    name, reach = call.repository.full_name, call.credentials.repositories
    if reach and name not in reach:
        raise not_found()
    return Answer(
        200,
        {
            "id": call.credentials.installation_id,
            "app_id": call.credentials.app_id,
            "account": call.hub.user_json(call.match["owner"]),
            "permissions": call.credentials.granted,
        },
    )


def access_token(call: Call) -> Answer:
    """Make a token of one hour, with the permissions that are asked for."""
    _only_app(call)
    if call.match["installation"] != str(call.credentials.installation_id):
        raise not_found()
    asked = call.body.get("permissions") or {}
    made = call.credentials.install({str(name): str(level) for name, level in asked.items()})
    expires = datetime.fromtimestamp(made.expires_at or 0, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    body = {"token": made.token, "expires_at": expires, "permissions": dict(made.permissions)}
    return Answer(201, body | {"repository_selection": "all"})


def deliveries(call: Call) -> Answer:
    """The deliveries of the app's webhook, newest first."""
    _only_app(call)
    return call.page([delivery.as_json() for delivery in reversed(call.webhooks.deliveries)])


def redeliver(call: Call) -> Answer:
    """Deliver again."""
    _only_app(call)
    number = call.match["delivery"]
    if not number.isdigit() or call.webhooks.redeliver(int(number)) is None:
        raise not_found()
    return Answer(202, {})


def user(call: Call) -> Answer:
    """Whose token this is; an installation's is nobody's."""
    if call.caller.kind != "person":
        raise Refusal(403, "Resource not accessible by integration")
    return Answer(200, call.hub.user_json(call.caller.login))


def rate_limit(call: Call) -> Answer:
    """What is left of the primary limit."""
    return Answer(200, {"resources": {"core": {"limit": 5000}}})


ROUTES = (
    Route("GET", "/app", "", "", app),
    Route("GET", "/user", "", "", user),
    Route("GET", "/rate_limit", "", "", rate_limit),
    Route("GET", "/repos/{owner}/{repo}/installation", "", "", installation),
    Route("POST", "/app/installations/{installation}/access_tokens", "", "", access_token),
    Route("GET", "/app/hook/deliveries", "", "", deliveries),
    Route("POST", "/app/hook/deliveries/{delivery}/attempts", "", "", redeliver),
)

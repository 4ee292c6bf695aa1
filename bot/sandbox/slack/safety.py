"""Who may talk to the local workspace: this machine only, this page only, with the page's token for every act.

A web page that a developer visits could otherwise click Approve on localhost. Beside the checks that every stand-in
makes, each act needs a token that only this page and programs of this machine can read.
"""

import hmac

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from bot.sandbox.loopback import refusal
from bot.sandbox.slack.local import LocalSlack

TOKEN_HEADER = "X-Sandbox-Token"  # noqa: S105 - the name of a header
# Paths that the app calls, with its own tokens or secret URLs.
_APP_PATHS = ("/api/", "/actions/", "/commands/", "/upload/")
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def guard(local: LocalSlack, token: str) -> Middleware:
    """The middleware that refuses everyone else and puts the safety headers on every answer."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        why = refused(request, local.port, token)
        if why:
            local.log.add("safety", f"{request.method} {request.path[:200]} refused: {why}", level="error")
            return web.json_response({"error": why}, status=403, headers=_HEADERS)
        try:
            response = await handler(request)
        except web.HTTPException as error:
            error.headers.update(_HEADERS)
            raise
        if not response.prepared:
            response.headers.update(_HEADERS)
        return response

    return middleware


def refused(request: web.Request, port: int, token: str) -> str | None:
    """Why a request is refused, or None when it may pass."""
    # Someone who follows a link to the page, or to a message, comes from another site and only looks.
    followed_link = request.method == "GET" and request.headers.get("Sec-Fetch-Mode") == "navigate"
    fetch_site = None if followed_link else request.headers.get("Sec-Fetch-Site")
    foreign = refusal(request.headers.get("Host", ""), request.headers.get("Origin"), fetch_site, port)
    if foreign or request.method in ("GET", "HEAD") or request.path.startswith(_APP_PATHS):
        return foreign
    if not hmac.compare_digest(request.headers.get(TOKEN_HEADER, "").encode(), token.encode()):
        return f"the {TOKEN_HEADER} header is missing or wrong: take it from GET /sandbox/session"
    return None

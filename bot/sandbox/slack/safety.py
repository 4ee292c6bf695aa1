"""Who may talk to the local workspace: this machine only, this page only, with the page's token for every act.

A web page that a developer visits could otherwise click Approve on localhost. The Host check stops DNS rebinding,
the Origin and Sec-Fetch-Site checks stop other sites' requests, and the token stops what neither header tells.
"""

import hmac

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

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
        refusal = refused(request, local.url, token)
        if refusal:
            local.log.add("safety", f"{request.method} {request.path} refused: {refusal}", level="error")
            return web.json_response({"error": refusal}, status=403, headers=_HEADERS)
        try:
            response = await handler(request)
        except web.HTTPException as error:
            error.headers.update(_HEADERS)
            raise
        if not response.prepared:
            response.headers.update(_HEADERS)
        return response

    return middleware


def refused(request: web.Request, url: str, token: str) -> str:
    """Why a request is refused, or "" when it may pass."""
    host = url.removeprefix("http://")
    port = host.rpartition(":")[2]
    hosts = {host, f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}"}
    if request.headers.get("Host", "") not in hosts:
        return "the Host header is not this local workspace"
    origin = request.headers.get("Origin")
    if origin is not None and origin not in {f"http://{known}" for known in hosts}:
        return "the Origin header is not this local workspace"
    followed_link = request.method == "GET" and request.headers.get("Sec-Fetch-Mode") == "navigate"
    if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin") and not followed_link:
        return "the request comes from another site"
    if request.method in ("GET", "HEAD") or request.path.startswith(_APP_PATHS):
        return ""
    if not hmac.compare_digest(request.headers.get(TOKEN_HEADER, "").encode(), token.encode()):
        return f"the {TOKEN_HEADER} header is missing or wrong: take it from GET /sandbox/session"
    return ""

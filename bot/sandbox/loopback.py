"""How a stand-in listens: on loopback only, and to nobody but programs of this machine.

A page of a foreign site may make a browser of this machine send requests to 127.0.0.1, directly or by
rebinding its DNS name. Therefore every request has to name us in `Host`, and one that carries an `Origin`
or `Sec-Fetch-Site` has to come from our own page.
Sources: https://developer.mozilla.org/docs/Web/HTTP/Headers/Sec-Fetch-Site and
https://owasp.org/www-community/attacks/DNS_Rebinding.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_NAMES = ("127.0.0.1", "localhost", "[::1]")


def refusal(host: str, origin: str | None, fetch_site: str | None, port: int) -> str | None:
    """Say why a request with these headers is refused on `port`, or None when it is ours."""
    ours = {f"{name}:{port}" for name in _NAMES}
    if host.lower() not in ours:
        return f"Host {host[:100]!r} is not this stand-in; use http://127.0.0.1:{port}"
    if origin is not None and origin.lower() not in {f"http://{name}" for name in ours}:
        return f"Origin {origin[:100]!r} may not use this stand-in"
    if fetch_site is not None and fetch_site not in ("same-origin", "none"):
        return f"a {fetch_site[:20]} page may not use this stand-in"
    return None


@web.middleware
async def only_local(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse with 403 whatever a foreign page could have sent."""
    transport = request.transport
    port = transport.get_extra_info("sockname")[1] if transport is not None else 0
    reason = refusal(
        request.headers.get("Host", ""),
        request.headers.get("Origin"),
        request.headers.get("Sec-Fetch-Site"),
        port,
    )
    if reason is not None:
        return web.json_response({"error": "refused", "message": reason}, status=403)
    return await handler(request)


async def listen(app: web.Application, host: str, port: int) -> tuple[web.AppRunner, int]:
    """Serve `app` on a loopback address; port 0 takes any free one. Returns the runner and the real port.

    Raises ValueError when `host` is not loopback, OSError when the port is taken.
    """
    if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
        raise ValueError(f"a stand-in listens on loopback only, not on {host}; use 127.0.0.1")
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except BaseException:
        await runner.cleanup()
        raise
    address: Any = runner.addresses[0]
    return runner, int(address[1])

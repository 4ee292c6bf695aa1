"""What stands between an action and its stand-ins: it passes requests on until it is to fail, and counts effects."""

from __future__ import annotations

from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

from bot.sandbox.loopback import listen

_NO_EFFECT = ("/git/trees", "/git/commits")  # objects that no branch shows


@dataclass
class Gateway:
    """Passes ``passes`` more requests on to ``behind`` (None: all of them), and answers 503 to those after."""

    behind: str
    passes: int | None = None
    effects: list[str] = field(default_factory=list)
    url: str = ""
    _runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._pass_on)
        self._runner, port = await listen(app, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{port}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _pass_on(self, request: web.Request) -> web.Response:
        if self.passes is not None:
            if self.passes == 0:
                return web.json_response({"message": "Unavailable"}, status=503)
            self.passes -= 1
        headers = {key: value for key, value in request.headers.items() if key not in ("Host", "Accept-Encoding")}
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                request.method, f"{self.behind}{request.path_qs}", data=await request.read(), headers=headers
            ) as answer,
        ):
            if request.method != "GET" and answer.status < 300 and not request.path.endswith(_NO_EFFECT):
                self.effects.append(f"{request.method} {request.path}")
            body = await answer.read()
            return web.Response(status=answer.status, body=body, content_type=answer.content_type)

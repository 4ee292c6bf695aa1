import aiohttp
import pytest
from aiohttp import web

from bot.sandbox.loopback import listen, only_local, refusal


@pytest.mark.parametrize(
    ("host", "origin", "fetch_site", "refused"),
    [
        ("127.0.0.1:8001", None, None, False),
        ("localhost:8001", None, None, False),
        ("[::1]:8001", None, None, False),
        ("127.0.0.1:8001", "http://127.0.0.1:8001", "same-origin", False),
        ("127.0.0.1:8001", None, "none", False),
        ("127.0.0.1:8002", None, None, True),
        ("127.0.0.1", None, None, True),
        ("evil.example:8001", None, None, True),
        ("127.0.0.1.evil.example:8001", None, None, True),
        ("", None, None, True),
        ("127.0.0.1:8001", "http://evil.example", None, True),
        ("127.0.0.1:8001", "null", None, True),
        ("127.0.0.1:8001", "http://127.0.0.1:9999", None, True),
        ("127.0.0.1:8001", None, "cross-site", True),
        ("127.0.0.1:8001", None, "same-site", True),
    ],
)
def test_only_programs_of_this_machine_are_heard(host, origin, fetch_site, refused):
    assert (refusal(host, origin, fetch_site, 8001) is not None) is refused


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])
async def test_it_listens_on_loopback_only(host):
    with pytest.raises(ValueError, match="loopback only"):
        await listen(web.Application(), host, 0)


async def test_a_rebound_name_is_refused_on_the_wire():
    async def secret(request):
        return web.Response(text="secret")

    app = web.Application(middlewares=[only_local])
    app.router.add_get("/", secret)
    runner, port = await listen(app, "127.0.0.1", 0)
    try:
        async with aiohttp.ClientSession() as session:
            url = f"http://127.0.0.1:{port}/"
            async with session.get(url) as answer:
                assert (answer.status, await answer.text()) == (200, "secret")
            for headers in ({"Host": f"evil.example:{port}"}, {"Origin": "http://evil.example"}):
                async with session.get(url, headers=headers) as answer:
                    assert answer.status == 403
                    assert "secret" not in await answer.text()
    finally:
        await runner.cleanup()

import asyncio
import base64
import gc
import json
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from kubernetes.client import Configuration

from bot.clients.kubernetes import Kubernetes, KubernetesError, KubernetesUnreachable, is_name
from bot.redact import Redactor
from tests.clients.conftest import Request, answer, raw_server

POD = "/api/v1/namespaces/shop/pods/checkout-1"
LOG = POD + "/log"


@pytest.fixture
def connect(kubeconfig):
    @asynccontextmanager
    async def connected(handler, *, seconds: float = 5.0, max_body: int = 8 * 1024 * 1024):
        async with raw_server(handler) as server:
            client = Kubernetes.from_kubeconfig(
                kubeconfig(server.url),
                "prod-reader",
                cluster="prod",
                identity="reader",
                timeout=seconds,
                max_body=max_body,
            )
            try:
                yield client, server
            finally:
                await client.close()

    return connected


def always(data: bytes) -> Callable:
    async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(data)

    return handler


async def never(request: Request, writer: asyncio.StreamWriter) -> None:
    await writer.wait_closed()


async def hang_up(request: Request, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def test_reads_an_object_with_the_identitys_token(connect):
    async with connect(always(answer('{"kind": "Pod"}'))) as (client, server):
        assert await client.get(POD, {"resourceVersion": "0"}) == {"kind": "Pod"}
    assert server.requests[0].line == f"GET {POD}?resourceVersion=0 HTTP/1.1"
    assert server.requests[0].headers["authorization"] == "Bearer token-of-the-reader"
    assert server.requests[0].headers["user-agent"] == "signoff"


async def test_a_refusal_carries_what_the_server_said(connect):
    body = {"kind": "Status", "reason": "Forbidden", "message": 'pods is forbidden: User "x" cannot list', "code": 403}
    async with connect(always(answer(json.dumps(body), status="403 Forbidden"))) as (client, _):
        with pytest.raises(KubernetesError) as caught:
            await client.get(POD)
    assert (caught.value.status, caught.value.reason, caught.value.message) == (403, "Forbidden", body["message"])
    assert caught.value.body == body
    assert caught.value.certain


@pytest.mark.parametrize(
    ("status", "certain"),
    [("409 Conflict", True), ("429 Too Many", True), ("408 Timeout", False), ("504 Gateway Timeout", False)],
)
async def test_only_an_answer_before_the_effect_is_certain(connect, status, certain):
    async with connect(always(answer("upstream", status=status))) as (client, _):
        with pytest.raises(KubernetesError) as caught:
            await client.write("DELETE", POD)
    assert caught.value.certain is certain
    assert caught.value.message == "upstream"


@pytest.mark.parametrize("body", ["<html>sign in</html>", "[1]", "[" * 200_000, '{"kind": "Po'])
async def test_an_answer_that_is_no_json_object_is_an_error(connect, body):
    gc.collect()  # what were collected where the stack ends could not even be reported
    async with connect(always(answer(body))) as (client, _):
        with pytest.raises(KubernetesError, match="is this address a Kubernetes API server") as caught:
            await client.get(POD)
    assert caught.value.status is None


async def test_a_redirect_is_not_followed(connect):
    data = answer("", status="302 Found", headers="Location: http://127.0.0.1:1/elsewhere\r\n")
    async with connect(always(data)) as (client, server):
        with pytest.raises(KubernetesError) as caught:
            await client.get(POD)
    assert caught.value.status == 302
    assert len(server.requests) == 1


@pytest.mark.parametrize(("size", "fits"), [(1000, True), (1001, False)])
async def test_an_answer_is_bounded(connect, size, fits):
    body = json.dumps({"x": "y" * (size - len('{"x": ""}'))})
    async with connect(always(answer(body)), max_body=1000) as (client, _):
        if fits:
            assert len((await client.get(POD))["x"]) == size - len('{"x": ""}')
        else:
            with pytest.raises(KubernetesError, match="larger than 1,000 bytes"):
                await client.get(POD)


async def test_a_list_is_read_page_by_page_up_to_its_bound(connect):
    async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
        query = dict(part.split("=") for part in request.line.split()[1].split("?")[1].split("&"))
        start = int(query.get("continue", 0))
        size = int(query["limit"])
        items = [{"n": n} for n in range(start, min(start + size, 250))]
        more = {"continue": str(start + size)} if start + size < 250 else {}
        writer.write(answer(json.dumps({"items": items, "metadata": more})))

    async with connect(handler) as (client, server):
        assert [item["n"] for item in await client.items("/api/v1/pods")] == list(range(250))
        assert len(server.requests) == 3
        assert [item["n"] for item in await client.items("/api/v1/pods", limit=120)] == list(range(120))
        assert len(server.requests) == 5


async def test_an_empty_list_may_be_null(connect):
    async with connect(always(answer('{"items": null, "metadata": {}}'))) as (client, _):
        assert await client.items("/api/v1/pods") == []


async def test_a_log_may_hold_any_bytes(connect):
    async with connect(always(answer(b"caf\xe9 \xff\x00 ok\n"))) as (client, _):
        assert await client.text(LOG, limit_bytes=100) == "caf\ufffd \ufffd\x00 ok\n"
        assert await client.text(LOG, limit_bytes=3) == "caf"


async def test_a_tail_keeps_the_end_and_says_what_it_lost(connect):
    async with connect(always(answer("0123456789"))) as (client, _):
        tail = await client.tail(LOG, limit_bytes=4)
        assert (tail.text, tail.cut, tail.complete) == ("6789", 6, True)
        tail = await client.tail(LOG, limit_bytes=10)
        assert (tail.text, tail.cut, tail.complete) == ("0123456789", 0, True)
    async with connect(always(answer("0123456789")), max_body=8) as (client, _):
        tail = await client.tail(LOG, limit_bytes=4)
        assert (tail.text, tail.cut, tail.complete) == ("4567", 4, False)


@pytest.mark.parametrize("method", ["GET", "DELETE", "PATCH", "POST", "PUT"])
async def test_nothing_is_ever_sent_twice(connect, method):
    async with connect(never, seconds=0.3) as (client, server):
        call = client.get(POD) if method == "GET" else client.write(method, POD, {})
        with pytest.raises(KubernetesUnreachable) as caught:
            await call
        assert caught.value.sent is (method != "GET")
        assert len(server.requests) == 1


async def test_a_write_whose_answer_is_lost_may_have_been_applied(connect):
    async with connect(hang_up) as (client, _):
        for dry_run in (False, True):
            with pytest.raises(KubernetesUnreachable) as caught:
                await client.write("PATCH", POD, {}, content_type="application/merge-patch+json", dry_run=dry_run)
            assert caught.value.sent is not dry_run


@pytest.mark.parametrize(
    "data", [answer('{"kind"', length=500), answer("not json"), answer('{"a": "' + "b" * 5000 + '"}')]
)
async def test_a_write_whose_success_cannot_be_read_may_have_been_applied(connect, data):
    async with connect(always(data), seconds=0.5, max_body=1000) as (client, _):
        with pytest.raises(KubernetesUnreachable) as caught:
            await client.write("DELETE", POD)
    assert caught.value.sent


async def test_an_answer_that_drips_ends_at_the_deadline(connect):
    async def drip(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(200):
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.05)

    async with connect(drip, seconds=0.5) as (client, _):
        started = time.monotonic()
        with pytest.raises(KubernetesUnreachable, match="did not end in time"):
            await client.get(POD)
        assert time.monotonic() - started < 3


async def test_a_refused_connection_was_not_sent(kubeconfig):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        client = Kubernetes.from_kubeconfig(
            kubeconfig(url), "prod-reader", cluster="prod", identity="reader", timeout=2
        )
        with pytest.raises(KubernetesUnreachable, match="cluster prod as reader: no connection") as caught:
            await client.write("DELETE", POD)
        await client.close()
    assert not caught.value.sent
    assert "0x" not in str(caught.value)


async def test_what_is_signed_off_is_what_is_sent(connect):
    patch = {"metadata": {"annotations": {"gone": None, "ä": "ö"}}, "spec": {}}
    async with connect(always(answer("{}"))) as (client, server):
        await client.write(
            "patch",
            POD,
            patch,
            content_type="application/merge-patch+json",
            query={"fieldManager": "signoff"},
            dry_run=True,
        )
        await client.write(
            "PATCH", POD, [{"op": "remove", "path": "/spec/x"}], content_type="application/json-patch+json"
        )
        await client.write("DELETE", POD, {"preconditions": {"uid": "u"}})
        with pytest.raises(ValueError, match="a list of operations"):
            await client.write("PATCH", POD, {}, content_type="application/json-patch+json")
    first, second, third = server.requests
    assert first.line == f"PATCH {POD}?fieldManager=signoff&dryRun=All HTTP/1.1"
    assert first.headers["content-type"] == "application/merge-patch+json"
    assert json.loads(first.body) == patch
    assert second.headers["content-type"] == "application/json-patch+json"
    assert json.loads(third.body) == {"preconditions": {"uid": "u"}}


async def test_asks_whether_it_may(connect):
    async with connect(always(answer('{"status": {"allowed": true}}', status="201 Created"))) as (client, server):
        assert await client.allowed("get", "pods", namespace="shop", subresource="log")
    assert json.loads(server.requests[0].body)["spec"] == {
        "resourceAttributes": {"verb": "get", "resource": "pods", "namespace": "shop", "subresource": "log"}
    }
    async with connect(always(answer('{"status": {}}'))) as (client, _):
        assert not await client.allowed("delete", "pods")


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/namespaces/shop/pods/../../../secrets",
        "/api/v1/pods/a?watch=1",
        "/api/v1/pods/a%2f..%2fsecrets",
        "/api/v1/pods/",
        "/api/v1//pods",
        "api/v1/pods",
        "/api/v1/pods/a\r\nHost: evil",
        "/api/v1/pods/a#b",
        "//evil/api",
    ],
)
async def test_a_path_cannot_be_bent(connect, path):
    async with connect(always(answer("{}"))) as (client, server):
        with pytest.raises(ValueError, match="not a path"):
            await client.get(path)
    assert server.requests == []


async def test_a_broken_token_is_not_quoted(connect, kubeconfig):
    async with raw_server(always(answer("{}"))) as server:
        token = "canary-" + "token"
        client = Kubernetes.from_kubeconfig(
            kubeconfig(server.url, token + "\nx"), "prod-reader", cluster="prod", identity="reader"
        )
        with pytest.raises(KubernetesUnreachable, match="stray bytes") as caught:
            await client.get(POD)
        await client.close()
    assert token not in str(caught.value)


async def test_a_token_that_is_refreshed_is_held_before_it_is_sent_and_its_newline_is_not_sent(tmp_path):
    """As inside a cluster, where the kubelet writes a new token into the file from time to time."""
    held: list[list[str]] = []
    token = tmp_path / "token"
    token.write_text("first-token\n")

    def read(configuration: Configuration) -> None:
        configuration.api_key["BearerToken"] = "bearer " + token.read_text()

    def note(secrets: Sequence[str]) -> None:
        held.append([*secrets, len(server.requests)])

    async with raw_server(always(answer("{}"))) as server:
        configuration = Configuration(host=server.url)
        configuration.refresh_api_key_hook = read
        read(configuration)
        client = Kubernetes(configuration, cluster="prod", identity="reader", hold=note)
        await client.get(POD)
        await client.get(POD)
        token.write_text("second-token\n")
        await client.get(POD)
        await client.close()
    assert [request.headers["authorization"] for request in server.requests] == [
        "bearer first-token",
        "bearer first-token",
        "bearer second-token",
    ]
    assert held == [["first-token", 0], ["second-token", 2]]


async def test_a_client_s_private_key_is_held_as_a_file_and_as_a_kubeconfig_show_it(kubeconfig):
    body = "MHcCAQEEIIGbabcdefgh0123456789zyx\nzzyyxx9988aabbccddeeff7766554433=="
    pem = f"-----BEGIN EC PRIVATE KEY-----\n{body}\n-----END EC PRIVATE KEY-----\n"
    encoded = base64.b64encode(pem.encode()).decode()
    path = Path(kubeconfig("https://127.0.0.1:1"))
    data = yaml.safe_load(path.read_text())
    data["users"][0]["user"] = {"client-key-data": encoded, "client-certificate-data": encoded}
    path.write_text(yaml.safe_dump(data))
    redactor = Redactor()
    client = Kubernetes.from_kubeconfig(
        str(path), "prod-reader", cluster="prod", identity="reader", hold=partial(redactor.hold, "reader")
    )
    await client.close()
    for text in (f"it said {body} here", f"it said {body.splitlines()[1]} here", f"client-key-x is {encoded}"):
        shown = redactor.text(text)
        assert "[held-secret:" in shown or "[private-key:" in shown
        assert body.splitlines()[1] not in shown


def test_a_kubeconfig_that_cannot_be_used_says_so_without_its_secrets(kubeconfig, tmp_path):
    path = kubeconfig("http://127.0.0.1:1")
    with pytest.raises(ValueError, match="context 'staging' cannot be used") as caught:
        Kubernetes.from_kubeconfig(path, "staging", cluster="staging", identity="reader")
    assert "token-of-the-reader" not in str(caught.value)
    for content in ("", "not: [closed", "users: [{user: {token: token-of-the-reader}}]\ncontexts: 3"):
        (tmp_path / "broken").write_text(content)
        with pytest.raises(ValueError, match="cannot be used") as caught:
            Kubernetes.from_kubeconfig(str(tmp_path / "broken"), "prod", cluster="prod", identity="reader")
        assert "token-of-the-reader" not in str(caught.value)


def test_outside_a_cluster_it_says_so(monkeypatch):
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(ValueError, match="not usable from inside a cluster"):
        Kubernetes.in_cluster(cluster="prod", identity="reader")


async def test_more_calls_than_threads_all_end(connect):
    async with connect(always(answer("{}"))) as (client, _):
        assert await asyncio.gather(*(client.get(POD) for _ in range(40))) == [{}] * 40


@pytest.mark.parametrize("name", ["checkout", "checkout-7d9f-x2", "10.0.0.1", "a", "node.example.com"])
def test_names(name):
    assert is_name(name)


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a/b", "..", "a..b", "a\n", "é", "a" * 254, "a b", "a%2f"])
def test_no_names(name):
    assert not is_name(name)


@given(st.text(max_size=30))
def test_a_name_never_bends_a_path(text):
    if is_name(text):
        assert not set(text) & set("/%?#\\ \r\n")
        assert text not in (".", "..")

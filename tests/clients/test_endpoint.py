"""An endpoint is connected to only where it may be, once, and no redirect leads elsewhere."""

from __future__ import annotations

import asyncio
import ipaddress
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clients.endpoint import Endpoint, EndpointError, forbidden
from tests.clients.conftest import RawServer, Request, answer, raw_server
from tests.ports import free_port

CUT = b"HTTP/1.1 2"
HOME = ["127.0.0.0/8"]
ANYWHERE = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0"))


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "203.0.114.1"])
def test_public_addresses_may_be_connected_to(address: str) -> None:
    assert forbidden(address, ()) == ""


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "172.16.4.4",
        "192.168.1.1",
        "127.0.0.1",
        "::1",
        "fd12::1",
        "100.64.0.1",
        "::ffff:10.0.0.1",
        "2002:0a00:0001::1",
        "64:ff9b::10.0.0.1",
        "::127.0.0.1",
        "::ffff:0:10.0.0.1",
        "fec0::1",
    ],
)
def test_private_ones_only_where_they_are_allowed(address: str) -> None:
    assert "is not a public address" in forbidden(address, ())
    assert forbidden(address, ANYWHERE) == ""


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.170.2",
        "100.100.100.200",
        "fd00:ec2::254",
        "fe80::1",
        "::ffff:169.254.169.254",
        "64:ff9b::169.254.169.254",
        "2002:a9fe:a9fe::1",
        "168.63.129.16",
        "192.0.0.192",
        "::169.254.169.254",
        "::ffff:0:169.254.169.254",
        "64:ff9b:1:a9fe:a9:fe00::",
        "0.0.0.0",
        "::",
        "224.0.0.1",
        "ff02::1",
    ],
)
def test_metadata_link_local_and_what_is_no_single_host_never(address: str) -> None:
    assert forbidden(address, ANYWHERE) != ""


@given(
    st.ip_addresses(v=4)
    | st.sampled_from(["169.254.169.254", "168.63.129.16", "192.0.0.192", "10.0.0.1", "127.0.0.1", "8.8.8.8"]),
    st.sampled_from(["::ffff:{}", "::{}", "::ffff:0:{}", "64:ff9b::{}"]),
    st.sampled_from([(), ANYWHERE]),
)
def test_an_ipv4_address_in_other_clothes_is_judged_as_what_it_is(address: Any, clothes: str, allowed: Any) -> None:
    if int(ipaddress.IPv4Address(address)) > 1:  # :: and ::1 are IPv6's own
        assert forbidden(clothes.format(address), allowed) == forbidden(str(address), allowed)


@given(st.ip_addresses())
def test_without_allowed_networks_nothing_but_public_addresses(address: Any) -> None:
    if not address.is_global:
        assert forbidden(str(address), ()) != ""


@asynccontextmanager
async def serving(data: bytes = b"", **more: Any) -> AsyncIterator[tuple[RawServer, Endpoint]]:
    async def handler(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(data or answer("ok"))
        if data == CUT:
            writer.close()

    async with raw_server(handler) as server:
        yield server, Endpoint("status", f"{server.url}/notes", **{"allow_networks": HOME, "timeout": 2} | more)


async def test_one_request_with_its_key_and_the_token_of_the_moment(tmp_path: Path) -> None:
    token = tmp_path / "token"
    async with serving(token_file=token) as (server, endpoint):
        with pytest.raises(EndpointError, match=r"endpoints\.status\.token_file cannot be read"):
            await endpoint.send({}, key="k")
        token.write_text("t0\n")
        assert await endpoint.send({"note": "a"}, key="run-1") == (200, "ok")
        (request,) = server.requests
    assert request.line.startswith("POST /notes ")
    assert (request.headers["idempotency-key"], request.headers["authorization"]) == ("run-1", "Bearer t0")
    assert json.loads(request.body) == {"note": "a"}


async def test_a_private_address_is_not_connected_to_by_number_or_by_name() -> None:
    async with serving(allow_networks=[]) as (server, endpoint):
        with pytest.raises(EndpointError, match="is not a public address") as failed:
            await endpoint.send({}, key="k")
        assert (failed.value.code, failed.value.in_doubt) == ("forbidden-address", False)
        port = server.url.rpartition(":")[2]
        for url in (f"http://localhost:{port}/", f"http://2130706433:{port}/", f"http://0x7f.1:{port}/"):
            by_name = Endpoint("status", url, timeout=2)
            with pytest.raises(EndpointError):
                await by_name.send({}, key="k")
        assert server.requests == []
        assert server.connections == set()


async def test_the_checked_address_is_the_one_that_is_connected_to() -> None:
    """The name is resolved by the connection alone, so it cannot answer one thing to the check and another to it."""
    async with serving() as (server, _):
        named = Endpoint("status", server.url.replace("127.0.0.1", "localhost"), allow_networks=[*HOME, "::1/128"])
        assert (await named.send({}, key="k"))[0] == 200
        request = server.requests[-1]
    assert request.headers["host"].startswith("localhost:")


@pytest.mark.parametrize(
    ("data", "code", "in_doubt"),
    [
        (answer("", status="302 Found", headers="Location: http://169.254.169.254/\r\n"), "redirected", True),
        (answer("", status="303 See Other", headers="Location: /done\r\n"), "redirected", True),
        (answer("no", status="422 Unprocessable Entity"), "refused", False),
        (answer("no", status="503 Service Unavailable"), "refused", True),
        (CUT, "unreachable", True),
    ],
)
async def test_what_became_of_a_request(data: bytes, code: str, in_doubt: bool) -> None:
    async with serving(data) as (server, endpoint):
        with pytest.raises(EndpointError) as failed:
            await endpoint.send({}, key="k")
        assert (failed.value.code, failed.value.in_doubt) == (code, in_doubt)
        assert len(server.requests) == 1


async def test_where_nobody_listens_nothing_was_sent() -> None:
    endpoint = Endpoint("status", f"http://127.0.0.1:{free_port()}/", allow_networks=HOME, timeout=2)
    with pytest.raises(EndpointError, match="cannot be reached") as failed:
        await endpoint.send({}, key="k")
    assert not failed.value.in_doubt

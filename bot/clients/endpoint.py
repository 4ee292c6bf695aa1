"""Endpoint: one HTTP address of the configuration, connected to only where it is allowed to be.

A name is resolved once for a connection, every address it has is checked, and the connection goes to a checked
address, so that a name which changes between the check and the connection gains nothing. Redirects are not followed,
proxies not used.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bot.clients import bearer

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MAX_ANSWER = 64 * 1024
# Where clouds answer with credentials: all link-local addresses, AWS by IPv6, Alibaba, Azure
# (https://learn.microsoft.com/en-us/azure/virtual-network/what-is-ip-address-168-63-129-16), Oracle (192.0.0.192).
# Refused whatever is allowed.
_METADATA = tuple(
    ipaddress.ip_network(each)
    for each in (
        "169.254.0.0/16",
        "fe80::/10",
        "fd00:ec2::254/128",
        "100.100.100.200/32",
        "168.63.129.16/32",
        "192.0.0.192/32",
    )
)
# IPv6 addresses that end in the IPv4 address they stand for: mapped, compatible (RFC 4291), translated (RFC 2765),
# NAT64 (RFC 6052).
_ENDS_IN_IPV4 = tuple(
    ipaddress.IPv6Network(each) for each in ("::ffff:0:0/96", "::/96", "::ffff:0:0:0/96", "64:ff9b::/96")
)
_OWN_HOST = tuple(ipaddress.IPv6Address(each) for each in ("::", "::1"))
# Each network's own translation puts the IPv4 address where it likes (RFC 8215), so it may stand for any.
_TRANSLATED_AT_WILL = ipaddress.IPv6Network("64:ff9b:1::/48")


class EndpointError(Exception):
    """A request that did not succeed. ``in_doubt`` is True when it may have had its effect."""

    def __init__(self, code: str, message: str, *, in_doubt: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.in_doubt = in_doubt


def forbidden(address: str, allowed: Sequence[Network]) -> str:
    """Say why an address may not be connected to, or return an empty string.

    Public addresses may; others only inside ``allowed``; link-local ones, those of cloud metadata, multicast and
    unspecified ones never.
    """
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address):
        if found in _TRANSLATED_AT_WILL:
            return f"{found} may stand for any IPv4 address, a metadata service's too"
        found = _undressed(found)
    if any(found in network for network in _METADATA if network.version == found.version) or found.is_link_local:
        return f"{found} is link-local or a metadata service"
    if found.is_multicast or found.is_unspecified:
        return f"{found} is no single host"
    if any(found in network for network in allowed if network.version == found.version):
        return ""
    public = found.is_global and not (isinstance(found, ipaddress.IPv6Address) and found.is_site_local)
    return "" if public else f"{found} is not a public address, and no network in allow_networks has it"


def _undressed(found: ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Return the IPv4 address that an IPv6 address stands for, or that address itself if it stands for none."""
    if found.sixtofour is not None:
        return found.sixtofour
    if found not in _OWN_HOST and any(found in network for network in _ENDS_IN_IPV4):
        return ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
    return found


class Endpoint:
    """One address: ``url`` and ``method`` are the configuration's, and so is the schema of what may be sent."""

    def __init__(
        self,
        name: str,
        url: str,
        *,
        method: str = "POST",
        token_file: Path | None = None,
        body_schema: Mapping[str, Any] | None = None,
        allow_networks: Sequence[str] = (),
        timeout: float = 10.0,
    ) -> None:
        self.name = name
        self.url = url
        self.method = method
        self.body_schema = body_schema or {}
        self._token_file = token_file
        self._allowed = tuple(ipaddress.ip_network(each) for each in allow_networks)
        self._timeout = timeout

    async def probe(self) -> None:
        """Resolve its name and check the addresses; nothing is connected to. Raises ``EndpointError``."""
        parts = urlsplit(self.url)
        resolver = _resolver(self.name, self._allowed)
        try:
            # A number resolves to itself, and is checked as what it is.
            await resolver.resolve(parts.hostname or "", parts.port or 0, socket.AF_UNSPEC)
        except _Forbidden as error:
            raise EndpointError("forbidden-address", str(error)) from None
        except OSError:
            raise EndpointError("unreachable", f"The name {parts.hostname} cannot be resolved.") from None

    async def send(self, body: Any, *, key: str) -> tuple[int, str]:
        """Send one request, once, and return the status and the beginning of the answer.

        ``key`` goes along as Idempotency-Key. A status of 300 and more raises ``EndpointError``, as all else does.
        """
        import aiohttp

        given = {**await asyncio.to_thread(self._headers), "Idempotency-Key": key}
        connector = aiohttp.TCPConnector(
            resolver=_resolver(self.name, self._allowed), use_dns_cache=False, force_close=True
        )
        timeout = aiohttp.ClientTimeout(total=self._timeout)
        who = f"The endpoint {self.name}"
        literal = _literal(self.url)
        if literal and (why := forbidden(literal, self._allowed)):
            raise EndpointError("forbidden-address", f"{who} may not be connected to: {why}.")
        try:
            async with (
                aiohttp.ClientSession(connector=connector, timeout=timeout, trust_env=False) as session,
                session.request(self.method, self.url, json=body, headers=given, allow_redirects=False) as response,
            ):
                status = response.status
                text = (await response.content.read(MAX_ANSWER)).decode("utf-8", "replace")
        except _Forbidden as error:
            raise EndpointError("forbidden-address", str(error)) from None
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, _Forbidden):
                raise EndpointError("forbidden-address", str(error.os_error)) from None
            raise EndpointError("unreachable", f"{who} cannot be reached.") from None
        except (TimeoutError, aiohttp.ClientError) as error:
            sentence = f"{who} did not answer ({type(error).__name__})."
            raise EndpointError("unreachable", sentence, in_doubt=True) from None
        if 300 <= status < 400:
            # 303 is what a server answers that has taken a request; and no redirect says that it took nothing.
            sentence = f"{who} answered a redirect ({status}), which is not followed."
            raise EndpointError("redirected", sentence, in_doubt=True)
        if status >= 400:
            raise EndpointError("refused", f"{who} answered {status}.", in_doubt=status >= 500 or status == 408)
        return status, text

    def _headers(self) -> dict[str, str]:
        try:
            return bearer.header(self._token_file)
        except bearer.TokenUnreadable as why:
            sentence = f"endpoints.{self.name}.token_file cannot be read: {why}."
            raise EndpointError("not-configured", sentence) from None


class _Forbidden(OSError):
    """A name that resolves to where nothing may be sent."""


def _literal(url: str) -> str:
    host = urlsplit(url).hostname or ""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return ""


def _resolver(name: str, allowed: Sequence[Network]) -> Any:
    from aiohttp.abc import AbstractResolver, ResolveResult
    from aiohttp.resolver import ThreadedResolver

    class Checked(AbstractResolver):
        """Resolves by the system, and lets through what may be connected to, or nothing."""

        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
        ) -> list[ResolveResult]:
            found = await ThreadedResolver().resolve(host, port, family)
            for each in found:
                # One bad address is enough: the next connection might take it.
                if why := forbidden(each["host"].partition("%")[0], allowed):
                    raise _Forbidden(f"The endpoint {name} may not be connected to: {host} is at {why}.")
            return found

        async def close(self) -> None:
            pass

    return Checked()

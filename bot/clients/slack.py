"""The Slack Web API client as Signoff uses it: one session, explicit timeouts, and no retry that we do not see."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from aiohttp import TraceConfig
    from slack_sdk.web.async_client import AsyncWebClient

SLACK_API = "https://slack.com/api/"


def open_client(
    token: str, *, base_url: str = SLACK_API, timeout: float = 10.0, traces: Sequence[TraceConfig] = ()
) -> AsyncWebClient:
    """Return a client for one bot token; nothing is sent yet. Must be called on a running loop; end it with `close`.

    The SDK's default retries after connection errors are off, because a post that is repeated may be there twice: the
    outbox decides that. ``timeout`` bounds each call, in seconds. ``traces`` watch the requests.
    """
    import aiohttp
    from slack_sdk.web.async_client import AsyncWebClient

    # At DEBUG the SDK logs whole requests and answers, with what people and alerts wrote.
    for name in ("slack_sdk", "slack_bolt"):
        logger = logging.getLogger(name)
        logger.setLevel(max(logging.INFO, logger.level))
    session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=timeout), trace_configs=list(traces))
    client = AsyncWebClient(
        token=token,
        base_url=base_url,
        timeout=int(timeout),
        session=session,
        retry_handlers=[],
        logger=logging.getLogger("slack_sdk"),
    )
    if is_loopback(base_url):
        client.proxy = None  # the SDK takes a proxy from the environment and ignores NO_PROXY
    return client


async def close(client: AsyncWebClient) -> None:
    """Close the client's connections."""
    if client.session is not None:
        await client.session.close()


def error_code(error: BaseException) -> str:
    """Return Slack's word for what went wrong (``channel_not_found``), or the kind of failure when it has none."""
    response = getattr(error, "response", None)
    code = response.get("error") if response is not None and hasattr(response, "get") else None
    return str(code)[:60] if code else type(error).__name__


def is_loopback(url: str) -> bool:
    """Say whether a URL stays on this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

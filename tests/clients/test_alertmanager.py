"""The Alertmanager client over a real socket: against the stand-in, and against servers that misbehave.

What the stand-in is asked here, `tests/real/test_silences.py` asks a real Alertmanager.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.clients.alertmanager import MAX_BODY, Alertmanager, AlertmanagerError
from bot.sandbox import silences
from tests.clients.conftest import Request, answer, raw_server
from tests.waiting import wait_until

NOBODY = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
async def alertmanager() -> AsyncIterator[Alertmanager]:
    sandbox = await silences.start(port=0)
    client = Alertmanager(sandbox.url, cluster="prod")
    yield client
    await client.close()
    await sandbox.stop()


def silence(minutes: float = 60, **more: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "matchers": [{"name": "namespace", "value": "shop", "isRegex": False, "isEqual": True}],
        "startsAt": (now - timedelta(minutes=5)).isoformat(),
        "endsAt": (now + timedelta(minutes=minutes)).isoformat(),
        "createdBy": "signoff",
        "comment": "INC-142 [signoff:abc]",
        **more,
    }


async def test_a_silence_from_its_making_to_its_end(alertmanager: Alertmanager) -> None:
    made = await alertmanager.create(silence())
    found = await alertmanager.silence(made)
    assert found is not None
    assert (found["id"], found["status"]["state"], found["comment"]) == (made, "active", "INC-142 [signoff:abc]")
    assert datetime.fromisoformat(found["startsAt"]) > datetime.now(UTC) - timedelta(minutes=1), "it begins now"
    assert [each["id"] for each in await alertmanager.silences()] == [made]
    assert [each["id"] for each in await alertmanager.silences(('namespace="shop"',))] == [made]
    assert await alertmanager.silences(('namespace="edge"',)) == []
    await alertmanager.expire(made)
    await alertmanager.expire(made)

    async def over() -> bool:
        kept = await alertmanager.silence(made)
        return kept is not None and kept["status"]["state"] == "expired"

    await wait_until(over, 10, "the silence to be over")


async def test_what_is_not_there(alertmanager: Alertmanager) -> None:
    assert await alertmanager.silence(NOBODY) is None
    with pytest.raises(AlertmanagerError) as failed:
        await alertmanager.expire(NOBODY)
    assert "silence not found" in str(failed.value)
    with pytest.raises(ValueError, match="cannot be a silence's id"):
        await alertmanager.silence("../status")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"matchers": []}, r"refused \(422\)"),
        (
            {"matchers": [{"name": "a", "value": "", "isRegex": False, "isEqual": True}]},
            "at least one matcher must not match the empty string",
        ),
        ({"matchers": [{"name": "1a", "value": "b", "isRegex": False, "isEqual": True}]}, "invalid label name"),
        ({"endsAt": "2020-01-01T00:00:00Z"}, "start time must be before end time"),
        ({"startsAt": "2020-01-01T00:00:00Z", "endsAt": "2020-01-02T00:00:00Z"}, "end time can't be in the past"),
        ({"startsAt": "soon"}, r"refused \(400\)"),
    ],
)
async def test_what_it_refuses_was_certainly_not_done(
    alertmanager: Alertmanager, wrong: Mapping[str, Any], said: str
) -> None:
    with pytest.raises(AlertmanagerError, match=said) as failed:
        await alertmanager.create(silence(**wrong))
    assert (failed.value.code, failed.value.in_doubt) == ("refused", False)
    assert await alertmanager.silences() == []


# --- servers that misbehave -------------------------------------------------------------------------------------------


@asynccontextmanager
async def answering(data: bytes) -> AsyncIterator[Alertmanager]:
    async def handler(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(data)

    async with raw_server(handler) as server:
        client = Alertmanager(server.url, cluster="prod", timeout=2)
        yield client
        await client.close()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (answer("<html>not me</html>"), "unusable"),
        (answer("{}"), "unusable"),
        (answer('{"silenceID": "../../status"}'), "unusable"),
        (answer("", status="502 Bad Gateway"), "unavailable"),
        (answer(b"[" * 100_000), "unusable"),
        (answer(b" " * (MAX_BODY + 1)), "too-large"),
        (answer("{", length=10_000), "unreachable"),
    ],
)
async def test_an_answer_that_proves_nothing_leaves_a_silence_in_doubt(data: bytes, code: str) -> None:
    async with answering(data) as client:
        with pytest.raises(AlertmanagerError) as failed:
            await client.create(silence())
        assert (failed.value.code, failed.value.in_doubt) == (code, True)


async def test_redirects_are_not_followed() -> None:
    async with answering(answer("", status="302 Found", headers="Location: http://127.0.0.1:1/\r\n")) as client:
        with pytest.raises(AlertmanagerError, match="refused \\(302\\)"):
            await client.silences()


async def test_where_nobody_listens_nothing_was_done() -> None:
    client = Alertmanager("http://127.0.0.1:1", cluster="prod")
    with pytest.raises(AlertmanagerError, match="The Alertmanager of cluster prod cannot be reached") as failed:
        await client.create(silence())
    assert not failed.value.in_doubt
    await client.close()


async def test_the_token_is_read_anew_for_each_request_and_never_said(tmp_path: Path) -> None:
    token = tmp_path / "token"
    sandbox = await silences.start(port=0, token="new")
    client = Alertmanager(sandbox.url, cluster="prod", token_file=token)
    with pytest.raises(AlertmanagerError, match=r"clusters\.prod\.alertmanager\.token_file cannot be read"):
        await client.silences()
    token.write_text("old\n")
    with pytest.raises(AlertmanagerError, match="401") as failed:
        await client.silences()
    assert "old" not in str(failed.value)
    token.write_text("new\n")
    assert await client.silences() == []
    await client.close()
    await sandbox.stop()

"""An upload is announced, sent and shared, in this order."""

from typing import Any

import pytest


async def test_the_sdk_uploads_a_file_into_a_thread(slack: Any) -> None:
    parent = (await slack.client.chat_postMessage(channel="C0INCIDENTS", text="x"))["ts"]
    await slack.client.files_upload_v2(
        channel="C0INCIDENTS", thread_ts=parent, filename="plan.diff", title="The change", content="-a\n+b\n"
    )
    ((reply,),) = [message["replies"] for message in await slack.messages()]
    (file,) = reply["files"]
    assert (file["name"], file["title"], file["size"]) == ("plan.diff", "The change", 6)
    async with slack.http.get(file["url_private"]) as response:
        assert (await response.text(), response.content_type) == ("-a\n+b\n", "text/plain")


async def test_a_length_that_is_not_the_announced_one_is_refused(slack: Any) -> None:
    ticket = await slack.client.files_getUploadURLExternal(filename="a.txt", length=3)
    async with slack.http.post(ticket["upload_url"], data=b"four") as response:
        assert response.status == 400
    call = slack.client.files_completeUploadExternal(files=[{"id": ticket["file_id"]}], channel_id="C0INCIDENTS")
    assert (await slack.refusal(call))["error"] == "file_not_found"


@pytest.mark.parametrize(("length", "error"), [(5_000_001, "file_upload_size_restricted"), (0, "missing_argument")])
async def test_the_length_is_bounded(slack: Any, length: int, error: str) -> None:
    call = slack.client.files_getUploadURLExternal(filename="a.txt", length=length)
    assert (await slack.refusal(call))["error"] == error
    assert (await slack.client.files_getUploadURLExternal(filename="a.txt", length=5_000_000))["ok"]

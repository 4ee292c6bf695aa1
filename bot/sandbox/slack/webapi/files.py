"""Uploads: announce a file, send its bytes to the URL, share it into a channel.

Source: docs "Working with files" (files.getUploadURLExternal, the upload, files.completeUploadExternal).
"""

from typing import Any

from aiohttp import web

from bot.sandbox.slack import posting
from bot.sandbox.slack.local import LocalSlack, SlackError
from bot.sandbox.slack.webapi import access
from bot.sandbox.slack.webapi.methods import Method, number, structure, text
from bot.sandbox.slack.workspace import BOT_USER, File

Args = dict[str, Any]
# Slack takes up to 1 GB; the stand-in keeps files in memory.
LARGEST_FILE = 5_000_000
_MOST_FILES = 200


def get_upload_url(local: LocalSlack, args: Args) -> Args:
    """files.getUploadURLExternal."""
    if args["length"] <= 0:
        raise SlackError("missing_argument")
    if args["length"] > LARGEST_FILE:
        raise SlackError("file_upload_size_restricted")
    files = local.workspace.files
    while len(files) >= _MOST_FILES:
        files.pop(next(iter(files)))
    file = File(local.workspace.new_id("F"), args["filename"], args["length"])
    files[file.id] = file
    return {"ok": True, "upload_url": f"{local.url}/upload/{file.id}", "file_id": file.id}


async def receive_upload(local: LocalSlack, request: web.Request) -> web.Response:
    """The upload URL: the raw bytes, or a multipart form with one file; the length must be the announced one."""
    file = local.workspace.files.get(request.match_info["file"])
    if file is None or file.content is not None:
        raise web.HTTPNotFound(text="no such upload")
    if request.content_type == "multipart/form-data":
        parts = [part for part in (await request.post()).values() if isinstance(part, web.FileField)]
        content = parts[0].file.read() if len(parts) == 1 else b""
    else:
        content = await request.read()
    if len(content) != file.length:
        local.log.add("api", f"upload of {len(content)} bytes where {file.length} were announced", level="error")
        raise web.HTTPBadRequest(text="the length is not the announced one")
    file.content = content
    return web.Response(text=f"OK - {len(content)}")


def complete_upload(local: LocalSlack, args: Args) -> Args:
    """files.completeUploadExternal: share uploaded files as one message of the bot."""
    if not isinstance(args["files"], list) or not args["files"]:
        raise SlackError("invalid_arguments", ["must provide an array [json-pointer:/files]"])
    files = []
    for entry in args["files"]:
        file = local.workspace.files.get(entry.get("id", "")) if isinstance(entry, dict) else None
        if file is None or file.content is None:
            raise SlackError("file_not_found")
        file.title = str(entry.get("title") or file.name)
        files.append(file)
    shown = [_file_json(local, file) for file in files]
    if "channel_id" in args:
        channel = access.joined_channel(local, args["channel_id"])
        posting.check_thread(channel, args.get("thread_ts"))
        comment = posting.Content(args.get("initial_comment", ""), [])
        posting.post(local, channel, BOT_USER, comment, thread_ts=args.get("thread_ts"), files=shown)
        for file in files:
            file.shared_in.add(channel.id)
    return {"ok": True, "files": shown}


def _file_json(local: LocalSlack, file: File) -> Args:
    return {
        "id": file.id,
        "name": file.name,
        "title": file.title,
        "size": file.length,
        "mode": "hosted",
        "user": BOT_USER,
        "created": int(local.clock()),
        "url_private": f"{local.url}/sandbox/files/{file.id}",
        "permalink": f"{local.url}/sandbox/files/{file.id}",
    }


METHODS = {
    "files.getUploadURLExternal": Method(
        get_upload_url,
        "t4",
        ("files:write",),
        {"filename": text, "length": number},
        {"alt_txt": text, "snippet_type": text},
    ),
    "files.completeUploadExternal": Method(
        complete_upload,
        "t4",
        ("files:write",),
        {"files": structure},
        {"channel_id": text, "initial_comment": text, "thread_ts": text},
        frozenset({"channels", "blocks"}),
    ),
}

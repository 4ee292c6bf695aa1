"""The Slack app manifest: exactly the scopes and commands that the code uses."""

from __future__ import annotations

from typing import Any

from bot.chat.commands import COMMAND, USAGE

# Which scope each Web API method in use needs (Slack's method reference). Reading by conversation is needed once for
# public and once for private channels.
METHOD_SCOPES: dict[str, tuple[str, ...]] = {
    "auth.test": (),
    "chat.postEphemeral": ("chat:write",),
    "chat.postMessage": ("chat:write",),
    "chat.update": ("chat:write",),
    "conversations.history": ("channels:history", "groups:history", "metadata.message:read"),
    "conversations.info": ("channels:read", "groups:read"),
    "conversations.open": ("im:write",),
    "conversations.replies": ("channels:history", "groups:history", "metadata.message:read"),
    "files.completeUploadExternal": ("files:write",),
    "files.getUploadURLExternal": ("files:write",),
    "usergroups.users.list": ("usergroups:read",),
    "users.info": ("users:read",),
    "views.open": (),
    "views.update": (),
}


def manifest() -> dict[str, Any]:
    """Return the manifest (schema 2) to create the Slack app from. Socket Mode: nothing has to be reachable."""
    scopes = {"commands"} | {scope for scopes in METHOD_SCOPES.values() for scope in scopes}
    return {
        "_metadata": {"major_version": 2, "minor_version": 1},
        "display_information": {
            "name": "Signoff",
            "description": "Reads everything and touches nothing until a person signs off.",
            "background_color": "#1f2937",
        },
        "features": {
            "bot_user": {"display_name": "signoff", "always_online": True},
            "slash_commands": [
                {
                    "command": COMMAND,
                    "description": "Open incidents, requests for sign-off, and their state",
                    "usage_hint": USAGE,
                    "should_escape": True,
                }
            ],
        },
        "oauth_config": {"scopes": {"bot": sorted(scopes)}},
        "settings": {
            "interactivity": {"is_enabled": True},
            "org_deploy_enabled": False,
            "socket_mode_enabled": True,
            "token_rotation_enabled": False,
        },
    }

"""The manifest is obeyed, and one that cannot be played is refused with the key that is wrong."""

from typing import Any

import pytest

from bot.sandbox.slack.app_manifest import BadManifest, read_manifest

GOOD: dict[str, Any] = {
    "display_information": {"name": "Signoff"},
    "features": {"slash_commands": [{"command": "/ops", "description": "d", "usage_hint": "u"}]},
    "oauth_config": {"scopes": {"bot": ["chat:write"]}},
    "settings": {"socket_mode_enabled": True},
}


def test_what_the_manifest_leaves_out_is_off() -> None:
    app = read_manifest(GOOD)
    assert (app.bot_name, app.scopes, app.interactive, app.home_tab) == ("Signoff", {"chat:write"}, False, False)
    assert app.commands[0].name == "/ops"


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"settings": {"socket_mode_enabled": False}}, "settings.socket_mode_enabled"),
        ({"oauth_config": {}}, "oauth_config.scopes"),
        ({"oauth_config": {"scopes": {"bot": "chat:write"}}}, "oauth_config.scopes.bot"),
        ({"display_information": None}, "display_information"),
        ({"features": {"slash_commands": [{"command": "ops"}]}}, "slash command"),
        ({"features": {"slash_commands": [{"command": "/" + "x" * 32}]}}, "slash command"),
    ],
)
def test_a_manifest_that_cannot_be_played_is_refused(change: dict[str, Any], key: str) -> None:
    with pytest.raises(BadManifest, match=key):
        read_manifest(GOOD | change)


def test_a_command_of_32_characters_is_taken() -> None:
    features = {"slash_commands": [{"command": "/" + "x" * 31}]}
    assert read_manifest(GOOD | {"features": features}).commands[0].name == "/" + "x" * 31

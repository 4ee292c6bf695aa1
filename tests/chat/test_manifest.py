"""The manifest is held against the code: methods it calls, listeners it registers."""

import re
from pathlib import Path
from typing import Any

from bot.chat.manifest import METHOD_SCOPES, manifest
from bot.clients.slack import close, open_client
from bot.intake import slack as intake
from bot.sandbox.slack.app_manifest import read_manifest
from bot.sandbox.slack.webapi import METHODS

BOT = Path(__file__).parents[2] / "bot"


def called() -> set[str]:
    """The Web API methods that the source calls through the SDK, where names are group_methodName."""
    source = "".join(path.read_text() for path in BOT.rglob("*.py") if "sandbox" not in path.parts)
    names = set(re.findall(r"\.((?:chat|conversations|views|users|usergroups|files|reactions|auth)_\w+)\(", source))
    if "files_upload_v2" in names:
        names = names - {"files_upload_v2"} | {"files_getUploadURLExternal", "files_completeUploadExternal"}
    dotted = {name.replace("_", ".", 1) for name in names}
    return {name.replace("usergroups.users_", "usergroups.users.") for name in dotted}


def test_the_methods_with_scopes_are_exactly_those_the_code_calls() -> None:
    # Bolt calls auth.test; apps.connections.open needs the app token and no scope of the bot.
    assert called() | {"auth.test"} == set(METHOD_SCOPES)


def test_the_scopes_are_exactly_those_the_methods_and_the_command_need() -> None:
    needed = {scope for scopes in METHOD_SCOPES.values() for scope in scopes} | {"commands"}
    assert set(manifest()["oauth_config"]["scopes"]["bot"]) == needed


def test_the_sandbox_agrees_about_the_scopes() -> None:
    for name, scopes in METHOD_SCOPES.items():
        assert set(METHODS[name].scopes) <= set(scopes), name


async def test_commands_and_events_are_exactly_those_with_a_listener() -> None:
    client = open_client("xoxb-local-test", base_url="http://127.0.0.1:9/api/")
    registered: dict[str, list[Any]] = {}

    class Recorder:
        def __getattr__(self, kind: str) -> Any:
            return lambda constraint, *_: registered.setdefault(kind, []).append(constraint) or (lambda listener: None)

    intake.listen(Recorder(), inbox=None)  # type: ignore[arg-type]
    await close(client)
    named = {kind: [each for each in found if isinstance(each, str)] for kind, found in registered.items()}
    assert [command["command"] for command in manifest()["features"]["slash_commands"]] == named["command"]
    assert manifest()["settings"].get("event_subscriptions", {}).get("bot_events", []) == named["event"]


def test_the_sandbox_can_play_it() -> None:
    app = read_manifest(manifest())
    (command,) = app.commands
    assert (command.name, command.should_escape) == ("/ops", True)
    assert app.interactive


def test_slacks_own_limits_are_kept() -> None:
    written = manifest()
    assert len(written["display_information"]["name"]) <= 35
    assert len(written["display_information"]["description"]) <= 140
    (command,) = written["features"]["slash_commands"]
    assert len(command["usage_hint"]) <= 1000
    assert len(command["description"]) <= 2000

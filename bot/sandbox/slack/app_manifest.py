"""The app as its manifest describes it: what it may do, listens to and offers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class BadManifest(ValueError):
    """The manifest cannot be played; the message says which key and what to do."""


@dataclass(frozen=True)
class Command:
    """A slash command; `should_escape` turns mentions into ids, as in Slack."""

    name: str
    description: str
    usage_hint: str
    should_escape: bool


@dataclass(frozen=True)
class Shortcut:
    """An entry of the shortcuts menu; `kind` is global or message."""

    name: str
    callback_id: str
    kind: str


@dataclass(frozen=True)
class App:
    """The parts of the manifest that the stand-in obeys."""

    name: str
    bot_name: str
    scopes: frozenset[str]
    commands: tuple[Command, ...]
    shortcuts: tuple[Shortcut, ...]
    events: frozenset[str]
    interactive: bool
    home_tab: bool
    messages_tab: bool


def read_manifest(manifest: Mapping[str, Any]) -> App:
    """Read a Slack app manifest (schema v2); raises BadManifest when it lacks what Socket Mode needs."""
    display = _section(manifest, "display_information")
    features = _section(manifest, "features", optional=True)
    settings = _section(manifest, "settings")
    scopes = _section(manifest, "oauth_config", "scopes").get("bot")
    if not isinstance(scopes, list) or not all(isinstance(scope, str) for scope in scopes):
        raise BadManifest("manifest: oauth_config.scopes.bot must list the bot's scopes")
    if settings.get("socket_mode_enabled") is not True:
        raise BadManifest("manifest: settings.socket_mode_enabled must be true; this sandbox speaks Socket Mode only")
    home = _section(features, "app_home", optional=True)
    name = str(display.get("name", ""))
    return App(
        name=name,
        bot_name=str(_section(features, "bot_user", optional=True).get("display_name", name)),
        scopes=frozenset(scopes),
        commands=tuple(_command(entry) for entry in features.get("slash_commands", ())),
        shortcuts=tuple(
            Shortcut(str(entry["name"]), str(entry["callback_id"]), str(entry["type"]))
            for entry in features.get("shortcuts", ())
        ),
        events=frozenset(_section(settings, "event_subscriptions", optional=True).get("bot_events", ())),
        interactive=_section(settings, "interactivity", optional=True).get("is_enabled") is True,
        home_tab=home.get("home_tab_enabled") is True,
        messages_tab=home.get("messages_tab_enabled") is True
        and home.get("messages_tab_read_only_enabled") is not True,
    )


def _command(entry: Mapping[str, Any]) -> Command:
    name = entry.get("command")
    if not isinstance(name, str) or not name.startswith("/") or not 2 <= len(name) <= 32:
        raise BadManifest(f"manifest: slash command {name!r} must begin with / and have at most 32 characters")
    return Command(
        name,
        str(entry.get("description", "")),
        str(entry.get("usage_hint", "")),
        entry.get("should_escape") is True,
    )


def _section(tree: Mapping[str, Any], *path: str, optional: bool = False) -> Mapping[str, Any]:
    node: Any = tree
    for key in path:
        node = node.get(key) if isinstance(node, Mapping) else None
    if isinstance(node, Mapping):
        return node
    if optional and node is None:
        return {}
    raise BadManifest(f"manifest: {'.'.join(path)} must be a mapping")

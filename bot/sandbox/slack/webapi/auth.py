"""auth.test and apps.connections.open: who the tokens are, and the way into Socket Mode."""

from typing import Any

from bot.sandbox.slack.local import LocalSlack
from bot.sandbox.slack.webapi.methods import Method
from bot.sandbox.slack.workspace import APP, BOT, BOT_USER, TEAM, TEAM_NAMES


def auth_test(local: LocalSlack, args: dict[str, Any]) -> dict[str, Any]:
    """auth.test."""
    return {
        "ok": True,
        "url": f"{local.url}/",
        "team": TEAM_NAMES[TEAM][0],
        "user": local.workspace.users[BOT_USER].name,
        "team_id": TEAM,
        "user_id": BOT_USER,
        "bot_id": BOT,
        "is_enterprise_install": False,
    }


def connections_open(local: LocalSlack, args: dict[str, Any]) -> dict[str, Any]:
    """apps.connections.open: a URL for one connection, good for half a minute."""
    socket_url = f"ws{local.url.removeprefix('http')}/link/?ticket={local.socket.ticket()}&app_id={APP}"
    return {"ok": True, "url": socket_url}


METHODS = {
    "auth.test": Method(auth_test, "special"),
    "apps.connections.open": Method(connections_open, "t3", app_token=True),
}

"""The parts of one local Slack, put together once and handed to everything that plays a role in it."""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.slack.app_manifest import App
from bot.sandbox.slack.event_log import Bell, EventLog
from bot.sandbox.slack.rate_limits import RateLimits
from bot.sandbox.slack.socket_mode import SocketMode
from bot.sandbox.slack.tickets import ResponseUrls, Triggers
from bot.sandbox.slack.workspace import APP, BOT_USER, TEAM, Workspace


class SlackError(Exception):
    """A refusal in Slack's shape: `{"ok": false, "error": ...}` and what else the answer carries."""

    def __init__(self, error: str, messages: list[str] | None = None, **more: Any) -> None:
        super().__init__(error)
        self.error = error
        self.answer: dict[str, Any] = {"ok": False, "error": error, **more}
        if messages:
            self.answer["response_metadata"] = {"messages": [f"[ERROR] {message}" for message in messages]}


@dataclass
class Switches:
    """Trouble on demand. Counters are used up by the calls they hit; the rest holds until it is set back."""

    rate_limited_next: Counter[str] = field(default_factory=Counter)
    fail_next: Counter[str] = field(default_factory=Counter)
    lose_answer_next: Counter[str] = field(default_factory=Counter)
    hang: dict[str, float] = field(default_factory=dict)
    retry_after: int = 1
    plan_upgrade_required: bool = False


@dataclass
class Story:
    """What the page's side strip says and offers; the actions call same-origin paths."""

    text: str = ""
    actions: list[dict[str, str]] = field(default_factory=list)


@dataclass
class LocalSlack:
    """Everything that one local Slack consists of."""

    app: App
    workspace: Workspace
    clock: Callable[[], float]
    rng: random.Random
    bell: Bell
    log: EventLog
    limits: RateLimits
    triggers: Triggers
    response_urls: ResponseUrls
    socket: SocketMode
    bot_token: str
    app_token: str
    switches: Switches = field(default_factory=Switches)
    story: Story = field(default_factory=Story)
    url: str = ""
    port: int = 0
    app_changes: int = 0

    @contextmanager
    def as_app(self) -> Iterator[None]:
        """Around what the app does: counts it when it changed something that can be seen."""
        before = self.bell.revision
        yield
        self.app_changes += self.bell.revision > before

    def emit(self, event: Mapping[str, Any], subscription: str | None = None) -> None:
        """Send an event to the app when its manifest subscribes to it; Slack's retries happen in the background."""
        if (subscription or event["type"]) not in self.app.events:
            return
        now = self.clock()
        self.socket.send_event(
            {
                "token": "local",
                "team_id": TEAM,
                "context_team_id": TEAM,
                "context_enterprise_id": None,
                "api_app_id": APP,
                "event": dict(event),
                "type": "event_callback",
                "event_id": self.workspace.new_id("Ev"),
                "event_time": int(now),
                "authorizations": [
                    {
                        "enterprise_id": None,
                        "team_id": TEAM,
                        "user_id": BOT_USER,
                        "is_bot": True,
                        "is_enterprise_install": False,
                    }
                ],
                "is_ext_shared_channel": False,
            }
        )

"""How fast messages may leave: Slack's published limits kept before Slack has to say so, and obeyed when it does.

docs "Rate limits": chat.postMessage one a second and channel with short bursts; chat.update tier 3, about 50 a minute
for the whole workspace, which is the narrow place in an alert storm.
"""

from __future__ import annotations

from dataclasses import dataclass, field

POST_BURST = 3.0
POSTS_PER_SECOND = 1.0
# Below tier 3's fifty a minute: the rest is for decisions, which people wait for.
EDIT_BURST = 10.0
EDITS_PER_SECOND = 40 / 60


@dataclass(slots=True)
class _Bucket:
    size: float
    per_second: float
    level: float
    at: float

    def wait(self, now: float) -> float:
        self.level = min(self.size, self.level + (now - self.at) * self.per_second)
        self.at = now
        return 0.0 if self.level >= 1.0 else (1.0 - self.level) / self.per_second


@dataclass(slots=True)
class Pace:
    """Seconds to wait before a post, an edit or a whisper. ``now`` is a monotonic clock's reading, in seconds."""

    _posts: dict[str, _Bucket] = field(default_factory=dict)
    _edits: _Bucket | None = None
    _paused: dict[tuple[str, str], float] = field(default_factory=dict)

    def post_wait(self, channel: str, now: float) -> float:
        """Return how long a post to ``channel`` has to wait."""
        return max(self._post_bucket(channel, now).wait(now), self._pause("chat.postMessage", channel, now))

    def edit_wait(self, now: float, *, urgent: bool) -> float:
        """Return how long an edit has to wait; an urgent one waits only when Slack itself said so."""
        told = self._pause("chat.update", "", now)
        return told if urgent else max(told, self._edit_bucket(now).wait(now))

    def whisper_wait(self, channel: str, now: float) -> float:
        """Return how long what one person is shown in ``channel`` has to wait."""
        return self._pause("chat.postEphemeral", channel, now)

    def posted(self, channel: str, now: float) -> None:
        """Count a post."""
        bucket = self._post_bucket(channel, now)
        bucket.wait(now)
        bucket.level -= 1.0

    def edited(self, now: float) -> None:
        """Count an edit, urgent or not."""
        bucket = self._edit_bucket(now)
        bucket.wait(now)
        bucket.level -= 1.0

    def pause(self, method: str, channel: str, seconds: float, now: float) -> None:
        """Obey Slack's Retry-After for a method: for posts and whispers in that channel, for edits everywhere."""
        key = (method, "" if method == "chat.update" else channel)
        self._paused[key] = max(self._paused.get(key, 0.0), now + seconds)

    def _pause(self, method: str, channel: str, now: float) -> float:
        return max(0.0, self._paused.get((method, channel), 0.0) - now)

    def _post_bucket(self, channel: str, now: float) -> _Bucket:
        return self._posts.setdefault(channel, _Bucket(POST_BURST, POSTS_PER_SECOND, POST_BURST, now))

    def _edit_bucket(self, now: float) -> _Bucket:
        if self._edits is None:
            self._edits = _Bucket(EDIT_BURST, EDITS_PER_SECOND, EDIT_BURST, now)
        return self._edits

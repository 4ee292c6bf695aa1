"""A container's command cannot be started: not found, not executable, or built for another machine."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, field

import re2

from bot.analysis import plain
from bot.analysis.blame import newest_revision
from bot.analysis.facts import Facts, Pod
from bot.analysis.suspicion import Depth, Suspicion, cite, quote

CODES = {126: "it is not executable", 127: "it was not found", 128: "it could not be started"}
_REASONS = frozenset({"StartError", "ContainerCannotRun", "RunContainerError", "CreateContainerError"})
_CANNOT = re2.compile(
    r"(?i)executable file not found|exec format error|unable to start container process|exec: \"[^\"]*\": "
    r"|starting container process caused|: (?:command )?not found$|exec .{1,200}: no such file"
)
_COMMAND = re2.compile(
    r'exec:? \\*"([^"\\]{1,200})|exec (\S{1,200}): |sh: (?:\d+: |line \d+: )?(\S{1,100}): (?:command )?not'
)
_WHY: tuple[tuple[str, str], ...] = (
    ("executable file not found", "it was not found in $PATH"),
    ("exec format error", "it was built for another architecture, or is a script without its #! line"),
    ("permission denied", "it is not executable (permission denied)"),
    ("no such file or directory", "no such file is in the image"),
    ("not found", "it was not found"),
)
# What people put into a container's command; the nearest is offered where a name looks like a slip of the finger.
_NAMES = """
awk bash bundle busybox caddy cat celery chmod chown cp curl date dotnet echo entrypoint.sh env flask gunicorn
git go grep gzip haproxy java kubectl ls mkdir mongod mv mysql mysqld nc nginx node npm npx perl php php-fpm
ping pip postgres printf psql puma python python3 rails redis-cli redis-server ruby sed sh sleep ssh su-exec
supervisord tail tar tee test tini touch uvicorn wget xargs yarn
"""
_WELL_KNOWN = tuple(_NAMES.split())


@dataclass(slots=True)
class _Story:
    """What is told of one command: messages with the evidence they stand in, the pods it fails in, its exit code."""

    told: list[tuple[str, str]] = field(default_factory=list)
    pods: list[Pod] = field(default_factory=list)
    code: int | None = None

    def add(self, other: _Story) -> None:
        """Make two stories one."""
        self.told += other.told
        self.pods += other.pods
        self.code = self.code if other.code is None else other.code


def suspect(facts: Facts) -> Iterator[Suspicion]:
    """Suspect each command that a container's end, or an event about a pod not ready, says cannot be started."""
    stories: dict[str, _Story] = {}
    for command, story in _told(facts):
        stories.setdefault(command, _Story()).add(story)
    nameless = stories.pop("", None)
    if nameless and stories:
        # An exit code alone names no command; where another source names one, they are the same story.
        next(iter(stories.values())).add(nameless)
    elif nameless:
        stories[""] = nameless
    for command, story in stories.items():
        yield _suspicion(facts, command, story)


def _told(facts: Facts) -> Iterator[tuple[str, _Story]]:
    for pod in facts.pods:
        for container in pod.containers:
            for state in (container.state, container.last_state):
                if state.reason in _REASONS or state.exit_code in CODES:
                    yield _command(state.message), _Story([(state.message, pod.evidence)], [pod], state.exit_code)
    for event in facts.troubling_events():
        if _CANNOT.search(event.message):
            yield _command(event.message), _Story([(event.message, event.evidence)])


def _suspicion(facts: Facts, command: str, story: _Story) -> Suspicion:
    message = next((text for text, _ in story.told if text), "") or _last_words(facts, story.pods)
    why = next((reason for words, reason in _WHY if words in message.lower()), CODES.get(story.code or 0, ""))
    name = plain.line(command, 120)
    what = f"command {quote(name)}" if name else "container's command"
    headline = f"the {what} cannot be started" + (f": {why}" if why else "")
    blame = newest_revision(facts, story.pods)
    intended = _intended(name)
    parts = [headline[0].upper() + headline[1:] + (f", in pod {story.pods[0].name}." if story.pods else ".")]
    if intended:
        parts.append(f"It may be a typo of {intended}.")
    if blame:
        parts.append(blame.sentence)
    if message:
        parts.append(f"The message is {quote(plain.line(message, 280))}.")
    if story.code is not None:
        parts.append(f"Exit code {story.code}.")
    return Suspicion(
        category="configuration",
        headline=headline,
        statement=" ".join(parts),
        confidence="high" if name or message else "medium",
        depth=Depth.STATED,
        evidence=cite(*(evidence for _, evidence in story.told), blame.revision.evidence if blame else ""),
        remedies=blame.remedies if blame else (),
    )


def _command(message: str) -> str:
    match = _COMMAND.search(message)
    return next(filter(None, match.groups()), "") if match else ""


def _intended(name: str) -> str:
    word = name.rsplit("/", 1)[-1]
    near = difflib.get_close_matches(word, _WELL_KNOWN, n=1, cutoff=0.7) if 2 <= len(word) <= 40 else []
    return near[0] if near and near[0] != word else ""


def _last_words(facts: Facts, pods: list[Pod]) -> str:
    return next((words for pod in pods if (words := facts.last_words(pod.name)[0])), "")

"""A container's command cannot be started: not found, not executable, or built for another machine."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

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


def suspect(facts: Facts) -> Iterator[Suspicion]:
    """Suspect each command that a container's end, or an event about a pod not ready, says cannot be started."""
    told: dict[str, list[tuple[str, str]]] = {}
    failing: dict[str, list[Pod]] = {}
    codes: dict[str, int] = {}
    for pod in facts.pods:
        for container in pod.containers:
            for state in (container.state, container.last_state):
                if state.reason in _REASONS or state.exit_code in CODES:
                    command = _command(state.message)
                    told.setdefault(command, []).append((state.message, pod.evidence))
                    failing.setdefault(command, []).append(pod)
                    if state.exit_code is not None:
                        codes[command] = state.exit_code
    for event in facts.troubling_events():
        if _CANNOT.search(event.message):
            told.setdefault(_command(event.message), []).append((event.message, event.evidence))
    named = [command for command in told if command]
    if "" in told and named:
        # An exit code alone names no command; where another source names the one, they are the same story.
        told[named[0]].extend(told.pop(""))
        failing[named[0]] = failing.get(named[0], []) + failing.pop("", [])
        codes.update({named[0]: codes.pop("")} if "" in codes else {})
    for command, sources in told.items():
        yield _suspicion(facts, command, sources, failing.get(command, []), codes.get(command))


def _suspicion(
    facts: Facts, command: str, sources: list[tuple[str, str]], pods: list[Pod], code: int | None
) -> Suspicion:
    message = next((text for text, _ in sources if text), "") or _last_words(facts, pods)
    why = next((reason for words, reason in _WHY if words in message.lower()), CODES.get(code or 0, ""))
    name = plain.line(command, 120)
    what = f"command {quote(name)}" if name else "container's command"
    blame = newest_revision(facts, pods)
    intended = _intended(name)
    parts = [
        f"The {what} cannot be started" + (f" in pod {pods[0].name}" if pods else "") + (f": {why}." if why else ".")
    ]
    if intended:
        parts.append(f"It may be a typo of {intended}.")
    if message:
        parts.append(f"The message is {quote(plain.line(message, 280))}.")
    if code is not None:
        parts.append(f"Exit code {code}.")
    if blame:
        parts.append(blame.sentence)
    return Suspicion(
        category="configuration",
        headline=f"the {what} cannot be started" + (f": {why}" if why else ""),
        statement=" ".join(parts),
        confidence="high" if name or message else "medium",
        depth=Depth.STATED,
        evidence=cite(*(item for _, item in sources), blame.revision.evidence if blame else ""),
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

"""A container ends by itself again and again, for a reason that its exit code and last words tell."""

from __future__ import annotations

from collections.abc import Iterator

from bot.analysis import plain
from bot.analysis.blame import newest_revision
from bot.analysis.facts import Container, Facts, Pod
from bot.analysis.failure_modes import start_error
from bot.analysis.suspicion import Depth, Suspicion, cite, quote

_MEANING = {
    0: "it ends without an error, which a container that should keep running must not do",
    1: "the program gave up",
    2: "the program gave up, or was called wrongly",
    126: "the command is not executable",
    127: "the command was not found",
    134: "it aborted (SIGABRT)",
    137: "it was killed (SIGKILL)",
    139: "it touched memory that is not its own (SIGSEGV)",
    143: "it was asked to stop (SIGTERM)",
}
_OTHERS = frozenset({"OOMKilled", "StartError", "ContainerCannotRun"})


def suspect(facts: Facts) -> Iterator[Suspicion]:
    """Suspect each container that keeps ending, unless it ran out of memory or never started: those have their own."""
    for name, pods in facts.by_container(_crashes):
        yield _suspicion(facts, name, pods)


def _crashes(container: Container) -> bool:
    ended = container.ended
    if ended is not None and (ended.reason in _OTHERS or ended.exit_code in start_error.CODES):
        return False
    if container.state.reason == "CrashLoopBackOff":
        return True
    # A job's container ends for good, so zero is success there and anything else is a crash.
    return ended is not None and ended.exit_code not in (None, 0) and not container.ready


def _suspicion(facts: Facts, name: str, pods: list[tuple[Pod, Container]]) -> Suspicion:
    pod, container = pods[0]
    ended = container.ended
    code = ended.exit_code if ended else None
    words, cited = _last_words(facts, name, pods)
    words = words or plain.line(ended.message if ended else "", 300)
    blame = newest_revision(facts, [pod for pod, _ in pods])
    kind = "init container" if container.init else "container"
    how = (
        f"exit code {code}: {_MEANING.get(code, 'the program gave up')}" if code is not None else "exit code not known"
    )
    parts = [f"The {kind} {name} of pod {pod.name} keeps crashing ({how}; {container.restarts} restarts)."]
    if len(pods) > 1:
        parts.append(f"{len(pods)} pods are affected.")
    if words:
        parts.append(f"Its last words: {quote(plain.line(words, 260))}.")
    if blame:
        parts.append(blame.sentence)
    return Suspicion(
        category="bad-rollout" if blame and blame.certain else "crash",
        headline=f"{kind} {name} keeps crashing" + (f": {plain.line(words, 140)}" if words else f" ({how})"),
        statement=" ".join(parts),
        confidence="high" if words or (blame and blame.certain) else "medium",
        depth=Depth.CAUSE,
        evidence=cite(*(p.evidence for p, _ in pods), cited, blame.revision.evidence if blame else ""),
        remedies=blame.remedies if blame else (),
        unknowns=() if words else (f"Why {name} ends: its log says nothing or could not be read.",),
    )


def _last_words(facts: Facts, container: str, pods: list[tuple[Pod, Container]]) -> tuple[str, str]:
    for pod, _ in pods:
        words, cited = facts.last_words(pod.name, container)
        if words:
            return words, cited
    return "", ""

"""The program runs but cannot reach, resolve, trust or log in to something it depends on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import re2

from bot.analysis import plain
from bot.analysis.error_lines import ErrorLine, error_lines
from bot.analysis.facts import Facts
from bot.analysis.suspicion import Depth, Remedy, Suspicion, cite, quote

MAX_SUSPICIONS = 4


@dataclass(frozen=True, slots=True)
class _Trouble:
    """One way in which a dependency fails: what the program cannot do to it, and the words that tell."""

    category: str
    deed: str
    words: tuple[str, ...]

    def told_by(self, text: str) -> bool:
        """Say whether a log line speaks of this trouble; the words are in lower case."""
        lowered = text.lower()
        return any(word in lowered for word in self.words)


# In this order: what is more particular comes first, since "could not connect: no such host" is about the name.
_TROUBLES = (
    _Trouble(
        "network",
        "resolve the name of",
        (
            "no such host",
            "name or service not known",
            "name resolution",
            "enotfound",
            "eai_again",
            "nodename nor servname",
            "could not resolve",
            "unknown host",
            "unknownhostexception",
            "server misbehaving",
        ),
    ),
    _Trouble(
        "dependency",
        "log in to",
        (
            "password authentication failed",
            "access denied for user",
            "wrongpass",
            "noauth",
            "login failed for",
            "sasl authentication",
        ),
    ),
    _Trouble(
        "dependency",
        "trust the certificate of",
        (
            "certificate has expired",
            "certificate expired",
            "x509: ",
            "certificate verify failed",
            "pkix path",
            "unable to get local issuer",
            "self-signed certificate",
            "self signed certificate",
            "sslhandshakeexception",
        ),
    ),
    _Trouble(
        "resource-exhaustion",
        "get a connection to",
        (
            "too many connections",
            "too many clients",
            "connection pool",
            "pool timeout",
            "queuepool limit",
            "remaining connection slots",
            "could not get a connection",
            "unable to acquire connection",
        ),
    ),
    _Trouble(
        "dependency",
        "reach",
        (
            "connection refused",
            "econnrefused",
            "connection timed out",
            "etimedout",
            "i/o timeout",
            "connect timeout",
            "connecttimeout",
            "no route to host",
            "ehostunreach",
            "network is unreachable",
            "no available connection",
            "all host(s) tried",
            "could not connect",
            "unable to connect",
            "can't connect",
            "cannot connect",
            "failed to connect",
            "connection reset",
            "econnreset",
            "connection closed by",
            "broken pipe",
            "no brokers",
            "leader not available",
            "max retries exceeded",
            "upstream connect error",
            "timeouterror",
            "read timeout",
            "deadline exceeded",
            "connection error",
            "connection failed",
            "503 service unavailable",
            "502 bad gateway",
        ),
    ),
)
# Where a line names what it could not reach, the surest form first: host and port, URL, host, kind of service.
_ENDPOINTS = tuple(
    re2.compile(pattern)
    for pattern in (
        r"\b([A-Za-z][A-Za-z0-9_.-]{0,200}:\d{2,5})\b",
        r"\b(\d{1,3}(?:\.\d{1,3}){3}:\d{2,5})\b",
        r"https?://([A-Za-z0-9.-]{1,200}(?::\d{1,5})?)",
        r"(?i)(?:lookup|enotfound|eai_again|host(?: name)?|server at|resolve(?: host)?:?)\s+[\"'(]?"
        r"([a-z0-9][\w.-]{1,200})",
        r"(?i)\b(?:from|to|on|with) "
        r"(redis|postgres(?:ql)?|mysql|mariadb|mongo(?:db)?|kafka|rabbitmq|elasticsearch|etcd)\b",
        r"(?i)\b(?:from|to|on|with) (?:the )?(database|db|broker|queue|cache)\b",
    )
)


def suspect(facts: Facts) -> Iterator[Suspicion]:
    """Suspect each thing that error lines say cannot be reached; the surer, the worse the program took it."""
    found: dict[tuple[_Trouble, str], list[tuple[ErrorLine, str]]] = {}
    for log in facts.logs:
        for line in error_lines(log.text, limit=12):
            trouble = next((trouble for trouble in _TROUBLES if trouble.told_by(line.text)), None)
            if trouble:
                found.setdefault((trouble, _endpoint(line.text)), []).append((line, log.evidence))
    unready = any(pod.failing for pod in facts.pods)
    down = unready or any(event.reason == "BackoffLimitExceeded" for event in facts.events)
    for (trouble, endpoint), lines in list(found.items())[:MAX_SUSPICIONS]:
        yield _suspicion(facts, trouble, endpoint, lines, down)


def _suspicion(
    facts: Facts, trouble: _Trouble, endpoint: str, lines: list[tuple[ErrorLine, str]], down: bool
) -> Suspicion:
    told = max((line for line, _ in lines), key=lambda line: line.count).text
    times = sum(line.count for line, _ in lines)
    other = plain.line(endpoint, 120)
    what = f"{facts.label} cannot {trouble.deed} {other or 'something it depends on'}"
    check = f"Whether {other} is down, or only out of reach from here" if other else "Which dependency it is"
    return Suspicion(
        category=trouble.category,
        headline=what if other else f"{what}: {plain.line(told, 140)}",
        statement=f"{what}: its log says {quote(plain.line(told, 280))} ({times} times).",
        confidence="high" if other and (down or times >= 3) else "medium",
        depth=Depth.STATED if other and down else Depth.CAUSE,
        evidence=cite(*(evidence for _, evidence in lines)),
        remedies=_restart(facts) if trouble.deed == "get a connection to" else (),
        unknowns=(f"{check}: look at it and at what lies between.",),
    )


def _endpoint(text: str) -> str:
    return next((match.group(1).rstrip(".:") for pattern in _ENDPOINTS if (match := pattern.search(text))), "")


def _restart(facts: Facts) -> tuple[Remedy, ...]:
    """A pool that lost its connections is made anew by a restart, whoever lost them."""
    workload = facts.workload
    if workload is None or workload.kind != "Deployment":
        return ()
    return (Remedy("restart-deployment", {"namespace": workload.namespace, "deployment": workload.name}),)

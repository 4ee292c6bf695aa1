"""Risk rules for Dockerfiles and Compose files: what an image is built from, and what runs in it."""

from __future__ import annotations

import re
from typing import Final

from bot.condense.risk.rule import Added, Gone, Rule, Touched
from bot.condense.risk.shell import REMOTE_CODE

PATHS: Final = re.compile(
    r"(?:^|/)(?:[\w.\-]*(?:dockerfile|containerfile)[\w.\-]*|(?:docker-)?compose[\w.\-]*\.ya?ml)$", re.I
)

RULES: Final[tuple[Rule, ...]] = (
    Added("docker/root", "high", r"(?i)^\s*USER\s+(?:root|0)\b", "The container runs as root."),
    Gone("docker/user-removed", "high", r"(?i)^\s*USER\s", "With no USER, the container runs as root."),
    Gone(
        "docker/healthcheck-removed",
        "medium",
        r"(?i)\bhealthcheck\b",
        "A health check is gone: a hung container looks healthy.",
    ),
    Added(
        "docker/healthcheck-off",
        "medium",
        r"(?i)^\s*HEALTHCHECK\s+NONE\b|\bdisable[\"']?\s*:\s*true\b|\btest[\"']?\s*:\s*\[?\s*[\"']?NONE\b",
        "A health check is off: a hung container looks healthy.",
        inside=r"(?i)\bhealthcheck\b",
    ),
    Gone(
        "docker/bound-removed",
        "medium",
        r"^\s*(?:restart|mem_limit|cpus|pids_limit|read_only|cap_drop|security_opt)\s*:",
        "What kept it running, or held it back, is gone.",
    ),
    Added(
        "docker/floating-base",
        "high",
        r"(?i)^\s*FROM\s+(?:--\S+\s+)?[^\s@]*:(?:latest|main|master|edge)\b",
        "The base is named by a tag that moves: the next build can bring other code.",
    ),
    Added(
        "docker/untagged-base",
        "high",
        r"(?i)^\s*FROM\s+(?:--\S+\s+)?(?:[\w.\-]+(?::[0-9]+)?(?:/[\w.\-]+)+|python|node|golang|alpine|ubuntu|debian|nginx"
        r"|redis|postgres|mysql|mariadb|mongo|busybox|httpd|ruby|php|openjdk|eclipse-temurin|rust|centos|fedora"
        r"|amazonlinux|rockylinux|almalinux|maven|gradle|caddy|traefik|haproxy|memcached|rabbitmq)"
        r"(?:\s+AS\s+\S+)?\s*$",
        "The base has no tag, and so is whatever is newest: the next build can bring other code.",
    ),
    Added(
        "docker/remote-code",
        "critical",
        REMOTE_CODE + r"|^\s*(?i:ADD)\s+(?:--\S+\s+)*https?://",
        "Code from the network is run or added with nothing to check it against.",
    ),
    Added(
        "docker/unchecked",
        "high",
        r"(?i)--(?:insecure|no-check-certificate|allow-unauthenticated|force-yes|nogpgcheck|trusted-host)\b"
        r"|\bcurl\s+(?:-\w*k\w*)\s|\bchmod\s+(?:-R\s+)?[0-7]?777\b",
        "A check of where something comes from, or who may write it, is off.",
    ),
    Added(
        "docker/secret-in-image",
        "high",
        r"(?i)^\s*(?:ENV|ARG)\s+\w*(?:passw|secret|token|api_?key|private)\w*",
        "Whoever has the image can read this.",
    ),
    Added(
        "docker/host-access",
        "critical",
        r"docker\.sock\b|\bprivileged:\s*true|\bnetwork_mode:\s*[\"']?host",
        "The container can take over its host.",
    ),
    Touched("docker/base", "medium", r"(?i)^\s*FROM\s", "All that the image holds comes from this base."),
    Touched(
        "docker/start",
        "medium",
        r"(?i)^\s*(?:CMD|ENTRYPOINT|STOPSIGNAL|USER|SHELL|EXPOSE|HEALTHCHECK)\b"
        r"|^\s*(?:command|entrypoint|ports|image|user|restart):",
        "What runs, as whom, and how it ends is set here.",
    ),
)

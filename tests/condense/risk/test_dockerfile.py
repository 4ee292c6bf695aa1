import pytest

from bot.condense.risk import dockerfile
from tests.condense.risk.telling import Change, ids, told

TOLD: dict[str, Change] = {
    "docker/healthcheck-off": ("Dockerfile", "HEALTHCHECK CMD curl -f x", "HEALTHCHECK NONE"),
    "docker/bound-removed": ("docker-compose.yml", "x: 1\n    mem_limit: 1g", "x: 1"),
    "docker/untagged-base": ("Dockerfile", "X", "X\nFROM python"),
    "docker/root": ("Dockerfile", "x: 1", "x: 1\nUSER root"),
    "docker/user-removed": ("Dockerfile", "x: 1\nUSER app", "x: 1"),
    "docker/healthcheck-removed": ("Dockerfile", "x: 1\nHEALTHCHECK CMD true", "x: 1"),
    "docker/floating-base": ("Dockerfile", "x: 1", "x: 1\nFROM python:latest"),
    "docker/remote-code": ("Dockerfile", "x: 1", "x: 1\nRUN curl -s https://x.example/i.sh | sh"),
    "docker/unchecked": ("Dockerfile", "x: 1", "x: 1\nRUN wget --no-check-certificate https://x.example"),
    "docker/secret-in-image": ("Dockerfile", "x: 1", "x: 1\nENV API_KEY=x"),
    "docker/host-access": ("docker-compose.yml", "x: 1", "x: 1\n  - /var/run/docker.sock:/x"),
    "docker/base": ("Dockerfile", "x: 1", "x: 1\nFROM python:3.13@sha256:00"),
    "docker/start": ("Dockerfile", "x: 1", 'x: 1\nCMD ["app"]'),
}

QUIET: list[tuple[str, Change]] = [
    ("docker/healthcheck-off", ("Dockerfile", "X", "X\nHEALTHCHECK CMD curl -f x")),
    ("docker/healthcheck-off", ("compose.yaml", "x:", "x:\n  logging:\n    disable: true")),
    ("docker/untagged-base", ("Dockerfile", "X", "X\nFROM python:3.12")),
    ("docker/untagged-base", ("Dockerfile", "X", "X\nFROM scratch")),
    ("docker/untagged-base", ("Dockerfile", "X", "X\nFROM builder AS test")),
    ("docker/user-removed", ("Dockerfile", "USER app\nRUN x", "RUN x\nUSER app")),
    ("docker/root", ("Dockerfile", "x: 1", "x: 1\nUSER 1000")),
    ("docker/remote-code", ("Dockerfile", "x: 1", "x: 1\nRUN curl -o x https://x.example")),
]


@pytest.mark.parametrize(("rule", "change"), TOLD.items(), ids=TOLD)
def test_each_rule_tells_its_change(rule: str, change: Change) -> None:
    assert rule in told(*change)


def test_every_rule_has_an_example() -> None:
    assert sorted(TOLD) == sorted(ids(dockerfile.RULES))


@pytest.mark.parametrize(("rule", "change"), QUIET)
def test_a_rule_is_quiet_where_there_is_nothing_to_tell(rule: str, change: Change) -> None:
    assert rule in ids(dockerfile.RULES)
    assert rule not in told(*change)

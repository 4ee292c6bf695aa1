import pytest

from bot.condense.risk import github_actions
from tests.condense.risk.telling import Change, ids, told

TOLD: dict[str, Change] = {
    "gha/injection-json": (".github/workflows/a.yml", "x:", "x:\n  - run: echo '${{ toJSON(github.event) }}'"),
    "gha/skips-tests": (
        ".github/workflows/ci.yml",
        "    - run: pytest",
        "    - run: pytest --ignore=tests/pay",
    ),
    "gha/pull-request-target": (".github/workflows/ci.yml", "x: 1", "x: 1\n  pull_request_target:"),
    "gha/workflow-run": (".github/workflows/ci.yml", "x: 1", "x: 1\n  workflow_run:"),
    "gha/write-all": (".github/workflows/ci.yml", "x: 1", "x: 1\npermissions: write-all"),
    "gha/write": (".github/workflows/ci.yml", "x: 1", "x: 1\n  contents: write"),
    "gha/permissions-removed": (".github/workflows/ci.yml", "x: 1\npermissions:\n  contents: read", "x: 1"),
    "gha/injection": (
        ".github/workflows/ci.yml",
        "x: 1",
        "x: 1\n      run: echo ${{ github.event.pull_request.title }}",
    ),
    "gha/untrusted-checkout": (
        ".github/workflows/ci.yml",
        "x: 1",
        "x: 1\n          ref: ${{ github.event.pull_request.head.sha }}",
    ),
    "gha/floating-action": (".github/workflows/ci.yml", "x: 1", "x: 1\n      - uses: x/y@main"),
    "gha/unpinned-action": (".github/workflows/ci.yml", "x: 1", "x: 1\n      - uses: actions/checkout@v4"),
    "gha/remote-code": (".github/workflows/ci.yml", "x: 1", "x: 1\n      run: curl https://x.example | bash"),
    "gha/ignores-failure": (".github/workflows/ci.yml", "x: 1", "x: 1\n    continue-on-error: true"),
    "gha/self-hosted": (".github/workflows/ci.yml", "x: 1", "x: 1\n    runs-on: self-hosted"),
    "gha/gate-removed": (".github/workflows/ci.yml", "x: 1\n    environment: production", "x: 1"),
    "gha/check-removed": (".github/workflows/ci.yml", "x: 1\n      - run: make test", "x: 1"),
    "gha/secret": (".github/workflows/ci.yml", "x: 1", "x: 1\n  x: ${{ secrets.X }}"),
    "gha/permission": (".github/workflows/ci.yml", "x: 1", "x: 1\n  contents: read"),
    "gha/trigger": (".github/workflows/ci.yml", "x: 1", "x: 1\n    branches: [main]"),
    "gha/action": (".github/workflows/ci.yml", "x: 1", "x: 1\n      - uses: ./local"),
    "gha/step": (".github/workflows/ci.yml", "x: 1", "x: 1\n      - run: make"),
}

QUIET: list[tuple[str, Change]] = [
    ("gha/write", (".github/workflows/a.yml", "x:", "x:\npermissions: {contents: read, checks: none}")),
    ("gha/write", (".github/workflows/a.yml", "x:", "x:\npermissions: {}")),
    (
        "gha/injection-json",
        (".github/workflows/a.yml", "x:", "x:\n- run: echo\n  env:\n    E: ${{ toJSON(github.event) }}"),
    ),
    (
        "gha/injection-json",
        (".github/workflows/a.yml", "x:", "x:\n- run: echo ${{ toJSON(github.event.pull_request.number) }}"),
    ),
    ("gha/injection-json", (".github/workflows/a.yml", "x:", "x:\n- run: echo '${{ toJSON(matrix) }}'")),
    ("gha/pull-request-target", (".github/workflows/a.yml", "x:", "x:\n# we do not use pull_request_target")),
    (
        "gha/unpinned-action",
        (
            ".github/workflows/ci.yml",
            "x: 1",
            "x: 1\n      - uses: actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5",
        ),
    ),
    ("gha/injection", (".github/workflows/ci.yml", "x: 1", "x: 1\n      run: echo ${{ github.sha }}")),
    ("gha/write", (".github/workflows/ci.yml", "x: 1", "x: 1\n  contents: read")),
]


@pytest.mark.parametrize(("rule", "change"), TOLD.items(), ids=TOLD)
def test_each_rule_tells_its_change(rule: str, change: Change) -> None:
    assert rule in told(*change)


def test_every_rule_has_an_example() -> None:
    assert sorted(TOLD) == sorted(ids(github_actions.RULES))


@pytest.mark.parametrize(("rule", "change"), QUIET)
def test_a_rule_is_quiet_where_there_is_nothing_to_tell(rule: str, change: Change) -> None:
    assert rule in ids(github_actions.RULES)
    assert rule not in told(*change)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (".github/workflows/ci.yml", "    - run: make test || true"),
        (".github/workflows/ci.yml", "    - run: trivy image x --exit-code 0"),
        (".gitlab-ci.yml", "  allow_failure: true"),
        (".circleci/config.yml", "      - run: make test || exit 0"),
    ],
)
def test_a_failure_that_no_longer_counts_is_told_in_any_ci(path: str, line: str) -> None:
    assert "gha/ignores-failure" in told(path, "a: 1", f"a: 1\n{line}")


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        ("gha/write", "permissions: {contents: write, id-token: write}"),
        ("gha/write", 'permissions: {contents: read, "id-token": "write"}'),
        ("gha/injection-json", "    - run: |\n        echo '${{ toJson(github) }}'"),
        ("gha/injection-json", "    - run: x ${{ toJSON(github.event.issue) }}"),
        ("gha/injection-json", "    - run: x ${{ toJSON(github.event.issue.title) }}"),
    ],
)
def test_rights_within_a_line_and_events_as_json_are_told(rule: str, line: str) -> None:
    assert rule in told(".github/workflows/a.yml", "permissions: read-all", line)

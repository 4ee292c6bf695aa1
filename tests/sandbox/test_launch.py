"""The stand-ins by their command: what it prints points `signoff serve` at them, and at the real thing for the rest."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from tests.serving import ROOT


def told(*words: str, cwd: Path) -> dict[str, Any]:
    """The environment that the command prints, and what it names is read while it is there."""
    words = (sys.executable, "-m", "bot.sandbox", *words, "--json")
    given = {"PYTHONPATH": str(ROOT), "HOME": str(cwd)}
    with subprocess.Popen(words, cwd=cwd, env=given, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as running:
        assert running.stdout is not None
        try:
            environment: dict[str, str] = json.loads(running.stdout.readline())["environment"]
            return environment | {"structure": yaml.safe_load((cwd / environment["SIGNOFF_CONFIG"]).read_text())}
        finally:
            running.terminate()


def test_the_real_slack_keeps_its_channel_and_its_approvers_beside_a_cluster_that_stands_in(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("channel: C0MINE\napprovers: [T0MINE:U0ME]\nclusters: {real: {}}\n")
    structure = told("--kubernetes", "0", "--config", "mine.yaml", cwd=tmp_path)["structure"]
    assert (structure["channel"], structure["approvers"]) == ("C0MINE", ["T0MINE:U0ME"])
    assert "prod" in structure["clusters"]
    assert "real" not in structure["clusters"]


def test_what_is_printed_holds_in_any_directory(tmp_path: Path) -> None:
    printed = told("--kubernetes", "0", "--folder", "here", cwd=tmp_path)
    assert printed["KUBECONFIG"] == str(tmp_path / "here" / "kubeconfig")
    assert printed["SIGNOFF_CONFIG"] == str(tmp_path / "here" / "signoff.yaml")

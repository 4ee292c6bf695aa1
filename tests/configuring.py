"""A configuration to load in tests: what the environment has to say, a file, and what is found wrong."""

from pathlib import Path

import pytest

from bot.settings import Configuration, SettingsError

SERVING = {
    "SIGNOFF_ALERTMANAGER_TOKEN": "alertmanager-token-0123456789",
    "SIGNOFF_SECRET_KEY": "k1:" + "s" * 32,
    "SLACK_BOT_TOKEN": "xoxb-1-secret",
    "SLACK_APP_TOKEN": "xapp-1-secret",
}
FILE = """
channel: C0INCIDENTS
approvers: ["T0SHOP:U0LEE", "E0CORP:W0PRIYA"]
clusters:
  prod: {reader: {context: prod-reader}, runner: {context: prod-runner}}
  edge: {reader: {in_cluster: true}}
default_cluster: prod
sources: {default: {}, edge-am: {cluster: edge}}
routes:
  - {match: {team: payments, severity: critical}, channel: C0PAYMENTS}
  - {match: {team: payments}, channel: C0QUIET}
"""


def load(text: str = FILE, *, folder: Path, serving: bool = True, **more: str) -> Configuration:
    path = folder / "signoff.yaml"
    path.write_text(text)
    return Configuration.load(SERVING | {"SIGNOFF_CONFIG": str(path)} | more, serving=serving)


def problems(text: str = FILE, *, folder: Path, serving: bool = True, **more: str) -> list[str]:
    with pytest.raises(SettingsError) as raised:
        load(text, folder=folder, serving=serving, **more)
    return [problem.replace(str(folder), "…") for problem in raised.value.problems]

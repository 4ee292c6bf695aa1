"""The image's recipe, as far as reading can check it: what it builds from, who it runs as, and what stays out of it."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest

from bot.cli import main
from bot.settings import Configuration

ROOT = Path(__file__).parents[1]
PINNED = re.compile(r"^([a-z0-9-]+)==(\S+)")


class Step(NamedTuple):
    instruction: str
    rest: str


def stages() -> list[list[Step]]:
    """Return the steps of each stage, without comments, continued lines joined."""
    lines = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if not line.lstrip().startswith("#")]
    text = "\n".join(lines).replace("\\\n", " ")
    found: list[list[Step]] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        instruction, _, rest = line.partition(" ")
        if instruction == "FROM":
            found.append([])
        found[-1].append(Step(instruction, " ".join(rest.split())))
    return found


BUILD, FINAL = stages()


def rest(stage: list[Step], instruction: str) -> list[str]:
    return [step.rest for step in stage if step.instruction == instruction]


def environment() -> dict[str, str]:
    return dict(pair.split("=", 1) for line in rest(FINAL, "ENV") for pair in line.split())


def test_both_stages_have_the_same_python_so_that_the_environment_can_be_copied() -> None:
    """Debian 13 has SQLite 3.46: https://packages.debian.org/trixie/libsqlite3-0"""
    assert rest(BUILD, "FROM") == ["python:3.11-slim-trixie AS build"]
    assert rest(FINAL, "FROM") == ["python:3.11-slim-trixie"]
    supported = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert supported == ">=3.11"


def test_everything_that_is_installed_is_locked() -> None:
    installs = [command for line in rest(BUILD, "RUN") for command in line.split(" && ") if " install " in command]
    assert len(installs) == 3
    for command in installs:
        locked = "--require-hashes" in command and "--only-binary :all:" in command
        our_wheel = "--no-index" in command and "--no-deps" in command
        assert locked or our_wheel, command
    assert "--no-build-isolation" in " ".join(rest(BUILD, "RUN"))


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-build.lock"])
def test_every_locked_package_has_a_hash(name: str) -> None:
    entries = (ROOT / name).read_text().replace("\\\n", "").splitlines()
    packages = [line for line in entries if PINNED.match(line)]
    assert packages
    assert [line for line in packages if "--hash=sha256:" not in line] == []


def test_the_locks_have_what_the_package_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for name, asked in (
        ("requirements.lock", project["project"]["dependencies"]),
        ("requirements-build.lock", project["build-system"]["requires"]),
    ):
        locked = {match[1] for line in (ROOT / name).read_text().splitlines() if (match := PINNED.match(line))}
        names = {re.split(r"[\[<>=~! ;]", requirement)[0].lower() for requirement in asked}
        assert names - locked == set(), f"{name} is older than pyproject.toml: make lock"


def test_what_is_copied_exists_and_is_let_into_the_build() -> None:
    ignored = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert ignored[0] == "*"
    let_in = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    copied = {source for line in rest(BUILD, "COPY") for source in line.split()[:-1]}
    assert copied == let_in
    assert [source for source in copied if not (ROOT / source).exists()] == []
    packaged = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert {*packaged["packages"], *packaged["force-include"]} <= copied


def test_the_final_image_has_the_environment_alone_and_no_installer() -> None:
    assert rest(FINAL, "COPY") == ["--from=build /opt/signoff /opt/signoff"]
    [run] = rest(FINAL, "RUN")
    assert run.startswith("pip uninstall")
    assert not re.search(r"pip install|apt-get|curl|gcc", run)


def test_it_runs_as_a_number_that_is_not_root_and_that_the_chart_names() -> None:
    [user] = rest(FINAL, "USER")
    uid, _, gid = user.partition(":")
    assert int(uid) > 0
    assert int(gid) > 0
    values = (ROOT / "helm" / "signoff" / "values.yaml").read_text()
    assert f"runAsUser: {uid}\n" in values
    assert f"fsGroup: {gid}\n" in values
    order = [step.instruction for step in FINAL]
    assert order.index("USER") > max(i for i, name in enumerate(order) if name in ("RUN", "COPY"))


def test_it_starts_the_command() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    [entrypoint], [command] = rest(FINAL, "ENTRYPOINT"), rest(FINAL, "CMD")
    assert json.loads(entrypoint)[0] in scripts
    assert json.loads(command)[0] in main.commands
    assert environment()["PATH"].startswith("/opt/signoff/bin:")


def test_its_settings_are_settings_and_none_is_a_secret() -> None:
    settings = {name: value for name, value in environment().items() if name.startswith("SIGNOFF_")}
    loaded = Configuration.load(settings, serving=False).settings
    assert loaded.listen == ("0.0.0.0", 8080)
    assert loaded.database_url.get_secret_value() == "sqlite:////var/lib/signoff/signoff.db"
    assert loaded.secrets() == {}
    assert not [step for stage in (BUILD, FINAL) for step in stage if step.instruction == "ARG"]


def test_it_has_a_home_as_slack_bolt_asks_for_one_when_it_is_imported() -> None:
    assert environment()["HOME"] == "/tmp"

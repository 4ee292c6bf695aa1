"""The command line: each command says what it found, ends with a status that says the same, and never a traceback."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from bot.cli import main
from tests.serving import ROOT, environment

HEAVY = (
    "anthropic",
    "kubernetes",
    "dbos",
    "alembic",
    "slack_bolt",
    "slack_sdk",
    "sqlalchemy",
    "pydantic",
    "aiohttp",
    "re2",
)


def signoff(*words: str, **given: str) -> Result:
    """Run the command in this process, with nothing in its environment but what is given."""
    result = CliRunner(env=given).invoke(main, words, catch_exceptions=True)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def process(*words: str, cwd: Path = ROOT, **given: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bot", *words],
        cwd=cwd,
        env={"PYTHONPATH": str(ROOT), "HOME": str(cwd)} | given,
        capture_output=True,
        text=True,
        timeout=60,
    )


# --- help -------------------------------------------------------------------------------------------------------------


def test_help_names_every_command_and_loads_nothing_heavy() -> None:
    code = "import sys; from bot.cli import main\ntry: main(['--help'])\nexcept SystemExit: print(sorted(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    for command in ("serve", "doctor", "manifest", "runbooks", "rbac", "audit", "sandbox", "demo"):
        assert f"  {command} " in ran.stdout
    loaded = set(eval(ran.stdout.splitlines()[-1]))
    assert loaded.isdisjoint(HEAVY)


@pytest.mark.parametrize(
    "words", [["serve"], ["doctor"], ["runbooks", "lint"], ["audit", "verify"], ["rbac"], ["demo"]]
)
def test_every_command_explains_itself(words: list[str]) -> None:
    result = signoff(*words, "--help")
    assert result.exit_code == 0
    assert len(result.output.splitlines()) >= 5


def test_version_and_words_that_are_no_command() -> None:
    assert signoff("--version").output.startswith("signoff 0.")
    assert signoff("frobnicate").exit_code == 2
    assert "No such command" in signoff("frobnicate").output


# --- what needs no installation ---------------------------------------------------------------------------------------


def test_manifest_is_json_that_slack_takes() -> None:
    printed = json.loads(signoff("manifest").output)
    assert printed["settings"]["socket_mode_enabled"] is True


def test_rbac_prints_roles_for_the_namespaces_that_are_named() -> None:
    result = signoff("rbac", "-n", "shop", "-n", "edge")
    roles = [each for each in yaml.safe_load_all(result.output) if each["kind"] == "Role"]
    assert {role["metadata"]["namespace"] for role in roles} == {"shop", "edge"}
    assert signoff("rbac").exit_code == 2


def test_lint_says_that_all_is_well_or_where_it_is_not(tmp_path: Path) -> None:
    well = signoff("runbooks", "lint")
    assert (well.exit_code, well.output.endswith(": no problems\n")) == (0, True)
    (tmp_path / "odd.yaml").write_text("id: odd\nversion: one\n")
    for result in (
        signoff("runbooks", "lint", str(tmp_path)),
        signoff("runbooks", "lint", SIGNOFF_RUNBOOKS=str(tmp_path)),
    ):
        assert result.exit_code == 1
        assert f"{tmp_path / 'odd.yaml'}:2: version" in result.output
    assert signoff("runbooks", "lint", str(tmp_path / "none")).exit_code == 2
    missing = signoff("runbooks", "lint", SIGNOFF_RUNBOOKS=str(tmp_path / "none"))
    assert missing.exit_code != 0
    assert "none" in missing.output


def test_a_broken_catalogue_is_said_where_roles_are_asked_for(tmp_path: Path) -> None:
    (tmp_path / "odd.yaml").write_text("id: odd\n")
    result = signoff("rbac", "-n", "shop", SIGNOFF_RUNBOOKS=str(tmp_path))
    assert result.exit_code == 2
    assert "odd.yaml" in result.output


def test_settings_that_cannot_be_used_are_said_key_by_key() -> None:
    result = signoff("serve", SIGNOFF_MAX_ALERTS="many")
    assert result.exit_code == 2
    assert result.output.startswith("signoff: the configuration cannot be used:\n  SIGNOFF_MAX_ALERTS: ")


@pytest.mark.parametrize("words", [["demo"], ["sandbox"], ["serve"], ["audit", "verify"]])
def test_every_command_takes_both_words_for_help(words: list[str]) -> None:
    short, long = (process(*words, word) for word in ("-h", "--help"))
    assert (short.returncode, short.stdout) == (0, long.stdout)


def test_the_facts_of_a_story_that_nobody_plays_are_refused() -> None:
    ran = process("demo", "--json")
    assert ran.returncode == 2
    assert "--auto" in ran.stderr


# --- the doctor -------------------------------------------------------------------------------------------------------


def test_doctor_says_what_is_wrong_with_the_settings_as_with_anything_else() -> None:
    shown = signoff("doctor", SIGNOFF_MAX_ALERTS="many")
    assert shown.exit_code == 2
    assert "FAIL  configuration: SIGNOFF_MAX_ALERTS: " in shown.output
    checks = json.loads(signoff("doctor", "--json", SIGNOFF_MAX_ALERTS="many").output)
    assert any(check["sentence"].startswith("SIGNOFF_MAX_ALERTS: ") for check in checks)
    assert {(check["name"], check["ok"]) for check in checks} == {("configuration", False)}


def test_doctor_makes_nothing_and_says_what_to_do(tmp_path: Path) -> None:
    given = environment(tmp_path, f"sqlite:///{tmp_path / 'signoff.db'}")
    ran = process("doctor", "--json", cwd=tmp_path, **given)
    checks = {each["name"]: each for each in json.loads(ran.stdout)}
    assert ran.returncode == 1
    assert not (tmp_path / "signoff.db").exists()
    assert checks["database"]["ok"] is True
    assert "makes it when it first starts" in checks["database"]["sentence"]
    for name in ("slack", "clusters"):
        assert checks[name]["ok"] is False
        assert checks[name]["remedy"]
    assert checks["runbooks"]["ok"]
    assert checks["prompts"]["ok"]
    assert checks["model"]["ok"] is None
    shown = process("doctor", cwd=tmp_path, **given)
    assert "FAIL  slack:" in shown.stdout
    assert "xoxb" not in shown.stdout + shown.stderr
    given["SIGNOFF_DATABASE_URL"] = f"sqlite:///{tmp_path / 'data' / 'signoff.db'}"
    assert "Create the folder" in process("doctor", cwd=tmp_path, **given).stdout
    assert not (tmp_path / "data").exists()


def test_lint_finds_what_serve_would_refuse_also_by_the_configuration(tmp_path: Path) -> None:
    book = (ROOT / "runbooks" / "restart-deployment.yaml").read_text()
    (tmp_path / "restart-deployment.yaml").write_text(
        book.replace("approval:\n", "approval:\n  groups:\n    nosuch: 1\n", 1)
    )
    config = tmp_path / "config" / "signoff.yaml"
    config.parent.mkdir()
    config.write_text("channel: C0INCIDENTS\n")
    assert signoff("runbooks", "lint", str(tmp_path)).exit_code == 0
    of_configured = {"SIGNOFF_CONFIG": str(config), "SIGNOFF_RUNBOOKS": str(tmp_path)}
    for words in (("lint",), ("lint", str(tmp_path)), ("list",)):
        refused = signoff("runbooks", *words, **of_configured)
        assert refused.exit_code != 0
        assert "approval.groups.nosuch: nosuch is no configured group" in refused.output


def test_what_is_in_no_cluster_is_planned_without_one(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("status-page-key-0123456789")
    note = {"type": "object", "additionalProperties": False, "properties": {"note": {}, "key": {}, "pinned": {}}}
    told = {
        "channel": "C0INCIDENTS",
        "approvers": ["T0SHOP:U0LEE"],
        "endpoints": {"status": {"url": "https://status.example/notes", "body": note}},
        "secrets": {"status-key": str(tmp_path / "key")},
    }
    (tmp_path / "signoff.yaml").write_text(yaml.safe_dump(told))
    where = {"SIGNOFF_CONFIG": str(tmp_path / "signoff.yaml"), "SIGNOFF_RUNBOOKS": str(ROOT / "docs" / "examples")}
    given = ("note=Orders are delayed.", "incident=INC-1", "key=status-key")
    planned = signoff("runbooks", "plan", "post-status-note", *given, **where)
    assert planned.exit_code == 0, planned.output
    assert "POST to Endpoint status" in planned.output
    unknown = signoff("runbooks", "plan", "post-status-note", *given, "--cluster", "moon", **where)
    assert (unknown.exit_code, "--cluster: give one of" in unknown.output) == (2, True)
    needs_one = signoff("runbooks", "plan", "raise-log-level", **where)
    assert (needs_one.exit_code, "--cluster: give one of" in needs_one.output) == (2, True)

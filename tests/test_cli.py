"""The command line: each command says what it found, ends with a status that says the same, and never a traceback."""

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from bot.cli import main
from bot.store import audit
from bot.store.database import Database
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
    for words in (["serve"], ["doctor"]):
        result = signoff(*words, SIGNOFF_MAX_ALERTS="many")
        assert result.exit_code == 2
        assert result.output.startswith("signoff: the configuration cannot be used:\n  SIGNOFF_MAX_ALERTS: ")


# --- the audit --------------------------------------------------------------------------------------------------------


def append(database: Database, times: int) -> None:
    for nth in range(times):
        database.write_now(
            lambda c, n=nth: audit.append(c, at=n, kind="tried", actor="signoff", subject="A-1", data={"n": n})
        )


@pytest.fixture
def written(database: Database, database_url: str) -> str:
    append(database, 5)
    return database_url


def test_an_audit_that_holds(written: str) -> None:
    result = signoff("audit", "verify", SIGNOFF_DATABASE_URL=written)
    assert result.exit_code == 0
    assert result.output.startswith("audit: 5 rows, all in place. Head ")
    told = json.loads(signoff("audit", "verify", "--json", SIGNOFF_DATABASE_URL=written).output)
    assert (told["ok"], told["rows"], told["first_bad"], len(told["head"])) == (True, 5, None, 64)


def test_an_audit_that_was_changed(database: Database, written: str) -> None:
    database.write_now(lambda c: c.exec_driver_sql("UPDATE audit SET actor = 'nobody' WHERE seq = 3"))
    result = signoff("audit", "verify", SIGNOFF_DATABASE_URL=written)
    assert result.exit_code == 1
    assert "broken at row 3" in result.output
    told = json.loads(signoff("audit", "verify", "--json", SIGNOFF_DATABASE_URL=written).output)
    assert (told["ok"], told["rows"], told["first_bad"]) == (False, 2, 3)


def test_it_is_verified_by_another_process_while_one_writes(database: Database, written: str, tmp_path: Path) -> None:
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            append(database, 1)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        ran = [process("audit", "verify", "--json", cwd=tmp_path, SIGNOFF_DATABASE_URL=written) for _ in range(2)]
    finally:
        stop.set()
        writer.join()
    told = [json.loads(each.stdout) for each in ran]
    assert [each["ok"] for each in told] == [True, True], told
    assert told[1]["rows"] > told[0]["rows"] >= 5


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite:///{0}/none.db", "there is no database at"),
        ("sqlite:///{0}/empty.db", "the database is empty"),
        ("sqlite:///{0}/garbage.db", "the database cannot be read: file is not a database"),
        ("postgresql://signoff:hidden@127.0.0.1:1/signoff", "the database cannot be read: connection"),
        ("mysql://x/y", "the configuration cannot be used:\n  SIGNOFF_DATABASE_URL: the database 'mysql' is not"),
    ],
)
def test_an_audit_that_cannot_be_read_is_said_plainly(tmp_path: Path, url: str, said: str) -> None:
    (tmp_path / "empty.db").touch()
    (tmp_path / "garbage.db").write_bytes(b"no database at all " * 500)
    result = signoff("audit", "verify", SIGNOFF_DATABASE_URL=url.format(tmp_path))
    assert result.exit_code == 2
    assert result.output.startswith(f"signoff: {said}")
    assert "hidden" not in result.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty.db", "garbage.db"], "nothing is made"


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

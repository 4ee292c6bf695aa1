import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.logs_command import logs

LOG = "".join(f"2026-11-21T09:{n // 60:02}:{n % 60:02}Z INFO web: GET /orders/{n} took {n} ms\n" for n in range(900))
FAULT = "2026-11-21T09:15:00Z ERROR db: connection refused, password=hunter2hunter2\n"


def run(*arguments: str, log: str | bytes = LOG + FAULT) -> Result:
    return CliRunner().invoke(logs, ["digest", *arguments], input=log)


def test_standard_input_is_digested_into_plain_text_within_the_budget() -> None:
    result = run("--budget", "200")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("Log: 901 lines")
    assert "901 ERROR db: connection refused" in result.stdout
    assert "\x1b" not in result.stdout
    assert len(result.stdout) < 900


def test_secrets_do_not_leave_and_the_same_log_gives_the_same_bytes() -> None:
    for arguments in ([], ["--json"]):
        first, second = run(*arguments), run(*arguments)
        assert "hunter2" not in first.stdout
        assert first.stdout == second.stdout


def test_json_has_what_scripts_rely_on() -> None:
    data = json.loads(run("--json", "--budget", "300").stdout)
    assert (data["lines_total"], data["records_total"]) == (901, 901)
    assert data["tokens"] <= 300
    assert 901 in data["kept"]
    assert data["text"].startswith("Log: ")
    web, fault = data["templates"]
    assert (web["id"], web["template"], web["count"]) == ("T1", "GET <*> took <*> ms", 900)
    assert (fault["first_line"], fault["last_line"], fault["severity"]) == (901, 901, "error")


def test_assignments_are_one_template_id_per_line_and_nothing_else() -> None:
    assert run("--assignments", "-", log="a 1\nb 2\n\na 3\n").stdout == "T1\nT2\nT3\nT1\n"


def test_assignments_go_to_a_file_beside_the_digest(tmp_path: Path) -> None:
    target = tmp_path / "ids"
    result = run("--assignments", str(target))
    assert result.stdout.startswith("Log: ")
    assert target.read_text().split() == ["T1"] * 900 + ["T2"]


def test_several_files_are_numbered_on_and_named(tmp_path: Path) -> None:
    for name in ("one.log", "two.log"):
        (tmp_path / name).write_text(f"hello from {name}")
    result = run(str(tmp_path / "one.log"), str(tmp_path / "two.log"))
    assert "Sources: one.log from line 1, two.log from line 2" in result.stdout
    assert "\n2 hello from two.log" in result.stdout


def test_a_baseline_shows_what_is_new(tmp_path: Path) -> None:
    healthy = tmp_path / "healthy.log"
    healthy.write_text(LOG)
    result = run("--baseline", str(healthy), "--budget", "150")
    assert re.search(r"^901 ERROR db: .* \(NEW\)$", result.stdout, re.M)
    assert run("--baseline", str(healthy), "--assignments", "-").stdout.count("\n") == 901


def test_since_takes_a_time_or_a_duration() -> None:
    result = run("--since", "2026-11-21T09:10:00Z")
    assert "301 lines" in result.stdout
    assert "(600 earlier lines skipped)" in result.stdout
    assert run("--since", "5m", log=LOG.replace("2026-", "2001-")).stdout.startswith("Log: 0 lines")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--since", "yesterday"], "write 15m, 2h, 1d or an ISO time"),
        (["--since", "1h", "--assignments", "-"], "exclude each other"),
        (["--budget", "-1"], "not in the range"),
        (["/nowhere/at/all.log"], "does not exist"),
    ],
)
def test_a_wrong_argument_is_refused_with_a_reason(arguments: list[str], says: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert says in result.stderr


def test_nothing_and_garbage_are_digested_too() -> None:
    assert run(log="").stdout == "Log: 0 lines, 0 records, 0 templates\n"
    assert run(log=bytes(range(256)) * 40).exit_code == 0


def test_a_budget_of_nothing_shows_nothing() -> None:
    result = run("--budget", "0")
    assert (result.exit_code, result.stdout) == (0, "")

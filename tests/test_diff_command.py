import json

import pytest
from click.testing import CliRunner, Result

from bot.diff_command import diff
from tests.condense.diff.diffs import change

TEXT = change("deploy/app.yaml", ["replicas: 3", "a: 1"], ["replicas: 1", "a: 1", "password: hunter2hunter2"])


def run(*arguments: str, given: str | bytes = TEXT) -> Result:
    return CliRunner().invoke(diff, ["pack", *arguments], input=given)


def test_a_diff_is_packed_from_standard_input_and_from_a_file(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "a.diff"
    path.write_bytes(TEXT.encode())
    piped, read = run("--budget", "1000"), run(str(path), "--budget", "1000")
    assert piped.exit_code == read.exit_code == 0
    assert piped.output == read.output
    assert "-replicas: 3\n+replicas: 1\n" in piped.output


def test_json_says_what_the_text_holds() -> None:
    out = json.loads(run("--budget", "1000", "--json").output)
    assert out["tokens"] <= 1000
    assert out["kept"] == {"deploy/app.yaml": {"+": [1], "-": [1]}}
    assert out["altered"] == {"deploy/app.yaml": {"+": [3], "-": []}}
    (file,) = out["files"]
    assert (file["path"], file["status"], file["kept_hunks"], file["hunks"], file["why"]) == (
        "deploy/app.yaml", "modified", 1, 1, "",
    )  # fmt: skip
    assert out["risks"][0] == {
        "path": "deploy/app.yaml",
        "rule": "k8s/replicas-lowered",
        "severity": "high",
        "message": "replicas is lower: less capacity, and maybe no pod left when one fails or load rises.",
        "sign": "+",
        "line": 1,
    }
    assert out["risks_left_out"] == 0
    assert "hunter2" not in json.dumps(out)


def test_of_very_many_risks_the_worst_are_told_and_the_others_counted() -> None:
    many = change("a.yaml", ["x: 1"], ["x: 1"] + ["  type: LoadBalancer"] * 600 + ["  privileged: true"])
    out = json.loads(run("--budget", "100", "--json", given=many).output)
    assert out["risks"][0]["rule"] == "k8s/privileged"
    assert (len(out["risks"]), out["risks_left_out"]) == (500, 101)


def test_the_same_diff_gives_the_same_output_each_time() -> None:
    assert run("--budget", "1000", "--json").output == run("--budget", "1000", "--json").output


def test_bytes_that_are_no_text_are_read() -> None:
    result = run("--budget", "1000", given=TEXT.encode().replace(b"a: 1", b"a: \xff\x00"))
    assert result.exit_code == 0
    assert "+replicas: 1" in result.output


@pytest.mark.parametrize("given", ["not a diff\n", "{}\n"])
def test_what_is_no_diff_is_refused_with_a_sentence(given: str) -> None:
    result = run("--budget", "1000", given=given)
    assert result.exit_code == 1
    assert "the input is no unified diff" in result.output


def test_no_change_is_no_error() -> None:
    assert run("--budget", "1000", given="").output.endswith("Every changed line is shown.\n")


@pytest.mark.parametrize(
    "arguments", [[], ["--budget", "-1"], ["--budget", "many"], ["/nowhere.diff", "--budget", "1"]]
)
def test_a_wrong_call_is_refused(arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2

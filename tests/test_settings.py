"""Settings: every problem names its key and what it accepts, and secrets stay secret."""

from pathlib import Path

import pytest

from bot.settings import Configuration, Settings, SettingsError, table
from tests.configuring import FILE, SERVING, load, problems

# --- the environment --------------------------------------------------------------------------------------------------


def test_what_is_not_given_has_its_default(tmp_path: Path) -> None:
    settings = load(folder=tmp_path).settings
    assert settings.listen == ("127.0.0.1", 8080)
    assert settings.database_url.get_secret_value() == "sqlite:///signoff.db"
    assert (settings.max_body_bytes, settings.max_alerts, settings.max_depth) == (32 * 1024 * 1024, 25_000, 32)
    assert settings.reopen_minutes == 30


def test_an_empty_variable_is_one_that_was_not_given(tmp_path: Path) -> None:
    assert load(folder=tmp_path, SIGNOFF_LISTEN="", SIGNOFF_MAX_ALERTS="").settings.max_alerts == 25_000


@pytest.mark.parametrize(
    ("told", "read"),
    [
        ("0.0.0.0:80", ("0.0.0.0", 80)),
        (":8080", ("0.0.0.0", 8080)),
        ("[::1]:8080", ("::1", 8080)),
        ("signoff.internal:1", ("signoff.internal", 1)),
    ],
)
def test_where_to_listen(tmp_path: Path, told: str, read: tuple[str, int]) -> None:
    assert load(folder=tmp_path, SIGNOFF_LISTEN=told).settings.listen == read


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("SIGNOFF_LISTEN", "8080", "HOST:PORT"),
        ("SIGNOFF_LISTEN", "host:65536", "HOST:PORT"),
        ("SIGNOFF_LISTEN", "host:http", "HOST:PORT"),
        ("SIGNOFF_MAX_ALERTS", "many", "expected a whole number. The most alerts in one webhook: 1 to 250000"),
        ("SIGNOFF_MAX_ALERTS", "0", "1 to 250000"),
        ("SIGNOFF_MAX_BODY_BYTES", "1e9", "1024 to 268435456"),
        ("SIGNOFF_MAX_DEPTH", "3", "4 to 200"),
        ("SIGNOFF_MODEL_DEADLINE_SECONDS", "inf", "1 to 300 seconds"),
        ("SIGNOFF_MODEL_DEADLINE_SECONDS", "soon", "expected a number"),
        ("SIGNOFF_EVIDENCE_SECONDS", "0.5", "1 to 120"),
        ("SIGNOFF_REOPEN_MINUTES", "nan", "0 to 1440 minutes"),
        ("SIGNOFF_STALE_HOURS", "-1", "0.1 to 720 hours"),
        ("SIGNOFF_LOG_LEVEL", "verbose", "`debug`, `info`, `warning` or `error`"),
    ],
)
def test_a_wrong_value_names_its_key_and_what_is_accepted(tmp_path: Path, name: str, value: str, said: str) -> None:
    (problem,) = problems(folder=tmp_path, **{name: value})
    assert problem.startswith(f"{name}: ")
    assert said in problem


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    found = problems("channel: general", folder=tmp_path, SIGNOFF_LISTEN="x", SIGNOFF_MAX_DEPTH="x")
    assert [problem.split(": ")[0] for problem in found] == [
        "SIGNOFF_LISTEN",
        "SIGNOFF_MAX_DEPTH",
        "…/signoff.yaml:1",
    ]


def test_what_serve_cannot_do_without_is_named_with_how_to_get_it() -> None:
    with pytest.raises(SettingsError) as raised:
        Configuration.load({})
    text = str(raised.value)
    for name in (*SERVING, "channel"):
        assert f"{name}: " in text
    assert "openssl rand -hex 32" in text
    assert "signoff manifest" in text
    Configuration.load({}, serving=False)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SIGNOFF_ALERTMANAGER_TOKEN", "fifteen-letters"),
        ("SIGNOFF_SECRET_KEY", "s" * 64),
        ("SIGNOFF_SECRET_KEY", "k1:" + "s" * 31),
        ("SIGNOFF_SECRET_KEY", ":" + "s" * 32),
        ("SLACK_BOT_TOKEN", "xoxp-1-user"),
        ("SLACK_APP_TOKEN", "xoxb-1-bot"),
    ],
)
def test_a_secret_of_the_wrong_form_is_refused_and_not_quoted(tmp_path: Path, name: str, value: str) -> None:
    (problem,) = problems(folder=tmp_path, **{name: value})
    assert problem.startswith(f"{name}: ")
    assert value not in problem


# --- secrets ----------------------------------------------------------------------------------------------------------

SECRETS = [name.strip("`") for row in table() for name in [row[0].split(" or ")[0]] if "_FILE" in row[0]]


def test_each_secret_may_be_a_file(tmp_path: Path) -> None:
    assert set(SECRETS) >= {*SERVING, "ANTHROPIC_API_KEY", "SIGNOFF_DATABASE_URL", "GITHUB_TOKEN"}
    given = {}
    for name in SECRETS:
        path = tmp_path / name
        path.write_text(f"{SERVING.get(name, 'sqlite:///' + name)}\n")
        given[f"{name}_FILE"] = str(path)
    settings = Configuration.load(given, serving=False).settings
    assert settings.alertmanager_token.get_secret_value() == SERVING["SIGNOFF_ALERTMANAGER_TOKEN"]
    assert settings.anthropic_api_key.get_secret_value() == "sqlite:///ANTHROPIC_API_KEY"


def test_a_secret_that_is_given_twice_or_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"x" * 70_000)
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for value, said in (
        ("gone", "No such file"),
        ("big", "larger than 65536"),
        ("binary", "not UTF-8"),
        ("", "directory"),
    ):
        (problem,) = problems(folder=tmp_path, ANTHROPIC_API_KEY_FILE=str(tmp_path / value))
        assert problem.startswith("ANTHROPIC_API_KEY_FILE: ")
        assert said in problem
    (problem,) = problems(folder=tmp_path, ANTHROPIC_API_KEY="sk-1", ANTHROPIC_API_KEY_FILE=str(tmp_path / "gone"))
    assert problem == "ANTHROPIC_API_KEY: both ANTHROPIC_API_KEY and ANTHROPIC_API_KEY_FILE are set: give one"


def test_no_secret_is_in_any_text_that_is_made_of_the_settings(tmp_path: Path) -> None:
    given = {name: f"xoxb-xapp-hidden-{name.lower()}" for name in SECRETS}
    given |= {
        "SIGNOFF_SECRET_KEY": "k1:hidden-key-hidden-key-hidden-key-",
        "SLACK_APP_TOKEN": "xapp-hidden-app",
        "SIGNOFF_DATABASE_URL": "postgresql://signoff:hidden%2Fpassword@db/signoff",
    }
    configuration = load(folder=tmp_path, serving=False, **given)
    settings = configuration.settings
    for text in (repr(settings), str(settings), repr(configuration), settings.model_dump_json(), f"{settings!r:>9}"):
        assert "hidden" not in text


def test_what_must_never_leave_is_told_by_its_secret_part(tmp_path: Path) -> None:
    url = "postgresql://signoff:p%40ss%2Fword@db/signoff"
    secrets = load(folder=tmp_path, SIGNOFF_DATABASE_URL=url).settings.secrets()
    assert secrets["SIGNOFF_DATABASE_URL"] == ("p%40ss%2Fword", "p@ss/word")
    assert secrets["SIGNOFF_SECRET_KEY"] == ("s" * 32,)
    assert secrets["SLACK_BOT_TOKEN"] == ("xoxb-1-secret",)
    assert "ANTHROPIC_API_KEY" not in secrets
    assert "SIGNOFF_DATABASE_URL" not in load(folder=tmp_path).settings.secrets()


@pytest.mark.parametrize(
    ("url", "held"),
    [
        ("postgresql://db/signoff?user=u&password=a%2Bb", {"a%2Bb", "a+b"}),
        ("postgresql://db/signoff?Password=one+two", {"one+two", "one two"}),
        ("postgresql://u:first@db/signoff?password=second&sslpassword=third", {"first", "second", "third"}),
        ("postgresql://u:pa/ss#w?rd@db/signoff", {"pa/ss#w?rd"}),
        ("postgresql://u@db/signoff?application_name=x:y@z", set()),
    ],
)
def test_a_database_s_password_is_known_wherever_it_stands(tmp_path: Path, url: str, held: set[str]) -> None:
    secrets = load(folder=tmp_path, SIGNOFF_DATABASE_URL=url).settings.secrets()
    assert set(secrets.get("SIGNOFF_DATABASE_URL", ())) == held


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://u:hid[den@x/d", "%5B"),
        ("postgresql://u:hidden@h:port/d", "cannot be read"),
        ("oracle://u:hidden@h/d", "'oracle' is not supported"),
        ("signoff.db", "sqlite:///PATH"),
    ],
)
def test_a_database_url_that_cannot_be_used_names_its_key_and_is_not_quoted(
    tmp_path: Path, url: str, said: str
) -> None:
    (problem,) = problems(folder=tmp_path, SIGNOFF_DATABASE_URL=url)
    assert problem.startswith("SIGNOFF_DATABASE_URL: ")
    assert said in problem
    assert "hid" not in problem


def test_a_secret_s_file_that_is_not_there_is_one_problem(tmp_path: Path) -> None:
    given = {name: value for name, value in SERVING.items() if name != "SIGNOFF_SECRET_KEY"}
    (tmp_path / "signoff.yaml").write_text(FILE)
    given |= {"SIGNOFF_CONFIG": str(tmp_path / "signoff.yaml"), "SIGNOFF_SECRET_KEY_FILE": str(tmp_path / "gone")}
    with pytest.raises(SettingsError) as raised:
        Configuration.load(given)
    (problem,) = raised.value.problems
    assert problem.startswith("SIGNOFF_SECRET_KEY_FILE: ")


# --- the README's table -----------------------------------------------------------------------------------------------


def test_the_table_has_a_row_with_a_sentence_for_every_setting() -> None:
    rows = table()
    assert len(rows) == len(Settings.model_fields)
    assert all(what.endswith((".", ")")) for _, _, what in rows)
    by_name = {name.strip("`").split("`")[0]: default for name, default, _ in rows}
    assert by_name["SIGNOFF_LISTEN"] == "`127.0.0.1:8080`"
    assert by_name["SIGNOFF_MAX_ALERTS"] == "`25000`"
    assert by_name["ANTHROPIC_API_KEY"] == ""


NAMES = """SLACK_BOT_TOKEN SLACK_APP_TOKEN SLACK_SIGNING_SECRET ANTHROPIC_API_KEY ANTHROPIC_BASE_URL KUBECONFIG
GITHUB_TOKEN GITHUB_WEBHOOK_SECRET SIGNOFF_DATABASE_URL SIGNOFF_LISTEN SIGNOFF_ALERTMANAGER_TOKEN SIGNOFF_SECRET_KEY
SIGNOFF_SLACK_API_URL SIGNOFF_CONFIG SIGNOFF_RUNBOOKS SIGNOFF_PROMPTS"""


@pytest.mark.parametrize("name", NAMES.split())
def test_names_that_people_and_scripts_rely_on_stay(name: str) -> None:
    assert any(row[0].startswith(f"`{name}`") for row in table())


GITHUB = {
    "GITHUB_APP_ID": "42",
    "GITHUB_APP_PRIVATE_KEY": "-----BEGIN RSA PRIVATE KEY-----\nhidden\n-----END RSA PRIVATE KEY-----",
    "GITHUB_WEBHOOK_SECRET": "webhook-secret-0123456789",
}


def test_github_is_an_app_or_a_token_and_a_secret(tmp_path: Path) -> None:
    assert not load(folder=tmp_path).settings.github
    assert load(folder=tmp_path, **GITHUB).settings.github
    token = {"GITHUB_TOKEN": "github_pat_hidden", "GITHUB_WEBHOOK_SECRET": GITHUB["GITHUB_WEBHOOK_SECRET"]}
    assert load(folder=tmp_path, **token).settings.github


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"GITHUB_WEBHOOK_SECRET": ""}, "GITHUB_WEBHOOK_SECRET: not set"),
        ({"GITHUB_WEBHOOK_SECRET": "short"}, "GITHUB_WEBHOOK_SECRET: not set, or shorter"),
        ({"GITHUB_APP_PRIVATE_KEY": ""}, "GITHUB_APP_ID: needs GITHUB_APP_PRIVATE_KEY"),
        ({"GITHUB_APP_PRIVATE_KEY": "hidden"}, "GITHUB_APP_PRIVATE_KEY: expected a PEM text"),
        ({"GITHUB_TOKEN": "hidden"}, "GITHUB_TOKEN: given beside a GitHub App"),
        ({"GITHUB_APP_ID": "", "GITHUB_APP_PRIVATE_KEY": ""}, "GITHUB_APP_ID: not set: a webhook secret alone"),
        ({"SIGNOFF_GITHUB_API_URL": "https://u:hidden@host"}, "SIGNOFF_GITHUB_API_URL: "),
    ],
)
def test_half_of_github_is_refused_with_what_is_missing(tmp_path: Path, changed: dict[str, str], said: str) -> None:
    (problem,) = problems(folder=tmp_path, **(GITHUB | changed))
    assert problem.startswith(said)
    assert "hidden" not in problem


SECOND_APP = {"GITHUB_ACTIONS_APP_ID": "43", "GITHUB_ACTIONS_APP_PRIVATE_KEY": GITHUB["GITHUB_APP_PRIVATE_KEY"]}
ACTING = FILE + "github: {repositories: [shop/*]}"


@pytest.mark.parametrize(
    ("file", "given", "said"),
    [
        (ACTING, {"GITHUB_ACTIONS_TOKEN": "hidden-actions"}, ""),
        (
            ACTING,
            SECOND_APP,
            "",
        ),
        (FILE, {"GITHUB_ACTIONS_TOKEN": "hidden-actions"}, "github.repositories: not set: list the repositories"),
        (ACTING, {"GITHUB_ACTIONS_APP_ID": "43"}, "GITHUB_ACTIONS_APP_ID: needs GITHUB_ACTIONS_APP_PRIVATE_KEY"),
        (
            ACTING,
            SECOND_APP | {"GITHUB_ACTIONS_APP_ID": "42"},
            "GITHUB_ACTIONS_TOKEN: the same credential as the one that reviews",
        ),
    ],
)
def test_what_acts_on_github_is_another_credential_for_listed_repositories(
    tmp_path: Path, file: str, given: dict[str, str], said: str
) -> None:
    if not said:
        assert load(file, folder=tmp_path, **GITHUB, **given).settings.github_actions
        return
    (problem,) = problems(file, folder=tmp_path, **GITHUB, **given)
    assert problem.startswith(said)
    assert "hidden" not in problem

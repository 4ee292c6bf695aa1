"""Settings: the environment, and an optional YAML file for what has structure. Checked as a whole at start-up.

Every secret may also be given as a file, ``NAME_FILE``. An error names the key and what it accepts.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import unquote, unquote_plus, urlsplit

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
)

from bot.domain import document
from bot.domain.keys import Keys
from bot.structure import Structure

_SECRET_MAX = 64 * 1024
# Where the checker's own words are those of a programmer.
_PLAIN = {
    "extra_forbidden": "there is no such key",
    "missing": "this key is needed",
    "model_type": "expected keys with values",
    "dict_type": "expected keys with values",
    "list_type": "expected a list",
    "string_type": "expected text; put it in quotes",
    "too_short": "expected at least one entry",
    "int_parsing": "expected a whole number",
    "float_parsing": "expected a number",
    "finite_number": "expected a number",
}


class SettingsError(Exception):
    """The configuration cannot be used. ``problems`` has one sentence a key."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def _listen(value: Any) -> Any:
    if isinstance(value, str):
        host, separator, port = value.rpartition(":")
        if separator and port.isdigit() and int(port) < 65_536:
            return (host.strip("[]") or "0.0.0.0", int(port))  # noqa: S104 - ":8080" is how people ask for every address
    raise ValueError("give HOST:PORT, as in 0.0.0.0:8080")


def _env(name: str, what: str, **more: Any) -> Any:
    return Field(validation_alias=AliasChoices(name), description=what, **more)


class Settings(BaseModel):
    """Everything the environment says. ``structure`` holds the configuration file's part."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    database_url: SecretStr = _env(
        "SIGNOFF_DATABASE_URL",
        "The database: `sqlite:///PATH` (one replica) or `postgresql://…`.",
        default=SecretStr("sqlite:///signoff.db"),
    )
    listen: Annotated[tuple[str, int], BeforeValidator(_listen)] = _env(
        "SIGNOFF_LISTEN", "Where webhooks, health and metrics listen: `HOST:PORT`.", default=("127.0.0.1", 8080)
    )
    alertmanager_token: SecretStr = _env(
        "SIGNOFF_ALERTMANAGER_TOKEN",
        "The bearer token that Alertmanager sends. Mandatory, at least 16 characters.",
        default=SecretStr(""),
    )
    secret_key: SecretStr = _env(
        "SIGNOFF_SECRET_KEY",
        "The key that signs votes, approvals and the audit, and that keys the hashes of secrets, as `ID:KEY`, KEY of "
        "at least 32 characters. A new one goes in front of the old: `NEW:KEY,OLD:KEY`. Mandatory.",
        default=SecretStr(""),
    )
    slack_bot_token: SecretStr = _env(
        "SLACK_BOT_TOKEN", "The Slack app's bot token, `xoxb-…`. Mandatory.", default=SecretStr("")
    )
    slack_app_token: SecretStr = _env(
        "SLACK_APP_TOKEN", "The Slack app-level token for Socket Mode, `xapp-…`. Mandatory.", default=SecretStr("")
    )
    slack_signing_secret: SecretStr = _env(
        "SLACK_SIGNING_SECRET", "Not needed in Socket Mode; redacted everywhere if given.", default=SecretStr("")
    )
    slack_api_url: str = _env(
        "SIGNOFF_SLACK_API_URL", "Another Slack base URL, for the sandbox.", default="https://slack.com/api/"
    )
    anthropic_api_key: SecretStr = _env(
        "ANTHROPIC_API_KEY",
        "The model's API key. Without one the rule-based analyst answers alone.",
        default=SecretStr(""),
    )
    anthropic_base_url: str = _env("ANTHROPIC_BASE_URL", "Another base URL of the model API.", default="")
    model: str = _env("SIGNOFF_MODEL", "The model that writes triages.", default="claude-haiku-5-5")
    model_deadline_seconds: float = _env(
        "SIGNOFF_MODEL_DEADLINE_SECONDS",
        "How long a triage may take before the rules answer: 1 to 300 seconds.",
        default=30.0,
        ge=1,
        le=300,
    )
    kubeconfig: str = _env("KUBECONFIG", "The kubeconfig that has the configured contexts.", default="")
    github_app_id: str = _env(
        "GITHUB_APP_ID", "The GitHub App that reviews pull requests, by its id.", default="", pattern=r"^[A-Za-z0-9.]*$"
    )
    github_app_private_key: SecretStr = _env(
        "GITHUB_APP_PRIVATE_KEY", "The GitHub App's private key, PEM.", default=SecretStr("")
    )
    github_token: SecretStr = _env(
        "GITHUB_TOKEN",
        "Instead of an app: a fine-grained token without write access to contents. It can make no check runs.",
        default=SecretStr(""),
    )
    github_webhook_secret: SecretStr = _env(
        "GITHUB_WEBHOOK_SECRET",
        "The secret that GitHub signs webhooks with, at least 16 characters. Mandatory with any of the above.",
        default=SecretStr(""),
    )
    github_actions_token: SecretStr = _env(
        "GITHUB_ACTIONS_TOKEN",
        "For runbooks that act on GitHub: a fine-grained token of its own, with write access to actions, contents, "
        "issues and pull requests. Not the one that reviews.",
        default=SecretStr(""),
    )
    github_actions_app_id: str = _env(
        "GITHUB_ACTIONS_APP_ID",
        "Instead of that token: a second GitHub App, by its id.",
        default="",
        pattern=r"^[A-Za-z0-9.]*$",
    )
    github_actions_app_private_key: SecretStr = _env(
        "GITHUB_ACTIONS_APP_PRIVATE_KEY", "The second GitHub App's private key, PEM.", default=SecretStr("")
    )
    github_api_url: str = _env(
        "SIGNOFF_GITHUB_API_URL",
        "Another GitHub base URL: GitHub Enterprise Server (`https://HOST/api/v3`), or the sandbox.",
        default="https://api.github.com",
        pattern=r"^https?://[^\s?#@]+$",
    )
    runbooks: Path | None = _env("SIGNOFF_RUNBOOKS", "The folder of runbooks.", default=None)
    prompts: Path | None = _env("SIGNOFF_PROMPTS", "The folder of prompts.", default=None)
    config: Path | None = _env("SIGNOFF_CONFIG", "The YAML file for what has structure (see below).", default=None)
    reopen_minutes: float = _env(
        "SIGNOFF_REOPEN_MINUTES",
        "A refire within this time after an incident resolved reopens it: 0 to 1440 minutes.",
        default=30.0,
        ge=0,
        le=1440,
    )
    stale_hours: float = _env(
        "SIGNOFF_STALE_HOURS",
        "An open incident whose alerts were not seen for this long is called stale: 0.1 to 720 hours.",
        default=12.0,
        ge=0.1,
        le=720,
    )
    evidence_seconds: float = _env(
        "SIGNOFF_EVIDENCE_SECONDS",
        "How long evidence is collected at most: 1 to 120 seconds.",
        default=15.0,
        ge=1,
        le=120,
    )
    max_body_bytes: int = _env(
        "SIGNOFF_MAX_BODY_BYTES",
        "The largest webhook body, in bytes: 1024 to 268435456.",
        default=32 * 1024 * 1024,
        ge=1024,
        le=256 * 1024 * 1024,
    )
    max_alerts: int = _env(
        "SIGNOFF_MAX_ALERTS", "The most alerts in one webhook: 1 to 250000.", default=25_000, ge=1, le=250_000
    )
    max_depth: int = _env("SIGNOFF_MAX_DEPTH", "The deepest nesting of a webhook: 4 to 200.", default=32, ge=4, le=200)
    log_level: Literal["debug", "info", "warning", "error"] = _env(
        "SIGNOFF_LOG_LEVEL", "How much is logged: `debug`, `info`, `warning` or `error`.", default="info"
    )

    @field_validator("database_url")
    @classmethod
    def _readable_url(cls, value: SecretStr) -> SecretStr:
        from bot.store.database import DatabaseError, parse_url

        url = value.get_secret_value()
        try:
            urlsplit(url)
        except ValueError:
            raise ValueError(
                "the URL cannot be read: write [ and ] in a user name or password as %5B and %5D"
            ) from None
        try:
            parse_url(url)
        except DatabaseError as error:
            raise ValueError(str(error)) from None
        return value

    @property
    def github(self) -> bool:
        """Whether anything of the GitHub part is configured."""
        secrets = (self.github_app_private_key, self.github_token, self.github_webhook_secret)
        return bool(self.github_app_id) or any(secret.get_secret_value() for secret in secrets)

    @property
    def github_actions(self) -> bool:
        """Whether a credential for acting on GitHub is configured."""
        return bool(self.github_actions_app_id) or bool(self.github_actions_token.get_secret_value())

    def keys(self) -> Keys | None:
        """Return the keys that sign, or None if none are given. Raises ``ValueError`` if they cannot be read."""
        text = self.secret_key.get_secret_value()
        return Keys.read(text) if text else None

    def secrets(self) -> dict[str, tuple[str, ...]]:
        """Return every secret that the settings hold, in each of its written forms, by its variable: what must never
        leave."""
        found = {}
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if isinstance(value, SecretStr):
                parts = _SECRET_PARTS.get(name, _whole)(value.get_secret_value())
                held = tuple(dict.fromkeys(part for part in parts if part))
                if held:
                    found[_variable(field)] = held
        return found


def _whole(value: str) -> tuple[str, ...]:
    return (value,)


# As SQLAlchemy reads a URL: a password ends at the first "@", whatever else is in it.
_URL_PASSWORD = re.compile(r"[^:/]*://[^:/]*:([^@]*)@")
# libpq's own names: https://www.postgresql.org/docs/current/libpq-connect.html
_PASSWORD_PARAMETERS = ("password", "sslpassword", "passwd")


def _passwords(url: str) -> Iterator[str]:
    """Yield each password in a database URL, as it is written and as it is meant."""
    found = _URL_PASSWORD.match(url)
    written = [found[1]] if found else []
    for pair in url.partition("?")[2].split("&"):
        name, _, value = pair.partition("=")
        if unquote_plus(name).lower() in _PASSWORD_PARAMETERS:
            written.append(value)
    for password in written:
        yield from (password, unquote(password), unquote_plus(password))


def _keys(value: str) -> Iterator[str]:
    for entry in re.split(r"[,\s]+", value):
        yield entry.partition(":")[2] or entry


# Which parts of a setting are the secret, where it is not all of it.
_SECRET_PARTS: Mapping[str, Callable[[str], Iterable[str]]] = {"database_url": _passwords, "secret_key": _keys}


class Configuration:
    """Settings and the configuration file, read and checked together."""

    def __init__(self, settings: Settings, structure: Structure) -> None:
        self.settings = settings
        self.structure = structure

    @classmethod
    def load(cls, environment: Mapping[str, str] | None = None, *, serving: bool = True) -> Configuration:
        """Read all configuration. Raises ``SettingsError`` with every problem at once.

        ``serving`` also asks for what ``serve`` cannot do without.
        """
        given = dict(os.environ if environment is None else environment)
        problems: list[str] = []
        unread = _read_secret_files(given, problems)
        settings = _settings(given, problems)
        structure = _structure(given.get("SIGNOFF_CONFIG", ""), problems)
        if settings and serving:
            # What could not be read is not also said to be missing.
            missing = _missing(settings, structure)
            problems += [sentence for sentence in missing if sentence.partition(":")[0] not in unread]
        if problems or settings is None or structure is None:
            raise SettingsError(problems)
        return cls(settings, structure)


def _read_secret_files(environment: dict[str, str], problems: list[str]) -> set[str]:
    """Put the content of each ``NAME_FILE`` under its name. Returns the names whose file could not be used."""
    unread = set()
    for field in Settings.model_fields.values():
        name = _variable(field)
        path = environment.get(f"{name}_FILE")
        if not path or field.annotation is not SecretStr:
            continue
        if environment.get(name):
            problems.append(f"{name}: both {name} and {name}_FILE are set: give one")
            continue
        try:
            content = Path(path).read_bytes()[: _SECRET_MAX + 1]
            if len(content) <= _SECRET_MAX:
                environment[name] = content.decode().strip()
                continue
            problems.append(f"{name}_FILE: {path} is larger than {_SECRET_MAX} bytes")
        except (OSError, UnicodeDecodeError) as error:
            problems.append(f"{name}_FILE: {path} cannot be read: {getattr(error, 'strerror', None) or 'not UTF-8'}")
        unread.add(name)
    return unread


def _settings(environment: Mapping[str, str], problems: list[str]) -> Settings | None:
    values = {}
    for name, field in Settings.model_fields.items():
        text = environment.get(_variable(field))
        if text:
            values[name] = text
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        for item in error.errors(include_url=False, include_input=False):
            name = str(item["loc"][0])
            field = Settings.model_fields[name]
            problems.append(f"{_variable(field)}: {_sentence(item)}. {field.description or ''}")
    return None


def _structure(named: str, problems: list[str]) -> Structure | None:
    if not named:
        return Structure()
    path = Path(named)
    try:
        found = document.read(path.read_bytes())
    except OSError as error:
        problems.append(f"SIGNOFF_CONFIG: {path} cannot be read: {error.strerror}")
        return None
    for fault in found.faults:
        problems.append(f"{path}:{fault.line}: {fault.sentence}")
    if found.faults:
        return None
    try:
        return Structure.model_validate(found.data)
    except ValidationError as error:
        for item in error.errors(include_url=False, include_input=False):
            key = ".".join(str(part) for part in item["loc"])
            line = found.line(item["loc"])
            problems.append(f"{path}:{line}: {key}: {_sentence(item)}" if key else f"{path}:{line}: {_sentence(item)}")
    return None


def _missing(settings: Settings, structure: Structure | None) -> list[str]:
    problems = []
    if len(settings.alertmanager_token.get_secret_value()) < 16:
        problems.append(
            "SIGNOFF_ALERTMANAGER_TOKEN: not set, or shorter than 16 characters. Webhooks are never taken without a "
            "token: make one with `openssl rand -hex 32` and give it to Alertmanager as http_config.authorization"
        )
    try:
        Keys.read(settings.secret_key.get_secret_value())
    except ValueError as error:
        problems.append(f"SIGNOFF_SECRET_KEY: {error}, as in k1:$(openssl rand -hex 32)")
    for name, token, prefix in (
        ("SLACK_BOT_TOKEN", settings.slack_bot_token, "xoxb-"),
        ("SLACK_APP_TOKEN", settings.slack_app_token, "xapp-"),
    ):
        if not token.get_secret_value().startswith(prefix):
            problems.append(
                f"{name}: expected a token that begins with {prefix}. `signoff manifest` makes the Slack app"
            )
    problems += _github(settings)
    problems += _github_actions(settings, structure)
    if structure is not None and not structure.channel:
        problems.append("channel: not set in the file that SIGNOFF_CONFIG names: give the id of the incidents channel")
    return problems


def _github(settings: Settings) -> list[str]:
    """Say what is missing of the GitHub part, which is wanted as soon as any of it is given."""
    if not settings.github:
        return []
    app_id, key = settings.github_app_id, settings.github_app_private_key.get_secret_value()
    token, secret = settings.github_token.get_secret_value(), settings.github_webhook_secret.get_secret_value()
    problems = []
    if len(secret) < 16:
        problems.append(
            "GITHUB_WEBHOOK_SECRET: not set, or shorter than 16 characters. Webhooks are never taken unsigned: make "
            "one with `openssl rand -hex 32` and give it to the GitHub App's webhook too. To do without GitHub, unset "
            "GITHUB_TOKEN and GITHUB_APP_ID"
        )
    if token and (app_id or key):
        problems.append("GITHUB_TOKEN: given beside a GitHub App: give one of them")
    if bool(app_id) != bool(key):
        problems.append(
            "GITHUB_APP_ID: needs GITHUB_APP_PRIVATE_KEY (or GITHUB_APP_PRIVATE_KEY_FILE), and that needs it"
        )
    if key and "PRIVATE KEY-----" not in key:
        problems.append("GITHUB_APP_PRIVATE_KEY: expected a PEM text that begins with -----BEGIN RSA PRIVATE KEY-----")
    if not token and not app_id and not key:
        problems.append("GITHUB_APP_ID: not set: a webhook secret alone reviews nothing. Give an app or GITHUB_TOKEN")
    return problems


def _github_actions(settings: Settings, structure: Structure | None) -> list[str]:
    """Say what is wrong with the credential that acts. What acts must not be what reads strangers' pull requests."""
    app_id, key = settings.github_actions_app_id, settings.github_actions_app_private_key.get_secret_value()
    token = settings.github_actions_token.get_secret_value()
    problems = []
    if token and (app_id or key):
        problems.append("GITHUB_ACTIONS_TOKEN: given beside a second GitHub App: give one of them")
    if bool(app_id) != bool(key):
        problems.append("GITHUB_ACTIONS_APP_ID: needs GITHUB_ACTIONS_APP_PRIVATE_KEY, and that needs it")
    if key and "PRIVATE KEY-----" not in key:
        problems.append(
            "GITHUB_ACTIONS_APP_PRIVATE_KEY: expected a PEM text that begins with -----BEGIN RSA PRIVATE KEY-----"
        )
    if (token and token == settings.github_token.get_secret_value()) or (app_id and app_id == settings.github_app_id):
        problems.append(
            "GITHUB_ACTIONS_TOKEN: the same credential as the one that reviews, which must not be able to change a "
            "repository: make another"
        )
    if (token or app_id) and structure is not None and not structure.github.repositories:
        problems.append(
            "github.repositories: not set: list the repositories in which actions may be approved, as OWNER/NAME or "
            "OWNER/*"
        )
    return problems


def _sentence(item: Any) -> str:
    message = str(item["msg"]).removeprefix("Value error, ")
    return _PLAIN.get(item["type"], message)


def _variable(field: Any) -> str:
    alias = field.validation_alias
    return str(alias.choices[0])


def table() -> list[tuple[str, str, str]]:
    """Return (variable, default, what it is) for every setting, for the README."""
    rows = []
    for field in Settings.model_fields.values():
        default = field.default
        if isinstance(default, SecretStr):
            shown = f"`{default.get_secret_value()}`" if default.get_secret_value() else ""
        elif isinstance(default, tuple):
            shown = f"`{default[0]}:{default[1]}`"
        else:
            shown = "" if default in (None, "") else f"`{default}`"
        name = _variable(field)
        secret = field.annotation is SecretStr
        rows.append((f"`{name}`" + (f" or `{name}_FILE`" if secret else ""), shown, field.description or ""))
    return rows

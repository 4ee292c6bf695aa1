"""Settings: the environment, and an optional YAML file for what has structure. Checked as a whole at start-up.

Every secret may also be given as a file, ``NAME_FILE``. An error names the key and what it accepts.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args, get_origin
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
    model_validator,
)

from bot.approvals import windows
from bot.domain import document
from bot.domain.approval import Person
from bot.domain.keys import Keys
from bot.domain.policy import LISTED, Demand, Group, Policy, UserGroup, Window
from bot.domain.runbook import Risk

_PERSON = re.compile(r"[TE][A-Z0-9]{2,20}:[UW][A-Z0-9]{2,20}")
_USER_GROUP = re.compile(r"[TE][A-Z0-9]{2,20}:S[A-Z0-9]{2,20}")
_DURATION = re.compile(r"(?:([0-9]{1,3})d)?(?:([0-9]{1,4})h)?(?:([0-9]{1,5})m)?")
_CHANNEL = re.compile(r"[CG][A-Z0-9]{2,20}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_PLACE = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9._-]{0,62}/)?[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_REGISTRY = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*/?")
_REPOSITORY = re.compile(r"[A-Za-z0-9-]{1,39}/(\*|[A-Za-z0-9._-]{1,100})")
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


class Strict(BaseModel):
    """A part of the configuration file: unknown keys are errors, so that a typo cannot pass for a setting."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Identity(Strict):
    """One way into a cluster: a kubeconfig context, or a service account's token inside the cluster."""

    context: str = ""
    """A context of KUBECONFIG."""
    in_cluster: bool = False
    """The pod's own cluster, in place of a context."""
    token_file: Path | None = None
    """A service account's token, read anew as it is renewed; the pod's own if left out. Only with `in_cluster`."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if bool(self.context) == self.in_cluster:
            raise ValueError("give either context: NAME (of KUBECONFIG) or in_cluster: true")
        return self


class LokiAccess(Strict):
    """Where a cluster's logs are kept. Loki's labels ``namespace``, ``pod`` and ``container`` tell whose they are."""

    url: str
    """Loki's base URL, without a password in it."""
    token_file: Path | None = None
    """A file with the bearer token."""
    tenant: str = Field(default="", max_length=150, pattern=r"^[A-Za-z0-9!_.*'()|-]*$")
    """What goes into `X-Scope-OrgID`."""

    @field_validator("url")
    @classmethod
    def _url(cls, value: str) -> str:
        return _address(value, "Loki's base URL, as in http://loki.monitoring:3100")


class AlertmanagerAccess(Strict):
    """The Alertmanager in which runbooks keep a cluster's alerts quiet."""

    url: str
    """Alertmanager's base URL, without a password in it."""
    token_file: Path | None = None
    """A file with the bearer token."""

    @field_validator("url")
    @classmethod
    def _url(cls, value: str) -> str:
        return _address(value, "Alertmanager's base URL, as in http://alertmanager.monitoring:9093")


class EndpointAccess(Strict):
    """An HTTP address that runbooks may send to: what is sent must fit ``body``, a JSON schema. Only public addresses
    are connected to, and those inside ``allow_networks``."""

    url: str
    """The address. People see it on the approval, so no secret belongs into it."""
    method: Literal["POST", "PUT", "PATCH"] = "POST"
    """`POST`, `PUT` or `PATCH`."""
    token_file: Path | None = None
    """A file with the bearer token."""
    body: dict[str, Any]
    """What may be sent: a JSON schema of an object that takes no other properties."""
    allow_networks: list[str] = Field(default_factory=list, max_length=20)
    """Networks in which it may be, where it is at no public address."""

    @field_validator("url")
    @classmethod
    def _url(cls, value: str) -> str:
        return _address(value, "an address, as in https://status.example/api/notes", exact=True)

    @field_validator("body")
    @classmethod
    def _schema(cls, value: dict[str, Any]) -> dict[str, Any]:
        from jsonschema import Draft202012Validator, SchemaError

        try:
            Draft202012Validator.check_schema(value)
        except SchemaError as error:
            raise ValueError(f"is no JSON schema (Draft 2020-12): {error.message[:200]}") from None
        if value.get("type") != "object" or value.get("additionalProperties") is not False:
            raise ValueError("give type: object and additionalProperties: false, so that nothing else can be sent")
        return value

    @field_validator("allow_networks")
    @classmethod
    def _networks(cls, value: list[str]) -> list[str]:
        for entry in value:
            try:
                ip_network(entry)
            except ValueError:
                raise ValueError(f"{entry!r} is no network: give one as in 10.20.0.0/16") from None
        return value


class Cluster(Strict):
    """A cluster, read by one identity and changed by another. Without a runner nothing can be changed in it."""

    reader: Identity
    """Collects evidence, and can change nothing."""
    runner: Identity | None = None
    """Does what was signed off, and nothing else."""
    loki: LokiAccess | None = None
    """Where logs are read in place of Kubernetes."""
    alertmanager: AlertmanagerAccess | None = None
    """Where runbooks keep alerts quiet."""

    @model_validator(mode="after")
    def _two_identities(self) -> Self:
        if self.runner is not None and self.runner == self.reader:
            raise ValueError(
                "reader and runner must be two identities: what collects evidence must not change anything"
            )
        return self


class Route(Strict):
    """Sends incidents whose labels match all of ``match`` to ``channel``. The first route that matches wins."""

    match: dict[str, str] = Field(min_length=1)
    """Labels with their values."""
    channel: str
    """A channel's id."""

    @field_validator("channel")
    @classmethod
    def _channel(cls, value: str) -> str:
        return _channel_id(value)


class Source(Strict):
    """An alert source: one per Alertmanager, or per pair of them that are one another's replica."""

    cluster: str = ""
    """The cluster of its alerts that name none."""


class Logs(Strict):
    """Who may read logs through Slack: channels, each with its namespaces as NAMESPACE or CLUSTER/NAMESPACE. A plain
    NAMESPACE is one of the default cluster. What is not listed is refused."""

    channels: dict[str, Annotated[list[str], Field(min_length=1)]] = Field(default_factory=dict)
    """By channel id, the namespaces whose logs may be read there."""

    @field_validator("channels")
    @classmethod
    def _channels(cls, value: dict[str, list[str]]) -> dict[str, list[str]]:
        for channel, namespaces in value.items():
            _channel_id(channel)
            for entry in namespaces:
                if not _PLACE.fullmatch(entry):
                    raise ValueError(f"{entry!r} is no namespace: give NAMESPACE or CLUSTER/NAMESPACE; there is no `*`")
        return value


class Audit(Strict):
    """Where the audit's head is noted outside the database, and how often."""

    anchor_file: Path | None = None
    """A file that heads are added to, best not beside the database: at start, before every call, and regularly."""
    anchor_channel: str = ""
    """A Slack channel's id: heads are said there in a thread, at start and regularly."""
    anchor_minutes: float = Field(default=60, ge=1, le=10_080)
    """How often heads are noted, if there is a newer one."""

    @field_validator("anchor_channel")
    @classmethod
    def _channel(cls, value: str) -> str:
        return _channel_id(value) if value else value


class GroupOfPeople(Strict):
    """Who is in a group: people, Slack user groups, or both. A free Slack plan has no user groups."""

    users: list[str] = Field(default_factory=list)
    """People as `TEAM_ID:USER_ID`."""
    usergroups: list[str] = Field(default_factory=list)
    """Slack user groups as `TEAM_ID:GROUP_ID`."""

    @field_validator("users")
    @classmethod
    def _users(cls, value: list[str]) -> list[str]:
        return _people(value)

    @field_validator("usergroups")
    @classmethod
    def _user_groups(cls, value: list[str]) -> list[str]:
        for entry in value:
            if not _USER_GROUP.fullmatch(entry):
                raise ValueError(f"{entry!r} is not a user group: give TEAM_ID:GROUP_ID, as in T0123ABCD:S0123ABCD")
        return value

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not (self.users or self.usergroups):
            raise ValueError("name somebody under users: or usergroups:")
        return self


class Demanded(Strict):
    """What signing off an action of one risk takes at least."""

    groups: dict[str, Annotated[int, Field(ge=1, le=20)]] = Field(min_length=1, max_length=10)
    """How many of which group: 1 to 20 each."""
    ttl_minutes: float | None = Field(default=None, ge=1, le=10_080)
    """How long a request waits at most: 1 to 10080; the runbook's own time if left out."""


class TimeWindow(Strict):
    """Times in which actions may not run (deny), or outside of which they may not (allow). Deny beats allow."""

    kind: Literal["deny", "allow"]
    """`deny` or `allow`."""
    cron: str
    """When it begins, as five fields of cron."""
    duration: str
    """How long it lasts, as in `8h` or `2d12h`."""
    time_zone: str = "UTC"
    """A name of the IANA database."""
    clusters: list[str] = Field(default_factory=list)
    """Only these; none listed: all."""
    namespaces: list[str] = Field(default_factory=list)
    """Only these; none listed: all."""
    runbooks: list[str] = Field(default_factory=list)
    """Only these; none listed: all."""
    why: str = Field(default="", max_length=200)
    """What is said to those who wait."""

    @field_validator("cron")
    @classmethod
    def _five_fields(cls, value: str) -> str:
        fault = windows.cron_fault(value)
        if fault:
            raise ValueError(f"{value!r} {fault}")
        return value

    @field_validator("duration")
    @classmethod
    def _some_time(cls, value: str) -> str:
        if not 0 < _seconds(value) <= windows.LONGEST_SECONDS:
            raise ValueError(f"{value!r} is no duration: give days, hours and minutes, as in 8h or 2d12h, at most 31d")
        return value

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        if not windows.is_zone(value):
            raise ValueError(f"{value!r} is no time zone: give a name of the IANA database, as in Europe/Berlin")
        return value

    def window(self) -> Window:
        """Return it as plain data."""
        return Window(
            kind=self.kind,
            cron=self.cron,
            duration_seconds=_seconds(self.duration),
            time_zone=self.time_zone,
            clusters=tuple(self.clusters),
            namespaces=tuple(self.namespaces),
            runbooks=tuple(self.runbooks),
            why=self.why,
        )


class People(Strict):
    """What is known of people beside their groups."""

    aliases: list[list[str]] = Field(default_factory=list)
    """Lists of identities, each list one human, who has one vote."""

    @field_validator("aliases")
    @classmethod
    def _aliases(cls, value: list[list[str]]) -> list[list[str]]:
        seen: set[str] = set()
        for entry in value:
            if len(entry) < 2:
                raise ValueError("each entry lists all identities of one human, at least two: [T1:U1, T2:U2]")
            for person in _people(entry):
                if person in seen:
                    raise ValueError(f"{person!r} is in two entries: list all identities of one human together")
                seen.add(person)
        return value


class GitHubRules(Strict):
    """Which repositories are listened to (``owner/*`` is all of an owner; none listed: all that send webhooks), and
    where Slack hears of risky pull requests. A repository's own policy may choose among ``channels``."""

    repositories: list[str] = Field(default_factory=list)
    """`OWNER/NAME` or `OWNER/*`; none listed: all that send webhooks."""
    channel: str = ""
    """Where Slack hears of risky pull requests."""
    channels: list[str] = Field(default_factory=list)
    """More channels that a repository's own policy may choose."""
    risk: Literal["critical", "high", "medium", "low", "never"] = "high"
    """The least risk that Slack hears of."""

    @field_validator("repositories")
    @classmethod
    def _repositories(cls, value: list[str]) -> list[str]:
        for entry in value:
            if not _REPOSITORY.fullmatch(entry):
                raise ValueError(f"{entry!r} is no repository: give OWNER/NAME or OWNER/*")
        return value

    @field_validator("channel")
    @classmethod
    def _one_channel(cls, value: str) -> str:
        return _channel_id(value) if value else value

    @field_validator("channels")
    @classmethod
    def _some_channels(cls, value: list[str]) -> list[str]:
        return [_channel_id(entry) for entry in value]

    def listens_to(self, repository: str) -> bool:
        """Say whether a repository's events are acted on. Upper and lower case are the same to GitHub."""
        owner, name = repository.lower(), f"{repository.lower().partition('/')[0]}/*"
        return not self.repositories or any(entry.lower() in (owner, name) for entry in self.repositories)


class Structure(Strict):
    """The configuration file."""

    clusters: dict[str, Cluster] = Field(default_factory=dict)
    """By the name that alerts call it. Without a `runner` nothing can be changed in it."""
    cluster_label: str = "cluster"
    """The alert label that names the cluster."""
    default_cluster: str = ""
    """The cluster of alerts without that label. Left out, they are not guessed at."""
    namespaces: list[str] = Field(default_factory=list)
    """Where the doctor checks the rights of both identities."""
    sources: dict[str, Source] = Field(default_factory=lambda: {"default": Source()})
    """By the last part of the webhook's URL: one per Alertmanager, or per pair of replicas."""
    channel: str = ""
    """The incidents channel's id. Mandatory."""
    routes: list[Route] = Field(default_factory=list)
    """Other channels for some incidents: the first route whose labels all match wins."""
    approvers: list[str] = Field(default_factory=list)
    """People as `TEAM_ID:USER_ID`, the plain way to say who may approve. Empty means nobody."""
    logs: Logs = Field(default_factory=Logs)
    """Who may read logs through Slack. What is not listed is refused."""
    groups: dict[str, GroupOfPeople] = Field(default_factory=dict)
    """Groups of approvers by name."""
    approvals: dict[Risk, Demanded] = Field(default_factory=dict)
    """By risk (`low`, `medium`, `high`, `critical`), what signing off takes at least."""
    direct_messages: bool = True
    """Whether approvers, if they are at most ten, are told directly of what waits for them; the thread tells all."""
    people: People = Field(default_factory=People)
    """What is known of people beside their groups."""
    audit: Audit = Field(default_factory=Audit)
    """Where the audit's head is noted outside the database, so that a database that was rewritten shows."""
    github: GitHubRules = Field(default_factory=GitHubRules)
    """Which repositories are listened to, and where Slack hears of them."""
    windows: list[TimeWindow] = Field(default_factory=list, max_length=50)
    """When actions may not run, or may only run. Deny beats allow."""
    registries: list[str] = Field(default_factory=list)
    """What images that runbooks set or run begin with, as in `registry.example/shop`."""
    endpoints: dict[str, EndpointAccess] = Field(default_factory=dict)
    """By name, the HTTP addresses that runbooks may send to."""
    secrets: dict[str, Path] = Field(default_factory=dict)
    """By name, files with the secrets that runbooks may send to endpoints."""

    @field_validator("channel")
    @classmethod
    def _default_channel(cls, value: str) -> str:
        return _channel_id(value) if value else value

    @field_validator("sources")
    @classmethod
    def _default_source(cls, value: dict[str, Source]) -> dict[str, Source]:
        # The plain URL stays: Alertmanager does not try a 404 again.
        return {"default": Source(), **value} if value else value

    @field_validator("approvers")
    @classmethod
    def _approvers(cls, value: list[str]) -> list[str]:
        return _people(value)

    @field_validator("sources")
    @classmethod
    def _some_source(cls, value: dict[str, Source]) -> dict[str, Source]:
        if not value:
            raise ValueError("name at least one source, or leave the key out: without any no webhook is taken")
        return value

    @field_validator("registries")
    @classmethod
    def _registries(cls, value: list[str]) -> list[str]:
        for entry in value:
            if not _REGISTRY.fullmatch(entry):
                raise ValueError(f"{entry!r} is no registry: give it as images begin, as in registry.example/shop")
        return value

    @field_validator("clusters", "sources", "groups", "endpoints", "secrets")
    @classmethod
    def _names(cls, value: dict[str, Any]) -> dict[str, Any]:
        for name in value:
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name!r} is not a name: use letters, digits, '.', '_' and '-', at most 63")
        return value

    @model_validator(mode="after")
    def _known_clusters(self) -> Self:
        known = ", ".join(sorted(self.clusters)) or "none"
        named = [("default_cluster", self.default_cluster)]
        named += [(f"sources.{name}.cluster", source.cluster) for name, source in self.sources.items()]
        named += [(f"windows.{index}.clusters", each) for index, w in enumerate(self.windows) for each in w.clusters]
        for channel, places in self.logs.channels.items():
            for place in places:
                cluster, slash, namespace = place.rpartition("/")
                if not slash and not self.default_cluster:
                    raise ValueError(
                        f"logs.channels.{channel}: which cluster is {namespace!r} in? Give CLUSTER/{namespace}, or set "
                        "default_cluster"
                    )
                named.append((f"logs.channels.{channel}", cluster))
        for key, cluster in named:
            if cluster and cluster not in self.clusters:
                raise ValueError(f"{key}: no cluster {cluster!r} is configured (configured: {known})")
        return self

    @model_validator(mode="after")
    def _known_groups(self) -> Self:
        if LISTED in self.groups:
            raise ValueError(f"groups.{LISTED}: this name is kept for the plain list {LISTED}: give the group another")
        known = ", ".join(sorted([LISTED, *self.groups]))
        for risk, demanded in self.approvals.items():
            for name in demanded.groups:
                if name != LISTED and name not in self.groups:
                    raise ValueError(f"approvals.{risk}.groups.{name}: there is no such group (there are: {known})")
        return self

    def policy(self) -> Policy:
        """Return who may sign off what. The plain list of approvers is a group; empty means nobody."""
        groups = {
            name: Group(
                frozenset(_person(entry) for entry in group.users),
                frozenset(UserGroup(*entry.split(":", 1)) for entry in group.usergroups),
            )
            for name, group in self.groups.items()
        }
        demands = {
            risk: Demand(each.groups, None if each.ttl_minutes is None else int(each.ttl_minutes * 60))
            for risk, each in self.approvals.items()
        }
        aliases = {_person(each): _person(human[0]) for human in self.people.aliases for each in human}
        listed = Group(frozenset(_person(entry) for entry in self.approvers))
        return Policy(
            groups={LISTED: listed, **groups},
            demands=demands,
            aliases=aliases,
            windows=tuple(each.window() for each in self.windows),
        )

    def readable_logs(self) -> frozenset[tuple[str, str, str]]:
        """Return (channel, cluster, namespace) for all logs that may be read through Slack."""
        return frozenset(
            (channel, cluster or self.default_cluster, namespace)
            for channel, places in self.logs.channels.items()
            for cluster, _, namespace in (place.rpartition("/") for place in places)
        )

    def channel_for(self, labels: Mapping[str, str]) -> str:
        """Return the channel for an incident with these labels."""
        for route in self.routes:
            if all(labels.get(key) == value for key, value in route.match.items()):
                return route.channel
        return self.channel

    def cluster_for(self, source: str, labels: Mapping[str, str]) -> tuple[str | None, str]:
        """Return (configured cluster or None, what the alert called it). An unknown name is never guessed at."""
        fixed = self.sources[source].cluster if source in self.sources else ""
        said = labels.get(self.cluster_label, "")
        name = said or fixed or self.default_cluster
        return (name if name in self.clusters else None, name)


def _address(value: str, expected: str, *, exact: bool = False) -> str:
    """Check a URL; ``exact`` allows a query, for one that is used as it stands."""
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good, parts = False, urlsplit("")
    if not good or parts.fragment or (parts.query and not exact):
        raise ValueError(f"expected {expected}")
    if parts.username or parts.password:
        raise ValueError("a URL with a password in it would be logged: give token_file")
    return value


def _people(value: list[str]) -> list[str]:
    for entry in value:
        if not _PERSON.fullmatch(entry):
            raise ValueError(f"{entry!r} is not a person: give TEAM_ID:USER_ID, as in T0123ABCD:U0123ABCD")
    return value


def _seconds(duration: str) -> int:
    """Return the seconds of ``2d12h30m``, 0 if it is no duration."""
    match = _DURATION.fullmatch(duration)
    days, hours, minutes = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
    return ((days * 24 + hours) * 60 + minutes) * 60


def _person(entry: str) -> Person:
    return Person(*entry.split(":", 1))


def _channel_id(value: str) -> str:
    if not _CHANNEL.fullmatch(value):
        raise ValueError(f"{value!r} is not a channel id: copy it from the channel's details in Slack, as in C0123ABCD")
    return value


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


def keys(part: type[BaseModel] = Structure, above: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield (key, default, what it is) for every key of the configuration file, for its document. In place of a name
    that people choose stands NAME, in place of a list's entry `[]`."""
    for name, field in part.model_fields.items():
        key = f"{above}{name}"
        inner, place = _inner(field.annotation)
        plain = isinstance(field.default, str | int | float) and field.default != ""
        default = f"`{field.default}`".lower() if plain else ""
        yield f"`{key}{place}`", default, field.description or ""
        if inner is not None:
            yield from keys(inner, f"{key}{place}.")


def _inner(annotation: Any) -> tuple[type[BaseModel] | None, str]:
    """Return the part that a key's value is made of, if it is one, and how the way into it is written."""
    for each in (annotation, *get_args(annotation)):
        if isinstance(each, type) and issubclass(each, BaseModel):
            origin = get_origin(annotation)
            return each, ".NAME" if origin is dict else "[]" if origin is list else ""
    return None, ""

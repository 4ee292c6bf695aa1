"""The configuration file: what has structure, and who may do what.

Each part checks itself. An unknown key is an error, so that a typo cannot pass for a setting.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args, get_origin
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from bot.domain import cron
from bot.domain.approval import Person
from bot.domain.policy import BREAK_GLASS, LISTED, Demand, Group, Policy, UserGroup, Window
from bot.domain.runbook import Risk

_PERSON = re.compile(r"[TE][A-Z0-9]{2,20}:[UW][A-Z0-9]{2,20}")
_USER_GROUP = re.compile(r"[TE][A-Z0-9]{2,20}:S[A-Z0-9]{2,20}")
_DURATION = re.compile(r"(?:([0-9]{1,3})d)?(?:([0-9]{1,4})h)?(?:([0-9]{1,5})m)?")
_CHANNEL = re.compile(r"[CG][A-Z0-9]{2,20}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_PLACE = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9._-]{0,62}/)?[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_REGISTRY = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*/?")
_REPOSITORY = re.compile(r"[A-Za-z0-9_-]{1,39}/(\*|[A-Za-z0-9._-]{1,100})")


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
    acts_in: list[Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)]] = Field(
        default_factory=list, max_length=200
    )
    """The only namespaces in which runbooks change anything; none listed: wherever the runner's rights reach. A node is
    in none, the pods that a drain moves are."""
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


class Listed(Strict):
    """People, Slack user groups, or both. A free Slack plan has no user groups."""

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

    def group(self) -> Group:
        """Return it as plain data."""
        return Group(
            frozenset(_person(entry) for entry in self.users),
            frozenset(UserGroup(*entry.split(":", 1)) for entry in self.usergroups),
        )


class GroupOfPeople(Listed):
    """Who is in a group of approvers: somebody."""

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


class BreakGlass(Listed):
    """Who may, in an emergency, release the exact plan on a card without its quorum. Nobody, if nobody is listed."""

    through_windows: bool = False
    """Whether that passes closed windows too. Without it the quorum only."""


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
    """Only these; none listed: all. A freeze holds what is in no cluster too: a repository, an endpoint."""
    namespaces: list[str] = Field(default_factory=list)
    """Only these; none listed: all. A freeze holds what is in no namespace too: a node, a silence, a repository."""
    runbooks: list[str] = Field(default_factory=list)
    """Only these; none listed: all."""
    why: str = Field(default="", max_length=200)
    """What is said to those who wait."""

    @field_validator("cron")
    @classmethod
    def _five_fields(cls, value: str) -> str:
        fault = cron.fault(value)
        if fault:
            raise ValueError(f"{value!r} {fault}")
        return value

    @field_validator("duration")
    @classmethod
    def _some_time(cls, value: str) -> str:
        if not 0 < _seconds(value) <= cron.LONGEST_SECONDS:
            raise ValueError(f"{value!r} is no duration: give days, hours and minutes, as in 8h or 2d12h, at most 31d")
        return value

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        if not cron.is_zone(value):
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
    break_glass: BreakGlass = Field(default_factory=BreakGlass)
    """Who may release a request without its quorum in an emergency, said loudly and reviewed. Empty means nobody."""
    direct_messages: bool = True
    """Whether approvers, ten of more by lot, are told directly of what waits for them; the thread tells all."""
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
        if BREAK_GLASS in self.groups:
            raise ValueError(f"groups.{BREAK_GLASS}: this name is kept for the key break_glass: give the group another")
        known = ", ".join(sorted([LISTED, *self.groups]))
        for risk, demanded in self.approvals.items():
            for name in demanded.groups:
                if name != LISTED and name not in self.groups:
                    raise ValueError(f"approvals.{risk}.groups.{name}: there is no such group (there are: {known})")
        return self

    def policy(self) -> Policy:
        """Return who may sign off what. The plain list of approvers is a group; empty means nobody."""
        groups = {name: group.group() for name, group in self.groups.items()}
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
            break_glass=self.break_glass.group(),
            through_windows=self.break_glass.through_windows,
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

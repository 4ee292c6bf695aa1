"""What the stories reach of the world: the rooms, put together once by the app and handed to every job."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from bot.analysis.offers import RunbookOffer
from bot.chat.outbox import Outbox
from bot.clients.alertmanager import Alertmanager
from bot.clients.endpoint import Endpoint
from bot.clients.github import GitHub
from bot.clients.kubernetes import Kubernetes
from bot.clients.loki import Loki
from bot.clients.slack_directory import SlackDirectory
from bot.domain.policy import Policy
from bot.domain.review import Severity
from bot.jobs.engine import Engine
from bot.model.gateway import Gateway
from bot.model.prompts import Prompt
from bot.redact import Redactor
from bot.runbooks.access import Access
from bot.runbooks.catalogue import Catalogue
from bot.runbooks.resources import in_kubernetes
from bot.store.anchors import Anchors
from bot.store.database import Database


@dataclass(frozen=True, slots=True)
class ClusterAccess:
    """One cluster by its two identities: what reads evidence can change nothing, and what changes is used for runs.
    ``loki`` keeps its logs and ``alertmanager`` its silences, if they are configured; ``acts_in`` are
    the only namespaces in which anything is changed, if any are listed."""

    reader: Kubernetes
    runner: Kubernetes | None
    loki: Loki | None = None
    alertmanager: Alertmanager | None = None
    acts_in: tuple[str, ...] = ()

    async def close(self) -> None:
        """Close every connection of it."""
        for each in (self.reader, self.runner, self.loki, self.alertmanager):
            if each is not None:
                await each.close()


def hands(
    clusters: Mapping[str, ClusterAccess],
    cluster: str,
    kinds: Iterable[str] | None = None,
    *,
    endpoints: Mapping[str, Endpoint],
    secrets: Mapping[str, str],
    github: GitHub | None,
    acts_in: Callable[[str], bool],
) -> Access | None:
    """Return what changes things of these kinds in a cluster, or, where it is empty, in none; None where a runner is
    needed and there is none. Without kinds one is needed."""
    found = clusters.get(cluster)
    runner = found.runner if found else None
    gone = bool(cluster) and found is None
    if gone or (runner is None and (kinds is None or in_kubernetes(kinds))):
        return None
    return Access(
        runner,
        cluster=cluster,
        alertmanager=found.alertmanager if found else None,
        endpoints=endpoints,
        secrets=secrets,
        github=github,
        acts_in=acts_in,
        namespaces=found.acts_in if found else (),
    )


@dataclass(frozen=True, slots=True)
class CodeAccess:
    """GitHub by the identity that reviews, which can change no contents; and what the configuration says of it.

    ``least_risk`` is the risk from which on ``channel`` hears of a pull request; ``channels`` may be chosen instead.
    ``lists_repositories``: ``listens_to`` rests on a list; without one it is all that send webhooks.
    """

    github: GitHub
    prompt: Prompt
    ci_prompt: Prompt
    listens_to: Callable[[str], bool]
    lists_repositories: bool
    channel: str
    channels: frozenset[str]
    least_risk: Severity | Literal["never"]


@dataclass(frozen=True, slots=True)
class Rules:
    """What the configuration decides. Durations are microseconds where not said otherwise."""

    channel_for: Callable[[Mapping[str, str]], str]
    cluster_for: Callable[[str, Mapping[str, str]], tuple[str | None, str]]
    policy: Policy
    policy_digest: str
    reopen_within: int
    stale_after: int
    evidence_seconds: float
    model_seconds: float
    model_tokens: int = 12_000
    several_sources: bool = False
    logs: frozenset[tuple[str, str, str]] = frozenset()
    """Which logs may be read through Slack: (channel, cluster, namespace)."""
    logs_seconds: float = 30.0
    default_cluster: str = ""
    direct_messages: bool = True
    registries: tuple[str, ...] = ()
    """The prefixes that images of a runbook may have."""
    anchor_channel: str = ""
    anchor_every: int = 3_600_000_000


@dataclass(frozen=True, slots=True, repr=False)
class World:
    """Everything a story may touch. ``gateway`` is None when no model is configured, ``code`` when no GitHub is.

    It holds secrets, and tells nothing of them where it is printed.
    """

    database: Database
    engine: Engine
    outbox: Outbox
    redactor: Redactor
    clusters: Mapping[str, ClusterAccess]
    catalogue: Catalogue
    offers: tuple[RunbookOffer, ...]
    gateway: Gateway | None
    prompt: Prompt
    log_prompt: Prompt
    directory: SlackDirectory
    rules: Rules
    code: CodeAccess | None = None
    verify_poll_seconds: float = field(default=1.0)
    anchors: Anchors = field(default_factory=Anchors)
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    actions: GitHub | None = None
    """GitHub by the identity that acts, which is another than the one that reviews."""
    acts_in: Callable[[str], bool] = lambda repository: True

    def hands(self, cluster: str, kinds: Iterable[str] | None = None) -> Access | None:
        """Return what changes things of these kinds in a cluster, as `hands` has it."""
        return hands(
            self.clusters,
            cluster,
            kinds,
            endpoints=self.endpoints,
            secrets=self.secrets,
            github=self.actions,
            acts_in=self.acts_in,
        )

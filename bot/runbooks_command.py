"""``signoff runbooks``: check them, read one in words, and see what an approver would see, without asking anybody."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.configured import configuration, fail

if TYPE_CHECKING:
    from bot.approvals.needs import Needed
    from bot.domain.runbook import Runbook
    from bot.jobs.people import Bound
    from bot.redact import Redactor
    from bot.runbooks.catalogue import Catalogue
    from bot.runbooks.plan import Planned, Refusal
    from bot.settings import Configuration

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group()
def runbooks() -> None:
    """Check the runbooks, read them, and try one without asking anybody."""


@runbooks.command()
@click.argument("folder", type=_FOLDER, required=False)
def lint(folder: Path | None) -> None:
    """Check every runbook of FOLDER (or of the configured folder) and name all problems with file, line and key.

    It finds what `signoff serve` would refuse. The groups that runbooks ask for are checked where SIGNOFF_CONFIG names
    a configuration.
    """
    import os

    from bot import shipped
    from bot.runbooks import lint as linter

    configured = bool(os.environ.get("SIGNOFF_CONFIG"))
    found = configuration(serving=False) if configured or folder is None else None
    where = folder or shipped.runbooks(found.settings.runbooks if found else None)
    problems = linter.lint(where, found.structure.policy().groups if found else None)
    for problem in problems:
        click.echo(str(problem))
    if problems:
        sys.exit(1)
    click.echo(f"{where}: no problems")


@runbooks.command("list")
def list_them() -> None:
    """List the runbooks: name, risk and title."""
    for name, runbook in sorted(_load(configuration(serving=False)).runbooks.items()):
        click.echo(f"{name:24} {runbook.risk:8} {runbook.title}")


@runbooks.command()
@click.argument("name")
def show(name: str) -> None:
    """Say in words what the runbook NAME takes, does, needs and checks, and how it is taken back."""
    from bot.runbooks.describe import describe

    books = _load(configuration(serving=False))
    for line in describe(_named(books, name)):
        click.echo(line)


@runbooks.command()
@click.argument("name")
@click.argument("parameters", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--cluster", default="", help="The cluster. Default: default_cluster, or the only one.")
@click.option("--json", "as_json", is_flag=True, help="Print the plan's record as JSON.")
def plan(name: str, parameters: tuple[str, ...], cluster: str, as_json: bool) -> None:
    """Plan the runbook NAME against the cluster and print the card that an approver would see. Changes nothing."""
    import asyncio
    import json

    from bot import assembly
    from bot.runbooks.plan import Refusal

    given = dict(pair.partition("=")[::2] for pair in parameters)
    for pair in parameters:
        if "=" not in pair:
            fail(f"{pair!r} is no parameter: give KEY=VALUE")
    found = configuration(serving=False)
    books = _load(found)
    _named(books, name)
    try:
        made = asyncio.run(_plan(found, books, name, given, cluster))
    except assembly.CannotStart as error:
        fail(str(error))
    if isinstance(made, Refusal):
        click.echo(f"signoff: {made.sentence}", err=True)
        sys.exit(1)
    click.echo(json.dumps(made.plan.record, indent=2, sort_keys=True) if as_json else _seen(made))


def _load(found: Configuration) -> Catalogue:
    from bot import assembly

    try:
        return assembly.load_catalogue(found)
    except assembly.CannotStart as error:
        fail(str(error))


def _named(books: Catalogue, name: str) -> Runbook:
    if name not in books.runbooks:
        fail(f"there is no runbook {name}; there are {', '.join(sorted(books.runbooks))}")
    return books.runbooks[name]


async def _plan(
    found: Configuration, books: Catalogue, name: str, given: dict[str, str], cluster: str
) -> Planned | Refusal:
    import contextlib
    import time
    from functools import partial

    from bot import assembly
    from bot.approvals.needs import concerning, needed
    from bot.jobs.world import hands
    from bot.runbooks import parameters
    from bot.runbooks.plan import PlanContext, make
    from bot.runbooks.resources import in_kubernetes

    runbook, structure = books.runbooks[name], found.structure
    redactor = assembly.redactor_of(found.settings)
    async with contextlib.AsyncExitStack() as life:
        clusters = assembly.connect_clusters(found, redactor)
        for each in clusters.values():
            life.push_async_callback(each.close)
        chosen = cluster or structure.default_cluster or (next(iter(clusters)) if len(clusters) == 1 else "")
        if (cluster and cluster not in clusters) or (not chosen and in_kubernetes(runbook.kinds)):
            raise assembly.CannotStart(
                f"--cluster: give one of {', '.join(sorted(clusters)) or 'none that are configured'}"
            )
        github = assembly.connect_actions(found)
        if github is not None:
            life.push_async_callback(github.close)
        access = hands(
            clusters,
            chosen,
            runbook.kinds,
            endpoints=assembly.endpoints_of(found),
            secrets=assembly.secrets_of(found, redactor),
            github=github,
            acts_in=structure.github.listens_to,
        )
        if access is None:
            raise assembly.CannotStart(f"clusters.{chosen}.runner: not configured, so nothing can be changed there")
        policy = structure.policy()
        takes = needed(runbook, policy)
        people = await _people(found, takes, redactor)
        context = PlanContext(
            matter_id="",
            matter_name="",
            cluster=chosen,
            evidence=(),
            proposed_by="",
            needs=people.needs,
            break_glass=people.break_glass,
            quorum=takes.quorum,
            requester=None,
            now=int(time.time() * 1_000_000),
            ttl_seconds=takes.ttl_seconds,
            catalogue_digest=books.digest,
            policy_digest=partial(concerning, runbook=runbook, policy=policy),
            registries=tuple(structure.registries),
        )
        values = parameters.read(runbook.parameters, given)
        return await make(runbook, values, access=access, context=context, redact=redactor.data)


async def _people(found: Configuration, takes: Needed, redactor: Redactor) -> Bound:
    """Who may approve: with Slack's groups and names where there is a token, else those who are listed."""
    from dataclasses import dataclass

    from bot import assembly
    from bot.clients import slack as slack_client
    from bot.clients.slack_directory import SlackDirectory
    from bot.domain.approval import Member, Need
    from bot.domain.policy import Group
    from bot.jobs.people import Bound, bound
    from bot.jobs.world import Rules

    @dataclass(frozen=True, slots=True)
    class Reading:
        directory: SlackDirectory
        rules: Rules
        redactor: Redactor

    token = found.settings.slack_bot_token.get_secret_value()
    if not token:
        policy = found.structure.policy()

        def listed(group: Group) -> tuple[Member, ...]:
            return tuple(Member(each, each.user_id) for each in sorted(group.users))

        needs = tuple(Need(name, count, listed(policy.groups[name])) for name, count in takes.counts.items())
        return Bound(needs, listed(policy.break_glass) if takes.break_glass else ())
    client = slack_client.open_client(token, base_url=found.settings.slack_api_url)
    try:
        people = await bound(Reading(SlackDirectory(client), assembly.rules_of(found), redactor), takes)
    finally:
        await slack_client.close(client)
    if isinstance(people, str):
        raise assembly.CannotStart(people)
    return people


def _seen(made: Planned) -> str:
    """The card as text, the file that goes beside it, and the digest that a sign-off would be bound to."""
    from bot.chat import approval_card, plan_change
    from bot.chat.as_text import as_text
    from bot.domain.approval import Approval

    record = made.plan.record
    approval = Approval(
        id="",
        number=0,
        matter_id="",
        digest=made.plan.digest,
        runbook=str(record["runbook"]["id"]),
        cluster=str(record["cluster"]),
        state="pending",
        requester=None,
        created_at=int(record["created_at"]),
        expires_at=int(record["expires_at"]),
    )
    view = approval_card.ApprovalView()
    card = approval_card.render(approval, record, view, full_diff=made.full_diff)
    beside = plan_change.attachment(approval, record, made.full_diff)
    whole = [as_text(card)]
    if beside is not None:
        whole.append(f"--- {beside.filename} ---\n{beside.content}")
    whole.append(f"digest {made.plan.digest}")
    return "\n".join(whole)

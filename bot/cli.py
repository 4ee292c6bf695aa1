"""The ``signoff`` command. Each command imports what it needs when it runs, so that ``--help`` is instant."""

from __future__ import annotations

import sys

import click

from bot.audit_command import audit
from bot.configured import configuration, fail
from bot.diff_command import diff
from bot.logs_command import logs
from bot.runbooks_command import runbooks


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="signoff", message="signoff %(version)s")
def main() -> None:
    """Signoff reads everything and touches nothing until a person signs off."""


main.add_command(logs)
main.add_command(audit)
main.add_command(diff)
main.add_command(runbooks)


@main.command()
def serve() -> None:
    """Run the bot: webhooks in, Slack out, until it is stopped."""
    import asyncio

    from bot import app, assembly

    settings = configuration()
    try:
        sys.exit(asyncio.run(app.serve(settings)))
    except assembly.CannotStart as error:
        fail(str(error))


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print the checks as JSON.")
def doctor(as_json: bool) -> None:
    """Check every connection, and say for each failure what to do."""
    import asyncio

    from bot import doctor as checks
    from bot.settings import Configuration, SettingsError

    try:
        given = Configuration.load()
    except SettingsError as error:
        sys.exit(checks.refused(error.problems, as_json=as_json))
    sys.exit(asyncio.run(checks.report(given, as_json=as_json)))


@main.command()
def manifest() -> None:
    """Print the Slack app manifest (create the app "from a manifest" with it)."""
    import json

    from bot.chat.manifest import manifest as slack_app

    click.echo(json.dumps(slack_app(), indent=2))


@main.command()
@click.option("--namespace", "-n", "namespaces", multiple=True, required=True, help="A namespace; may be repeated.")
@click.option("--account-namespace", default="signoff", show_default=True, help="Where the service accounts live.")
@click.option("--nodes", is_flag=True, help="Also what runbooks need outside of namespaces: to cordon and drain nodes.")
def rbac(namespaces: tuple[str, ...], account_namespace: str, nodes: bool) -> None:
    """Print the Kubernetes roles that the collectors and the shipped runbooks need, and nothing more."""
    import yaml

    from bot import shipped
    from bot.runbooks import catalogue
    from bot.runbooks.rbac import roles

    try:
        loaded = catalogue.load(shipped.runbooks(configuration(serving=False).settings.runbooks))
    except catalogue.RunbookError as error:
        fail(f"the runbooks cannot be used:\n{error}")
    documents = roles(loaded, namespaces, account_namespace, nodes=nodes)
    click.echo(yaml.safe_dump_all(documents, sort_keys=False), nl=False)


@main.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def sandbox(arguments: tuple[str, ...]) -> None:
    """Start local stand-ins for Slack, Kubernetes and the model, and print the environment that uses them."""
    from bot.sandbox.launch import sandbox as run

    run.main(args=list(arguments), prog_name="signoff sandbox")


@main.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def demo(arguments: tuple[str, ...]) -> None:
    """Show the whole job in a local workspace: no account, no key, no cluster."""
    from bot.sandbox.demo import demo as run

    run.main(args=list(arguments), prog_name="signoff demo")

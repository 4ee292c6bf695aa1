"""``signoff diff``: pack a diff into a budget of tokens, without the bot."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bot.condense.diff.pack import Packed

_LARGEST = 64 << 20
"""Bytes of a diff that are read; what is larger is refused, for it would take minutes."""

_RISKS = 500


@click.group()
def diff() -> None:
    """Read diffs."""


@diff.command("pack")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True), default="-")
@click.option("--budget", type=click.IntRange(min=0), required=True, help="Tokens (o200k) the text may cost.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
def pack_command(file: str, budget: int, as_json: bool) -> None:
    """Pack the unified diff in FILE (or standard input): the riskiest and most telling lines first, within a budget."""
    from hashlib import sha256

    from bot.condense.diff.pack import pack, prepare
    from bot.condense.diff.parse import parse, plain
    from bot.redact.redactor import Redactor

    try:
        with click.open_file(file, "rb") as source:
            raw = source.read(_LARGEST + 1)
    except OSError as error:
        raise click.ClickException(f"cannot read {error.filename or 'the input'}: {error.strerror}") from error
    if len(raw) > _LARGEST:
        raise click.ClickException(f"the diff is larger than {_LARGEST >> 20} MB: split it by path (git diff -- PATH)")
    patch = parse(plain(raw.decode("utf-8", "replace")))
    if raw.strip() and not patch.files:
        raise click.ClickException("the input is no unified diff: it has no `diff --git` line and no `---`/`+++` pair")
    packed = pack(prepare(patch), budget, redact=Redactor(key=sha256(raw).digest()).text)
    if as_json:
        click.echo(_json(packed))
    elif sys.stdout.isatty():
        for line in packed.text.split("\n"):
            click.echo(_coloured(line))
    else:
        click.echo(packed.text, nl=False)


def _json(packed: Packed) -> str:
    """The result as JSON. Of the risks the ``_RISKS`` most severe ones are told; the lowest are for ranking only."""
    import json
    from dataclasses import asdict

    from bot.condense.risk.rule import SEVERITIES

    found = [{"path": path, **asdict(risk)} for path, risks in packed.risks.items() for risk in risks]
    worst = sorted(
        (risk for risk in found if risk["severity"] != "low"), key=lambda risk: SEVERITIES.index(risk["severity"])
    )
    return json.dumps(
        {
            "tokens": packed.tokens,
            "text": packed.text,
            "files": [asdict(file) for file in packed.files],
            "kept": packed.kept,
            "altered": packed.altered,
            "risks": worst[:_RISKS],
            "risks_left_out": len(worst[_RISKS:]),
        },
        ensure_ascii=False,
    )


def _coloured(line: str) -> str:
    if line.startswith("## "):
        return click.style(line, bold=True)
    return click.style(line, fg={"+": "green", "-": "red", "@": "cyan"}.get(line[:1]))

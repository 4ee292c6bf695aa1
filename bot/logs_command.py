"""``signoff logs``: digest log files, or what is piped in, without the bot."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from array import array

    from bot.condense.logs.digest import Digest
    from bot.condense.logs.reader import Reader, Reading
    from bot.condense.logs.templates import Template

_PIECE: Final = 1 << 18
_LONG: Final = 8 << 20
"""Bytes of input from which on a progress bar is worth showing."""
_DURATION = re.compile(r"(\d{1,9})([smhd])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_COLOURS: Final = {"fatal": "red", "error": "red", "warning": "yellow", "info": None}
_BLOCKS: Final = "▁▂▃▄▅▆▇█"
_SHOWN_TEMPLATES: Final = 15


class _Since(click.ParamType[int]):
    """A duration before now (``15m``) or a time (``2026-11-21T14:02:00Z``), as UTC microseconds."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        from datetime import UTC, datetime, timedelta

        duration = _DURATION.fullmatch(str(value))
        if duration:
            when = datetime.now(UTC) - timedelta(seconds=int(duration[1]) * _SECONDS[duration[2]])
        else:
            try:
                when = datetime.fromisoformat(str(value))
            except ValueError:
                self.fail(f"{value!r} is no time: write 15m, 2h, 1d or an ISO time as 2026-11-21T14:02:00Z", param, ctx)
            when = when.replace(tzinfo=UTC) if when.tzinfo is None else when
        return round(when.timestamp() * 1_000_000)


@click.group()
def logs() -> None:
    """Read logs."""


@logs.command("digest")
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--budget", type=click.IntRange(min=0), default=4000, show_default=True, help="Tokens the text may cost.")
@click.option("--since", type=_Since(), help="Skip what is older: 15m, 2h, or an ISO time.")
@click.option("--baseline", type=click.Path(exists=True, dir_okay=False), help="A healthy log to compare with.")
@click.option("--json", "as_json", is_flag=True, help="Print the digest as one JSON object.")
@click.option(
    "--assignments", type=click.Path(dir_okay=False, allow_dash=True), help="Write the template of each line."
)
def digest_command(
    files: tuple[str, ...], budget: int, since: int | None, baseline: str | None, as_json: bool, assignments: str | None
) -> None:
    """Digest FILES (or standard input) into the lines worth reading, within a budget of tokens.

    Lines are numbered from 1 over all files. With `--assignments -` nothing but one template id per line is written.
    """
    if assignments and since is not None:
        raise click.UsageError("--assignments and --since exclude each other: a line that is skipped has no template")
    import tempfile
    from datetime import UTC, datetime

    from bot.condense.logs.digest import digest, rank
    from bot.condense.logs.reader import Reader
    from bot.condense.logs.templates import templates
    from bot.redact.redactor import Redactor

    with tempfile.TemporaryFile() as spool:

        def assigned(ids: array[int]) -> None:
            ids.tofile(spool)

        reader = Reader(year=datetime.now(UTC).year, assigned=assigned if assignments else None)
        try:
            if baseline:
                _read(reader, (baseline,))
                reader.mark_baseline()
                spool.seek(0)
                spool.truncate()
            if since is not None:
                reader.skip_before(since)
            _read(reader, files or ("-",))
        except OSError as error:
            raise click.ClickException(f"cannot read {error.filename or 'the input'}: {error.strerror}") from error
        reading = reader.finish()
        if assignments:
            _write_assignments(reading, spool, assignments)
            if assignments == "-":
                return
    redact = Redactor(key=reading.fingerprint()).text
    shown = digest(rank(reading, redact), budget)
    if as_json:
        click.echo(_json(shown, templates(reading, redact)))
    elif sys.stdout.isatty():
        for line in _terminal(shown, templates(reading, redact)):
            click.echo(line)
    else:
        click.echo(shown.text, nl=False)


def _read(reader: Reader, files: tuple[str, ...]) -> None:
    """Feed files to the reader, with a progress bar on a terminal when they are long."""
    total = sum(Path(name).stat().st_size for name in files if name != "-")
    with click.progressbar(
        length=max(1, total), label="Reading", file=sys.stderr, hidden=total < _LONG or not sys.stderr.isatty()
    ) as bar:
        for name in files:
            if len(files) > 1:
                reader.source(click.format_filename(name, shorten=True))
            with click.open_file(name, "rb") as source:
                for piece in _pieces(source):
                    reader.feed(piece)
                    bar.update(len(piece))


def _pieces(source: IO[Any]) -> Iterator[bytes]:
    while piece := source.read(_PIECE):
        yield piece


def _write_assignments(reading: Reading, spool: IO[bytes], target: str) -> None:
    """Write one template id per input line, now that the templates are final."""
    from array import array
    from functools import cache

    from bot.condense.logs.templates import name

    @cache
    def line(number: int) -> str:
        return name(reading.resolve(number)) + "\n"

    spool.seek(0)
    with click.open_file(target, "w", encoding="utf-8") as out:
        while piece := spool.read(_PIECE):
            ids: array[int] = array("I")
            ids.frombytes(piece)
            out.write("".join(map(line, ids)))


def _json(shown: Digest, described: list[Template]) -> str:
    import json
    from dataclasses import asdict

    return json.dumps(
        {
            "lines_total": shown.lines_total,
            "records_total": shown.records_total,
            "templates": [asdict(template) for template in described],
            "kept": shown.kept,
            "tokens": shown.tokens,
            "text": shown.text,
        },
        ensure_ascii=False,
    )


def _terminal(shown: Digest, described: list[Template]) -> Iterator[str]:
    """The digest for people: the lines coloured by severity, then the most frequent templates with their rate."""
    loud = {template.id: template.severity for template in described}
    for line in shown.text.splitlines():
        number, space, text = line.partition(" ")
        if number.isdigit():
            yield click.style(number, dim=True) + space + text
        else:
            yield click.style(line, bold=True)
    frequent = sorted(described, key=lambda template: -template.count)[:_SHOWN_TEMPLATES]
    if frequent:
        yield ""
        yield click.style("Most frequent:", bold=True)
    for template in frequent:
        count = f"{template.count:>9} {_sparkline(template.rate)} "
        yield count + click.style(template.template[:160], fg=_COLOURS[loud[template.id]])


def _sparkline(rate: tuple[int, ...]) -> str:
    most = max(rate, default=0)
    return "".join(" " if not n else _BLOCKS[min(7, n * 8 // (most + 1))] for n in rate)

"""Readings and digests of logs given as text, for the tests of this folder."""

from bot.condense.logs.digest import Digest, Ranking, digest, rank
from bot.condense.logs.reader import Reader, Reading


def as_is(text: str) -> str:
    return text


def read_log(data: bytes | str, *, piece: int = 1 << 20, since: int | None = None, baseline: str = "") -> Reading:
    raw = data.encode() if isinstance(data, str) else data
    reader = Reader(year=2026)
    if baseline:
        reader.feed(baseline.encode())
        reader.mark_baseline()
    if since is not None:
        reader.skip_before(since)
    for start in range(0, len(raw), piece):
        reader.feed(raw[start : start + piece])
    return reader.finish()


def ranked(data: bytes | str, baseline: str = "") -> Ranking:
    return rank(read_log(data, baseline=baseline), as_is)


def digested(data: bytes | str, budget: int = 4000, baseline: str = "") -> Digest:
    return digest(ranked(data, baseline), budget)


def steady(lines: int, start: int = 0) -> list[str]:
    """A healthy service: four kinds of line, over and over."""
    kinds = (
        "INFO web: GET /api/orders/{0} took {0} ms",
        "INFO cart: stored order {0} for customer {0}",
        "WARN cache: miss for key k{0}, loading",
        "INFO web: POST /api/orders/{0} took {0} ms",
    )
    return [
        f"2026-11-21T{9 + i // 3600:02}:{i // 60 % 60:02}:{i % 60:02}Z " + kinds[i % 4].format(i * 7919 % 9973)
        for i in range(start, start + lines)
    ]

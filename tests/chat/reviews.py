"""Reviews that tests render, and what GitHub makes of the text."""

import html
import re
from dataclasses import replace

import cmarkgfm

from bot.domain.review import ChangedFile, Finding, PullRequest, Review, fingerprint

HEAD = "b" * 40
PULL_REQUEST = PullRequest(
    repository="acme/shop",
    number=12,
    title="Tidy up",
    body="",
    author="mallory",
    url="https://github.com/acme/shop/pull/12",
    base_branch="main",
    base_sha="a" * 40,
    head_branch="tidy",
    head_sha=HEAD,
)
FINDING = Finding(
    fingerprint=fingerprint("deploy/shop.yaml", "LEFT", "readinessProbe:", 0),
    rule="k8s/probe-removed",
    category="availability",
    severity="high",
    confidence="high",
    path="deploy/shop.yaml",
    side="LEFT",
    line=14,
    start_line=14,
    quote="        readinessProbe:",
    why="Traffic reaches pods that are not ready.",
    first_sha=HEAD,
)
HOSTILE = (
    "@octocat #12 GH-3 https://evil.example www.evil.example <img src=x> ![x](https://evil.example/x.png) "
    "[click](https://evil.example) </details> <!-- signoff:pull-request --> ``` :octocat: $x$ acme/shop#1 deadbeef01"
)


def finding(number: int, **more) -> Finding:
    """Return one of many findings, each of its own."""
    return replace(FINDING, **({"fingerprint": f"{number:016x}", "line": number, "start_line": number} | more))


def review(*findings: Finding, files: tuple[ChangedFile, ...] = (), **more) -> Review:
    given = {"summary": "Drops a probe.", "analyst": "rules", "note": "rules, no model"} | more
    return Review(head_sha=HEAD, findings=findings, files=files, **given)


def rendered(markdown: str) -> str:
    return cmarkgfm.github_flavored_markdown_to_html(markdown, options=cmarkgfm.cmark.Options.CMARK_OPT_UNSAFE)


def links(page: str) -> list[str]:
    return re.findall(r'<(?:a|img)[^>]*?(?:href|src)="([^"]*)"', page)


def outside_code(page: str) -> str:
    return html.unescape(re.sub(r"<(code|pre)\b[^>]*>.*?</\1>|<!--.*?-->|<a [^>]*>", " ", page, flags=re.DOTALL))


def active(page: str) -> list[str]:
    """Return what GitHub would make a mention, a reference, a link or a picture of."""
    return re.findall(r"@\w+|#\d+|GH-\d+|\w+://\S*|www\.\S+|:\w+:|\b[0-9a-f]{7,40}\b", outside_code(page), re.I)

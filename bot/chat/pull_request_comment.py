"""The one comment on a pull request, edited in place: verdict, risk, findings with their states, what was not read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from bot.chat.github_markdown import code, folded, prose, within
from bot.chat.review_comments import MAX_BODY
from bot.chat.review_words import SIGNS, analyst, counted, counts, link, place, sign, verdict
from bot.domain.review import ChangedFile, Finding, PullRequest, Review

MARK: Final = "<!-- signoff:pull-request -->"
"""What our comment begins with."""
_SHOWN: Final = 8
"""Open findings, alike ones together, that are not folded away."""
_FOLDED: Final = 60
_PLACES: Final = 4
_FILES: Final = 40
_DONE: Final = 20
_CUT: Final = "_More did not fit here._"


def is_ours(text: str) -> bool:
    """Whether ``text`` is such a comment. Who wrote it must be checked as well."""
    return text.startswith(MARK)


def comment(
    pull_request: PullRequest, review: Review, *, notes: Sequence[str] = (), sections: Sequence[str] = ()
) -> str:
    """Return the comment's Markdown, at most 65,536 bytes. ``notes`` are further sentences of ours, such as a policy
    file's fault, shown as text; ``sections`` are further parts, already Markdown, such as an explained CI failure."""
    open_groups = _groups(review.open)
    states = {
        state: [finding for finding in review.findings if finding.state == state] for state in ("resolved", "dismissed")
    }
    return within(
        MAX_BODY,
        f"{MARK}\n### {sign(review)} Signoff: {verdict(review)}",
        f"**Risk {review.risk}** · {counts(review)} · {code(pull_request.head_sha[:12])}",
        prose(review.summary, 600),
        *(f"⚠️ {prose(note, 600)}" for note in notes),
        "\n".join(_group(pull_request, group) for group in open_groups[:_SHOWN]),
        *sections,
        _fold(pull_request, "more open", open_groups[_SHOWN:]),
        _unread(review),
        _settled("resolved", states["resolved"]),
        _settled("dismissed", states["dismissed"]),
        _foot(review),
        cut=_CUT,
    )


def _groups(findings: Sequence[Finding]) -> list[list[Finding]]:
    """Put what is said in the same words together, the weightiest first."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in sorted(findings, key=lambda finding: -finding.weight):
        groups.setdefault((finding.rule or finding.fingerprint, finding.why), []).append(finding)
    return list(groups.values())


def _group(pull_request: PullRequest, group: Sequence[Finding]) -> str:
    first = group[0]
    sure = "" if first.confidence == "high" else f" ({first.confidence} confidence)"
    kind = f" · {code(first.rule)}" if first.rule else ""
    places = " · ".join(_place(pull_request, finding) for finding in group[:_PLACES])
    more = f" · and {counted(len(group) - _PLACES, 'more place')}" if len(group) > _PLACES else ""
    return f"- {SIGNS[first.severity]} **{first.severity}**{sure} {prose(first.why, 600)}{kind}\n  {places}{more}"


def _place(pull_request: PullRequest, finding: Finding) -> str:
    address = link(pull_request, finding)
    where = f"[{place(finding)}]({address})" if address else place(finding)
    return f"{code(finding.path, 160)} {where} (id {code(finding.id)})"


def _fold(pull_request: PullRequest, what: str, groups: Sequence[Sequence[Finding]]) -> str:
    if not groups:
        return ""
    total = sum(map(len, groups))
    lines = [_group(pull_request, group) for group in groups[:_FOLDED]]
    lines += _rest(len(groups) - _FOLDED)
    return folded(f"{total:,} {what}", "\n".join(lines))


def _settled(state: str, findings: Sequence[Finding]) -> str:
    """Return the findings that ask for nothing any more, with who dismissed them and why."""
    if not findings:
        return ""
    lines = [
        f"- {finding.severity} {code(finding.path, 160)}: {prose(finding.why, 200)}"
        + (f" Dismissed: {prose(finding.reason, 300)}" if finding.reason else "")
        + f" (id {code(finding.id)})"
        for finding in findings[:_DONE]
    ]
    return folded(f"{len(findings):,} {state}", "\n".join([*lines, *_rest(len(findings) - _DONE)]))


def _unread(review: Review) -> str:
    files = sorted(review.unread, key=lambda file: file.kind in ("lock", "vendored", "generated"))
    if not files and not review.unlisted:
        return ""
    lines = [f"- {code(file.path, 160)}: {_missing(file)}" for file in files[:_FILES]]
    lines += _rest(len(files) - _FILES)
    if review.unlisted:
        lines.append(f"- {counted(review.unlisted, 'changed file')} that GitHub did not list")
    return folded(f"Not read, or not all of it: {counted(len(files) + review.unlisted, 'file')}", "\n".join(lines))


def _missing(file: ChangedFile) -> str:
    if not file.lines:
        return prose(file.why or ", ".join(file.notes), 100)
    kept = f"{file.kept_lines:,} of {counted(file.lines, 'changed line')} read"
    return f"{kept} ({prose(file.why, 100)})" if file.why else kept


def _rest(number: int) -> Iterator[str]:
    if number > 0:
        yield f"- and {number:,} more"


def _foot(review: Review) -> str:
    dropped = sum(review.dropped.values())
    told = f" {counted(dropped, 'claim')} of the model did not verify and were left out." if dropped else ""
    ways = f"Comment {code('@signoff review')} or {code('@signoff dismiss <id> <why>')}."
    return f"<sub>{prose(analyst(review), 300)}{told} {ways}</sub>"

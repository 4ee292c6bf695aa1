"""A pull request's story: read it, review it, say what is new once per head commit, and keep one comment true.

What is said is stored before it is said. A post whose fate is not known is looked for by its mark before it is tried
again, so that nothing is said twice however often the process dies. A newer push overtakes an older job.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import structlog
from sqlalchemy import Connection

from bot.analysis.diff_review import review
from bot.chat import check_run, pull_request_comment, review_comments
from bot.chat.ci_section import ci_section
from bot.chat.review_line import is_risky, not_reviewed, review_line
from bot.clients.github import GitHubError, GitHubLimited
from bot.clients.github_repository import GitHubRepository, NotRead
from bot.condense.diff.patch import FilePatch, Patch
from bot.domain import review_policy
from bot.domain.ci_failure import CiFailure
from bot.domain.review import PullRequest, Review
from bot.domain.review_policy import PolicyRead, ReviewPolicy
from bot.jobs import rerunning
from bot.jobs.asking_github import GONE, postpone
from bot.jobs.engine import Steps, Story
from bot.jobs.one_head import at_one_head
from bot.jobs.world import CodeAccess, World
from bot.store import audit, ci, clock, outbox, pulls, work
from bot.store.pulls import StoredPull

KIND = "pull"
VERSION = 1

DIFF_TOKENS = 16_000
_TEXT = 65_536
_MESSAGE = 2000
_OVERTAKEN, _NOT_WANTED = "overtaken", "not wanted"

log = structlog.get_logger(__name__)


def story(world: World, code: CodeAccess) -> Story:
    """Return the story of one generation of a pull request."""

    async def pull(steps: Steps, row_id: str, generation: int) -> None:
        refused: list[str] = []

        async def say(name: str, how: Callable[..., Awaitable[str]], *given: Any) -> None:
            """Say it in one place: where GitHub refuses that, the other places are left."""
            try:
                await steps(name, partial(how, world, code, row_id, *given))
            except GitHubLimited:
                raise
            except GitHubError as error:
                if error.status not in GONE:
                    raise
                refused.append(f"{name}: {error}")

        try:
            told = await steps("read", partial(_read, world, code, row_id, generation))
            if told not in (_OVERTAKEN, _NOT_WANTED):
                unreviewed = bool(told["unreviewed"])
                if not unreviewed:
                    await say("review", _review, generation, told)
                await say("comment", _comment, generation, told)
                if not unreviewed:
                    await say("check", _check, told)
            if told != _OVERTAKEN:
                finish = partial(_finish, world, row_id, generation, told, "; ".join(refused))
                await steps("finish", world.database.write, finish)
                world.outbox.kick()
        except GitHubLimited as limited:
            await postpone(world, KIND, row_id, generation, limited)
        except GitHubError as error:
            if error.status not in GONE:
                raise
            await world.database.write(partial(_give_up, world, row_id, generation, str(error)))

    return pull


# --- what is read -----------------------------------------------------------------------------------------------------


async def _read(world: World, code: CodeAccess, row_id: str, generation: int) -> Any:
    """Read the pull request and have it reviewed. Returns what the other steps need, or why there is nothing to do."""
    row = await world.database.read(lambda connection: pulls.get(connection, row_id))
    if row.state != "open":
        return _NOT_WANTED
    if not code.listens_to(row.repository):
        return await _skip(world, row, "its repository is not among those that the configuration lists")
    repository = GitHubRepository(code.github, row.repository)
    told = await repository.pull(row.number)
    if told.get("state") != "open":
        over = partial(pulls.ended, row_id=row_id, merged=told.get("merged") is True)
        await world.database.write(over)
        return await _skip(world, row, "it is closed")
    branch = str(_at(told, "base", "repo", "default_branch") or "")
    read = await _policy(repository, branch)
    policy = read.policy
    bot = _at(told, "user", "type") == "Bot"
    before = _pull_request(row, told, ())
    why = "" if row.asked_by else policy.skips(before, bot=bot)
    if why:
        await _skip(world, row, why)
        explained = policy.only_explains(before, bot=bot)
        return {"unreviewed": why, "head_sha": before.head_sha, "notes": []} if explained else _NOT_WANTED
    seen = await at_one_head(repository, told)
    pull_request = _pull_request(row, seen.told, seen.commits)
    patch, notes = seen.patch, list(seen.notes)
    left = review_policy.ignored(policy, map(_moved, patch.files))
    if left:
        patch = Patch(tuple(file for file in patch.files if file.path not in left), patch.preamble)
        notes.append(f"Not reviewed, as {review_policy.PATH} says: {', '.join(sorted(left)[:20])}.")
    # What was reviewed before a crash is said as it was: a model would not say the same again.
    if (row.asked_by and not row.asked_kept) or not _is_of(row, pull_request):
        counted = replace(pull_request, changed_files=max(0, pull_request.changed_files - len(left)))
        found = await review(
            counted,
            patch,
            world.gateway,
            code.prompt,
            world.redactor.text,
            previous=row.findings,
            deadline_seconds=world.rules.model_seconds,
            max_tokens=DIFF_TOKENS,
        )
        keep = partial(_keep, world, row_id, generation, pull_request, found)
        if not await world.database.write(keep):
            return _OVERTAKEN
    return {
        "unreviewed": "",
        "head_sha": pull_request.head_sha,
        "policy": _wanted(code, policy),
        "notes": [*read.problems, *notes],
        # GitHub takes comments only on lines of a patch that it shows itself.
        "inline": sorted(str(entry.get("filename")) for entry in seen.listed if entry.get("patch")),
    }


def _moved(file: FilePatch) -> tuple[str, str]:
    return file.path, file.old_path if file.status == "renamed" and file.old_path else file.path


def _is_of(row: StoredPull, pull_request: PullRequest) -> bool:
    """Whether what was reviewed is what there is to review: into another branch the same head is another change."""
    return (
        row.review is not None
        and row.facts is not None
        and (row.reviewed_sha, row.facts.base_branch) == (pull_request.head_sha, pull_request.base_branch)
    )


def _keep(
    world: World, row_id: str, generation: int, pull_request: PullRequest, found: Review, connection: Connection
) -> bool:
    if pulls.overtaken(connection, row_id, generation):
        return False
    pulls.keep_review(connection, row_id, _redacted(pull_request, world), found)
    return True


async def _policy(repository: GitHubRepository, branch: str) -> PolicyRead:
    """Read the repository's policy from its default branch: what a pull request says of it does not count."""
    try:
        return review_policy.read(await repository.content(review_policy.PATH, branch) if branch else None)
    except NotRead as problem:
        return review_policy.unreadable(str(problem))


async def _skip(world: World, row: StoredPull, why: str) -> str:
    def write(connection: Connection) -> None:
        pulls.skipped(connection, row.id, world.redactor.text(why))

    await world.database.write(write)
    return _NOT_WANTED


def _wanted(code: CodeAccess, policy: ReviewPolicy) -> dict[str, Any]:
    """Return what the policy comes to here: a channel that the installation does not offer is not posted to."""
    chosen = policy.slack_channel if policy.slack_channel in code.channels else code.channel
    return {
        "max_inline": policy.max_inline,
        "blocking": policy.blocking,
        "channel": chosen,
        "risk": policy.slack_risk or code.least_risk,
    }


def _pull_request(row: StoredPull, told: Mapping[str, Any], commits: Sequence[Mapping[str, Any]]) -> PullRequest:
    name = _text(_at(told, "base", "repo", "full_name"))
    return PullRequest(
        repository=name if name.lower() == row.repository.lower() else row.repository,
        number=row.number,
        title=_text(told.get("title")),
        body=_text(told.get("body")),
        author=_text(_at(told, "user", "login")),
        url=_text(told.get("html_url")),
        base_branch=_text(_at(told, "base", "ref")),
        base_sha=_text(_at(told, "base", "sha")),
        head_branch=_text(_at(told, "head", "ref")),
        head_sha=_text(_at(told, "head", "sha")),
        draft=told.get("draft") is True,
        fork=_at(told, "head", "repo", "full_name") != _at(told, "base", "repo", "full_name"),
        labels=tuple(_text(label.get("name")) for label in told.get("labels") or [] if isinstance(label, dict)),
        commits=tuple(_text(_at(commit, "commit", "message"))[:_MESSAGE] for commit in commits),
        changed_files=int(told.get("changed_files") or 0),
    )


def _redacted(pull_request: PullRequest, world: World) -> PullRequest:
    """Return what is kept of a pull request: enough to speak of it, redacted."""
    clean = world.redactor.text
    return replace(
        pull_request,
        title=clean(pull_request.title),
        body="",
        head_branch=clean(pull_request.head_branch),
        labels=tuple(clean(label) for label in pull_request.labels),
        commits=(),
    )


# --- what is said -----------------------------------------------------------------------------------------------------


async def _review(world: World, code: CodeAccess, row_id: str, generation: int, told: Mapping[str, Any]) -> str:
    """Post the review of this head, once; of a later push only where it has something new to say at lines."""
    row = await _current(world, row_id, generation)
    if row is None or row.review is None or row.facts is None or row.posted_sha == row.reviewed_sha:
        return "nothing"
    repository, found = GitHubRepository(code.github, row.repository), row.review
    sha = found.head_sha
    inline = set(told["inline"])
    most = int(told["policy"]["max_inline"])
    shown = tuple(
        finding for finding in review_comments.chosen(found, most=len(found.findings)) if finding.path in inline
    )
    shown = shown[:most]
    # People switch off what tells them of each push that there is nothing: the comment is edited all the same.
    silent = not shown and bool(row.posted_sha) and not row.asked_by
    if not silent and await _posted(code, repository, row, sha) is None:
        comments = review_comments.comments(shown)
        try:
            await repository.post_review(
                row.number, sha=sha, body=review_comments.body(found, shown), comments=comments
            )
        except GitHubError as error:
            if error.status != 422 or not comments:
                raise
            log.warning("review taken without its comments", pull=found.head_sha[:12], why=error.details)
            shown = ()
            body = review_comments.body(found, ())
            await repository.post_review(row.number, sha=sha, body=body, comments=[])

    def record(connection: Connection) -> None:
        # Read anew: while GitHub was asked, somebody may have dismissed one of them.
        newest = pulls.get(connection, row_id).review
        if newest is not None:
            marked = review_comments.said(newest, shown)
            pulls.keep_findings(connection, row_id, marked, marked.findings)
        pulls.posted(connection, row_id, sha)
        now = clock.advance(connection)
        data = {
            "head": sha,
            "verdict": found.verdict,
            "risk": found.risk,
            "open": len(found.open),
            "inline": len(shown),
        }
        audit.append(connection, at=now, kind="pull.reviewed", actor="signoff", subject=row.name, data=data)

    await world.database.write(record)
    return "nothing new" if silent else "posted"


async def _posted(
    code: CodeAccess, repository: GitHubRepository, row: StoredPull, sha: str
) -> Mapping[str, Any] | None:
    """Look for our review of a head. Only what we wrote counts: anybody can write our mark."""
    me = await code.github.login()
    for given in await repository.reviews(row.number):
        if _at(given, "user", "login") == me and review_comments.is_of(str(given.get("body") or ""), sha):
            return given
    return None


async def _comment(world: World, code: CodeAccess, row_id: str, generation: int, told: Mapping[str, Any]) -> str:
    """Post our one comment, or edit it. Of what is not reviewed it only says why CI fails, once it does."""
    row = await _current(world, row_id, generation)
    if row is None:
        return "nothing"
    unreviewed, sha, head = str(told["unreviewed"]), str(told["head_sha"]), row

    def failing(connection: Connection) -> tuple[tuple[CiFailure, ...], bool]:
        failed = ci.failed_at(connection, head.repository, sha)
        again = any(rerunning.possible(world, run) for run in failed)
        return ci.failures_of(connection, head.repository, sha), again

    failures, again = await world.database.read(failing)
    explained = ci_section(failures, head_sha=sha, again=again)
    repository = GitHubRepository(code.github, row.repository)
    if row.review is not None and row.facts is not None:
        notes = [world.redactor.text(note) for note in told["notes"]]
        text = pull_request_comment.comment(row.facts, row.review, notes=notes, sections=[explained])
    elif unreviewed and (failures or row.comment_id is not None):
        text = pull_request_comment.unreviewed(world.redactor.text(unreviewed), sections=[explained])
    else:
        return "nothing"
    known = row.comment_id
    if known is not None and row.comment_hash == pulls.digest_of(text):
        return "nothing new"
    if known is None:
        me = await code.github.login()
        for given in await repository.comments(row.number):
            if _at(given, "user", "login") == me and pull_request_comment.is_ours(str(given.get("body") or "")):
                known = int(given["id"])
                break
    if known is not None:
        try:
            await repository.edit_comment(known, text)
        except GitHubError as error:
            if error.status != 404:
                raise
            # Somebody deleted it: then it is not wanted where it was, but what it says is still true.
            known = None
    if known is None:
        known = int((await repository.post_comment(row.number, text))["id"])
    comment_id = known
    await world.database.write(lambda connection: pulls.commented(connection, row_id, comment_id, text))
    return "said"


async def _check(world: World, code: CodeAccess, row_id: str, told: Mapping[str, Any]) -> str:
    """Make the check run, or change it. Only an app can."""
    row = await world.database.read(lambda connection: pulls.get(connection, row_id))
    if not code.github.credential.is_app or row.review is None or row.facts is None:
        return "nothing"
    repository, sha = GitHubRepository(code.github, row.repository), row.review.head_sha
    beside = await world.database.read(lambda connection: pulls.with_head(connection, row.repository, sha))
    reviewed = [(one.facts, one.review) for one in (row, *beside) if one.facts and one.review]
    facts, found = check_run.gravest(one for one in reviewed if one[1].head_sha == sha)
    body = check_run.check_run(facts, found, blocking=bool(told["policy"]["blocking"]))
    try:
        for given in await repository.check_runs(sha, check_run.NAME):
            # The mark is anybody's to write: only what our own app made is ours.
            ours = f"{_at(given, 'app', 'slug')}[bot]" == await code.github.login()
            if ours and given.get("external_id") == body.get("external_id"):
                await repository.edit_check(int(given["id"]), {key: body[key] for key in body if key != "head_sha"})
                return "changed"
        await repository.post_check(body)
    except GitHubLimited:
        raise
    except GitHubError as error:
        if error.status not in GONE:
            raise
        # An app may do without the permission: the review has been said.
        log.warning("no check run", pull=row.name, why=str(error))
        return "refused"
    return "made"


def _finish(world: World, row_id: str, generation: int, told: Any, refused: str, connection: Connection) -> None:
    """Say it in Slack, where the risk is worth it, and be done. What GitHub ``refused`` can be tried again by who
    redelivers the event."""
    now = clock.advance(connection)
    row = pulls.get(connection, row_id)
    if refused:
        _give_up(world, row_id, generation, refused, connection)
    else:
        if told == _NOT_WANTED:
            _answer(connection, row, generation, row.note if row.state == "open" else f"it is {row.state}", now=now)
        work.done(connection, KIND, row_id, generation)
    pulls.answered_request(connection, row_id, generation)
    if row.review is None or row.facts is None:
        return
    key = f"pull:{row_id}"
    before = outbox.find(connection, key)
    wanted = told.get("policy") if isinstance(told, dict) else None
    if before is None and (wanted is None or not _loud(row.review, wanted)):
        return
    card = review_line(row.facts, row.review, merged=row.state == "merged", closed=row.state == "closed")
    channel = before.channel if before else str(wanted["channel"]) if wanted else ""
    outbox.put(connection, key=key, channel=channel, payload=card.payload(), now=now)


def _loud(found: Review, wanted: Mapping[str, Any]) -> bool:
    return bool(wanted["channel"]) and wanted["risk"] != "never" and is_risky(found, wanted["risk"])


def _give_up(world: World, row_id: str, generation: int, why: str, connection: Connection) -> None:
    why = world.redactor.text(why)
    log.warning("GitHub refuses what a review needs", row=row_id, why=why)
    pulls.skipped(connection, row_id, why)
    _answer(connection, pulls.get(connection, row_id), generation, why, now=clock.advance(connection))
    pulls.answered_request(connection, row_id, generation)
    work.give_up(connection, KIND, row_id, generation)


def _answer(connection: Connection, row: StoredPull, generation: int, why: str, *, now: int) -> None:
    """Tell who asked for this review in Slack, and nobody since, that there is none: they would wait for it."""
    where, _, person = row.asked_by.partition(":")
    if where != "slack" or row.wanted != generation:
        return
    user = person.rpartition(":")[2]
    outbox.put(
        connection,
        key=f"unreviewed:{row.id}:{generation}",
        channel=user,
        recipient=user,
        kind="ephemeral",
        payload=not_reviewed(row.name, why).payload(),
        now=now,
    )


async def _current(world: World, row_id: str, generation: int) -> StoredPull | None:
    """Read the row, or return None if a newer job says what there is to say."""

    def read(connection: Connection) -> StoredPull | None:
        return None if pulls.overtaken(connection, row_id, generation) else pulls.get(connection, row_id)

    return await world.database.read(read)


def _at(data: Any, *keys: str) -> Any:
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def _text(value: Any) -> str:
    return value[:_TEXT] if isinstance(value, str) else ""

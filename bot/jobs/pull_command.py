"""A command's story: what somebody with write access asks of Signoff below a pull request."""

from __future__ import annotations

from functools import partial
from typing import Literal

from sqlalchemy import Connection

from bot.analysis.review.pushes import dismiss
from bot.chat.github_markdown import code as quoted
from bot.chat.github_markdown import prose
from bot.clients.github_repository import GitHubRepository
from bot.jobs import asking_github, board, rerunning
from bot.jobs.engine import Steps, Story
from bot.jobs.world import CodeAccess, World
from bot.store import audit, clock, pulls, work
from bot.store.pulls import Command, StoredPull

KIND = "command"
VERSION = 1

MAY = ("admin", "maintain", "write")
_REASON = 300
_MOST = 10
_USAGE = (
    f"I understand {quoted('@signoff review')}, {quoted('@signoff rerun')} and {quoted('@signoff dismiss <id> <why>')}."
)

Outcome = Literal["done", "refused", "unclear"]


def story(world: World, code: CodeAccess) -> Story:
    """Return the story of one command."""

    async def command(steps: Steps, row_id: str, generation: int) -> None:
        async def obeying() -> None:
            may = await steps("ask", partial(_may, world, code, row_id))
            answer = await steps("obey", world.database.write, partial(_obey, world, row_id, may))
            world.outbox.kick()
            if answer:
                await steps("answer", partial(_answer, world, code, row_id, answer))

        if await asking_github.asked(world, KIND, row_id, generation, obeying()):
            await steps("finish", world.database.write, partial(_finish, row_id, generation))

    return command


async def _may(world: World, code: CodeAccess, row_id: str) -> bool:
    """Ask GitHub whether who commands may write to the repository, now: a payload's word for it is not enough."""

    def read(connection: Connection) -> tuple[str, str]:
        asked = pulls.command(connection, row_id)
        return asked.author, pulls.get(connection, asked.pull_id).repository

    author, repository = await world.database.read(read)
    if not author or not code.listens_to(repository):
        return False
    return await GitHubRepository(code.github, repository).permission(author) in MAY


def _obey(world: World, row_id: str, may: bool, connection: Connection) -> str:
    """Do what was asked, once. Returns what to answer: nothing where the effect can be seen, or to strangers."""
    now = clock.advance(connection)
    asked = pulls.command(connection, row_id)
    if asked.answer:
        return "" if asked.answer in ("refused", "done") else asked.answer
    answers: list[tuple[Outcome, str]] = []
    for said in asked.text.split("\n")[:_MOST]:
        verb, _, rest = said.partition(" ")
        outcome, answer = _obeyed(world, connection, asked, verb.lower(), rest, now) if may else ("refused", "")
        answers.append((outcome, answer))
        data = {"verb": verb.lower()[:20], "outcome": outcome}
        row = pulls.get(connection, asked.pull_id)
        audit.append(
            connection, at=now, kind="pull.command", actor=f"github:{asked.author}", subject=row.name, data=data
        )
    if may and asked.text.count("\n") >= _MOST:
        answers.append(("unclear", f"I take {_MOST} commands from one comment; write the others in another one."))
    told = "\n\n".join(dict.fromkeys(answer for _, answer in answers if answer))
    pulls.answered(connection, row_id, told or answers[0][0])
    return told


def _obeyed(
    world: World, connection: Connection, asked: Command, verb: str, rest: str, now: int
) -> tuple[Outcome, str]:
    """Do one thing that was asked by somebody who may. Returns whether it is done, and what to answer, if anything."""
    row = pulls.get(connection, asked.pull_id)
    if verb not in ("review", "dismiss", "rerun"):
        return "unclear", _USAGE
    if row.state != "open":
        return "unclear", f"This pull request is {row.state}: I look after open ones only."
    if verb == "dismiss":
        problem = _dismiss(world, connection, row.id, asked.author, rest)
        return ("unclear", problem) if problem else ("done", "")
    if verb == "rerun":
        return _rerun(world, connection, row, now)
    pulls.ask(connection, row.repository, row.number, by=f"github:{asked.author}")
    return "done", ""


def _rerun(world: World, connection: Connection, row: StoredPull, now: int) -> tuple[Outcome, str]:
    """Put what failed at the head into Slack, where it can be asked for: whoever writes here is nobody whom Slack
    knows, and could otherwise approve what they asked for."""
    found = rerunning.of_pull(connection, world, row.repository, row.number)
    if isinstance(found, str):
        return "unclear", prose(found, 400)
    for run in found:
        board.show(connection, world, run.id, now=now)
    names = " and ".join(f"{prose(run.workflow, 100)} (run {run.run_id})" for run in found)
    what = "has a button" if len(found) == 1 else "have a button each"
    return "done", f"{names} {what} in Slack now: who presses it asks for a re-run, and somebody else approves that."


def _dismiss(world: World, connection: Connection, pull_id: str, author: str, rest: str) -> str:
    """Dismiss a finding. Returns "" or what to answer."""
    name, _, why = rest.strip().partition(" ")
    row = pulls.get(connection, pull_id)
    if not name or not why.strip():
        return f"Which finding, and why? Write {quoted('@signoff dismiss <id> <why>')}."
    reason = f"{author}: {world.redactor.text(why.strip())[:_REASON]}"
    after = dismiss(row.review, name, reason) if row.review is not None else None
    if after is None:
        return f"There is no finding {quoted(name, 20)} on this pull request."
    pulls.keep_findings(connection, pull_id, after, after.findings)
    work.want(connection, "pull", pull_id)
    return ""


async def _answer(world: World, code: CodeAccess, row_id: str, answer: str) -> None:
    """Answer below the pull request, once: our answer carries a mark that is looked for first."""

    def read(connection: Connection) -> tuple[str, int]:
        row = pulls.get(connection, pulls.command(connection, row_id).pull_id)
        return row.repository, row.number

    name, number = await world.database.read(read)
    repository = GitHubRepository(code.github, name)
    mark = f"<!-- signoff:answer {row_id} -->"
    me = await code.github.login()
    for given in await repository.comments(number):
        if str(given.get("body") or "").startswith(mark) and (given.get("user") or {}).get("login") == me:
            return
    await repository.post_comment(number, f"{mark}\n{answer}")


def _finish(row_id: str, generation: int, connection: Connection) -> None:
    work.done(connection, KIND, row_id, generation)

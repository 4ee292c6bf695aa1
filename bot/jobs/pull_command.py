"""A command's story: what somebody with write access asks of Signoff below a pull request."""

from __future__ import annotations

from functools import partial

from sqlalchemy import Connection

from bot.analysis.review.pushes import dismiss
from bot.chat.github_markdown import code as quoted
from bot.clients.github_repository import GitHubRepository
from bot.jobs import asking_github
from bot.jobs.engine import Steps, Story
from bot.jobs.world import CodeAccess, World
from bot.store import audit, clock, pulls, work
from bot.store.pulls import Command

KIND = "command"
VERSION = 1

MAY = ("admin", "maintain", "write")
_REASON = 300
_MOST = 10
_USAGE = f"I understand {quoted('@signoff review')} and {quoted('@signoff dismiss <id> <why>')}."


def story(world: World, code: CodeAccess) -> Story:
    """Return the story of one command."""

    async def command(steps: Steps, row_id: str, generation: int) -> None:
        async def obeying() -> None:
            may = await steps("ask", partial(_may, world, code, row_id))
            answer = await steps("obey", world.database.write, partial(_obey, world, row_id, may))
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
    answers = []
    for said in asked.text.split("\n")[:_MOST]:
        verb, _, rest = said.partition(" ")
        answer = _obeyed(world, connection, asked, verb.lower(), rest) if may else "refused"
        answers.append(answer)
        outcome = answer if answer in ("refused", "done") else "unclear"
        data = {"verb": verb.lower()[:20], "outcome": outcome}
        row = pulls.get(connection, asked.pull_id)
        audit.append(
            connection, at=now, kind="pull.command", actor=f"github:{asked.author}", subject=row.name, data=data
        )
    if may and asked.text.count("\n") >= _MOST:
        answers.append(f"I take {_MOST} commands from one comment; write the others in another one.")
    unclear = dict.fromkeys(answer for answer in answers if answer not in ("refused", "done"))
    whole = "\n\n".join(unclear) or answers[0]
    pulls.answered(connection, row_id, whole)
    return "\n\n".join(unclear)


def _obeyed(world: World, connection: Connection, asked: Command, verb: str, rest: str) -> str:
    """Do one thing that was asked by somebody who may. Returns ``done``, or what to answer."""
    row = pulls.get(connection, asked.pull_id)
    if verb not in ("review", "dismiss"):
        return _USAGE
    if row.state != "open":
        return f"This pull request is {row.state}: I review open ones only."
    if verb == "dismiss":
        return _dismiss(world, connection, row.id, asked.author, rest)
    pulls.ask(connection, row.repository, row.number, by=f"github:{asked.author}")
    return "done"


def _dismiss(world: World, connection: Connection, pull_id: str, author: str, rest: str) -> str:
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
    return "done"


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

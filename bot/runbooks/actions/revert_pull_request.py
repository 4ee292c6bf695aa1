"""pull-request-revert: take a merged pull request back, as a new pull request that people merge.

A revert is only made where it is exact: each file that the pull request changed is still what it made of it. Then the
new branch has these files as they were before, which is what the plan shows, and nothing is merged by a machine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from bot.clients.github import GitHubError
from bot.clients.github_acting import ActingRepository
from bot.runbooks.access import Access, AccessFailed
from bot.runbooks.actions.action import Before, Occasion, ReadBack, Rendered, Unrehearsed, Unsuitable
from bot.runbooks.call import JSON, Call
from bot.runbooks.resources import PULL_REQUEST
from bot.runbooks.target import Target

Json = Mapping[str, Any]

MOST_FILES = 50
MOST_BYTES = 200_000
"""Of one file that is still shown line by line."""
_TITLE = 200
_LISTED = 5


class RevertPullRequest(Unrehearsed):
    """Makes a branch with one commit, and opens a pull request from it. The branch's name carries the plan's key, by
    which both are found again."""

    name = "pull-request-revert"
    kinds = frozenset({PULL_REQUEST.kind})
    verbs = frozenset()
    inverse = "none: close the pull request that it opened and delete its branch"
    idempotency = "keyed"

    def render(
        self, target: Target, live: Json, gathered: Sequence[Json], arguments: Json, occasion: Occasion
    ) -> Rendered | Unsuitable:
        """Render the branch and the pull request."""
        pull, files = live["pull"], live["files"]
        why = _refused(target, live)
        if why is not None:
            return why
        reverted = f"{target.namespace}#{target.name}"
        about = f" for {occasion.matter}" if occasion.matter else ""
        body = {
            "branch": f"signoff/revert-{target.name}-{occasion.key[:12]}",
            "base": pull["base"],
            "parent": live["head"],
            "entries": [_entry(path, file) for path, file in sorted(files.items())],
            "title": f"Revert #{target.name}: {pull['title']}"[:_TITLE],
            "body": f"Takes #{target.name} back{about}: its files are as they were before it was merged.",
        }
        count = "1 file" if len(files) == 1 else f"{len(files)} files"
        return Rendered(
            call=Call("POST", f"/repos/{target.namespace}/pulls", JSON, body),
            effect=(
                f"A pull request is opened in {target.namespace} against {pull['base']} that takes {reverted} back: "
                f"{count} as before it was merged.",
                "Nothing is merged: people review and merge it as any other.",
            ),
            undo="Close the pull request and delete its branch.",
        )

    async def read(self, access: Access, target: Target, call: Call) -> Json | None:
        """Read the pull request; when planned, what its files were, are and become; after that, what has come of it."""
        repository, number = access.repository(target.namespace), int(target.name)
        with access.translated():
            try:
                pull = await repository.pull(number)
            except GitHubError as error:
                if error.status == 404:
                    return None
                raise
            live: dict[str, Any] = {
                "metadata": {"uid": str(pull.get("node_id") or pull.get("id")), "name": target.name},
                "pull": {
                    "title": " ".join(str(pull.get("title", "")).split()),
                    "base": str((pull.get("base") or {}).get("ref", "")),
                    "merged": bool(pull.get("merged")),
                    "commit": str(pull.get("merge_commit_sha") or ""),
                },
            }
            if not live["pull"]["merged"]:
                return {**live, "files": {}}
            found = await (_follow(repository, call) if call.path else _compare(repository, pull))
            return {**live, **found}

    async def send(self, access: Access, target: Target, call: Call, *, dry_run: bool = False) -> Json:
        """Make the commit, show it as a branch, and open the pull request."""
        body, repository = call.body, access.repository(target.namespace)
        message = f"{body['title']}\n\n{body['body']}"
        # What no branch shows has no effect, whatever became of the call that made it.
        with access.translated():
            commit = await repository.commit_files(body["parent"], body["entries"], message)
        with access.translated(writing=True):
            await repository.make_branch(body["branch"], commit)
        try:
            with access.translated(writing=True):
                made = await repository.open_pull(
                    branch=body["branch"], base=body["base"], title=body["title"], body=body["body"]
                )
        except AccessFailed as failure:
            sentence = f"The branch {body['branch']} was made, its pull request perhaps not. {failure.sentence}"
            raise AccessFailed(failure.code, sentence, in_doubt=True) from None
        return {"revert": _pull(made)}

    def foresee(self, live: Json, call: Call) -> Json:
        """The pull request as it is asked for."""
        body = call.body
        return {"revert": {"branch": body["branch"], "base": body["base"], "title": body["title"]}}

    def fields(self, live: Json, arguments: Json) -> Json:
        """What was merged where, and what its files are now."""
        now = {path: file["now"] for path, file in live["files"].items()}
        return {"commit": live["pull"]["commit"], "base": live["pull"]["base"], "files": now}

    def result(self, answer: Json, arguments: Json) -> Json:
        """The pull request that was opened."""
        return {key: answer["revert"][key] for key in ("branch", "base", "title")}

    def shown(self, live: Json, answer: Json) -> tuple[Json, Json]:
        """The files, line by line, as they are and as they become."""
        files = live["files"].items()
        return {path: file["text"]["now"] for path, file in files if file["text"]["now"] is not None}, {
            path: file["text"]["back"] for path, file in files if file["text"]["back"] is not None
        }

    def applied(self, live: Json | None, before: Before, result: str, arguments: Json) -> ReadBack:
        """The pull request is there. A branch alone is half of it."""
        if live is None or ("revert" not in live):
            return "cannot tell"
        if live["revert"]:
            return "applied"
        return "cannot tell" if live["branch"] else "not applied"


def _refused(target: Target, live: Json) -> Unsuitable | None:
    pull, files = live["pull"], live["files"]
    by_hand = "Revert it on GitHub."
    if not pull["merged"]:
        return Unsuitable("not-merged", f"{target} is not merged, so there is nothing to take back.")
    if live["why"]:
        return Unsuitable("too-unusual", f"{target} cannot be taken back exactly: {live['why']}. {by_hand}")
    since = [path for path, file in sorted(files.items()) if file["now"] != file["made"]]
    if since and all(file["now"] == file["back"] for file in files.values()):
        return Unsuitable("no-change", f"{target} is taken back already: its files are as they were before it.")
    if since:
        more = f" and {len(since) - _LISTED} more" if len(since) > _LISTED else ""
        return Unsuitable(
            "changed-since", f"Changed since {target} was merged: {', '.join(since[:_LISTED])}{more}. {by_hand}"
        )
    return None


def _entry(path: str, file: Json) -> dict[str, Any]:
    """The entry of a tree that puts a file back; a null ``sha`` removes it."""
    of = file["back"] or file["made"]
    return {"path": path, "mode": of["mode"], "type": of["type"], "sha": file["back"] and file["back"]["sha"]}


async def _compare(repository: ActingRepository, pull: Json) -> Json:
    """Read what the merge made of each file (``made``), what it is ``now``, and what it was (``back``)."""
    merge = str(pull["merge_commit_sha"])
    base = str(pull["base"]["ref"])
    parents, head = await asyncio.gather(repository.parents(merge), repository.head_of(base))
    if not parents or not head:
        return {"files": {}, "head": head, "why": "its commit or its branch is gone"}
    before, after, now = await asyncio.gather(
        repository.tree(parents[0]), repository.tree(merge), repository.tree(head)
    )
    if before is None or after is None or now is None:
        return {"files": {}, "head": head, "why": "the repository has too many files"}
    changed = sorted(path for path in {*before, *after} if before.get(path) != after.get(path))
    if len(parents) == 1 and int(pull.get("commits") or 0) > 1:
        # Squashed, or rebased: of the latter the last commit is a part only.
        listed = await repository.files(int(pull["number"]))
        if {str(each["filename"]) for each in listed} - set(changed):
            return {"files": {}, "head": head, "why": "it was merged by rebasing, as several commits"}
    if len(changed) > MOST_FILES:
        return {"files": {}, "head": head, "why": f"it changed more than {MOST_FILES} files"}
    texts = await asyncio.gather(
        *(_text(repository, tree.get(path)) for path in changed for tree in (now, before)),
    )
    files = {
        path: {
            "made": after.get(path),
            "now": now.get(path),
            "back": before.get(path),
            "text": {"now": texts[2 * index], "back": texts[2 * index + 1]},
        }
        for index, path in enumerate(changed)
    }
    return {"files": files, "head": head, "why": ""}


async def _text(repository: ActingRepository, entry: Json | None) -> list[str] | str | None:
    """Return a file's lines, or, of what is no text or too long, its sha."""
    if entry is None:
        return None
    if entry["type"] != "blob":
        return f"{entry['type']} {entry['sha']}"
    content = await repository.blob(entry["sha"], limit_bytes=MOST_BYTES)
    mode = [] if entry["mode"] == "100644" else [f"(mode {entry['mode']})"]
    try:
        text = content.decode() if content is not None and b"\0" not in content else None
    except UnicodeDecodeError:
        text = None
    if text is None:
        return f"no text, {entry['sha']}"
    lines = text.split("\n")
    return [*mode, *(lines[:-1] if text.endswith("\n") else [*lines, "(no newline at the end)"])]


async def _follow(repository: ActingRepository, call: Call) -> Json:
    """Read what has come of the call, and, while nothing has, what the files are now."""
    body = call.body
    branch = await repository.head_of(body["branch"])
    found = await repository.pull_from(body["branch"]) if branch else {}
    now: Json = {}
    if not branch:
        head = await repository.head_of(body["base"])
        now = (await repository.tree(head) if head else None) or {}
    files = {entry["path"]: {"now": now.get(entry["path"])} for entry in body["entries"]}
    return {"files": files, "branch": bool(branch), "revert": _pull(found) if found else None}


def _pull(made: Json) -> dict[str, Any]:
    return {
        "number": made.get("number"),
        "branch": str((made.get("head") or {}).get("ref", "")),
        "base": str((made.get("base") or {}).get("ref", "")),
        "title": str(made.get("title", "")),
        "state": "merged" if made.get("merged_at") else str(made.get("state", "")),
    }

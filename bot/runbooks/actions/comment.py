"""comment: say something below a pull request or an issue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.clients.github import GitHubError
from bot.runbooks.access import Access
from bot.runbooks.actions.action import Before, Occasion, ReadBack, Rendered, Unrehearsed, Unsuitable
from bot.runbooks.actions.open_issue import MOST_BODY, mark
from bot.runbooks.arguments import TEXT
from bot.runbooks.call import JSON, Call
from bot.runbooks.resources import ISSUE, PULL_REQUEST
from bot.runbooks.target import Target

Json = Mapping[str, Any]


class CommentOn(Unrehearsed):
    """Posts a comment that carries the key by which it is found again."""

    name = "comment"
    kinds = frozenset({ISSUE.kind, PULL_REQUEST.kind})
    arguments: Mapping[str, Json] = {"text": TEXT}
    verbs = frozenset()
    inverse = "none: delete the comment on GitHub"
    idempotency = "keyed"

    def render(
        self, target: Target, live: Json, gathered: Sequence[Json], arguments: Json, occasion: Occasion
    ) -> Rendered | Unsuitable:
        """Render the comment."""
        text = str(arguments["text"]).strip()
        if not text or len(text) > MOST_BODY:
            return Unsuitable("text", f"A comment has 1 to {MOST_BODY:,} characters, not {len(text):,}.")
        body = {"body": f"{mark(occasion.key)}\n{text}"}
        return Rendered(
            call=Call("POST", f"/repos/{target.namespace}/issues/{target.name}/comments", JSON, body),
            effect=(f"A comment is posted below {target}.",),
            undo="Delete the comment on GitHub.",
        )

    async def read(self, access: Access, target: Target, call: Call) -> Json | None:
        """Read what is commented on, and our comment if it is there."""
        repository, number = access.repository(target.namespace), int(target.name)
        with access.translated():
            try:
                issue = await repository.issue(number)
            except GitHubError as error:
                if error.status == 404:
                    return None
                raise
            said = await repository.comments(number) if call.path else []
            me = await repository.github.login() if said else ""
        begins = call.body["body"].partition("\n")[0] if call.path else ""
        mine = [each for each in said if (each.get("user") or {}).get("login") == me]
        found = next((each for each in mine if str(each.get("body") or "").startswith(begins)), None)
        return {
            "metadata": {"uid": str(issue.get("id") or issue["number"]), "name": target.name},
            "comment": None if found is None else str(found.get("body")),
        }

    async def send(self, access: Access, target: Target, call: Call, *, dry_run: bool = False) -> Json:
        """Post it."""
        repository = access.repository(target.namespace)
        with access.translated(writing=True):
            made = await repository.post_comment(int(target.name), call.body["body"])
        return {"comment": str(made.get("body", ""))}

    def foresee(self, live: Json, call: Call) -> Json:
        """The comment as it is sent."""
        return {"comment": call.body["body"]}

    def fields(self, live: Json, arguments: Json) -> Json:
        """None: whatever else is said there does not matter."""
        return {}

    def result(self, answer: Json, arguments: Json) -> Json:
        """The text."""
        return {"comment": answer["comment"]}

    def shown(self, live: Json, answer: Json) -> tuple[Json, Json]:
        """The text, line by line."""
        return {}, {"comment": answer["comment"].splitlines()}

    def applied(self, live: Json | None, before: Before, result: str, arguments: Json) -> ReadBack:
        """Our comment is there."""
        if live is None:
            return "cannot tell"
        return "applied" if live["comment"] is not None else "not applied"

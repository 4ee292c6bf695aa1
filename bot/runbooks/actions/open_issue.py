"""issue-open: open an issue on GitHub, such as for what an incident leaves to be done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.runbooks.access import Access
from bot.runbooks.actions.action import Before, Occasion, ReadBack, Rendered, Unrehearsed, Unsuitable
from bot.runbooks.arguments import TEXT, TEXTS
from bot.runbooks.call import JSON, Call
from bot.runbooks.resources import ISSUE
from bot.runbooks.target import Target

Json = Mapping[str, Any]

MOST_TITLE = 256
MOST_BODY = 60_000
"""GitHub takes 65,536 characters."""
MOST_LABELS = 20


def mark(key: str) -> str:
    """What tells the texts of one plan from all others; GitHub does not show it."""
    return f"<!-- signoff:{key} -->"


class OpenIssue(Unrehearsed):
    """Opens an issue whose text carries the key by which it is found again."""

    name = "issue-open"
    kinds = frozenset({ISSUE.kind})
    arguments: Mapping[str, Json] = {"title": TEXT, "body": TEXT}
    optional: Mapping[str, Json] = {"labels": TEXTS}
    verbs = frozenset()
    inverse = "none: close the issue on GitHub"
    idempotency = "keyed"
    creates = True

    def render(
        self, target: Target, live: Json, gathered: Sequence[Json], arguments: Json, occasion: Occasion
    ) -> Rendered | Unsuitable:
        """Render the issue."""
        title, text = " ".join(str(arguments["title"]).split()), str(arguments["body"]).strip()
        labels = [str(label) for label in arguments.get("labels") or []]
        if not title or len(title) > MOST_TITLE or len(text) > MOST_BODY or len(labels) > MOST_LABELS:
            sentence = (
                f"An issue has a title of 1 to {MOST_TITLE} characters, at most {MOST_BODY:,} of text and "
                f"{MOST_LABELS} labels."
            )
            return Unsuitable("too-large", sentence)
        about = f"\n\nOpened for {occasion.matter}." if occasion.matter else ""
        body = {"title": title, "body": f"{mark(target.name)}\n{text}{about}", "labels": labels}
        return Rendered(
            call=Call("POST", f"/repos/{target.namespace}/issues", JSON, body),
            effect=(f"An issue is opened in {target.namespace}: {title}",),
            undo="Close the issue on GitHub.",
        )

    async def read(self, access: Access, target: Target, call: Call) -> Json | None:
        """Find the issue by its key among those that we opened."""
        repository = access.repository(target.namespace)
        with access.translated():
            mine = await repository.issues_of(await repository.github.login())
        found = next((each for each in mine if str(each.get("body") or "").startswith(mark(target.name))), None)
        return None if found is None else _wrapped(found)

    async def send(self, access: Access, target: Target, call: Call, *, dry_run: bool = False) -> Json:
        """Open it."""
        body, repository = call.body, access.repository(target.namespace)
        with access.translated(writing=True):
            return _wrapped(await repository.open_issue(body["title"], body["body"], body["labels"]))

    def foresee(self, live: Json, call: Call) -> Json:
        """The issue as it is sent."""
        return {"issue": {key: call.body[key] for key in ("title", "body", "labels")}}

    def fields(self, live: Json, arguments: Json) -> Json:
        """Its title: people may add labels and edit the text."""
        return {"title": live["issue"]["title"]} if live else {}

    def shown(self, live: Json, answer: Json) -> tuple[Json, Json]:
        """The issue, its text line by line."""
        issue = answer["issue"]
        return {}, {"issue": {**issue, "body": issue["body"].splitlines()}}

    def applied(self, live: Json | None, before: Before, result: str, arguments: Json) -> ReadBack:
        """There is an issue with the key."""
        return "not applied" if live is None else "applied"


def _wrapped(issue: Json) -> Json:
    return {
        "metadata": {"uid": str(issue.get("id") or issue.get("number")), "name": str(issue.get("number"))},
        "issue": {
            "title": str(issue.get("title", "")),
            "body": str(issue.get("body") or ""),
            "labels": sorted(str(each.get("name")) for each in issue.get("labels") or []),
        },
    }

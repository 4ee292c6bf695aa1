"""Issues and their comments, which pull requests have too.

Source: docs.github.com/rest/issues/comments; with ``pull_requests: write`` an app may comment on pull requests
(docs.github.com/rest/authentication/permissions-required-for-github-apps).
"""

from __future__ import annotations

from bot.sandbox.github.credentials import LEVELS
from bot.sandbox.github.hub import Comment, Issue, Pull, Repository
from bot.sandbox.github.refusal import forbidden, invalid, not_found
from bot.sandbox.github.rest.call import Answer, Call, Route

MAX_TITLE = 256


def _need(call: Call, thing: Pull | Issue, level: str) -> None:
    names = ("issues", "pull_requests") if isinstance(thing, Pull) else ("issues",)
    if all(LEVELS.index(call.caller.permissions.get(name, "none")) < LEVELS.index(level) for name in names):
        raise forbidden()


def comments(call: Call) -> Answer:
    """The comments, oldest first."""
    thing = call.hub.talk(call.repository, call.match["number"])
    _need(call, thing, "read")
    return call.page([call.hub.comment_json(call.repository, thing.number, one) for one in thing.comments])


def comment(call: Call) -> Answer:
    """Comment."""
    hub, thing = call.hub, call.hub.talk(call.repository, call.match["number"])
    _need(call, thing, "write")
    made = Comment(hub.id(), call.text("body", "IssueComment"), call.caller.login, hub.now(), hub.now())
    thing.comments.append(made)
    return Answer(201, hub.comment_json(call.repository, thing.number, made))


def edit(call: Call) -> Answer:
    """Edit one's own comment."""
    thing, found = _find(call.repository, call.match["comment"])
    _need(call, thing, "write")
    if found.user != call.caller.login:
        raise forbidden()
    found.body, found.updated_at = call.text("body", "IssueComment"), call.hub.now()
    return Answer(200, call.hub.comment_json(call.repository, thing.number, found))


def one(call: Call) -> Answer:
    """A comment."""
    thing, found = _find(call.repository, call.match["comment"])
    _need(call, thing, "read")
    return Answer(200, call.hub.comment_json(call.repository, thing.number, found))


def _find(repository: Repository, number: str) -> tuple[Pull | Issue, Comment]:
    things: list[Pull | Issue] = [*repository.pulls.values(), *repository.issues.values()]
    for thing in things:
        for found in thing.comments:
            if str(found.id) == number:
                return thing, found
    raise not_found()


def create(call: Call) -> Answer:
    """Open an issue."""
    repository = call.repository
    title = call.text("title", "Issue", longest=MAX_TITLE)
    labels = call.body.get("labels") or []
    if not isinstance(labels, list):
        raise invalid("Issue", "labels", "labels is not a list", "invalid")
    number = len(repository.pulls) + len(repository.issues) + 1
    body = call.text("body", "Issue", required=False)
    made = Issue(number, title, body, call.caller.login, [str(label) for label in labels], call.hub.now())
    repository.issues[number] = made
    return Answer(201, call.hub.issue_json(repository, made))


def issues(call: Call) -> Answer:
    """Issues and pull requests, newest first."""
    repository = call.repository
    state, creator = call.query.get("state", "open"), call.query.get("creator")
    things: list[Pull | Issue] = [*repository.pulls.values(), *repository.issues.values()]
    listed = [call.hub.issue_json(repository, one) for one in sorted(things, key=lambda one: -one.number)]
    return call.page(
        [one for one in listed if state in ("all", one["state"]) and creator in (None, one["user"]["login"])]
    )


def issue(call: Call) -> Answer:
    """An issue."""
    return Answer(200, call.hub.issue_json(call.repository, call.hub.talk(call.repository, call.match["number"])))


ROUTES = (
    Route("GET", "/repos/{owner}/{repo}/issues", "issues", "read", issues),
    Route("GET", "/repos/{owner}/{repo}/issues/{number}", "issues", "read", issue),
    Route("POST", "/repos/{owner}/{repo}/issues", "issues", "write", create, content=True),
    Route("GET", "/repos/{owner}/{repo}/issues/{number}/comments", "metadata", "read", comments),
    Route("POST", "/repos/{owner}/{repo}/issues/{number}/comments", "metadata", "read", comment, content=True),
    Route("GET", "/repos/{owner}/{repo}/issues/comments/{comment}", "metadata", "read", one),
    Route("PATCH", "/repos/{owner}/{repo}/issues/comments/{comment}", "metadata", "read", edit, content=True),
)

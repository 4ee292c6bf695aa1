"""Pull requests and their files. Source: docs.github.com/rest/pulls/pulls."""

from __future__ import annotations

from bot.sandbox.github.differing import MAX_LISTED, whole
from bot.sandbox.github.rest.call import Answer, Call, Route

MAX_COMMITS = 250


def pull(call: Call) -> Answer:
    """A pull request, or its whole diff where that is asked for."""
    found = call.hub.pull(call.repository, call.match["number"])
    if "diff" in call.accept:
        text = whole(call.hub.files(found))
        return Answer(200, raw=text.encode(), content_type="application/vnd.github.diff; charset=utf-8")
    return Answer(200, call.hub.pull_json(call.repository, found))


def pulls(call: Call) -> Answer:
    """Pull requests, newest first."""
    state = call.query.get("state", "open")
    base, head = call.query.get("base"), call.query.get("head")
    listed = [
        call.hub.pull_json(call.repository, one, whole=False)
        for one in sorted(call.repository.pulls.values(), key=lambda one: -one.number)
        if state in ("all", one.state)
        and base in (None, one.base_ref)
        and head in (None, f"{one.head_repository.partition('/')[0]}:{one.head_ref}")
    ]
    return call.page(listed)


def files(call: Call) -> Answer:
    """The changed files, 3,000 at most."""
    found = call.hub.pull(call.repository, call.match["number"])
    url = f"{call.hub.url}/repos/{call.repository.full_name}"
    return call.page([file.listed(url) for file in call.hub.files(found)[:MAX_LISTED]])


def commits(call: Call) -> Answer:
    """The commits, oldest first, 250 at most."""
    found = call.hub.pull(call.repository, call.match["number"])
    listed = [
        {"sha": one.sha, "commit": {"message": one.message, "author": {"name": one.author, "date": one.at}}}
        for one in call.hub.commits_of(found)
    ]
    return call.page(listed[:MAX_COMMITS])


ROUTES = (
    Route("GET", "/repos/{owner}/{repo}/pulls", "pull_requests", "read", pulls),
    Route("GET", "/repos/{owner}/{repo}/pulls/{number}", "pull_requests", "read", pull),
    Route("GET", "/repos/{owner}/{repo}/pulls/{number}/files", "pull_requests", "read", files),
    Route("GET", "/repos/{owner}/{repo}/pulls/{number}/commits", "pull_requests", "read", commits),
)

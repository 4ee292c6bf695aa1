"""Pull requests and their files. Source: docs.github.com/rest/pulls/pulls."""

from __future__ import annotations

from bot.sandbox.github.differing import MAX_LISTED, whole
from bot.sandbox.github.refusal import invalid
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


def create(call: Call) -> Answer:
    """Open a pull request from a branch of the repository itself."""
    repository = call.repository
    title = call.text("title", "PullRequest", longest=256)
    head = call.text("head", "PullRequest").removeprefix(f"{repository.full_name.partition('/')[0]}:")
    base = call.text("base", "PullRequest")
    for name, branch in (("head", head), ("base", base)):
        if branch not in repository.branches:
            raise invalid("PullRequest", name, f"{name} is invalid", "invalid")
    mine = [one for one in repository.pulls.values() if one.head_repository == repository.full_name]
    if any((one.head_ref, one.base_ref, one.state) == (head, base, "open") for one in mine):
        owner = repository.full_name.partition("/")[0]
        raise invalid("PullRequest", "", f"A pull request already exists for {owner}:{head}.")
    if repository.branches[head] in {each.sha for each in call.hub.ancestors(repository.branches[base])}:
        raise invalid("PullRequest", "", f"No commits between {base} and {head}")
    body = call.text("body", "PullRequest", required=False)
    draft = call.body.get("draft") is True
    user = call.caller.login
    made = call.acts.open_pull(repository.full_name, head, title=title, body=body, user=user, base=base, draft=draft)
    return Answer(201, call.hub.pull_json(repository, made))


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
    Route("POST", "/repos/{owner}/{repo}/pulls", "pull_requests", "write", create, content=True),
    Route("GET", "/repos/{owner}/{repo}/pulls/{number}", "pull_requests", "read", pull),
    Route("GET", "/repos/{owner}/{repo}/pulls/{number}/files", "pull_requests", "read", files),
    Route("GET", "/repos/{owner}/{repo}/pulls/{number}/commits", "pull_requests", "read", commits),
)

"""A repository, its contents at a ref, its commits and people.

Sources: docs.github.com/rest/repos/contents (1 MB as JSON; to 100 MB only raw; above that not at all),
/rest/collaborators/collaborators, /rest/commits/commits.
"""

from __future__ import annotations

import base64

from bot.sandbox.github.differing import blob_sha, changes
from bot.sandbox.github.hub import Commit, Json
from bot.sandbox.github.refusal import Refusal, not_found
from bot.sandbox.github.rest.call import Answer, Call, Route

MAX_JSON = 1024 * 1024
MAX_RAW = 100 * 1024 * 1024


def repository(call: Call) -> Answer:
    """The repository."""
    return Answer(200, call.hub.repository_json(call.repository))


def contents(call: Call) -> Answer:
    """A file at a ref; a folder is listed."""
    commit = call.hub.resolve(call.repository, call.query.get("ref") or call.repository.default_branch)
    path = call.match["path"].strip("/")
    content = commit.tree.get(path)
    if content is None:
        return _folder(call, commit, path)
    if len(content) > MAX_RAW:
        raise Refusal(403, "This API returns blobs up to 100 MB in size.", [{"code": "too_large", "field": "data"}])
    if "raw" in call.accept:
        return Answer(200, raw=content, content_type="application/vnd.github.raw+json")
    body: Json = {
        "type": "file",
        "name": path.rpartition("/")[2],
        "path": path,
        "sha": blob_sha(content),
        "size": len(content),
        "encoding": "base64",
        "content": base64.encodebytes(content).decode(),
    }
    if len(content) > MAX_JSON:
        body |= {"encoding": "none", "content": ""}
    return Answer(200, body)


def _folder(call: Call, commit: Commit, path: str) -> Answer:
    inside = f"{path}/" if path else ""
    names = {one.removeprefix(inside).partition("/")[0] for one in commit.tree if one.startswith(inside)}
    if not names:
        raise not_found()
    listed = [
        {"type": "file" if inside + name in commit.tree else "dir", "name": name, "path": inside + name}
        for name in sorted(names)
    ]
    return Answer(200, listed[:1000])


def permission(call: Call) -> Answer:
    """What a person may do here."""
    login = call.match["login"]
    held = call.hub.permission(call.repository, login)
    return Answer(200, {"permission": held, "role_name": held, "user": call.hub.user_json(login)})


def commit(call: Call) -> Answer:
    """A commit with its files."""
    found = call.hub.resolve(call.repository, call.match["ref"])
    parent = call.hub.commits[found.parents[0]].tree if found.parents else {}
    url = f"{call.hub.url}/repos/{call.repository.full_name}"
    return Answer(
        200,
        {
            "sha": found.sha,
            "commit": {"message": found.message, "author": {"name": found.author, "date": found.at}},
            "author": call.hub.user_json(found.author),
            "parents": [{"sha": sha} for sha in found.parents],
            "files": [file.listed(url) for file in changes(parent, found.tree)][:300],
        },
    )


def compare(call: Call) -> Answer:
    """What the second commit has that the first has not (three dots): its commits, and 300 files at most."""
    base, head = (call.hub.resolve(call.repository, call.match[name]) for name in ("base", "head"))
    common = call.hub.merge_base(base.sha, head.sha)
    known = {commit.sha for commit in call.hub.ancestors(common.sha)}
    ahead = [commit for commit in call.hub.ancestors(head.sha) if commit.sha not in known]
    url = f"{call.hub.url}/repos/{call.repository.full_name}"
    return Answer(
        200,
        {
            "merge_base_commit": {"sha": common.sha},
            "ahead_by": len(ahead),
            "total_commits": len(ahead),
            "commits": [{"sha": commit.sha, "commit": {"message": commit.message}} for commit in reversed(ahead)],
            "files": [file.listed(url) for file in changes(common.tree, head.tree)][:300],
        },
    )


def pulls_of_commit(call: Call) -> Answer:
    """The pull requests that brought a commit, or that are open with it as their head."""
    found = call.hub.resolve(call.repository, call.match["ref"])
    of = [
        call.hub.pull_json(call.repository, pull, whole=False)
        for pull in call.repository.pulls.values()
        if found.sha in (pull.merge_commit_sha, pull.head_sha)
    ]
    return call.page(of)


ROUTES = (
    Route("GET", "/repos/{owner}/{repo}", "metadata", "read", repository),
    Route("GET", "/repos/{owner}/{repo}/contents/{path:.*}", "contents", "read", contents),
    Route("GET", "/repos/{owner}/{repo}/collaborators/{login}/permission", "metadata", "read", permission),
    Route("GET", "/repos/{owner}/{repo}/commits/{ref}", "contents", "read", commit),
    Route("GET", "/repos/{owner}/{repo}/compare/{base}...{head}", "contents", "read", compare),
    Route("GET", "/repos/{owner}/{repo}/commits/{ref}/pulls", "pull_requests", "read", pulls_of_commit),
)

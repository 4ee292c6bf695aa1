"""The objects of git behind a repository: trees, blobs and commits are made freely, and a reference shows them.

Source: docs.github.com/rest/git (trees, blobs, commits, refs): a tree is made from another one and a list of entries,
of which a null ``sha`` removes; a reference that is there is refused (422), and so is an object that is not.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping

from bot.sandbox.github.differing import blob_sha
from bot.sandbox.github.hub import Commit, Hub, Json
from bot.sandbox.github.refusal import Refusal, not_found
from bot.sandbox.github.rest.call import Answer, Call, Route

MODES = ("100644", "100755", "040000", "160000", "120000")
MAX_ENTRIES = 100_000


def tree_sha(files: Mapping[str, bytes]) -> str:
    """Return the name of a tree."""
    listed = "\n".join(f"{path} {blob_sha(content)}" for path, content in sorted(files.items()))
    return hashlib.sha1(f"tree {listed}".encode(), usedforsecurity=False).hexdigest()


def _tree(hub: Hub, sha: str) -> Mapping[str, bytes] | None:
    if sha in hub.trees:
        return hub.trees[sha]
    return next((commit.tree for commit in hub.commits.values() if tree_sha(commit.tree) == sha), None)


def _blob(hub: Hub, sha: str) -> bytes | None:
    for commit in hub.commits.values():
        for content in commit.tree.values():
            if blob_sha(content) == sha:
                return content
    return None


def _listed(files: Mapping[str, bytes]) -> list[Json]:
    return [
        {"path": path, "mode": "100644", "type": "blob", "sha": blob_sha(content), "size": len(content)}
        for path, content in sorted(files.items())
    ]


def tree(call: Call) -> Answer:
    """A tree; this stand-in lists whole trees only."""
    sha = call.match["sha"]
    found = call.hub.commits[sha].tree if sha in call.hub.commits else _tree(call.hub, sha)
    if found is None:
        raise not_found()
    if not call.query.get("recursive"):
        raise Refusal(501, "This stand-in lists trees with recursive=1 only")
    listed = _listed(found)
    body = {"sha": tree_sha(found), "tree": listed[:MAX_ENTRIES], "truncated": len(listed) > MAX_ENTRIES}
    return Answer(200, body)


def blob(call: Call) -> Answer:
    """A blob."""
    content = _blob(call.hub, call.match["sha"])
    if content is None:
        raise not_found()
    encoded = base64.encodebytes(content).decode()
    return Answer(200, {"sha": call.match["sha"], "size": len(content), "encoding": "base64", "content": encoded})


def commit(call: Call) -> Answer:
    """A commit."""
    found = call.hub.commits.get(call.match["sha"])
    if found is None:
        raise not_found()
    return Answer(200, _told(found))


def ref(call: Call) -> Answer:
    """A reference, such as ``heads/main``."""
    name = call.match["ref"]
    sha = call.repository.branches.get(name.removeprefix("heads/")) if name.startswith("heads/") else None
    if sha is None:
        raise not_found()
    return Answer(200, {"ref": f"refs/{name}", "object": {"type": "commit", "sha": sha}})


def make_tree(call: Call) -> Answer:
    """Make a tree from another one."""
    base, entries = call.body.get("base_tree"), call.body.get("tree")
    files = dict(_tree(call.hub, str(base)) or {}) if base else {}
    if base and not files:
        raise Refusal(422, "base_tree is not a valid tree oid")
    if not isinstance(entries, list) or not entries:
        raise Refusal(422, "Invalid tree info")
    for entry in entries:
        path, sha = str(entry.get("path", "")), entry.get("sha")
        if entry.get("mode") not in MODES or not path or path.startswith("/"):
            raise Refusal(422, "tree.mode or tree.path is not supported")
        if sha is None and "content" not in entry:
            if path not in files:
                raise Refusal(422, "GitRPC::BadObjectState")
            del files[path]
            continue
        content = str(entry["content"]).encode() if sha is None else _blob(call.hub, str(sha))
        if content is None:
            raise Refusal(422, f"tree.sha {sha} is not a valid blob")
        files[path] = content
    made = tree_sha(files)
    call.hub.trees[made] = files
    return Answer(201, {"sha": made, "tree": _listed(files), "truncated": False})


def make_commit(call: Call) -> Answer:
    """Make a commit that no branch shows yet."""
    hub = call.hub
    files = _tree(hub, call.text("tree", "Commit"))
    parents = call.body.get("parents")
    if files is None:
        raise Refusal(422, "Tree SHA does not exist")
    if not isinstance(parents, list) or any(parent not in hub.commits for parent in parents):
        raise Refusal(422, "Parent SHA does not exist or is not a commit object")
    made = hub.commit(files, tuple(parents), call.text("message", "Commit"), call.caller.login)
    return Answer(201, _told(made))


def make_ref(call: Call) -> Answer:
    """Make a branch."""
    name, sha = call.text("ref", "Reference"), call.text("sha", "Reference")
    if not name.startswith("refs/heads/") or name.count("/") < 2:
        raise Refusal(422, "Reference name must start with 'refs/' and have at least two slashes")
    branch = name.removeprefix("refs/heads/")
    if branch in call.repository.branches:
        raise Refusal(422, "Reference already exists")
    if sha not in call.hub.commits:
        raise Refusal(422, "Object does not exist")
    call.repository.branches[branch] = sha
    return Answer(201, {"ref": name, "object": {"type": "commit", "sha": sha}})


def _told(found: Commit) -> Json:
    return {
        "sha": found.sha,
        "tree": {"sha": tree_sha(found.tree)},
        "message": found.message,
        "parents": [{"sha": sha} for sha in found.parents],
        "author": {"name": found.author, "date": found.at},
    }


ROUTES = (
    Route("GET", "/repos/{owner}/{repo}/git/trees/{sha}", "contents", "read", tree),
    Route("GET", "/repos/{owner}/{repo}/git/blobs/{sha}", "contents", "read", blob),
    Route("GET", "/repos/{owner}/{repo}/git/commits/{sha}", "contents", "read", commit),
    Route("GET", "/repos/{owner}/{repo}/git/ref/{ref:.*}", "contents", "read", ref),
    Route("POST", "/repos/{owner}/{repo}/git/trees", "contents", "write", make_tree),
    Route("POST", "/repos/{owner}/{repo}/git/commits", "contents", "write", make_commit),
    Route("POST", "/repos/{owner}/{repo}/git/refs", "contents", "write", make_ref),
)

from __future__ import annotations

import pytest

from bot.sandbox.github import GitHubSandbox
from bot.sandbox.github.differing import blob_sha
from bot.sandbox.github.hub import Pull
from tests.sandbox.github.conftest import SHOP, Asking

GIT = f"/repos/{SHOP}/git"


async def head(ask: Asking, branch: str = "main") -> str:
    sha: str = (await ask("GET", f"{GIT}/ref/heads/{branch}"))[1]["object"]["sha"]
    return sha


async def committed(ask: Asking, entries: list[dict[str, object]]) -> str:
    below = (await ask("GET", f"{GIT}/commits/{await head(ask)}"))[1]
    tree = (await ask("POST", f"{GIT}/trees", {"base_tree": below["tree"]["sha"], "tree": entries}))[1]
    body = {"message": "back", "tree": tree["sha"], "parents": [below["sha"]]}
    sha: str = (await ask("POST", f"{GIT}/commits", body))[1]["sha"]
    return sha


async def test_a_commit_is_made_from_entries_and_a_branch_shows_it(hub: GitHubSandbox, ask: Asking, pull: Pull) -> None:
    old = blob_sha(b"x\n")
    entries: list[dict[str, object]] = [
        {"path": "again.txt", "mode": "100644", "type": "blob", "sha": old},
        {"path": "old.txt", "mode": "100644", "type": "blob", "sha": None},
    ]
    sha = await committed(ask, entries)
    assert (await ask("POST", f"{GIT}/refs", {"ref": "refs/heads/back", "sha": sha}))[0] == 201
    tree = (await ask("GET", f"{GIT}/trees/{sha}?recursive=1"))[1]
    assert [entry["path"] for entry in tree["tree"]] == ["again.txt", "app.txt"]
    assert (await ask("GET", f"{GIT}/blobs/{old}"))[1]["size"] == 2
    asked = {"title": "Back", "head": "back", "base": "main"}
    assert (await ask("POST", f"/repos/{SHOP}/pulls", asked))[0] == 201
    status, answer = await ask("POST", f"/repos/{SHOP}/pulls", asked)
    assert (status, answer["errors"][0]["message"]) == (422, "A pull request already exists for shop:back.")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/trees", {"base_tree": "0" * 40, "tree": [{"path": "a", "mode": "100644", "content": "x"}]}),
        ("/trees", {"tree": []}),
        ("/trees", {"tree": [{"path": "a", "mode": "777", "content": "x"}]}),
        ("/trees", {"tree": [{"path": "a", "mode": "100644", "sha": None}]}),
        ("/trees", {"tree": [{"path": "a", "mode": "100644", "sha": "0" * 40}]}),
        ("/commits", {"message": "x", "tree": "0" * 40, "parents": []}),
        ("/refs", {"ref": "heads/x", "sha": "0" * 40}),
        ("/refs", {"ref": "refs/heads/main", "sha": "0" * 40}),
        ("/refs", {"ref": "refs/heads/x", "sha": "0" * 40}),
    ],
)
async def test_what_git_could_not_hold_is_refused(ask: Asking, pull: Pull, path: str, body: dict[str, object]) -> None:
    assert (await ask("POST", GIT + path, body))[0] == 422


async def test_reading_is_no_right_to_write(hub: GitHubSandbox, ask: Asking, pull: Pull) -> None:
    sha = await head(ask)
    ask.token = hub.credentials.install({"contents": "read", "pull_requests": "write"}).token
    assert (await ask("POST", f"{GIT}/refs", {"ref": "refs/heads/x", "sha": sha}))[0] == 403


async def test_nothing_new_is_no_pull_request(ask: Asking, pull: Pull) -> None:
    assert (await ask("POST", f"{GIT}/refs", {"ref": "refs/heads/same", "sha": await head(ask)}))[0] == 201
    status, answer = await ask("POST", f"/repos/{SHOP}/pulls", {"title": "x", "head": "same", "base": "main"})
    assert (status, answer["errors"][0]["message"]) == (422, "No commits between main and same")

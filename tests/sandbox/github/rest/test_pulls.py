from __future__ import annotations

from bot.sandbox.github import GitHubSandbox
from bot.sandbox.github.hub import Pull
from tests.sandbox.github.conftest import SHOP, Asking


async def test_a_pull_request_counts_what_it_changes(ask: Asking, pull: Pull) -> None:
    found = (await ask("GET", f"/repos/{SHOP}/pulls/1"))[1]
    assert (found["changed_files"], found["additions"], found["deletions"]) == (2, 3, 2)
    assert found["head"]["sha"] == pull.head_sha


async def test_files_come_in_pages(hub: GitHubSandbox, ask: Asking) -> None:
    hub.acts.create_repository(SHOP, {"a": "1\n"})
    hub.acts.push(SHOP, "many", {f"f{n:04}": "1\n" for n in range(130)})
    hub.acts.open_pull(SHOP, "many")
    first = (await ask("GET", f"/repos/{SHOP}/pulls/1/files?per_page=100"))[1]
    assert len(first) == 100
    assert 'page=2>; rel="next"' in ask.headers["Link"]
    second = (await ask("GET", f"/repos/{SHOP}/pulls/1/files?per_page=100&page=2"))[1]
    assert len(second) == 30
    assert "Link" not in ask.headers
    assert len((await ask("GET", f"/repos/{SHOP}/pulls/1/files?per_page=500"))[1]) == 100


async def test_a_pull_request_changes_what_its_branch_did_since_it_left_its_base(
    hub: GitHubSandbox, ask: Asking, pull: Pull
) -> None:
    hub.acts.push(SHOP, "main", {"elsewhere": "1\n"})
    files = (await ask("GET", f"/repos/{SHOP}/pulls/1/files"))[1]
    assert [file["filename"] for file in files] == ["app.txt", "new.txt"]


async def test_the_whole_diff_is_a_media_type(ask: Asking, pull: Pull) -> None:
    status, text = await ask("GET", f"/repos/{SHOP}/pulls/1", accept="application/vnd.github.diff")
    assert status == 200
    assert text.startswith("diff --git a/app.txt b/app.txt\n--- a/app.txt\n+++ b/app.txt\n@@ ")


async def test_a_merge_brings_the_change_to_its_base(hub: GitHubSandbox, ask: Asking, pull: Pull) -> None:
    hub.acts.act_on_pull(SHOP, 1, "merge", user="lee")
    found = (await ask("GET", f"/repos/{SHOP}/pulls/1"))[1]
    assert found["merged"]
    assert (await ask("GET", f"/repos/{SHOP}/contents/new.txt"))[0] == 200
    of = (await ask("GET", f"/repos/{SHOP}/commits/{found['merge_commit_sha']}/pulls"))[1]
    assert [one["number"] for one in of] == [1]

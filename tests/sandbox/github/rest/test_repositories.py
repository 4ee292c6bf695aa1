from __future__ import annotations

import base64

from bot.sandbox.github import GitHubSandbox
from bot.sandbox.github.hub import Pull
from tests.sandbox.github.conftest import AFTER, BEFORE, SHOP, Asking


async def test_contents_are_those_of_the_ref(ask: Asking, pull: Pull) -> None:
    for ref, content in (("main", BEFORE), ("change", AFTER), (pull.head_sha, AFTER)):
        found = (await ask("GET", f"/repos/{SHOP}/contents/app.txt?ref={ref}"))[1]
        assert base64.b64decode(found["content"]).decode() == content
    assert (await ask("GET", f"/repos/{SHOP}/contents/nothing"))[0] == 404
    assert (await ask("GET", f"/repos/{SHOP}/contents/app.txt?ref=nowhere"))[0] == 404


async def test_a_push_is_compared_with_what_was_there_before(hub: GitHubSandbox, ask: Asking, pull: Pull) -> None:
    before = hub.hub.repository(SHOP).branches["main"]
    after = hub.acts.push(SHOP, "main", {"b": "2\n"}, earlier=[{"a": "1\n"}, {"a": "1\n2\n"}]).sha
    status, found = await ask("GET", f"/repos/{SHOP}/compare/{before}...{after}")
    assert (status, found["ahead_by"], [file["filename"] for file in found["files"]]) == (200, 3, ["a", "b"])
    assert [commit["sha"] for commit in found["commits"]][-1] == after
    assert (await ask("GET", f"/repos/{SHOP}/compare/{'e' * 40}...{after}"))[0] == 404


async def test_a_file_over_1_mb_is_only_there_raw(hub: GitHubSandbox, ask: Asking) -> None:
    hub.acts.create_repository(SHOP, {"big": "x" * (1024 * 1024 + 1), "fits": "x" * 1024 * 1024})
    assert (await ask("GET", f"/repos/{SHOP}/contents/fits"))[1]["encoding"] == "base64"
    assert (await ask("GET", f"/repos/{SHOP}/contents/big"))[1]["encoding"] == "none"
    raw = (await ask("GET", f"/repos/{SHOP}/contents/big", accept="application/vnd.github.raw+json"))[1]
    assert len(raw) == 1024 * 1024 + 1


async def test_a_persons_permission_is_told(ask: Asking, pull: Pull) -> None:
    assert (await ask("GET", f"/repos/{SHOP}/collaborators/lee/permission"))[1]["permission"] == "write"
    assert (await ask("GET", f"/repos/{SHOP}/collaborators/stranger/permission"))[1]["permission"] == "read"

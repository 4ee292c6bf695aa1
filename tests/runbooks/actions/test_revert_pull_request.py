"""A merged pull request is taken back exactly, as a pull request, or not at all."""

from __future__ import annotations

import pytest

from bot.runbooks import execute, verify
from bot.runbooks.plan import Planned, Refusal
from tests.runbooks.actions.conftest import SHOP, Hub

FILES: dict[str, str | bytes | None] = {"app.yaml": "a: 1\nb: 3\n", "new.txt": "n\n", "old.txt": None}


def merged(hub: Hub, files: dict[str, str | bytes | None] | None = None) -> None:
    hub.sandbox.acts.push(SHOP, "change", FILES if files is None else files)
    hub.sandbox.acts.open_pull(SHOP, "change", title="Take @everyone faster")
    hub.sandbox.acts.act_on_pull(SHOP, 1, "merge", user="lee")


async def planned(hub: Hub) -> Planned:
    made = await hub.plan("revert-pull-request", pull_request=1)
    assert isinstance(made, Planned), made
    return made


async def refused(hub: Hub) -> str:
    made = await hub.plan("revert-pull-request", pull_request=1)
    assert isinstance(made, Refusal), made
    return made.sentence


async def test_the_plan_shows_each_line_that_goes_back(hub: Hub) -> None:
    merged(hub)
    made = await planned(hub)
    assert made.full_diff.splitlines()[1:] == [
        "@@ app.yaml",
        '    - "a: 1"',
        '-   - "b: 3"',
        "- new.txt:",
        '-   - "n"',
        '+   - "b: 2"',
        "+ old.txt:",
        "+   - x",
    ]
    assert "Nothing is merged" in " ".join(made.plan.record["effect"])
    assert hub.writes() == []


async def test_what_was_merged_becomes_a_pull_request_that_takes_it_back(hub: Hub) -> None:
    before = hub.sandbox.hub.resolve(hub.repository, "main").tree
    merged(hub)
    hub.sandbox.acts.push(SHOP, "main", {"other.txt": "kept\n"})
    made = await planned(hub)
    main = hub.repository.branches["main"]
    assert (await hub.fire(made.plan)).as_rehearsed
    assert hub.repository.branches["main"] == main
    revert = hub.repository.pulls[2]
    assert (revert.base_ref, revert.state, revert.user) == ("main", "open", "signoff-actions")
    assert hub.sandbox.hub.commits[revert.head_sha].tree == {**before, "other.txt": b"kept\n"}
    assert await hub.read_back(made.plan) == "applied"
    seen = await verify.observe(made.plan, {0: "done"}, hub.access, now=1)
    assert (seen.healthy, seen.altered) == (True, False)
    assert seen.sentence.startswith(f"{SHOP}#2 takes PullRequest {SHOP}#1 back")


async def test_a_squash_is_taken_back_and_a_rebase_of_several_commits_is_not(hub: Hub) -> None:
    hub.sandbox.acts.push(SHOP, "change", {"app.yaml": "a: 2\nb: 2\n"})
    hub.sandbox.acts.push(SHOP, "change", {"new.txt": "n\n"})
    pull = hub.sandbox.acts.open_pull(SHOP, "change")
    hub.sandbox.acts.push(SHOP, "main", {"app.yaml": "a: 2\nb: 2\n", "new.txt": "n\n"})
    pull.state, pull.merged_at, pull.merge_commit_sha = "closed", "now", hub.repository.branches["main"]
    made = await planned(hub)
    assert len(made.plan.calls[0]["body"]["entries"]) == 2
    rebased = hub.sandbox.acts.push(SHOP, "main", {"other.txt": "n\n"})
    pull.merge_commit_sha = rebased.sha
    assert "rebasing" in await refused(hub)


@pytest.mark.parametrize(
    ("path", "content", "says"),
    [
        ("app.yaml", "a: 1\nb: 4\n", f"Changed since PullRequest {SHOP}#1 was merged: app.yaml."),
        ("new.txt", None, f"Changed since PullRequest {SHOP}#1 was merged: new.txt."),
    ],
)
async def test_what_was_changed_since_is_not_overwritten(hub: Hub, path: str, content: str | None, says: str) -> None:
    merged(hub)
    hub.sandbox.acts.push(SHOP, "main", {path: content})
    assert says in await refused(hub)


async def test_what_is_not_merged_or_back_already_or_nowhere_is_refused(hub: Hub) -> None:
    assert "There is no PullRequest" in await refused(hub)
    hub.sandbox.acts.push(SHOP, "change", FILES)
    hub.sandbox.acts.open_pull(SHOP, "change")
    assert "is not merged" in await refused(hub)
    hub.sandbox.acts.act_on_pull(SHOP, 1, "merge")
    hub.sandbox.acts.push(SHOP, "main", {"app.yaml": "a: 1\nb: 2\n", "new.txt": None, "old.txt": "x\n"})
    assert "is taken back already" in await refused(hub)


async def test_a_repository_that_is_not_listed_is_refused(hub: Hub) -> None:
    hub.sandbox.acts.create_repository("other/deploy", {"a": "b"})
    made = await hub.plan("revert-pull-request", repository="other/deploy", pull_request=1)
    assert isinstance(made, Refusal)
    assert "github.repositories" in made.sentence


async def test_a_change_between_the_plan_and_its_run_is_drift(hub: Hub) -> None:
    merged(hub)
    made = await planned(hub)
    hub.sandbox.acts.push(SHOP, "main", {"other.txt": "no matter\n"})
    assert await execute.drift(made.plan, hub.access) == ()
    hub.sandbox.acts.push(SHOP, "main", {"app.yaml": "b: 5\n"})
    assert [each.what for each in await execute.drift(made.plan, hub.access)] == ["fields"]
    assert (await execute.fire(made.plan, 0, hub.access)).outcome == "failed"
    assert hub.writes() == []


@pytest.mark.parametrize(
    ("path", "action", "outcome", "found"),
    [
        ("/git/trees$", "drop", "failed", "not applied"),
        ("/git/refs$", "drop", "in_doubt", "not applied"),
        ("/git/refs$", "lose_answer", "in_doubt", "cannot tell"),
        ("/pulls$", "drop", "in_doubt", "cannot tell"),
        ("/pulls$", "lose_answer", "in_doubt", "applied"),
    ],
)
async def test_an_answer_that_does_not_come_is_looked_for(
    hub: Hub, path: str, action: str, outcome: str, found: str
) -> None:
    merged(hub)
    made = await planned(hub)
    hub.fault(action, "POST", path)
    assert (await hub.fire(made.plan)).outcome == outcome
    assert await hub.read_back(made.plan) == found
    if found == "not applied":
        assert await hub.read_back(made.plan, waited=1) == "cannot tell"


async def test_binary_files_go_back_too_and_are_named(hub: Hub) -> None:
    merged(hub, {"logo.png": b"\x89PNG\0\1"})
    made = await planned(hub)
    assert "logo.png" in made.full_diff
    assert "no text" in made.full_diff
    assert (await hub.fire(made.plan)).outcome == "done"
    assert "logo.png" not in hub.sandbox.hub.commits[hub.repository.pulls[2].head_sha].tree

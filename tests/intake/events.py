"""Bodies of GitHub's webhooks, with the keys that matter, made by hand."""

from __future__ import annotations

from typing import Any

REPOSITORY = {"id": 1, "full_name": "shop/deploy", "default_branch": "main"}
SHA = "a" * 40


def pull(action: str = "opened", *, sha: str = SHA, at: str = "2026-11-21T10:00:00Z", **more: Any) -> dict[str, Any]:
    made = {
        "number": 7,
        "title": "Roll out faster",
        "user": {"login": "dana", "type": "User"},
        "head": {"sha": sha, "ref": "change"},
        "base": {"ref": "main"},
        "html_url": "https://github.com/shop/deploy/pull/7",
        "merged": False,
        "merged_at": None,
        "merge_commit_sha": None,
        "updated_at": at,
        "draft": False,
    } | more
    return {"action": action, "number": 7, "pull_request": made, "repository": REPOSITORY}


def comment(body: str, *, user: str = "lee", kind: str = "User", on: str = "issue") -> dict[str, Any]:
    about: dict[str, Any] = {"number": 7}
    if on == "issue":
        about["pull_request"] = {"url": "x"}
    said = {"id": 99, "body": body, "user": {"login": user, "type": kind}}
    return {"action": "created", on: about, "comment": said, "repository": REPOSITORY}


def run(conclusion: str | None = "failure", **more: Any) -> dict[str, Any]:
    made = {
        "id": 55,
        "name": "CI",
        "workflow_id": 17,
        "event": "push",
        "run_attempt": 2,
        "head_sha": SHA,
        "head_branch": "change",
        "conclusion": conclusion,
        "html_url": "https://github.com/shop/deploy/actions/runs/55",
        "pull_requests": [{"number": 7}],
        "updated_at": "2026-11-21T10:05:00Z",
    } | more
    return {"action": "completed", "workflow_run": made, "repository": REPOSITORY}


def push(ref: str = "refs/heads/main", **more: Any) -> dict[str, Any]:
    head = {"message": "Raise the limit\n\nmore", "timestamp": "2026-11-21T12:00:00+02:00", "url": "u"}
    return {
        "ref": ref,
        "after": SHA,
        "deleted": False,
        "head_commit": head,
        "pusher": {"name": "dana"},
        "commits": [{"added": ["a"], "removed": [], "modified": ["b"]}, {"added": [], "modified": ["b", "c"]}],
        "repository": REPOSITORY,
    } | more


def deployment(state: str = "success") -> dict[str, Any]:
    return {
        "action": "created",
        "deployment_status": {"state": state, "created_at": "2026-11-21T10:10:00Z", "target_url": ""},
        "deployment": {"id": 3, "sha": SHA, "environment": "production", "creator": {"login": "dana"}, "url": "d"},
        "repository": REPOSITORY,
    }

"""Check runs, which only an app may make.

Source: docs.github.com/rest/checks/runs: ``conclusion`` with ``completed``; 65,535 characters of summary and text;
50 annotations a request. github.com/databricks/cli/pull/4563: only the app that made a run changes it.
"""

from __future__ import annotations

from typing import Any

from bot.sandbox.github.hub import Json
from bot.sandbox.github.refusal import Refusal, invalid, not_found
from bot.sandbox.github.rest.call import Answer, Call, Route

STATUSES = ("queued", "in_progress", "completed", "waiting", "requested", "pending")
CONCLUSIONS = ("action_required", "cancelled", "failure", "neutral", "success", "skipped", "timed_out")
MAX_TEXT = 65_535
MAX_ANNOTATIONS = 50


def _only_apps(call: Call) -> None:
    if call.caller.kind != "installation":
        raise Refusal(403, "You must authenticate via a GitHub App.")


def _fields(call: Call) -> Json:
    body = call.body
    found: Json = {}
    for key in ("details_url", "external_id"):
        if key in body:
            found[key] = call.text(key, "CheckRun", required=False)
    status, conclusion = body.get("status"), body.get("conclusion")
    if status is not None and status not in STATUSES:
        raise invalid("CheckRun", "status", "status is not included in the list", "invalid")
    if conclusion is not None and conclusion not in CONCLUSIONS:
        raise invalid("CheckRun", "conclusion", "conclusion is not included in the list", "invalid")
    if status == "completed" and conclusion is None:
        raise invalid("CheckRun", "conclusion", "conclusion is required when status is completed", "missing_field")
    if conclusion is not None:
        found |= {"status": "completed", "conclusion": conclusion, "completed_at": call.hub.now()}
    elif status is not None:
        found["status"] = status
    if "output" in body:
        found["output"] = _output(body["output"])
    return found


def _output(given: Any) -> Json:
    if not isinstance(given, dict) or not given.get("title") or not given.get("summary"):
        raise invalid("CheckRun", "output", "title and summary are required", "missing_field")
    for key in ("summary", "text"):
        if len(str(given.get(key) or "")) > MAX_TEXT:
            raise invalid("CheckRun", key, f"{key} exceeds a maximum of {MAX_TEXT} characters")
    if len(given.get("annotations") or []) > MAX_ANNOTATIONS:
        raise invalid("CheckRun", "annotations", f"exceeds max size of {MAX_ANNOTATIONS}")
    return dict(given)


def create(call: Call) -> Answer:
    """Make a check run for a commit."""
    _only_apps(call)
    hub, sha = call.hub, call.text("head_sha", "CheckRun")
    name = call.text("name", "CheckRun")
    if sha not in hub.commits:
        raise Refusal(422, f"No commit found for SHA: {sha}")
    number = hub.id()
    made: Json = {
        "id": number,
        "name": name,
        "head_sha": sha,
        "status": "queued",
        "conclusion": None,
        "started_at": hub.now(),
        "html_url": f"{hub.url}/{call.repository.full_name}/runs/{number}",
        "app": {"id": call.credentials.app_id, "slug": call.credentials.app_slug},
        "output": {},
        **_fields(call),
    }
    call.repository.checks.append(made)
    return Answer(201, made)


def update(call: Call) -> Answer:
    """Change a check run."""
    _only_apps(call)
    for check in call.repository.checks:
        if str(check["id"]) == call.match["check"]:
            if check["app"]["id"] != call.credentials.app_id:
                message = "check run can only be modified by the GitHub App that created it."
                raise Refusal(403, f"Invalid app_id `{check['app']['id']}` - {message}")
            check.update(_fields(call))
            return Answer(200, check)
    raise not_found()


def of_ref(call: Call) -> Answer:
    """The check runs of a commit."""
    sha = call.hub.resolve(call.repository, call.match["ref"]).sha
    name = call.query.get("check_name")
    found = [check for check in call.repository.checks if check["head_sha"] == sha and name in (None, check["name"])]
    return call.page(found, under="check_runs")


ROUTES = (
    Route("POST", "/repos/{owner}/{repo}/check-runs", "checks", "write", create),
    Route("PATCH", "/repos/{owner}/{repo}/check-runs/{check}", "checks", "write", update),
    Route("GET", "/repos/{owner}/{repo}/commits/{ref}/check-runs", "checks", "read", of_ref),
)

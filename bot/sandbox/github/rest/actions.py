"""Workflow runs, their jobs and logs.

Source: docs.github.com/rest/actions/workflow-runs and /workflow-jobs: logs are a redirect to an address that is good
for one minute and needs no token; they are gone (410) when they expired; only a run that ended may run again, and
only a workflow that says ``workflow_dispatch`` may be dispatched.
"""

from __future__ import annotations

import io
import zipfile

from bot.sandbox.github.hub import Json, Run
from bot.sandbox.github.refusal import Refusal, not_found
from bot.sandbox.github.rest.call import Answer, Call, Route


def _run(call: Call) -> Run:
    number = call.match["run"]
    found = call.repository.runs.get(int(number)) if number.isdigit() else None
    if found is None:
        raise not_found()
    return found


def run(call: Call) -> Answer:
    """A run."""
    return Answer(200, call.hub.run_json(call.repository, _run(call)))


def runs(call: Call) -> Answer:
    """Runs, newest first."""
    query = call.query
    listed = [
        call.hub.run_json(call.repository, one)
        for one in sorted(call.repository.runs.values(), key=lambda one: -one.id)
        if query.get("head_sha") in (None, one.head_sha)
        and query.get("branch") in (None, one.head_branch)
        and query.get("status") in (None, one.status, one.conclusion)
    ]
    return call.page(listed, under="workflow_runs")


def jobs(call: Call) -> Answer:
    """The jobs of an attempt of a run, or of its newest one."""
    found = _run(call)
    said = call.match.get("attempt", str(found.attempt))
    attempt = int(said) if said.isdigit() else 0
    if not 1 <= attempt <= found.attempt:
        raise not_found()
    return call.page([job for job in found.jobs if job["run_attempt"] == attempt], under="jobs")


def job_log(call: Call) -> Answer:
    """Where a job's log can be read, for one minute."""
    for found in call.repository.runs.values():
        for job in found.jobs:
            if str(job["id"]) == call.match["job"]:
                return _signed(call, _log(found, job["id"]).encode())
    raise not_found()


def run_logs(call: Call) -> Answer:
    """Where all logs of a run can be read as an archive, for one minute."""
    found = _run(call)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for index, job in enumerate(found.jobs):
            archive.writestr(f"{index}_{job['name'].replace('/', ' ')}.txt", _log(found, job["id"]))
    return _signed(call, packed.getvalue())


def _log(found: Run, job: int) -> str:
    if job not in found.logs:
        raise Refusal(410, "Server Error: logs are no longer available")
    return found.logs[job]


def _signed(call: Call, content: bytes) -> Answer:
    return Answer(302, headers={"Location": f"{call.hub.url}/_signed/{call.hub.sign(content)}"})


def rerun_failed(call: Call) -> Answer:
    """Run the failed jobs of a run again."""
    found = _run(call)
    if found.status != "completed" or found.conclusion == "success":
        raise Refusal(403, "This workflow run cannot be retried")
    before = [job for job in found.jobs if job["run_attempt"] == found.attempt]
    found.attempt += 1
    found.status, found.conclusion = "queued", None
    for job in before:
        again = {**job, "id": call.hub.id(), "run_attempt": found.attempt}
        if job["conclusion"] == "failure":
            again |= {"status": "queued", "conclusion": None, "completed_at": None}
        found.jobs.append(again)
    return Answer(201, {})


def workflow(call: Call) -> Answer:
    """A workflow by its id or file name."""
    return Answer(200, _workflow(call))


def workflow_runs(call: Call) -> Answer:
    """A workflow's runs, newest first."""
    of, query = _workflow(call)["id"], call.query
    listed = [
        call.hub.run_json(call.repository, one)
        for one in sorted(call.repository.runs.values(), key=lambda one: -one.id)
        if one.workflow_id == of and query.get("event") in (None, one.event) and query.get("actor") in (None, one.actor)
    ]
    return call.page(listed, under="workflow_runs")


def _workflow(call: Call) -> Json:
    wanted = call.match["workflow"]
    for workflow in call.repository.workflows.values():
        if wanted in (str(workflow["id"]), workflow["path"].rpartition("/")[2]):
            return workflow
    raise not_found()


def dispatch(call: Call) -> Answer:
    """Start a workflow by its id or file name."""
    workflow = _workflow(call)
    ref = call.text("ref", "WorkflowDispatch")
    if ref.removeprefix("refs/heads/") not in call.repository.branches:
        raise Refusal(422, f"No ref found for: {ref}")
    content = call.hub.resolve(call.repository, ref).tree.get(workflow["path"], b"")
    if b"workflow_dispatch" not in content:
        raise Refusal(422, "Workflow does not have 'workflow_dispatch' trigger")
    inputs = call.body.get("inputs") or {}
    call.repository.dispatched.append({"workflow": workflow["id"], "ref": ref, "inputs": dict(inputs)})
    hub, branch = call.hub, ref.removeprefix("refs/heads/")
    made = Run(
        hub.id(),
        workflow["name"],
        workflow["path"],
        workflow["id"],
        "workflow_dispatch",
        call.repository.branches[branch],
        branch,
        "queued",
        None,
        1,
        hub.now(),
        actor=call.caller.login,
    )
    call.repository.runs[made.id] = made
    return Answer(204)


ROUTES = (
    Route("GET", "/repos/{owner}/{repo}/actions/runs", "actions", "read", runs),
    Route("GET", "/repos/{owner}/{repo}/actions/runs/{run}", "actions", "read", run),
    Route("GET", "/repos/{owner}/{repo}/actions/runs/{run}/jobs", "actions", "read", jobs),
    Route("GET", "/repos/{owner}/{repo}/actions/runs/{run}/attempts/{attempt}/jobs", "actions", "read", jobs),
    Route("GET", "/repos/{owner}/{repo}/actions/runs/{run}/logs", "actions", "read", run_logs),
    Route("GET", "/repos/{owner}/{repo}/actions/jobs/{job}/logs", "actions", "read", job_log),
    Route("GET", "/repos/{owner}/{repo}/actions/workflows/{workflow}", "actions", "read", workflow),
    Route("GET", "/repos/{owner}/{repo}/actions/workflows/{workflow}/runs", "actions", "read", workflow_runs),
    Route("POST", "/repos/{owner}/{repo}/actions/runs/{run}/rerun-failed-jobs", "actions", "write", rerun_failed),
    Route("POST", "/repos/{owner}/{repo}/actions/workflows/{workflow}/dispatches", "actions", "write", dispatch),
)

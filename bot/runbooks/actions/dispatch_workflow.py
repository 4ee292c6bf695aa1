"""workflow-dispatch: start a workflow that is made for it, at a branch, with inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.clients.github import GitHubError
from bot.runbooks.access import Access, AccessFailed
from bot.runbooks.actions.action import Before, Occasion, ReadBack, Rendered, Unrehearsed, Unsuitable
from bot.runbooks.actions.rerun_failed_jobs import wrapped
from bot.runbooks.arguments import NAME, NAMED_TEXTS
from bot.runbooks.call import JSON, Call
from bot.runbooks.resources import WORKFLOW
from bot.runbooks.target import Target

Json = Mapping[str, Any]

MOST_INPUTS = 10
"""https://docs.github.com/actions/reference/workflow-syntax-for-github-actions#onworkflow_dispatchinputs"""


class DispatchWorkflow(Unrehearsed):
    """The workflow's file is bound as it is at the branch when the plan is made; a change of it is refused.

    GitHub gives no key to a dispatch. Whether it was taken is told from the newest run that our own credential
    dispatched, of which there is one at a time.
    """

    name = "workflow-dispatch"
    kinds = frozenset({WORKFLOW.kind})
    arguments: Mapping[str, Json] = {"ref": NAME}
    optional: Mapping[str, Json] = {"inputs": NAMED_TEXTS}
    verbs = frozenset()
    inverse = "none: what a workflow did is its own affair; cancel the run on GitHub"
    idempotency = "none"

    async def gather(self, access: Access, target: Target, live: Json, arguments: Json) -> Sequence[Json]:
        """Read which file it is at the branch."""
        ref = str(arguments["ref"])
        return [{"sha": await _file(access, target, live["workflow"]["path"], ref)}]

    def render(
        self, target: Target, live: Json, gathered: Sequence[Json], arguments: Json, occasion: Occasion
    ) -> Rendered | Unsuitable:
        """Render the dispatch."""
        ref, workflow = str(arguments["ref"]), live["workflow"]
        inputs = {str(key): str(value) for key, value in (arguments.get("inputs") or {}).items()}
        if len(inputs) > MOST_INPUTS:
            return Unsuitable("inputs", f"A workflow takes at most {MOST_INPUTS} inputs, not {len(inputs)}.")
        if workflow["state"] != "active":
            return Unsuitable("disabled", f"{target} is {workflow['state']}. Enable it on GitHub.")
        sha = gathered[0]["sha"]
        if not sha:
            return Unsuitable("not-found", f"There is no {workflow['path']} at {ref} in {target.namespace}.")
        with_inputs = "".join(f", {key}={value}" for key, value in sorted(inputs.items()))
        path = f"/repos/{target.namespace}/actions/workflows/{target.name}/dispatches"
        body = {"ref": ref, "inputs": inputs, "path": workflow["path"], "file": sha}
        return Rendered(
            call=Call("POST", path, JSON, body),
            effect=(f"{target.namespace} runs {workflow['path']} at {ref}{with_inputs}, once.",),
            undo="Cancel the run on GitHub; what it did is its own affair.",
        )

    async def read(self, access: Access, target: Target, call: Call) -> Json | None:
        """Read the workflow, and the newest run of it that we dispatched."""
        repository = access.repository(target.namespace)
        with access.translated():
            try:
                workflow = await repository.workflow(target.name)
            except GitHubError as error:
                if error.status == 404:
                    return None
                raise
            last = await repository.last_dispatch(target.name, await repository.github.login())
        return {
            "metadata": {"uid": str(workflow["id"]), "name": target.name, "generation": int(last.get("id") or 0)},
            "workflow": {"path": str(workflow["path"]), "state": str(workflow.get("state", ""))},
            "run": wrapped(last)["run"] if last else {},
        }

    async def send(self, access: Access, target: Target, call: Call, *, dry_run: bool = False) -> Json:
        """Start it, if the file is still what was approved."""
        body = call.body
        if await _file(access, target, body["path"], body["ref"]) != body["file"]:
            sentence = f"{body['path']} is another at {body['ref']} than when the plan was made."
            raise AccessFailed("changed", sentence, in_doubt=False)
        repository = access.repository(target.namespace)
        with access.translated(writing=True):
            await repository.dispatch(target.name, body["ref"], body["inputs"])
        return self.foresee({}, call)

    def foresee(self, live: Json, call: Call) -> Json:
        """The request: GitHub answers nothing."""
        return {"dispatch": {key: call.body[key] for key in ("ref", "inputs")}}

    def fields(self, live: Json, arguments: Json) -> Json:
        """Which file it is, and whether it may be started."""
        return live.get("workflow") or {}

    def result(self, answer: Json, arguments: Json) -> Json:
        """What was asked for."""
        return answer["dispatch"]  # type: ignore[no-any-return]  # as `foresee` made it

    def shown(self, live: Json, answer: Json) -> tuple[Json, Json]:
        """The request."""
        return {}, answer

    def applied(self, live: Json | None, before: Before, result: str, arguments: Json) -> ReadBack:
        """There is a newer run that we dispatched."""
        if live is None or before.generation is None:
            return "cannot tell"
        return "applied" if live["metadata"]["generation"] > before.generation else "not applied"


async def _file(access: Access, target: Target, path: str, ref: str) -> str:
    repository = access.repository(target.namespace)
    with access.translated():
        return await repository.content_sha(path, ref)

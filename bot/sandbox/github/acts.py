"""What people and runners do in the stand-in's repositories, each with the webhooks it causes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.sandbox.github.credentials import Credentials
from bot.sandbox.github.hub import Comment, Commit, Hub, Json, Pull, Repository, Run, apply
from bot.sandbox.github.webhooks import Webhooks

Files = Mapping[str, str | bytes | None]


class Acts:
    """Everything a test can make happen. ``app_events`` adds the installation to payloads, as an app gets them."""

    def __init__(self, hub: Hub, webhooks: Webhooks, credentials: Credentials) -> None:
        self._hub = hub
        self._webhooks = webhooks
        self._credentials = credentials

    def create_repository(
        self,
        full_name: str,
        files: Files,
        *,
        people: Mapping[str, str] | None = None,
        default_branch: str = "main",
    ) -> Repository:
        """Make a repository with one commit."""
        hub = self._hub
        repository = Repository(hub.id(), full_name, default_branch, dict(people or {}))
        hub.repositories[full_name] = repository
        first = hub.commit(apply({}, files), (), "Begin", full_name.partition("/")[0])
        repository.branches[default_branch] = first.sha
        return repository

    def fork(self, full_name: str, of: str) -> Repository:
        """Fork a repository, with all its branches."""
        parent = self._hub.repository(of)
        forked = Repository(self._hub.id(), full_name, parent.default_branch, {}, parent=parent.full_name)
        forked.branches = dict(parent.branches)
        self._hub.repositories[full_name] = forked
        return forked

    def push(
        self,
        full_name: str,
        branch: str,
        files: Files,
        *,
        message: str = "Change",
        user: str = "dana",
        earlier: Sequence[Files] = (),
    ) -> Commit:
        """Commit to a branch (a new one leaves the default branch) and tell of it. What changed ``earlier`` are commits
        of the same push."""
        hub, repository = self._hub, self._hub.repository(full_name)
        before = repository.branches.get(branch)
        parent = before or repository.branches[repository.default_branch]
        for changed in earlier:
            parent = hub.commit(apply(hub.commits[parent].tree, changed), (parent,), message, user).sha
        commit = hub.commit(apply(hub.commits[parent].tree, files), (parent,), message, user)
        self._moved(repository, branch, before, commit, user)
        return commit

    def _moved(self, repository: Repository, branch: str, before: str | None, commit: Commit, user: str) -> None:
        hub = self._hub
        repository.branches[branch] = commit.sha
        pushed = [commit]
        while before and before not in pushed[-1].parents and pushed[-1].parents:
            pushed.append(hub.commits[pushed[-1].parents[0]])
        commits = [self._told(repository, one) for one in reversed(pushed)]
        payload = {
            "ref": f"refs/heads/{branch}",
            "before": before or "0" * 40,
            "after": commit.sha,
            "created": before is None,
            "deleted": False,
            "forced": False,
            "compare": f"{hub.url}/{repository.full_name}/compare/{branch}",
            "commits": commits,
            "head_commit": commits[-1],
            "pusher": {"name": user},
        }
        self._emit("push", repository, user, payload)
        for other in list(hub.repositories.values()):
            for pull in other.pulls.values():
                if (pull.head_repository, pull.head_ref, pull.state) == (repository.full_name, branch, "open"):
                    old, pull.head_sha, pull.updated_at = pull.head_sha, commit.sha, hub.now()
                    self.tell(other, pull, "synchronize", user, before=old, after=commit.sha)

    def _told(self, repository: Repository, commit: Commit) -> Json:
        hub = self._hub
        parent = hub.commits[commit.parents[0]].tree if commit.parents else {}
        changed = {path for path in {*parent, *commit.tree} if parent.get(path) != commit.tree.get(path)}
        return {
            "id": commit.sha,
            "message": commit.message,
            "timestamp": commit.at,
            "author": {"name": commit.author, "username": commit.author},
            "url": f"{hub.url}/{repository.full_name}/commit/{commit.sha}",
            "added": sorted(path for path in changed if path not in parent),
            "removed": sorted(path for path in changed if path not in commit.tree),
            "modified": sorted(path for path in changed if path in parent and path in commit.tree),
        }

    def open_pull(
        self,
        full_name: str,
        head: str,
        *,
        title: str = "A change",
        body: str = "",
        user: str = "dana",
        base: str = "",
        draft: bool = False,
        labels: Sequence[str] = (),
        head_repository: str = "",
    ) -> Pull:
        """Open a pull request."""
        hub, repository = self._hub, self._hub.repository(full_name)
        source = hub.repository(head_repository or full_name)
        base = base or repository.default_branch
        number = len(repository.pulls) + len(repository.issues) + 1
        pull = Pull(
            number,
            title,
            body,
            user,
            source.full_name,
            head,
            source.branches[head],
            base,
            repository.branches[base],
            draft,
            list(labels),
            hub.now(),
            hub.now(),
        )
        repository.pulls[number] = pull
        self.tell(repository, pull, "opened", user)
        return pull

    def act_on_pull(self, full_name: str, number: int, action: str, *, user: str = "dana") -> Pull:
        """Merge, close, reopen, or change between draft and ready."""
        hub, repository = self._hub, self._hub.repository(full_name)
        pull = hub.pull(repository, number)
        if action == "merge":
            self._merge(repository, pull, user)
        elif action == "close":
            pull.state, pull.closed_at = "closed", hub.now()
            self.tell(repository, pull, "closed", user)
        elif action == "reopen":
            pull.state, pull.closed_at = "open", None
            self.tell(repository, pull, "reopened", user)
        elif action in ("ready", "draft"):
            pull.draft = action == "draft"
            self.tell(repository, pull, "converted_to_draft" if pull.draft else "ready_for_review", user)
        else:
            raise ValueError("action: merge, close, reopen, ready or draft")
        return pull

    def retarget(self, full_name: str, number: int, base: str, *, user: str = "dana") -> Pull:
        """Give a pull request another base branch."""
        repository = self._hub.repository(full_name)
        pull = self._hub.pull(repository, str(number))
        before = {"ref": {"from": pull.base_ref}, "sha": {"from": pull.base_sha}}
        pull.base_ref, pull.base_sha, pull.updated_at = base, repository.branches[base], self._hub.now()
        self.tell(repository, pull, "edited", user, changes={"base": before})
        return pull

    def check(self, full_name: str, head_sha: str, *, name: str, external_id: str = "", app: str = "other-ci") -> Json:
        """Let another app make a check run."""
        repository = self._hub.repository(full_name)
        made: Json = {
            "id": self._hub.id(),
            "name": name,
            "head_sha": head_sha,
            "status": "completed",
            "conclusion": "success",
            "external_id": external_id,
            "app": {"id": self._hub.id(), "slug": app},
            "output": {},
        }
        repository.checks.append(made)
        return made

    def _merge(self, repository: Repository, pull: Pull, user: str) -> None:
        hub = self._hub
        target = repository.branches[pull.base_ref]
        changed = hub.files(pull)
        head = hub.commits[pull.head_sha].tree
        files: dict[str, bytes | None] = {file.path: head.get(file.path) for file in changed}
        files |= {file.old_path: None for file in changed if file.old_path}
        message = f"Merge pull request #{pull.number} from {pull.head_ref}\n\n{pull.title}"
        commit = hub.commit(apply(hub.commits[target].tree, files), (target, pull.head_sha), message, user)
        pull.state, pull.closed_at, pull.merged_at = "closed", hub.now(), hub.now()
        pull.merge_commit_sha, pull.merged_by = commit.sha, user
        self.tell(repository, pull, "closed", user)
        self._moved(repository, pull.base_ref, target, commit, user)

    def comment(self, full_name: str, number: int, body: str, *, user: str = "dana") -> Comment:
        """Comment on a pull request or issue."""
        hub, repository = self._hub, self._hub.repository(full_name)
        thing = hub.talk(repository, str(number))
        made = Comment(hub.id(), body, user, hub.now(), hub.now())
        thing.comments.append(made)
        payload = {
            "action": "created",
            "issue": hub.issue_json(repository, thing),
            "comment": hub.comment_json(repository, number, made),
        }
        self._emit("issue_comment", repository, user, payload)
        return made

    def comment_on_line(self, full_name: str, number: int, body: str, *, path: str, line: int, user: str) -> Json:
        """Comment on a line of a pull request, as a reply to a finding is made."""
        hub, repository = self._hub, self._hub.repository(full_name)
        pull = hub.pull(repository, number)
        made = {
            "id": hub.id(),
            "body": body,
            "path": path,
            "line": line,
            "side": "RIGHT",
            "commit_id": pull.head_sha,
            "user": hub.user_json(user),
            "author_association": hub.association(repository, user),
            "created_at": hub.now(),
        }
        payload = {"action": "created", "comment": made, "pull_request": hub.pull_json(repository, pull, whole=False)}
        self._emit("pull_request_review_comment", repository, user, payload)
        return made

    def run_workflow(
        self,
        full_name: str,
        head_sha: str,
        jobs: Sequence[Mapping[str, Any]],
        *,
        name: str = "CI",
        event: str = "pull_request",
        branch: str = "",
        conclusion: str = "",
    ) -> Run:
        """Let a workflow run to its end. A job has ``name``, ``conclusion`` and ``log``."""
        hub, repository = self._hub, self._hub.repository(full_name)
        path = f".github/workflows/{name.lower().replace(' ', '-')}.yml"
        workflow = next((one for one in repository.workflows.values() if one["name"] == name), None)
        if workflow is None:
            workflow = {"id": hub.id(), "name": name, "path": path, "state": "active"}
            repository.workflows[workflow["id"]] = workflow
        ended = conclusion or ("failure" if any(job.get("conclusion") == "failure" for job in jobs) else "success")
        run = Run(
            hub.id(), name, path, workflow["id"], event, head_sha, branch, "completed", ended, 1, hub.now(), [], {}
        )
        for job in jobs:
            number = hub.id()
            run.jobs.append(
                {
                    "id": number,
                    "run_id": run.id,
                    "run_attempt": 1,
                    "head_sha": head_sha,
                    "name": str(job["name"]),
                    "workflow_name": name,
                    "status": "completed",
                    "conclusion": str(job.get("conclusion", "success")),
                    "started_at": hub.now(),
                    "completed_at": hub.now(),
                    "html_url": f"{hub.url}/{full_name}/actions/runs/{run.id}/job/{number}",
                    "steps": [dict(step) for step in job.get("steps", ())],
                }
            )
            run.logs[number] = str(job.get("log", ""))
        repository.runs[run.id] = run
        payload = {"action": "completed", "workflow_run": hub.run_json(repository, run), "workflow": workflow}
        self._emit("workflow_run", repository, "dana", payload)
        return run

    def finish_run(self, full_name: str, run: int, *, conclusion: str = "success", log: str = "") -> Run:
        """Let a run that was started again, or dispatched, come to its end. ``log`` is what each job wrote."""
        repository = self._hub.repository(full_name)
        found = repository.runs[run]
        found.status, found.conclusion = "completed", conclusion
        for job in found.jobs:
            if job["run_attempt"] == found.attempt and job["status"] == "queued":
                job |= {"status": "completed", "conclusion": conclusion, "completed_at": self._hub.now()}
                found.logs[job["id"]] = log
        workflow = repository.workflows[found.workflow_id]
        payload = {
            "action": "completed",
            "workflow_run": self._hub.run_json(repository, found),
            "workflow": workflow,
        }
        self._emit("workflow_run", repository, found.actor, payload)
        return found

    def deploy(self, full_name: str, sha: str, *, environment: str = "production", state: str = "success") -> Json:
        """Deploy a commit, and say how it went."""
        hub, repository = self._hub, self._hub.repository(full_name)
        deployment = {
            "id": hub.id(),
            "sha": sha,
            "ref": repository.default_branch,
            "environment": environment,
            "task": "deploy",
            "created_at": hub.now(),
            "creator": hub.user_json("dana"),
        }
        repository.deployments.append(deployment)
        status = {"id": hub.id(), "state": state, "environment": environment, "created_at": hub.now()}
        payload = {"action": "created", "deployment_status": status, "deployment": deployment}
        self._emit("deployment_status", repository, "dana", payload)
        return deployment

    def tell(self, repository: Repository, pull: Pull, action: str, user: str, **more: Any) -> None:
        """Send a pull_request event."""
        payload = {"action": action, "number": pull.number, "pull_request": self._hub.pull_json(repository, pull)}
        self._emit("pull_request", repository, user, payload | more)

    def _emit(self, event: str, repository: Repository, user: str, payload: Json) -> None:
        told = {
            **payload,
            "repository": self._hub.repository_json(repository),
            "sender": self._hub.user_json(user),
            "installation": {"id": self._credentials.installation_id},
        }
        self._webhooks.emit(event, told)

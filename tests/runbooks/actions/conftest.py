"""A repository in the GitHub stand-in, and plans of runbooks that act on it, with the credential that acts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.clients.github import Credential, GitHub
from bot.clients.kubernetes import Kubernetes
from bot.domain.plan import Plan
from bot.runbooks import execute
from bot.runbooks.access import Access
from bot.runbooks.catalogue import load
from bot.runbooks.execute import Effect
from bot.runbooks.plan import PlanContext, Planned, Refusal, make
from bot.sandbox.github import GitHubSandbox, start
from bot.sandbox.github.hub import Repository

SHOP = "shop/deploy"
LATER = execute.REQUEST_LIMIT_SECONDS
PERMISSIONS = {"actions": "write", "contents": "write", "issues": "write", "pull_requests": "write"}
KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "prod", "cluster": {"server": "https://127.0.0.1:1"}}],
    "users": [{"name": "runner", "user": {"token": "t"}}],
    "contexts": [{"name": "prod", "context": {"cluster": "prod", "user": "runner"}}],
}


@dataclass
class Hub:
    """The stand-in with one repository, and what an approved action does in it."""

    sandbox: GitHubSandbox
    access: Access
    context: PlanContext
    folder: Path

    @property
    def repository(self) -> Repository:
        return self.sandbox.hub.repository(SHOP)

    async def plan(self, runbook: str, **given: Any) -> Planned | Refusal:
        books = load(Path(__file__).parents[3] / "runbooks")
        return await self._make(books.runbooks[runbook], {"repository": SHOP, **given})

    async def plan_step(self, kind: str, name: str, action: str, check: str, **arguments: Any) -> Planned | Refusal:
        """Plan a runbook of one step that is not shipped."""
        return await self.plan_steps(kind, name, {"do": arguments}, action, check)

    async def plan_steps(
        self, kind: str, name: str, steps: dict[str, dict[str, Any]], action: str, check: str
    ) -> Planned | Refusal:
        """Plan a runbook of several steps of one action, each with its arguments."""
        book = {
            "id": "own",
            "version": 1,
            "title": "Do it",
            "description": "A runbook of the test.",
            "risk": "low",
            "parameters": {"type": "object", "additionalProperties": False, "properties": {}},
            "target": {"apiVersion": "github/v3", "kind": kind, "namespace": SHOP, "name": name},
            "preconditions": [],
            "steps": [
                {"id": step, "action": action, "with": arguments, "timeout_seconds": 20}
                for step, arguments in steps.items()
            ],
            "verification": {"check": check, "deadline_seconds": 60, "stable_seconds": 0},
            "rollback": "By hand.",
            "approval": {"quorum": 1, "ttl_seconds": 600},
        }
        (self.folder / "own.yaml").write_text(yaml.safe_dump(book))
        return await self._make(load(self.folder).runbooks["own"], {})

    async def _make(self, runbook: Any, given: dict[str, Any]) -> Planned | Refusal:
        return await make(runbook, given, access=self.access, context=self.context, redact=lambda data: data)

    async def fire(self, plan: Plan) -> Effect:
        assert await execute.drift(plan, self.access) == ()
        return await execute.fire(plan, 0, self.access)

    async def read_back(self, plan: Plan, waited: float = LATER) -> str:
        return await execute.read_back(plan, 0, self.access, waited_seconds=waited)

    def fault(self, action: str, method: str, path: str, **more: Any) -> None:
        self.sandbox.control("fault", {"action": action, "method": method, "path": path, **more})

    def writes(self) -> list[str]:
        return [f"{call['method']} {call['path']}" for call in self.sandbox.calls if call["method"] != "GET"]


@pytest.fixture
async def hub(context: PlanContext, tmp_path: Path) -> AsyncIterator[Hub]:
    config = tmp_path / "kubeconfig"
    config.write_text(yaml.safe_dump(KUBECONFIG))
    folder = tmp_path / "books"
    folder.mkdir()
    sandbox = await start(port=0)
    sandbox.acts.create_repository(SHOP, {"app.yaml": "a: 1\nb: 2\n", "old.txt": "x\n"}, people={"lee": "write"})
    token = sandbox.credentials.personal("signoff-actions", PERMISSIONS)
    github = GitHub(Credential(token=token), base_url=sandbox.url, timeout=15)
    kubernetes = Kubernetes.from_kubeconfig(str(config), "prod", cluster="prod", identity="runner")
    access = Access(kubernetes, github=github, acts_in=lambda name: name.startswith("shop/"))
    yield Hub(sandbox, access, replace(context, cluster="prod"), folder)
    await github.close()
    await kubernetes.close()
    await sandbox.stop()

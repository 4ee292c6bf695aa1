"""The doctor: each connection is really tried, and what fails says what to do."""

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot import doctor
from bot.doctor import Check
from bot.runbooks import catalogue, rbac
from bot.sandbox import kubernetes
from bot.sandbox.kubernetes import shop
from bot.settings import Configuration
from tests.serving import ROOT, environment


@dataclass
class Sandbox:
    """Running stand-ins, and the environment that points at them."""

    given: dict[str, str]
    folder: Path

    def changed(self, **values: Any) -> dict[str, str]:
        """The environment with another configuration file: ``values`` replace its keys."""
        data = yaml.safe_load(Path(self.given["SIGNOFF_CONFIG"]).read_text())
        path = self.folder / "changed.yaml"
        path.write_text(yaml.safe_dump(data | values))
        return self.given | {"SIGNOFF_CONFIG": str(path)}


@pytest.fixture(scope="module")
async def sandbox(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sandbox]:
    folder = tmp_path_factory.mktemp("sandbox")
    given = environment(folder, f"sqlite:///{folder / 'signoff.db'}")
    words = [
        "-m",
        "bot.sandbox",
        "--slack",
        "0",
        "--kubernetes",
        "0",
        "--messages",
        "0",
        "--loki",
        "0",
        "--alertmanager",
        "0",
        "--github",
        "0",
        "--json",
        "--folder",
        str(folder),
    ]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout is not None
    told = json.loads(await asyncio.wait_for(process.stdout.readline(), 60))
    yield Sandbox(given | told["environment"], folder)
    process.terminate()
    await process.wait()


async def examine(given: dict[str, str]) -> dict[str, Check]:
    return {check.name: check for check in await doctor.examine(Configuration.load(given))}


async def test_when_all_is_well_every_check_is_ok(sandbox: Sandbox) -> None:
    checks = await examine(sandbox.given)
    wrong = [check for check in checks.values() if check.ok is False]
    assert wrong == []
    assert {"runbooks", "prompts", "database", "slack", "slack scopes", "socket mode", "approvers", "model"} <= set(
        checks
    )
    assert {"channel C0INCIDENTS", "cluster prod, reader", "cluster prod, runner"} <= set(checks)
    assert not (sandbox.folder / "signoff.db").exists(), "it changes nothing"


@pytest.mark.parametrize(
    ("name", "value", "check", "said"),
    [
        ("SLACK_BOT_TOKEN", "xoxb-wrong-token", "slack", "SLACK_BOT_TOKEN"),
        ("SLACK_APP_TOKEN", "xapp-wrong-token", "slack", "SLACK_APP_TOKEN"),
        ("SIGNOFF_SLACK_API_URL", "http://127.0.0.1:1/api/", "slack", "can be reached"),
        ("ANTHROPIC_API_KEY", "sk-ant-wrong", "model", "ANTHROPIC_API_KEY"),
        ("ANTHROPIC_BASE_URL", "http://127.0.0.1:1", "model", "ANTHROPIC_BASE_URL"),
        ("SIGNOFF_DATABASE_URL", "postgresql://signoff:hidden@127.0.0.1:1/x", "database", "Mend"),
        ("SIGNOFF_RUNBOOKS", "/nowhere", "runbooks", "signoff runbooks lint"),
        ("SIGNOFF_PROMPTS", "/nowhere", "prompts", "SIGNOFF_PROMPTS"),
        ("KUBECONFIG", "/nowhere", "clusters", "kubeconfig"),
        ("GITHUB_ACTIONS_TOKEN", "github_pat_wrong", "github actions", "GITHUB_ACTIONS_TOKEN"),
        ("SIGNOFF_GITHUB_API_URL", "http://127.0.0.1:1", "github", "GITHUB_APP_ID"),
    ],
)
async def test_what_fails_says_what_to_do_and_the_rest_is_still_examined(
    sandbox: Sandbox, name: str, value: str, check: str, said: str
) -> None:
    checks = await examine(sandbox.given | {name: value})
    assert checks[check].ok is False
    assert said in checks[check].remedy
    assert len(checks) > 5
    everything = json.dumps([str(each) for each in checks.values()])
    assert "hidden" not in everything
    assert value not in everything or value.startswith(("/", "http"))


@pytest.mark.parametrize(
    ("changed", "check", "said"),
    [
        ({"channel": "C0NOWHERE"}, "channel C0NOWHERE", "cannot be read"),
        ({"approvers": []}, "approvers", "nobody is listed"),
        ({"approvers": ["T0OTHER:U0LEE"]}, "approvers", "1 of 1 listed are of another workspace"),
        ({"approvers": ["T0SHOP:U0LEE", "T0SHOP:U0GUEST"]}, "approvers", "is a guest"),
        ({"approvers": ["T0SHOP:U0NOBODY"]}, "approvers", "T0SHOP:U0NOBODY cannot be read"),
        ({"groups": {"oncall": {"usergroups": ["T0SHOP:S0NONE"]}}}, "approvers", "S0NONE cannot be read"),
        ({"clusters": {}, "default_cluster": "", "logs": {}}, "clusters", "none is configured"),
        ({"namespaces": ["elsewhere"]}, "cluster prod, reader", "may not"),
    ],
)
async def test_what_is_configured_wrongly_is_named(
    sandbox: Sandbox, changed: dict[str, Any], check: str, said: str
) -> None:
    checks = await examine(sandbox.changed(**changed))
    assert checks[check].ok is False
    assert said in checks[check].sentence
    assert checks[check].remedy


async def test_a_loki_that_does_not_take_the_token_is_named(sandbox: Sandbox) -> None:
    clusters = yaml.safe_load(Path(sandbox.given["SIGNOFF_CONFIG"]).read_text())["clusters"]
    del clusters["prod"]["loki"]["token_file"]
    found = await examine(sandbox.changed(clusters=clusters))
    assert found["cluster prod, loki"].ok is False
    assert "HTTP 401" in found["cluster prod, loki"].sentence


@pytest.mark.parametrize(
    ("rule", "ok"),
    [
        ({"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}, False),
        ({"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["*"]}, False),
        ({"apiGroups": [""], "resources": ["*"], "verbs": ["get"]}, False),
        ({"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}, True),
    ],
)
async def test_a_right_with_a_wildcard_is_a_failure(
    sandbox: Sandbox, tmp_path: Path, rule: dict[str, Any], ok: bool
) -> None:
    books = catalogue.load(ROOT / "runbooks").runbooks.values()
    more = {"kind": "Role", "metadata": {"name": "more", "namespace": "shop"}, "rules": [rule]}
    exact = {
        "kind": "ClusterRole",
        "metadata": {"name": "exact"},
        "rules": rbac.rules(replace(verb, cluster_wide=True) for verb in rbac.runner(books)),
    }
    standing = await kubernetes.start(port=0, clusters=shop.clusters(runner=(exact, more)))
    config = tmp_path / "kubeconfig"
    config.write_text(yaml.safe_dump(standing.kubeconfig()))
    found = (await examine(sandbox.given | {"KUBECONFIG": str(config)}))["cluster prod, runner"]
    await standing.stop()
    assert found.ok is ok, found
    assert ok or "signoff rbac" in found.remedy


async def test_who_may_do_nothing_to_nodes_is_told_and_it_is_no_failure(sandbox: Sandbox, tmp_path: Path) -> None:
    standing = await kubernetes.start(port=0, clusters=shop.clusters())
    config = tmp_path / "kubeconfig"
    config.write_text(yaml.safe_dump(standing.kubeconfig()))
    found = await examine(sandbox.given | {"KUBECONFIG": str(config)})
    await standing.stop()
    assert found["cluster prod, runner on nodes"].ok is None
    assert "patch nodes" in found["cluster prod, runner on nodes"].sentence
    assert (await examine(sandbox.given))["cluster prod, runner on nodes"].ok is True


async def test_alertmanager_endpoints_and_secrets_are_tried(sandbox: Sandbox, tmp_path: Path) -> None:
    assert (await examine(sandbox.given))["cluster prod, alertmanager"].ok is True
    clusters = yaml.safe_load(Path(sandbox.given["SIGNOFF_CONFIG"]).read_text())["clusters"]
    clusters["prod"]["alertmanager"] = {"url": "http://127.0.0.1:1"}
    body = {"type": "object", "additionalProperties": False}
    endpoints = {
        "inside": {"url": "http://127.0.0.1:1/", "body": {**body}},
        "allowed": {"url": "http://127.0.0.1:1/", "body": {**body}, "allow_networks": ["127.0.0.0/8"]},
    }
    secrets = {"pager": str(tmp_path / "absent")}
    found = await examine(sandbox.changed(clusters=clusters, endpoints=endpoints, secrets=secrets))
    assert found["cluster prod, alertmanager"].ok is False
    assert "is not a public address" in found["endpoint inside"].sentence
    assert found["endpoint allowed"].ok is True
    assert "secrets.pager" in found["secrets of runbooks"].sentence


async def test_a_repository_out_of_reach_is_named(sandbox: Sandbox) -> None:
    checks = await examine(sandbox.given)
    assert checks["github"].sentence == "connected as signoff[bot]"
    assert checks["github actions"].sentence == "connected as signoff-actions"
    found = await examine(sandbox.changed(github={"repositories": ["shop/deploy", "shop/gone"]}))
    assert found["github"].ok is False
    assert "shop/gone" in found["github"].sentence
    without = await examine({name: value for name, value in sandbox.given.items() if not name.startswith("GITHUB")})
    assert (without["github"].ok, without["github actions"].ok) == (None, None)


async def test_without_a_key_the_rules_answer_and_that_is_no_failure(sandbox: Sandbox) -> None:
    given = {name: value for name, value in sandbox.given.items() if not name.startswith("ANTHROPIC")}
    assert (await examine(given))["model"].ok is None


async def test_the_exit_status_says_whether_anything_failed(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await doctor.report(Configuration.load(sandbox.given), as_json=False) == 0
    assert "ok    slack: connected as" in capsys.readouterr().out
    assert await doctor.report(Configuration.load(sandbox.changed(approvers=[])), as_json=True) == 1
    printed = json.loads(capsys.readouterr().out)
    assert [each["name"] for each in printed if each["ok"] is False] == ["approvers"]


async def test_what_keeps_serve_from_starting_is_no_green_check(sandbox: Sandbox, tmp_path: Path) -> None:
    prompts, books = tmp_path / "prompts", tmp_path / "runbooks"
    shutil.copytree(ROOT / "prompts", prompts, ignore=shutil.ignore_patterns("log-summary"))
    checks = await examine(sandbox.given | {"SIGNOFF_PROMPTS": str(prompts)})
    assert checks["prompts"].ok is False
    assert "there is no folder log-summary" in checks["prompts"].sentence
    shutil.copytree(ROOT / "runbooks", books)
    path = books / "restart-deployment.yaml"
    book = yaml.safe_load(path.read_text())
    book["approval"]["groups"] = {"dba": 1}
    path.write_text(yaml.safe_dump(book))
    checks = await examine(sandbox.given | {"SIGNOFF_RUNBOOKS": str(books)})
    assert checks["runbooks"].ok is False
    assert "dba" in checks["runbooks"].sentence
    checks = await examine(sandbox.changed(audit={"anchor_file": str(tmp_path / "none" / "heads")}))
    assert checks["audit.anchor_file"].ok is False
    assert str(tmp_path / "none") in checks["audit.anchor_file"].sentence

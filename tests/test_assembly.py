"""What the configuration names is made, and what cannot be made is named by its key before anything runs."""

import asyncio
import shutil
from pathlib import Path

import pytest

from bot import assembly, shipped
from bot.clients.github import ACTION_PERMISSIONS, REVIEW_PERMISSIONS
from bot.redact import Redactor
from tests.configuring import load

CHANNEL = "channel: C0INCIDENTS\n"


def test_a_context_that_is_not_there_is_named_by_its_key(tmp_path: Path) -> None:
    found = load(folder=tmp_path, KUBECONFIG=str(tmp_path / "none"))
    with pytest.raises(assembly.CannotStart, match=r"clusters\.prod\.runner: .*'prod-runner'"):
        assembly.connect_clusters(found, Redactor())


def test_a_secret_is_read_and_redacted_and_one_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("hunter2-of-the-page\n")
    redactor = Redactor()
    found = load(CHANNEL + f"secrets: {{status-key: {tmp_path / 'key'}}}\n", folder=tmp_path)
    assert assembly.secrets_of(found, redactor) == {"status-key": "hunter2-of-the-page"}
    assert "hunter2" not in redactor.text("it is hunter2-of-the-page")
    (tmp_path / "key").unlink()
    with pytest.raises(assembly.CannotStart, match=r"secrets\.status-key: .* No such file"):
        assembly.secrets_of(found, redactor)


def test_without_credentials_there_is_no_github_and_no_model(tmp_path: Path) -> None:
    found = load(CHANNEL, folder=tmp_path)
    assert assembly.connect_github(found) is None
    assert assembly.connect_actions(found) is None
    assert assembly.code_access(found, None, {}) is None
    assert assembly.gateway_of(found.settings, Redactor()) is None


async def test_the_identity_that_reviews_and_the_one_that_acts_are_two(tmp_path: Path) -> None:
    tokens = {"GITHUB_TOKEN": "review-" + "r" * 20, "GITHUB_ACTIONS_TOKEN": "act-" + "a" * 20}
    listed = CHANNEL + "github: {repositories: [shop/deploy]}\n"
    found = load(listed, folder=tmp_path, GITHUB_WEBHOOK_SECRET="s" * 32, **tokens)
    reviewing, acting = assembly.connect_github(found), assembly.connect_actions(found)
    assert reviewing is not None
    assert acting is not None
    assert reviewing.credential.token == tokens["GITHUB_TOKEN"]
    assert reviewing.credential.permissions == REVIEW_PERMISSIONS
    assert acting.credential.token == tokens["GITHUB_ACTIONS_TOKEN"]
    assert acting.credential.permissions == ACTION_PERMISSIONS
    await asyncio.gather(reviewing.close(), acting.close())


def test_a_prompt_that_is_not_there_is_named(tmp_path: Path) -> None:
    ours = tmp_path / "prompts"
    shutil.copytree(shipped.prompts(None), ours, ignore=shutil.ignore_patterns("log-summary"))
    with pytest.raises(assembly.CannotStart, match="there is no folder log-summary"):
        assembly.load_prompts(load(CHANNEL, folder=tmp_path, SIGNOFF_PROMPTS=str(ours)).settings)


def test_what_the_policy_rests_on_changes_its_digest_and_nothing_else_does(tmp_path: Path) -> None:
    def policy_digest(text: str = CHANNEL, **more: str) -> str:
        return assembly.rules_of(load(text, folder=tmp_path, **more)).policy_digest

    assert policy_digest(SIGNOFF_STALE_HOURS="5") == policy_digest()
    assert policy_digest(CHANNEL + "approvers: ['T0SHOP:U0DANA']\n") != policy_digest()

"""A Job runs what its runbook writes out, once, under a fixed account, and a parameter is only ever an argument."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.runbooks.actions.action import Occasion
from bot.runbooks.actions.run_job import RunJob
from bot.runbooks.execute import read_back as read_back_of
from bot.runbooks.plan import Refusal
from bot.runbooks.resources import JOB
from bot.sandbox.kubernetes.resources import JOBS
from bot.sandbox.kubernetes.spec import ImageBehaviour
from tests.runbooks.actions.rendering import read_back, rendered, target, unsuitable
from tests.runbooks.conftest import Shop

RUN, CLEAR = RunJob(), target(JOB, "clear-1")
TOOLS = "registry.example/shop/tools@sha256:" + "a" * 64
OCCASION = Occasion(0, matter="INC-142", registries=("registry.example/shop",))
GIVEN = {"image": TOOLS, "service_account": "cache-tool", "command": ["clear"], "deadline_seconds": 60}
ABSENT: Any = {"metadata": {"uid": ""}, "spec": {"template": {"spec": {"containers": []}}}}


def job(**more: Any) -> dict[str, Any]:
    body: dict[str, Any] = rendered(RUN, CLEAR, {}, occasion=OCCASION, **GIVEN | more).call.body
    return {**body, "metadata": {**body["metadata"], "uid": "u1"}}


def test_the_job_is_restricted_runs_once_and_goes_away() -> None:
    made = rendered(RUN, CLEAR, {}, occasion=OCCASION, **GIVEN)
    assert (made.call.method, made.call.path) == ("POST", "/apis/batch/v1/namespaces/shop/jobs")
    spec = made.call.body["spec"]
    assert (spec["backoffLimit"], spec["activeDeadlineSeconds"], spec["ttlSecondsAfterFinished"]) == (0, 60, 86_400)
    pod = spec["template"]["spec"]
    assert (pod["restartPolicy"], pod["serviceAccountName"]) == ("Never", "cache-tool")
    (container,) = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert made.call.body["metadata"]["annotations"] == {"signoff/incident": "INC-142"}
    assert made.effect == (f"Job shop/clear-1 runs {TOOLS} once, as service account cache-tool, for at most 60 s.",)


def test_what_a_person_gives_is_an_argument_or_a_variable_and_no_part_of_the_command() -> None:
    given = {"args": ["; rm -rf /", 7], "env": {"B": "$(id)", "A": True}}
    (container,) = job(**given)["spec"]["template"]["spec"]["containers"]
    assert container["command"] == ["clear"]
    assert container["args"] == ["; rm -rf /", "7"]
    assert container["env"] == [{"name": "A", "value": "True"}, {"name": "B", "value": "$(id)"}]
    assert RUN.literal == {"image", "service_account", "command", "deadline_seconds"}


def test_there_is_no_way_back() -> None:
    made = rendered(RUN, CLEAR, {}, occasion=OCCASION, **GIVEN)
    assert (made.undo, made.inverse) == ("", None)
    assert RUN.inverse.startswith("none: ")


def test_it_creates_jobs_and_nothing_else() -> None:
    assert RUN.verbs == {JOB.verb("create")}
    assert RUN.creates


def test_an_image_that_may_move_is_refused() -> None:
    given = GIVEN | {"image": "registry.example/shop/tools:latest"}
    assert unsuitable(RUN, CLEAR, {}, occasion=OCCASION, **given).code == "image"


@pytest.mark.parametrize(
    ("found", "verdict"),
    [(job(), "applied"), (None, "not applied"), (job(command=["clear", "--all"]), "cannot tell")],
)
def test_reading_back(found: Any, verdict: str) -> None:
    assert read_back(RUN, ABSENT, job(), found, **GIVEN) == verdict


@pytest.mark.parametrize(("exit_code", "outcome"), [(0, "helped"), (1, "did not help")])
async def test_a_job_runs_once_under_its_fixed_account(examples: Shop, exit_code: int, outcome: str) -> None:
    examples.sandbox.clusters["prod"].images[TOOLS] = ImageBehaviour(exits_after=1.0, exit_code=exit_code)
    plan = (await examples.planned("clear-cache", entries="prices")).plan
    ran = await examples.run(plan)
    assert ran.verdict is not None
    assert ran.verdict.outcome == outcome
    (job,) = examples.sandbox.clusters["prod"].store.list(JOBS, "shop")
    pod = job["spec"]["template"]["spec"]
    assert (pod["serviceAccountName"], pod["restartPolicy"]) == ("cache-tool", "Never")
    assert (pod["containers"][0]["image"], pod["containers"][0]["args"]) == (TOOLS, ["prices"])
    assert pod["containers"][0]["securityContext"]["allowPrivilegeEscalation"] is False
    assert await read_back_of(plan, 0, examples.prod, waited_seconds=0) == "applied"
    assert (await examples.run(plan)).effects[0].drift[0].what == "there", "its name is the plan's own"


async def test_an_image_from_elsewhere_is_refused(examples: Shop) -> None:
    examples.context = replace(examples.context, registries=("registry.example/other",))
    refused = await examples.plan("clear-cache", entries="prices")
    assert isinstance(refused, Refusal)
    assert "is not from an allowed registry (allowed: registry.example/other)" in refused.sentence

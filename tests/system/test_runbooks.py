"""Runbooks of many calls, end to end in one installation: asked for, signed off, told call by call, and taken back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import yaml

from tests.jobs.test_asking import fill, form
from tests.system.town import LEE, PRIYA, Json, Town, checkout_alert, quick_runbooks, town

ALL_OF_CART = {"minAvailable": 3, "selector": {"matchLabels": {"app": "cart"}}}


@pytest.fixture(scope="module")
async def here(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    folder = tmp_path_factory.mktemp("town")
    books = quick_runbooks(folder / "runbooks")
    drain = yaml.safe_load((books / "drain-node.yaml").read_text())
    drain["steps"][1]["timeout_seconds"] = 3
    (books / "drain-node.yaml").write_text(yaml.safe_dump(drain, sort_keys=False))
    restart = yaml.safe_load((books / "restart-deployments.yaml").read_text())
    restart["target"]["batch"] = 5
    (books / "restart-deployments.yaml").write_text(yaml.safe_dump(restart, sort_keys=False))
    async with town(folder, runbooks=books, alertmanager=True) as opened:
        await opened.serve()
        await opened.alert(checkout_alert())
        await opened.request()
        yield opened


def count(here: Town) -> int:
    return int(here.rows("SELECT count(*) FROM approvals")[0][0])


async def asked(here: Town, runbook: str, **values: str) -> tuple[str, Json]:
    """Let Lee ask for a runbook and return the name of the request and its message."""
    number = count(here) + 1
    assert (await fill(here, LEE, await form(here, LEE, f"{runbook} INC-1"), **values))["modals"] == []
    return f"A-{number}", await here.request(number)


async def files(here: Town) -> dict[str, str]:
    """The files of the workspace by name."""
    async with here.session.get(f"{here.urls['slack']}/sandbox/files") as response:
        listed = (await response.json())["files"]
    found = {}
    for each in listed:
        async with here.session.get(f"{here.urls['slack']}/sandbox/files/{each['id']}") as response:
            found[each["name"]] = await response.text()
    return found


def words(node: Any) -> str:
    """All texts of a message."""
    if isinstance(node, dict):
        return "".join(words(value) for value in node.values())
    if isinstance(node, list):
        return "".join(words(value) for value in node)
    return node if isinstance(node, str) else ""


async def test_a_silence_is_asked_for_signed_off_made_and_tied_to_the_incident(here: Town) -> None:
    name, request = await asked(here, "silence-alerts", namespace="shop", alertname="Stuck", minutes="30")
    await here.page.click(PRIYA, request, "Approve", stale=True)
    await here.sees(f"{name} helped")
    async with here.session.get(f"{here.urls['alertmanager']}/api/v2/silences") as response:
        (silence,) = await response.json()
    assert silence["comment"].startswith("INC-1 ")
    assert {(each["name"], each["value"], each["isRegex"]) for each in silence["matchers"]} == {
        ("alertname", "Stuck", False),
        ("namespace", "shop", False),
    }


async def test_what_an_owner_would_revert_is_refused_with_the_right_road(here: Town) -> None:
    before = count(here)
    view = await form(here, LEE, "scale-deployment INC-1")
    await fill(here, LEE, view, namespace="shop", deployment="frontend", replicas="5")
    said = await here.sees("HorizontalPodAutoscaler frontend decides how many pods")
    assert "change minReplicas or maxReplicas of frontend instead" in words(said)
    assert count(here) == before


async def test_many_calls_have_one_line_a_progress_on_the_card_and_a_file_of_them_all(here: Town) -> None:
    await here.control("apply", {"cluster": "prod", "objects": [deployment(number) for number in range(10)]})
    name, request = await asked(here, "restart-deployments", namespace="shop", application="many")
    await here.page.click(PRIYA, request, "Approve", stale=True)
    await here.sees(f"{name} helped")
    await here.until(here.settled, "all to be said")
    assert await here.count(f"^☑️ {name}: step") == 0, "no line for each of many"
    assert await here.count(f"{name}: 10 of 10 calls done") == 1
    steps = (await files(here))[f"{name}-steps.txt"].splitlines()
    assert len(steps) == 10
    assert "restart Deployment shop/many-0: done. Deployment shop/many-0 was changed exactly as the dry run" in steps[0]


async def test_a_step_that_fails_takes_the_others_back_and_each_is_told(here: Town) -> None:
    """A budget lets no pod of the node go, so the node takes pods again, as was approved."""
    kind = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget"}
    budget = kind | {"metadata": {"name": "cart", "namespace": "shop"}, "spec": ALL_OF_CART}
    await here.control("apply", {"cluster": "prod", "objects": [budget]})
    name, request = await asked(here, "drain-node", node="node-1")
    assert "cordon will be taken back without asking again" in words(request["blocks"])
    await here.page.click(PRIYA, request, "Approve", stale=True)
    await here.sees(f"{name}: step 1 of .*cordon: done")
    await here.sees(f"{name}: cordon is taken back")
    await here.sees(f"{name} was taken back.*could not be moved within 3 s")
    states = here.rows(
        "SELECT r.state FROM runs r JOIN approvals a ON a.id = r.approval_id WHERE a.number = ?", int(name[2:])
    )
    assert states == [("rolled_back",)]
    writes = [call for call in await here.writes() if "/nodes/" in call]
    assert writes == ["PATCH /api/v1/nodes/node-1"] * 2
    assert here.rows("SELECT * FROM locks") == []
    assert here.audit_holds()


def deployment(number: int) -> Json:
    name = f"many-{number}"
    spec = {"containers": [{"name": "web", "image": "registry.example/shop/web:1"}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "shop", "labels": {"app.kubernetes.io/part-of": "many"}},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": spec},
        },
    }

"""The control API over HTTP, without any client of Kubernetes."""

import aiohttp
import pytest

from bot.sandbox import kubernetes as stand_in
from bot.sandbox.kubernetes import shop
from tests.sandbox.kubernetes.conftest import GOOD, deployment, lab_spec


@pytest.fixture
async def control():
    sandbox = await stand_in.start(port=0, clusters=[lab_spec("prod"), lab_spec("staging")], seed=1)
    async with aiohttp.ClientSession() as session:

        async def call(method, path, body=None, **options):
            url = f"{sandbox.url}/sandbox/kubernetes/{path}"
            async with session.request(method, url, **({} if body is None else {"json": body}), **options) as answer:
                return answer.status, await answer.json()

        call.sandbox, call.session = sandbox, session
        yield call
    await sandbox.stop()


def web(**spec):
    body = deployment(**spec)
    body["metadata"]["namespace"] = "shop"
    return body


async def ask(control, path, cluster="prod"):
    config = control.sandbox.kubeconfig()
    token = next(u["user"]["token"] for u in config["users"] if u["name"] == f"{cluster}-admin")
    url = f"{control.sandbox.url}/clusters/{cluster}{path}"
    async with control.session.get(url, headers={"Authorization": f"Bearer {token}"}) as answer:
        return answer.status, await answer.json()


async def test_objects_are_applied_and_shown(control):
    status, body = await control("POST", "apply", {"cluster": "prod", "objects": [web()]})
    assert (status, body["objects"][0]["metadata"]["name"]) == (200, "web")
    await control("POST", "apply", {"cluster": "prod", "objects": [web(replicas=4)]})
    _, body = await control("GET", "state?kind=deployments")
    (found,) = body["prod"]["objects"]["deployments"]
    assert found["spec"]["replicas"] == 4
    assert body["staging"]["objects"]["deployments"] == []


async def test_calls_are_recorded_without_tokens(control):
    await ask(control, "/api/v1/nodes")
    _, body = await control("GET", "calls?verb=list")
    (call,) = body["calls"]
    assert (call["cluster"], call["identity"], call["path"], call["status"]) == ("prod", "admin", "/api/v1/nodes", 200)
    assert "k8s-local" not in str(body)
    await control("DELETE", "calls")
    assert (await control("GET", "calls"))[1] == {"calls": []}


async def test_time_passes_on_demand(control):
    _, before = await control("GET", "state?cluster=prod&kind=nodes")
    _, after = await control("POST", "clock", {"cluster": "prod", "advance": 3600})
    assert after["prod"] - before["prod"]["now"] == pytest.approx(3600, abs=5)
    _, now = await control("GET", "state?cluster=staging&kind=nodes")
    assert now["staging"]["now"] - before["prod"]["now"] < 5
    assert (await control("POST", "clock", {"rate": 50}))[0] == 200


async def test_an_image_changes_its_behaviour(control):
    behaviour = {"pull_error": "gone"}
    assert (await control("POST", "images", {"image": GOOD, "behaviour": behaviour}))[0] == 200
    await control("POST", "apply", {"cluster": "prod", "objects": [web()]})
    await control("POST", "clock", {"advance": 5})
    _, body = await control("GET", "state?cluster=prod&kind=pods")
    states = [
        s["state"]["waiting"]["reason"]
        for p in body["prod"]["objects"]["pods"]
        for s in p["status"]["containerStatuses"]
    ]
    assert states == ["ImagePullBackOff"] * 4


async def test_a_right_is_taken_away_and_given_back(control):
    denial = {"identity": "admin", "verb": "list", "resource": "nodes"}
    assert (await control("POST", "denials", denial))[0] == 200
    assert (await ask(control, "/api/v1/nodes"))[0] == 403
    assert (await ask(control, "/api/v1/nodes/node-1"))[0] == 200
    await control("DELETE", "denials")
    assert (await ask(control, "/api/v1/nodes"))[0] == 200


async def test_faults_are_ordered_shown_and_cleared(control):
    status, body = await control("POST", "faults", {"action": "status", "code": 500, "times": 2})
    assert (status, body["faults"][0]["times"]) == (200, 2)
    assert (await ask(control, "/api/v1/nodes"))[0] == 500
    assert (await control("GET", "faults"))[1]["faults"][0]["times"] == 1
    await control("DELETE", "faults")
    assert (await ask(control, "/api/v1/nodes"))[0] == 200


@pytest.mark.parametrize(
    ("path", "body", "why"),
    [
        ("play", {"cluster": "prod", "scenario": "nope"}, "no scenario 'nope'"),
        ("play", {"cluster": "qa", "scenario": "x"}, "no cluster 'qa'; there are prod, staging"),
        ("play", {"scenario": "x"}, "cluster has to be a string"),
        ("apply", {"cluster": "prod", "objects": [{"kind": "Rollout"}]}, "no type of this cluster"),
        ("apply", {"cluster": "prod", "objects": "x"}, "list of objects"),
        ("apply", {"cluster": "prod", "objects": [web(replicas=-1)]}, "spec.replicas: Invalid value: -1"),
        ("images", {"image": "x", "behaviour": {"y": 1}}, "no field 'y'"),
        ("images", {"image": "x"}, "behaviour has to be an object"),
        ("faults", {"action": "explode"}, "action is one of"),
        ("denials", {"who": "me"}, "unknown field 'who'"),
        ("clock", {"advance": -1}, "0 to 604800"),
        ("clock", {"advance": "1"}, "has to be a number"),
        ("clock", {"rate": 0}, "above 0"),
        ("clock", [], "has to be an object"),
    ],
)
async def test_a_mistake_is_named(control, path, body, why):
    status, answer = await control("POST", path, body)
    assert status == 400
    assert why in answer["message"]


async def test_a_form_of_a_foreign_page_is_not_heard(control):
    status, _ = await control("POST", "clock", data="{}", headers={"Content-Type": "text/plain"})
    assert status == 415
    for headers in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert (await control("POST", "clock", {}, headers=headers))[0] == 403


async def test_a_scenario_is_played_in_the_past():
    sandbox = await stand_in.start(port=0, clusters=shop.clusters()[:1], seed=1)
    try:
        url = f"{sandbox.url}/sandbox/kubernetes/play"
        body = {"cluster": "prod", "scenario": "break_checkout", "ago": 240}
        async with aiohttp.ClientSession() as session, session.post(url, json=body) as answer:
            assert answer.status == 200
        store = sandbox.clusters["prod"].store
        from bot.sandbox.kubernetes.resources import EVENTS

        counts = [e["count"] for e in store.list(EVENTS, "shop") if e["reason"] == "BackOff"]
        assert counts
        assert min(counts) > 8
    finally:
        await sandbox.stop()

"""Trouble on order, seen through the official client."""

import time

import kubernetes
import pytest
import urllib3

from bot.sandbox.kubernetes import Fault
from tests.sandbox.kubernetes.conftest import deployment, error, lab_spec


@pytest.fixture
def shop(run):
    background = run(lab_spec("prod"), lab_spec("staging"))
    apps(background).create_namespaced_deployment("shop", deployment())
    return background


def apps(background, context="prod-admin"):
    client = background.client(context)
    client.configuration.retries = False
    return kubernetes.client.AppsV1Api(kubernetes.client.ApiClient(client.configuration))


def scale(background, replicas, **options):
    return apps(background).patch_namespaced_deployment("web", "shop", {"spec": {"replicas": replicas}}, **options)


def replicas(background):
    return apps(background).read_namespaced_deployment("web", "shop").spec.replicas


def last_write(background):
    return next(call for call in reversed(background.sandbox.calls) if call.verb == "patch")


def test_a_conflict_comes_once_and_changes_nothing(shop):
    shop.run(shop.sandbox.order, Fault("conflict"))
    assert replicas(shop) == 2, "reads are let through"
    refused = error(scale, shop, 5)
    assert (refused.status, refused.status_body["reason"]) == (409, "Conflict")
    assert replicas(shop) == 2
    assert scale(shop, 5).spec.replicas == 5


def test_a_connection_dropped_before_leaves_things_as_they_were(shop):
    shop.run(shop.sandbox.order, Fault("drop", verb="patch"))
    with pytest.raises(urllib3.exceptions.HTTPError):
        scale(shop, 5)
    assert (last_write(shop).applied, last_write(shop).status) == (False, 0)
    assert replicas(shop) == 2


def test_a_connection_dropped_after_hides_that_it_was_done(shop):
    shop.run(shop.sandbox.order, Fault("drop", verb="patch", when="after"))
    with pytest.raises(urllib3.exceptions.HTTPError):
        scale(shop, 5)
    assert (last_write(shop).applied, last_write(shop).status) == (True, 0)
    assert replicas(shop) == 5


def test_a_connection_that_breaks_on_the_way_hides_that_it_is_done_later(shop):
    shop.run(shop.sandbox.order, Fault("late", verb="patch", seconds=0.3))
    with pytest.raises(urllib3.exceptions.HTTPError):
        scale(shop, 5)
    assert replicas(shop) == 2
    deadline = time.monotonic() + 20
    while replicas(shop) != 5:
        assert time.monotonic() < deadline
    assert last_write(shop).applied


def test_a_write_that_is_refused_had_no_effect_that_a_fault_could_come_after(shop):
    shop.run(shop.sandbox.order, Fault("drop", verb="patch", when="after"))
    stale = {"metadata": {"resourceVersion": "1"}, "spec": {"replicas": 5}}
    refused = error(apps(shop).patch_namespaced_deployment, "web", "shop", stale)
    assert refused.status == 409
    with pytest.raises(urllib3.exceptions.HTTPError):
        scale(shop, 5)
    assert replicas(shop) == 5


def test_an_answer_that_comes_too_late_hides_it_too(shop):
    shop.run(shop.sandbox.order, Fault("delay", verb="patch", when="after", seconds=30))
    start = time.monotonic()
    with pytest.raises(urllib3.exceptions.HTTPError):
        scale(shop, 5, _request_timeout=0.3)
    assert time.monotonic() - start < 5
    assert replicas(shop) == 5


def test_a_status_of_choice(shop):
    shop.run(shop.sandbox.order, Fault("status", code=503, message="etcd is away", times=2))
    for _ in range(2):
        refused = error(replicas, shop)
        assert (refused.status, refused.status_body["message"]) == (503, "etcd is away")
    assert replicas(shop) == 2


def test_a_fault_waits_for_the_request_that_it_is_meant_for(shop):
    shop.run(shop.sandbox.order, Fault("status", cluster="staging"))
    shop.run(shop.sandbox.order, Fault("conflict", resource="deployments/scale"))
    shop.run(shop.sandbox.order, Fault("conflict", dry_run=False, name="other"))
    assert scale(shop, 3, dry_run="All").spec.replicas == 3
    assert scale(shop, 3).spec.replicas == 3
    assert error(apps(shop, "staging-admin").list_namespaced_deployment, "shop").status == 503


def test_a_dry_run_is_recorded_as_not_applied(shop):
    scale(shop, 9, dry_run="All", field_manager="signoff")
    call = last_write(shop)
    assert (call.dry_run, call.applied, call.status) == (True, False, 200)
    assert (call.identity, call.method, call.body) == ("admin", "PATCH", {"spec": {"replicas": 9}})
    assert call.path == "/apis/apps/v1/namespaces/shop/deployments/web"
    assert call.query == {"dryRun": "All", "fieldManager": "signoff"}


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({}, "action is one of"),
        ({"action": "explode"}, "action is one of"),
        ({"action": "drop", "colour": 1}, "no field 'colour'"),
        ({"action": "drop", "times": "2"}, "times: str"),
        ({"action": "drop", "times": 0}, "times is 1"),
        ({"action": "delay", "seconds": 601}, "seconds 0 to 600"),
        ({"action": "status", "code": 200}, "code 400"),
        ({"action": "drop", "when": "never"}, "when is before or after"),
        ({"action": "conflict", "when": "after"}, "only delay and drop"),
    ],
)
def test_a_fault_that_cannot_be(data, why):
    with pytest.raises(ValueError, match=why):
        Fault.from_json(data)

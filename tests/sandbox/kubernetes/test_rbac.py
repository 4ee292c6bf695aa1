import pytest

from bot.sandbox.kubernetes.rbac import Denial, allows, explain, rules_in
from bot.sandbox.kubernetes.resources import request_info

RUNNER = {
    "kind": "Role",
    "metadata": {"namespace": "shop"},
    "rules": [
        {"apiGroups": ["apps"], "resources": ["deployments"], "resourceNames": ["checkout"], "verbs": ["get", "patch"]},
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "delete"]},
        {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
    ],
}
APPS = "/apis/apps/v1/namespaces/shop/deployments"
PODS = "/api/v1/namespaces/shop/pods"


def asks(method, path, **how):
    return request_info(method, path, **how)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PATCH", f"{APPS}/checkout", True),
        ("PATCH", f"{APPS}/cart", False),
        ("PATCH", f"{APPS}/checkout/scale", False),
        ("PUT", f"{APPS}/checkout", False),
        ("GET", APPS, False),
        ("GET", PODS, True),
        ("DELETE", f"{PODS}/checkout-1", True),
        ("GET", f"{PODS}/checkout-1", False),
        ("GET", f"{PODS}/checkout-1/log", True),
        ("DELETE", PODS, False),
        ("GET", "/api/v1/namespaces/other/pods", False),
        ("GET", "/api/v1/pods", False),
        ("GET", "/api/v1/namespaces/shop", False),
        ("GET", "/version", True),
        ("GET", "/apis", True),
        ("GET", "/metrics", False),
        ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", True),
    ],
)
def test_a_role_allows_what_it_names_in_its_namespace(method, path, allowed):
    assert allows([RUNNER], asks(method, path)) is allowed


def test_a_watch_is_no_list():
    assert not allows([RUNNER], asks("GET", PODS, watch=True))


def test_a_selected_name_is_the_name():
    role = {
        "kind": "Role",
        "metadata": {"namespace": "shop"},
        "rules": [{"apiGroups": [""], "resources": ["pods"], "resourceNames": ["a"], "verbs": ["list"]}],
    }
    assert allows([role], asks("GET", PODS, selected_name="a"))
    assert not allows([role], asks("GET", PODS))


def test_a_cluster_role_counts_everywhere_and_stars_match_all():
    everything = {"kind": "ClusterRole", "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]}
    for method, path in [("GET", "/api/v1/nodes"), ("PATCH", f"{APPS}/cart/scale"), ("DELETE", f"{PODS}/x")]:
        assert allows([everything], asks(method, path))
    assert not allows([everything], asks("GET", "/metrics"))


def test_a_role_without_a_namespace_allows_nothing():
    assert not allows([{**RUNNER, "metadata": {}}], asks("GET", PODS))


@pytest.mark.parametrize(
    ("method", "path", "sentence"),
    [
        (
            "PATCH",
            f"{APPS}/checkout",
            'User "u" cannot patch resource "deployments" in API group "apps" in the namespace "shop"',
        ),
        ("GET", "/api/v1/nodes", 'User "u" cannot list resource "nodes" in API group "" at the cluster scope'),
        (
            "PUT",
            f"{APPS}/checkout/scale",
            'User "u" cannot update resource "deployments/scale" in API group "apps" in the namespace "shop"',
        ),
        ("GET", "/metrics", 'User "u" cannot get path "/metrics"'),
    ],
)
def test_a_refusal_reads_like_the_real_one(method, path, sentence):
    assert explain("u", asks(method, path)) == sentence


def test_the_rules_of_a_namespace_are_those_of_its_roles():
    resource_rules, _ = rules_in([RUNNER], "shop")
    assert RUNNER["rules"][0] in resource_rules
    assert RUNNER["rules"][0] not in rules_in([RUNNER], "other")[0]


def test_a_denial_hits_what_it_names():
    denial = Denial(identity="runner", verb="patch", resource="deployments")
    assert denial.hits("runner", asks("PATCH", f"{APPS}/checkout"))
    assert not denial.hits("reader", asks("PATCH", f"{APPS}/checkout"))
    assert not denial.hits("runner", asks("GET", f"{APPS}/checkout"))
    assert not Denial().hits("runner", asks("GET", "/version"))

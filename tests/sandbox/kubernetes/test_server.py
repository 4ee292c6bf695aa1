import asyncio
import json

import aiohttp
import kubernetes
import pytest

from bot.sandbox import kubernetes as stand_in
from tests.sandbox.kubernetes.conftest import deployment, error, lab_spec, namespace

READER = {
    "kind": "Role",
    "metadata": {"namespace": "shop"},
    "rules": [{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get", "list"]}],
}


@pytest.fixture(scope="module")
def two():
    """Two clusters with equal object names, and a reader in each."""
    from tests.sandbox.kubernetes.conftest import Background

    background = Background(lab_spec("prod", reader=[READER]), lab_spec("staging", reader=[READER]))
    yield background
    background.stop()


def typed(background, context, kind="AppsV1Api"):
    return getattr(kubernetes.client, kind)(background.client(context))


def test_two_clusters_with_equal_names_are_two(two):
    uids = set()
    for name, replicas in (("prod", 3), ("staging", 1)):
        made = typed(two, f"{name}-admin").create_namespaced_deployment("shop", deployment("twin", replicas=replicas))
        uids.add(made.metadata.uid)
    assert len(uids) == 2
    assert typed(two, "prod-reader").read_namespaced_deployment("twin", "shop").spec.replicas == 3
    assert typed(two, "staging-reader").read_namespaced_deployment("twin", "shop").spec.replicas == 1


def test_a_token_is_good_for_its_own_cluster_only(two):
    config = two.sandbox.kubeconfig()
    tokens = {user["name"]: user["user"]["token"] for user in config["users"]}
    assert len(set(tokens.values())) == 4
    for user in config["users"]:
        if user["name"] == "prod-reader":
            user["user"]["token"] = tokens["staging-reader"]
    client = kubernetes.config.new_client_from_config_dict(config, context="prod-reader")
    refused = error(kubernetes.client.AppsV1Api(client).list_namespaced_deployment, "shop")
    assert refused.status_body == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": "Unauthorized",
        "reason": "Unauthorized",
        "code": 401,
    }


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda t: t("prod-reader").patch_namespaced_deployment("checkout", "shop", {}),
            'deployments.apps "checkout" is forbidden: User "system:serviceaccount:signoff:reader" cannot patch '
            'resource "deployments" in API group "apps" in the namespace "shop"',
        ),
        (
            lambda t: t("prod-reader").patch_namespaced_deployment("checkout", "shop", {}, dry_run="All"),
            'deployments.apps "checkout" is forbidden: User "system:serviceaccount:signoff:reader" cannot patch '
            'resource "deployments" in API group "apps" in the namespace "shop"',
        ),
        (
            lambda t: t("prod-reader").list_namespaced_deployment("default"),
            'deployments.apps is forbidden: User "system:serviceaccount:signoff:reader" cannot list '
            'resource "deployments" in API group "apps" in the namespace "default"',
        ),
        (
            lambda t: t("prod-reader", "CoreV1Api").list_node(),
            'nodes is forbidden: User "system:serviceaccount:signoff:reader" cannot list resource "nodes" in API '
            'group "" at the cluster scope',
        ),
        (
            lambda t: t("prod-reader", "CoreV1Api").read_namespaced_secret("checkout", "shop"),
            'secrets "checkout" is forbidden: User "system:serviceaccount:signoff:reader" cannot get resource '
            '"secrets" in API group "" in the namespace "shop"',
        ),
        (
            lambda t: t("prod-reader").patch_namespaced_deployment_scale("checkout", "shop", {}),
            'deployments.apps "checkout" is forbidden: User "system:serviceaccount:signoff:reader" cannot patch '
            'resource "deployments/scale" in API group "apps" in the namespace "shop"',
        ),
    ],
)
def test_what_no_role_allows_is_forbidden_in_the_real_words(two, call, message):
    refused = error(call, lambda *names: typed(two, *names))
    assert (refused.status, refused.status_body["reason"]) == (403, "Forbidden")
    assert refused.status_body["message"] == message


def test_access_reviews_tell_the_truth(two):
    review = typed(two, "prod-reader", "AuthorizationV1Api").create_self_subject_access_review

    def may(verb, resource, ns="shop", **more):
        attributes = {"verb": verb, "group": "apps", "resource": resource, "namespace": ns, **more}
        return review({"spec": {"resourceAttributes": attributes}}).status.allowed

    assert may("get", "deployments")
    assert not may("patch", "deployments")
    assert not may("get", "deployments", subresource="scale")
    assert not may("get", "deployments", ns="default")


def test_a_rules_review_lists_the_roles_of_the_namespace(two):
    review = typed(two, "prod-reader", "AuthorizationV1Api").create_self_subject_rules_review
    rules = review({"spec": {"namespace": "shop"}}).status.resource_rules
    assert (["deployments"], ["get", "list"]) in [(rule.resources, rule.verbs) for rule in rules]
    assert len(review({"spec": {"namespace": "default"}}).status.resource_rules) == 1


def test_the_server_introduces_itself(two):
    client = two.client("prod-reader")
    assert kubernetes.client.VersionApi(client).get_code().git_version == "v1.36.1"
    assert kubernetes.client.CoreApi(client).get_api_versions().versions == ["v1"]
    groups = {group.name for group in kubernetes.client.ApisApi(client).get_api_versions().groups}
    assert {"apps", "batch", "policy", "autoscaling", "authorization.k8s.io"} <= groups
    resources = {r.name: r for r in kubernetes.client.AppsV1Api(client).get_api_resources().resources}
    assert resources["deployments/scale"].kind == "Scale"


async def raw(method, url, *, token=None, data=None, content_type="application/json", headers=None):
    headers = {
        "Content-Type": content_type,
        **(headers or {}),
        **({"Authorization": f"Bearer {token}"} if token else {}),
    }
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, data=data, headers=headers) as answer,
    ):
        text = await answer.text()
        return answer.status, json.loads(text) if text.startswith("{") else text


@pytest.fixture(scope="module")
def admin(two):
    config = two.sandbox.kubeconfig()
    return next(user["user"]["token"] for user in config["users"] if user["name"] == "prod-admin")


@pytest.mark.parametrize(
    ("path", "status"), [("/readyz", 200), ("/version", 200), ("/api", 401), ("/api/v1/nodes", 401), ("/metrics", 401)]
)
async def test_without_a_token_only_public_things_are_shown(two, path, status):
    assert (await raw("GET", f"{two.sandbox.url}/clusters/prod{path}"))[0] == status


@pytest.mark.parametrize(
    ("method", "path", "data", "content_type", "status"),
    [
        ("GET", "/apis/argoproj.io/v1/rollouts", None, "application/json", 404),
        ("GET", "/api/v1/namespaces/shop/pods/x/exec", None, "application/json", 404),
        ("GET", "/api/v1/pods?watch=true", None, "application/json", 501),
        ("DELETE", "/api/v1/namespaces/shop/pods", None, "application/json", 501),
        ("PATCH", "/api/v1/namespaces/shop", "{}", "application/apply-patch+yaml", 415),
        ("PATCH", "/api/v1/namespaces/shop", "<a/>", "text/xml", 415),
        ("PATCH", "/api/v1/namespaces/shop", "{", "application/merge-patch+json", 400),
        ("PATCH", "/api/v1/namespaces/shop", "[]", "application/merge-patch+json", 400),
        ("PATCH", "/api/v1/namespaces/shop", "{}", "application/json-patch+json", 400),
        ("POST", "/api/v1/namespaces", "[]", "application/json", 400),
        ("POST", "/api/v1/namespaces", "[" * 100_000, "application/json", 400),
        ("POST", "/api/v1/namespaces", '{"a":' * 150 + "1" + "}" * 150, "application/json", 400),
        ("POST", "/api/v1/namespaces", " " * (3 * 1024 * 1024 + 1), "application/json", 413),
        ("POST", "/api/v1/namespaces?dryRun=Some", '{"metadata":{"name":"x"}}', "application/json", 422),
        ("POST", "/api/v1/namespaces?fieldValidation=Maybe", '{"metadata":{"name":"x"}}', "application/json", 400),
        ("PUT", "/api/v1/nodes", "{}", "application/json", 405),
    ],
)
async def test_what_it_does_not_do_is_an_error_and_never_ok(two, admin, method, path, data, content_type, status):
    answer = await raw(
        method, f"{two.sandbox.url}/clusters/prod{path}", token=admin, data=data, content_type=content_type
    )
    assert answer[0] == status
    assert (answer[1]["kind"], answer[1]["code"]) == ("Status", status)


async def test_a_cluster_that_is_not_there_is_404(two, admin):
    status, body = await raw("GET", f"{two.sandbox.url}/clusters/qa/version", token=admin)
    assert (status, body["message"]) == (404, "clusters here: prod, staging")


async def test_a_foreign_page_is_refused(two, admin):
    url = f"{two.sandbox.url}/clusters/prod/api/v1/nodes"
    assert (await raw("GET", url, token=admin, headers={"Origin": "http://evil.example"}))[0] == 403
    assert (await raw("GET", url, token=admin, headers={"Host": "evil.example"}))[0] == 403


async def test_it_listens_on_loopback_only():
    with pytest.raises(ValueError, match="loopback only"):
        await stand_in.start(port=0, clusters=[lab_spec()], host="0.0.0.0")
    with pytest.raises(ValueError, match="names of their own"):
        await stand_in.start(port=0, clusters=[lab_spec(), lab_spec()])


async def test_it_stops_while_a_request_hangs():
    sandbox = await stand_in.start(port=0, clusters=[lab_spec()])
    sandbox.order(stand_in.Fault("delay", seconds=300))
    token = sandbox.kubeconfig()["users"][0]["user"]["token"]
    hanging = asyncio.create_task(raw("GET", f"{sandbox.url}/clusters/prod/api/v1/nodes", token=token))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(hanging), 0.3)
    assert sandbox.calls
    await asyncio.wait_for(sandbox.stop(), 5)
    with pytest.raises(aiohttp.ClientError):
        await hanging


def test_a_namespace_takes_everything_with_it(api):
    api.core.create_namespace(namespace(f"{api.namespace}-b"))
    api.core.create_namespaced_config_map(f"{api.namespace}-b", {"metadata": {"name": "m"}})
    api.core.delete_namespace(f"{api.namespace}-b")

    def gone():
        try:
            api.core.read_namespace(f"{api.namespace}-b")
        except kubernetes.client.ApiException as missing:
            return missing.status == 404
        return False

    api.eventually(gone)

"""The Roles: exactly what the runbooks take, readable by nobody else's eyes, and nothing for no namespace."""

from __future__ import annotations

from bot.runbooks.catalogue import Catalogue
from bot.runbooks.rbac import namespaced, reader, roles, rules, runner
from bot.runbooks.resources import Verb


def test_the_runner_gets_exactly_what_the_shipped_runbooks_take(catalogue: Catalogue) -> None:
    needed = runner(catalogue.runbooks.values())
    assert rules(namespaced(needed)) == [
        {"apiGroups": [""], "resources": ["pods/eviction"], "verbs": ["create"]},
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["delete", "get", "list"]},
        {"apiGroups": ["apps"], "resources": ["replicasets"], "verbs": ["get", "list"]},
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get", "list", "patch"]},
        {"apiGroups": ["apps"], "resources": ["daemonsets", "statefulsets"], "verbs": ["get", "patch"]},
        {"apiGroups": ["apps"], "resources": ["controllerrevisions"], "verbs": ["list"]},
        {"apiGroups": ["autoscaling"], "resources": ["horizontalpodautoscalers"], "verbs": ["list"]},
        {"apiGroups": ["batch"], "resources": ["cronjobs"], "verbs": ["get", "patch"]},
    ]
    assert rules(needed - namespaced(needed)) == [
        {"apiGroups": [""], "resources": ["pods/eviction"], "verbs": ["create"]},
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]},
        {"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "patch"]},
    ]


def test_a_runbook_that_is_not_there_takes_nothing(catalogue: Catalogue) -> None:
    only = runner([catalogue.runbooks["restart-deployment"]])
    assert only == {Verb("apps", "deployments", "get"), Verb("apps", "deployments", "patch")}


def test_the_reader_reads_and_sees_no_secret() -> None:
    verbs = reader()
    assert {verb.verb for verb in verbs} == {"get", "list"}
    assert not {verb.resource for verb in verbs} & {"secrets", "configmaps"}
    assert Verb("", "pods/log", "get") in verbs
    assert Verb("", "pods/log", "list") not in verbs


def test_nothing_is_granted_with_a_wildcard_or_without_a_namespace(catalogue: Catalogue) -> None:
    assert roles(catalogue, [], "signoff") == []
    documents = roles(catalogue, ["shop", "bank"], "ops")
    assert [(each["kind"], each["metadata"]["namespace"]) for each in documents] == [
        (kind, namespace) for namespace in ("shop", "bank") for _ in range(2) for kind in ("Role", "RoleBinding")
    ]
    assert "*" not in str(documents)
    bindings = [each for each in documents if each["kind"] == "RoleBinding"]
    assert all(each["roleRef"]["name"] == each["subjects"][0]["name"] for each in bindings)
    assert {each["subjects"][0]["namespace"] for each in bindings} == {"ops"}


def test_the_documents_are_valid_kubernetes(catalogue: Catalogue) -> None:
    import kubernetes_validate

    for document in roles(catalogue, ["shop"], "signoff"):
        kubernetes_validate.validate(document, "1.36", strict=True)

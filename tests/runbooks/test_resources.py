"""Paths are made of names only."""

from __future__ import annotations

import pytest

from bot.runbooks.resources import DEPLOYMENT, POD, in_kubernetes


def test_paths() -> None:
    assert DEPLOYMENT.path("shop", "checkout") == "/apis/apps/v1/namespaces/shop/deployments/checkout"
    assert POD.path("shop") == "/api/v1/namespaces/shop/pods"
    assert DEPLOYMENT.verb("patch").qualified == "deployments.apps"
    assert POD.verb("get").qualified == "pods"


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../secrets", "a%2Fb", "A", "a b", "a\n", "a?x=1", "x" * 254])
def test_what_is_no_name_makes_no_path(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name"):
        DEPLOYMENT.path("shop", name)
    with pytest.raises(ValueError, match="cannot be the name"):
        DEPLOYMENT.path(name, "checkout")


def test_a_runner_is_needed_for_what_is_in_kubernetes_or_unknown() -> None:
    assert in_kubernetes({"Deployment", "WorkflowRun"})
    assert in_kubernetes({"Something"})
    assert not in_kubernetes({"WorkflowRun", "Silence", "Endpoint"})

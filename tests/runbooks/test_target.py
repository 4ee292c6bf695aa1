"""A target names itself, the system that is asked about it, and the key that no two runs may hold."""

from bot.runbooks.resources import DEPLOYMENT, ENDPOINT, SILENCE, WORKFLOW_RUN
from bot.runbooks.target import Target


def test_a_sentence_names_the_system_that_is_asked() -> None:
    assert Target("prod", DEPLOYMENT, "shop", "cart").system == "Cluster prod"
    assert Target("prod", SILENCE, "", "s1").system == "The Alertmanager of cluster prod"
    assert Target("prod", ENDPOINT, "", "status").system == "The endpoint status"
    assert Target("", WORKFLOW_RUN, "shop/deploy", "55").system == "GitHub"


def test_what_is_on_github_is_the_same_from_every_cluster_and_from_none() -> None:
    keys = {Target(cluster, WORKFLOW_RUN, "shop/deploy", "55").key for cluster in ("prod", "staging", "")}
    assert keys == {"github/WorkflowRun/shop/deploy/55"}
    assert Target("prod", DEPLOYMENT, "shop", "cart").key == "prod/Deployment/shop/cart"

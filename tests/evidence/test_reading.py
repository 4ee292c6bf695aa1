import pytest

from bot.evidence.reading import KINDS, selector


@pytest.mark.parametrize(
    ("kind", "name", "subresource", "path"),
    [
        ("Deployment", "checkout", "", "/apis/apps/v1/namespaces/shop/deployments/checkout"),
        ("Pod", "", "", "/api/v1/namespaces/shop/pods"),
        ("Pod", "a", "log", "/api/v1/namespaces/shop/pods/a/log"),
        ("Node", "node-1", "", "/api/v1/nodes/node-1"),
        ("CronJob", "", "", "/apis/batch/v1/namespaces/shop/cronjobs"),
    ],
)
def test_paths(kind, name, subresource, path):
    assert KINDS[kind].path("shop", name, subresource) == path


def test_selectors():
    rules = [
        {"key": "tier", "operator": "In", "values": ["a", "b"]},
        {"key": "env", "operator": "NotIn", "values": ["dev"]},
        {"key": "app", "operator": "Exists"},
        {"key": "old", "operator": "DoesNotExist"},
    ]
    assert (
        selector({"matchLabels": {"x": "1"}, "matchExpressions": rules}) == "x=1,tier in (a,b),env notin (dev),app,!old"
    )
    assert selector({}) == ""

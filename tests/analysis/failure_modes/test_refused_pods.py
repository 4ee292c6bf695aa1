import pytest

from bot.analysis.failure_modes.refused_pods import suspect
from tests.analysis.objects import event, events, seen, workload


@pytest.mark.parametrize(
    ("message", "why", "category"),
    [
        ('pods "x" is forbidden: exceeded quota: compute, requested: cpu=2', "quota is used up", "resource-exhaustion"),
        ('pods "x" is forbidden: violates PodSecurity "restricted:latest"', "Pod Security", "configuration"),
        (
            'error looking up service account shop/app: serviceaccount "app" not found',
            "service account",
            "configuration",
        ),
        ('admission webhook "policy.example" denied the request: no', "webhook denies", "configuration"),
        ('failed calling webhook "inject.example": connection refused', "does not answer", "dependency"),
        ("something new", "API server refuses", "configuration"),
    ],
)
def test_what_stands_in_the_way_is_named(message, why, category):
    (found,) = suspect(seen(events(event("FailedCreate", message, kind="ReplicaSet", name="checkout-new"))))
    assert why in found.headline
    assert message in found.statement
    assert found.category == category


def test_the_replica_failure_condition_is_enough():
    condition = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota: x"}
    (found,) = suspect(seen(workload(conditions=[condition])))
    assert found.evidence == ("E1",)

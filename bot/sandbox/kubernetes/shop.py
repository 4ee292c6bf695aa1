"""The shop: two clusters with a namespace `shop` each, and the bad rollout that the demo tells of.

In `prod`, `play(…, "break_checkout")` rolls `checkout` out to an image tag that nobody has pushed: the
rollout sticks with one pod of three missing. `staging` has a healthy namesake. `fix_checkout` is the
colleague who pushes the missing tag, `crash_cart` and `leak_frontend` are other bad days.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bot.sandbox.kubernetes.spec import ClusterSpec, ImageBehaviour, Patch, Scenario, Stage

Json = dict[str, Any]

NAMESPACE: Final = "shop"
GOOD_IMAGE: Final = "registry.example/shop/checkout:4.17.3"
BROKEN_IMAGE: Final = "registry.example/shop/checkout:4.18.0"

_DAY: Final = 86_400.0
_CHANGE_CAUSE: Final = "kubernetes.io/change-cause"

READER_ROLES: Final[tuple[Json, ...]] = (
    {
        "kind": "Role",
        "metadata": {"name": "signoff-reader", "namespace": NAMESPACE},
        "rules": [
            {
                "apiGroups": [""],
                "resources": ["pods", "pods/log", "events", "services", "configmaps"],
                "verbs": ["get", "list"],
            },
            {
                "apiGroups": ["apps"],
                "resources": ["deployments", "replicasets", "statefulsets", "daemonsets", "controllerrevisions"],
                "verbs": ["get", "list"],
            },
            {"apiGroups": ["batch"], "resources": ["jobs", "cronjobs"], "verbs": ["get", "list"]},
            {"apiGroups": ["policy"], "resources": ["poddisruptionbudgets"], "verbs": ["get", "list"]},
            {"apiGroups": ["autoscaling"], "resources": ["horizontalpodautoscalers"], "verbs": ["get", "list"]},
        ],
    },
    {
        "kind": "ClusterRole",
        "metadata": {"name": "signoff-nodes"},
        "rules": [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list"]}],
    },
)
RUNNER_ROLES: Final[tuple[Json, ...]] = (
    {
        "kind": "Role",
        "metadata": {"name": "signoff-runner", "namespace": NAMESPACE},
        "rules": [
            {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get", "list", "patch"]},
            {"apiGroups": ["apps"], "resources": ["replicasets"], "verbs": ["get", "list"]},
            {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "delete"]},
        ],
    },
)


def clusters(
    reader: Sequence[Mapping[str, Any]] = READER_ROLES,
    runner: Sequence[Mapping[str, Any]] = RUNNER_ROLES,
    **more: Sequence[Mapping[str, Any]],
) -> tuple[ClusterSpec, ClusterSpec]:
    """The clusters `prod` and `staging`; `more` adds identities with their roles."""
    roles = {"reader": reader, "runner": runner, **more}
    prod = ClusterSpec("prod", roles, _past("prod"), _IMAGES, _SCENARIOS)
    staging = ClusterSpec("staging", roles, _past("staging"), _IMAGES, _SCENARIOS, nodes=("node-1",))
    return prod, staging


def _past(cluster: str) -> tuple[Stage, ...]:
    checkout = _workload("checkout", "registry.example/shop/checkout:4.16.9", "release 4.16.9", cluster)
    everything = (
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        _config(cluster),
        _workload("frontend", "registry.example/shop/frontend:2.9.1", "release 2.9.1", cluster),
        _workload("cart", "registry.example/shop/cart:1.31.0", "release 1.31.0", cluster),
        checkout,
        *(_service(name) for name in ("frontend", "cart", "checkout")),
        _budget("checkout"),
        _autoscaler("frontend"),
    )
    return (
        Stage(21 * _DAY, everything),
        Stage(9 * _DAY, (_release("checkout", "4.17.2"),)),
        Stage(2.2 * _DAY, (_release("checkout", "4.17.3"),)),
    )


def _release(name: str, version: str) -> Json:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": name,
            "namespace": NAMESPACE,
            "annotations": {_CHANGE_CAUSE: f"release {version}"},
        },
        "spec": {
            "template": {
                "metadata": {"labels": {"app.kubernetes.io/version": version}},
                "spec": {"containers": [{"name": name, "image": f"registry.example/shop/{name}:{version}"}]},
            }
        },
    }


def _workload(name: str, image: str, cause: str, cluster: str) -> Json:
    probe = {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 5}
    labels = {"app": name}
    env: list[Json] = [
        {"name": "ENVIRONMENT", "value": cluster},
        {"name": "LOG_LEVEL", "value": "info"},
        {"name": "CONFIG", "valueFrom": {"configMapKeyRef": {"name": "shop", "key": "shop.yaml"}}},
        {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
    ]
    if name == "checkout":
        env.append({"name": "PAYMENTS_URL", "value": "https://payments.shop.example/v2"})
        env.append(
            {"name": "DATABASE_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "checkout", "key": "password"}}}
        )
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": name,
            "namespace": NAMESPACE,
            "labels": {**labels, "app.kubernetes.io/part-of": "shop"},
            "annotations": {_CHANGE_CAUSE: cause},
        },
        "spec": {
            "replicas": 3 if cluster == "prod" else 1,
            "selector": {"matchLabels": labels},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 1}},
            "template": {
                "metadata": {
                    "labels": {**labels, "app.kubernetes.io/version": image.rpartition(":")[2]},
                    "annotations": {"prometheus.io/scrape": "true"},
                },
                "spec": {
                    "serviceAccountName": name,
                    "containers": [
                        {
                            "name": name,
                            "image": image,
                            "env": env,
                            "ports": [{"name": "http", "containerPort": 8080}],
                            "readinessProbe": probe,
                            "livenessProbe": {**probe, "periodSeconds": 10},
                            "resources": {
                                "requests": {"cpu": "100m", "memory": "192Mi"},
                                "limits": {"memory": "384Mi"},
                            },
                        }
                    ],
                },
            },
        },
    }


def _config(cluster: str) -> Json:
    text = f"environment: {cluster}\npayments:\n  timeout: 3s\n  retries: 2\n"
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "shop", "namespace": NAMESPACE},
        "data": {"shop.yaml": text},
    }


def _service(name: str) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": {"app": name}},
        "spec": {"selector": {"app": name}, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]},
    }


def _budget(name: str) -> Json:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": name}}},
    }


def _autoscaler(name: str) -> Json:
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "minReplicas": 3,
            "maxReplicas": 9,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}},
                }
            ],
        },
    }


def _lines(service: str, version: str) -> ImageBehaviour:
    steady = {
        "frontend": (
            'level=info msg="GET / 200" duration=18ms',
            'level=info msg="GET /products/3141 200" duration=42ms',
            'level=info msg="POST /cart 200" duration=31ms',
        ),
        "cart": (
            '{"level":"info","msg":"item added","cart":"c-8841","sku":"3141","items":2}',
            '{"level":"info","msg":"cart priced","cart":"c-8841","total":"49.90"}',
            '{"level":"info","msg":"cache hit","key":"price:3141"}',
        ),
        "checkout": (
            '{"level":"info","msg":"order placed","order":"o-20417","total":"49.90","ms":212}',
            '{"level":"info","msg":"payment authorised","order":"o-20417","provider":"payments.shop.example"}',
            '{"level":"warn","msg":"payments slow","ms":1480,"attempt":1}',
            '{"level":"info","msg":"order placed","order":"o-20418","total":"12.50","ms":187}',
        ),
    }[service]
    return ImageBehaviour(
        start_log=(
            f'{{"level":"info","msg":"starting {service}","version":"{version}"}}',
            '{"level":"info","msg":"configuration loaded","file":"/etc/shop/shop.yaml"}',
            '{"level":"info","msg":"listening","addr":":8080"}',
        ),
        steady_log=steady,
        steady_every=7.0,
    )


_IMAGES: Final = {
    f"registry.example/shop/{service}:{version}": _lines(service, version)
    for service, version in (
        ("frontend", "2.9.1"),
        ("cart", "1.31.0"),
        ("checkout", "4.16.9"),
        ("checkout", "4.17.2"),
        ("checkout", "4.17.3"),
    )
} | {
    # CRI-O's words for a tag that the registry does not have
    BROKEN_IMAGE: ImageBehaviour(
        pull_error="rpc error: code = Unknown desc = initializing source docker://"
        f"{BROKEN_IMAGE}: reading manifest 4.18.0 in registry.example/shop/checkout: manifest unknown"
    ),
    "registry.example/shop/cart:1.32.0": ImageBehaviour(
        exits_after=3.0,
        exit_code=1,
        ready_after=None,
        readiness_failure='Get "http://10.244.1.7:8080/healthz": dial tcp 10.244.1.7:8080: connect: connection refused',
        start_log=('{"level":"info","msg":"starting cart","version":"1.32.0"}',),
        exit_log=(
            '{"level":"fatal","msg":"cannot read configuration","error":"key \\"pricing.currency\\" is missing"}',
        ),
    ),
    "registry.example/shop/frontend:2.10.0": ImageBehaviour(
        exits_after=45.0,
        oom_killed=True,
        start_log=('level=info msg="starting frontend" version=2.10.0',),
        steady_log=('level=warn msg="template cache grows" entries=100000 bytes=201326592',),
        steady_every=9.0,
    ),
}

_SCENARIOS: Final = {
    "break_checkout": Scenario(patches=(Patch("deployments", NAMESPACE, "checkout", _release("checkout", "4.18.0")),)),
    "fix_checkout": Scenario(images={BROKEN_IMAGE: _lines("checkout", "4.18.0")}),
    "crash_cart": Scenario(patches=(Patch("deployments", NAMESPACE, "cart", _release("cart", "1.32.0")),)),
    "leak_frontend": Scenario(patches=(Patch("deployments", NAMESPACE, "frontend", _release("frontend", "2.10.0")),)),
}

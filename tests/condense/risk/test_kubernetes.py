from decimal import Decimal

import pytest

from bot.condense.risk import kubernetes
from bot.condense.risk.assess import assess
from tests.condense.diff.diffs import file
from tests.condense.risk.telling import Change, ids, told

TOLD: dict[str, Change] = {
    "k8s/probe-hollow": (
        "deploy/app.yaml",
        "livenessProbe:\n  exec:\n    command: [check]",
        "livenessProbe:\n  exec:\n    command: ['true']",
    ),
    "k8s/disruption-unbounded": ("pdb.yaml", "spec:\n  maxUnavailable: 1", "spec:\n  maxUnavailable: 100%"),
    "k8s/guard-removed": ("mesh.yaml", "x: 1\nkind: AuthorizationPolicy", "x: 1"),
    "k8s/monitor-removed": ("mon.yaml", "x: 1\nkind: ServiceMonitor", "x: 1"),
    "k8s/tls-removed": ("ing.yaml", "spec:\n  tls:\n  - hosts: [a]\n  rules: []", "spec:\n  rules: []"),
    "k8s/tls-off": ("mesh.yaml", "mtls:\n  mode: STRICT", "mtls:\n  mode: PERMISSIVE"),
    "k8s/pod-security-lowered": (
        "ns.yaml",
        "    pod-security.kubernetes.io/enforce: restricted",
        "    pod-security.kubernetes.io/enforce: privileged",
    ),
    "k8s/pod-security-removed": ("ns.yaml", "x: 1\n  pod-security.kubernetes.io/enforce: baseline", "x: 1"),
    "k8s/policy-only-tells": (
        "policy.yaml",
        "spec:\n  validationFailureAction: Enforce",
        "spec:\n  validationFailureAction: Audit",
    ),
    "k8s/network-direction-removed": (
        "np.yaml",
        "  policyTypes:\n  - Ingress\n  - Egress",
        "  policyTypes:\n  - Ingress",
    ),
    "k8s/network-directions-fewer": ("np.yaml", "  policyTypes: [Ingress, Egress]", "  policyTypes: [Ingress]"),
    "k8s/network-policy-narrowed": (
        "np.yaml",
        "spec:\n  podSelector: {}",
        "spec:\n  podSelector:\n    matchLabels: {app: a}",
    ),
    "k8s/source-bound-removed": ("svc.yaml", "x: 1\n  loadBalancerSourceRanges: [10.0.0.0/8]", "x: 1"),
    "k8s/rbac-bound-removed": ("role.yaml", "x: 1\n  resourceNames: [a]", "x: 1"),
    "k8s/namespace-changed": ("pdb.yaml", "metadata:\n  namespace: prod", "metadata:\n  namespace: dev"),
    "k8s/suspended": ("cron.yaml", "  suspend: false", "  suspend: true"),
    "k8s/privileged": ("deploy/app.yaml", "x: 1", "x: 1\n          privileged: true"),
    "k8s/host-namespace": ("deploy/app.yaml", "x: 1", "x: 1\n      hostNetwork: true"),
    "k8s/host-path": ("deploy/app.yaml", "x: 1", "x: 1\n        hostPath: {path: /}"),
    "k8s/host-port": ("a.yaml", "x: 1", "x: 1\nhostPort: 8080"),
    "k8s/inline-limit-removed": ("a.yaml", "limits: {cpu: 1, memory: 1Gi}", "limits: {cpu: 1}"),
    "k8s/inline-resources-lowered": ("a.yaml", "limits: {cpu: 1, memory: 1Gi}", "limits: {cpu: 1, memory: 512Mi}"),
    "k8s/privilege-escalation": ("deploy/app.yaml", "x: 1", "x: 1\n  allowPrivilegeEscalation: true"),
    "k8s/runs-as-root": ("deploy/app.yaml", "x: 1", "x: 1\n  runAsUser: 0"),
    "k8s/writable-root": ("deploy/app.yaml", "x: 1", "x: 1\n  readOnlyRootFilesystem: false"),
    "k8s/capability": ("deploy/app.yaml", "x: 1", "x: 1\n  add: [NET_ADMIN]"),
    "k8s/unconfined": ("deploy/app.yaml", "x: 1", "x: 1\n  type: Unconfined"),
    "k8s/security-context-removed": ("deploy/app.yaml", "x: 1\n  securityContext:\n    runAsNonRoot: true", "x: 1"),
    "k8s/probe-removed": ("deploy/app.yaml", "x: 1\n  livenessProbe:\n    httpGet: {path: /}", "x: 1"),
    "k8s/limits-removed": ("deploy/app.yaml", "x: 1\n    limits:\n      memory: 1Gi", "x: 1"),
    "k8s/requests-removed": ("deploy/app.yaml", "x: 1\n    requests:\n      cpu: 1", "x: 1"),
    "k8s/limit-removed": (
        "deploy/app.yaml",
        "limits:\n  memory: 1Gi\n  cpu: 1\nrequests:\n  cpu: 1",
        "limits:\n  cpu: 1\nrequests:\n  cpu: 1\n  memory: 1Gi",
    ),
    "k8s/request-removed": ("deploy/app.yaml", "requests:\n  memory: 1Gi\n  cpu: 1", "requests:\n  cpu: 1"),
    "k8s/limits-emptied": ("deploy/app.yaml", "limits:\n  memory: 1Gi", "limits: {}"),
    "k8s/replicas-removed": ("deploy/app.yaml", "spec:\n  replicas: 3\n  x: 1", "spec:\n  x: 1"),
    "k8s/network-open": ("np.yaml", "spec:\n  x: 1", "spec:\n  x: 1\n  ingress: [{}]"),
    "k8s/network-rule-open": ("np.yaml", "spec:\n  x: 1", "spec:\n  x: 1\n  ingress:\n  - {}"),
    "k8s/image-untagged": ("deploy/app.yaml", "x: 1", "x: 1\n  image: nginx"),
    "k8s/probe-stretched": ("deploy/app.yaml", "  periodSeconds: 10", "  periodSeconds: 86400"),
    "k8s/disruption-budget-removed": ("deploy/pdb.yaml", "kind: PodDisruptionBudget\nspec:\n  minAvailable: 1", ""),
    "k8s/network-policy-removed": ("np.yaml", "kind: NetworkPolicy\nspec: {}", ""),
    "k8s/network-rule-removed": ("deploy/app.yaml", "x: 1\n  policyTypes: [Ingress]", "x: 1"),
    "k8s/spread-removed": ("deploy/app.yaml", "x: 1\n  topologySpreadConstraints: []", "x: 1"),
    "k8s/shutdown-removed": ("deploy/app.yaml", "x: 1\n  terminationGracePeriodSeconds: 30", "x: 1"),
    "k8s/autoscaler-removed": ("deploy/app.yaml", "x: 1\nkind: HorizontalPodAutoscaler", "x: 1"),
    "k8s/object-removed": ("deploy/app.yaml", "x: 1\nkind: Deployment", "x: 1"),
    "k8s/rbac-wildcard": ("deploy/app.yaml", "x: 1", "x: 1\n  verbs: ['*']"),
    "k8s/rbac-powerful": ("deploy/app.yaml", "x: 1", "x: 1\n  name: cluster-admin"),
    "k8s/rbac": ("deploy/app.yaml", "x: 1", "x: 1\nkind: ClusterRole"),
    "k8s/webhook-fails-closed": ("deploy/app.yaml", "x: 1", "x: 1\n  failurePolicy: Fail"),
    "k8s/exposed": ("deploy/app.yaml", "x: 1", "x: 1\n  type: LoadBalancer"),
    "k8s/token-mounted": ("deploy/app.yaml", "x: 1", "x: 1\nautomountServiceAccountToken: true"),
    "k8s/token-guard-removed": ("deploy/app.yaml", "x: 1\nautomountServiceAccountToken: false", "x: 1"),
    "k8s/image-floating": ("deploy/app.yaml", "x: 1", "x: 1\n  image: shop/app:latest"),
    "k8s/recreate": ("deploy/app.yaml", "x: 1", "x: 1\n    type: Recreate"),
    "k8s/image-always-old": ("deploy/app.yaml", "x: 1", "x: 1\n  imagePullPolicy: Never"),
    "k8s/replicas-lowered": ("deploy/app.yaml", "replicas: 3", "replicas: 1"),
    "k8s/resources-lowered": ("deploy/app.yaml", "  memory: 1Gi", "  memory: 512Mi"),
    "k8s/storage-lowered": ("deploy/app.yaml", "  storage: 20Gi", "  storage: 10Gi"),
    "k8s/grace-lowered": ("deploy/app.yaml", "  failureThreshold: 5", "  failureThreshold: 1"),
    "k8s/disruption-raised": ("deploy/app.yaml", "  maxUnavailable: 1", "  maxUnavailable: 3"),
    "k8s/disruption-guard-lowered": ("deploy/app.yaml", "  minAvailable: 2", "  minAvailable: 1"),
    "k8s/finalizer-removed": ("deploy/app.yaml", "x: 1\n  finalizers: [x]", "x: 1"),
    "k8s/data-dropped-on-delete": ("deploy/app.yaml", "x: 1", "x: 1\nreclaimPolicy: Delete"),
    "k8s/security-context": ("deploy/app.yaml", "x: 1", "x: 1\n  runAsUser: 1000"),
    "k8s/probe": ("deploy/app.yaml", "x: 1", "x: 1\n  readinessProbe:"),
    "k8s/resources": ("deploy/app.yaml", "x: 1", "x: 1\n    cpu: 100m"),
    "k8s/image": ("deploy/app.yaml", "x: 1", "x: 1\n  - image: shop/app:1.2.3"),
    "k8s/availability": ("deploy/app.yaml", "x: 1", "x: 1\n  replicas: 2"),
    "k8s/network": ("deploy/app.yaml", "x: 1", "x: 1\n  podSelector: {}"),
    "k8s/secret": ("deploy/app.yaml", "x: 1", "x: 1\nkind: Secret"),
    "k8s/storage": ("deploy/app.yaml", "x: 1", "x: 1\n  emptyDir: {}"),
}

_FLOW = "a:\n  - name: x\n    resources: {limits: {cpu: 500m, memory: 512Mi}, requests: {cpu: 100m}}"
_BLOCK = """\
a:
  - name: x
    resources:
      limits:
        cpu: 500m
        memory: 512Mi
      requests:
        cpu: 100m
"""
INLINE: list[tuple[str, Change]] = [
    ("k8s/limits-removed", ("a.yaml", _FLOW, "a:\n  - name: x\n    resources: {}")),
    ("k8s/limits-removed", ("a.yaml", _FLOW, "a:\n  - name: x")),
    ("k8s/requests-removed", ("a.yaml", _FLOW, _FLOW.replace(", requests: {cpu: 100m}", ""))),
    ("k8s/inline-limit-removed", ("a.yaml", _FLOW, _FLOW.replace(", memory: 512Mi", ""))),
    ("k8s/inline-resources-lowered", ("a.yaml", _FLOW, _FLOW.replace("cpu: 100m", "cpu: 10m"))),
    (
        "k8s/inline-resources-lowered",
        ("a.json", '"limits": {"cpu": "2", "memory": "1Gi"},', '"limits": {"cpu": "2", "memory": "512Mi"},'),
    ),
    ("k8s/limits-removed", ("a.yaml", _BLOCK, "a:\n  - name: x\n    resources: {requests: {cpu: 100m}}")),
]

QUIET: list[tuple[str, Change]] = [
    *[
        (rule, ("a.yaml", old, new))
        for rule in (
            "k8s/limits-removed",
            "k8s/requests-removed",
            "k8s/limit-removed",
            "k8s/inline-limit-removed",
            "k8s/inline-resources-lowered",
        )
        for old, new in (
            (_FLOW, _BLOCK),
            (_BLOCK, _FLOW),
            (_FLOW, _FLOW.replace("500m", "750m")),
            (_FLOW, _FLOW.replace("limits: {cpu: 500m, memory: 512Mi}", "limits: {memory: 512Mi, cpu: 500m}")),
            ("limits: {cpu: 500m}", "limits: {cpu: {{ .Values.cpu }}}"),
        )
    ],
    ("k8s/host-port", ("a.yaml", "x: 1", "x: 1\nhostPort: 0")),
    ("k8s/host-port", ("a.yaml", "x: 1", "x: 1\nhostPort:\n  type: integer")),
    ("k8s/probe-hollow", ("a.yaml", "x: 1", "x: 1\nlivenessProbe:\n  enabled: true")),
    ("k8s/probe-hollow", ("a.yaml", "x: 1", "x: 1\ninit:\n  command: ['true']")),
    ("k8s/disruption-unbounded", ("a.yaml", "x: 1", "x: 1\nmaxUnavailable: 10%\nminAvailable: 05%")),
    (
        "k8s/pod-security-lowered",
        ("a.yaml", "pod-security.kubernetes.io/enforce: x", "pod-security.kubernetes.io/enforce: y"),
    ),
    ("k8s/network-policy-narrowed", ("a.yaml", "from:\n- podSelector: {}", "from:\n- podSelector: {matchLabels: {}}")),
    ("k8s/network-directions-fewer", ("a.yaml", "policyTypes: [Egress]", "policyTypes: [Egress, Ingress]")),
    (
        "k8s/probe-removed",
        ("a.yaml", "a:\n  livenessProbe:\n    port: 1\nb: 1", "a:\n  livenessProbe:\n    port: 2\nb: 1"),
    ),
    (
        "k8s/probe-removed",
        ("a.yaml", "a:\n  livenessProbe: {}\n  b: 1", "a:\n  b: 1\n  livenessProbe: {}"),
    ),
    ("k8s/privileged", ("deploy/app.yaml", "x: 1\n  privileged: true", "x: 1")),
    ("k8s/privileged", ("deploy/app.yaml", "x: 1", "x: 1\n  privileged: false")),
    ("k8s/replicas-lowered", ("deploy/app.yaml", "replicas: 1", "replicas: 3")),
    ("k8s/replicas-lowered", ("deploy/app.yaml", "replicas: {{ .a }}", "replicas: 1")),
    ("k8s/resources-lowered", ("deploy/app.yaml", "  memory: 512Mi", "  memory: 1Gi")),
    ("k8s/resources-lowered", ("deploy/app.yaml", "  cpu: 1000m", "  cpu: 1")),
    ("k8s/image-floating", ("deploy/app.yaml", "x: 1", "x: 1\n  image: shop/app:1.2.3")),
    ("k8s/image-floating", ("deploy/app.yaml", "x: 1", "x: 1\n  image: shop/app@sha256:00ff")),
    ("k8s/object-removed", ("deploy/app.yaml", "x: 1\n    kind: Deployment", "x: 1")),
    ("k8s/limit-removed", ("a.yaml", "limits:\n  memory: 1Gi", "limits:\n  memory: 2Gi")),
    ("k8s/limit-removed", ("a.yaml", "x: 1\nlimits:\n  memory: 1Gi", "x: 1")),
    ("k8s/replicas-removed", ("a.yaml", "spec:\n  replicas: 3", "spec:\n  replicas: 5")),
    ("k8s/replicas-removed", ("a.yaml", "x: 1\nspec:\n  replicas: 3", "x: 1")),
    ("k8s/network-rule-open", ("a.yaml", "volumes:", "volumes:\n- {}")),
    ("k8s/image-untagged", ("a.yaml", "x: 1", "x: 1\nimage: nginx:1.27")),
    ("k8s/image-untagged", ("a.yaml", "x: 1", "x: 1\nimage: nginx@sha256:00ff")),
    ("k8s/image-untagged", ("a.yaml", "x: 1", "x: 1\nimage: {{ .Values.image }}")),
    ("k8s/image-untagged", ("a.jsonnet", "x: 1", "x: 1\nimage: image,")),
    ("k8s/probe-stretched", ("a.yaml", "  periodSeconds: 10", "  periodSeconds: 30")),
    ("k8s/disruption-guard-lowered", ("a.yaml", "minAvailable: 2", "minAvailable: 50%")),
    ("k8s/privileged", ("a.yaml", "x: 1", "x: 1\n# privileged: true")),
    ("k8s/host-namespace", ("a.yaml", "x: 1", "x: 1\n  # never hostNetwork: true")),
    ("k8s/exposed", ("a.yaml", "egress:", "egress:\n- to:\n  - ipBlock:\n      cidr: 0.0.0.0/0")),
]


@pytest.mark.parametrize(("rule", "change"), TOLD.items(), ids=TOLD)
def test_each_rule_tells_its_change(rule: str, change: Change) -> None:
    assert rule in told(*change)


def test_every_rule_has_an_example() -> None:
    assert sorted(TOLD) == sorted(ids(kubernetes.RULES))


@pytest.mark.parametrize(("rule", "change"), INLINE)
def test_a_map_within_a_line_is_read_as_its_lines_would_be(rule: str, change: Change) -> None:
    assert rule in told(*change)


@pytest.mark.parametrize(("rule", "change"), QUIET)
def test_a_rule_is_quiet_where_there_is_nothing_to_tell(rule: str, change: Change) -> None:
    assert rule in ids(kubernetes.RULES)
    assert rule not in told(*change)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", "1"),
        ("250m", "0.25"),
        ("1.5Gi", "1610612736"),
        ("'2Ki'", "2048"),
        ("3k", "3000"),
        ("25%", "0.25"),
        ("1e3", None),
        ("{{ x }}", None),
        ("", None),
    ],
)
def test_a_quantity_is_read_as_kubernetes_reads_it(text: str, value: str | None) -> None:
    assert kubernetes.quantity(text) == (None if value is None else Decimal(value))


@pytest.mark.parametrize(
    ("rule", "old", "new"),
    [
        ("k8s/disruption-raised", "maxUnavailable: 25%", "maxUnavailable: 100%"),
        ("k8s/disruption-raised", "maxUnavailable: 0", "maxUnavailable: 50%"),
        ("k8s/disruption-guard-lowered", "minAvailable: 50%", "minAvailable: 0"),
        ("k8s/replicas-lowered", "maxReplicas: 50", "maxReplicas: 2"),
        ("k8s/disruption-guard-lowered", 'minAvailable: "50%"', 'minAvailable: "0%"'),
        ("k8s/probe-stretched", "failureThreshold: 3", "failureThreshold: 30000"),
        ("k8s/exposed", "ingress:", "ingress:\n- from:\n  - ipBlock:\n      cidr: 0.0.0.0/0"),
    ],
)
def test_shares_and_bounds_are_compared(rule: str, old: str, new: str) -> None:
    assert rule in told("a.yaml", old, new)


def test_two_probes_of_three_that_come_back_leave_one_removal() -> None:
    old = ["a:", "  livenessProbe: 1", "b:", "  livenessProbe: 2", "c:", "  livenessProbe: 3"]
    new = ["a:", "b:", "  livenessProbe: 22", "c:", "  livenessProbe: 33"]
    gone = [risk for risk in assess(file("a.yaml", old, new)) if risk.rule == "k8s/probe-removed"]
    assert len(gone) == 1


@pytest.mark.parametrize(
    ("rule", "kind"),
    [
        ("k8s/network-policy-removed", "CiliumNetworkPolicy"),
        ("k8s/network-policy-removed", "GlobalNetworkPolicy"),
        ("k8s/guard-removed", "PeerAuthentication"),
        ("k8s/guard-removed", "ValidatingAdmissionPolicy"),
        ("k8s/guard-removed", "ValidatingWebhookConfiguration"),
        ("k8s/guard-removed", "ClusterPolicy"),
        ("k8s/monitor-removed", "PodMonitor"),
        ("k8s/monitor-removed", "PrometheusRule"),
        ("k8s/object-removed", "ClusterRoleBinding"),
        ("k8s/object-removed", "ExternalSecret"),
        ("k8s/autoscaler-removed", "ScaledObject"),
    ],
)
def test_a_deleted_object_is_told_by_what_it_did(rule: str, kind: str) -> None:
    assert rule in told("a.yaml", f"apiVersion: v1\nkind: {kind}\nmetadata:\n  name: x", "")


@pytest.mark.parametrize(
    "probe",
    [
        "livenessProbe: {exec: {command: ['true']}}",
        "readinessProbe:\n  exec:\n    command:\n    - /bin/true",
        "startupProbe:\n  exec:\n    command: [sh, -c, 'true']",
        "livenessProbe:\n  exec:\n    command: [sh, -c, 'check; exit 0']",
    ],
)
def test_a_probe_that_cannot_fail_is_told(probe: str) -> None:
    assert "k8s/probe-hollow" in told("a.yaml", "x: 1", f"x: 1\n{probe}")

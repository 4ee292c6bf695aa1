"""Risk rules for Kubernetes manifests, and for whatever renders to them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Final

from bot.condense.risk.rule import Added, Changed, Gone, Rule, Touched

PATHS: Final = re.compile(r"\.(?:ya?ml|json|tpl|jsonnet|libsonnet|gotmpl|cue)$", re.I)

_SUFFIXES: Final[Mapping[str, int | Decimal]] = {
    "": 1, "%": Decimal("0.01"), "m": Decimal("0.001"), "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15,
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50,
}  # fmt: skip
_QUANTITY = re.compile(r"[\"']?([0-9]{1,18}(?:\.[0-9]{1,9})?)(m|%|[kMGTP]|[KMGTP]i)?[\"']?\s*,?")


def quantity(text: str) -> Decimal | None:
    """Return a Kubernetes quantity (``250m``, ``1.5Gi``) or a share (``25%``) as a number, or None."""
    match = _QUANTITY.fullmatch(text.strip())
    if match is None:
        return None
    try:
        return Decimal(match[1]) * _SUFFIXES[match[2] or ""]
    except InvalidOperation:
        return None


def lowered(old: str, new: str) -> bool:
    """Whether both are quantities, or both are shares, and the new one is smaller; nothing is less than either."""
    before, after = quantity(old), quantity(new)
    if before is None or after is None:
        return False
    return after < before and (("%" in old) == ("%" in new) or not before * after)


def raised(old: str, new: str) -> bool:
    """Whether both are quantities and the new one is larger."""
    return lowered(new, old)


def stretched(old: str, new: str) -> bool:
    """Whether the new quantity is ten times the old one or more: no adjustment any more."""
    before, after = quantity(old), quantity(new)
    return before is not None and after is not None and before > 0 and after >= _STRETCH * before


def _laxer(old: str, new: str) -> bool:
    order = ("privileged", "baseline", "restricted")
    before, after = old.strip("\"',"), new.strip("\"',")
    return before in order and after in order and order.index(after) < order.index(before)


def _other(old: str, new: str) -> bool:
    return old.strip("\"'") != new.strip("\"'") and not (old + new).count("{")


def _fewer(old: str, new: str) -> bool:
    return len(_ITEM.findall(new)) < len(_ITEM.findall(old))


def _narrowed(old: str, new: str) -> bool:
    return _ALL.fullmatch(old) is not None and _ALL.fullmatch(new) is None


def _inline(text: str) -> Mapping[tuple[str, ...], str]:
    """Return what the map that a text begins with says (``{limits: {cpu: 1}}``), by the keys that lead to it; nothing
    where it does not end, or is filled from elsewhere."""
    found: dict[tuple[str, ...], str] = {}
    path: list[str] = []
    if "{{" in text or "<<" in text:
        return {}
    for token in _TOKEN.finditer(text):
        if token[0] == "}":
            path.pop()
            if not path:
                return found
        elif token[0] == "{":
            path.append("")
        elif token[2] is None:
            path.append(token[1])
        elif token[2]:
            found[(*path, token[1])] = token[2]
    return {}


def _drops(old: str, new: str) -> bool:
    before, after = _inline(old), _inline(new)
    left = {path[:-1] for path in after}
    return any(path not in after and path[:-1] in left for path in before)


def _lowers(old: str, new: str) -> bool:
    before, after = _inline(old), _inline(new)
    return any(lowered(value, after[path]) for path, value in before.items() if path in after)


_TOKEN = re.compile(r"[\"']?([\w\-]+)[\"']?\s*:\s*(?:\{|[\"']?([^\s{},\"']*))|[{}]")
_ITEM = re.compile(r"\w+")
_ALL = re.compile(r"\{\s*\}\s*,?\s*(?:#.*)?")
_STRETCH: Final = 10
_KEY = r"^[\s\-{,\"']*"
_INLINE = rf"(?:{_KEY}|[{{,]\s*[\"']?)"
_END = r"[\"']?\s*[:=]"

RULES: Final[tuple[Rule, ...]] = (
    Added("k8s/privileged", "critical", rf"\bprivileged{_END}\s*true", "A privileged container owns its node."),
    Added(
        "k8s/host-namespace",
        "critical",
        rf"\bhost(?:Network|PID|IPC){_END}\s*true",
        "The pod shares its node's network or processes: isolation is gone.",
    ),
    Added(
        "k8s/host-path",
        "high",
        r"\bhostPath\b",
        "The pod mounts a folder of its node: it can read, and maybe write, what belongs to the node.",
    ),
    Added(
        "k8s/host-port",
        "medium",
        rf"\bhostPort{_END}\s*[\"']?[1-9]",
        "A port of the node leads to the pod, past its services; only one such pod fits on a node.",
    ),
    Added(
        "k8s/privilege-escalation",
        "high",
        rf"\ballowPrivilegeEscalation{_END}\s*true",
        "A process may gain more rights than its parent.",
    ),
    Added(
        "k8s/runs-as-root", "high", rf"\brunAs(?:NonRoot{_END}\s*false|User{_END}\s*0\b)", "The container runs as root."
    ),
    Added(
        "k8s/writable-root",
        "medium",
        rf"\breadOnlyRootFilesystem{_END}\s*false",
        "The container may change its own files.",
    ),
    Added(
        "k8s/capability",
        "high",
        r"\b(?:SYS_ADMIN|SYS_PTRACE|SYS_MODULE|NET_ADMIN|NET_RAW|DAC_OVERRIDE|BPF)\b"
        r"|^\s*-?\s*[\"']?ALL[\"']?\s*$",
        "A capability that reaches beyond the container is named: is it added or dropped?",
    ),
    Added("k8s/unconfined", "high", r"\b[Uu]nconfined\b", "A system call or AppArmor filter is off."),
    Gone(
        "k8s/security-context-removed",
        "high",
        r"\b(?:securityContext|runAsNonRoot|readOnlyRootFilesystem|seccompProfile|allowPrivilegeEscalation)\b",
        "A limit on what the container may do is gone.",
    ),
    Gone(
        "k8s/probe-removed",
        "high",
        r"\b(?:liveness|readiness|startup)Probe\b",
        "A probe is gone: broken pods get traffic, or are never restarted.",
    ),
    Added(
        "k8s/probe-hollow",
        "high",
        r"(?:^\s*-|[\[,])\s*[\"']?(?:/usr)?(?:/bin/)?true[\"']?\s*[\]}]*\s*(?:#.*)?$|\bexit\s+0\b",
        "The probe succeeds whatever happens: broken pods get traffic, or are never restarted.",
        inside=r"\b(?:liveness|readiness|startup)Probe\b",
    ),
    Gone("k8s/limits-removed", "high", rf"{_INLINE}(limits){_END}", "A limit is gone: one pod can starve its node."),
    Gone(
        "k8s/requests-removed",
        "high",
        rf"{_INLINE}(requests){_END}",
        "A request is gone: the scheduler overbooks nodes, and the pod is evicted first.",
    ),
    Gone(
        "k8s/limit-removed",
        "high",
        rf"{_KEY}(?:cpu|memory|ephemeral-storage){_END}",
        "A limit is gone: one pod can starve its node.",
        within=r"\blimits\b",
    ),
    Gone(
        "k8s/request-removed",
        "high",
        rf"{_KEY}(?:cpu|memory|ephemeral-storage){_END}",
        "A request is gone: the scheduler overbooks nodes, and the pod is evicted first.",
        within=r"\brequests\b",
    ),
    Added(
        "k8s/limits-emptied",
        "high",
        rf"{_KEY}(?:limits|requests){_END}\s*(?:\{{\s*\}}|null|~)\s*,?\s*(?:#.*)?$",
        "Nothing is limited or requested here: one pod can starve its node, or is evicted first.",
    ),
    Gone(
        "k8s/replicas-removed",
        "high",
        rf"{_KEY}(?:replicas|replicaCount|minReplicas){_END}",
        "How many pods there are is no longer given: one, unless an autoscaler or a default says otherwise.",
        within=r"",
    ),
    Gone(
        "k8s/disruption-budget-removed",
        "high",
        r"\b(?:PodDisruptionBudget|minAvailable|maxUnavailable)\b",
        "A bound on how many pods may be down at once is gone: a drain or rollout may take all.",
    ),
    Added(
        "k8s/disruption-unbounded",
        "high",
        rf"{_KEY}(?:maxUnavailable{_END}\s*[\"']?100%|minAvailable{_END}\s*[\"']?0%?[\"']?\s*(?:[,}}#].*)?$)",
        "All pods may be down at once.",
    ),
    Gone(
        "k8s/network-policy-removed",
        "critical",
        r"\b\w*NetworkPolicy\b",
        "A network policy is gone: traffic that it refused may flow.",
    ),
    Gone(
        "k8s/guard-removed",
        "critical",
        rf"{_KEY}kind{_END}\s*[\"']?(?:AuthorizationPolicy|PeerAuthentication|RequestAuthentication|ServerAuthorization"
        r"|(?:Validating|Mutating)AdmissionPolicy(?:Binding)?|ValidatingWebhookConfiguration|ClusterPolicy"
        r"|ConstraintTemplate|PodSecurityPolicy|SecurityContextConstraints)\b",
        "What refused requests, or objects, is gone: what it kept out may come in.",
    ),
    Gone(
        "k8s/monitor-removed",
        "high",
        rf"{_KEY}kind{_END}\s*[\"']?(?:ServiceMonitor|PodMonitor|Probe|ScrapeConfig|PrometheusRule|AlertmanagerConfig)\b",
        "It is measured no more, or nobody is alerted: alerts on what it gave fall silent.",
    ),
    Gone(
        "k8s/tls-removed",
        "high",
        rf"{_KEY}tls{_END}",
        "It is no longer said how its traffic is encrypted: it may go in the clear.",
    ),
    Added(
        "k8s/tls-off",
        "high",
        r"\bssl-redirect[\"']?\s*:\s*[\"']?false"
        rf"|\bmode{_END}\s*[\"']?(?:PERMISSIVE|DISABLE)\b|\b(?:insecureSkip(?:TLS)?Verify|insecureSkipTLSVerify){_END}\s*true",
        "Traffic may go in the clear, or to anyone.",
    ),
    Changed(
        "k8s/pod-security-lowered",
        "critical",
        r"\b(pod-security\.kubernetes\.io/enforce)[\"']?\s*:\s*(\S+)",
        "{key} lets in more: pods that it refused may own their nodes.",
        _laxer,
    ),
    Gone(
        "k8s/pod-security-removed",
        "high",
        r"\b(pod-security\.kubernetes\.io/enforce)[\"']?\s*:",
        "Nothing refuses privileged pods in this namespace any more.",
    ),
    Added(
        "k8s/policy-only-tells",
        "high",
        rf"\b(?:validationFailureAction|failureAction|enforcementAction){_END}\s*[\"']?(?i:audit|warn|dryrun)\b"
        rf"|\bvalidationActions{_END}\s*\[\s*[\"']?(?:Audit|Warn)\b|\bfailurePolicy{_END}\s*[\"']?Ignore\b",
        "What the policy refused is let in, always or while its webhook is down.",
    ),
    Added(
        "k8s/network-open",
        "high",
        rf"{_KEY}(?:ingress|egress|from|to){_END}\s*\[\s*\{{\s*\}}\s*\]",
        "A network policy allows all traffic of this direction.",
    ),
    Added(
        "k8s/network-rule-open",
        "high",
        r"^\s*-\s*\{\s*\}\s*(?:#.*)?$",
        "A network policy allows all traffic of this direction.",
        within=r"^(?:-\s)?\s*(?:ingress|egress|from|to)\s*:",
    ),
    Gone(
        "k8s/network-rule-removed",
        "high",
        rf"\b(?:podSelector|namespaceSelector|policyTypes){_END}",
        "A network policy selects other pods or traffic than before.",
    ),
    Gone(
        "k8s/network-direction-removed",
        "high",
        r"^\s*-\s*[\"']?(Ingress|Egress)[\"']?\s*(?:#.*)?$",
        "A network policy no longer holds for this direction: all of that traffic may flow.",
        within=r"\bpolicyTypes\b",
    ),
    Changed(
        "k8s/network-directions-fewer",
        "high",
        rf"\b(policyTypes){_END}\s*(\[.*\])",
        "A network policy no longer holds for one of the {key}: all of that traffic may flow.",
        _fewer,
    ),
    Changed(
        "k8s/network-policy-narrowed",
        "high",
        r"^\s*[\"']?(podSelector|endpointSelector)[\"']?\s*:\s*(.*)$",
        "{key} chose every pod and chooses some: a network policy no longer holds for the others.",
        _narrowed,
    ),
    Gone(
        "k8s/source-bound-removed",
        "high",
        rf"\bloadBalancerSourceRanges{_END}|\bwhitelist-source-range\b|\ballowlist-source-range\b",
        "It may be reached from any address.",
    ),
    Gone(
        "k8s/rbac-bound-removed",
        "high",
        rf"{_KEY}resourceNames{_END}",
        "A right held for named objects alone: it may hold for all of their kind.",
    ),
    Gone(
        "k8s/spread-removed",
        "medium",
        r"\b(?:topologySpreadConstraints|podAntiAffinity|nodeAffinity)\b",
        "Pods are no longer kept apart: one node or zone may take all of them down.",
    ),
    Gone(
        "k8s/shutdown-removed",
        "medium",
        r"\b(?:preStop|terminationGracePeriodSeconds)\b",
        "The way a pod ends is no longer given: requests in flight may be cut off.",
    ),
    Gone(
        "k8s/autoscaler-removed",
        "high",
        r"\b(?:HorizontalPodAutoscaler|ScaledObject)\b",
        "An autoscaler is gone: load no longer adds pods.",
    ),
    Gone(
        "k8s/object-removed",
        "high",
        rf"^(?:[\s{{]*\")?kind{_END}\s*[\"']?(?:Deployment|StatefulSet|DaemonSet|CronJob|Service|Ingress|Gateway|HTTPRoute|ServiceAccount|ConfigMap|Secret|CustomResourceDefinition|PersistentVolumeClaim|PersistentVolume|StorageClass|Namespace|ResourceQuota|LimitRange|PriorityClass|MutatingWebhookConfiguration|(?:Cluster)?Role(?:Binding)?|ExternalSecret|SealedSecret|Certificate|(?:Cluster)?Issuer|VerticalPodAutoscaler|Rollout|Job)\b",
        "An object is no longer declared: whatever prunes will delete it, and what needs it will break.",
    ),
    Added(
        "k8s/rbac-wildcard",
        "critical",
        r"\b(?:verbs|resources|apiGroups|nonResourceURLs)[\"']?\s*:\s*\[?[^#]*[\"']\*[\"']"
        r"|^\s*-\s*[\"']\*[\"']\s*$",
        "A wildcard allows everything of its kind, now and in future.",
    ),
    Added(
        "k8s/rbac-powerful",
        "critical",
        r"\bcluster-admin\b|\b(?:escalate|bind|impersonate)\b[\"',\]\s]*$|\bpods/exec\b|\bsystem:masters\b",
        "Whoever has this can become an administrator.",
    ),
    Touched(
        "k8s/rbac",
        "medium",
        rf"\b(?:Cluster)?Role(?:Binding)?\b|{_KEY}(?:verbs|roleRef|subjects|apiGroups){_END}",
        "Who may do what in the cluster is changed.",
    ),
    Added(
        "k8s/webhook-fails-closed",
        "medium",
        rf"\bfailurePolicy{_END}\s*[\"']?Fail\b",
        "While this webhook is down, writes to the cluster are refused.",
    ),
    Added(
        "k8s/exposed",
        "high",
        rf"{_KEY}type{_END}\s*[\"']?(?:LoadBalancer|NodePort)\b|\b0\.0\.0\.0/0\b",
        "It may be reached from outside the cluster.",
        beyond=r"^(?:-\s)?\s*[\"']?egress\b",
    ),
    Added(
        "k8s/token-mounted",
        "medium",
        rf"\bautomountServiceAccountToken{_END}\s*true",
        "A credential for the cluster is placed in the pod.",
    ),
    Gone(
        "k8s/token-guard-removed",
        "medium",
        rf"\bautomountServiceAccountToken{_END}\s*false",
        "A credential for the cluster is placed in the pod, unless the account says no.",
    ),
    Added(
        "k8s/image-floating",
        "high",
        rf"{_KEY}(?:image|tag){_END}\s*[\"']?(?:[^\s\"'@]*:)?(?:latest|main|master|edge|stable)[\"']?\s*,?\s*$",
        "The image is named by a tag that moves: a restart can bring other code.",
    ),
    Added(
        "k8s/image-untagged",
        "medium",
        rf"{_KEY}image{_END}\s*(?:[a-z0-9][a-z0-9._/\-]*|[\"'][a-z0-9][a-z0-9._/\-]*[\"'],?)\s*(?:#.*)?$",
        "The image has no tag here: unless one is set beside it, it moves, and a restart can bring other code.",
    ),
    Added("k8s/recreate", "high", rf"{_KEY}type{_END}\s*[\"']?Recreate\b", "A rollout first takes every pod down."),
    Added(
        "k8s/image-always-old",
        "low",
        rf"\bimagePullPolicy{_END}\s*[\"']?(?:Never|IfNotPresent)\b",
        "Nodes may keep running an older image of the same tag.",
    ),
    Changed(
        "k8s/replicas-lowered",
        "high",
        rf"\b((?:min|max)?[rR]eplica(?:s|Count)){_END}\s*([^\s,#]+)",
        "{key} is lower: less capacity, and maybe no pod left when one fails or load rises.",
        lowered,
    ),
    Changed(
        "k8s/namespace-changed",
        "medium",
        rf"^\s+[\"']?(namespace){_END}\s*([^\s,#]+)",
        "{key} is another: it is made anew there, and what was guarded or served here is not any more.",
        _other,
    ),
    Changed(
        "k8s/resources-lowered",
        "high",
        rf"{_KEY}(cpu|memory|ephemeral-storage){_END}\s*([^\s,#]+)",
        "{key} is lower: throttling, eviction or an out-of-memory kill under load.",
        lowered,
    ),
    Changed(
        "k8s/inline-limit-removed",
        "high",
        rf"\b(resources|limits|requests){_END}\s*(\{{.*)",
        "A limit or request of {key} is gone: one pod can starve its node, or is evicted first.",
        _drops,
    ),
    Changed(
        "k8s/inline-resources-lowered",
        "high",
        rf"\b(resources|limits|requests){_END}\s*(\{{.*)",
        "Something in {key} is lower: throttling, eviction or an out-of-memory kill under load.",
        _lowers,
    ),
    Changed(
        "k8s/storage-lowered",
        "high",
        rf"{_KEY}(storage){_END}\s*([^\s,#]+)",
        "A volume cannot shrink: the change is refused, or needs a new volume.",
        lowered,
    ),
    Changed(
        "k8s/grace-lowered",
        "medium",
        rf"\b(terminationGracePeriodSeconds|minReadySeconds|progressDeadlineSeconds|initialDelaySeconds|failureThreshold|periodSeconds|timeoutSeconds){_END}\s*([^\s,#]+)",
        "{key} is lower: pods are given up on, or cut off, sooner.",
        lowered,
    ),
    Changed(
        "k8s/probe-stretched",
        "medium",
        rf"\b(failureThreshold|periodSeconds|initialDelaySeconds|timeoutSeconds){_END}\s*([^\s,#]+)",
        "{key} is ten times what it was, or more: a broken pod keeps its traffic, or is not restarted.",
        stretched,
    ),
    Changed(
        "k8s/disruption-raised",
        "medium",
        rf"\b(maxUnavailable){_END}\s*([^\s,#]+)",
        "{key} is higher: more pods may be down at once.",
        raised,
    ),
    Changed(
        "k8s/disruption-guard-lowered",
        "medium",
        rf"\b(minAvailable){_END}\s*([^\s,#]+)",
        "{key} is lower: more pods may be down at once.",
        lowered,
    ),
    Added(
        "k8s/suspended",
        "medium",
        rf"{_KEY}suspend{_END}\s*true",
        "It no longer runs, and nothing says so.",
    ),
    Gone(
        "k8s/finalizer-removed",
        "high",
        r"\bfinalizers\b|resource-policy[\"']?:\s*[\"']?keep",
        "What held a deletion back is gone.",
    ),
    Added(
        "k8s/data-dropped-on-delete",
        "high",
        rf"\b(?:persistentVolumeReclaimPolicy|reclaimPolicy|whenDeleted|whenScaled|deletionPolicy){_END}\s*[\"']?Delete\b",
        "When the claim goes, the data goes with it.",
    ),
    Touched(
        "k8s/security-context",
        "low",
        r"\b(?:securityContext|runAsNonRoot|runAsUser|runAsGroup|fsGroup|capabilities|seccompProfile|readOnlyRootFilesystem|allowPrivilegeEscalation|privileged|automountServiceAccountToken|hostNetwork|hostPID|hostPath)\b",
        "What the container may do is set here.",
    ),
    Touched("k8s/probe", "low", r"\b(?:liveness|readiness|startup)Probe\b", "How health is told is set here."),
    Touched(
        "k8s/resources",
        "low",
        rf"{_KEY}(?:limits|requests|cpu|memory|resources){_END}",
        "How much the container gets is set here.",
    ),
    Touched("k8s/image", "low", rf"{_KEY}(?:image|tag|newTag|digest|repository){_END}", "Which code runs is set here."),
    Touched(
        "k8s/availability",
        "low",
        rf"\b(?:replicas|replicaCount|minReplicas|maxReplicas|minAvailable|maxUnavailable|maxSurge|terminationGracePeriodSeconds|strategy|updateStrategy|PodDisruptionBudget|HorizontalPodAutoscaler|priorityClassName){_END}"
        r"|\bPodDisruptionBudget\b",
        "How many pods there are, and how they are replaced, is set here.",
    ),
    Touched(
        "k8s/network",
        "low",
        r"\bNetworkPolicy\b"
        rf"|\b(?:podSelector|namespaceSelector|policyTypes|ingress|egress|hostPort|targetPort|containerPort|externalIPs|loadBalancerSourceRanges){_END}",
        "Who reaches what is set here.",
    ),
    Touched(
        "k8s/secret",
        "low",
        rf"{_KEY}kind{_END}\s*[\"']?(?:Secret|ServiceAccount)\b|\bsecretKeyRef\b|\bsecretName\b"
        r"|\bserviceAccountName\b|\bstringData\b|\bexistingSecret\b",
        "A secret or an identity is named here.",
    ),
    Touched(
        "k8s/storage",
        "low",
        rf"\b(?:volumeClaimTemplates|storageClassName|persistentVolumeClaim|emptyDir|volumeMounts|claimName){_END}",
        "Where data is kept is set here.",
    ),
)
"""In the order in which they are told for one line."""

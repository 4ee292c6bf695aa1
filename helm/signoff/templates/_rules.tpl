{{/* The rights that `signoff rbac` prints for the reader: what the collectors read. No Secrets, no ConfigMaps. */}}
{{- define "signoff.readerRules" -}}
- apiGroups: [""]
  resources: [pods/log]
  verbs: [get]
- apiGroups: [""]
  resources: [events, pods, services]
  verbs: [get, list]
- apiGroups: [apps]
  resources: [controllerrevisions, daemonsets, deployments, replicasets, statefulsets]
  verbs: [get, list]
- apiGroups: [batch]
  resources: [cronjobs, jobs]
  verbs: [get, list]
{{- end -}}

{{/* The rights that `signoff rbac` prints for the runner: what the shipped runbooks plan, do and verify. */}}
{{- define "signoff.runnerRules" -}}
- apiGroups: [""]
  resources: [pods/eviction]
  verbs: [create]
- apiGroups: [""]
  resources: [pods]
  verbs: [delete, get, list]
- apiGroups: [apps]
  resources: [replicasets]
  verbs: [get, list]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, patch]
- apiGroups: [apps]
  resources: [daemonsets, statefulsets]
  verbs: [get, patch]
- apiGroups: [apps]
  resources: [controllerrevisions]
  verbs: [list]
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [list]
- apiGroups: [batch]
  resources: [cronjobs]
  verbs: [get, patch]
{{- end -}}

{{/* What `signoff rbac --nodes` adds for the runner: to cordon and drain nodes, whose pods are in every namespace. */}}
{{- define "signoff.runnerNodeRules" -}}
- apiGroups: [""]
  resources: [pods/eviction]
  verbs: [create]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list]
- apiGroups: [""]
  resources: [nodes]
  verbs: [get, patch]
{{- end -}}

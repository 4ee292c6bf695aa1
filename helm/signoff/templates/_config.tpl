{{/* "true" if the cluster that the pod runs in can be changed; else empty. */}}
{{- define "signoff.hasRunner" -}}
{{- if and .Values.inCluster.name .Values.inCluster.runner.enabled -}}true{{- end -}}
{{- end -}}

{{- define "signoff.runnerTokenFolder" -}}/var/run/secrets/signoff/runner{{- end -}}

{{/* The configuration file: what the user gave, and what the chart knows better. */}}
{{- define "signoff.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- $_ := $config.channel | required "config.channel: give the id of the Slack channel for incidents, as in C0123ABCD" -}}
{{- $clusters := $config.clusters | default dict -}}
{{- $name := .Values.inCluster.name -}}
{{- if not (or $name $clusters) -}}
{{- fail "inCluster.name: give the name that alerts have for this cluster in their cluster label (or name other clusters in config.clusters)" -}}
{{- end -}}
{{- if and .Values.rbac.namespaces (not $name) -}}
{{- fail "rbac.namespaces: these Roles are for the cluster that the pod runs in: give it a name with inCluster.name" -}}
{{- end -}}
{{- if $name -}}
{{- if hasKey $clusters $name -}}
{{- fail (printf "config.clusters.%s: the chart adds the cluster of inCluster.name itself: name it in one place" $name) -}}
{{- end -}}
{{- $cluster := dict "reader" (dict "in_cluster" true) -}}
{{- if include "signoff.hasRunner" . -}}
{{- if eq (include "signoff.reader" .) (include "signoff.runner" .) -}}
{{- fail "serviceAccounts: reader and runner must be two accounts: what collects evidence must not change anything" -}}
{{- end -}}
{{- $file := printf "%s/token" (include "signoff.runnerTokenFolder" .) -}}
{{- $_ := set $cluster "runner" (dict "in_cluster" true "token_file" $file) -}}
{{- end -}}
{{- $_ := set $clusters $name $cluster -}}
{{- end -}}
{{- $_ := set $config "clusters" $clusters -}}
{{- if and .Values.rbac.namespaces (not (hasKey $config "namespaces")) -}}
{{- $_ := set $config "namespaces" .Values.rbac.namespaces -}}
{{- end -}}
{{- toYaml $config -}}
{{- end -}}

{{- define "signoff.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{/* At most 50 characters, so that what is appended to it still makes a name of 63. A Service's name has no dots. */}}
{{- define "signoff.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains (include "signoff.name" .) .Release.Name -}}
{{- .Release.Name | replace "." "-" | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "signoff.name" .) | replace "." "-" | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "signoff.reader" -}}
{{- .Values.serviceAccounts.reader | default (printf "%s-reader" (include "signoff.fullname" .)) -}}
{{- end -}}

{{- define "signoff.runner" -}}
{{- .Values.serviceAccounts.runner | default (printf "%s-runner" (include "signoff.fullname" .)) -}}
{{- end -}}

{{- define "signoff.runnerTokenSecret" -}}
{{- .Values.inCluster.runner.tokenSecret | default (printf "%s-runner-token" (include "signoff.fullname" .)) -}}
{{- end -}}

{{- define "signoff.selector" -}}
app.kubernetes.io/name: {{ include "signoff.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "signoff.labels" -}}
{{ include "signoff.selector" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | trunc 63 | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 }}
{{- end -}}

{{- define "signoff.image" -}}
{{- $repository := .Values.image.repository | required "image.repository: give the image that you built with the Dockerfile and pushed, as in registry.example.com/signoff" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" $repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

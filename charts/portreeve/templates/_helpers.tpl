{{/* At most 50 characters, so that "-metrics" still fits a Service's name. */}}
{{- define "portreeve.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{ .Values.fullnameOverride }}
{{- else if contains .Chart.Name .Release.Name -}}
{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" (.Release.Name | trunc 40 | trimSuffix "-") .Chart.Name }}
{{- end -}}
{{- end }}

{{/* What selects our Pods. A Deployment's selector can't be changed, so nothing may join these. */}}
{{- define "portreeve.selectorLabels" -}}
app.kubernetes.io/name: portreeve
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "portreeve.labels" -}}
{{ include "portreeve.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

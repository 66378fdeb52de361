{{/* Labels that select the pods of a component: dict "root" $ "component" "nodes" */}}
{{- define "nalanda.selector" -}}
app.kubernetes.io/name: nalanda
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "nalanda.labels" -}}
{{ include "nalanda.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{- define "nalanda.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* The Secret that holds the URL of the database. */}}
{{- define "nalanda.databaseSecret" -}}
{{- if .Values.database.secret -}}
{{ .Values.database.secret }}
{{- else if .Values.database.cluster.enabled -}}
{{ .Release.Name }}-database-app
{{- else -}}
{{ fail "Set database.secret to the Secret with the database's URL, or database.cluster.enabled to true." }}
{{- end -}}
{{- end }}

{{/* The hosts that the nodes answer to: the Services by each of their names, and the nodes themselves. */}}
{{- define "nalanda.hosts" -}}
{{- $name := .Release.Name -}}
{{- $namespace := .Release.Namespace -}}
{{- $hosts := list $name (printf "%s.%s" $name $namespace) (printf "%s.%s.svc" $name $namespace) (printf "%s.%s.svc.cluster.local" $name $namespace) (printf ".%s-nodes.%s.svc" $name $namespace) -}}
{{ join "," (concat $hosts .Values.allowedHosts) }}
{{- end }}

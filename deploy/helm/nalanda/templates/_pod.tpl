{{/* What the pods of both components share. None may call the Kubernetes API. */}}
{{- define "nalanda.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "nalanda.container" -}}
image: {{ include "nalanda.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{/* Settings that nodes and workers share. */}}
{{- define "nalanda.environment" -}}
- {name: NALANDA_TEMPORAL_ADDRESS, value: {{ .Values.temporal.address | quote }}}
- {name: NALANDA_TEMPORAL_NAMESPACE, value: {{ .Values.temporal.namespace | quote }}}
- {name: NALANDA_TASK_QUEUE, value: {{ .Values.temporal.taskQueue | quote }}}
{{- if .Values.apiKeys.secret }}
- name: NALANDA_API_KEYS
  valueFrom: {secretKeyRef: {name: {{ .Values.apiKeys.secret }}, key: {{ .Values.apiKeys.key }}}}
{{- else if not .Values.apiKeys.insecure }}
{{- fail "Set apiKeys.secret to the Secret with the keys, or apiKeys.insecure to true." }}
{{- end }}
{{- range $name, $value := .Values.settings }}
- {name: {{ $name }}, value: {{ $value | toString | quote }}}
{{- end }}
{{- range $name, $source := .Values.secretSettings }}
- name: {{ $name }}
  valueFrom: {secretKeyRef: {name: {{ $source.secret }}, key: {{ $source.key }}}}
{{- end }}
{{- end }}

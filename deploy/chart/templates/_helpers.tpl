{{- define "preferably.name" -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end }}

{{/* Call with (dict "root" $ "part" "web"). */}}
{{- define "preferably.labels" -}}
app.kubernetes.io/name: preferably
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end }}

{{- define "preferably.managed" -}}
{{ include "preferably.labels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{- define "preferably.claim" -}}
{{- .Values.home.existingClaim | default (printf "%s-home" (include "preferably.name" .)) -}}
{{- end }}

{{/* The settings of every process. Keys, passwords and URLs with passwords are in the secret. */}}
{{- define "preferably.environment" -}}
{{- $host := required "Set host to the host name of the site." .Values.host -}}
envFrom:
  - secretRef:
      name: {{ required "Set existingSecret to the name of the secret; README.md says what it holds." .Values.existingSecret }}
env:
  - {name: PREFERABLY_MODE, value: production}
  - {name: PREFERABLY_HOSTS, value: {{ $host | quote }}}
  - {name: PREFERABLY_TRUSTED_ORIGINS, value: {{ printf "https://%s" $host | quote }}}
  - {name: PREFERABLY_URL, value: {{ printf "https://%s" $host | quote }}}
  - {name: PREFERABLY_ARTIFACTS, value: {{ required "Set artifacts to a URL that every pod reaches, such as s3://bucket/preferably." .Values.artifacts | quote }}}
  {{- range $name, $value := .Values.environment }}
  - {name: {{ $name }}, value: {{ $value | quote }}}
  {{- end }}
{{- end }}

{{- define "preferably.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "preferably.container" -}}
image: {{ .image }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{ include "preferably.environment" .root }}
{{- end }}

{{- define "preferably.mounts" -}}
- {name: home, mountPath: /var/lib/preferably}
- {name: tmp, mountPath: /tmp}
- {name: arriving, mountPath: /var/tmp}
{{- end }}

{{/* The folder PREFERABLY_HOME of web, short worker and models worker: one for all. */}}
{{- define "preferably.volumes" -}}
- name: home
  persistentVolumeClaim: {claimName: {{ include "preferably.claim" . }}}
- {name: tmp, emptyDir: {}}
- {name: arriving, emptyDir: {}}
{{- end }}

{{- define "preferably.webImage" -}}
{{ required "Set image.web to the image of the target web." .Values.image.web | quote }}
{{- end }}

{{- define "preferably.nodeImage" -}}
{{ required "Set image.node to the image of the target node." .Values.image.node | quote }}
{{- end }}

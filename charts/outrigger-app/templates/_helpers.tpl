{{- define "outrigger-app.name" -}}
{{- .Values.nameOverride | default .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "outrigger-app.selector" -}}
app.kubernetes.io/name: {{ include "outrigger-app.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "outrigger-app.labels" -}}
{{ include "outrigger-app.selector" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "outrigger-app.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (ternary (include "outrigger-app.name" .) "default" .Values.serviceAccount.create) -}}
{{- end -}}

{{/* What the templates of the library are given. */}}
{{- define "outrigger-app.given" -}}
name: {{ include "outrigger-app.name" . }}
serviceAccount: {{ include "outrigger-app.serviceAccount" . }}
selector: {{- include "outrigger-app.selector" . | nindent 2 }}
labels: {{- include "outrigger-app.labels" . | nindent 2 }}
{{- end -}}

{{- define "outrigger-app.image" -}}
{{- $image := .Values.image -}}
{{- $name := required "image.repository: expected the name of an image, got none" $image.repository -}}
{{- if $image.digest -}}{{- printf "%s@%s" $name $image.digest -}}{{- else -}}{{- printf "%s:%s" $name ($image.tag | default "latest") -}}{{- end -}}
{{- end -}}

{{/*
The number of a port in the pod, given by number or by name: of the application, or of a container of ours. By number, because
not every cluster and network finds the names of ports of native sidecars.
*/}}
{{- define "outrigger-app.port" -}}
{{- $port := .port | toString -}}
{{- $numbers := dict -}}
{{- range (include "outrigger.instances" (dict "root" .root) | fromYaml).items -}}
{{- range .ports -}}{{- if .open -}}{{- $_ := set $numbers .name .number -}}{{- end -}}{{- end -}}
{{- end -}}
{{- range $name, $number := .root.Values.ports -}}{{- $_ := set $numbers $name $number -}}{{- end -}}
{{- get $numbers $port | default $port -}}
{{- end -}}

{{/* The pod without our containers. */}}
{{- define "outrigger-app.spec" -}}
serviceAccountName: {{ include "outrigger-app.serviceAccount" . }}
terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
{{- $context := .Values.podSecurityContext -}}
{{- if dig "global" "openshift" false (.Values.outrigger | default dict) -}}
{{- $context = omit $context "runAsUser" "runAsGroup" "fsGroup" -}}
{{- end -}}
{{- with $context }}
securityContext: {{- toYaml . | nindent 2 }}
{{- end }}
{{- range $field := list "imagePullSecrets" "initContainers" "volumes" "nodeSelector" "tolerations" "affinity" "topologySpreadConstraints" }}
{{- with get $.Values $field }}
{{ $field }}: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
containers:
  - name: app
    image: {{ include "outrigger-app.image" . }}
    {{- with .Values.image.pullPolicy }}
    imagePullPolicy: {{ . }}
    {{- end }}
    {{- range $field := list "command" "args" "env" "envFrom" "resources" "securityContext" "volumeMounts" }}
    {{- with get $.Values $field }}
    {{ $field }}: {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- end }}
    {{- with .Values.ports }}
    ports:
      {{- range $name, $port := . }}
      - name: {{ $name }}
        containerPort: {{ $port }}
      {{- end }}
    {{- end }}
    {{- range $name, $probe := .Values.probes }}
    {{ $name }}Probe: {{- toYaml $probe | nindent 6 }}
    {{- end }}
    {{- if and .Values.preStopSeconds (semverCompare ">=1.30-0" .Capabilities.KubeVersion.Version) }}
    lifecycle:
      preStop:
        sleep:
          seconds: {{ .Values.preStopSeconds }}
    {{- end }}
  {{- with .Values.extraContainers }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

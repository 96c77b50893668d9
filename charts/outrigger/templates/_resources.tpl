{{/*
What stands beside the workload: ConfigMaps of options, the rights of config-sync, and what is monitored. Takes (dict "root" $
"name" <prefix of names> "serviceAccount" <its name> "selector" <the pods' labels> "labels" <labels>).
*/}}
{{- define "outrigger.resources" -}}
{{- include "outrigger.configMaps" . -}}
{{- include "outrigger.rbac" . -}}
{{- include "outrigger.podMonitor" . -}}
{{- include "outrigger.prometheusRule" . -}}
{{- include "outrigger.dashboards" . -}}
{{- end -}}

{{- define "outrigger.configMaps" -}}
{{- $given := . -}}
{{- range (include "outrigger.instances" . | fromYaml).items -}}
{{- if and .given.config (ne .mode "init") }}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ printf "%s-%s" ($given.name | default $given.root.Release.Name) .name }}
  {{- with $given.labels }}
  labels: {{- toYaml . | nindent 4 }}
  {{- end }}
data:
  options.json: {{ toPrettyJson .options | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{/* The rules that config-sync needs, as `namespaces`: the pod's own is "", all of them is "*". */}}
{{- define "outrigger.apiRules" -}}
{{- $namespaces := dict -}}
{{- range (include "outrigger.instances" . | fromYaml).items -}}
{{- range splitList "\n" (include "outrigger.sourcesOfApi" .options) -}}
{{- if . -}}
{{- $url := splitn "?" 2 (trimPrefix "kube:" .) -}}
{{- $object := splitn "/" 2 $url._0 -}}
{{- $namespace := regexFind "(^|&)namespace=[^&]+" ($url._1 | default "") | replace "&" "" | trimPrefix "namespace=" -}}
{{- $rule := dict "apiGroups" (list "") "resources" (list (printf "%ss" $object._0)) "verbs" (list "get" "list" "watch") -}}
{{- with $object._1 -}}{{- $_ := set $rule "resourceNames" (list .) -}}{{- end -}}
{{- $rules := get $namespaces $namespace | default list -}}
{{- if not (has $rule $rules) -}}{{- $_ := set $namespaces $namespace (append $rules $rule) -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toYaml $namespaces -}}
{{- end -}}

{{- define "outrigger.rbac" -}}
{{- $given := . -}}
{{- $base := printf "%s-config-sync" (.name | default .root.Release.Name) -}}
{{- range $namespace, $rules := include "outrigger.apiRules" . | fromYaml }}
{{- $kind := ternary "ClusterRole" "Role" (eq $namespace "*") }}
{{- $name := ternary (printf "%s-%s" $given.root.Release.Namespace $base) $base (eq $namespace "*") }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}
metadata:
  name: {{ $name }}
  {{- if and $namespace (ne $namespace "*") }}
  namespace: {{ $namespace }}
  {{- end }}
  {{- with $given.labels }}
  labels: {{- toYaml . | nindent 4 }}
  {{- end }}
rules: {{- toYaml $rules | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}Binding
metadata:
  name: {{ $name }}
  {{- if and $namespace (ne $namespace "*") }}
  namespace: {{ $namespace }}
  {{- end }}
  {{- with $given.labels }}
  labels: {{- toYaml . | nindent 4 }}
  {{- end }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ $kind }}
  name: {{ $name }}
subjects:
  - kind: ServiceAccount
    name: {{ $given.serviceAccount | default "default" }}
    namespace: {{ $given.root.Release.Namespace }}
{{- end }}
{{- end -}}

{{- define "outrigger.podMonitor" -}}
{{- $values := get .root.Values (.key | default "outrigger") | default dict -}}
{{- $monitor := dig "monitoring" "podMonitor" dict $values -}}
{{- $items := (include "outrigger.instances" . | fromYaml).items -}}
{{- if and $monitor.enabled $items }}
{{- $ports := dict }}
{{- range $items -}}
{{- if ne .mode "init" -}}
{{- $_ := set $ports "admin" true -}}
{{- if .about.metricsPort -}}{{- $_ := set $ports .about.metricsPort true -}}{{- end -}}
{{- end -}}
{{- end }}
---
apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
metadata:
  name: {{ .name | default .root.Release.Name }}
  labels: {{- toYaml (merge (dict) ($monitor.labels | default dict) (.labels | default dict)) | nindent 4 }}
spec:
  selector:
    matchLabels: {{- toYaml .selector | nindent 6 }}
  podMetricsEndpoints:
    {{- range $port, $_ := $ports }}
    - port: {{ $port }}
      path: /metrics
      {{- with $monitor.interval }}
      interval: {{ . }}
      {{- end }}
    {{- end }}
{{- end }}
{{- end -}}

{{/* The names of the containers that there are instances of, as `names`. */}}
{{- define "outrigger.kinds" -}}
{{- $names := list -}}
{{- range (include "outrigger.instances" . | fromYaml).items -}}
{{- if ne .mode "init" -}}{{- $names = append $names .about.name -}}{{- end -}}
{{- end -}}
{{- toYaml (dict "names" (uniq $names)) -}}
{{- end -}}

{{- define "outrigger.prometheusRule" -}}
{{- $values := get .root.Values (.key | default "outrigger") | default dict -}}
{{- $rules := dig "monitoring" "rules" dict $values -}}
{{- $names := (include "outrigger.kinds" . | fromYaml).names -}}
{{- if and $rules.enabled $names }}
---
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: {{ .name | default .root.Release.Name }}
  labels: {{- toYaml (merge (dict) ($rules.labels | default dict) (.labels | default dict)) | nindent 4 }}
spec:
  groups:
    {{- range concat (list "common") $names }}
    {{- with include (printf "outrigger.rules.%s" .) $ | fromYaml }}
    - {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- end }}
{{- end }}
{{- end -}}

{{- define "outrigger.dashboards" -}}
{{- $given := . -}}
{{- $values := get .root.Values (.key | default "outrigger") | default dict -}}
{{- $dashboards := dig "monitoring" "dashboards" dict $values -}}
{{- if $dashboards.enabled }}
{{- range (include "outrigger.kinds" . | fromYaml).names }}
{{- with include (printf "outrigger.dashboard.%s" .) $ }}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ printf "%s-dashboard-%s" ($given.name | default $given.root.Release.Name) (fromJson .).uid }}
  labels: {{- toYaml (merge (dict) ($dashboards.labels | default (dict "grafana_dashboard" "1")) ($given.labels | default dict)) | nindent 4 }}
data:
  {{ (fromJson .).uid }}.json: {{ . | quote }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Annotations of the pod: where Prometheus finds metrics, and sums of the options that are not read again. */}}
{{- define "outrigger.annotations" -}}
{{- $values := get .root.Values (.key | default "outrigger") | default dict -}}
{{- $found := dict -}}
{{- $port := 0 -}}
{{- range (include "outrigger.instances" . | fromYaml).items -}}
{{- if ne .mode "init" -}}
{{- if and .given.config (not .about.rereadsConfig) -}}
{{- $_ := set $found (printf "checksum/%s" .name) (toRawJson .options | sha256sum) -}}
{{- end -}}
{{- $about := .about -}}
{{- range .ports -}}
{{- if or (and (eq .name "admin") (not $port)) (eq .name $about.metricsPort) -}}{{- $port = .number -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and $port (dig "monitoring" "annotations" false $values) -}}
{{- $_ := set $found "prometheus.io/scrape" "true" -}}
{{- $_ := set $found "prometheus.io/path" "/metrics" -}}
{{- $_ := set $found "prometheus.io/port" ($port | toString) -}}
{{- end -}}
{{- if $found -}}{{- toYaml $found -}}{{- end -}}
{{- end -}}

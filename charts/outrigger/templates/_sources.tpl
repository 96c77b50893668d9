{{/* The sources of config-sync's options, with a space before each. */}}
{{- define "outrigger.sources" -}}
{{- range concat (list .) (.jobs | default list) -}}
{{- $source := .source | default list -}}
{{- if kindIs "string" $source -}}{{- $source = splitList "," $source -}}{{- end -}}
{{- range $source -}}{{- printf " %s\n" (. | toString | trim) -}}{{- end -}}
{{- end -}}
{{- end -}}

{{/* Those that read the API of the cluster that the pod is in, one a line. */}}
{{- define "outrigger.sourcesOfApi" -}}
{{- range splitList "\n" (include "outrigger.sources" .) -}}
{{- $source := trim . -}}
{{- if and (hasPrefix "kube:" $source) (not (regexMatch "[?&](server|token)=" $source)) -}}{{- printf "%s\n" $source -}}{{- end -}}
{{- end -}}
{{- end -}}

{{/* Whether options have the application told by a signal. */}}
{{- define "outrigger.signals" -}}
{{- range concat (list .) (.jobs | default list) -}}
{{- $notify := .notify | default list -}}
{{- if kindIs "string" $notify -}}{{- $notify = splitList "," $notify -}}{{- end -}}
{{- range $notify -}}{{- if hasPrefix "signal:" (. | toString | trim) -}}signals{{- end -}}{{- end -}}
{{- end -}}
{{- end -}}

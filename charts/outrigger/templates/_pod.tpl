{{/*
A pod spec with the enabled containers in it. Takes (dict "root" $ "spec" <the pod spec> "name" <prefix of the names of what
belongs to it>). A container of the spec that has the name of one of ours wins over it, field by field.
*/}}
{{- define "outrigger.pod" -}}
{{- $spec := deepCopy .spec -}}
{{- $given := dict "root" .root "key" .key "name" .name -}}
{{- $values := get .root.Values (.key | default "outrigger") | default dict -}}
{{- $ours := dict
  "initContainers" (include "outrigger.initContainers" $given | fromYamlArray)
  "containers" (include "outrigger.containers" $given | fromYamlArray) -}}
{{- $overrides := dict -}}
{{- range $list := list "initContainers" "containers" -}}
{{- range get $spec $list | default list -}}{{- $_ := set $overrides .name . -}}{{- end -}}
{{- end -}}
{{- $names := list -}}
{{- range concat $ours.initContainers $ours.containers -}}
{{- if hasKey $overrides .name -}}
{{- include "outrigger.mergeInto" (dict "into" . "from" (get $overrides .name)) -}}
{{- end -}}
{{- $names = append $names .name -}}
{{- end -}}
{{- range $list := list "initContainers" "containers" -}}
{{- $all := get $ours $list -}}
{{- range get $spec $list | default list -}}
{{- if not (has .name $names) -}}
{{- $mounts := include "outrigger.mounts" (dict "values" $values "container" .name) | fromYamlArray -}}
{{- if $mounts -}}{{- $_ := set . "volumeMounts" (concat (.volumeMounts | default list) $mounts) -}}{{- end -}}
{{- $all = append $all . -}}
{{- end -}}
{{- end -}}
{{- if $all -}}{{- $_ := set $spec $list $all -}}{{- else -}}{{- $_ := unset $spec $list -}}{{- end -}}
{{- end -}}
{{- $volumes := include "outrigger.volumes" $given | fromYamlArray -}}
{{- if $volumes -}}{{- $_ := set $spec "volumes" (concat ($spec.volumes | default list) $volumes) -}}{{- end -}}
{{- $fields := include "outrigger.podFields" $given | fromYaml -}}
{{- if and $fields.shareProcessNamespace (hasKey $spec "shareProcessNamespace") (not $spec.shareProcessNamespace) -}}
{{- fail "outrigger.configSync: expected shareProcessNamespace for a signal, got a pod spec that has it false" -}}
{{- end -}}
{{- include "outrigger.mergeInto" (dict "into" $fields "from" $spec) -}}
{{- include "outrigger.check" (dict "spec" $fields "values" $values "items" (include "outrigger.instances" $given | fromYaml).items) -}}
{{- toYaml $fields -}}
{{- end -}}

{{/* Fails when two containers open one port, or when a volume is to be mounted in a container that is not there. */}}
{{- define "outrigger.check" -}}
{{- $all := concat (.spec.initContainers | default list) (.spec.containers | default list) -}}
{{- $names := list -}}
{{- range $all -}}{{- $names = append $names .name -}}{{- end -}}
{{- range $volume, $about := .values.volumes | default dict -}}
{{- range $container, $_ := $about.mounts | default dict -}}
{{- if not (has $container $names) -}}
{{- fail (printf "outrigger.volumes.%s.mounts: expected the name of a container of the pod, got %s" $volume $container) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $taken := dict -}}
{{- range .items -}}
{{- $item := . -}}
{{- if ne .mode "init" -}}
{{- range .ports -}}
{{- $number := .number | toString -}}
{{- with get $taken $number -}}
{{- fail (printf "port %s: expected one container to open it, got %s and %s" $number . $item.name) -}}
{{- end -}}
{{- $_ := set $taken $number $item.name -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $container := $all -}}
{{- range $container.ports | default list -}}
{{- if eq (.protocol | default "TCP") "TCP" -}}
{{- $number := .containerPort | toString -}}
{{- if and (hasKey $taken $number) (ne (get $taken $number) $container.name) -}}
{{- fail (printf "port %s: expected one container to open it, got %s and %s" $number (get $taken $number) $container.name) -}}
{{- end -}}
{{- $_ := set $taken $number $container.name -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Our init containers and native sidecars, in the order in which they start. */}}
{{- define "outrigger.initContainers" -}}
{{- $given := . -}}
{{- $list := list -}}
{{- range (include "outrigger.instances" . | fromYaml).items -}}
{{- $one := dict "root" $given.root "key" $given.key "item" . -}}
{{- if ne .mode "sidecar" -}}
{{- $list = append $list (include "outrigger.container" $one | fromYaml) -}}
{{- else if .about.once -}}
{{- $list = append $list (include "outrigger.container" (set $one "first" true) | fromYaml) -}}
{{- end -}}
{{- end -}}
{{- toYaml $list -}}
{{- end -}}

{{/* Our plain containers. */}}
{{- define "outrigger.containers" -}}
{{- $given := . -}}
{{- $list := list -}}
{{- range (include "outrigger.instances" . | fromYaml).items -}}
{{- if eq .mode "sidecar" -}}
{{- $list = append $list (include "outrigger.container" (dict "root" $given.root "key" $given.key "item" .) | fromYaml) -}}
{{- end -}}
{{- end -}}
{{- toYaml $list -}}
{{- end -}}

{{/* The volumes: those of the values, files of options, and what is needed to ask the API. */}}
{{- define "outrigger.volumes" -}}
{{- $given := . -}}
{{- $values := get .root.Values (.key | default "outrigger") | default dict -}}
{{- $list := list -}}
{{- range $name, $volume := $values.volumes | default dict -}}
{{- $list = append $list (merge (dict "name" $name) (omit $volume "mounts")) -}}
{{- end -}}
{{- $api := false -}}
{{- range (include "outrigger.instances" . | fromYaml).items -}}
{{- if and .given.config (ne .mode "init") -}}
{{- $map := printf "%s-%s" ($given.name | default $given.root.Release.Name) .name -}}
{{- $list = append $list (dict "name" (printf "%s-options" .name) "configMap" (dict "name" $map)) -}}
{{- end -}}
{{- if include "outrigger.sourcesOfApi" .options -}}{{- $api = true -}}{{- end -}}
{{- end -}}
{{- if $api -}}{{- $list = append $list (include "outrigger.apiVolume" . | fromYaml) -}}{{- end -}}
{{- toYaml $list -}}
{{- end -}}

{{/* The service account, for config-sync only: the other containers of the pod do not get it. */}}
{{- define "outrigger.apiVolume" -}}
name: outrigger-api
projected:
  sources:
    - serviceAccountToken:
        path: token
        expirationSeconds: 3607
    - configMap:
        name: kube-root-ca.crt
        items:
          - key: ca.crt
            path: ca.crt
    - downwardAPI:
        items:
          - path: namespace
            fieldRef:
              fieldPath: metadata.namespace
{{- end -}}

{{/* What a container mounts of the volumes of the values. Takes (dict "values" ... "container" <name>). */}}
{{- define "outrigger.mounts" -}}
{{- $container := .container -}}
{{- $list := list -}}
{{- range $name, $volume := .values.volumes | default dict -}}
{{- with get ($volume.mounts | default dict) $container -}}
{{- $mount := dict "name" $name -}}
{{- if kindIs "string" . -}}{{- $_ := set $mount "mountPath" . -}}{{- else -}}{{- include "outrigger.mergeInto" (dict "into" $mount "from" .) -}}{{- end -}}
{{- $list = append $list $mount -}}
{{- end -}}
{{- end -}}
{{- toYaml $list -}}
{{- end -}}

{{/* Fields of the pod spec. */}}
{{- define "outrigger.podFields" -}}
automountServiceAccountToken: false
{{- range (include "outrigger.instances" . | fromYaml).items -}}
{{- if include "outrigger.signals" .options }}
{{ "shareProcessNamespace: true" }}
{{- break -}}
{{- end -}}
{{- end -}}
{{- end -}}

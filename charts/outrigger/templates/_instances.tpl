{{/*
The enabled instances, in the order in which they start, as `items`. Takes (dict "root" $), and with "key" the name of the
values if the dependency has an alias.
*/}}
{{- define "outrigger.instances" -}}
{{- $native := semverCompare ">=1.29-0" .root.Capabilities.KubeVersion.Version -}}
{{- $values := get .root.Values (.key | default "outrigger") | default dict -}}
{{- $sorted := dict -}}
{{- range $kind, $about := include "outrigger.table" . | fromYaml -}}
{{- range $instance, $given := get $values $kind | default dict -}}
{{- if dig "enabled" true $given -}}
{{- $path := printf "outrigger.%s.%s" $kind $instance -}}
{{- $mode := $given.mode | default (ternary "native" "sidecar" $native) -}}
{{- if and (eq $mode "native") (not $native) -}}
{{- fail (printf "%s.mode: expected sidecar or init, got native, which needs Kubernetes 1.29" $path) -}}
{{- end -}}
{{- $options := dict -}}
{{- if eq $mode "native" -}}{{- $options = deepCopy $about.nativeOptions -}}{{- end -}}
{{- include "outrigger.mergeInto" (dict "into" $options "from" ($given.config | default dict)) -}}
{{- include "outrigger.mergeInto" (dict "into" $options "from" ($given.options | default dict)) -}}
{{- $ports := list -}}
{{- range $port := $about.ports -}}
{{- $found := include "outrigger.port" (dict "port" $port "options" $options "path" $path) | fromYaml -}}
{{- if $found.number -}}{{- $ports = append $ports $found -}}{{- end -}}
{{- end -}}
{{- $name := ternary $about.name (printf "%s-%s" $about.name $instance) (eq $instance "main") -}}
{{- $item := dict "path" $path "name" $name "mode" $mode "about" $about "given" $given "options" $options "ports" $ports -}}
{{- $_ := set $sorted (printf "%03d %s" (int $about.order) $name) $item -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $items := list -}}
{{- range $_, $item := $sorted -}}{{- $items = append $items $item -}}{{- end -}}
{{- toYaml (dict "items" $items) -}}
{{- end -}}

{{/* Sets the fields of "from" in "into", maps field by field. Unlike mergeOverwrite, false and 0 count. */}}
{{- define "outrigger.mergeInto" -}}
{{- $into := .into -}}
{{- range $key, $value := .from -}}
{{- if and (kindIs "map" $value) (kindIs "map" (get $into $key)) -}}
{{- include "outrigger.mergeInto" (dict "into" (get $into $key) "from" $value) -}}
{{- else -}}
{{- $_ := set $into $key $value -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A port that an option opens: its name, number, and whether it is open to others; its default is put among the options. */}}
{{- define "outrigger.port" -}}
{{- $options := .options -}}
{{- $address := get $options .port.option | toString -}}
{{- if not (hasKey $options .port.option) -}}
{{- $address = .port.default | default "" -}}
{{- range $case := .port.cases | default list -}}
{{- $holds := true -}}
{{- range $key, $value := $case.if -}}
{{- if ne (get $options $key | toString) ($value | toString) -}}{{- $holds = false -}}{{- end -}}
{{- end -}}
{{- range $case.unless | default list -}}
{{- if get $options . -}}{{- $holds = false -}}{{- end -}}
{{- end -}}
{{- if $holds -}}{{- $address = $case.default -}}{{- end -}}
{{- end -}}
{{- if and $address .port.cases -}}{{- $_ := set $options .port.option $address -}}{{- end -}}
{{- end -}}
{{- $number := "" -}}
{{- if not (hasPrefix "unix:" $address) -}}{{- $number = regexFind "[0-9]+$" $address -}}{{- end -}}
{{- $loopback := regexMatch "^(127\\.|localhost:|\\[::1\\]:)" $address -}}
{{- if and (eq .port.name "admin") (or $loopback (not $number)) -}}
{{- fail (printf "%s.options.adminListen: expected an address that the kubelet's probes reach, got %s" .path $address) -}}
{{- end -}}
{{- toYaml (dict "name" .port.name "number" (int $number) "open" (not $loopback)) -}}
{{- end -}}

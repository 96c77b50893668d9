{{/* The container of an instance. Takes (dict "root" $ "item" ...), and with "first" the run before the application starts. */}}
{{- define "outrigger.container" -}}
{{- $item := .item -}}
{{- $about := $item.about -}}
{{- $given := $item.given -}}
{{- $runsOn := and (not .first) (ne $item.mode "init") -}}
{{- $values := get .root.Values (.key | default "outrigger") | default dict -}}
{{- $options := $item.options -}}
{{- if not $runsOn -}}{{- $options = include "outrigger.onceOptions" $options | fromYaml -}}{{- end -}}
{{- $inFile := and $given.config $runsOn -}}
{{- $container := dict -}}
{{- $_ := set $container "name" (ternary (printf "%s-first" $item.name) $item.name (.first | default false)) -}}
{{- $_ := set $container "image" (include "outrigger.image" (dict "item" $item "values" $values)) -}}
{{- with dig "image" "pullPolicy" "" $given -}}{{- $_ := set $container "imagePullPolicy" . -}}{{- end -}}
{{- if and $runsOn (eq $item.mode "native") -}}{{- $_ := set $container "restartPolicy" "Always" -}}{{- end -}}
{{- $args := list -}}
{{- if $inFile -}}{{- $args = list "--config=/etc/outrigger/options.json" -}}{{- end -}}
{{- $args = concat $args ($given.extraArgs | default list) -}}
{{- if $args -}}{{- $_ := set $container "args" $args -}}{{- end -}}
{{- $env := list -}}
{{- if and $options (not $inFile) -}}
{{- $env = list (dict "name" (printf "%s_CONFIG_INLINE" $about.prefix) "value" (include "outrigger.json" $options)) -}}
{{- end -}}
{{- $env = concat $env ($given.extraEnv | default list) -}}
{{- if $env -}}{{- $_ := set $container "env" $env -}}{{- end -}}
{{- if $runsOn -}}
{{- $ports := list -}}
{{- range $item.ports -}}
{{- if .open -}}{{- $ports = append $ports (dict "name" .name "containerPort" (int .number)) -}}{{- end -}}
{{- end -}}
{{- $_ := set $container "ports" $ports -}}
{{- include "outrigger.probes" (dict "container" $container "item" $item) -}}
{{- end -}}
{{- $resources := deepCopy $about.resources -}}
{{- include "outrigger.mergeInto" (dict "into" $resources "from" ($given.resources | default dict)) -}}
{{- $_ := set $container "resources" $resources -}}
{{- $context := include "outrigger.securityContext" $values | fromYaml -}}
{{- include "outrigger.mergeInto" (dict "into" $context "from" ($given.securityContext | default dict)) -}}
{{- $_ := set $container "securityContext" $context -}}
{{- $_ := set $container "terminationMessagePolicy" "FallbackToLogsOnError" -}}
{{- $mounts := include "outrigger.mounts" (dict "values" $values "container" $item.name) | fromYamlArray -}}
{{- $mounts = concat $mounts ($given.volumeMounts | default list) -}}
{{- if $inFile -}}
{{- $mounts = append $mounts (dict "name" (printf "%s-options" $item.name) "mountPath" "/etc/outrigger" "readOnly" true) -}}
{{- end -}}
{{- if include "outrigger.sourcesOfApi" $options -}}
{{- $mounts = append $mounts (dict "name" "outrigger-api" "mountPath" "/var/run/secrets/kubernetes.io/serviceaccount" "readOnly" true) -}}
{{- end -}}
{{- if $mounts -}}{{- $_ := set $container "volumeMounts" $mounts -}}{{- end -}}
{{- include "outrigger.mergeInto" (dict "into" $container "from" ($given.patch | default dict)) -}}
{{- toYaml $container -}}
{{- end -}}

{{/* Options as JSON in a variable, in which Kubernetes finds nothing to expand. */}}
{{- define "outrigger.json" -}}
{{- toRawJson . | replace "$" "\\u0024" -}}
{{- end -}}

{{/* The options of config-sync for one run that tells nobody: the application is not there yet. */}}
{{- define "outrigger.onceOptions" -}}
{{- $options := omit . "notify" "confirm" "waitFor" -}}
{{- if .jobs -}}
{{- $jobs := list -}}
{{- range .jobs -}}{{- $jobs = append $jobs (omit . "notify" "confirm" "waitFor") -}}{{- end -}}
{{- $_ := set $options "jobs" $jobs -}}
{{- end -}}
{{- $_ := set $options "once" true -}}
{{- toYaml $options -}}
{{- end -}}

{{/* The image of an instance; the variant with git if that is where files come from. */}}
{{- define "outrigger.image" -}}
{{- $image := .item.given.image | default dict -}}
{{- $variant := ternary "-git" "" (contains " git+" (include "outrigger.sources" .item.options)) -}}
{{- $tag := $image.tag | default (printf "%s%s" .item.about.version $variant) -}}
{{- $name := $image.repository | default (printf "outrigger/%s" .item.about.name) -}}
{{- with $image.registry | default (dig "global" "imageRegistry" "" .values) -}}
{{- $name = printf "%s/%s" . $name -}}
{{- end -}}
{{- if $image.digest -}}{{- printf "%s@%s" $name $image.digest -}}{{- else -}}{{- printf "%s:%s" $name $tag -}}{{- end -}}
{{- end -}}

{{- define "outrigger.securityContext" -}}
allowPrivilegeEscalation: false
capabilities:
  drop: [ALL]
readOnlyRootFilesystem: true
runAsNonRoot: true
{{- if not (dig "global" "openshift" false .) }}
runAsGroup: 65532
runAsUser: 65532
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/* Sets the probes of a container, on its admin port. */}}
{{- define "outrigger.probes" -}}
{{- $about := .item.about -}}
{{- $container := .container -}}
{{- $given := .item.given.probes | default dict -}}
{{- $defaults := dict
  "startup" (dict "path" $about.startupPath "fields" (dict "periodSeconds" 1 "failureThreshold" (int $about.startupFailures)))
  "readiness" (dict "path" "/readyz" "fields" (dict "periodSeconds" 5))
  "liveness" (dict "path" "/livez" "fields" (dict "periodSeconds" 10)) -}}
{{- range $name, $default := $defaults -}}
{{- $own := dict -}}
{{- if hasKey $given $name -}}{{- $own = get $given $name -}}{{- end -}}
{{- if or (kindIs "map" $own) (eq $own true) -}}
{{- $probe := dict "httpGet" (dict "path" $default.path "port" "admin") -}}
{{- include "outrigger.mergeInto" (dict "into" $probe "from" $default.fields) -}}
{{- if kindIs "map" $own -}}{{- include "outrigger.mergeInto" (dict "into" $probe "from" $own) -}}{{- end -}}
{{- $_ := set $container (printf "%sProbe" $name) $probe -}}
{{- end -}}
{{- end -}}
{{- end -}}

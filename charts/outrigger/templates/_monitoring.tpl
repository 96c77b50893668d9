{{- /* Generated from ../../monitoring: npm run generate. */ -}}
{{- define "outrigger.rules.common" -}}
name: outrigger
rules:
  - alert: OutriggerNotReady
    expr: outrigger_ready == 0
    for: 5m
    labels:
      severity: warning
    annotations:
      summary: A container has not been ready for 5 minutes; its /readyz says why.
  - alert: OutriggerReloadRefused
    expr: increase(outrigger_reloads_total{outcome="refused"}[15m]) > 0
    labels:
      severity: warning
    annotations:
      summary: A new configuration was refused, and the old one is still live; the container's log says why.
{{- end -}}
{{- define "outrigger.rules.config-sync" -}}
name: config-sync
rules:
  - alert: ConfigSyncSourceUnreachable
    expr: time() - config_sync_last_fetch_success_timestamp_seconds > 900
    for: 5m
    labels:
      severity: warning
    annotations:
      summary: The source {{ "{{" }} $labels.source }} was last reached more than 15 minutes ago; the last good revision is live.
  - alert: ConfigSyncInvalid
    expr: increase(config_sync_validation_failures_total[15m]) > 0
    labels:
      severity: warning
    annotations:
      summary: A new revision of {{ "{{" }} $labels.exported_job }} is not valid, and is not published.
  - alert: ConfigSyncRolledBack
    expr: increase(config_sync_rollbacks_total{reason="refused"}[15m]) > 0
    labels:
      severity: warning
    annotations:
      summary: The application has refused a revision of {{ "{{" }} $labels.exported_job }}; the one before is live again.
  - alert: ConfigSyncNotificationFails
    expr: increase(config_sync_notifications_total{outcome="failed"}[15m]) > 0
    labels:
      severity: warning
    annotations:
      summary: The application could not be told of a new revision of {{ "{{" }} $labels.exported_job }}.
{{- end -}}
{{- define "outrigger.dashboard.config-sync" -}}
{"uid":"outrigger-config-sync","title":"Outrigger: config-sync","tags":["outrigger"],"schemaVersion":39,"editable":true,"refresh":"30s","time":{"from":"now-1h","to":"now"},"templating":{"list":[{"name":"datasource","type":"datasource","query":"prometheus","label":"Data source"}]},"panels":[{"id":1,"type":"timeseries","title":"Rounds","datasource":{"type":"prometheus","uid":"${datasource}"},"gridPos":{"x":0,"y":0,"w":12,"h":8},"fieldConfig":{"defaults":{"unit":"short","min":0},"overrides":[]},"targets":[{"refId":"A","datasource":{"type":"prometheus","uid":"${datasource}"},"expr":"sum by (outcome) (rate(config_sync_syncs_total[5m]))","legendFormat":"{{ "{{" }}outcome}}"}]},{"id":2,"type":"timeseries","title":"Since the sources were last reached","datasource":{"type":"prometheus","uid":"${datasource}"},"gridPos":{"x":12,"y":0,"w":12,"h":8},"fieldConfig":{"defaults":{"unit":"s","min":0},"overrides":[]},"targets":[{"refId":"A","datasource":{"type":"prometheus","uid":"${datasource}"},"expr":"time() - config_sync_last_fetch_success_timestamp_seconds","legendFormat":"{{ "{{" }}pod}} {{ "{{" }}source}}"}]},{"id":3,"type":"timeseries","title":"Files","datasource":{"type":"prometheus","uid":"${datasource}"},"gridPos":{"x":0,"y":8,"w":12,"h":8},"fieldConfig":{"defaults":{"unit":"short","min":0},"overrides":[]},"targets":[{"refId":"A","datasource":{"type":"prometheus","uid":"${datasource}"},"expr":"config_sync_files","legendFormat":"{{ "{{" }}pod}}"}]},{"id":4,"type":"timeseries","title":"Notifications","datasource":{"type":"prometheus","uid":"${datasource}"},"gridPos":{"x":12,"y":8,"w":12,"h":8},"fieldConfig":{"defaults":{"unit":"short","min":0},"overrides":[]},"targets":[{"refId":"A","datasource":{"type":"prometheus","uid":"${datasource}"},"expr":"sum by (outcome) (rate(config_sync_notifications_total[5m]))","legendFormat":"{{ "{{" }}outcome}}"}]},{"id":5,"type":"timeseries","title":"Taken back","datasource":{"type":"prometheus","uid":"${datasource}"},"gridPos":{"x":0,"y":16,"w":12,"h":8},"fieldConfig":{"defaults":{"unit":"short","min":0},"overrides":[]},"targets":[{"refId":"A","datasource":{"type":"prometheus","uid":"${datasource}"},"expr":"sum by (reason) (increase(config_sync_rollbacks_total[1h]))","legendFormat":"{{ "{{" }}reason}}"}]},{"id":6,"type":"timeseries","title":"Ready","datasource":{"type":"prometheus","uid":"${datasource}"},"gridPos":{"x":12,"y":16,"w":12,"h":8},"fieldConfig":{"defaults":{"unit":"short","min":0},"overrides":[]},"targets":[{"refId":"A","datasource":{"type":"prometheus","uid":"${datasource}"},"expr":"outrigger_ready and on (pod, instance) (outrigger_build_info{container=\"config-sync\"} or outrigger_build_info{exported_container=\"config-sync\"})","legendFormat":"{{ "{{" }}pod}}"}]},{"id":7,"type":"timeseries","title":"Memory","datasource":{"type":"prometheus","uid":"${datasource}"},"gridPos":{"x":0,"y":24,"w":12,"h":8},"fieldConfig":{"defaults":{"unit":"bytes","min":0},"overrides":[]},"targets":[{"refId":"A","datasource":{"type":"prometheus","uid":"${datasource}"},"expr":"process_resident_memory_bytes and on (pod, instance) (outrigger_build_info{container=\"config-sync\"} or outrigger_build_info{exported_container=\"config-sync\"})","legendFormat":"{{ "{{" }}pod}}"}]},{"id":8,"type":"timeseries","title":"CPU","datasource":{"type":"prometheus","uid":"${datasource}"},"gridPos":{"x":12,"y":24,"w":12,"h":8},"fieldConfig":{"defaults":{"unit":"short","min":0},"overrides":[]},"targets":[{"refId":"A","datasource":{"type":"prometheus","uid":"${datasource}"},"expr":"rate(process_cpu_seconds_total[5m]) and on (pod, instance) (outrigger_build_info{container=\"config-sync\"} or outrigger_build_info{exported_container=\"config-sync\"})","legendFormat":"{{ "{{" }}pod}}"}]}]}{{- end -}}
{{- define "outrigger.rules.log-adapter" -}}
name: log-adapter
rules:
  - alert: LogAdapterOutputFails
    expr: sum by (namespace, pod, output) (rate(log_adapter_output_errors_total[5m])) > 0
    for: 10m
    labels:
      severity: warning
    annotations:
      summary: The output {{ "{{" }} $labels.output }} has failed for 10 minutes; what it is to get waits.
  - alert: LogAdapterLinesLost
    expr: sum by (namespace, pod, input) (increase(log_adapter_lines_dropped_total{reason=~"refused|overflow"}[10m])) > 0
    labels:
      severity: warning
    annotations:
      summary: Lines of {{ "{{" }} $labels.input }} were lost.
  - alert: LogAdapterInputFails
    expr: rate(log_adapter_input_errors_total[5m]) > 0
    for: 10m
    labels:
      severity: warning
    annotations:
      summary: An input has failed for 10 minutes; the container's log says which.
{{- end -}}
{{- define "outrigger.dashboard.log-adapter" -}}
{"uid":"outrigger-log-adapter","title":"Outrigger: log-adapter","tags":["outrigger"],"schemaVersion":39,"editable":true,"refresh":"30s","time":{"from":"now-1h","to":"now"},"templating":{"list":[{"name":"datasource","type":"datasource","query":"prometheus","label":"Data source"}]},"panels":[{"id":1,"type":"timeseries","title":"Lines read","datasource":{"type":"prometheus","uid":"${datasource}"},"gridPos":{"x":0,"y":0,"w":12,"h":8},"fieldConfig":{"defaults":{"unit":"short","min":0},"overrides":[]},"targets":[{"refId":"A","datasource":{"type":"prometheus","uid":"${datasource}"},"expr":"sum by (input) (rate(log_adapter_lines_read_total[5m]))","legendFormat":"{{ "{{" }}input}}"}]},{"id":2,"type":"timeseries","title":"Lines dropped","datasource":{"type":"prometheus","uid":"${datasource}"},"gridPos":{"x":12,"y":0,"w":12,"h":8},"fieldConfig":{"defaults":{"unit":"short","min":0},"overrides":[]},"targets":[{"refId":"A","datasource":{"type":"prometheus","uid":"${datasource}"},"expr":"sum by (reason) (rate(log_adapter_lines_dropped_total[5m])) > 0","legendFormat":"{{ "{{" }}reason}}"}]},{"id":3,"type":"timeseries","title":"Lines that wait","datasource":{"type":"prometheus","uid":"${datasource}"},"gridPos":{"x":0,"y":8,"w":12,"h":8},"fieldConfig":{"defaults":{"unit":"short","min":0},"overrides":[]},"targets":[{"refId":"A","datasource":{"type":"prometheus","uid":"${datasource}"},"expr":"sum by (input) (log_adapter_lines_pending)","legendFormat":"{{ "{{" }}input}}"}]},{"id":4,"type":"timeseries","title":"Records by format","datasource":{"type":"prometheus","uid":"${datasource}"},"gridPos":{"x":12,"y":8,"w":12,"h":8},"fieldConfig":{"defaults":{"unit":"short","min":0},"overrides":[]},"targets":[{"refId":"A","datasource":{"type":"prometheus","uid":"${datasource}"},"expr":"sum by (format) (rate(log_adapter_records_total[5m])) > 0","legendFormat":"{{ "{{" }}format}}"}]},{"id":5,"type":"timeseries","title":"Buffered","datasource":{"type":"prometheus","uid":"${datasource}"},"gridPos":{"x":0,"y":16,"w":12,"h":8},"fieldConfig":{"defaults":{"unit":"bytes","min":0},"overrides":[]},"targets":[{"refId":"A","datasource":{"type":"prometheus","uid":"${datasource}"},"expr":"sum by (output) (log_adapter_buffered_bytes)","legendFormat":"{{ "{{" }}output}}"}]},{"id":6,"type":"timeseries","title":"Failures of outputs","datasource":{"type":"prometheus","uid":"${datasource}"},"gridPos":{"x":12,"y":16,"w":12,"h":8},"fieldConfig":{"defaults":{"unit":"short","min":0},"overrides":[]},"targets":[{"refId":"A","datasource":{"type":"prometheus","uid":"${datasource}"},"expr":"sum by (output) (rate(log_adapter_output_errors_total[5m])) > 0","legendFormat":"{{ "{{" }}output}}"}]},{"id":7,"type":"timeseries","title":"Ready","datasource":{"type":"prometheus","uid":"${datasource}"},"gridPos":{"x":0,"y":24,"w":12,"h":8},"fieldConfig":{"defaults":{"unit":"short","min":0},"overrides":[]},"targets":[{"refId":"A","datasource":{"type":"prometheus","uid":"${datasource}"},"expr":"outrigger_ready and on (pod, instance) (outrigger_build_info{container=\"log-adapter\"} or outrigger_build_info{exported_container=\"log-adapter\"})","legendFormat":"{{ "{{" }}pod}}"}]},{"id":8,"type":"timeseries","title":"Memory","datasource":{"type":"prometheus","uid":"${datasource}"},"gridPos":{"x":12,"y":24,"w":12,"h":8},"fieldConfig":{"defaults":{"unit":"bytes","min":0},"overrides":[]},"targets":[{"refId":"A","datasource":{"type":"prometheus","uid":"${datasource}"},"expr":"process_resident_memory_bytes and on (pod, instance) (outrigger_build_info{container=\"log-adapter\"} or outrigger_build_info{exported_container=\"log-adapter\"})","legendFormat":"{{ "{{" }}pod}}"}]},{"id":9,"type":"timeseries","title":"CPU","datasource":{"type":"prometheus","uid":"${datasource}"},"gridPos":{"x":0,"y":32,"w":12,"h":8},"fieldConfig":{"defaults":{"unit":"short","min":0},"overrides":[]},"targets":[{"refId":"A","datasource":{"type":"prometheus","uid":"${datasource}"},"expr":"rate(process_cpu_seconds_total[5m]) and on (pod, instance) (outrigger_build_info{container=\"log-adapter\"} or outrigger_build_info{exported_container=\"log-adapter\"})","legendFormat":"{{ "{{" }}pod}}"}]}]}{{- end -}}
{{- define "outrigger.rules.metrics-adapter" -}}
name: metrics-adapter
rules:
  - alert: MetricsAdapterSourceDown
    expr: metrics_adapter_source_up == 0
    for: 5m
    labels:
      severity: warning
    annotations:
      summary: The source {{ "{{" }} $labels.source }} cannot be read.
  - alert: MetricsAdapterSeriesLeftOut
    expr: sum by (namespace, pod, reason) (increase(metrics_adapter_series_left_out_total[15m])) > 0
    for: 15m
    labels:
      severity: warning
    annotations:
      summary: "Series are left out: {{ "{{" }} $labels.reason }}."
{{- end -}}
{{- define "outrigger.dashboard.metrics-adapter" -}}
{"uid":"outrigger-metrics-adapter","title":"Outrigger: metrics-adapter","tags":["outrigger"],"schemaVersion":39,"editable":true,"refresh":"30s","time":{"from":"now-1h","to":"now"},"templating":{"list":[{"name":"datasource","type":"datasource","query":"prometheus","label":"Data source"}]},"panels":[{"id":1,"type":"timeseries","title":"Sources","datasource":{"type":"prometheus","uid":"${datasource}"},"gridPos":{"x":0,"y":0,"w":12,"h":8},"fieldConfig":{"defaults":{"unit":"short","min":0},"overrides":[]},"targets":[{"refId":"A","datasource":{"type":"prometheus","uid":"${datasource}"},"expr":"metrics_adapter_source_up","legendFormat":"{{ "{{" }}pod}} {{ "{{" }}source}}"}]},{"id":2,"type":"timeseries","title":"Duration of scrapes","datasource":{"type":"prometheus","uid":"${datasource}"},"gridPos":{"x":12,"y":0,"w":12,"h":8},"fieldConfig":{"defaults":{"unit":"s","min":0},"overrides":[]},"targets":[{"refId":"A","datasource":{"type":"prometheus","uid":"${datasource}"},"expr":"histogram_quantile(0.99, sum by (le, pod) (rate(metrics_adapter_scrape_duration_seconds_bucket[5m])))","legendFormat":"{{ "{{" }}pod}}"}]},{"id":3,"type":"timeseries","title":"Series","datasource":{"type":"prometheus","uid":"${datasource}"},"gridPos":{"x":0,"y":8,"w":12,"h":8},"fieldConfig":{"defaults":{"unit":"short","min":0},"overrides":[]},"targets":[{"refId":"A","datasource":{"type":"prometheus","uid":"${datasource}"},"expr":"metrics_adapter_page_series","legendFormat":"{{ "{{" }}pod}}"}]},{"id":4,"type":"timeseries","title":"Series left out","datasource":{"type":"prometheus","uid":"${datasource}"},"gridPos":{"x":12,"y":8,"w":12,"h":8},"fieldConfig":{"defaults":{"unit":"short","min":0},"overrides":[]},"targets":[{"refId":"A","datasource":{"type":"prometheus","uid":"${datasource}"},"expr":"sum by (reason) (rate(metrics_adapter_series_left_out_total[5m])) > 0","legendFormat":"{{ "{{" }}reason}}"}]},{"id":5,"type":"timeseries","title":"Ready","datasource":{"type":"prometheus","uid":"${datasource}"},"gridPos":{"x":0,"y":16,"w":12,"h":8},"fieldConfig":{"defaults":{"unit":"short","min":0},"overrides":[]},"targets":[{"refId":"A","datasource":{"type":"prometheus","uid":"${datasource}"},"expr":"outrigger_ready and on (pod, instance) (outrigger_build_info{container=\"metrics-adapter\"} or outrigger_build_info{exported_container=\"metrics-adapter\"})","legendFormat":"{{ "{{" }}pod}}"}]},{"id":6,"type":"timeseries","title":"Memory","datasource":{"type":"prometheus","uid":"${datasource}"},"gridPos":{"x":12,"y":16,"w":12,"h":8},"fieldConfig":{"defaults":{"unit":"bytes","min":0},"overrides":[]},"targets":[{"refId":"A","datasource":{"type":"prometheus","uid":"${datasource}"},"expr":"process_resident_memory_bytes and on (pod, instance) (outrigger_build_info{container=\"metrics-adapter\"} or outrigger_build_info{exported_container=\"metrics-adapter\"})","legendFormat":"{{ "{{" }}pod}}"}]},{"id":7,"type":"timeseries","title":"CPU","datasource":{"type":"prometheus","uid":"${datasource}"},"gridPos":{"x":0,"y":24,"w":12,"h":8},"fieldConfig":{"defaults":{"unit":"short","min":0},"overrides":[]},"targets":[{"refId":"A","datasource":{"type":"prometheus","uid":"${datasource}"},"expr":"rate(process_cpu_seconds_total[5m]) and on (pod, instance) (outrigger_build_info{container=\"metrics-adapter\"} or outrigger_build_info{exported_container=\"metrics-adapter\"})","legendFormat":"{{ "{{" }}pod}}"}]}]}{{- end -}}
{{- define "outrigger.rules.shard-ambassador" -}}
name: shard-ambassador
rules:
  - alert: ShardAmbassadorShardDown
    expr: shard_ambassador_shard_up == 0
    for: 1m
    labels:
      severity: critical
    annotations:
      summary: The shard {{ "{{" }} $labels.shard }} cannot be reached.
  - alert: ShardAmbassadorErrors
    expr: sum by (namespace, pod, shard) (rate(shard_ambassador_shard_errors_total[5m])) > 0.01 * sum by (namespace, pod, shard) (rate(shard_ambassador_requests_total[5m]))
    for: 5m
    labels:
      severity: warning
    annotations:
      summary: More than 1% of the commands for the shard {{ "{{" }} $labels.shard }} fail.
  - alert: ShardAmbassadorMemoryFull
    expr: increase(shard_ambassador_memory_full_total[10m]) > 0
    labels:
      severity: warning
    annotations:
      summary: The memory limit was reached, and reading from clients paused.
{{- end -}}
{{- define "outrigger.dashboard.shard-ambassador" -}}
{"uid":"outrigger-shard-ambassador","title":"Outrigger: shard-ambassador","tags":["outrigger"],"schemaVersion":39,"editable":true,"refresh":"30s","time":{"from":"now-1h","to":"now"},"templating":{"list":[{"name":"datasource","type":"datasource","query":"prometheus","label":"Data source"}]},"panels":[{"id":1,"type":"timeseries","title":"Commands","datasource":{"type":"prometheus","uid":"${datasource}"},"gridPos":{"x":0,"y":0,"w":12,"h":8},"fieldConfig":{"defaults":{"unit":"reqps","min":0},"overrides":[]},"targets":[{"refId":"A","datasource":{"type":"prometheus","uid":"${datasource}"},"expr":"sum by (shard) (rate(shard_ambassador_requests_total[5m]))","legendFormat":"{{ "{{" }}shard}}"}]},{"id":2,"type":"timeseries","title":"Duration of commands","datasource":{"type":"prometheus","uid":"${datasource}"},"gridPos":{"x":12,"y":0,"w":12,"h":8},"fieldConfig":{"defaults":{"unit":"s","min":0},"overrides":[]},"targets":[{"refId":"A","datasource":{"type":"prometheus","uid":"${datasource}"},"expr":"histogram_quantile(0.5, sum by (le) (rate(shard_ambassador_request_duration_seconds_bucket[5m])))","legendFormat":"half"},{"refId":"B","datasource":{"type":"prometheus","uid":"${datasource}"},"expr":"histogram_quantile(0.99, sum by (le) (rate(shard_ambassador_request_duration_seconds_bucket[5m])))","legendFormat":"99%"}]},{"id":3,"type":"timeseries","title":"Shards","datasource":{"type":"prometheus","uid":"${datasource}"},"gridPos":{"x":0,"y":8,"w":12,"h":8},"fieldConfig":{"defaults":{"unit":"short","min":0},"overrides":[]},"targets":[{"refId":"A","datasource":{"type":"prometheus","uid":"${datasource}"},"expr":"min by (shard) (shard_ambassador_shard_up)","legendFormat":"{{ "{{" }}shard}}"}]},{"id":4,"type":"timeseries","title":"Errors of shards","datasource":{"type":"prometheus","uid":"${datasource}"},"gridPos":{"x":12,"y":8,"w":12,"h":8},"fieldConfig":{"defaults":{"unit":"short","min":0},"overrides":[]},"targets":[{"refId":"A","datasource":{"type":"prometheus","uid":"${datasource}"},"expr":"sum by (shard, reason) (rate(shard_ambassador_shard_errors_total[5m])) > 0","legendFormat":"{{ "{{" }}shard}} {{ "{{" }}reason}}"}]},{"id":5,"type":"timeseries","title":"Clients","datasource":{"type":"prometheus","uid":"${datasource}"},"gridPos":{"x":0,"y":16,"w":12,"h":8},"fieldConfig":{"defaults":{"unit":"short","min":0},"overrides":[]},"targets":[{"refId":"A","datasource":{"type":"prometheus","uid":"${datasource}"},"expr":"shard_ambassador_connections_active","legendFormat":"{{ "{{" }}pod}}"}]},{"id":6,"type":"timeseries","title":"Memory held for clients","datasource":{"type":"prometheus","uid":"${datasource}"},"gridPos":{"x":12,"y":16,"w":12,"h":8},"fieldConfig":{"defaults":{"unit":"bytes","min":0},"overrides":[]},"targets":[{"refId":"A","datasource":{"type":"prometheus","uid":"${datasource}"},"expr":"shard_ambassador_memory_bytes","legendFormat":"{{ "{{" }}pod}}"}]},{"id":7,"type":"timeseries","title":"Ready","datasource":{"type":"prometheus","uid":"${datasource}"},"gridPos":{"x":0,"y":24,"w":12,"h":8},"fieldConfig":{"defaults":{"unit":"short","min":0},"overrides":[]},"targets":[{"refId":"A","datasource":{"type":"prometheus","uid":"${datasource}"},"expr":"outrigger_ready and on (pod, instance) (outrigger_build_info{container=\"shard-ambassador\"} or outrigger_build_info{exported_container=\"shard-ambassador\"})","legendFormat":"{{ "{{" }}pod}}"}]},{"id":8,"type":"timeseries","title":"Memory","datasource":{"type":"prometheus","uid":"${datasource}"},"gridPos":{"x":12,"y":24,"w":12,"h":8},"fieldConfig":{"defaults":{"unit":"bytes","min":0},"overrides":[]},"targets":[{"refId":"A","datasource":{"type":"prometheus","uid":"${datasource}"},"expr":"process_resident_memory_bytes and on (pod, instance) (outrigger_build_info{container=\"shard-ambassador\"} or outrigger_build_info{exported_container=\"shard-ambassador\"})","legendFormat":"{{ "{{" }}pod}}"}]},{"id":9,"type":"timeseries","title":"CPU","datasource":{"type":"prometheus","uid":"${datasource}"},"gridPos":{"x":0,"y":32,"w":12,"h":8},"fieldConfig":{"defaults":{"unit":"short","min":0},"overrides":[]},"targets":[{"refId":"A","datasource":{"type":"prometheus","uid":"${datasource}"},"expr":"rate(process_cpu_seconds_total[5m]) and on (pod, instance) (outrigger_build_info{container=\"shard-ambassador\"} or outrigger_build_info{exported_container=\"shard-ambassador\"})","legendFormat":"{{ "{{" }}pod}}"}]}]}{{- end -}}
{{- define "outrigger.rules.tls-sidecar" -}}
name: tls-sidecar
rules:
  - alert: TlsSidecarCertificateExpires
    expr: tls_sidecar_certificate_expiry_timestamp_seconds - time() < 7 * 86400
    for: 1h
    labels:
      severity: warning
    annotations:
      summary: The certificate {{ "{{" }} $labels.file }} expires within 7 days.
  - alert: TlsSidecarCertificateExpired
    expr: tls_sidecar_certificate_expiry_timestamp_seconds - time() < 0
    labels:
      severity: critical
    annotations:
      summary: The certificate {{ "{{" }} $labels.file }} has expired.
  - alert: TlsSidecarTargetDown
    expr: tls_sidecar_target_up == 0
    for: 2m
    labels:
      severity: critical
    annotations:
      summary: The application behind the sidecar does not answer.
  - alert: TlsSidecarHandshakesFail
    expr: sum by (namespace, pod) (rate(tls_sidecar_handshake_failures_total{reason!="closed"}[10m])) > 0.2 * sum by (namespace, pod) (rate(tls_sidecar_connections_total[10m]))
    for: 10m
    labels:
      severity: warning
    annotations:
      summary: More than a fifth of the connections end in a failed handshake.
  - alert: TlsSidecarConnectionsRefused
    expr: sum by (namespace, pod, reason) (rate(tls_sidecar_connections_refused_total[5m])) > 0
    for: 5m
    labels:
      severity: warning
    annotations:
      summary: "Connections are refused: {{ "{{" }} $labels.reason }}."
{{- end -}}
{{- define "outrigger.dashboard.tls-sidecar" -}}
{"uid":"outrigger-tls-sidecar","title":"Outrigger: tls-sidecar","tags":["outrigger"],"schemaVersion":39,"editable":true,"refresh":"30s","time":{"from":"now-1h","to":"now"},"templating":{"list":[{"name":"datasource","type":"datasource","query":"prometheus","label":"Data source"}]},"panels":[{"id":1,"type":"timeseries","title":"Requests","datasource":{"type":"prometheus","uid":"${datasource}"},"gridPos":{"x":0,"y":0,"w":12,"h":8},"fieldConfig":{"defaults":{"unit":"reqps","min":0},"overrides":[]},"targets":[{"refId":"A","datasource":{"type":"prometheus","uid":"${datasource}"},"expr":"sum by (status) (rate(tls_sidecar_requests_total[5m]))","legendFormat":"{{ "{{" }}status}}"}]},{"id":2,"type":"timeseries","title":"Duration of requests","datasource":{"type":"prometheus","uid":"${datasource}"},"gridPos":{"x":12,"y":0,"w":12,"h":8},"fieldConfig":{"defaults":{"unit":"s","min":0},"overrides":[]},"targets":[{"refId":"A","datasource":{"type":"prometheus","uid":"${datasource}"},"expr":"histogram_quantile(0.5, sum by (le) (rate(tls_sidecar_request_duration_seconds_bucket[5m])))","legendFormat":"half"},{"refId":"B","datasource":{"type":"prometheus","uid":"${datasource}"},"expr":"histogram_quantile(0.99, sum by (le) (rate(tls_sidecar_request_duration_seconds_bucket[5m])))","legendFormat":"99%"}]},{"id":3,"type":"timeseries","title":"Requests refused","datasource":{"type":"prometheus","uid":"${datasource}"},"gridPos":{"x":0,"y":8,"w":12,"h":8},"fieldConfig":{"defaults":{"unit":"reqps","min":0},"overrides":[]},"targets":[{"refId":"A","datasource":{"type":"prometheus","uid":"${datasource}"},"expr":"sum by (reason) (rate(tls_sidecar_requests_refused_total[5m])) > 0","legendFormat":"{{ "{{" }}reason}}"}]},{"id":4,"type":"timeseries","title":"Failed handshakes","datasource":{"type":"prometheus","uid":"${datasource}"},"gridPos":{"x":12,"y":8,"w":12,"h":8},"fieldConfig":{"defaults":{"unit":"short","min":0},"overrides":[]},"targets":[{"refId":"A","datasource":{"type":"prometheus","uid":"${datasource}"},"expr":"sum by (reason) (rate(tls_sidecar_handshake_failures_total[5m])) > 0","legendFormat":"{{ "{{" }}reason}}"}]},{"id":5,"type":"timeseries","title":"Connections","datasource":{"type":"prometheus","uid":"${datasource}"},"gridPos":{"x":0,"y":16,"w":12,"h":8},"fieldConfig":{"defaults":{"unit":"short","min":0},"overrides":[]},"targets":[{"refId":"A","datasource":{"type":"prometheus","uid":"${datasource}"},"expr":"tls_sidecar_connections_active","legendFormat":"{{ "{{" }}pod}}"}]},{"id":6,"type":"timeseries","title":"Certificates end in","datasource":{"type":"prometheus","uid":"${datasource}"},"gridPos":{"x":12,"y":16,"w":12,"h":8},"fieldConfig":{"defaults":{"unit":"s","min":0},"overrides":[]},"targets":[{"refId":"A","datasource":{"type":"prometheus","uid":"${datasource}"},"expr":"tls_sidecar_certificate_expiry_timestamp_seconds - time()","legendFormat":"{{ "{{" }}pod}} {{ "{{" }}file}}"}]},{"id":7,"type":"timeseries","title":"Ready","datasource":{"type":"prometheus","uid":"${datasource}"},"gridPos":{"x":0,"y":24,"w":12,"h":8},"fieldConfig":{"defaults":{"unit":"short","min":0},"overrides":[]},"targets":[{"refId":"A","datasource":{"type":"prometheus","uid":"${datasource}"},"expr":"outrigger_ready and on (pod, instance) (outrigger_build_info{container=\"tls-sidecar\"} or outrigger_build_info{exported_container=\"tls-sidecar\"})","legendFormat":"{{ "{{" }}pod}}"}]},{"id":8,"type":"timeseries","title":"Memory","datasource":{"type":"prometheus","uid":"${datasource}"},"gridPos":{"x":12,"y":24,"w":12,"h":8},"fieldConfig":{"defaults":{"unit":"bytes","min":0},"overrides":[]},"targets":[{"refId":"A","datasource":{"type":"prometheus","uid":"${datasource}"},"expr":"process_resident_memory_bytes and on (pod, instance) (outrigger_build_info{container=\"tls-sidecar\"} or outrigger_build_info{exported_container=\"tls-sidecar\"})","legendFormat":"{{ "{{" }}pod}}"}]},{"id":9,"type":"timeseries","title":"CPU","datasource":{"type":"prometheus","uid":"${datasource}"},"gridPos":{"x":0,"y":32,"w":12,"h":8},"fieldConfig":{"defaults":{"unit":"short","min":0},"overrides":[]},"targets":[{"refId":"A","datasource":{"type":"prometheus","uid":"${datasource}"},"expr":"rate(process_cpu_seconds_total[5m]) and on (pod, instance) (outrigger_build_info{container=\"tls-sidecar\"} or outrigger_build_info{exported_container=\"tls-sidecar\"})","legendFormat":"{{ "{{" }}pod}}"}]}]}{{- end -}}

{{- /* Generated from the containers' definitions and ../../entries: npm run generate. */ -}}
{{- define "outrigger.table" -}}
configSync:
  name: config-sync
  version: 0.1.0
  prefix: CONFIG_SYNC
  order: 10
  once: true
  rereadsConfig: false
  startupPath: /readyz
  startupFailures: 60
  nativeOptions: {}
  metricsPort: ""
  ports:
    - name: admin
      option: adminListen
      default: 0.0.0.0:9914
  resources: &a1
    requests:
      cpu: 10m
      memory: 64Mi
    limits:
      memory: 128Mi
logAdapter:
  name: log-adapter
  version: 0.1.0
  prefix: LOG_ADAPTER
  order: 50
  once: false
  rereadsConfig: false
  startupPath: /startupz
  startupFailures: 30
  nativeOptions: {}
  metricsPort: ""
  ports:
    - name: admin
      option: adminListen
      default: 0.0.0.0:9913
  resources: *a1
metricsAdapter:
  name: metrics-adapter
  version: 0.1.0
  prefix: METRICS_ADAPTER
  order: 40
  once: false
  rereadsConfig: false
  startupPath: /startupz
  startupFailures: 30
  nativeOptions: {}
  metricsPort: metrics
  ports:
    - name: metrics
      option: listen
      default: 0.0.0.0:9464
      cases:
        - if:
            redis: true
          unless:
            - nginx
            - memcached
            - postgres
            - json
            - statsd
            - sources
            - modules
          default: 0.0.0.0:9121
    - name: admin
      option: adminListen
      default: 0.0.0.0:9912
  resources: *a1
shardAmbassador:
  name: shard-ambassador
  version: 0.1.0
  prefix: SHARD_AMBASSADOR
  order: 20
  once: false
  rereadsConfig: true
  startupPath: /startupz
  startupFailures: 30
  nativeOptions:
    drainDelay: 0s
  metricsPort: ""
  ports:
    - name: shards
      option: listen
      default: 127.0.0.1:6379
      cases:
        - if:
            protocol: memcached
          default: 127.0.0.1:11211
    - name: admin
      option: adminListen
      default: 0.0.0.0:9911
  resources: *a1
tlsSidecar:
  name: tls-sidecar
  version: 0.1.0
  prefix: TLS_SIDECAR
  order: 30
  once: false
  rereadsConfig: false
  startupPath: /startupz
  startupFailures: 30
  nativeOptions:
    drainDelay: 0s
  metricsPort: ""
  ports:
    - name: https
      option: listen
      default: 0.0.0.0:8443
    - name: http
      option: redirectListen
    - name: admin
      option: adminListen
      default: 0.0.0.0:9910
  resources: *a1
{{- end -}}

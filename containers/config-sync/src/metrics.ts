// The metrics of config-sync. Those that begin with reloader_ are named as prometheus-config-reloader names them, so that
// the alerts which people have for it hold here, too.
import { counter, gauge } from "@outrigger/runtime";

const job = "the job's name; `default` is that of the short form";
const source = "the source, as it is written";

export const OUTCOMES = ["published", "noticed", "unchanged", "failed", "invalid", "refused", "held"] as const;
export type Outcome = (typeof OUTCOMES)[number];

export const metrics = {
  syncs: counter(
    "config_sync_syncs_total",
    "Rounds of a job by outcome: published, noticed (a change of what is only watched), unchanged, failed (a source or the disk), invalid (a validator), refused (the application, earlier), held (paused or pinned).",
    { job, outcome: "the outcome" },
  ),
  lastSync: gauge(
    "config_sync_last_sync_success_timestamp_seconds",
    "When all sources of a job were last reached and what they had was valid.",
    { job },
  ),
  revision: gauge("config_sync_revision_info", "Always 1; its labels say which revision is live.", {
    job,
    revision: "the revision",
  }),
  files: gauge("config_sync_files", "Files of the live revision.", { job }),
  bytes: gauge("config_sync_size_bytes", "Size of the live revision's files.", { job }),
  fetches: counter("config_sync_fetches_total", "Attempts to get the files of a source, by outcome.", {
    job,
    source,
    outcome: "ok or failed",
  }),
  lastFetch: gauge("config_sync_last_fetch_success_timestamp_seconds", "When a source was last reached.", {
    job,
    source,
  }),
  collisions: gauge("config_sync_collisions", "Paths that more than one source has.", { job }),
  invalid: counter("config_sync_validation_failures_total", "Revisions that a validator did not let pass.", { job }),
  notifications: counter("config_sync_notifications_total", "Notifications by outcome, repetitions not counted.", {
    job,
    outcome: "ok or failed",
  }),
  rollbacks: counter(
    "config_sync_rollbacks_total",
    "Revisions taken back, by reason: refused by the application, or asked for.",
    { job, reason: "refused or asked" },
  ),
  limits: counter("config_sync_limits_reached_total", "Rounds that passed a limit, by limit.", {
    limit: ["files", "bytes"],
  }),
  pushes: counter("config_sync_pushes_total", "Requests to sync now, by outcome.", {
    outcome: ["accepted", "refused"],
  }),
  watchPolls: gauge(
    "config_sync_watch_polling",
    "Sources that are polled because the system refuses to give file events.",
  ),
  reloads: counter("reloader_reloads_total", "Notifications of a new revision."),
  reloadsFailed: counter(
    "reloader_reloads_failed_total",
    "Notifications of a new revision that failed, or that the application refused.",
  ),
  reloadSuccessful: gauge("reloader_last_reload_successful", "Whether the last notification succeeded: 1 or 0."),
  reloadTime: gauge("reloader_last_reload_success_timestamp_seconds", "When a notification last succeeded."),
  applies: counter(
    "reloader_config_apply_operations_total",
    "Attempts to bring a configuration to the application's disk.",
  ),
  appliesFailed: counter(
    "reloader_config_apply_operations_failed_total",
    "Attempts to bring a configuration to the application's disk that failed.",
  ),
  watches: gauge("reloader_watches", "Sources that are followed."),
  watchEvents: counter("reloader_watch_events_total", "Hints of sources that something may have changed."),
  watchErrors: counter("reloader_watch_errors_total", "Watches that ended with an error."),
} as const;

// What PostgreSQL is asked, and under which names its answers are shown: those of postgres_exporter.
import type { MetricType } from "../../exposition/model.ts";

/** One question. Columns that are none of `labels` are metrics `<prefix>_<column><suffix>`. */
export type Table = {
  /** As `pg_scrape_collector_success` calls it. */
  readonly collector: string;
  readonly prefix: string;
  readonly sql: string;
  readonly labels?: readonly string[];
  readonly suffix?: string;
  /** The type of all columns, or of each; those that are not named are untyped. */
  readonly types: MetricType | Readonly<Record<string, MetricType>>;
  /** Columns that are not shown. */
  readonly without?: readonly string[];
  /** The version that it came with, as `server_version_num`. */
  readonly since?: number;
};

const of = (type: MetricType, ...columns: string[]): Record<string, MetricType> =>
  Object.fromEntries(columns.map((column) => [column, type]));

/** Whether the user may ask for the size: other databases need a right, or a role. */
const MAY_SEE = "has_database_privilege(oid, 'CONNECT') OR pg_has_role('pg_read_all_stats', 'MEMBER')";
const STATES = [
  "active",
  "idle",
  "idle in transaction",
  "idle in transaction (aborted)",
  "fastpath function call",
  "disabled",
];
const LOCKS = [
  "accesssharelock",
  "rowsharelock",
  "rowexclusivelock",
  "shareupdateexclusivelock",
  "sharelock",
  "sharerowexclusivelock",
  "exclusivelock",
  "accessexclusivelock",
  "sireadlock",
];
const listOf = (texts: readonly string[]): string => texts.map((text) => `'${text}'`).join(", ");

export const TABLES: readonly Table[] = [
  {
    collector: "database",
    prefix: "pg_database",
    sql: `SELECT datname, CASE WHEN ${MAY_SEE} THEN pg_database_size(oid) END AS size_bytes, datconnlimit AS connection_limit FROM pg_database`,
    labels: ["datname"],
    types: "gauge",
  },
  {
    collector: "stat_database",
    prefix: "pg_stat_database",
    sql: "SELECT *, coalesce(datname, '') AS datname FROM pg_stat_database",
    labels: ["datid", "datname"],
    types: {
      ...of("gauge", "numbackends"),
      ...of(
        "counter",
        "xact_commit",
        "xact_rollback",
        "blks_read",
        "blks_hit",
        "tup_returned",
        "tup_fetched",
        "tup_inserted",
      ),
      ...of(
        "counter",
        "tup_updated",
        "tup_deleted",
        "conflicts",
        "temp_files",
        "temp_bytes",
        "deadlocks",
        "blk_read_time",
      ),
      ...of("counter", "blk_write_time", "stats_reset"),
    },
  },
  {
    collector: "stat_database_conflicts",
    prefix: "pg_stat_database_conflicts",
    sql: "SELECT * FROM pg_stat_database_conflicts",
    labels: ["datid", "datname"],
    types: "counter",
  },
  {
    collector: "bgwriter",
    prefix: "pg_stat_bgwriter",
    sql: "SELECT * FROM pg_stat_bgwriter",
    suffix: "_total",
    types: "counter",
  },
  {
    collector: "stat_checkpointer",
    prefix: "pg_stat_checkpointer",
    sql: "SELECT * FROM pg_stat_checkpointer",
    suffix: "_total",
    types: "counter",
    since: 170_000,
  },
  {
    collector: "stat_archiver",
    prefix: "pg_stat_archiver",
    sql: "SELECT archived_count, failed_count, extract(epoch FROM now() - last_archived_time) AS last_archive_age FROM pg_stat_archiver",
    types: { ...of("counter", "archived_count", "failed_count"), ...of("gauge", "last_archive_age") },
  },
  {
    collector: "stat_activity",
    prefix: "pg_stat_activity",
    sql: `SELECT d.datname, s.state, count(a.pid) AS count, coalesce(max(extract(epoch FROM now() - a.xact_start)), 0) AS max_tx_duration
      FROM pg_database d CROSS JOIN unnest(ARRAY[${listOf(STATES)}]) AS s(state)
      LEFT JOIN pg_stat_activity a ON a.datname = d.datname AND a.state = s.state GROUP BY d.datname, s.state`,
    labels: ["datname", "state"],
    types: "gauge",
  },
  {
    collector: "locks",
    prefix: "pg_locks",
    sql: `SELECT d.datname, m.mode, count(l.mode) AS count
      FROM pg_database d CROSS JOIN unnest(ARRAY[${listOf(LOCKS)}]) AS m(mode)
      LEFT JOIN pg_locks l ON l.database = d.oid AND lower(l.mode) = m.mode GROUP BY d.datname, m.mode`,
    labels: ["datname", "mode"],
    types: "gauge",
  },
  {
    collector: "stat_replication",
    prefix: "pg_stat_replication",
    sql: `SELECT r.application_name, coalesce(host(r.client_addr), '') AS client_addr, r.state, coalesce(s.slot_name, '') AS slot_name,
      CASE WHEN NOT pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') END AS pg_current_wal_lsn_bytes,
      CASE WHEN NOT pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_current_wal_lsn(), r.replay_lsn) END AS pg_wal_lsn_diff
      FROM pg_stat_replication r LEFT JOIN pg_replication_slots s ON s.active_pid = r.pid`,
    labels: ["application_name", "client_addr", "state", "slot_name"],
    types: "gauge",
  },
  {
    collector: "replication_slots",
    prefix: "pg_replication_slots",
    sql: `SELECT slot_name, coalesce(database, '') AS database, active,
      pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END, restart_lsn) AS pg_wal_lsn_diff
      FROM pg_replication_slots`,
    labels: ["slot_name", "database"],
    types: "gauge",
  },
  {
    collector: "replication",
    prefix: "pg_replication",
    sql: `SELECT pg_is_in_recovery() AS is_replica, CASE WHEN NOT pg_is_in_recovery() OR pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
      ELSE greatest(0, extract(epoch FROM now() - pg_last_xact_replay_timestamp())) END AS lag_seconds`,
    types: "gauge",
  },
  {
    collector: "postmaster",
    prefix: "pg_postmaster",
    sql: "SELECT pg_postmaster_start_time() AS start_time_seconds",
    types: "gauge",
  },
  {
    collector: "roles",
    prefix: "pg_roles",
    sql: "SELECT rolname, rolconnlimit AS connection_limit FROM pg_roles",
    labels: ["rolname"],
    types: "gauge",
  },
  {
    collector: "stat_user_tables",
    prefix: "pg_stat_user_tables",
    sql: `SELECT current_database() AS datname, *, pg_indexes_size(relid) AS index_size_bytes, pg_table_size(relid) AS table_size_bytes
      FROM pg_stat_user_tables`,
    labels: ["datname", "schemaname", "relname"],
    without: ["relid"],
    types: {
      ...of("counter", "seq_scan", "seq_tup_read", "idx_scan", "idx_tup_fetch", "n_tup_ins", "n_tup_upd", "n_tup_del"),
      ...of("counter", "n_tup_hot_upd", "vacuum_count", "autovacuum_count", "analyze_count", "autoanalyze_count"),
      ...of(
        "gauge",
        "n_live_tup",
        "n_dead_tup",
        "n_mod_since_analyze",
        "last_vacuum",
        "last_autovacuum",
        "last_analyze",
      ),
      ...of("gauge", "last_autoanalyze", "index_size_bytes", "table_size_bytes"),
    },
  },
];

// Fields of INFO that are counters, and what redis_exporter calls them.

const AS_THEY_ARE = `
unexpected_error_replies total_error_replies dump_payload_sanitizations total_reads_processed
total_writes_processed io_threaded_reads_processed io_threaded_writes_processed storage_provider_read_hits
storage_provider_read_misses search_successful_requests_count search_failure_requests_count
search_hybrid_requests_count search_inline_filtering_requests_count search_hnsw_add_exceptions_count
search_hnsw_remove_exceptions_count search_hnsw_modify_exceptions_count search_hnsw_search_exceptions_count
search_hnsw_create_exceptions_count search_vector_externing_entry_count
`;

const RENAMED: Readonly<Record<string, string>> = {
  total_connections_received: "connections_received_total",
  total_commands_processed: "commands_processed_total",
  rejected_connections: "rejected_connections_total",
  total_net_input_bytes: "net_input_bytes_total",
  total_net_output_bytes: "net_output_bytes_total",
  total_net_repl_input_bytes: "net_repl_input_bytes_total",
  total_net_repl_output_bytes: "net_repl_output_bytes_total",
  expired_subkeys: "expired_subkeys_total",
  expired_keys: "expired_keys_total",
  expired_time_cap_reached_count: "expired_time_cap_reached_total",
  expire_cycle_cpu_milliseconds: "expire_cycle_cpu_time_ms_total",
  evicted_keys: "evicted_keys_total",
  evicted_clients: "evicted_clients_total",
  evicted_scripts: "evicted_scripts_total",
  total_eviction_exceeded_time: "eviction_exceeded_time_ms_total",
  keyspace_hits: "keyspace_hits_total",
  keyspace_misses: "keyspace_misses_total",
  eventloop_cycles: "eventloop_cycles_total",
  eventloop_duration_sum: "eventloop_duration_sum_usec_total",
  eventloop_duration_cmd_sum: "eventloop_duration_cmd_sum_usec_total",
  used_cpu_sys: "cpu_sys_seconds_total",
  used_cpu_user: "cpu_user_seconds_total",
  used_cpu_sys_children: "cpu_sys_children_seconds_total",
  used_cpu_user_children: "cpu_user_children_seconds_total",
  used_cpu_sys_main_thread: "cpu_sys_main_thread_seconds_total",
  used_cpu_user_main_thread: "cpu_user_main_thread_seconds_total",
  client_query_buffer_limit_disconnections: "client_query_buffer_limit_disconnections_total",
  client_output_buffer_limit_disconnections: "client_output_buffer_limit_disconnections_total",
  reply_buffer_shrinks: "reply_buffer_shrinks_total",
  reply_buffer_expands: "reply_buffer_expands_total",
  acl_access_denied_auth: "acl_access_denied_auth_total",
  acl_access_denied_cmd: "acl_access_denied_cmd_total",
  acl_access_denied_key: "acl_access_denied_key_total",
  acl_access_denied_channel: "acl_access_denied_channel_total",
  cached_keys: "cached_keys_total",
  search_total_indexing_time: "search_indexing_time_ms_total",
  search_total_cycles: "search_cycles_total",
  search_total_ms_run: "search_run_ms_total",
  search_gc_total_cycles: "search_gc_cycles_total",
  search_gc_total_ms_run: "search_gc_run_ms_total",
  search_total_queries_processed: "search_queries_processed_total",
  search_total_query_commands: "search_query_commands_total",
  search_total_query_execution_time_ms: "search_query_execution_time_ms_total",
  search_total_active_queries: "search_active_queries_total",
  bf_bloom_defrag_hits: "bf_bloom_defrag_hits_total",
  bf_bloom_defrag_misses: "bf_bloom_defrag_misses_total",
  search_worker_pool_suspend_cnt: "search_worker_pool_suspend_count",
  search_writer_resumed_cnt: "search_writer_resumed_count",
  search_reader_resumed_cnt: "search_reader_resumed_count",
  search_writer_suspension_expired_cnt: "search_writer_suspension_expired_count",
  search_rdb_load_success_cnt: "search_rdb_load_success_count",
  search_rdb_load_failure_cnt: "search_rdb_load_failure_count",
  search_rdb_save_success_cnt: "search_rdb_save_success_count",
  search_rdb_save_failure_cnt: "search_rdb_save_failure_count",
  search_vector_externing_generated_value_cnt: "search_vector_externing_generated_value_count",
  search_vector_externing_lru_promote_cnt: "search_vector_externing_lru_promote_count",
  search_vector_externing_deferred_entry_cnt: "search_vector_externing_deferred_entry_count",
  used_active_time_main_thread: "active_time_main_thread_seconds_total",
};

const unchanged = AS_THEY_ARE.trim()
  .split(/\s+/)
  .map((field) => [field, field] as const);

/** Names of metrics, without their prefix, by field of INFO. */
export const INFO_COUNTERS: ReadonlyMap<string, string> = new Map([...unchanged, ...Object.entries(RENAMED)]);

// Fields of INFO that are gauges, and what redis_exporter calls them.

const AS_THEY_ARE = `
uptime_in_seconds process_id io_threads_active connected_clients blocked_clients tracking_clients
clients_in_timeout_table pubsub_clients watching_clients total_watched_keys total_blocking_keys
total_blocking_keys_on_nokey client_longest_output_list client_biggest_input_buf allocator_frag_ratio
allocator_frag_bytes allocator_rss_ratio allocator_rss_bytes number_of_cached_scripts number_of_functions
number_of_libraries mem_fragmentation_ratio mem_fragmentation_bytes mem_clients_slaves mem_clients_normal
lazyfree_pending_objects lazyfreed_objects active_defrag_running async_loading rdb_changes_since_last_save
rdb_bgsave_in_progress rdb_last_bgsave_status aof_enabled aof_rewrite_in_progress aof_rewrite_scheduled
aof_pending_rewrite aof_buffer_length aof_rewrite_buffer_length aof_pending_bio_fsync aof_delayed_fsync
aof_last_bgrewrite_status aof_last_write_status module_fork_in_progress module_fork_last_cow_size
pubsub_channels pubsub_patterns pubsubshard_channels tracking_total_keys tracking_total_items
tracking_total_prefixes instantaneous_eventloop_cycles_per_sec instantaneous_eventloop_duration_usec
connected_slaves repl_backlog_first_byte_offset master_repl_offset second_repl_offset slave_expires_tracked_keys
slave_priority tile38_heap_released_bytes tile38_http_transport tile38_read_only tile38_last_gc_time_seconds
tile38_next_gc_bytes current_client_thread search_number_of_indexes search_dialect_1 search_dialect_2
search_dialect_3 search_dialect_4 search_global_idle search_global_total search_number_of_active_indexes
search_number_of_active_indexes_running_queries search_number_of_active_indexes_indexing
search_total_active_write_threads search_total_num_docs_in_indexes search_global_idle_user
search_global_idle_internal search_global_total_user search_global_total_internal
search_gc_total_docs_not_collected search_gc_marked_deleted_vectors search_errors_indexing_failures
bf_bloom_total_memory_bytes bf_bloom_num_objects bf_bloom_num_filters_across_objects
bf_bloom_num_items_across_objects bf_bloom_capacity_across_objects json_total_memory_bytes json_num_documents
search_used_memory_bytes search_number_of_attributes search_total_indexed_documents search_query_queue_size
search_writer_queue_size search_string_interning_store_size search_vector_externing_hash_extern_errors
search_vector_externing_num_lru_entries
`;

const RENAMED: Readonly<Record<string, string>> = {
  maxclients: "max_clients",
  client_recent_max_output_buffer: "client_recent_max_output_buffer_bytes",
  client_recent_max_input_buffer: "client_recent_max_input_buffer_bytes",
  allocator_active: "allocator_active_bytes",
  allocator_allocated: "allocator_allocated_bytes",
  allocator_resident: "allocator_resident_bytes",
  allocator_muzzy: "allocator_muzzy_bytes",
  used_memory: "memory_used_bytes",
  used_memory_rss: "memory_used_rss_bytes",
  used_memory_peak: "memory_used_peak_bytes",
  used_memory_lua: "memory_used_lua_bytes",
  used_memory_vm_eval: "memory_used_vm_eval_bytes",
  used_memory_scripts_eval: "memory_used_scripts_eval_bytes",
  used_memory_overhead: "memory_used_overhead_bytes",
  used_memory_startup: "memory_used_startup_bytes",
  used_memory_dataset: "memory_used_dataset_bytes",
  used_memory_vm_functions: "memory_used_vm_functions_bytes",
  used_memory_scripts: "memory_used_scripts_bytes",
  used_memory_functions: "memory_used_functions_bytes",
  used_memory_vm_total: "memory_used_vm_total",
  maxmemory: "memory_max_bytes",
  maxmemory_reservation: "memory_max_reservation_bytes",
  maxmemory_desired_reservation: "memory_max_reservation_desired_bytes",
  maxfragmentationmemory_reservation: "memory_max_fragmentation_reservation_bytes",
  maxfragmentationmemory_desired_reservation: "memory_max_fragmentation_reservation_desired_bytes",
  mem_cluster_links: "mem_cluster_links_bytes",
  mem_aof_buffer: "mem_aof_buffer_bytes",
  mem_replication_backlog: "mem_replication_backlog_bytes",
  expired_stale_perc: "expired_stale_percentage",
  mem_not_counted_for_evict: "mem_not_counted_for_eviction_bytes",
  mem_total_replication_buffers: "mem_total_replication_buffers_bytes",
  mem_overhead_db_hashtable_rehashing: "mem_overhead_db_hashtable_rehashing_bytes",
  migrate_cached_sockets: "migrate_cached_sockets_total",
  active_defrag_hits: "defrag_hits",
  active_defrag_misses: "defrag_misses",
  active_defrag_key_hits: "defrag_key_hits",
  active_defrag_key_misses: "defrag_key_misses",
  loading: "loading_dump_file",
  rdb_last_save_time: "rdb_last_save_timestamp_seconds",
  rdb_last_bgsave_time_sec: "rdb_last_bgsave_duration_sec",
  rdb_current_bgsave_time_sec: "rdb_current_bgsave_duration_sec",
  rdb_saves: "rdb_saves_total",
  rdb_last_cow_size: "rdb_last_cow_size_bytes",
  rdb_last_load_keys_expired: "rdb_last_load_expired_keys",
  rdb_last_load_keys_loaded: "rdb_last_load_loaded_keys",
  aof_last_rewrite_time_sec: "aof_last_rewrite_duration_sec",
  aof_current_rewrite_time_sec: "aof_current_rewrite_duration_sec",
  aof_last_cow_size: "aof_last_cow_size_bytes",
  aof_current_size: "aof_current_size_bytes",
  aof_base_size: "aof_base_size_bytes",
  current_eviction_exceeded_time: "current_eviction_exceeded_time_ms",
  repl_backlog_size: "replication_backlog_bytes",
  repl_backlog_active: "repl_backlog_is_active",
  repl_backlog_histlen: "repl_backlog_history_bytes",
  sync_full: "replica_resyncs_full",
  sync_partial_ok: "replica_partial_resync_accepted",
  sync_partial_err: "replica_partial_resync_denied",
  cluster_stats_messages_sent: "cluster_messages_sent_total",
  cluster_stats_messages_received: "cluster_messages_received_total",
  tile38_aof_size: "tile38_aof_size_bytes",
  tile38_avg_point_size: "tile38_avg_item_size_bytes",
  tile38_sys_cpus: "tile38_cpus_total",
  tile38_heap_alloc_bytes: "tile38_heap_size_bytes",
  tile38_in_memory_size: "tile38_in_memory_size_bytes",
  tile38_max_heap_size: "tile38_max_heap_size_bytes",
  tile38_alloc_bytes: "tile38_mem_alloc_bytes",
  tile38_num_collections: "tile38_num_collections_total",
  tile38_num_hooks: "tile38_num_hooks_total",
  tile38_num_objects: "tile38_num_objects_total",
  tile38_num_points: "tile38_num_points_total",
  tile38_pointer_size: "tile38_pointer_size_bytes",
  tile38_go_threads: "tile38_threads_total",
  tile38_go_goroutines: "tile38_go_goroutines_total",
  server_threads: "server_threads_total",
  long_lock_waits: "long_lock_waits_total",
  search_used_memory_indexes: "search_used_memory_indexes_bytes",
  search_bytes_collected: "search_collected_bytes",
  search_smallest_memory_index: "search_smallest_memory_index_bytes",
  search_largest_memory_index: "search_largest_memory_index_bytes",
  search_used_memory_vector_index: "search_used_memory_vector_index_bytes",
  search_gc_bytes_collected: "search_gc_collected_bytes",
};

const unchanged = AS_THEY_ARE.trim()
  .split(/\s+/)
  .map((field) => [field, field] as const);

/** Names of metrics, without their prefix, by field of INFO. */
export const INFO_GAUGES: ReadonlyMap<string, string> = new Map([...unchanged, ...Object.entries(RENAMED)]);

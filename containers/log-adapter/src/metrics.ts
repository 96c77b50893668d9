// The metrics of the log adapter: names, meaning and label values. Of each input, read = delivered + dropped + pending.
import { counter, gauge } from "@outrigger/runtime";

import { DROP_REASONS } from "./pump.ts";
import { FORMATS } from "./reading.ts";

const input = "the input, as --input names it; `buffer` for what an earlier run has left on disk";
const output = "the output, as --output names it";

export const metrics = {
  read: counter("log_adapter_lines_read_total", "Lines read.", { input }),
  delivered: counter("log_adapter_lines_delivered_total", "Lines in records that all outputs have taken.", { input }),
  dropped: counter(
    "log_adapter_lines_dropped_total",
    "Lines that no output gets: blank ones that belong to no record; those that rules, sampling and limits take out; those that an output has refused for good; those of an input that cannot wait for which there was no room.",
    { input, reason: DROP_REASONS },
  ),
  pending: gauge("log_adapter_lines_pending", "Lines read but not yet delivered or dropped.", { input }),
  records: counter("log_adapter_records_total", "Records written, by the format that was found.", { format: FORMATS }),
  bytes: counter("log_adapter_written_bytes_total", "Bytes written to each output.", { output }),
  outputErrors: counter("log_adapter_output_errors_total", "Attempts to write that failed; each is repeated.", {
    output,
  }),
  refused: counter("log_adapter_records_refused_total", "Records that an output has refused for good.", { output }),
  buffered: gauge("log_adapter_buffered_bytes", "Bytes that wait for an output, in memory and on disk.", { output }),
  damaged: counter(
    "log_adapter_buffer_damaged_total",
    "Segments of the buffer on disk of which a part could not be read.",
  ),
  restarts: counter("log_adapter_file_restarts_total", "Files read from their beginning again, by reason.", {
    reason: ["truncated", "replaced"],
  }),
  inputErrors: counter(
    "log_adapter_input_errors_total",
    "Failures of inputs: files that cannot be read, connections that break, sources that do not answer.",
  ),
  refusedConnections: counter(
    "log_adapter_connections_refused_total",
    "Connections to inputs that were beyond --max-connections, or whose TLS handshake failed.",
  ),
  slowlogMissed: counter(
    "log_adapter_slowlog_missed_total",
    "Slow commands that Redis has forgotten before they could be read: its slowlog-max-len is too small.",
  ),
} as const;

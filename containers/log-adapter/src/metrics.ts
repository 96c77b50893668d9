// The metrics of the log adapter: names, meaning and label values. Of each input, read = delivered + dropped + pending.
import { counter, gauge } from "@outrigger/runtime";

import { FORMATS } from "./reading.ts";

const input = "the input, as --input names it";

export const metrics = {
  read: counter("log_adapter_lines_read_total", "Lines read.", { input }),
  delivered: counter("log_adapter_lines_delivered_total", "Lines in records that all outputs have taken.", { input }),
  dropped: counter("log_adapter_lines_dropped_total", "Blank lines that belong to no record.", { input }),
  pending: gauge("log_adapter_lines_pending", "Lines read but not yet delivered or dropped.", { input }),
  records: counter("log_adapter_records_total", "Records written, by the format that was found.", { format: FORMATS }),
  bytes: counter("log_adapter_written_bytes_total", "Bytes written to each output."),
  outputErrors: counter("log_adapter_output_errors_total", "Attempts to write that failed; each is repeated."),
  restarts: counter("log_adapter_file_restarts_total", "Files read from their beginning again, by reason.", {
    reason: ["truncated", "replaced"],
  }),
  inputErrors: counter("log_adapter_input_errors_total", "Attempts to read a file or a folder that failed."),
} as const;
